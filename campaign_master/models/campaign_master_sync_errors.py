import logging
from datetime import timedelta

from odoo import fields, models

from ..client import (
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
)
from ..tools import commit_with_retry, explain_cause, format_moment, to_odoo
from .campaign_master_account import MIN_RATE_LIMIT_DELAY

_logger = logging.getLogger(__name__)

# After an error that may pass, a sync waits 1, 2, 4 and 8 minutes; then it fails.
MAX_RETRIES = 4
# Without a limit that says when it ends.
RATE_LIMIT_DELAY = timedelta(hours=1)
# If a sync cannot even be ended.
UNEXPECTED_ERROR_DELAY = timedelta(hours=1)
# If a refused login could not be stored, it must not be tried again and again.
LOGIN_RETRY_DELAY = timedelta(minutes=1)


class CampaignMasterSync(models.Model):
    """What a sync does after an error: wait and try again, or end and say why."""

    _inherit = "campaign.master.sync"

    def _handle_error(self, error, calls):
        """Wait and try again, or end the sync and say why."""
        if not self.exists():
            return
        self.calls += calls
        if self.state != "running":
            return
        self.account_id._handle_error(error)
        if isinstance(error, CampaignMasterLoginRefusedError):
            # Due again when the login is corrected: see account._resume_paused_jobs.
            self._wait(
                fields.Datetime.now() + LOGIN_RETRY_DELAY,
                explain_cause(self.env, error),
                self.env._(
                    "An administrator has been notified. The sync resumes once the login works."
                ),
            )
        elif retry_at := self._retry_at(error):
            self._wait_until(retry_at, explain_cause(self.env, error))
        elif isinstance(error, CampaignMasterNotFoundError) and self.step == "export":
            self.campaign_id._campaign_master_store_deleted()
            self._end("failed")  # if the campaign did not know of it
        else:
            self._end("failed", self._failure_message(error))

    def _retry_at(self, error):
        """:return: when to try again after this error, or ``None`` to give up
        :rtype: datetime"""
        now = fields.Datetime.now()
        if isinstance(error, CampaignMasterRateLimitError | CampaignMasterLoginDoubtError):
            retry_at = to_odoo(error.retry_at) or now + RATE_LIMIT_DELAY
            return max(retry_at, now + MIN_RATE_LIMIT_DELAY)
        if error.retryable and self.failures < MAX_RETRIES:
            delay = timedelta(minutes=2**self.failures)
            self.failures += 1
            return now + delay
        return None

    def _wait_until(self, next_at, reason):
        """Resume at this time."""
        self._cron_push_recipients()._trigger(next_at)
        advice = self.env._(
            "The sync resumes automatically at %(time)s.", time=format_moment(self.env, next_at)
        )
        self._wait(next_at, reason, advice)

    def _wait(self, next_at, reason, advice):
        message = f"{reason} {advice}"
        self.write({"next_at": next_at, "message": message, "waiting": True})
        self.campaign_id._campaign_master_store_sync("running", message)

    def _end_unexpectedly(self):
        """End the sync after an unexpected error. Commits."""
        try:
            message = self.env._(
                "Unexpected error; your administrator can find it in the server log. Sync again to "
                "continue."
            )
            commit_with_retry(self.env, self._end, "failed", message)
        except Exception:
            # For example, an automation rule on the campaign's result fails: try again later.
            _logger.exception("Sync %s could not be ended", self.id)
            self.env.cr.rollback()
            commit_with_retry(self.env, self._postpone)

    def _postpone(self):
        """Try again in an hour; after some times, leave the queue without changing the campaign."""
        if not self.exists():
            return
        next_at = fields.Datetime.now() + UNEXPECTED_ERROR_DELAY
        if self.failures >= MAX_RETRIES:
            self.write({"state": "failed", "ended_at": fields.Datetime.now()})
            return
        self.write({"next_at": next_at, "failures": self.failures + 1})
        self._cron_push_recipients()._trigger(next_at)
