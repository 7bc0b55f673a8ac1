from functools import cache

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import MARKETING_GROUP, check_marketing_user
from .campaign_master_engagement import TOTALS
from .campaign_master_engagement_words import BASIS
from .campaign_master_totals import TotalBoolean, TotalDatetime, TotalInteger

PREFIX = "campaign_master_"
TOTAL = {"compute": "_compute_campaign_master_totals", "groups": MARKETING_GROUP}
COUNT = "campaign_count"
# How the totals of several companies are combined.
COMBINED_TOTALS = SQL(", ").join(
    SQL("%s(%s) AS %s", SQL(function), SQL.identifier(name), SQL.identifier(name))
    for name, function in TOTALS.items()
)
# What is read of recipients to count them for people.
LINE_FIELDS = (
    "campaign_id",
    "email",
    "sent_to",
    "delivered",
    "is_twin",
    "machine_rule",
    *TOTALS,
)
LINE_COLUMNS = SQL(", ").join(map(SQL.identifier, LINE_FIELDS))
# The totals of people without a campaign.
NO_ENGAGEMENT = {
    PREFIX + name: 0 if function in ("SUM", "COUNT") else False
    for name, function in {COUNT: "COUNT", **TOTALS}.items()
}
WORD, REASON = PREFIX + "engagement", PREFIX + "engagement_reason"
# All values of people without a campaign.
NOTHING = {**NO_ENGAGEMENT, WORD: False, REASON: False}
# Types of values that may be missing.
NULLABLE = {"datetime": SQL("timestamp[]"), "selection": SQL("text[]")}


def _search(name):
    """:return: the ``search`` of the field for the total ``name``"""
    return lambda self, operator, value: self._campaign_master_search(name, operator, value)


