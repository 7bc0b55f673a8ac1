import { runCampaignAction } from "@campaign_master/campaign_action/campaign_action";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { formatInteger } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import {
    Component,
    onWillDestroy,
    status,
    useEffect,
    useExternalListener,
    useState,
} from "@odoo/owl";

const POLL_DELAY = 3000; // milliseconds
const FIRST_POLL_DELAY = 500;
const PREFIX = "campaign_master_";

const ALERTS = {
    running: "alert-info",
    unchanged: "alert-success",
    complete: "alert-success",
    partial: "alert-warning",
    failed: "alert-danger",
    cancelled: "alert-secondary",
};

/**
 * The progress or result of a campaign's last sync, and of refreshing its statistics.
 *
 * Updates come over the bus. In addition, the widget polls while a sync or a refresh runs and the
 * page is visible, because proxies may block the websocket.
 */
export class SyncStatus extends Component {
    static template = "campaign_master.SyncStatus";
    static props = standardWidgetProps;

    setup() {
        this.action = useService("action");
        this.bus = useService("bus_service");
        this.orm = useService("orm");
        // The last update from the server; newer than the record.
        this.state = useState({ update: null });
        this.timer = null;
        this.polling = false;

        const onUpdate = (update) => this.applyUpdate(update);
        useEffect(
            (resId) => {
                if (!resId) {
                    return;
                }
                const channel = `campaign_master.campaign/${resId}`;
                this.bus.addChannel(channel);
                this.bus.subscribe("campaign_master/progress", onUpdate);
                return () => {
                    this.bus.unsubscribe("campaign_master/progress", onUpdate);
                    this.bus.deleteChannel(channel);
                };
            },
            () => [this.resId]
        );
        useRecordObserver((record) => {
            // `data` is replaced when the campaign is loaded or saved.
            const { state, refreshing } = record.data[`${PREFIX}sync_status`] || {};
            this.state.update = null;
            this.schedule(state === "running" || refreshing, FIRST_POLL_DELAY);
        });
        useExternalListener(document, "visibilitychange", () => {
            if (!document.hidden && this.isActive) {
                this.poll();
            }
        });
        onWillDestroy(() => this.schedule(false));
    }

    // === DISPLAY === //

    get resId() {
        return this.props.record.resId;
    }

    get status() {
        return { ...this.props.record.data[`${PREFIX}sync_status`], ...this.state.update };
    }

    get isRunning() {
        return this.status.state === "running";
    }

    /** Whether a sync or a refresh is in progress. */
    get isActive() {
        return this.isRunning || Boolean(this.status.refreshing);
    }

    get isShown() {
        const { state } = this.status;
        if (!this.resId || !(state in ALERTS)) {
            return false;
        }
        // The results of a sent campaign say more than a sync that went well.
        const isSent = this.props.record.data[`${PREFIX}is_sent`];
        return !isSent || !["unchanged", "complete", "partial"].includes(state);
    }

    get alertClass() {
        return ALERTS[this.status.state];
    }

    get outcomes() {
        const { counts = {}, labels = [] } = this.status;
        return labels
            .filter(({ state }) => counts[state])
            .map((label) => ({ ...label, count: formatInteger(counts[label.state]) }));
    }

    /** A deleted campaign can only be created again or unlinked. */
    get isDeleted() {
        return this.props.record.data[`${PREFIX}remote_status`] === "deleted";
    }

    get refreshMessage() {
        return !this.isDeleted && this.status.refresh_message;
    }

    get canRetry() {
        const { state, counts } = this.status;
        const hasFailed = state === "failed" || Boolean(counts?.refused);
        return hasFailed && !this.isRunning && !this.isDeleted;
    }

    get percent() {
        const { done, total } = this.status;
        return total ? Math.min(Math.round((100 * done) / total), 100) : 0;
    }

    get progressText() {
        const { done, total } = this.status;
        return total
            ? _t("%(done)s of %(total)s recipients", {
                  done: formatInteger(done),
                  total: formatInteger(total),
              })
            : "";
    }

    // === UPDATES === //

    schedule(active, delay = POLL_DELAY) {
        browser.clearTimeout(this.timer);
        // A poll that fails after the user left the form must not be repeated.
        const isNeeded = active && status(this) !== "destroyed";
        this.timer = isNeeded ? browser.setTimeout(() => this.poll(), delay) : null;
    }

    async poll() {
        this.schedule(false);
        // A hidden tab does not poll; it starts again when it becomes visible.
        if (document.hidden || this.polling) {
            return;
        }
        const { resId } = this;
        this.polling = true;
        let update = null;
        try {
            update = await this.orm.silent.call("utm.campaign", `${PREFIX}progress`, [[resId]]);
        } catch {
            // Odoo could not be reached; the next poll or the bus may succeed.
        } finally {
            this.polling = false;
        }
        if (update) {
            await this.applyUpdate(update);
        } else {
            this.schedule(this.isActive);
        }
    }

    /** Show an update; when a sync or a refresh has ended, also load the campaign. */
    async applyUpdate(update) {
        if (update.id !== this.resId) {
            return;
        }
        const refreshed = this.status.refreshing && !update.refreshing;
        this.state.update = update;
        this.schedule(this.isActive);
        if (this.isActive && !refreshed) {
            return;
        }
        const { record } = this.props;
        // Loading would discard unsaved changes; with them, only the status is updated.
        if (!(await record.isDirty()) && record.resId === update.id) {
            await record.load();
        }
    }

    // === ACTIONS === //

    async cancel() {
        await this.runAction("cancel");
        await this.poll();
    }

    retry() {
        return this.runAction("retry");
    }

    openRecipients(state) {
        return this.runAction("open_outcome", [state]);
    }

    runAction(name, args) {
        return runCampaignAction(this.action, this.props.record, name, args);
    }
}

registry.category("view_widgets").add("campaign_master_sync_status", {
    component: SyncStatus,
    fieldDependencies: [
        { name: `${PREFIX}sync_status`, type: "json" },
        { name: `${PREFIX}is_sent`, type: "boolean" },
        { name: `${PREFIX}remote_status`, type: "char" },
    ],
});
