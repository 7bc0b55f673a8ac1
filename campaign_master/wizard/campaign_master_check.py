from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import email_normalize

from ..client import wire
from ..client.check_steps import LOGIN, NAME, READING, WRITING, Target
from ..models.campaign_master_recipient import SENT_STATUSES
from ..tools import check_administrator, format_count


class CampaignMasterCheckReading(models.TransientModel):
    """Starts a check of the API, with the calls that read."""

    _name = "campaign.master.check.reading"
    _description = "Check API"

    account_id = fields.Many2one("campaign.master.account", required=True, readonly=True)
    calls_message = fields.Char(compute="_compute_calls_message")
    sent_campaign_ids = fields.Many2many(
        "utm.campaign", string="Sent Campaigns", compute="_compute_sent_campaign_ids"
    )
    campaign_id = fields.Many2one(
        "utm.campaign",
        string="Sent Campaign",
        domain="[('id', 'in', sent_campaign_ids)]",
        help="A campaign that was sent, to check its statistics and activity.",
    )
    campaign_ref = fields.Char(
        string="ID in Campaign Master",
        compute="_compute_campaign_ref",
        store=True,
        readonly=False,
        help="ID of the sent campaign. Enter it for a campaign that was not created by Odoo.",
    )

    @api.depends("account_id", "campaign_ref")
    def _compute_calls_message(self):
        for wizard in self:
            target = Target(campaign_ref=wizard.campaign_ref or "")
            calls = sum(not step.why_not(target) for step in READING if step is not LOGIN)
            wizard.calls_message = " ".join(
                [
                    self.env._("This makes %(calls)s API calls.", calls=calls),
                    calls_left_message(wizard.account_id),
                ]
            )

    @api.depends("account_id")
    def _compute_sent_campaign_ids(self):
        for wizard in self:
            wizard.sent_campaign_ids = wizard._sent_campaigns()

    @api.depends("campaign_id")
    def _compute_campaign_ref(self):
        for wizard in self:
            wizard.campaign_ref = (
                wizard._sent_campaigns() & wizard.campaign_id
            ).campaign_master_ref

    def _sent_campaigns(self):
        """:return: the account's sent campaigns, as superuser: an administrator may have no access
        to Email Marketing"""
        accounts = self.account_id._filtered_access("write")
        return (
            self.env["utm.campaign"]
            .sudo()
            .search(
                [
                    ("campaign_master_account_id", "in", accounts.ids),
                    ("campaign_master_remote_status", "in", SENT_STATUSES),
                ]
            )
        )

    @api.constrains("campaign_ref")
    def _check_campaign_ref(self):
        for wizard in self.filtered("campaign_ref"):
            if not wire.is_ref(wizard.campaign_ref):
                raise ValidationError(
                    self.env._("“%(ref)s” is not a valid ID.", ref=wizard.campaign_ref)
                )

    def action_check(self):
        """Start the check.

        :return: an action that opens it
        :rtype: dict
        """
        self.ensure_one()
        check_administrator(self.account_id)
        # sudo: nobody may create or change checks
        record = (
            self.env["campaign.master.api.check"].sudo()._start(self.account_id, self.campaign_ref)
        )
        return record._open()


class CampaignMasterCheckWriting(models.TransientModel):
    """Continues a check with the calls that write, after the user has confirmed them."""

    _name = "campaign.master.check.writing"
    _description = "Check API: Writing"

    check_id = fields.Many2one("campaign.master.api.check", required=True, readonly=True)
    account_id = fields.Many2one(related="check_id.account_id")
    calls_message = fields.Char(compute="_compute_calls_message")
    list_id = fields.Many2one(
        "campaign.master.list",
        required=True,
        domain="[('account_id', '=', account_id)]",
        default=lambda self: self._default_list_id(),
        help="An empty list named “Odoo API check”. Create it in Campaign Master.",
    )
    email = fields.Char(
        string="Your Address", compute="_compute_email", help="It is added to the list."
    )
    confirmed = fields.Boolean(string="Write this to Campaign Master")

    @api.model
    def _default_list_id(self):
        record = self.env["campaign.master.api.check"].browse(
            self.env.context.get("default_check_id")
        )
        return self.env["campaign.master.list"].search(
            [("account_id", "=", record.account_id.id), ("name", "=", NAME)], limit=1
        )

    @api.depends("check_id")
    def _compute_calls_message(self):
        for wizard in self:
            wizard.calls_message = " ".join(
                [
                    self.env._("This makes about %(calls)s API calls.", calls=len(WRITING)),
                    calls_left_message(wizard.account_id),
                ]
            )

    @api.depends_context("uid")
    def _compute_email(self):
        self.email = email_normalize(self.env.user.email)

    def action_write(self):
        """Continue the check.

        :return: an action that closes the window
        :rtype: dict
        :raise UserError: not confirmed, not possible now, or the list is not an empty one with this
            name
        """
        self.ensure_one()
        check_administrator(self.check_id)
        if not self.confirmed:
            raise UserError(self.env._("Tick “Write this to Campaign Master” first."))
        if not self.email:
            raise UserError(self.env._("Enter your email address in your preferences first."))
        # sudo: nobody may create or change checks
        record = self.check_id.sudo()
        if not record.can_write:
            raise UserError(self.env._("This check cannot continue. Start a new one first."))
        self._check_list(record)
        record._start_writing(self.list_id, self.email)
        return {"type": "ir.actions.act_window_close"}

    def _check_list(self, record):
        """:raise UserError: the list is another one, or people are on it"""
        remote_list = self.list_id
        if remote_list.account_id != self.account_id or not record._is_own_list(
            remote_list.name, remote_list.recipient_count, remote_list.ref, self.email
        ):
            raise UserError(
                self.env._(
                    "Select an empty list named “%(name)s”, so that nobody else is affected. "
                    "“%(list)s” has %(count)s recipients. Nothing was written.",
                    name=NAME,
                    list=remote_list.name,
                    count=format_count(self.env, remote_list.recipient_count),
                )
            )


def calls_left_message(account):
    """:return: how many calls are left
    :rtype: str"""
    account = account._filtered_access("write")
    hour = max(account.calls_hour_limit - account.calls_this_hour, 0)
    month = max(account.calls_month_limit - account.calls_this_month, 0)
    return account.env._(
        "%(hour)s calls are left this hour, %(month)s this month.",
        hour=format_count(account.env, hour),
        month=format_count(account.env, month),
    )
