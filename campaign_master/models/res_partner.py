from odoo import models


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "campaign.master.engagement.mixin"]

    _campaign_master_field = "partner_id"
