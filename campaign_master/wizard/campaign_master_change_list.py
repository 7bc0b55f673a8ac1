from odoo import fields, models


class CampaignMasterChangeList(models.TransientModel):
    """Choose another list for a synced campaign, knowing what that means."""

    _name = "campaign.master.change.list"
    _description = "Choose Another List"

    campaign_id = fields.Many2one("utm.campaign", required=True, readonly=True)
    account_id = fields.Many2one(related="campaign_id.campaign_master_account_id")
    former_list_id = fields.Many2one(
        related="campaign_id.campaign_master_list_id", string="Present List"
    )
    list_id = fields.Many2one(
        "campaign.master.list",
        string="New List",
        required=True,
        domain="[('account_id', '=', account_id), ('id', '!=', former_list_id)]",
        help="The list in Campaign Master that the next sync adds the recipients to.",
    )

    def action_change(self):
        """Confirmed: everybody becomes a candidate for the new list."""
        self.ensure_one()
        self.env["campaign.master.account"]._check_marketing_user()
        self.campaign_id.campaign_master_list_id = self.list_id
        return {"type": "ir.actions.act_window_close"}
