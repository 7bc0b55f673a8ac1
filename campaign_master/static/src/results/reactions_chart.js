import { AgeChart } from "@campaign_master/age_chart/age_chart";
import { _t } from "@web/core/l10n/translation";

import { Component, useState } from "@odoo/owl";

/**
 * How many people had opened and clicked by which time after the sending; and Campaign Master's
 * totals, which were read now and then.
 */
export class ReactionsChart extends Component {
    static template = "campaign_master.ReactionsChart";
    static components = { AgeChart };
    static props = { history: Object };

    setup() {
        this.state = useState({ showsTotals: false });
    }

    get curve() {
        return this.props.history.curve;
    }

    /** What Campaign Master had counted at some ages. */
    get totals() {
        return this.props.history.totals.filter(({ age }) => age !== null && age >= 0);
    }

    get lines() {
        if (this.state.showsTotals) {
            const points = (name) =>
                this.totals
                    .filter((total) => total[name] !== null)
                    .map((total) => ({ x: total.age, y: total[name] }));
            return [
                { label: _t("Opens"), points: points("opens") },
                { label: _t("Clicks"), points: points("clicks") },
                { label: _t("Unsubscribes"), points: points("unsubscribes") },
            ];
        }
        const { age: ages, ...people } = this.curve;
        const points = (name) => ages.map((age, i) => ({ x: age, y: people[name][i] }));
        return [
            { label: _t("People who opened"), points: points("opened") },
            { label: _t("People who clicked"), points: points("clicked") },
        ];
    }
}
