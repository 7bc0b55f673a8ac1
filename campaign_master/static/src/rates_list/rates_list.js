import { isMissing, MISSING } from "@campaign_master/figure_field/figure_field";
import { formatFloat } from "@web/views/fields/formatters";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { registry } from "@web/core/registry";

function sum(rows, getNumber) {
    return rows.reduce((total, row) => total + getNumber(row), 0);
}

/**
 * Campaigns: missing figures are dashes. In footers, they do not count, and if all are missing,
 * there is none.
 *
 * Footers of columns that are rates: the rate of the sums of the rows that are loaded or selected,
 * as the server calculates it for groups. Odoo's own footers, which never ask the server, show the
 * mean of the rates, in which 10 opens of 10 emails weigh as much as 0 of 990.
 */
export class RatesListRenderer extends ListRenderer {
    getFormattedValue(column, record) {
        return isMissing(record, column.name) ? MISSING : super.getFormattedValue(column, record);
    }

    computeAggregates() {
        const aggregates = super.computeAggregates();
        const { selection, isGrouped, groups, records } = this.props.list;
        const campaigns = selection.length ? selection : records;
        const ofGroups = isGrouped && !selection.length;
        for (const [name, aggregate] of Object.entries(aggregates)) {
            const field = this.fields[name];
            if (field.ratio) {
                const rawValue = ofGroups
                    ? this.rateOfGroups(name, groups)
                    : this.rateOfCampaigns(name, campaigns);
                if (Number.isFinite(rawValue)) {
                    Object.assign(aggregate, { value: formatFloat(rawValue, { field }), rawValue });
                } else {
                    delete aggregates[name];
                }
            } else if (!ofGroups && campaigns.every((campaign) => isMissing(campaign, name))) {
                delete aggregates[name];
            }
        }
        return aggregates;
    }

    /** NaN without a rate, or if a figure is not in the view. */
    rateOfCampaigns(name, campaigns) {
        const [part, whole] = this.fields[name].ratio;
        const counted = campaigns.filter((campaign) => !isMissing(campaign, name));
        return (
            (100 * sum(counted, ({ data }) => data[part])) /
            sum(counted, ({ data }) => data[whole])
        );
    }

    /**
     * The rates of groups, weighted. They may be without some of their campaigns, which the sums
     * of the groups' figures include.
     */
    rateOfGroups(name, groups) {
        const whole = this.fields[name].ratio[1];
        const counted = groups.filter(({ aggregates }) => aggregates[name] !== false);
        return (
            sum(counted, ({ aggregates }) => aggregates[name] * aggregates[whole]) /
            sum(counted, ({ aggregates }) => aggregates[whole])
        );
    }
}

registry.category("views").add("campaign_master_rates_list", {
    ...listView,
    Renderer: RatesListRenderer,
});
