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
/** The outcomes of recipients, in the order in which they are told. */
const OUTCOMES = [
    { state: "added", label: _t("Added"), className: "text-bg-success" },
    { state: "exists", label: _t("Already on the list"), className: "text-bg-info" },
    { state: "pending", label: _t("Waiting"), className: "text-bg-secondary" },
    { state: "no_email", label: _t("No e-mail"), className: "text-bg-warning" },
    { state: "invalid", label: _t("Invalid address"), className: "text-bg-warning" },
    { state: "duplicate", label: _t("Same address as another"), className: "text-bg-secondary" },
    { state: "opted_out", label: _t("Opted out"), className: "text-bg-secondary" },
    { state: "refused", label: _t("Refused"), className: "text-bg-danger" },
];

/**
 * How the sync of a campaign stands, live while it runs, and how it ended.
 *
 * The news come by the bus, batch by batch. Polling is for servers where the websocket does not
 * get through, and asks only while a sync runs and somebody can see it.
 */
export class SyncStatus extends Component {
    static template = "campaign_master.SyncStatus";
    static props = standardWidgetProps;

    setup() {
        this.action = useService("action");
        this.bus = useService("bus_service");
        this.orm = useService("orm");
        // `news`, when there are any, are fresher than the record.
        this.state = useState({ news: null });
        this.timer = null;
        this.polling = false;

        const onNews = (news) => this.tell(news);
        useEffect(
            (resId) => {
                if (!resId) {
                    return;
                }
                const channel = `campaign_master.campaign/${resId}`;
                this.bus.addChannel(channel);
                this.bus.subscribe("campaign_master/progress", onNews);
                return () => {
                    this.bus.unsubscribe("campaign_master/progress", onNews);
                    this.bus.deleteChannel(channel);
                };
            },
            () => [this.resId]
        );
        useRecordObserver((record) => {
            // The whole of `data` is replaced when the campaign is loaded or saved.
            const state = record.data[`${PREFIX}sync_state`];
            this.state.news = null;
            this.schedule(state === "running", FIRST_POLL_DELAY);
        });
        useExternalListener(document, "visibilitychange", () => {
            if (!document.hidden && this.isRunning) {
                this.poll();
            }
        });
        onWillDestroy(() => this.schedule(false));
    }

    // === WHAT IS SHOWN === //

    get resId() {
        return this.props.record.resId;
    }

    get status() {
        const { data } = this.props.record;
        return (
            this.state.news || {
                state: data[`${PREFIX}sync_state`] || "never",
                message: data[`${PREFIX}sync_message`] || "",
                counts: data[`${PREFIX}outcome`] || {},
                done: 0,
                total: 0,
            }
        );
    }

    get isRunning() {
        return this.status.state === "running";
    }

    get isShown() {
        return Boolean(this.resId) && this.status.state in ALERTS;
    }

    get alertClass() {
        return ALERTS[this.status.state];
    }

    get outcomes() {
        const { counts } = this.status;
        return OUTCOMES.filter(({ state }) => counts[state]).map((outcome) => ({
            ...outcome,
            count: formatInteger(counts[outcome.state]),
        }));
    }

    get canRetry() {
        const { state, counts } = this.status;
        return !this.isRunning && (state === "failed" || Boolean(counts.refused));
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

    // === KEEPING IT LIVE === //

    schedule(running, delay = POLL_DELAY) {
        browser.clearTimeout(this.timer);
        // A poll that fails after the form was left must not go on for ever.
        const goesOn = running && status(this) !== "destroyed";
        this.timer = goesOn ? browser.setTimeout(() => this.poll(), delay) : null;
    }

    async poll() {
        this.schedule(false);
        // A tab that nobody sees asks nothing; it does so again as soon as it is looked at.
        if (document.hidden || this.polling) {
            return;
        }
        const { resId } = this;
        this.polling = true;
        let news = null;
        try {
            news = await this.orm.silent.call("utm.campaign", `${PREFIX}progress`, [[resId]]);
        } catch {
            // Odoo itself could not be reached: the next poll, or the bus, may.
        } finally {
            this.polling = false;
        }
        if (news) {
            await this.tell(news);
        } else {
            this.schedule(this.isRunning);
        }
    }

    async tell(news) {
        if (news.id !== this.resId) {
            return;
        }
        this.state.news = news;
        const running = news.state === "running";
        this.schedule(running);
        if (running) {
            return;
        }
        const { record } = this.props;
        // What somebody is typing must not be lost: then only the status shows the end.
        if (!(await record.isDirty()) && record.resId === news.id) {
            await record.load();
        }
    }

    // === ACTIONS === //

    async cancel() {
        await this.press("cancel");
        await this.poll();
    }

    retry() {
        return this.press("retry");
    }

    open(state) {
        return this.press("open_outcome", [state]);
    }

    /** Do as a button of the form would. */
    press(name, args = []) {
        const { record } = this.props;
        return this.action.doActionButton({
            type: "object",
            name: `action_${PREFIX}${name}`,
            args: JSON.stringify(args),
            resModel: record.resModel,
            resId: record.resId,
            context: record.context,
        });
    }
}

registry.category("view_widgets").add("campaign_master_sync_status", {
    component: SyncStatus,
    fieldDependencies: [
        { name: `${PREFIX}sync_state`, type: "selection" },
        { name: `${PREFIX}sync_message`, type: "text" },
        { name: `${PREFIX}outcome`, type: "json" },
    ],
});
