import { AutoComplete } from "@web/core/autocomplete/autocomplete";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Many2One } from "@web/views/fields/many2one/many2one";
import { buildM2OFieldDescription, Many2OneField } from "@web/views/fields/many2one/many2one_field";
import { Many2XAutocomplete } from "@web/views/fields/relational_utils";

import { useChildSubEnv, useEffect, useState } from "@odoo/owl";

/** A drop-down that asks for fresh options when it opens, and takes them in while it is open. */
class CatalogueAutoComplete extends AutoComplete {
    setup() {
        super.setup();
        this.shared = useState(this.env.campaignMaster);
        useEffect(
            () => {
                if (this.isOpened) {
                    this.refresh();
                }
            },
            () => [this.shared.catalogue?.stamp]
        );
    }

    open(useInput) {
        if (!this.isOpened) {
            this.shared.catalogue?.ask();
        }
        return super.open(useInput);
    }

    /** Load the options again; the one that Enter would choose stays the same. */
    async refresh() {
        const chosenId = this.activeOption?.data.record?.id;
        await this.loadSources(this.inputRef.el.value.trim() !== this.props.value.trim());
        const index = this.sources[0].options.findIndex(
            ({ data }) => chosenId && data.record?.id === chosenId
        );
        if (index >= 0) {
            this.state.activeSourceOption = [0, index];
        }
    }
}

class CatalogueMany2XAutocomplete extends Many2XAutocomplete {
    static components = { ...Many2XAutocomplete.components, AutoComplete: CatalogueAutoComplete };
    // Nothing can be made here, so that people look through what there is rather than search.
    static defaultProps = { ...Many2XAutocomplete.defaultProps, searchLimit: 40 };

    search(name) {
        // What was not there a moment ago may have been made in Campaign Master since.
        this.lastEmptySearch = null;
        return super.search(name);
    }

    onSearchMore(request) {
        // On a phone this is all that opens.
        this.env.campaignMaster.catalogue?.ask();
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
            label: _t("None yet. Make one in Campaign Master; it appears here by itself."),
        };
    }
}

class CatalogueMany2One extends Many2One {
    static components = { ...Many2One.components, Many2XAutocomplete: CatalogueMany2XAutocomplete };
}

/**
 * A many2one to templates or lists, which are made in Campaign Master only. They are read anew
 * while the form is open, so that what was made there appears without leaving it.
 */
export class CatalogueField extends Many2OneField {
    static template = "campaign_master.CatalogueField";
    static components = { Many2One: CatalogueMany2One };
    static props = { ...Many2OneField.props, accountField: String };

    setup() {
        const service = useService("campaign_master_catalogue");
        this.shared = useState({ catalogue: null });
        useChildSubEnv({ campaignMaster: this.shared });
        this.key = Symbol(this.props.name);
        useEffect(
            (accountId) => {
                this.shared.catalogue = accountId ? service.of(accountId) : null;
                return this.shared.catalogue?.join(this.key);
            },
            () => [!this.props.readonly && this.props.record.data[this.props.accountField]?.id]
        );
    }

    get notice() {
        return this.shared.catalogue?.noticeFor(this.key);
    }
}

const description = buildM2OFieldDescription(CatalogueField);

registry.category("fields").add("campaign_master_catalogue", {
    ...description,
    displayName: _t("Campaign Master catalogue"),
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
