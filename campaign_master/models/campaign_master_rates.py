from odoo import api, fields, models
from odoo.tools import SQL


class OptionalNumber:
    """A number that may be missing: NULL in the database, ``False`` in Python, and “–” on the
    screen. It is in no aggregate, sorted last, and neither 0 nor less nor more in conditions:
    ``("sent", "=", False)`` finds it.

    ``False`` counts as 0 in sums and comparisons; use ``is False`` where it must not.
    """

    falsy_value = None
    # Read together, and only when one of them is: whoever needs the name of a campaign does not
    # read its 30 figures and rates.
    prefetch = "numbers"

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

    def filter_function(self, records, field_expr, operator, value):
        if operator != "in":
            return super().filter_function(records, field_expr, operator, value)
        # To Python, 0 and False are equal.
        numbers = {number for number in value if number is not None and number is not False}
        with_missing = any(number is None or number is False for number in value)
        get_value = self.expression_getter(field_expr)

        def is_in(record):
            number = get_value(record)
            return with_missing if number is False else number in numbers

        return is_in


class Figure(OptionalNumber, fields.Integer):
    """A whole number that may be missing. RPC clients read 0 then: Odoo's integers know no other
    value, and clients calculate with them."""

    def convert_to_read(self, value, record, use_display_name=True):
        return super().convert_to_read(value or 0, record, use_display_name)


class Rate(OptionalNumber, fields.Float):
    """A percentage of two stored numbers of the same record.

    Its two numbers define it everywhere: the value of a record, and ``:avg`` over several records,
    which is not the mean of their rates but the rate of their sums: 10 opens of 10 emails and 0 of
    990 are 1 %. The web client gets them as ``ratio``, for the footers of lists.

    If one of the two is missing, or without anything to divide by, there is no rate, and the record
    is not in those sums either. RPC clients read ``False``. A rate of 0 is a result: nobody has
    opened the email.

    :param str numerator: name of an integer field
    :param str denominator: name of an integer field
    """

    aggregator = "avg"
    numerator = ""
    denominator = ""

    @property
    def _description_ratio(self):
        return [self.numerator, self.denominator]

    def of(self, part, whole):
        """:return: ``part`` as a percentage of ``whole``; ``None`` if one of them is missing, or
        ``whole`` is not positive"""
        return 100.0 * part / whole if part is not False and whole > 0 else None


class CampaignMasterRatesMixin(models.AbstractModel):
    """A model with fields of the types :class:`Figure` and :class:`Rate`."""

    _name = "campaign.master.rates.mixin"
    _description = "Campaign Master Rates"

    @api.model
    def _figures(self):
        """:return: the fields that are figures"""
        return [field for field in self._fields.values() if isinstance(field, Figure)]

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

    def _read_group_select(self, aggregate_spec, query):
        name, _colon, function = aggregate_spec.partition(":")
        rate = self._fields.get(name)
        if function != "avg" or not isinstance(rate, Rate):
            return super()._read_group_select(aggregate_spec, query)
        self._check_field_access(rate, "read")
        return SQL(
            """
            100.0 * SUM(%(numerator)s) FILTER (WHERE %(rate)s IS NOT NULL)
                  / NULLIF(SUM(%(denominator)s) FILTER (WHERE %(rate)s IS NOT NULL), 0)
            """,
            numerator=self._field_to_sql(self._table, rate.numerator, query),
            denominator=self._field_to_sql(self._table, rate.denominator, query),
            rate=self._field_to_sql(self._table, name, query),
        )

    def _web_read_group_groupby_formatter(self, groupby_spec, values):
        """The web client would call the group without a number “0”, too."""
        formatter = super()._web_read_group_groupby_formatter(groupby_spec, values)
        if not isinstance(self._fields.get(groupby_spec), OptionalNumber):
            return formatter
        return lambda number: ("–" if number is False else number, formatter(number)[1])

    # PostgreSQL sorts NULL before the highest value.

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if isinstance(self._fields.get(field_name), OptionalNumber):
            nulls = nulls or SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    def _read_group_orderby(self, order, groupby_terms, query):
        if order:
            order = ", ".join(map(self._with_nulls_last, order.split(",")))
        return super()._read_group_orderby(order, groupby_terms, query)

    def _with_nulls_last(self, term):
        """:return: the term of an order such as ``sent:sum DESC``, with missing numbers last"""
        name = term.strip().partition(" ")[0].partition(":")[0]
        is_optional = isinstance(self._fields.get(name), OptionalNumber)
        return f"{term} NULLS LAST" if is_optional and "nulls" not in term.lower() else term
