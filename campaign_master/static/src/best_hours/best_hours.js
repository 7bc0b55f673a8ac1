/* global luxon */

import { formatPercent } from "@campaign_master/age_chart/age_chart";
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { formatInteger } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillStart } from "@odoo/owl";

const LEVELS = 4;

/** When people click: first clicks by weekday and hour. */
export class BestHours extends Component {
    static template = "campaign_master.BestHours";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.formatInteger = formatInteger;
        this.display = { controlPanel: {} };
        this.hours = [...Array(24).keys()];
        onWillStart(async () => {
            this.data = await this.orm.call(
                "campaign.master.recipient.report",
                "campaign_master_best_hours"
            );
            this.best = [...this.data.hours].sort((a, b) => b.clicks - a.clicks).slice(0, 3);
            this.clicks = Object.fromEntries(
                this.data.hours.map(({ weekday, hour, clicks }) => [`${weekday} ${hour}`, clicks])
            );
        });
    }

    /** The week as it begins in the user's language. */
    get weekdays() {
        const names = luxon.Info.weekdays("long");
        const shortNames = luxon.Info.weekdays("short");
        return names.map((_name, i) => {
            const number = ((localization.weekStart - 1 + i) % 7) + 1;
            return { number, name: names[number - 1], shortName: shortNames[number - 1] };
        });
    }

    cell(weekday, hour) {
        const clicks = this.clicks[`${weekday.number} ${hour}`] || 0;
        return {
            clicks,
            level: Math.ceil((LEVELS * clicks) / this.best[0].clicks),
            help: this.describe({ weekday: weekday.number, hour, clicks }),
        };
    }

    get tooFewMessage() {
        return _t(
            "The best hours are shown once there are %(enough)s clicks. In the last 12 months, there were %(clicks)s.",
            {
                enough: formatInteger(this.data.enough),
                clicks: formatInteger(this.data.clicks),
            }
        );
    }

    formatHour(hour) {
        return `${hour}–${hour + 1}`;
    }

    describe({ weekday, hour, clicks }) {
        const share = (100 * clicks) / this.data.clicks;
        return _t("%(weekday)s %(hour)s: %(share)s of clicks", {
            weekday: luxon.Info.weekdays("long")[weekday - 1],
            hour: this.formatHour(hour),
            share: formatPercent(share),
        });
    }
}

registry.category("actions").add("campaign_master_best_hours", BestHours);
