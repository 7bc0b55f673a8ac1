import { registry } from "@web/core/registry";
import { useBus } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { formatInteger } from "@web/views/fields/formatters";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { executeButtonCallback } from "@web/views/view_button/view_button_hook";

import { EventBus } from "@odoo/owl";

/** In a form, the recipients are a part of its main content. */
class RecipientLayout extends Layout {
    static template = "campaign_master.RecipientLayout";
}

/**
 * Recipients with a menu and page of their own or, with these properties, in a form: then reloaded
 * together with it and, on a campaign, with a button to add recipients.
 */
const EMBEDDED_PROPS = {
    addLabel: { type: String, optional: true },
    formBus: { type: EventBus, optional: true },
    onAdd: { type: Function, optional: true },
};

function embeddable(Controller) {
    return class extends Controller {
        static components = { ...Controller.components, Layout: RecipientLayout };
        static props = { ...Controller.props, ...EMBEDDED_PROPS };

        setup() {
            super.setup();
            if (this.isEmbedded) {
                // Without parameters, the model reloads its current page.
                useBus(this.props.formBus, "reloaded", () => this.model.load());
            }
        }

        get isEmbedded() {
            return Boolean(this.props.formBus);
        }

        get modelOptions() {
            // A lazy list is rendered before its rows are loaded, and stays empty if they are
            // loaded before it is mounted.
            return this.isEmbedded ? { ...super.modelOptions, lazy: false } : super.modelOptions;
        }

        get modelParams() {
            // Counting up to 10,000, Odoo's default, takes as long as reading the page. The pager
            // shows "1000+" earlier; a click on it counts all.
            const isOneCampaign = this.props.context.campaign_master_one_campaign;
            return this.isEmbedded || isOneCampaign
                ? { ...super.modelParams, countLimit: 1000 }
                : super.modelParams;
        }

        onClickAdd() {
            return executeButtonCallback(this.rootRef.el, () => this.props.onAdd());
        }
    };
}

export class RecipientListRenderer extends ListRenderer {
    static template = "campaign_master.RecipientListRenderer";

    /** Zeros would hide the few who reacted. */
    getFormattedValue(column, record) {
        const isZero =
            this.fields[column.name].type === "integer" && record.data[column.name] === 0;
        return isZero ? "" : super.getFormattedValue(column, record);
    }

    /** Totals leave out recipients that share an address, like those of groups from the server. */
    computeAggregates() {
        const aggregates = super.computeAggregates();
        const { isGrouped, records, selection } = this.props.list;
        if (!isGrouped || selection.length) {
            const counted = (selection.length ? selection : records).filter(
                ({ data }) => !data.is_twin
            );
            for (const [name, aggregate] of Object.entries(aggregates)) {
                const total = counted.reduce((sum, { data }) => sum + data[name], 0);
                aggregate.value = formatInteger(total);
            }
        }
        return aggregates;
    }
}

const views = registry.category("views");

views.add("campaign_master_recipient_list", {
    ...listView,
    Controller: embeddable(ListController),
    Renderer: RecipientListRenderer,
    buttonTemplate: "campaign_master.RecipientButtons",
});

views.add("campaign_master_recipient_kanban", {
    ...kanbanView,
    Controller: embeddable(KanbanController),
    buttonTemplate: "campaign_master.RecipientButtons",
});
