import { AutoComplete } from "@web/core/autocomplete/autocomplete";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Many2One } from "@web/views/fields/many2one/many2one";
import { buildM2OFieldDescription, Many2OneField } from "@web/views/fields/many2one/many2one_field";
import { Many2XAutocomplete } from "@web/views/fields/relational_utils";

import { useChildSubEnv, useEffect, useState } from "@odoo/owl";

/** A drop-down that requests a refresh when it opens, and shows new options while it is open. */
class CatalogAutoComplete extends AutoComplete {
    setup() {
        super.setup();
        this.shared = useState(this.env.campaignMaster);
        useEffect(
            () => {
                if (this.isOpened) {
                    this.reloadOptions();
                }
            },
            () => [this.shared.catalog?.stamp]
        );
    }

    open(useInput) {
        if (!this.isOpened) {
            this.shared.catalog?.requestRefresh();
        }
        return super.open(useInput);
    }

    /** Load the options again, and keep the highlighted one. */
    async reloadOptions() {
        const activeId = this.activeOption?.data.record?.id;
        await this.loadSources(this.inputRef.el.value.trim() !== this.props.value.trim());
        const index = this.sources[0].options.findIndex(
            ({ data }) => activeId && data.record?.id === activeId
        );
        if (index >= 0) {
            this.state.activeSourceOption = [0, index];
        }
    }
}

class CatalogMany2XAutocomplete extends Many2XAutocomplete {
    static components = { ...Many2XAutocomplete.components, AutoComplete: CatalogAutoComplete };
    // Nothing can be created here, so people browse more than they search.
    static defaultProps = { ...Many2XAutocomplete.defaultProps, searchLimit: 40 };

    search(name) {
        // A record may have been created in Campaign Master since the last search.
        this.lastEmptySearch = null;
        return super.search(name);
    }

    onSearchMore(request) {
        // On a phone, a dialog opens instead of the drop-down.
        this.env.campaignMaster.catalog?.requestRefresh();
        return super.onSearchMore(request);
    }

    buildNoRecordsSuggestion() {
        const suggestion = super.buildNoRecordsSuggestion();
        if (this.lastEmptySearch?.name) {
            return suggestion;
        }
        return {
            ...suggestion,
            cssClass: `${suggestion.cssClass} o_campaign_master_no_entry`,
            label: _t("No records. Create one in Campaign Master; it will appear here automatically."),
        };
    }
}

class CatalogMany2One extends Many2One {
    static components = { ...Many2One.components, Many2XAutocomplete: CatalogMany2XAutocomplete };
}

/**
 * A many2one to templates or lists, which are created in Campaign Master only. They are refreshed
 * while the form is open, so that new ones appear without leaving it.
 */
export class CatalogField extends Many2OneField {
    static template = "campaign_master.CatalogField";
    static components = { Many2One: CatalogMany2One };
    static props = { ...Many2OneField.props, accountField: String };

    setup() {
        const service = useService("campaign_master_catalog");
        this.shared = useState({ catalog: null });
        useChildSubEnv({ campaignMaster: this.shared });
        this.key = Symbol(this.props.name);
        useEffect(
            (accountId) => {
                this.shared.catalog = accountId ? service.getCatalog(accountId) : null;
                return this.shared.catalog?.addField(this.key);
            },
            () => [!this.props.readonly && this.props.record.data[this.props.accountField]?.id]
        );
    }

    get notice() {
        return this.shared.catalog?.noticeFor(this.key);
    }
}

const description = buildM2OFieldDescription(CatalogField);

registry.category("fields").add("campaign_master_catalog", {
    ...description,
    displayName: _t("Campaign Master catalog"),
    supportedOptions: [
        ...description.supportedOptions.filter(({ name }) => !name.startsWith("no_create")),
        {
            label: _t("Account"),
            name: "account_field",
            type: "field",
            availableTypes: ["many2one"],
        },
    ],
    extractProps: (staticInfo, dynamicInfo) => ({
        ...description.extractProps(staticInfo, dynamicInfo),
        accountField: staticInfo.options.account_field,
        canCreate: false,
        canCreateEdit: false,
        canQuickCreate: false,
    }),
    fieldDependencies: ({ options }) => [
        { name: options.account_field, type: "many2one", relation: "campaign.master.account" },
    ],
});
