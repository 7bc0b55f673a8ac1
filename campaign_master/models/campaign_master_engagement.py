from odoo import api, fields, models
from odoo.tools import SQL

# The columns, and how they are computed from what the person did on each campaign.
TOTALS = {
    "open_count": "SUM",
    "click_count": "SUM",
    "forward_count": "SUM",
    "unsubscribe_count": "SUM",
    "first_open": "MIN",
    "last_open": "MAX",
    "first_click": "MIN",
    "last_click": "MAX",
    "bounced": "BOOL_OR",
    "opted_out": "BOOL_OR",
}
# The same of the recipients that have a campaign and an address in common.
ONCE = [
    "BOOL_OR(bounced_address.email IS NOT NULL)"
    if name == "bounced"
    # One line may have been added later than the other, after the last activity.
    else f"{'MAX' if function == 'SUM' else function}({name})"
    for name, function in TOTALS.items()
]
# For the order of campaigns: when they were sent or, if that is not known, when Odoo saw it.
SENT_AT = SQL("COALESCE(work.sent_at, work.seen_sent_at)")
# With activity, or something else to say.
HAVING = SQL(
    "HAVING SUM(open_count + click_count + forward_count + unsubscribe_count) > 0"
    " OR BOOL_OR(bounced OR opted_out)"
)


