from odoo import api, fields, models
from odoo.tools import SQL

# The columns, and how they are computed from a person's recipients.
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


class CampaignMasterEngagement(models.Model):
    """What one person did on all campaigns of one company. People without activity need no row.

    Stored, so that lists of people can be searched and sorted by it. In its own narrow table,
    because writing ``res_partner`` takes five times as long, and because companies that share a
    contact must not share this. Computed from the recipients alone: :meth:`_recompute_totals` may
    run at any time.

    Read through the fields of ``campaign.master.engagement.mixin`` only.
    """

    _name = "campaign.master.engagement"
    _description = "Campaign Master Engagement of a Person"
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
    def _recompute_people(self, people, removed=False):
        """Recompute the totals of the people behind some recipients.

        :param people: tuples ``(partner_id, lead_id)``, one of them ``None``
        :param bool removed: whether recipients were removed, so that rows may have to go
        """
        partner_ids = {partner_id for partner_id, _lead_id in people if partner_id}
        lead_ids = {lead_id for _partner_id, lead_id in people if lead_id}
        self._recompute_totals("partner_id", partner_ids, removed)
        self._recompute_totals("lead_id", lead_ids, removed)

    @api.model
    def _recompute_totals(self, person_field, ids, removed=False):
        """Recompute the totals of some people, and write those that changed, in one statement.

        :param str person_field: ``partner_id`` or ``lead_id``
        :param ids: ids of these people
        :param bool removed: as in :meth:`_recompute_people`
        """
        if not ids:
            return
        ids = list(ids)
        self.flush_model()
        self.env["campaign.master.recipient"].flush_model()
        self.env["utm.campaign"].flush_model(["campaign_master_company_id"])
        person = SQL.identifier(person_field)
        if removed:
            self.env.cr.execute(
                SQL("DELETE FROM campaign_master_engagement WHERE %s = ANY(%s)", person, ids)
            )
        columns = [SQL.identifier(name) for name in TOTALS]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO campaign_master_engagement AS engagement
                            (%(person)s, company_id, %(columns)s)
                SELECT recipient.%(person)s, campaign.campaign_master_company_id, %(sums)s
                  FROM campaign_master_recipient AS recipient
                  JOIN utm_campaign AS campaign ON campaign.id = recipient.campaign_id
                 WHERE recipient.%(person)s = ANY(%(ids)s)
                   AND campaign.campaign_master_company_id IS NOT NULL
                 GROUP BY recipient.%(person)s, campaign.campaign_master_company_id
                 ORDER BY recipient.%(person)s
                ON CONFLICT (%(person)s, company_id) WHERE %(person)s IS NOT NULL DO UPDATE
                   SET (%(columns)s) = (%(new)s)
                 WHERE (%(old)s) IS DISTINCT FROM (%(new)s)
                """,
                person=person,
                columns=SQL(", ").join(columns),
                sums=SQL(", ").join(SQL(formula) for formula in TOTALS.values()),
                ids=ids,
                old=SQL(", ").join(SQL("engagement.%s", column) for column in columns),
                new=SQL(", ").join(SQL("EXCLUDED.%s", column) for column in columns),
            )
        )
        self.invalidate_model()
        for model in ("res.partner", "crm.lead"):
            self.env[model].invalidate_model([f"campaign_master_{name}" for name in TOTALS])
