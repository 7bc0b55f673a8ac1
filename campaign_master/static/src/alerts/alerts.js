import { runCampaignAction } from "@campaign_master/campaign_action/campaign_action";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component } from "@odoo/owl";

const FIELD = "campaign_master_alerts";

/** A banner for each unusual result of a campaign: what it is, what to do, and the people. */
export class Alerts extends Component {
    static template = "campaign_master.Alerts";
    static props = standardWidgetProps;

    setup() {
        this.action = useService("action");
    }

    get alerts() {
        return (this.props.record.data[FIELD] || []).map((alert) => {
            const isAlarm = alert.level === "alarm";
            return {
                ...alert,
                color: isAlarm ? "danger" : "warning",
                icon: isAlarm ? "fa-exclamation-circle" : "fa-exclamation-triangle",
                label: isAlarm ? _t("Alarm") : _t("Warning"),
            };
        });
    }

    showPeople(kind) {
        return this.runAction("open_alert", kind);
    }

    complete(kind) {
        return this.runAction("complete_alert", kind);
    }

    runAction(name, kind) {
        const { record } = this.props;
        return runCampaignAction(this.action, record, name, [kind], () => record.load());
    }
}

registry.category("view_widgets").add("campaign_master_alerts", {
    component: Alerts,
    fieldDependencies: [{ name: FIELD, type: "json" }],
});
