from odoo import models


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "campaign.master.person"]

    _campaign_master_field = "lead_id"

    def _merge_dependences(self, opportunities):
        self.env["campaign.master.recipient"].sudo()._merge_people(opportunities, self)
        return super()._merge_dependences(opportunities)
