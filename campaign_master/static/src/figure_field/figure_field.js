import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { getFormattedValue } from "@web/views/utils";

import { Component, xml } from "@odoo/owl";

const UNREPORTED = "campaign_master_unreported";
export const MISSING = "–";

/** Whether a field is a figure or rate that is missing: a figure is 0 then, and a rate is false. */
export function isMissing({ data, fields }, name) {
    return fields[name].ratio ? data[name] === false : (data[UNREPORTED] || []).includes(name);
}

/** A figure or rate of a campaign, or a dash if it is missing. */
export class FigureField extends Component {
    static template = xml`<span t-esc="formattedValue"/>`;
    static props = { ...standardFieldProps };

    get formattedValue() {
        const { name, record } = this.props;
        return isMissing(record, name) ? MISSING : getFormattedValue(record, name);
    }
}

registry.category("fields").add("campaign_master_figure", {
    component: FigureField,
    supportedTypes: ["integer", "float"],
    isEmpty: () => false,
    fieldDependencies: [{ name: UNREPORTED, type: "json" }],
});
