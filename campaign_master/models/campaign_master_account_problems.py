from odoo import SUPERUSER_ID, api, fields, models

from ..client import (
    CampaignMasterLedgerLimitError,
    CampaignMasterLoginRefusedError,
    CampaignMasterRateLimitError,
)
from ..tools import commit_with_retry, explain_cause, utcnow

ACTIVITY_TYPE = "mail.mail_activity_data_warning"


class CampaignMasterAccount(models.Model):
    """Problems of an account as a whole: an administrator is notified of each, once."""

    _inherit = "campaign.master.account"

    def _handle_error(self, error):
        """Store what an error says about the account, and notify an administrator once."""
        self.ensure_one()
        if isinstance(error, CampaignMasterRateLimitError) and error.period == "month":
            if not isinstance(error, CampaignMasterLedgerLimitError):
                self._ledger().end_month()
            self._notify_administrator(f"month {utcnow():%Y-%m}", error)
        elif isinstance(error, CampaignMasterLoginRefusedError):
            self._notify_administrator(f"login {self.login_version}", error)

    def _notify_administrator(self, problem, error):
        """Schedule an activity for an administrator, unless there was one about this problem.

        In its own transaction, together with the problem: the caller's may be rolled back, and
        another scheduled action may meet the same problem at the same moment.

        :param str problem: identifies the problem; another text is another problem
        """
        if self.sudo().state_ids.notified_problem == problem:
            return
        with self.env.registry.cursor() as cr:
            account = self.with_env(api.Environment(cr, SUPERUSER_ID, {}))
            commit_with_retry(account.env, account._schedule_activity, problem, error)

    def _schedule_activity(self, problem, error):
        """See :meth:`_notify_administrator`."""
        state = self.state_ids
        if state.notified_problem == problem:
            return
        # Written first: another scheduled action with the same problem waits here.
        state.notified_problem = problem
        state.flush_recordset()
        user = self._administrator()
        account = self.with_context(lang=user.lang, tz=user.tz)
        cause = explain_cause(account.env, error)
        effect = account.env._("Syncs and statistics are paused until this is fixed.")
        account.activity_schedule(
            ACTIVITY_TYPE,
            user_id=user.id,
            summary=account.env._("Campaign Master: action required"),
            note=f"{cause} {effect}",
        )

    def _administrator(self):
        """:return: the account's last editor, if still an administrator of the company; else
        another administrator"""
        self.ensure_one()
        administrators = self.env.ref("base.group_system").all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )
        return (
            self.write_uid & administrators or administrators[:1] or self.env.ref("base.user_admin")
        )

    def _login_hints(self, client, is_refused=False):
        """What an administrator should know about how the login is sent.

        :param client: ``client.CampaignMasterClient``
        :param bool is_refused: whether the login was refused
        :return: sentences
        :rtype: list[str]
        """
        hints = []
        if client.body_only:
            names = [self._fields[name]._description_string(self.env) for name in client.body_only]
            hints.append(
                self.env._(
                    "Sent in the request's body only, because headers take unaccented letters, "
                    "digits and punctuation: %(fields)s.",
                    fields=", ".join(names),
                )
            )
        if is_refused and self.client_id:
            hints.append(
                self.env._(
                    "A proxy on the way may have removed the headers client_id and client_secret, "
                    "because their names contain an underscore."
                )
            )
        return hints

    def _resume_paused_jobs(self):
        """Continue what was paused, after the login was corrected."""
        self.sudo().activity_unlink([ACTIVITY_TYPE])
        syncs = self.env["campaign.master.sync"].sudo()
        waiting = [
            ("account_id", "in", self.ids),
            ("state", "=", "running"),
            ("waiting", "=", True),
        ]
        syncs.search(waiting).next_at = fields.Datetime.now()
        self._cron("push_recipients")._trigger()
        self._cron("pull_statistics")._trigger()
