/* global Chart */

import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getColor } from "@web/core/colors/colors";
import { _t } from "@web/core/l10n/translation";
import { formatFloat, formatInteger } from "@web/views/fields/formatters";

import { Component, onWillStart, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";

const RANGES = [
    { name: "start", hours: 48, label: _t("48 Hours") },
    { name: "week", hours: 168, label: _t("7 Days") },
    { name: "all", hours: Infinity, label: _t("All") },
];
const TICK_STEPS = [1, 3, 6, 12, 24, 48, 168, 672, 2016]; // hours
const MAX_TICKS = 8;

/**
 * How many people had opened and clicked by which time after the sending; and Campaign Master's
 * totals, which were read now and then.
 */
export class ReactionsChart extends Component {
    static template = "campaign_master.ReactionsChart";
    static props = { history: Object };

    setup() {
        this.canvas = useRef("canvas");
        this.ranges = RANGES;
        this.state = useState({ range: RANGES[0], showsTotals: false });
        this.chart = null;
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => this.draw(),
            () => [this.props.history, this.state.range, this.state.showsTotals]
        );
        onWillUnmount(() => this.chart?.destroy());
    }

    // === DATA === //

    get curve() {
        return this.props.history.curve;
    }

    /** What Campaign Master had counted at some ages. */
    get totals() {
        return this.props.history.totals.filter(({ age }) => age !== null && age >= 0);
    }

    /** Lines of the chart: ``label`` and ``points``, each an age in hours and a number. */
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

    get linesInRange() {
        const { hours } = this.state.range;
        return this.lines.map(({ label, points }) => ({
            label,
            points: points.filter(({ x }) => x <= hours),
        }));
    }

    /** Rows of the table for screen readers. */
    get rows() {
        const lines = this.linesInRange;
        return lines[0].points.map(({ x, y }, i) => ({
            age: this.formatAge(x),
            numbers: [y, ...lines.slice(1).map(({ points }) => points[i]?.y ?? 0)].map((number) =>
                formatInteger(number)
            ),
        }));
    }

    formatAge(hours) {
        const digits = Number.isInteger(hours) ? 0 : 1;
        return hours < 72
            ? _t("%s h", formatFloat(hours, { digits: [16, digits] }))
            : _t("%s d", formatFloat(hours / 24, { digits: [16, hours % 24 ? 1 : 0] }));
    }

    // === CHART === //

    draw() {
        this.chart?.destroy();
        const scheme = cookie.get("color_scheme");
        // The page's own, so that they are legible in light and dark mode.
        const { color: textColor } = getComputedStyle(this.canvas.el);
        const gridColor = textColor.replace(/^rgb\((.*)\)$/, "rgba($1, 0.15)");
        const lines = this.linesInRange;
        const end = Math.max(1, ...lines.flatMap(({ points }) => points.map(({ x }) => x)));
        const axis = {
            border: { display: false },
            beginAtZero: true,
        };
        this.chart = new Chart(this.canvas.el, {
            type: "line",
            data: {
                datasets: lines.map(({ label, points }, i) => {
                    // Every second one, which differ most.
                    const color = getColor(2 * i, scheme, 12);
                    return {
                        label,
                        data: points,
                        borderColor: color,
                        backgroundColor: color,
                        borderWidth: 2,
                        pointRadius: points.length > 12 ? 0 : 2,
                        pointHitRadius: 12,
                    };
                }),
            },
            options: {
                maintainAspectRatio: false,
                animation: false,
                interaction: { mode: "index", intersect: false, axis: "x" },
                scales: {
                    x: {
                        ...axis,
                        type: "linear",
                        max: end,
                        grid: { display: false },
                        ticks: {
                            color: textColor,
                            stepSize: TICK_STEPS.find((step) => end / step <= MAX_TICKS),
                            includeBounds: false,
                            maxRotation: 0,
                            callback: (hours) => this.formatAge(hours),
                        },
                    },
                    y: {
                        ...axis,
                        grid: { color: gridColor },
                        ticks: {
                            color: textColor,
                            precision: 0,
                            callback: (number) =>
                                formatInteger(number, { humanReadable: number >= 10000 }),
                        },
                    },
                },
                plugins: {
                    legend: {
                        align: "end",
                        labels: { boxHeight: 2, boxWidth: 20, color: textColor },
                    },
                    tooltip: {
                        callbacks: {
                            title: ([item]) => this.formatAge(item.parsed.x),
                            label: ({ dataset, parsed }) =>
                                `${dataset.label}: ${formatInteger(parsed.y)}`,
                        },
                    },
                },
            },
        });
    }
}
