from odoo import api, fields, models
from odoo.tools import SQL


class Rate(fields.Float):
    """A percentage of two stored numbers of the same record.

    Its two numbers define it everywhere: the value of a record, and ``:avg`` over several records,
    which is not the mean of their rates but the rate of their sums: 10 opens of 10 emails and 0 of
    990 are 1 %. The web client gets them as ``ratio``, for the footers of lists.

    Without anything to divide by, there is no rate: NULL in the database, so that aggregates and
    sorting leave the record out, ``False`` for RPC clients, and empty on the screen. A rate of 0 is
    a result: nobody has opened the email.

    :param str numerator: name of an integer field
    :param str denominator: name of an integer field
    """

    falsy_value = None
    aggregator = "avg"
    numerator = ""
    denominator = ""

    @property
    def _description_ratio(self):
        return [self.numerator, self.denominator]

    def of(self, part, whole):
        """:return: ``part`` as a percentage of ``whole``; ``None`` if ``whole`` is not positive"""
        return 100.0 * part / whole if whole > 0 else None

    def convert_to_column(self, value, record, values=None, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_column(value, record, values, validate)

    def convert_to_cache(self, value, record, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_cache(value, record, validate)

    def convert_to_record(self, value, record):
        return False if value is None else value

    def convert_to_export(self, value, record):
        return "" if value is False else value


class CampaignMasterRatesMixin(models.AbstractModel):
    """A model with fields of the type :class:`Rate`."""

    _name = "campaign.master.rates.mixin"
    _description = "Campaign Master Rates"

    @api.model
    def _rates(self):
        """:return: the fields that are rates"""
        return [field for field in self._fields.values() if isinstance(field, Rate)]

    @api.depends(lambda self: {name for rate in self._rates() for name in rate._description_ratio})
    def _compute_rates(self):
        rates = self._rates()
        for record in self:
            for rate in rates:
                record[rate.name] = rate.of(record[rate.numerator], record[rate.denominator])

    @api.model
    def _get_view_field_attributes(self):
        return [*super()._get_view_field_attributes(), "ratio"]

    def _is_weighted(self, spec):
        """:return: whether an aggregate such as ``name:avg`` is the rate of several records"""
        name, _colon, function = spec.partition(":")
        return function == "avg" and isinstance(self._fields.get(name), Rate)

    def _read_group_select(self, aggregate_spec, query):
        if not self._is_weighted(aggregate_spec):
            return super()._read_group_select(aggregate_spec, query)
        rate = self._fields[aggregate_spec.partition(":")[0]]
        self._check_field_access(rate, "read")
        return SQL(
            "100.0 * COALESCE(SUM(%s), 0) / NULLIF(GREATEST(SUM(%s), 0), 0)",
            self._field_to_sql(self._table, rate.numerator, query),
            self._field_to_sql(self._table, rate.denominator, query),
        )

    # PostgreSQL sorts NULL before the highest value.

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if isinstance(self._fields.get(field_name), Rate):
            nulls = nulls or SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    def _read_group_orderby(self, order, groupby_terms, query):
        if order:
            order = ", ".join(
                f"{term} NULLS LAST"
                if self._is_weighted(term.strip().partition(" ")[0]) and "nulls" not in term.lower()
                else term
                for term in order.split(",")
            )
        return super()._read_group_orderby(order, groupby_terms, query)
