from dataclasses import dataclass
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..client import (
    CampaignMasterClient,
    CampaignMasterConfigurationError,
    CampaignMasterError,
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    CampaignMasterLoginRequestError,
)
from ..tools import AccountLedger, TrafficRecorder, check_administrator, explain, notification

DEFAULT_API_URL = "https://api.campaignmaster.co.uk"
# An empty value keeps the saved one.
WRITE_ONLY = ("password", "client_secret")
LOGIN_REFUSALS = (
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    CampaignMasterLoginRequestError,
)
# Even if a limit ends earlier according to our clock, which may be ahead of Campaign Master's.
MIN_RATE_LIMIT_DELAY = timedelta(minutes=1)


@dataclass(frozen=True)
class Mode:
    """How a client makes its calls.

    :ivar tuple timeout: seconds to connect, and to wait for data
    :ivar int retries: how often a call that is safe to repeat is repeated
    :ivar int seconds: the limit for one call with all repetitions
    :ivar bool background: whether a share of the limits is left for people, and a refused login is
        not tried again
    """

    timeout: tuple
    retries: int
    seconds: int
    background: bool


# A person started it and may be waiting.
INTERACTIVE = Mode(timeout=(3, 10), retries=1, seconds=20, background=False)
# Nobody is waiting, but other accounts wait for their turn.
BACKGROUND = Mode(timeout=(5, 30), retries=2, seconds=50, background=True)
# Fail fast: a form may be waiting for templates and lists.
QUICK = Mode(timeout=(3, 10), retries=0, seconds=20, background=True)


