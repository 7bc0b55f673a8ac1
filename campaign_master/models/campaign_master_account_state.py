from odoo import api, fields, models
from odoo.tools import SQL


class CampaignMasterAccountState(models.Model):
    """What API calls leave behind for an account: token, limits, counters and times.

    Created with the account and written in short transactions of their own, by
    ``tools.AccountLedger`` (``notified_problem``: together with the activity; ``unrecorded``:
    ``campaign.master.trace``). Token and refusal belong to one login: with an older
    ``login_version`` than the account's they do not count. Limits and counters belong to the
    account.
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
    login_doubts = fields.Integer(
        readonly=True, help="How often the login was refused, but perhaps by a proxy."
    )
    login_retry_at = fields.Datetime(readonly=True, help="When such a login is tried again.")
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

    recording_until = fields.Datetime(
        readonly=True, help="Requests and responses are recorded until then."
    )
    unrecorded = fields.Integer(
        readonly=True, help="Requests that were left out because the recording is full."
    )

    _unique_account = models.UniqueIndex("(account_id)")

    def _is_login_refused(self):
        """:return: whether the account's present login was refused"""
        self.ensure_one()
        return bool(self.login_refused_at and self.login_version == self.account_id.login_version)

    def _is_login_paused(self):
        """:return: whether scheduled actions wait because the account's present login was refused,
        or perhaps refused by a proxy"""
        self.ensure_one()
        is_refused = self.login_refused_at or self.login_doubts
        return bool(is_refused and self.login_version == self.account_id.login_version)

    @api.model
    def _next_record(self, model, due, urgent, order, paused_ids=()):
        """Find what a scheduled action does next. Accounts take turns, see
        ``AccountLedger.after_call``.

        In SQL, because it runs before each call: through the ORM it takes 2.4 ms instead of 0.6.

        :param model: an empty recordset of a model with ``account_id``
        :param SQL due: which of its rows, ``record``, may be done now
        :param SQL urgent: which of those do not wait while their account is paused, because its
            login was refused or it is one of ``paused_ids``
        :param SQL order: which of an account's rows is first
        :param paused_ids: ids of accounts
        :return: the record, or an empty recordset; and how many are due
        :rtype: tuple
        """
        for written in (model, self, self.account_id):
            written.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT record.id, COUNT(*) OVER ()
                  FROM %(table)s AS record
                  JOIN campaign_master_account AS account ON account.id = record.account_id
                  JOIN campaign_master_account_state AS state ON state.account_id = account.id
                 WHERE account.enabled AND %(due)s
                   AND (%(urgent)s
                        OR account.id <> ALL(%(paused)s)
                           AND (state.login_refused_at IS NULL
                                OR state.login_version IS DISTINCT FROM account.login_version))
                 ORDER BY state.next_turn_at NULLS FIRST, account.id, %(order)s
                 LIMIT 1
                """,
                table=SQL.identifier(model._table),
                due=due,
                urgent=urgent,
                paused=[*paused_ids],
                order=order,
            )
        )
        record_id, waiting = rows[0] if rows else (None, 0)
        return model.browse(record_id), waiting
