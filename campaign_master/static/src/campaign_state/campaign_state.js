import { BadgeField, badgeField } from "@web/views/fields/badge/badge_field";
import { registry } from "@web/core/registry";

const COLORS = {
    draft: "300",
    syncing: "info",
    attention: "warning",
    ready: "primary",
    sending: "info",
    sent: "success",
    deleted: "danger",
};

/**
 * The state of a campaign as a badge. For a campaign that is ready, Campaign Master may have a
 * status that Odoo does not know, such as "scheduled": it is shown as it is.
 */
export class CampaignStateField extends BadgeField {
    get formattedValue() {
        const status = this.props.record.data.campaign_master_remote_status;
        const isReady = this.props.record.data[this.props.name] === "ready";
        return isReady && status && status !== "draft" ? status : super.formattedValue;
    }

    get badgeClass() {
        return `text-capitalize text-bg-${COLORS[this.props.record.data[this.props.name]]}`;
    }
}

registry.category("fields").add("campaign_master_state", {
    ...badgeField,
    component: CampaignStateField,
    supportedTypes: ["selection"],
    fieldDependencies: [{ name: "campaign_master_remote_status", type: "char" }],
});
