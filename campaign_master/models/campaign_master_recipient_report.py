from odoo import api, fields, models
from odoo.tools import SQL

from .campaign_master_rates import Rate
from .campaign_master_recipient import KINDS, MACHINE_RULES, RESULTS
from .campaign_master_recipient_sums import PEOPLE

# The measures, each with the people whom it counts. A click counts as an open, as in filters.
MEASURES = {
    "delivered": PEOPLE["delivered"],
    "opened": PEOPLE["opened"] | PEOPLE["clicked"],
    "clicked": PEOPLE["clicked"],
    "opted_out": PEOPLE["opted_out"],
}


def _measure(string, description):
    return fields.Integer(
        string=string,
        readonly=True,
        help=f"{description} Each address counts once per campaign.",
    )


def _rate(string, numerator):
    return Rate(
        string=string,
        numerator=numerator,
        denominator="delivered",
        readonly=True,
        digits=(16, 2),
        help=f"{numerator.capitalize()} ÷ delivered, in percent. For several people, the sums are "
        "divided.",
    )


class CampaignMasterRecipientReport(models.Model):
    """Who received, opened and clicked campaigns: Reporting › Campaign Master › Recipients.

    A row is an address that a campaign was sent to, with the person that counts for it. It has the
    recipient's id, and its record rules. What it says of people is read as it is now. PostgreSQL
    reads each recipient once, and contacts and users only if they are asked for.
    """

    _name = "campaign.master.recipient.report"
    _inherit = ["campaign.master.rates.mixin"]
    _description = "Campaign Master Recipients Analysis"
    _rec_name = "email"
    _order = "sent_at desc, id desc"
    _auto = False
    # Flushed before the tables are read.
    _depends = {
        "campaign.master.recipient": [
            "campaign_id",
            "partner_id",
            "lead_id",
            "kind",
            "email",
            "is_twin",
            "sent_to",
            "delivered",
            "result",
            "open_count",
            "click_count",
            "first_click",
            "machine_rule",
            "opted_out_here",
        ],
        "campaign.master.campaign": ["campaign_id", "sent_at"],
        "utm.campaign": [
            "campaign_master_company_id",
            "campaign_master_list_id",
            "campaign_master_template_id",
        ],
        "crm.lead": ["country_id", "partner_id", "team_id", "user_id"],
        "res.partner": ["country_id", "industry_id", "user_id"],
        "res.users": ["sale_team_id"],
    }

    campaign_id = fields.Many2one("utm.campaign", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    template_id = fields.Many2one("campaign.master.template", readonly=True)
    list_id = fields.Many2one("campaign.master.list", readonly=True)
    sent_at = fields.Datetime(
        string="Sent On",
        readonly=True,
        help="When Campaign Master sent the campaign; if it does not say so, when Odoo saw it.",
    )
    email = fields.Char(readonly=True, help="Address that the campaign was sent to.")
    kind = fields.Selection(KINDS, readonly=True)
    result = fields.Selection(
        RESULTS, readonly=True, help="What happened so far; the first that applies."
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        readonly=True,
        help="The contact or company, or the lead's.",
    )
    lead_id = fields.Many2one("crm.lead", readonly=True, groups="sales_team.group_sale_salesman")
    country_id = fields.Many2one(
        "res.country", readonly=True, help="The lead's; if it has none, the contact's."
    )
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        readonly=True,
        help="The lead's; if it has none, the contact's.",
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Sales Team",
        readonly=True,
        help="The lead's; if it has none, the salesperson's.",
    )
    industry_id = fields.Many2one("res.partner.industry", readonly=True, help="The contact's.")
    tag_ids = fields.Many2many(
        related="partner_id.category_id",
        string="Contact Tags",
        help="The contact's. A person with several tags counts in each of them, and once in the "
        "total.",
    )
    lead_tag_ids = fields.Many2many(
        related="lead_id.tag_ids",
        string="Lead Tags",
        groups="sales_team.group_sale_salesman",
        help="A lead with several tags counts in each of them, and once in the total.",
    )
    first_click = fields.Datetime(readonly=True, help="Time of the first click.")
    machine_rule = fields.Selection(
        MACHINE_RULES,
        string="Likely Machine",
        readonly=True,
        help="The rule by which security software, rather than the person, has probably reacted.",
    )

    delivered = _measure(
        "Delivered", "People to whom the campaign was sent, and whose address did not bounce."
    )
    opened = _measure("Opened", "People who opened the email. A click counts as an open.")
    clicked = _measure("Clicked", "People who clicked a link in the email.")
    opted_out = _measure(
        "Opted Out", "People who unsubscribed through the campaign or reported it as spam."
    )
    opened_rate = _rate("Opened %", "opened")
    clicked_rate = _rate("Clicked %", "clicked")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT person.*,
                   CASE WHEN delivered + opened > 0 THEN 100.0 * opened END AS opened_rate,
                   CASE WHEN delivered + clicked > 0 THEN 100.0 * clicked END AS clicked_rate
              FROM (
                  SELECT recipient.id, recipient.campaign_id, recipient.email, recipient.kind,
                         recipient.result, recipient.lead_id, recipient.first_click,
                         recipient.machine_rule, %(measures)s,
                         campaign.campaign_master_company_id AS company_id,
                         campaign.campaign_master_template_id AS template_id,
                         campaign.campaign_master_list_id AS list_id,
                         work.sent_at,
                         COALESCE(recipient.partner_id, lead.partner_id) AS partner_id,
                         COALESCE(lead.country_id, partner.country_id) AS country_id,
                         COALESCE(lead.user_id, partner.user_id) AS user_id,
                         COALESCE(lead.team_id, seller.sale_team_id) AS team_id,
                         partner.industry_id
                    FROM campaign_master_recipient AS recipient
                    JOIN utm_campaign AS campaign ON campaign.id = recipient.campaign_id
                         LEFT JOIN campaign_master_campaign AS work
                                ON work.campaign_id = recipient.campaign_id
                         LEFT JOIN crm_lead AS lead ON lead.id = recipient.lead_id
                         LEFT JOIN res_partner AS partner
                                ON partner.id = COALESCE(recipient.partner_id, lead.partner_id)
                         LEFT JOIN res_users AS seller
                                ON seller.id = COALESCE(lead.user_id, partner.user_id)
                   WHERE %(sent)s
              ) AS person
            """,
            measures=SQL(", ").join(
                SQL("(%s)::integer AS %s", self._people_sql(people), SQL.identifier(name))
                for name, people in MEASURES.items()
            ),
            sent=self._people_sql(PEOPLE["sent"]),
        )

    @api.model
    def _people_sql(self, people):
        """:param Domain people: some recipients
        :return: whether ``recipient`` is one of them; never NULL"""
        recipients = self.env["campaign.master.recipient"].sudo()
        condition = people.optimize_full(recipients)._to_sql(recipients, "recipient", None)
        return SQL("COALESCE(%s, FALSE)", condition)

    def action_open_person(self):
        """Open the lead, contact or company."""
        return self.env["campaign.master.recipient"].browse(self.id).action_open_person()
