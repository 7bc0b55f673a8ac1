from odoo import fields, models

from ..tools import check_marketing_user


class CampaignMasterChangeList(models.TransientModel):
    """Changes the list of a synced campaign, after explaining the consequences."""

    _name = "campaign.master.change.list"
    _description = "Change List"

    campaign_id = fields.Many2one("utm.campaign", required=True, readonly=True)
    # As the user: the campaign may be another company's.
    account_id = fields.Many2one(
        related="campaign_id.campaign_master_account_id", related_sudo=False
    )
    current_list_id = fields.Many2one(
        related="campaign_id.campaign_master_list_id", related_sudo=False, string="Current List"
    )
    list_id = fields.Many2one(
        "campaign.master.list",
        string="New List",
        required=True,
        domain="[('account_id', '=', account_id), ('id', '!=', current_list_id)]",
        help="List in Campaign Master that the next sync adds the recipients to.",
    )

    def action_change(self):
        """Use the new list. The next sync adds all recipients to it."""
        self.ensure_one()
        check_marketing_user(self.env)
        self.campaign_id.campaign_master_list_id = self.list_id
        return {"type": "ir.actions.act_window_close"}
