from odoo import models


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "campaign.master.engagement.mixin"]

    _campaign_master_field = "lead_id"

    def _merge_dependences(self, opportunities):
        # sudo: recipients of other companies and campaigns follow the lead, too
        self.env["campaign.master.recipient"].sudo()._merge_people(opportunities, self)
        return super()._merge_dependences(opportunities)
