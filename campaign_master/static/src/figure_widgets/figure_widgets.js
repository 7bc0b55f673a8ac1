import { formatPercent } from "@campaign_master/age_chart/age_chart";
import { isMissing, MISSING } from "@campaign_master/figure_field/figure_field";
import { registry } from "@web/core/registry";
import { PercentPieField, percentPieField } from "@web/views/fields/percent_pie/percent_pie_field";

/** A rate of a campaign on a button, or a dash if it is missing. */
export class RatePieField extends PercentPieField {
    static template = "campaign_master.RatePieField";

    get formattedValue() {
        const { name, record } = this.props;
        return isMissing(record, name) ? MISSING : formatPercent(record.data[name]);
    }

    get definition() {
        const { name, record } = this.props;
        return record.fields[name].help;
    }
}

/** A rate of a campaign on a card: a small bar. */
export class RateBarField extends RatePieField {
    static template = "campaign_master.RateBarField";

    get width() {
        return Math.min(this.props.record.data[this.props.name] || 0, 100);
    }
}

const fields = registry.category("fields");
const rate = { ...percentPieField, isEmpty: () => false, supportedTypes: ["float"] };

fields.add("campaign_master_rate_pie", { ...rate, component: RatePieField });
fields.add("campaign_master_rate_bar", {
    ...rate,
    component: RateBarField,
    additionalClasses: ["d-block"],
});
