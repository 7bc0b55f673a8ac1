import { BadgeField, badgeField } from "@web/views/fields/badge/badge_field";
import { registry } from "@web/core/registry";

const COLORS = {
    active: "success",
    warm: "warning",
    cold: "info",
    new: "primary",
    dormant: "300",
};

/** How engaged a person is, as a badge; the reason is its title. */
export class EngagementField extends BadgeField {
    static template = "campaign_master.EngagementField";

    get badgeClass() {
        return `text-bg-${COLORS[this.props.record.data[this.props.name]]}`;
    }

    get reason() {
        return this.props.record.data.campaign_master_engagement_reason || "";
    }
}

registry.category("fields").add("campaign_master_engagement", {
    ...badgeField,
    component: EngagementField,
    supportedTypes: ["selection"],
    fieldDependencies: [{ name: "campaign_master_engagement_reason", type: "char" }],
});
