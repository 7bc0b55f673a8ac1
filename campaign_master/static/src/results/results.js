import { formatPercent } from "@campaign_master/age_chart/age_chart";
import { runCampaignAction } from "@campaign_master/campaign_action/campaign_action";
import { ReactionsChart } from "@campaign_master/results/reactions_chart";
import { deserializeDateTime, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { formatFloat, formatInteger } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, useState } from "@odoo/owl";

const UNKNOWN = "–";

/**
 * What came of a sent campaign: who received, opened and clicked it, how that went over time and
 * compares with others, and how the numbers add up.
 *
 * Loaded with one call after the form is shown, and again together with the campaign.
 */
export class Results extends Component {
    static template = "campaign_master.Results";
    static components = { ReactionsChart };
    static props = standardWidgetProps;

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.state = useState({ results: null, hasFailed: false });
        useRecordObserver((record) => {
            // Loading and saving replace `data`; an edit only changes one of its properties.
            record.data;
            // Without waiting for it: the form is shown first.
            this.load(record.resId);
        });
    }

    async load(resId) {
        try {
            const call = this.orm.silent.call("utm.campaign", "campaign_master_results", [[resId]]);
            this.state.results = await this.keepLast.add(call);
            this.state.hasFailed = false;
        } catch {
            // Odoo could not be reached.
            this.state.hasFailed = true;
        }
    }

    reload() {
        return this.load(this.props.record.resId);
    }

    // === DISPLAY === //

    get results() {
        return this.state.results;
    }

    /** The campaign was sent, but nothing was read since. */
    get isEmpty() {
        return this.results && !this.results.stages;
    }

    get times() {
        const { sent_at: sentAt, read_at: readAt } = this.results.history;
        const format = (text) => toLocaleDateTimeString(deserializeDateTime(text));
        const times = [];
        if (sentAt) {
            times.push(_t("Sent on %s", format(sentAt)));
        }
        if (readAt) {
            times.push(_t("As of %s", format(readAt)));
        }
        return times.join(" · ");
    }

    get largest() {
        return Math.max(1, ...this.results.stages.map(({ number }) => number || 0));
    }

    width({ number }) {
        return (100 * (number || 0)) / this.largest;
    }

    formatNumber(number) {
        return number === null ? UNKNOWN : formatInteger(number);
    }

    formatShare(share) {
        return share === null ? "" : formatPercent(share);
    }

    /** What is left of a stage without likely machines. */
    byPeople({ by_people: { number, share } }) {
        const values = { number: this.formatNumber(number), share: this.formatShare(share) };
        return share === null
            ? _t("%(number)s without likely machines", values)
            : _t("%(share)s without likely machines (%(number)s)", values);
    }

    /** How a stage compares with other campaigns, or nothing. */
    comparison({ name }) {
        const compared = this.results.history.comparison[name];
        if (!compared) {
            return null;
        }
        const values = {
            points: formatFloat(Math.abs(compared.difference), { digits: [16, 1] }),
            campaigns: compared.campaigns,
            age: formatAge(compared.age),
            value: formatPercent(compared.value),
            median: formatPercent(compared.median),
        };
        const difference = Math.round(10 * compared.difference);
        let text = _t("Equal to your median (%(campaigns)s campaigns)", values);
        if (difference > 0) {
            text = _t("▲ %(points)s points above your median (%(campaigns)s campaigns)", values);
        } else if (difference < 0) {
            text = _t("▼ %(points)s points below your median (%(campaigns)s campaigns)", values);
        }
        const color = difference > 0 ? "text-success" : difference < 0 ? "text-danger" : "";
        const help = _t(
            "%(age)s after sending: %(value)s of the people it was delivered to. The median of your last %(campaigns)s campaigns at the same age: %(median)s.",
            values
        );
        return { color, help, text };
    }

    /** Recipients in Odoo and the others, whose sum is Campaign Master's number. */
    get totals() {
        return this.results.totals
            .filter(({ number }) => number !== null)
            .map((figure) => ({ ...figure, others: figure.number - figure.ours }));
    }

    get othersLabel() {
        const { removed } = this.results;
        if (!removed) {
            return _t("Others on the list, or corrections");
        }
        return _t("Others on the list, %s removed in Odoo, or corrections", formatInteger(removed));
    }

    // === ACTIONS === //

    openPeople(name) {
        return runCampaignAction(this.action, this.props.record, "open_people", [name]);
    }

    openOutcome(state) {
        return runCampaignAction(this.action, this.props.record, "open_outcome", [state]);
    }
}

/** @param {number} hours one of the ages at which campaigns are compared */
function formatAge(hours) {
    if (hours === 1) {
        return _t("1 hour");
    }
    return hours < 48 ? _t("%s hours", hours) : _t("%s days", hours / 24);
}

registry.category("view_widgets").add("campaign_master_results", { component: Results });
