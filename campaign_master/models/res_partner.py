from odoo import api, models
from odoo.tools import SQL

from .campaign_master_engagement_mixin import LINE_COLUMNS


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "campaign.master.engagement.mixin"]

    _campaign_master_field = "partner_id"

    @api.model
    def _campaign_master_person_lines_sql(self, offset):
        """Add the recipients of leads that became this contact, if the address is still the same:
        as numbers only, the leads themselves may be hidden from the user."""
        return SQL(
            """
            %(own)s
            UNION ALL
            SELECT person.id AS person_id, person.address, recipient.*
              FROM person
                   CROSS JOIN LATERAL (
                       SELECT id FROM crm_lead WHERE partner_id = person.id %(offset)s
                   ) AS lead
                   CROSS JOIN LATERAL (
                       SELECT %(columns)s FROM campaign_master_recipient
                        WHERE lead_id = lead.id AND email = person.address %(offset)s
                   ) AS recipient
            """,
            own=super()._campaign_master_person_lines_sql(offset),
            columns=LINE_COLUMNS,
            offset=offset,
        )

    @api.model
    def _campaign_master_sources(self):
        return [*super()._campaign_master_sources(), self.env["crm.lead"]._fields["partner_id"]]

    def _campaign_master_lines_domain(self):
        domain = super()._campaign_master_lines_domain()
        if self.email_normalized and self.env["crm.lead"].has_access("read"):
            domain = [
                "|",
                *domain,
                "&",
                ("email", "=", self.email_normalized.lower()),
                ("lead_id.partner_id", "=", self.id),
            ]
        return domain