class CampaignMasterAccount(models.Model):
    """One Campaign Master login of one company: what administrators enter.

    What API calls leave behind is in ``campaign.master.account.state``. Templates and lists, limits
    of calls, alerts, rules for likely machines, problems, recorded traffic and checks of the API
    have files of their own, ``campaign_master_account_….py``.
    """

    _name = "campaign.master.account"
    # An activity notifies an administrator of what stops the account.
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _description = "Campaign Master Account"
    _rec_name = "company_id"
    _order = "company_id"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.company,
    )
    enabled = fields.Boolean(
        help="Show Campaign Master on this company's campaigns, add recipients to its lists and "
        "read statistics.",
    )
    username = fields.Char(
        groups="base.group_system",
        copy=False,
        help="Your username for the Campaign Master website.",
    )
    password = fields.Char(
        compute="_compute_password",
        inverse="_inverse_password",
        groups="base.group_system",
        copy=False,
        help="Your password for the Campaign Master website. It is write-only: leave the field "
        "empty to keep the saved one.",
    )
    has_password = fields.Boolean(compute="_compute_password", groups="base.group_system")
    client_id = fields.Char(
        string="Client ID",
        groups="base.group_system",
        copy=False,
        help="Only if Campaign Master gave you one for its API. If you clear it, the client secret "
        "is deleted, too.",
    )
    client_secret = fields.Char(
        compute="_compute_client_secret",
        inverse="_inverse_client_secret",
        groups="base.group_system",
        copy=False,
        help="The secret for the client ID. It is write-only: leave the field empty to keep the "
        "saved one.",
    )
    has_client_secret = fields.Boolean(compute="_compute_client_secret", groups="base.group_system")
    api_url = fields.Char(
        string="API Address",
        required=True,
        default=DEFAULT_API_URL,
        groups="base.group_system",
        help="Address of the Campaign Master API for your account, with its path. Campaign "
        "Master's support can tell you. If you change it, enter the password and the client "
        "secret again: they will be sent to this address.",
    )
    secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    saved_client_secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    # Nobody may turn it back: the token of the previous server would be sent to the present one.
    login_version = fields.Integer(
        groups=fields.NO_ACCESS,
        copy=False,
        help="Incremented when the login or the API address change. A token or refusal of an "
        "earlier version is not used.",
    )
    state_ids = fields.One2many(
        "campaign.master.account.state", "account_id", groups=fields.NO_ACCESS
    )
    login_refused_at = fields.Datetime(
        compute="_compute_login_refused_at",
        compute_sudo=True,
        help="Campaign Master refused the username and password at this time. Scheduled actions "
        "are paused until they are entered again or tested successfully.",
    )

    _unique_company = models.Constraint(
        "UNIQUE(company_id)", "A company can have only one Campaign Master account."
    )

    # === COMPUTE AND CONSTRAINTS === #

    @api.depends("secret")
    def _compute_password(self):
        for account in self:
            account.password = False
            account.has_password = bool(account.sudo().secret)

    def _inverse_password(self):
        """Store the password; an empty field keeps the saved one."""
        for account in self.filtered("password"):
            account.sudo().secret = account.password

    @api.depends("saved_client_secret")
    def _compute_client_secret(self):
        for account in self:
            account.client_secret = False
            account.has_client_secret = bool(account.sudo().saved_client_secret)

    def _inverse_client_secret(self):
        """Store the client secret; an empty field keeps the saved one."""
        for account in self.filtered("client_secret"):
            account.sudo().saved_client_secret = account.client_secret

    @api.depends("login_version", "state_ids.login_version", "state_ids.login_refused_at")
    def _compute_login_refused_at(self):
        for account in self:
            state = account.state_ids
            refused = state and state._is_login_refused()
            account.login_refused_at = state.login_refused_at if refused else False

    @api.constrains("enabled", "username", "secret")
    def _check_credentials(self):
        for account in self.sudo().filtered("enabled"):
            if not account.username:
                raise ValidationError(
                    self.env._(
                        "Enter the username of your Campaign Master login, or untick Enabled. "
                        "Nothing was saved."
                    )
                )
            if not account.secret:
                raise ValidationError(
                    self.env._(
                        "Enter the password of your Campaign Master login, or untick Enabled. "
                        "Nothing was saved."
                    )
                )

    @api.constrains("api_url")
    def _check_api_url(self):
        for account in self.sudo():
            try:
                CampaignMasterClient(account.api_url, "-", "-").close()
            except CampaignMasterConfigurationError as error:
                raise ValidationError(
                    self.env._(
                        "The API address is not valid. It must start with https:// (http:// only "
                        "for this computer itself) and contain no username or password. Nothing "
                        "was saved."
                    )
                ) from error

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # An inverse runs after the constraints of create(), so what is checked together with the
        # password is written afterwards.
        vals_list = [dict(vals) for vals in vals_list]
        checked = [
            {name: vals.pop(name) for name in (*WRITE_ONLY, "enabled") if name in vals}
            for vals in vals_list
        ]
        accounts = super().create(vals_list)
        # sudo: nobody may write the state
        self.env["campaign.master.account.state"].sudo().create(
            [{"account_id": account.id} for account in accounts]
        )
        for account, vals in zip(accounts, checked, strict=True):
            account.write(vals)
        return accounts

    def write(self, vals):
        vals = dict(vals)
        entered = {name: vals.pop(name) for name in WRITE_ONLY if name in vals}
        entered = {name: value for name, value in entered.items() if value}
        is_client_cleared = "client_id" in vals and not vals["client_id"]
        if "api_url" in vals:
            self._check_reentered(vals["api_url"], entered, is_client_cleared)
        if entered:
            super().write(entered)
            # They must not be readable in this transaction's cache either.
            self.invalidate_recordset([*entered])
        result = super().write(vals)
        if is_client_cleared and "client_secret" not in entered:
            self.sudo().saved_client_secret = False
        if entered or {"username", "client_id", "api_url"} & vals.keys():
            for account in self.sudo():
                super(CampaignMasterAccount, account).write(
                    {"login_version": account.login_version + 1}
                )
            self._resume_paused_jobs()
        if "enabled" in vals and not vals["enabled"]:
            self._cancel_work()
        if vals.get("enabled"):
            # Odoo shows its Campaigns menu only with the Mailing Campaigns feature.
            self.env.ref("base.group_user").sudo()._apply_group(
                self.env.ref("mass_mailing.group_mass_mailing_campaign").sudo()
            )
            self._cron("refresh_catalogue")._trigger()
        return result

    def _check_reentered(self, api_url, entered, is_client_cleared):
        """:raise ValidationError: a saved password or client secret would be sent to another server

        :param dict entered: the new ones
        :param bool is_client_cleared: the client secret is deleted
        """
        for account in self.sudo():
            if account.api_url == api_url:
                continue
            has_client_secret = account.saved_client_secret and not is_client_cleared
            if has_client_secret and len(entered) < len(WRITE_ONLY):
                raise ValidationError(
                    self.env._(
                        "Enter the password and the client secret again to change the API address, "
                        "because they will be sent to the new address. Nothing was saved."
                    )
                )
            if account.secret and "password" not in entered:
                raise ValidationError(
                    self.env._(
                        "Enter the password again to change the API address, because it will be "
                        "sent to the new address. Nothing was saved."
                    )
                )

    def _cancel_work(self):
        syncs = self.env["campaign.master.sync"].sudo()
        for sync in syncs.search([("account_id", "in", self.ids), ("state", "=", "running")]):
            sync._end("cancelled", self.env._("Campaign Master was disabled in the settings."))
        rows = self.env["campaign.master.campaign"].sudo()
        for row in rows.search([("account_id", "in", self.ids), ("requested_at", "!=", False)]):
            row._end_request(self.env._("Campaign Master was disabled in the settings."))

    # === ACTION METHODS === #

    def action_test_connection(self):
        """Log in and read templates and lists.

        :return: a notification action that says what works and what does not
        :rtype: dict
        :raise AccessError: the user is not an administrator of the account's company
        :raise UserError: no username or password is saved
        """
        self.ensure_one()
        check_administrator(self)
        account = self.sudo()
        if not (account.username and account.secret):
            raise UserError(self.env._("Enter username and password and save before testing."))
        messages, failure = [], None
        was_paused = account.state_ids._is_login_paused()
        try:
            with account._client("catalog", INTERACTIVE) as client:
                client.authenticate()
                messages.append(
                    self.env._(
                        "Logged in to %(address)s as %(username)s.",
                        address=account.api_url,
                        username=account.username,
                    )
                )
                account._store_catalog(*account._read_catalog(client))
        except CampaignMasterError as error:
            failure = error
        account.invalidate_recordset()
        is_logged_in = bool(messages)
        if is_logged_in and was_paused:
            account._resume_paused_jobs()
        if failure:
            messages.append(explain(self.env, failure, in_settings=True))
            if not is_logged_in and isinstance(failure, LOGIN_REFUSALS):
                messages += account._login_hints(client, is_refused=True)
            return notification("danger", "\n".join(messages), sticky=True)
        messages += account._login_hints(client)
        messages.append(account._catalog_counts_message())
        if not account.enabled:
            messages.append(self.env._("Tick Enabled and save to use it."))
        return notification("success", "\n".join(messages))

    def action_open_settings(self):
        """Open the settings."""
        self.check_access("read")
        return self.env["ir.actions.act_window"]._for_xml_id(
            "mass_mailing.action_mass_mailing_configuration"
        )

    # === BUSINESS METHODS === #

    @api.model
    def _of_company(self, company):
        """:return: the company's enabled account as superuser, or an empty recordset"""
        return self.sudo().search([("company_id", "=", company.id), ("enabled", "=", True)])

    def _check_enabled(self):
        """:raise UserError: the account is disabled, or empty"""
        account = self.sudo()
        if not account.enabled:
            raise UserError(
                self.env._(
                    "Campaign Master is not enabled for %(company)s. Nothing was done. An "
                    "administrator can enable it in Settings › Email Marketing › External "
                    "Campaign Manager.",
                    company=(account.company_id or self.env.company).name,
                )
            )

    def _client(self, purpose, mode, observer=None):
        """Make a client for this account, for a ``with`` block.

        :param str purpose: what the calls are for, a purpose of ``campaign.master.usage``
        :param Mode mode: how the calls are made
        :param observer: called with each request and its answer, as in the client
        :rtype: client.CampaignMasterClient
        """
        self.ensure_one()
        account = self.sudo()
        ledger = account._ledger(purpose, mode.background)
        return CampaignMasterClient(
            account.api_url,
            account.username,
            account.secret,
            client_id=account.client_id or None,
            client_secret=account.saved_client_secret or None,
            ledger=ledger,
            timeout=mode.timeout,
            retries=mode.retries,
            seconds=mode.seconds,
            observer=TrafficRecorder(account, ledger, observer),
        )

    def _ledger(self, purpose="catalog", background=False):
        self.ensure_one()
        # The ledger has its own cursor and must find the rows in the database.
        self.env.flush_all()
        return AccountLedger(self.sudo(), purpose, background)

    @api.model
    def _cron(self, name):
        """:return: a scheduled action of this add-on, as superuser"""
        return self.env.ref(f"campaign_master.ir_cron_{name}").sudo()
