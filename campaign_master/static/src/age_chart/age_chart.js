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
const HUES = 5; // of Odoo's, without yellow

/** @param {number} hours since the sending */
export function formatAge(hours) {
    const digits = Number.isInteger(hours) ? 0 : 1;
    return hours < 72
        ? _t("%s h", formatFloat(hours, { digits: [16, digits] }))
        : _t("%s d", formatFloat(hours / 24, { digits: [16, hours % 24 ? 1 : 0] }));
}

export function formatPercent(percent) {
    const digits = percent > 0 && percent < 1 ? 2 : 1;
    return `${formatFloat(percent, { digits: [16, digits] })}%`;
}

/** Color and dashes of a line, by its number from 0 to 9: those that differ most come first. */
export function lineStyle(number) {
    const shade = Math.floor(number / HUES) % 2;
    return {
        color: getColor(2 * (number % HUES) + shade, cookie.get("color_scheme"), 12),
        dash: shade ? [6, 3] : [],
    };
}

/**
 * Lines over the time since sending. Each has a `label` and `points`: an age in hours (`x`), a
 * number (`y`) and, if there is something to say about it, a `note`. Its `number` is that of its
 * style, by default its position.
 *
 * The lines of a comparison are in percent, have points at different ages, and are explained by a
 * table that the page shows. Other lines have a legend, and a table for screen readers.
 */
export class AgeChart extends Component {
    static template = "campaign_master.AgeChart";
    static props = {
        lines: Array,
        isComparison: { type: Boolean, optional: true },
        title: { type: String, optional: true },
        slots: { type: Object, optional: true },
    };

    setup() {
        this.canvas = useRef("canvas");
        this.ranges = RANGES;
        this.formatAge = formatAge;
        this.state = useState({ range: RANGES[0] });
        this.chart = null;
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => this.draw(),
            () => [JSON.stringify(this.props.lines), this.range.name]
        );
        onWillUnmount(() => this.chart?.destroy());
    }

    // === DATA === //

    hasPoints({ hours }) {
        return this.props.lines.some(({ points }) => points.some(({ x }) => x <= hours));
    }

    /** The selected one. Of campaigns from before the upgrade, only later totals are known. */
    get range() {
        return this.hasPoints(this.state.range) ? this.state.range : RANGES.at(-1);
    }

    get lines() {
        const { hours } = this.range;
        return this.props.lines.map((line, i) => ({
            ...line,
            style: lineStyle(line.number ?? i),
            points: line.points.filter(({ x }) => x <= hours),
        }));
    }

    /** Rows of the table for screen readers. A line may have no point at an age. */
    get rows() {
        const lines = this.lines;
        const ages = new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)));
        return [...ages]
            .sort((a, b) => a - b)
            .map((age) => ({
                age,
                numbers: lines.map(({ points }) => {
                    const point = points.find(({ x }) => x === age);
                    return point ? formatInteger(point.y) : "–";
                }),
            }));
    }

    format(number) {
        return this.props.isComparison ? formatPercent(number) : formatInteger(number);
    }

    formatTick(number) {
        return this.props.isComparison
            ? `${formatFloat(number, { digits: [16, Number.isInteger(number) ? 0 : 1] })}%`
            : formatInteger(number, { humanReadable: number >= 10000 });
    }

    // === CHART === //

    draw() {
        this.chart?.destroy();
        const { isComparison } = this.props;
        // The page's own, so that they are legible in light and dark mode.
        const { color: textColor } = getComputedStyle(this.canvas.el);
        const gridColor = textColor.replace(/^rgb\((.*)\)$/, "rgba($1, 0.15)");
        const lines = this.lines;
        const end = Math.max(1, ...lines.flatMap(({ points }) => points.map(({ x }) => x)));
        const axis = {
            border: { display: false },
            beginAtZero: true,
        };
        this.chart = new Chart(this.canvas.el, {
            type: "line",
            data: {
                datasets: lines.map(({ label, points, style }) => ({
                    label,
                    data: points,
                    borderColor: style.color,
                    backgroundColor: style.color,
                    borderDash: style.dash,
                    borderWidth: 2,
                    pointRadius: points.length > 12 ? 0 : 2,
                    pointHitRadius: 12,
                })),
            },
            options: {
                maintainAspectRatio: false,
                animation: false,
                interaction: isComparison
                    ? { mode: "nearest", intersect: false, axis: "xy" }
                    : { mode: "index", intersect: false, axis: "x" },
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
                            callback: (hours) => formatAge(hours),
                        },
                    },
                    y: {
                        ...axis,
                        grid: { color: gridColor },
                        ticks: {
                            color: textColor,
                            precision: isComparison ? undefined : 0,
                            callback: (number) => this.formatTick(number),
                        },
                    },
                },
                plugins: {
                    legend: {
                        display: !isComparison,
                        align: "end",
                        labels: { boxHeight: 2, boxWidth: 20, color: textColor },
                    },
                    tooltip: {
                        callbacks: {
                            title: ([item]) => formatAge(item.parsed.x),
                            label: ({ dataset, parsed, raw }) =>
                                [`${dataset.label}: ${this.format(parsed.y)}`].concat(
                                    raw.note || []
                                ),
                        },
                    },
                },
            },
        });
    }
}
