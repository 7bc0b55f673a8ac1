import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import {
    buildM2OFieldDescription,
    extractM2OFieldProps,
    Many2OneField,
} from "@web/views/fields/many2one/many2one_field";
import { useEffect, useRef, useState } from "@odoo/owl";

/** A template or list of Campaign Master: a many2one whose options are kept fresh. */
export class CampaignMasterCatalogueField extends Many2OneField {
    static template = "campaign_master.CatalogueField";
    static props = { ...Many2OneField.props, accountField: String };

    setup() {
        this.catalogue = useService("campaign_master_catalogue");
        this.root = useRef("root");
        this.known = useState(this.catalogue.known(this.accountId));
        useEffect(
            (accountId, readonly) => {
                if (!accountId || readonly) {
                    return;
                }
                const account = this.catalogue.known(accountId);
                account.users++;
                this.catalogue.ask(accountId);
                return () => account.users--;
            },
            () => [this.accountId, this.props.readonly]
        );
        useEffect(
            () => this.reloadOptions(),
            () => [this.known.stamp]
        );
    }

    get accountId() {
        const account = this.props.record.data[this.props.accountField];
        return account ? account.id : 0;
    }

    onOpen(ev) {
        if (this.accountId && ev.target.tagName === "INPUT") {
            this.catalogue.ask(this.accountId);
        }
    }

    /** Something new is known: if the options are on the screen, show them anew. */
    reloadOptions() {
        const input = this.root.el?.querySelector("input[aria-expanded='true']");
        if (input) {
            input.click(); // closes
            input.click(); // opens, and reads
        }
    }
}

registry.category("fields").add("campaign_master_catalogue", {
    ...buildM2OFieldDescription(CampaignMasterCatalogueField),
    extractProps: (staticInfo, dynamicInfo) => ({
        ...extractM2OFieldProps(staticInfo, dynamicInfo),
        accountField: staticInfo.options.account_field,
    }),
});
