import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, onWillDestroy, xml } from "@odoo/owl";

const DELAY = 1000; // milliseconds

/** Loads a record again and again while it is running. */
export class Reload extends Component {
    static template = xml``;
    static props = standardWidgetProps;

    setup() {
        let timer = null;
        const stop = () => browser.clearTimeout(timer);
        useRecordObserver((record) => {
            stop();
            if (record.data.state === "running") {
                timer = browser.setTimeout(() => record.load(), DELAY);
            }
        });
        onWillDestroy(stop);
    }
}

registry.category("view_widgets").add("campaign_master_reload", {
    component: Reload,
    fieldDependencies: [{ name: "state", type: "selection" }],
});
