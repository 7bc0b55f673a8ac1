import { useOwnDebugContext } from "@web/core/debug/debug_context";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { renderToMarkup } from "@web/core/utils/render";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { getDefaultConfig, View } from "@web/views/view";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, EventBus, useChildSubEnv } from "@odoo/owl";

const ADD_LABELS = {
    lead: _t("Add Leads"),
    contact: _t("Add Contacts"),
    company: _t("Add Companies"),
};

/**
 * The recipients of one kind on a campaign: a list, or cards on a phone.
 *
 * A one2many would make the form read the ids of all 100,000 recipients. This view reads one page,
 * when its notebook page is opened.
 */
export class Recipients extends Component {
    static template = "campaign_master.Recipients";
    static components = { View };
    static props = { ...standardWidgetProps, kind: String };

    setup() {
        this.action = useService("action");
        this.ui = useService("ui");
        this.campaignBus = new EventBus();
        // The list must not replace the form's pager, breadcrumbs and debug menu entries, nor may
        // its search take the focus.
        useOwnDebugContext();
        useChildSubEnv({ config: { ...getDefaultConfig(), disableSearchBarAutofocus: true } });
        useBus(this.ui.bus, "resize", () => this.render());

        let resId;
        useRecordObserver((record) => {
            // Loading and saving replace `data`; an edit only changes one of its properties.
            record.data;
            if (record.resId && record.resId === resId) {
                this.campaignBus.trigger("reloaded");
            }
            resId = record.resId;
        });
    }

    get viewType() {
        return this.ui.isSmall ? "kanban" : "list";
    }

    get viewProps() {
        const { kind, record } = this.props;
        const key = [record.resId, kind, this.viewType].join();
        // The same object for the same campaign; otherwise the list is reloaded at each rendering.
        if (this._viewProps?.key !== key) {
            this._viewProps = { key, props: this.makeViewProps() };
        }
        return this._viewProps.props;
    }

    makeViewProps() {
        const { kind, record } = this.props;
        return {
            addLabel: ADD_LABELS[kind],
            campaignBus: this.campaignBus,
            className: "o_campaign_master_recipients",
            context: { campaign_master_kind: kind, campaign_master_one_campaign: true },
            display: { searchPanel: false },
            domain: [
                ["campaign_id", "=", record.resId],
                ["kind", "=", kind],
            ],
            // What fits on a screen: rendering takes 60 ms per tab and 1 to 3 ms per row.
            limit: 12,
            loadActionMenus: true,
            loadIrFilters: true,
            noBreadcrumbs: true,
            noContentHelp: renderToMarkup("campaign_master.Recipients.NoContentHelp", { kind }),
            onAdd: () => this.add(),
            resModel: "campaign.master.recipient",
            searchViewId: false,
            type: this.viewType,
        };
    }

    async add() {
        const { kind, record } = this.props;
        if ((await record.isDirty()) && !(await record.save())) {
            return;
        }
        await this.action.doActionButton({
            type: "object",
            name: `action_campaign_master_add_${kind}`,
            resModel: record.resModel,
            resId: record.resId,
            context: record.context,
            onClose: () => record.load(),
        });
    }

    /**
     * Let Tab leave the search. Odoo keeps it among the search's facets, which would be a dead end
     * in a form. While suggestions are shown, it still moves among them.
     */
    onKeydown(ev) {
        const { target } = ev;
        if (
            ev.key === "Tab" &&
            target.closest(".o_cp_searchview") &&
            !target.closest("[aria-expanded=true]")
        ) {
            ev.stopPropagation();
        }
    }
}

registry.category("view_widgets").add("campaign_master_recipients", {
    component: Recipients,
    extractProps: ({ attrs }) => ({ kind: attrs.kind }),
});
