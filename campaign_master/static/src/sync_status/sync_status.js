import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, onWillUnmount, useEffect, useState } from "@odoo/owl";

const POLL_INTERVAL = 3000; // milliseconds; for those whom the bus does not reach

/** How the last sync of a campaign ended or, while one runs, how far it is. */
export class CampaignMasterSyncStatus extends Component {
    static template = "campaign_master.SyncStatus";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.bus = useService("bus_service");
        this.state = useState({ live: null });
        this.onProgress = (payload) => {
            if (payload.id === this.props.record.resId) {
                this.show(payload);
            }
        };
        this.bus.subscribe("campaign_master/progress", this.onProgress);
        useEffect(
            (running, id) => {
                this.state.live = null;
                if (!running || !id) {
                    return;
                }
                const channel = `campaign_master.campaign/${id}`;
                this.bus.addChannel(channel);
                this.poll();
                return () => {
                    this.bus.deleteChannel(channel);
                    clearTimeout(this.timer);
                };
            },
            () => [this.data.campaign_master_sync_state === "running", this.props.record.resId]
        );
        onWillUnmount(() => {
            clearTimeout(this.timer);
            this.bus.unsubscribe("campaign_master/progress", this.onProgress);
        });
    }

    get data() {
        return this.props.record.data;
    }

    get running() {
        return this.status.state === "running";
    }

    get status() {
        return (
            this.state.live || {
                state: this.data.campaign_master_sync_state,
                message: this.data.campaign_master_sync_message,
                counts: this.data.campaign_master_outcome || {},
                done: 0,
                total: 0,
            }
        );
    }

    get percent() {
        const { done, total } = this.status;
        return total ? Math.floor((100 * done) / total) : 0;
    }

    get alertClass() {
        return (
            {
                running: "alert-info",
                partial: "alert-warning",
                cancelled: "alert-warning",
                failed: "alert-danger",
            }[this.status.state] || "alert-success"
        );
    }

    get outcomes() {
        return Object.keys(OUTCOMES)
            .filter((name) => this.status.counts[name])
            .map((name) => ({ name, label: OUTCOMES[name], count: this.status.counts[name] }));
    }

    poll() {
        clearTimeout(this.timer);
        this.timer = setTimeout(async () => {
            if (!document.hidden) {
                try {
                    const id = this.props.record.resId;
                    this.show(
                        await this.orm.silent.call("utm.campaign", "campaign_master_progress", [
                            [id],
                        ])
                    );
                } catch {
                    // The next poll may do better; the form shows what it knows.
                }
            }
            if (this.running) {
                this.poll();
            }
        }, POLL_INTERVAL);
    }

    async show(progress) {
        this.state.live = progress;
        if (progress.state !== "running" && !(await this.props.record.isDirty())) {
            // The end: what else the form shows has changed, too.
            await this.props.record.load();
        }
    }

    async openOutcome(name) {
        const action = await this.orm.call(
            "utm.campaign",
            "action_campaign_master_open_outcome",
            [[this.props.record.resId], name]
        );
        await this.action.doAction(action);
    }

    async cancel() {
        await this.orm.call("utm.campaign", "action_campaign_master_cancel", [
            [this.props.record.resId],
        ]);
        await this.props.record.load();
    }

    async retry() {
        const action = await this.orm.call("utm.campaign", "action_campaign_master_retry", [
            [this.props.record.resId],
        ]);
        await this.action.doAction(action);
    }
}

const OUTCOMES = {
    added: _t("Added"),
    exists: _t("Already on the list"),
    pending: _t("Waiting"),
    no_email: _t("No e-mail"),
    invalid: _t("Invalid address"),
    duplicate: _t("Same address as another"),
    opted_out: _t("Opted out"),
    refused: _t("Refused"),
};

registry.category("view_widgets").add("campaign_master_sync_status", {
    component: CampaignMasterSyncStatus,
    fieldDependencies: [
        { name: "campaign_master_sync_state", type: "selection" },
        { name: "campaign_master_sync_message", type: "text" },
        { name: "campaign_master_outcome", type: "json" },
    ],
});
