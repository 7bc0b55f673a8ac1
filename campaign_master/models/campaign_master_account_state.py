from datetime import datetime

from odoo import api, fields, models
from odoo.fields import Domain


class CampaignMasterAccountState(models.Model):
    """What API calls leave behind for an account: token, limits, counters and times.

    Created with the account and written in short transactions of their own, by
    ``tools.AccountLedger`` (``notified_problem``: together with the activity). Token and refusal
    belong to one login: with an older ``login_version`` than the account's they do not count.
    Limits and counters belong to the account.
    """

    _name = "campaign.master.account.state"
    _description = "Campaign Master Account State"
    _rec_name = "account_id"
    _log_access = False

    account_id = fields.Many2one(
        "campaign.master.account", required=True, readonly=True, ondelete="cascade"
    )

    login_version = fields.Integer(
        readonly=True, help="The account's login version that the token or refusal belongs to."
    )
    token = fields.Char(groups=fields.NO_ACCESS)
    token_reset_at = fields.Datetime(groups=fields.NO_ACCESS)
    login_refused_at = fields.Datetime(readonly=True)
    notified_problem = fields.Char(
        readonly=True, help="The problem that an administrator was notified about last."
    )

    hour_limit = fields.Integer(readonly=True)
    hour_remaining = fields.Integer(readonly=True)
    hour_reset_at = fields.Datetime(readonly=True)
    month = fields.Char(readonly=True, help="Calendar month of the counted calls (UTC, YYYY-MM).")
    month_calls = fields.Integer(readonly=True)

    next_turn_at = fields.Datetime(
        readonly=True, help="Of the accounts with work to do, the one with the earliest is next."
    )

    catalog_requested_at = fields.Datetime(readonly=True)
    catalog_read_at = fields.Datetime(readonly=True)
    catalog_failed = fields.Boolean(readonly=True)

    _unique_account = models.UniqueIndex("(account_id)")

    def _is_login_refused(self):
        """:return: whether the account's present login was refused"""
        self.ensure_one()
        return bool(self.login_refused_at and self.login_version == self.account_id.login_version)

    @api.model
    def _next_record(self, model, due, urgent, order, paused_ids=()):
        """Find what a scheduled action does next. Accounts take turns, see
        ``AccountLedger.after_call``.

        :param model: an empty recordset of a model with ``account_id``
        :param due: domain of the records that may be done now
        :param urgent: domain of those that do not wait while their account is paused, because its
            login was refused or it is one of ``paused_ids``
        :param str order: which of an account's records is first
        :param paused_ids: ids of accounts
        :return: the record, or an empty recordset; and how many are due
        :rtype: tuple
        """
        columns = ["account_id", "login_version", "login_refused_at", "next_turn_at"]
        states = self.search_fetch([("account_id.enabled", "=", True)], columns)
        refused = states.filtered(lambda state: state._is_login_refused()).account_id
        due &= Domain("account_id", "in", states.account_id.ids)
        due &= Domain("account_id", "not in", [*refused.ids, *paused_ids]) | urgent
        waiting = dict(model._read_group(due, ["account_id"], ["__count"]))
        if not waiting:
            return model, 0
        states = states.filtered(lambda state: state.account_id in waiting)
        account = states.sorted(lambda state: state.next_turn_at or datetime.min)[0].account_id
        record = model.search(due & Domain("account_id", "=", account.id), order=order, limit=1)
        return record, sum(waiting.values())
