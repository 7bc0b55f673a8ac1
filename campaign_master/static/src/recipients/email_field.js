import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { CharField, charField } from "@web/views/fields/char/char_field";

/** A recipient's address, with a hint if something else is entered as the person's email. */
export class RecipientEmailField extends CharField {
    static template = "campaign_master.RecipientEmailField";

    get hint() {
        const { email, entered_email: entered } = this.props.record.data;
        if (!email || !entered || entered.trim().toLowerCase() === email) {
            return "";
        }
        return /@.*\..*@/s.test(entered)
            ? _t("First of several addresses: %s", entered)
            : _t("The person's email: %s", entered);
    }
}

registry.category("fields").add("campaign_master_email", {
    ...charField,
    component: RecipientEmailField,
    fieldDependencies: [{ name: "entered_email", type: "char" }],
});
