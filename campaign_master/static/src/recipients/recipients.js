import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { renderToMarkup } from "@web/core/utils/render";
import { useOwnDebugContext } from "@web/core/debug/debug_context";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { getDefaultConfig, View } from "@web/views/view";
import { executeButtonCallback } from "@web/views/view_button/view_button_hook";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, EventBus, useChildSubEnv } from "@odoo/owl";

const ADD_LABELS = {
    lead: _t("Add Leads"),
    contact: _t("Add Contacts"),
    company: _t("Add Companies"),
};

/** A list with a button to add recipients, which is reloaded together with its campaign. */
export class RecipientListController extends ListController {
    static props = {
        ...ListController.props,
        addLabel: String,
        campaignBus: EventBus,
        onAdd: Function,
    };

    setup() {
        super.setup();
        // Without parameters, the model reloads its current page.
        useBus(this.props.campaignBus, "reloaded", () => this.model.load());
    }

    get modelOptions() {
        // A lazy list is rendered before its rows are loaded, and stays empty if they are loaded
        // before it is mounted.
        return { ...super.modelOptions, lazy: false };
    }

    get modelParams() {
        // Counting up to 10,000, Odoo's default, takes as long as reading the page. The pager shows
        // "1000+" earlier; a click on it counts all.
        return { ...super.modelParams, countLimit: 1000 };
    }

    onClickAdd() {
        return executeButtonCallback(this.rootRef.el, () => this.props.onAdd());
    }
}

registry.category("views").add("campaign_master_recipient_list", {
    ...listView,
    Controller: RecipientListController,
    buttonTemplate: "campaign_master.RecipientList.Buttons",
});

/**
 * The recipients of one kind on a campaign.
 *
 * A one2many would make the form read the ids of all 100,000 recipients. This list reads one page,
 * when its notebook page is opened.
 */
export class Recipients extends Component {
    static template = "campaign_master.Recipients";
    static components = { View };
    static props = { ...standardWidgetProps, kind: String };

    setup() {
        this.action = useService("action");
        this.campaignBus = new EventBus();
        // The list must not replace the form's pager, breadcrumbs and debug menu entries, nor may
        // its search take the focus.
        useOwnDebugContext();
        useChildSubEnv({ config: { ...getDefaultConfig(), disableSearchBarAutofocus: true } });

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

    get viewProps() {
        const { kind, record } = this.props;
        // The same object for the same campaign; otherwise the list is reloaded at each rendering.
        if (this._viewProps?.resId !== record.resId || this._viewProps.kind !== kind) {
            this._viewProps = { resId: record.resId, kind, props: this.makeViewProps() };
        }
        return this._viewProps.props;
    }

    makeViewProps() {
        const { kind, record } = this.props;
        return {
            addLabel: ADD_LABELS[kind],
            campaignBus: this.campaignBus,
            className: "o_campaign_master_recipients",
            context: { campaign_master_embedded: kind },
            display: { searchPanel: false },
            domain: [
                ["campaign_id", "=", record.resId],
                ["kind", "=", kind],
            ],
            jsClass: "campaign_master_recipient_list",
            // What fits on a screen: rendering takes 60 ms per tab and 1 to 3 ms per row.
            limit: 12,
            loadActionMenus: true,
            loadIrFilters: true,
            noBreadcrumbs: true,
            noContentHelp: renderToMarkup("campaign_master.Recipients.NoContentHelp", { kind }),
            onAdd: () => this.add(),
            resModel: "campaign.master.recipient",
            searchViewId: false,
            type: "list",
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
}

registry.category("view_widgets").add("campaign_master_recipients", {
    component: Recipients,
    extractProps: ({ attrs }) => ({ kind: attrs.kind }),
});
