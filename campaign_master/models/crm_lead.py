from odoo import models


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "campaign.master.person"]

    _campaign_master_field = "lead_id"
