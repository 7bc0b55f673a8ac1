from odoo import models


class CampaignMasterTemplate(models.Model):
    _name = "campaign.master.template"
    _description = "Campaign Master Template"
    _inherit = ["campaign.master.catalog"]