class CampaignMasterEngagement(models.Model):
    """What one person did on all campaigns of one company; and how engaged the person is, in a
    word: see ``campaign_master_engagement_words.py``. People without activity have no totals, and
    those to whom nothing was delivered either have no row.

    Stored, so that lists of people can be searched and sorted by it. In its own narrow table,
    because writing ``res_partner`` takes five times as long, and because companies that share a
    contact must not share this. Computed from the recipients and the addresses of people alone:
    :meth:`_recompute_totals` may run at any time.

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

    def init(self):
        # As for recipients: updates touch no index.
        self.env.cr.execute(SQL("ALTER TABLE campaign_master_engagement SET (fillfactor = 50)"))

    @api.model
    def _contacts_of(self, lead_ids):
        """:return: ids of the contacts of those leads that are recipients, in the database
        :rtype: set[int]"""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT partner_id FROM crm_lead AS lead
                 WHERE id = ANY(%s) AND partner_id IS NOT NULL
                   AND EXISTS (SELECT FROM campaign_master_recipient WHERE lead_id = lead.id)
                """,
                list(lead_ids),
            )
        )
        return {partner_id for [partner_id] in rows}

    @api.model
    def _recompute_people(self, people, removed=False):
        """Recompute the totals of some people, and of the contacts of the leads among them.

        :param people: tuples ``(partner_id, lead_id)``, one of them ``None``
        :param bool removed: as in :meth:`_recompute_totals`
        """
        lead_ids = {lead_id for _partner_id, lead_id in people if lead_id}
        partner_ids = {partner_id for partner_id, _lead_id in people if partner_id}
        if lead_ids:
            self._recompute_totals("crm.lead", lead_ids, removed)
            partner_ids |= self._contacts_of(lead_ids)
        self._recompute_totals("res.partner", partner_ids, removed)

    @api.model
    def _recompute_totals(self, model, ids, removed=False):
        """Recompute the totals of some people, and write those that changed, in one statement.

        Reads addresses and contacts from the database: when a change of them is written there,
        people are recomputed again.

        :param str model: ``res.partner`` or ``crm.lead``
        :param ids: ids of these people
        :param bool removed: whether there may be less to count than before, so that totals may have
            to go
        """
        if not ids:
            return
        self.flush_model()
        self.env["campaign.master.recipient"].flush_model()
        self.env["utm.campaign"].flush_model(["campaign_master_company_id"])
        self.env["campaign.master.campaign"].flush_model(["sent_at", "seen_sent_at"])
        People = self.env[model]
        person_field = SQL.identifier(People._campaign_master_field)
        columns = [SQL.identifier(name) for name in TOTALS]
        self.env.cr.execute(
            SQL(
                """
                WITH line AS (
                    %(lines)s
                ), bounced_address AS MATERIALIZED (
                    %(bounced_addresses)s
                ), counted AS (
                    -- Once per campaign and address, although several lines have them: of people
                    -- who were merged, of a lead and its contact.
                    SELECT line.person_id, campaign.campaign_master_company_id AS company_id,
                           %(once)s
                      FROM line
                           JOIN utm_campaign AS campaign ON campaign.id = line.campaign_id
                           LEFT JOIN bounced_address
                               ON line.sent_to AND line.email = line.address
                               AND bounced_address.email = line.email
                               AND bounced_address.company_id = campaign.campaign_master_company_id
                     WHERE campaign.campaign_master_company_id IS NOT NULL
                     GROUP BY line.person_id, campaign.id, line.email
                ), total AS (
                    SELECT person_id, company_id, %(totals)s
                      FROM counted
                     GROUP BY person_id, company_id
                    %(having)s
                )
                %(removed)s
                INSERT INTO campaign_master_engagement AS engagement
                            (%(person)s, company_id, %(columns)s)
                SELECT person_id, company_id, %(columns)s FROM total ORDER BY person_id
                ON CONFLICT (%(person)s, company_id) WHERE %(person)s IS NOT NULL DO UPDATE
                   SET (%(columns)s) = (%(new)s)
                 WHERE (%(old)s) IS DISTINCT FROM (%(new)s)
                """,
                lines=People._campaign_master_lines_sql(list(ids)),
                bounced_addresses=self._bounced_addresses_sql(),
                once=SQL(", ").join(
                    SQL("%s AS %s", SQL(formula), column)
                    for formula, column in zip(ONCE, columns, strict=True)
                ),
                totals=SQL(", ").join(
                    SQL("%s(%s) AS %s", SQL(function), column, column)
                    for function, column in zip(TOTALS.values(), columns, strict=True)
                ),
                having=HAVING if removed else SQL(""),
                removed=self._clear_sql(person_field, columns, list(ids)) if removed else SQL(""),
                person=person_field,
                columns=SQL(", ").join(columns),
                old=SQL(", ").join(SQL("engagement.%s", column) for column in columns),
                new=SQL(", ").join(SQL("EXCLUDED.%s", column) for column in columns),
            )
        )
        self.invalidate_model(flush=False)
        People.invalidate_model([f"campaign_master_{name}" for name in TOTALS], flush=False)

    @api.model
    def _clear_sql(self, person_field, columns, ids):
        """:return: the part of the statement that clears the totals of people without activity"""
        return SQL(
            """
            , cleared AS (
                UPDATE campaign_master_engagement AS engagement SET (%(columns)s) = ROW (%(empty)s)
                 WHERE %(person)s = ANY(%(ids)s) AND open_count IS NOT NULL
                   AND NOT EXISTS (SELECT FROM total
                                    WHERE person_id = engagement.%(person)s
                                      AND company_id = engagement.company_id))
            """,
            columns=SQL(", ").join(columns),
            empty=SQL(", ").join([SQL("NULL")] * len(columns)),
            person=person_field,
            ids=ids,
        )

    @api.model
    def _bounced_addresses_sql(self):
        """:return: a SELECT of the people's present addresses that bounced, by company: on the
        latest campaign that was sent to the address, and without an open or click there"""
        return SQL(
            """
            SELECT present.address AS email, latest.company_id
              FROM (SELECT DISTINCT address FROM line WHERE sent_to AND email = address) AS present
                   -- LIMIT: PostgreSQL looks up each address, whatever it expects to find.
                   CROSS JOIN LATERAL (
                       SELECT FROM campaign_master_recipient
                        WHERE email = present.address AND bounced LIMIT 1
                   ) AS bounce
                   CROSS JOIN LATERAL (
                       -- Without a time: somebody reacted before Odoo saw that it was sent.
                       SELECT DISTINCT ON (campaign.campaign_master_company_id)
                              campaign.campaign_master_company_id AS company_id,
                              sent.bounced AND sent.open_count = 0 AND sent.click_count = 0
                              AS is_bounced
                         FROM campaign_master_recipient AS sent
                         JOIN utm_campaign AS campaign ON campaign.id = sent.campaign_id
                              LEFT JOIN campaign_master_campaign AS work
                                  ON work.campaign_id = campaign.id
                        WHERE sent.email = present.address AND sent.sent_to
                        ORDER BY campaign.campaign_master_company_id,
                                 %s DESC NULLS FIRST, campaign.id DESC, sent.id
                   ) AS latest
             WHERE latest.is_bounced
            """,
            SENT_AT,
        )
