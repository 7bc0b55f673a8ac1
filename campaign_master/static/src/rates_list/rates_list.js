import { formatFloat } from "@web/views/fields/formatters";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { registry } from "@web/core/registry";

/**
 * Footers of columns that are rates: the rate of the sums of the rows that are loaded or selected,
 * as the server calculates it for groups. Odoo's own footers, which never ask the server, show the
 * mean of the rates, in which 10 opens of 10 emails weigh as much as 0 of 990.
 */
export class RatesListRenderer extends ListRenderer {
    computeAggregates() {
        const aggregates = super.computeAggregates();
        for (const name of Object.keys(aggregates)) {
            const field = this.fields[name];
            if (!field.ratio) {
                continue;
            }
            const [part, whole] = field.ratio.map((figure) => this.sum(figure));
            if (whole > 0) {
                const rawValue = (100 * part) / whole;
                Object.assign(aggregates[name], {
                    value: formatFloat(rawValue, { field }),
                    rawValue,
                });
            } else {
                delete aggregates[name];
            }
        }
        return aggregates;
    }

    /** The sum of a figure over the rows that the footer is about: NaN if it is not in the view. */
    sum(figure) {
        const { selection, isGrouped, groups, records } = this.props.list;
        let rows = records;
        if (selection.length) {
            rows = selection;
        } else if (isGrouped) {
            rows = groups;
        }
        return rows.reduce((sum, row) => sum + (row.aggregates || row.data)[figure], 0);
    }
}

registry.category("views").add("campaign_master_rates_list", {
    ...listView,
    Renderer: RatesListRenderer,
});