class CampaignMasterEngagementMixin(models.AbstractModel):
    """A partner or lead, which can be a recipient, with its totals over all campaigns.

    The totals come from ``campaign.master.engagement``, of the companies that the user has
    selected. They are not stored here, but can be searched, sorted and grouped like stored fields.
    So can the word for the engagement, see ``campaign_master_engagement_words_mixin.py``.
    """

    _name = "campaign.master.engagement.mixin"
    _description = "Campaign Master Engagement Mixin"

    # The field of campaign.master.recipient that points here: partner_id or lead_id.
    _campaign_master_field = None

    campaign_master_campaign_count = TotalInteger(
        string="Campaigns",
        search=_search("campaign_count"),
        help="Number of Campaign Master campaigns with this recipient.",
        **TOTAL,
    )
    campaign_master_open_count = TotalInteger(
        string="Total Opens",
        search=_search("open_count"),
        help="Number of opens of Campaign Master emails, over all campaigns.",
        **TOTAL,
    )
    campaign_master_click_count = TotalInteger(
        string="Total Clicks",
        search=_search("click_count"),
        help="Number of clicks in Campaign Master emails, over all campaigns.",
        **TOTAL,
    )
    campaign_master_forward_count = TotalInteger(
        string="Total Forwards",
        search=_search("forward_count"),
        help="Number of forwards of Campaign Master emails, over all campaigns.",
        **TOTAL,
    )
    campaign_master_unsubscribe_count = TotalInteger(
        string="Total Unsubscribes",
        search=_search("unsubscribe_count"),
        help="Number of unsubscribes, over all campaigns.",
        **TOTAL,
    )
    campaign_master_first_open = TotalDatetime(
        string="First Open",
        search=_search("first_open"),
        help="First open of a Campaign Master email.",
        **TOTAL,
    )
    campaign_master_last_open = TotalDatetime(
        string="Last Open",
        search=_search("last_open"),
        help="Last open of a Campaign Master email.",
        **TOTAL,
    )
    campaign_master_first_click = TotalDatetime(
        string="First Click",
        search=_search("first_click"),
        help="First click in a Campaign Master email.",
        **TOTAL,
    )
    campaign_master_last_click = TotalDatetime(
        string="Last Click",
        search=_search("last_click"),
        help="Last click in a Campaign Master email.",
        **TOTAL,
    )
    campaign_master_bounced = TotalBoolean(
        string="Bounced",
        search=_search("bounced"),
        help="The current address bounced on the latest campaign that was sent to it. An address "
        "counts once it was used on a campaign to this person.",
        **TOTAL,
    )
    campaign_master_opted_out = TotalBoolean(
        string="Opted Out",
        search=_search("opted_out"),
        help="Unsubscribed from at least one Campaign Master campaign. Other emails are not "
        "affected.",
        **TOTAL,
    )
    campaign_master_delivered = fields.Boolean(
        string="Received a Campaign",
        store=False,
        search="_search_campaign_master_delivered",
        exportable=False,
        groups=MARKETING_GROUP,
        help="At least one campaign was delivered to this person.",
    )

    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_campaign_master_totals(self):
        totals = self._campaign_master_totals()
        for record in self:
            record.update(totals.get(record._origin.id, NOTHING))

    def _campaign_master_totals(self):
        """:return: values of all fields above by id, of people with a campaign"""
        ids = list(self._origin.ids)
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT * FROM (%s) AS counts
                  LEFT JOIN (%s) AS totals USING (person_id)
                  LEFT JOIN (%s) AS words USING (person_id)
                """,
                self._campaign_master_counts_sql(ids),
                self._campaign_master_totals_sql(ids),
                self._campaign_master_words_sql(ids),
            )
        )
        reason = cache(self._campaign_master_reason)
        return {
            row["person_id"]: {
                **{
                    name: row[name.removeprefix(PREFIX)] or empty
                    for name, empty in NO_ENGAGEMENT.items()
                },
                WORD: row["word"] or False,
                REASON: reason(row["word"], *(row[name] for name in BASIS)),
            }
            for row in rows
        }

    def read(self, fields=None, load="_classic_read"):
        """Read the totals of all records at once: record by record, Odoo would check the groups of
        each value, a tenth of the time that a list of 80 people takes."""
        names = [name for name in fields or () if name in NOTHING]
        if not names:
            return super().read(fields, load)
        # Without a name, Odoo would read all fields.
        others = [name for name in fields if name not in NOTHING] or ["id"]
        rows = super().read(others, load)
        for name in names:
            self._check_field_access(self._fields[name], "read")
        totals = self._campaign_master_totals()
        for row in rows:
            values = totals.get(row["id"] or row["id"].origin, NOTHING)
            row.update((name, values[name]) for name in names)
        return rows

    @api.model
    def _campaign_master_totals_sql(self, ids=None):
        """:return: a SELECT of people's totals in the selected companies, one row per person

        :param ids: ids of people; ``None`` for all
        """
        person = SQL.identifier(self._campaign_master_field)
        return SQL(
            """
            SELECT %(person)s AS person_id, %(columns)s FROM campaign_master_engagement
             WHERE company_id = ANY(%(companies)s) AND open_count IS NOT NULL AND %(people)s
             GROUP BY %(person)s
            """,
            person=person,
            columns=COMBINED_TOTALS,
            companies=self.env.companies.ids,
            people=self._campaign_master_people_sql(person, ids),
            to_flush=self._campaign_master_sources(),
        )

    @api.model
    def _campaign_master_counts_sql(self, ids=None):
        """As :meth:`_campaign_master_totals_sql`, for the number of campaigns.

        Counted, not stored: storing it would make adding people half as slow again.
        """
        return SQL(
            """
            WITH line AS %(kind)s (%(lines)s)
            SELECT person_id, COUNT(DISTINCT campaign_id) AS %(count)s
              FROM line
              JOIN utm_campaign AS campaign ON campaign.id = line.campaign_id
             WHERE campaign.campaign_master_company_id = ANY(%(companies)s)
             GROUP BY person_id
            """,
            count=SQL.identifier(COUNT),
            # The lines of some people are read once, not once for each campaign.
            kind=SQL("NOT MATERIALIZED" if ids is None else "MATERIALIZED"),
            lines=self._campaign_master_lines_sql(ids),
            companies=self.env.companies.ids,
            to_flush=self._campaign_master_sources(),
        )

    @api.model
    def _campaign_master_lines_sql(self, ids=None):
        """:return: a SELECT of the recipients that count for people: ``person_id``, the ``address``
        that the person has now, as recipients store it, and ``LINE_COLUMNS``

        :param ids: as in :meth:`_campaign_master_people_sql`
        """
        return SQL(
            "WITH person AS %s (SELECT id, LOWER(email_normalized) AS address FROM %s WHERE %s) %s",
            SQL("NOT MATERIALIZED" if ids is None else "MATERIALIZED"),
            SQL.identifier(self._table),
            self._campaign_master_people_sql(SQL("id"), ids),
            # OFFSET: PostgreSQL looks up each of some people, whatever it expects to find.
            self._campaign_master_person_lines_sql(SQL("" if ids is None else "OFFSET 0")),
        )

    @api.model
    def _campaign_master_person_lines_sql(self, offset):
        """:return: the SELECT of :meth:`_campaign_master_lines_sql`, from a table ``person``

        :param SQL offset: the end of each lookup
        """
        return SQL(
            """
            SELECT person.id AS person_id, person.address, recipient.*
              FROM person
                   CROSS JOIN LATERAL (
                       SELECT %s FROM campaign_master_recipient
                        WHERE %s = person.id %s
                   ) AS recipient
            """,
            LINE_COLUMNS,
            SQL.identifier(self._campaign_master_field),
            offset,
        )

    @api.model
    def _campaign_master_people_sql(self, person, ids):
        """:return: a condition: who is one of these people

        :param ids: ids of people: a list, or a ``range``; ``None`` for all
        """
        if ids is None:
            return SQL("%s IS NOT NULL", person)
        if isinstance(ids, range):
            return SQL("%s BETWEEN %s AND %s", person, ids[0], ids[-1])
        return SQL("%s = ANY(%s)", person, ids)

    @api.model
    def _campaign_master_sources(self):
        """:return: the fields that totals and words come from. Odoo writes them to the database
        before it reads these, which recomputes them."""
        names = {
            self._name: ["email_normalized"],
            "campaign.master.engagement": [*TOTALS, "word", *BASIS],
            "campaign.master.recipient": LINE_FIELDS,
            "utm.campaign": ["campaign_master_company_id"],
        }
        return [self.env[model]._fields[name] for model in names for name in names[model]]

    def _field_to_sql(self, alias, field_expr, query=None):
        """Sort and search by the totals as if they were stored."""
        if query is None or field_expr not in {*NO_ENGAGEMENT, WORD}:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        name = field_expr.removeprefix(PREFIX)
        if name == COUNT:
            kind, select = "campaign_master_counts", self._campaign_master_counts_sql()
        elif field_expr == WORD:
            name = "word"
            kind, select = "campaign_master_words", self._campaign_master_words_sql()
        else:
            kind, select = "campaign_master_engagements", self._campaign_master_totals_sql()
        totals = query.make_alias(alias, kind)
        query.add_join(
            "LEFT JOIN",
            totals,
            SQL("(%s)", select),
            SQL(
                "%s = %s",
                SQL.identifier(totals, "person_id"),
                SQL.identifier(alias, "id"),
            ),
        )
        column = SQL.identifier(totals, name)
        empty = {"integer": SQL("0"), "boolean": SQL("FALSE")}.get(self._fields[field_expr].type)
        return SQL("COALESCE(%s, %s)", column, empty) if empty else column

    def _campaign_master_search(self, name, operator, value):
        """:return: a domain that compares one of the totals"""
        field_name = PREFIX + name

        def to_sql(model, alias, query):
            column = model._field_to_sql(alias, field_name, query)
            if operator in ("in", "not in"):
                values = list(value)
                if kind := NULLABLE.get(model._fields[field_name].type):
                    known = [entry for entry in values if entry]
                    condition = SQL("%s = ANY(%s::%s)", column, known, kind)
                    if len(known) < len(values):
                        condition = SQL("(%s OR %s IS NULL)", condition, column)
                elif model._fields[field_name].type == "boolean":
                    condition = SQL("%s = ANY(%s::boolean[])", column, [bool(v) for v in values])
                else:
                    condition = SQL("%s = ANY(%s::bigint[])", column, [int(v) for v in values])
                if operator == "not in":
                    return SQL("NOT COALESCE(%s, FALSE)", condition)
                return condition
            return SQL("%s %s %s", column, SQL(operator), value)

        if operator not in ("in", "not in", "<", ">", "<=", ">="):
            return NotImplemented
        return Domain.custom(to_sql=to_sql)

    def _search_campaign_master_delivered(self, operator, value):
        if operator != "in":
            return NotImplemented

        def to_sql(model, alias, query):
            model._check_field_access(model._fields["campaign_master_delivered"], "read")
            return SQL(
                """
                %(person)s IN (
                    SELECT line.person_id
                      FROM (%(lines)s) AS line
                      JOIN utm_campaign AS campaign ON campaign.id = line.campaign_id
                     WHERE line.delivered AND line.is_twin IS NOT TRUE
                       AND campaign.campaign_master_company_id = ANY(%(companies)s))
                """,
                person=SQL.identifier(alias, "id"),
                lines=model._campaign_master_lines_sql(),
                companies=model.env.companies.ids,
                to_flush=model._campaign_master_sources(),
            )

        return Domain.custom(to_sql=to_sql)

    # === WHAT THE TOTALS DEPEND ON === #

    def write(self, vals):
        result = super().write(vals)
        if self._primary_email in vals:
            # Reading the totals writes the address to the database first, which recomputes them.
            # As a dependency of the fields, it makes writing an address 13 % slower.
            self.invalidate_recordset(NO_ENGAGEMENT, flush=False)
        return result

    def _write_multi(self, vals_list):
        """Recompute the totals of people whose address changes, however it is set: Odoo also
        computes addresses, without calling ``write``."""
        changed = self._campaign_master_changing("email_normalized", vals_list)
        result = super()._write_multi(vals_list)
        # sudo: nobody may read or write totals
        self.env["campaign.master.engagement"].sudo()._recompute_totals(
            self._name, changed.ids, removed=True
        )
        return result

    def _campaign_master_changing(self, name, vals_list):
        """:return: the records whose value of a field is written"""
        return self.browse(
            record.id for record, vals in zip(self, vals_list, strict=True) if name in vals
        )

    # === ACTION METHODS === #

    def action_campaign_master_campaigns(self):
        """Open what this person did on each campaign."""
        self.ensure_one()
        check_marketing_user(self.env)
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_recipient_action_person"
        )
        return {**action, "domain": self._campaign_master_lines_domain()}

    def _campaign_master_lines_domain(self):
        """:return: a domain of the recipients of :meth:`_campaign_master_lines_sql` that the user
        may read"""
        return [(self._campaign_master_field, "=", self.id)]
