import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { CharField, charField } from "@web/views/fields/char/char_field";

/** A recipient's name, with a hint if the person has several addresses. */
export class RecipientNameField extends CharField {
    static template = "campaign_master.RecipientHintField";

    get hint() {
        const { entered_email: entered, has_several_addresses: hasSeveral } =
            this.props.record.data;
        return hasSeveral ? _t("Only the first address is used: %s", entered) : "";
    }
}

/** A recipient's address, with a hint if something else is entered as the person's email. */
export class RecipientEmailField extends RecipientNameField {
    get hint() {
        const { email, entered_email: entered } = this.props.record.data;
        if (!email || !entered || entered.trim().toLowerCase() === email) {
            return "";
        }
        return super.hint || _t("The person's email: %s", entered);
    }
}

const fieldDependencies = [
    { name: "entered_email", type: "char" },
    { name: "has_several_addresses", type: "boolean" },
];
const fields = registry.category("fields");
fields.add("campaign_master_name", {
    ...charField,
    component: RecipientNameField,
    fieldDependencies,
});
fields.add("campaign_master_email", {
    ...charField,
    component: RecipientEmailField,
    fieldDependencies,
});
