from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import check_administrator


class CampaignMasterAccount(models.Model):
    """Checks of the API with this account, see ``campaign_master_api_check.py``."""

    _inherit = "campaign.master.account"

    api_check_ids = fields.One2many(
        "campaign.master.api.check", "account_id", groups="base.group_system"
    )
    api_check_count = fields.Integer(
        string="API Checks", compute="_compute_api_check_count", groups="base.group_system"
    )

    @api.depends("api_check_ids")
    def _compute_api_check_count(self):
        for account in self:
            account.api_check_count = len(account.api_check_ids)

    def action_check_api(self):
        """Open the wizard that says which calls a check makes.

        :raise AccessError: the user is not an administrator of the account's company
        :raise UserError: no username or password is saved
        """
        self.ensure_one()
        check_administrator(self)
        if not (self.username and self.has_password):
            raise UserError(self.env._("Enter username and password and save before checking."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check API"),
            "res_model": "campaign.master.check.reading",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_account_id": self.id},
        }

    def action_open_api_checks(self):
        """Open the account's checks and their reports.

        :raise AccessError: the user is not an administrator of the account's company
        """
        self.ensure_one()
        check_administrator(self)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_api_check_action"
        )
        return {**action, "domain": [("account_id", "=", self.id)]}
