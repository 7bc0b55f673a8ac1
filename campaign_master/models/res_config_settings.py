from odoo import api, fields, models
from odoo.exceptions import ValidationError

CRONS = ("pull_statistics", "push_recipients", "refresh_catalogue")


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    # Not related fields: their inverse has no effect before the account exists.
    campaign_master_service = fields.Selection(
        [("campaign_master", "Campaign Master")],
        string="External Campaign Manager",
        default="campaign_master",
        required=True,
    )
    campaign_master_account_id = fields.Many2one(
        "campaign.master.account", compute="_compute_campaign_master_account_id"
    )
    campaign_master_enabled = fields.Boolean(
        string="Enabled",
        help="Show Campaign Master on this company's campaigns, add recipients to its lists and "
        "read statistics. Odoo's Campaigns menu is activated, too.",
    )
    campaign_master_username = fields.Char(
        string="Username",
        help="Your username for the Campaign Master website. There is no API key.",
    )
    campaign_master_password = fields.Char(
        string="Password",
        compute="_compute_campaign_master_password",
        inverse="_inverse_campaign_master_password",
        help="Your password for the Campaign Master website. It is write-only: leave the field "
        "empty to keep the saved one.",
    )
    # The entered password on its way from the form to the account; nobody can read it.
    campaign_master_secret = fields.Char(groups=fields.NO_ACCESS)
    campaign_master_client_id = fields.Char(
        string="Client ID",
        help="Only if Campaign Master gave you one for its API. If you clear it, the client secret "
        "is deleted, too.",
    )
    campaign_master_client_secret = fields.Char(
        string="Client Secret",
        compute="_compute_campaign_master_password",
        inverse="_inverse_campaign_master_client_secret",
        help="The secret for the client ID. It is write-only: leave the field empty to keep the "
        "saved one.",
    )
    # As above.
    campaign_master_entered_client_secret = fields.Char(groups=fields.NO_ACCESS)
    campaign_master_api_url = fields.Char(
        string="API Address",
        help="Address of the Campaign Master API for your account, with its path. Campaign "
        "Master's support can tell you. If you change it, enter the password and the client "
        "secret again: they will be sent to this address.",
    )
    campaign_master_has_password = fields.Boolean(related="campaign_master_account_id.has_password")
    campaign_master_has_client_secret = fields.Boolean(
        related="campaign_master_account_id.has_client_secret"
    )
    campaign_master_login_refused_at = fields.Datetime(
        related="campaign_master_account_id.login_refused_at"
    )
    campaign_master_schedule = fields.Html(
        compute="_compute_campaign_master_schedule", sanitize=False
    )

    @api.depends("company_id")
    def _compute_campaign_master_account_id(self):
        for settings in self:
            settings.campaign_master_account_id = self._campaign_master_account(
                settings.company_id or self.env.company
            )

    @api.model
    def _campaign_master_account(self, company):
        """:return: the company's account, enabled or not; empty before there is one"""
        return self.env["campaign.master.account"].search([("company_id", "=", company.id)])

    def _compute_campaign_master_password(self):
        self.campaign_master_password = False
        self.campaign_master_client_secret = False

    def _inverse_campaign_master_password(self):
        for settings in self:
            settings.sudo().campaign_master_secret = settings.campaign_master_password

    def _inverse_campaign_master_client_secret(self):
        for settings in self:
            settings.sudo().campaign_master_entered_client_secret = (
                settings.campaign_master_client_secret
            )

    @api.depends("campaign_master_account_id")
    def _compute_campaign_master_schedule(self):
        for settings in self:
            account = settings.campaign_master_account_id
            settings.campaign_master_schedule = account and self.env["ir.qweb"]._render(
                "campaign_master.settings_schedule",
                {
                    "account": account,
                    "crons": [
                        (cron, self._next_run(cron)) for cron in self._campaign_master_crons()
                    ],
                    "purposes": account._calls_by_purpose(),
                },
            )

    @api.model
    def _campaign_master_crons(self):
        return [self.env["campaign.master.account"]._cron(name) for name in CRONS]

    @api.model
    def _next_run(self, cron):
        """:return: when the scheduled action runs next: at its interval, or earlier if triggered
        :rtype: datetime"""
        [[triggered_at]] = (
            self.env["ir.cron.trigger"]
            .sudo()
            ._read_group([("cron_id", "=", cron.id)], [], ["call_at:min"])
        )
        return min(triggered_at or cron.nextcall, cron.nextcall)

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        # The web client reads the record that it has just created.
        records.invalidate_recordset(["campaign_master_password", "campaign_master_client_secret"])
        return records

    def write(self, vals):
        result = super().write(vals)
        self.invalidate_recordset(["campaign_master_password", "campaign_master_client_secret"])
        return result

    @api.model
    def get_values(self):
        account = self._campaign_master_account(self.env.company)
        return super().get_values() | {
            "campaign_master_enabled": account.enabled,
            "campaign_master_username": account.username,
            "campaign_master_client_id": account.client_id,
            "campaign_master_api_url": account.api_url
            or account.default_get(["api_url"])["api_url"],
        }

    def set_values(self):
        if self.campaign_master_enabled:
            # The same form's Mailing Campaigns box may be unticked, which would hide the menu.
            self.group_mass_mailing_campaign = True
        result = super().set_values()
        account = self._campaign_master_account(self.company_id)
        entered = {
            "enabled": self.campaign_master_enabled,
            "username": self.campaign_master_username,
            "client_id": self.campaign_master_client_id,
            "api_url": self.campaign_master_api_url,
        }
        vals = {name: value for name, value in entered.items() if account[name] != value}
        if secret := self.sudo().campaign_master_secret:
            vals["password"] = secret
            # The form's record stays in the database for a while; the password must not.
            self.sudo().campaign_master_secret = False
        if client_secret := self.sudo().campaign_master_entered_client_secret:
            vals["client_secret"] = client_secret
            self.sudo().campaign_master_entered_client_secret = False
        if not account:
            if self.campaign_master_enabled or self.campaign_master_username:
                account.create({"company_id": self.company_id.id, **entered, **vals})
        elif vals:
            if "api_url" in vals and not vals["api_url"]:
                raise ValidationError(self.env._("Enter the API address. Nothing was saved."))
            account.write(vals)
        return result

    def action_campaign_master_test_connection(self):
        """Test the saved credentials; see ``campaign.master.account.action_test_connection``."""
        self.ensure_one()
        if not self.campaign_master_account_id:
            raise ValidationError(
                self.env._("Enter username and password and save before testing.")
            )
        return self.campaign_master_account_id.action_test_connection()
