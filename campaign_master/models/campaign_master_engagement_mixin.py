from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import MARKETING_GROUP
from .campaign_master_engagement import TOTALS

PREFIX = "campaign_master_"
TOTAL = {"compute": "_compute_campaign_master_totals", "groups": MARKETING_GROUP}
COUNT = "campaign_count"
# How the totals of several companies are combined.
COMBINED_TOTALS = SQL(", ").join(
    SQL(
        "%s AS %s",
        SQL(formula if formula.startswith(("MIN", "MAX", "BOOL_OR")) else f"SUM({name})"),
        SQL.identifier(name),
    )
    for name, formula in TOTALS.items()
)
# The values of people without a campaign.
NO_ENGAGEMENT = {
    PREFIX + name: 0 if formula.startswith(("SUM", "COUNT")) else False
    for name, formula in {COUNT: "COUNT(*)", **TOTALS}.items()
}


def _search(name):
    """:return: the ``search`` of the field for the total ``name``"""
    return lambda self, operator, value: self._campaign_master_search(name, operator, value)


class CampaignMasterEngagementMixin(models.AbstractModel):
    """A partner or lead, which can be a recipient, with its totals over all campaigns.

    The totals come from ``campaign.master.engagement``, of the companies that the user has
    selected. They are not stored here, but can be searched and sorted like stored fields.
    """

    _name = "campaign.master.engagement.mixin"
    _description = "Campaign Master Engagement Mixin"

    # The field of campaign.master.recipient that points here: partner_id or lead_id.
    _campaign_master_field = None

    campaign_master_campaign_count = fields.Integer(
        string="Campaigns",
        search=_search("campaign_count"),
        help="Number of Campaign Master campaigns with this recipient.",
        **TOTAL,
    )
    campaign_master_open_count = fields.Integer(
        string="Total Opens",
        search=_search("open_count"),
        help="Number of opens of Campaign Master emails, over all campaigns.",
        **TOTAL,
    )
    campaign_master_click_count = fields.Integer(
        string="Total Clicks",
        search=_search("click_count"),
        help="Number of clicks in Campaign Master emails, over all campaigns.",
        **TOTAL,
    )
    campaign_master_forward_count = fields.Integer(
        string="Total Forwards",
        search=_search("forward_count"),
        help="Number of forwards of Campaign Master emails, over all campaigns.",
        **TOTAL,
    )
    campaign_master_unsubscribe_count = fields.Integer(
        string="Total Unsubscribes",
        search=_search("unsubscribe_count"),
        help="Number of unsubscribes, over all campaigns.",
        **TOTAL,
    )
    campaign_master_first_open = fields.Datetime(
        string="First Open",
        search=_search("first_open"),
        help="First open of a Campaign Master email.",
        **TOTAL,
    )
    campaign_master_last_open = fields.Datetime(
        string="Last Open",
        search=_search("last_open"),
        help="Last open of a Campaign Master email.",
        **TOTAL,
    )
    campaign_master_first_click = fields.Datetime(
        string="First Click",
        search=_search("first_click"),
        help="First click in a Campaign Master email.",
        **TOTAL,
    )
    campaign_master_last_click = fields.Datetime(
        string="Last Click",
        search=_search("last_click"),
        help="Last click in a Campaign Master email.",
        **TOTAL,
    )
    campaign_master_bounced = fields.Boolean(
        string="Bounced",
        search=_search("bounced"),
        help="The address bounced on at least one campaign.",
        **TOTAL,
    )
    campaign_master_opted_out = fields.Boolean(
        string="Opted Out of a Campaign",
        search=_search("opted_out"),
        help="Unsubscribed from at least one Campaign Master campaign. Other emails are not "
        "affected.",
        **TOTAL,
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_campaign_master_totals(self):
        totals = self._campaign_master_totals()
        for record in self:
            record.update(totals.get(record._origin.id, NO_ENGAGEMENT))

    def _campaign_master_totals(self):
        """:return: values of all fields above by id, of people with a campaign"""
        ids = list(self._origin.ids)
        rows = self.env.execute_query_dict(
            SQL(
                "SELECT * FROM (%s) AS counts LEFT JOIN (%s) AS totals USING (%s)",
                self._campaign_master_counts_sql(ids),
                self._campaign_master_totals_sql(ids),
                SQL.identifier(self._campaign_master_field),
            )
        )
        return {
            row.pop(self._campaign_master_field): {
                name: row[name.removeprefix(PREFIX)] or empty
                for name, empty in NO_ENGAGEMENT.items()
            }
            for row in rows
        }

    def read(self, fields=None, load="_classic_read"):
        """Read the totals of all records at once: record by record, Odoo would check the groups of
        each value, a tenth of the time that a list of 80 people takes."""
        names = [name for name in fields or () if name in NO_ENGAGEMENT]
        if not names:
            return super().read(fields, load)
        # Without a name, Odoo would read all fields.
        others = [name for name in fields if name not in NO_ENGAGEMENT] or ["id"]
        rows = super().read(others, load)
        for name in names:
            self._check_field_access(self._fields[name], "read")
        totals = self._campaign_master_totals()
        for row in rows:
            values = totals.get(row["id"] or row["id"].origin, NO_ENGAGEMENT)
            row.update((name, values[name]) for name in names)
        return rows

    @api.model
    def _campaign_master_totals_sql(self, ids=None):
        """:return: a SELECT of people's totals in the selected companies, one row per person

        :param ids: ids of people; ``None`` for all
        """
        # sudo: only these fields, whose groups were checked, read the totals
        self.env["campaign.master.engagement"].sudo().flush_model()
        return SQL(
            """
            SELECT %(person)s, %(columns)s FROM campaign_master_engagement
             WHERE company_id = ANY(%(companies)s) AND %(people)s
             GROUP BY %(person)s
            """,
            person=SQL.identifier(self._campaign_master_field),
            columns=COMBINED_TOTALS,
            companies=self.env.companies.ids,
            people=self._campaign_master_people_sql(ids),
        )

    @api.model
    def _campaign_master_counts_sql(self, ids=None):
        """As :meth:`_campaign_master_totals_sql`, for the number of campaigns.

        Counted, not stored: storing it would make adding people half as slow again.
        """
        self.env["campaign.master.recipient"].sudo().flush_model()
        self.env["utm.campaign"].sudo().flush_model(["campaign_master_company_id"])
        return SQL(
            """
            SELECT %(person)s, COUNT(*) AS %(count)s
              FROM campaign_master_recipient AS recipient
              JOIN utm_campaign AS campaign ON campaign.id = recipient.campaign_id
             WHERE campaign.campaign_master_company_id = ANY(%(companies)s) AND %(people)s
             GROUP BY %(person)s
            """,
            person=SQL.identifier(self._campaign_master_field),
            count=SQL.identifier(COUNT),
            companies=self.env.companies.ids,
            people=self._campaign_master_people_sql(ids),
        )

    @api.model
    def _campaign_master_people_sql(self, ids):
        person = SQL.identifier(self._campaign_master_field)
        return SQL("%s IS NOT NULL", person) if ids is None else SQL("%s = ANY(%s)", person, ids)

    def _field_to_sql(self, alias, field_expr, query=None):
        """Sort and search by the totals as if they were stored."""
        if query is None or field_expr not in NO_ENGAGEMENT:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        name = field_expr.removeprefix(PREFIX)
        if name == COUNT:
            kind, select = "campaign_master_counts", self._campaign_master_counts_sql()
        else:
            kind, select = "campaign_master_engagements", self._campaign_master_totals_sql()
        totals = query.make_alias(alias, kind)
        query.add_join(
            "LEFT JOIN",
            totals,
            SQL("(%s)", select),
            SQL(
                "%s = %s",
                SQL.identifier(totals, self._campaign_master_field),
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
                if model._fields[field_name].type == "datetime":
                    known = [entry for entry in values if entry]
                    condition = SQL("%s = ANY(%s::timestamp[])", column, known)
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

    def action_campaign_master_campaigns(self):
        """Open the campaigns of these people."""
        self.check_access("read")
        lines = self.env["campaign.master.recipient"].search(
            [(self._campaign_master_field, "in", self.ids)]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id("utm.utm_campaign_action")
        return {**action, "domain": [("id", "in", lines.campaign_id.ids)]}
