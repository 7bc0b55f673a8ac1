from odoo import api, fields, models
from odoo.tools import SQL

# What a person's totals are made of: the column, and how the lines of all campaigns make it.
TOTALS = {
    "open_count": "SUM(open_count)",
    "click_count": "SUM(click_count)",
    "forward_count": "SUM(forward_count)",
    "unsubscribe_count": "SUM(unsubscribe_count)",
    "first_open": "MIN(first_open)",
    "last_open": "MAX(last_open)",
    "first_click": "MIN(first_click)",
    "last_click": "MAX(last_click)",
    "bounced": "BOOL_OR(COALESCE(bounced, FALSE))",
    "opted_out": "BOOL_OR(COALESCE(opted_out, FALSE))",
}


class CampaignMasterTotal(models.Model):
    """What one person did on all campaigns of one account: a narrow table beside the people.
    Who did nothing yet is not in it.

    Kept in a table, so that lists of people can be searched and sorted by it; in a table of its
    own, because writing ``res_partner`` costs five times as much, and so that companies which
    share a contact do not share what they know about him. Derived from the recipients alone:
    :meth:`_refresh` may be called at any time.

    Nobody reads it but through the fields of ``campaign.master.person``.
    """

    _name = "campaign.master.total"
    _description = "Campaign Master Totals of a Person"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", ondelete="cascade")
    lead_id = fields.Many2one("crm.lead", ondelete="cascade")
    open_count = fields.Integer()
    click_count = fields.Integer()
    forward_count = fields.Integer()
    unsubscribe_count = fields.Integer()
    first_open = fields.Datetime()
    last_open = fields.Datetime()
    first_click = fields.Datetime()
    last_click = fields.Datetime()
    bounced = fields.Boolean()
    opted_out = fields.Boolean()

    _unique_partner = models.UniqueIndex("(partner_id, company_id) WHERE partner_id IS NOT NULL")
    _unique_lead = models.UniqueIndex("(lead_id, company_id) WHERE lead_id IS NOT NULL")

    @api.model
    def _refresh(self, person_field, ids):
        """Derive the totals of some people from their lines, and write those that changed.

        :param str person_field: ``partner_id`` or ``lead_id``
        :param ids: ids of these people, or ``None``
        """
        if not ids:
            return
        self.flush_model()
        self.env["campaign.master.recipient"].flush_model()
        self.env["utm.campaign"].flush_model(["campaign_master_company_id"])
        person = SQL.identifier(person_field)
        columns = [SQL.identifier(name) for name in TOTALS]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO campaign_master_total AS total (%(person)s, company_id, %(columns)s)
                SELECT line.%(person)s, campaign.campaign_master_company_id, %(sums)s
                  FROM campaign_master_recipient AS line
                  JOIN utm_campaign AS campaign ON campaign.id = line.campaign_id
                 WHERE line.%(person)s = ANY(%(ids)s)
                   AND campaign.campaign_master_company_id IS NOT NULL
                 GROUP BY line.%(person)s, campaign.campaign_master_company_id
                 ORDER BY line.%(person)s
                ON CONFLICT (%(person)s, company_id) WHERE %(person)s IS NOT NULL DO UPDATE
                   SET (%(columns)s) = (%(news)s)
                 WHERE (%(olds)s) IS DISTINCT FROM (%(news)s)
                """,
                person=person,
                columns=SQL(", ").join(columns),
                sums=SQL(", ").join(SQL(formula) for formula in TOTALS.values()),
                ids=list(ids),
                olds=SQL(", ").join(SQL("total.%s", column) for column in columns),
                news=SQL(", ").join(SQL("EXCLUDED.%s", column) for column in columns),
            )
        )
        self.env.invalidate_all()

    @api.model
    def _refresh_people(self, people):
        """As :meth:`_refresh`, for ``(partner_id, lead_id)`` of some recipients."""
        self._refresh("partner_id", {partner for partner, _lead in people if partner})
        self._refresh("lead_id", {lead for _partner, lead in people if lead})

    @api.model
    def _forget_people(self, people):
        """As :meth:`_forget`, for ``(partner_id, lead_id)`` of some recipients."""
        self._forget("partner_id", {partner for partner, _lead in people if partner})
        self._forget("lead_id", {lead for _partner, lead in people if lead})

    @api.model
    def _forget(self, person_field, ids):
        """Derive anew the totals of people some of whose lines were deleted.

        :param str person_field: ``partner_id`` or ``lead_id``
        :param ids: ids of these people
        """
        if ids:
            self.env.cr.execute(
                SQL(
                    "DELETE FROM campaign_master_total WHERE %s = ANY(%s)",
                    SQL.identifier(person_field),
                    list(ids),
                )
            )
            self._refresh(person_field, ids)
