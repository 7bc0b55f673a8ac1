import { runCampaignAction } from "@campaign_master/campaign_action/campaign_action";
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
 * Recipients in a form: a list, or cards on a phone.
 *
 * A one2many would make the form read the ids of all 100,000 recipients. This view reads one page,
 * when its notebook page is opened.
 */
export class EmbeddedRecipients extends Component {
    static template = "campaign_master.EmbeddedRecipients";
    static components = { View };
    static props = { ...standardWidgetProps };

    setup() {
        this.ui = useService("ui");
        this.formBus = new EventBus();
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
                this.formBus.trigger("reloaded");
            }
            resId = record.resId;
        });
    }

    get viewType() {
        return this.ui.isSmall ? "kanban" : "list";
    }

    get viewProps() {
        const key = [this.props.record.resId, this.viewType].join();
        // The same object for the same record; otherwise the list is reloaded at each rendering.
        if (this._viewProps?.key !== key) {
            this._viewProps = { key, props: this.makeViewProps() };
        }
        return this._viewProps.props;
    }

    makeViewProps() {
        return {
            className: "o_campaign_master_recipients",
            display: { searchPanel: false },
            formBus: this.formBus,
            // What fits on a screen: rendering takes 60 ms per tab and 1 to 3 ms per row.
            limit: 12,
            loadIrFilters: true,
            noBreadcrumbs: true,
            resModel: "campaign.master.recipient",
            searchViewId: false,
            type: this.viewType,
        };
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

/** The recipients of one kind on a campaign. */
export class CampaignRecipients extends EmbeddedRecipients {
    static props = { ...EmbeddedRecipients.props, kind: String };

    setup() {
        super.setup();
        this.action = useService("action");
    }

    makeViewProps() {
        const { kind, record } = this.props;
        return {
            ...super.makeViewProps(),
            addLabel: ADD_LABELS[kind],
            context: { campaign_master_kind: kind, campaign_master_one_campaign: true },
            domain: [
                ["campaign_id", "=", record.resId],
                ["kind", "=", kind],
            ],
            loadActionMenus: true,
            noContentHelp: renderToMarkup("campaign_master.CampaignRecipients.NoContentHelp", {
                kind,
            }),
            onAdd: () => this.add(),
        };
    }

    add() {
        const { kind, record } = this.props;
        return runCampaignAction(this.action, record, `add_${kind}`, [], () => record.load());
    }
}

/** What a contact or lead did on each campaign. */
export class PersonCampaigns extends EmbeddedRecipients {
    makeViewProps() {
        const { resId, resModel } = this.props.record;
        const view = (type) => `campaign_master.campaign_master_recipient_view_${type}_person`;
        return {
            ...super.makeViewProps(),
            // Nothing can be done with several of them.
            ...(this.viewType === "list" ? { allowSelectors: false } : {}),
            context: {
                list_view_ref: view("list"),
                kanban_view_ref: view("kanban"),
                search_view_ref: view("search"),
            },
            domain: [[resModel === "crm.lead" ? "lead_id" : "contact_id", "=", resId]],
            noContentHelp: renderToMarkup("campaign_master.PersonCampaigns.NoContentHelp"),
        };
    }
}

const widgets = registry.category("view_widgets");

widgets.add("campaign_master_recipients", {
    component: CampaignRecipients,
    extractProps: ({ attrs }) => ({ kind: attrs.kind }),
});

widgets.add("campaign_master_person_campaigns", { component: PersonCampaigns });
