import {
    AgeChart,
    formatAge,
    formatPercent,
    lineStyle,
} from "@campaign_master/age_chart/age_chart";
import { deserializeDateTime, toLocaleDateString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { formatInteger } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillStart, useState } from "@odoo/owl";

const AGES = [1, 3, 6, 12, 24, 48, 96, 168]; // hours
const MEASURES = [
    {
        name: "opened",
        label: _t("Opened %"),
        help: _t("people who had opened by then ÷ people it was delivered to. A click counts as an open."),
    },
    {
        name: "clicked",
        label: _t("Clicked %"),
        help: _t("people who had clicked by then ÷ people it was delivered to."),
    },
];

/** Campaigns at the same age: those that were selected in a list, or the last ones. */
export class Comparison extends Component {
    static template = "campaign_master.Comparison";
    static components = { AgeChart, Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.ages = AGES;
        this.measures = MEASURES;
        this.formatAge = formatAge;
        this.formatInteger = formatInteger;
        this.display = { controlPanel: {} };
        this.state = useState({ campaigns: [], unknown: [], measure: MEASURES[0] });
        onWillStart(async () => {
            const ids = this.props.action.params?.campaign_ids || null;
            const compared = await this.orm.call("utm.campaign", "campaign_master_compare", [ids]);
            // A campaign keeps its color when others are left out.
            compared.campaigns.forEach((campaign, number) => Object.assign(campaign, { number }));
            Object.assign(this.state, compared);
        });
    }

    get lines() {
        return this.state.campaigns.map((campaign) => ({
            label: campaign.name,
            number: campaign.number,
            points: this.points(campaign),
        }));
    }

    /** What is known of a campaign, as ages and percent. */
    points({ age: ages, source, ...rates }) {
        return ages
            .map((age, i) => ({
                x: age,
                y: rates[this.state.measure.name][i],
                note: source === "readings" ? _t("Read %s after sending", formatAge(age)) : "",
            }))
            .filter(({ y }) => y !== null);
    }

    /** What was known of a campaign at an age, or nothing if it is younger. */
    pointAt(campaign, age) {
        if (campaign.age.at(-1) < age) {
            return null;
        }
        return this.points(campaign).findLast(({ x }) => x <= age);
    }

    lastPoint(campaign) {
        return this.points(campaign).at(-1);
    }

    formatPoint(point) {
        return point ? formatPercent(point.y) : "–";
    }

    formatSentAt({ sent_at: sentAt }) {
        return toLocaleDateString(deserializeDateTime(sentAt));
    }

    style({ number }) {
        const { color, dash } = lineStyle(number);
        return { color, dash: dash.join(" ") };
    }

    /** Numbers that Campaign Master had counted when Odoo read them. */
    get hasReadings() {
        return this.state.campaigns.some(({ source }) => source === "readings");
    }

    get untimed() {
        return this.state.campaigns.reduce((sum, { untimed }) => sum + untimed, 0);
    }

    // === ACTIONS === //

    remove(campaign) {
        this.state.campaigns = this.state.campaigns.filter(({ id }) => id !== campaign.id);
    }

    open({ id }) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "utm.campaign",
            res_id: id,
            views: [[false, "form"]],
        });
    }

    choose() {
        return this.action.doAction("campaign_master.utm_campaign_action_report", {
            viewType: "list",
            additionalContext: { search_default_group_sent_at: false },
        });
    }
}

registry.category("actions").add("campaign_master_comparison", Comparison);
