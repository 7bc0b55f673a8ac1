from odoo import api, models

from ..tools import format_count
from .campaign_master_rates import Figure


class CampaignMasterList(models.Model):
    _name = "campaign.master.list"
    _description = "Campaign Master List"
    _inherit = ["campaign.master.catalog"]

    recipient_count = Figure(
        string="People",
        readonly=True,
        help="Number of people on the list in Campaign Master; 0 if it does not report it.",
    )

    @api.depends("name", "recipient_count")
    @api.depends_context("campaign_master_drop_down", "lang")
    def _compute_display_name(self):
        """In drop-downs, with the number of people, if Campaign Master reports it."""
        super()._compute_display_name()
        if not self.env.context.get("campaign_master_drop_down"):
            return
        for entry in self:
            if entry.recipient_count is not False:
                count = format_count(self.env, entry.recipient_count)
                entry.display_name = f"{entry.name} ({count})"

    @api.model
    def _entry_columns(self):
        return {**super()._entry_columns(), "recipient_count": "integer"}

    @api.model
    def _entry_values(self, entry):
        return {**super()._entry_values(entry), "recipient_count": entry.recipients}
