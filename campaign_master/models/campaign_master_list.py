from odoo import api, fields, models


class CampaignMasterList(models.Model):
    _name = "campaign.master.list"
    _description = "Campaign Master List"
    _inherit = ["campaign.master.catalog"]

    recipient_count = fields.Integer(
        string="People", readonly=True, help="Number of people on the list in Campaign Master."
    )

    @api.model
    def _entry_columns(self):
        return {**super()._entry_columns(), "recipient_count": "integer"}

    @api.model
    def _entry_values(self, entry):
        return {**super()._entry_values(entry), "recipient_count": entry.recipients}
