import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { View } from "@web/views/view";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, markup, onWillUpdateProps, useState } from "@odoo/owl";

/**
 * The recipients of one kind, on a page of the campaign's form.
 *
 * Odoo's own list view inside the form, rather than a one2many: the form reads no recipient, the
 * list reads a page of them, and only while its notebook page is shown.
 */
export class CampaignMasterRecipients extends Component {
    static template = "campaign_master.Recipients";
    static components = { View };
    static props = {
        ...standardWidgetProps,
        kind: { type: String, validate: (kind) => kind in ADD_LABELS },
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ revision: 0 });
        onWillUpdateProps((next) => {
            // The form was reloaded, as after a sync: so must be the list.
            const stamp = (props) =>
                JSON.stringify([
                    props.record.resId,
                    props.record.data.campaign_master_outcome,
                    props.record.data.campaign_master_statistics_at,
                    props.record.data.campaign_master_recipient_count,
                ]);
            if (this.stamp !== undefined && this.stamp !== stamp(next)) {
                this.state.revision++;
            }
            this.stamp = stamp(next);
        });
    }

    get addLabel() {
        return ADD_LABELS[this.props.kind];
    }

    /** Another key makes another view, which reads anew. */
    get viewKey() {
        return `${this.props.record.resId}-${this.state.revision}`;
    }

    get viewProps() {
        return {
            type: "list",
            resModel: "campaign.master.recipient",
            domain: [
                ["campaign_id", "=", this.props.record.resId],
                ["kind", "=", this.props.kind],
            ],
            context: { campaign_master_embedded: this.props.kind },
            display: { searchPanel: false, controlPanel: {} },
            loadIrFilters: true,
            loadActionMenus: true,
            noBreadcrumbs: true,
            noContentHelp: this.noContentHelp,
            showButtons: true,
            searchMenuTypes: ["filter", "groupBy"],
            selectRecord: (id) => this.openPerson(id),
        };
    }

    get noContentHelp() {
        return markup`<p class="o_view_nocontent_empty_folder">${_t(
            "Nobody here yet"
        )}</p><p>${_t(
            "Add people with the button above, or choose them in their own list and press Add to Campaign."
        )}</p>`;
    }

    async add() {
        if (!(await this.props.record.save())) {
            return;
        }
        const action = await this.orm.call(
            "utm.campaign",
            `action_campaign_master_add_${this.props.kind}`,
            [[this.props.record.resId]]
        );
        await this.action.doAction(action, {
            onClose: async () => {
                await this.props.record.load();
                this.state.revision++;
            },
        });
    }

    async openPerson(id) {
        const action = await this.orm.call("campaign.master.recipient", "action_open_person", [
            [id],
        ]);
        await this.action.doAction(action);
    }
}

const ADD_LABELS = {
    lead: _t("Add Leads"),
    contact: _t("Add Contacts"),
    company: _t("Add Companies"),
};

registry.category("view_widgets").add("campaign_master_recipients", {
    component: CampaignMasterRecipients,
    extractProps: ({ attrs }) => ({ kind: attrs.kind }),
});
