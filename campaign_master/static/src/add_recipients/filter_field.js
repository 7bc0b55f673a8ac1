import { Domain } from "@web/core/domain";
import { registry } from "@web/core/registry";
import { DomainField, domainField } from "@web/views/fields/domain/domain_field";

/** A filter of people. Its number and its list are also limited by the record's fixed domain. */
export class FilterField extends DomainField {
    getEvaluatedDomain(props = this.props) {
        const domain = super.getEvaluatedDomain(props);
        return domain.isInvalid
            ? domain
            : Domain.and([domain, props.record.data.fixed_domain || "[]"]).toList();
    }
}

registry.category("fields").add("campaign_master_filter", {
    ...domainField,
    component: FilterField,
    fieldDependencies: [{ name: "fixed_domain", type: "char" }],
});
