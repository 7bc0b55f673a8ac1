import logging
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..client import (
    Campaign,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    Statistics,
)
from ..tools import CronRun, commit_with_retry, explain, to_client, to_odoo
from ..tools.polling import HALF_HOUR, QUIET, SLACK, next_poll
from .campaign_master_account import BACKGROUND, INTERACTIVE, MIN_RATE_LIMIT_DELAY

_logger = logging.getLogger(__name__)

# Activity is read again from this long before the last reading, in case it was recorded late or
# between two pages.
ACTIVITY_OVERLAP = timedelta(minutes=10)
# After this number of connection errors, a run skips the account's other campaigns.
MAX_ACCOUNT_FAILURES = 3
UNSENT_STATUSES = ("draft", "scheduled")
# A campaign whose responses cannot be used is read again after 30 minutes, 1, 2, 4 hours … a day.
RETRY_DELAY, MAX_RETRY_DELAY = HALF_HOUR, timedelta(days=1)


class CampaignMasterCampaign(models.Model):
    """Reading statistics, in steps of one call each:

    1. the campaign's figures; if they have not changed, that is all;
    2. its status, if it was not sent before or was sent again; if it was not sent, that is all;
    3. the recipients' activity, page by page; and once more at the next reading, because the
       figures may change before the activity does.

    The response is stored together with the next step, so that a reading can be interrupted at any
    point; the last one together with the history (``utm_campaign_history.py``).
    ``activity_since`` changes after the last page only, to the time of the first page minus ten
    minutes. Figures are absolute, so that reading a page twice is harmless.

    ``tools/polling.py`` decides when a campaign is read again.
    """

    _inherit = "campaign.master.campaign"

    # === REQUESTS === #

    def _request_reading(self):
        """A person wants the statistics now: figures first, then activity even if they have not
        changed."""
        self.write(
            {
                "requested_at": fields.Datetime.now(),
                "requested_by_id": self.env.uid,
                "read_message": False,
                "read_step": False,
                "activity_due": True,
                "next_poll_at": fields.Datetime.now(),
            }
        )
        self._cron_read()._trigger()

    def _schedule_frequent_reading(self):
        """The campaign was synced: it may be sent at any moment."""
        now = fields.Datetime.now()
        self.fresh_at = now
        if not (self.requested_at or self.read_step):  # else it is being read now
            self.next_poll_at = next_poll(now, now)

    def _make_due(self):
        """The campaigns were restored from the archive: read them at the next run."""
        self.filtered("next_poll_at").next_poll_at = fields.Datetime.now()

    @api.model
    def _make_recent_due(self):
        """Make all campaigns due that may have new figures: in the last 14 days they were synced or
        sent, or their figures changed.

        Older ones are read weekly. Campaigns that were not sent as far as Odoo knows are included,
        because Odoo learns from the statistics that a campaign was sent.
        """
        now = fields.Datetime.now()
        recent = Domain("fresh_at", ">", now - QUIET) | Domain("moved_at", ">", now - QUIET)
        self.search(recent & Domain("next_poll_at", ">", now)).next_poll_at = now

    # === SCHEDULED ACTION === #

    @api.model
    def _cron_read(self):
        return self.env["campaign.master.account"]._cron("pull_statistics")

    @api.model
    def _cron_read_statistics(self):
        """Read the campaigns that are due, one call at a time."""
        with ReadRun(self._cron_read(), "statistics") as run:
            run.work_off(lambda: self._next_due(run), lambda row: row._read_turn(run))

    @api.model
    def _next_due(self, run):
        """:return: the row whose turn it is, or an empty recordset; and how many are due

        Of an account's campaigns, those that a person wants to see are first, then those that have
        been due the longest.
        """
        return self.env["campaign.master.account.state"]._next_record(
            self,
            due=SQL(
                "next_poll_at <= %s AND record.id <> ALL(%s)",
                fields.Datetime.now(),
                [*run.skipped_ids],
            ),
            # A person's request is tried all the same; it ends if it fails.
            urgent=SQL("requested_at IS NOT NULL"),
            order=SQL("requested_at, next_poll_at, record.id"),
            paused_ids=run.skipped_account_ids,
        )

    def _read_turn(self, run):
        """Make one call and store the response. Commits. What goes wrong stays with this campaign.

        :param ReadRun run: the run of the scheduled action
        :return: 1 if the reading is complete or given up for now, else 0
        """
        ref = self.campaign_id.campaign_master_ref
        try:
            return self._call_and_store(run, ref)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            _logger.info("Campaign %s is being changed; its statistics are read later", ref)
            self.env.cr.rollback()
        except Exception:
            # One campaign must not stop the others.
            _logger.exception("The statistics of campaign %s could not be stored", ref)
            self.env.cr.rollback()
            commit_with_retry(self.env, self._handle_unexpected_error)
        run.skipped_ids.add(self.id)
        return 1

    def _call_and_store(self, run, ref):
        """See :meth:`_read_turn`.

        :raise Exception: anything that is not an error of Campaign Master
        """
        account, step = self.account_id, self.read_step
        # A person's request uses the person's share of the limits for its first call.
        is_interactive = self.requested_at and not step
        try:
            client = run.client(account, INTERACTIVE if is_interactive else BACKGROUND)
            request = self._next_request(client, ref)
            # No transaction is open during the call, and no row is locked.
            self.env.cr.commit()  # pylint: disable=invalid-commit
            response = request()
            return commit_with_retry(self.env, self._store_response, response, ref, step, run)
        except CampaignMasterError as error:
            self.env.cr.rollback()
            return commit_with_retry(self.env, self._handle_read_error, error, ref, step, run)

    def _next_request(self, client, ref):
        """:return: the call of the next step: a function without arguments that does not use the
        database; it returns ``client.Statistics``, ``client.Campaign`` or ``client.ActivityPage``
        """
        if self.read_step == "status":
            return partial(client.get_campaign, ref)
        if self.read_step == "activity":
            return partial(
                client.activity,
                ref,
                since=to_client(self.activity_since),
                page=self.activity_page + 1,
                seen=self.activity_seen,
            )
        return partial(client.statistics, ref)

    # === RESPONSES === #

    def _store_response(self, response, ref, step, run):
        """Store a response and the next step, unless the campaign is no longer read or was
        refreshed during the call.

        :param response: what the function of :meth:`_next_request` returned
        :param str ref: the campaign that was read
        :param step: the step that the call was made for
        :param ReadRun run: the run of the scheduled action
        :return: 1 if the reading is complete, else 0
        """
        if not self._is_read(ref) or self.read_step != step:
            return 0
        if isinstance(response, Statistics):
            next_step = self._store_statistics(response)
        elif isinstance(response, Campaign):
            next_step = self._store_status(response)
        else:
            next_step = self._store_activity(response)
        self.write({"read_step": next_step, "read_failures": 0})
        if next_step:
            # Behind the campaigns that have not been read yet.
            self.next_poll_at = fields.Datetime.now()
            return 0
        # Nothing changed if the figures were all that had to be read.
        self.campaign_id._campaign_master_keep_history(changed=bool(step))
        self.campaign_id._campaign_master_check_alerts()
        self._end_reading(run)
        return 1

    def _is_read(self, ref):
        """:return: whether the campaign of the call is still read: it was not deleted, unlinked or
        created again in Odoo, nor deleted in Campaign Master according to a sync"""
        return self.exists() and self.next_poll_at and self.campaign_id.campaign_master_ref == ref

    def _store_statistics(self, statistics):
        campaign = self.campaign_id
        sent_before = campaign.campaign_master_sent
        moved = campaign._campaign_master_store_statistics(statistics)
        sent_more = campaign.campaign_master_sent > sent_before
        was_due = self.activity_due
        now = fields.Datetime.now()
        self.write(
            {
                # Activity is read now and at the next reading: figures may change before it does.
                "activity_due": moved,
                **({"moved_at": now} if moved else {}),
                **({"fresh_at": now} if sent_more else {}),
            }
        )
        # If nothing has changed since the last reading, the status may not have been read then.
        # Without a number of sent emails, only the status says that the campaign was sent.
        is_due = moved or was_due or campaign.campaign_master_sent is False
        if sent_more or (is_due and campaign.campaign_master_remote_status != "sent"):
            return "status"
        # A page is left over if a reading was interrupted.
        return "activity" if moved or was_due or self.activity_page else False

    def _store_status(self, remote):
        campaign = self.campaign_id
        was_sent = campaign._campaign_master_is_sent()
        campaign._campaign_master_store_status(remote)
        if campaign._campaign_master_is_sent() and not was_sent:
            self.fresh_at = fields.Datetime.now()
        # Before it is sent, there is no activity.
        is_waiting = remote.status in UNSENT_STATUSES and not self.activity_due
        return False if is_waiting else "activity"

    def _store_activity(self, page):
        self.env["campaign.master.recipient"]._ingest(self.campaign_id, page.items)
        if page.page == 1:
            self.activity_next_since = to_odoo(page.as_of)
        if not page.last:
            self.write({"activity_page": page.page, "activity_seen": page.seen})
            return "activity"
        self.write(
            {
                "activity_page": 0,
                "activity_seen": False,
                "activity_since": self.activity_next_since - ACTIVITY_OVERLAP,
            }
        )
        return False

    def _end_reading(self, run):
        """Everything was read: schedule the next reading."""
        campaign, now = self.campaign_id, fields.Datetime.now()
        was_requested = bool(self.requested_at)
        self.next_poll_at = next_poll(
            now,
            self.fresh_at or now,
            # A person's interest counts as if the figures had changed.
            now if was_requested else self.moved_at,
            sent=campaign.campaign_master_sent > 0 or campaign._campaign_master_is_sent(),
            archived=not campaign.active,
            slowdown=run.slowdown(self.account_id),
        )
        # A later reading also ends the message that a refresh failed.
        if was_requested or self.read_message:
            self._end_request(message=False)
        if self._is_results_mail_possible():
            self._cron_mail()._trigger()

    def _end_request(self, message):
        """Tell the forms that a person's request is done.

        :param message: why it failed, or ``False``
        """
        self.write({"requested_at": False, "read_message": message})
        self.campaign_id._campaign_master_send_progress()

    # === ERRORS === #

    def _handle_read_error(self, error, ref, step, run):
        """Decide when to try again; what was read so far is kept.

        :return: 1 if the campaign is given up for now, else 0
        """
        if not self._is_read(ref):
            return 0
        account = self.account_id
        account._handle_error(error)
        if self.read_step != step:
            return 0  # refreshed during the call: the figures are next
        self._fail_request(lambda env: explain(env, error))
        if isinstance(error, CampaignMasterNotFoundError):
            self.campaign_id._campaign_master_store_deleted()
        elif isinstance(
            error,
            CampaignMasterRateLimitError
            | CampaignMasterLoginDoubtError
            | CampaignMasterLoginRefusedError,
        ):
            # The campaigns remain due until the account may call again.
            run.skipped_account_ids.add(account.id)
            if error.retry_at:
                earliest = fields.Datetime.now() + MIN_RATE_LIMIT_DELAY
                self._cron_read()._trigger(max(to_odoo(error.retry_at), earliest))
            return 0
        elif isinstance(error, CampaignMasterConnectionError):
            self.next_poll_at = fields.Datetime.now() + RETRY_DELAY - SLACK
            run.record_failure(account)
        else:
            self._postpone()
        return 1

    def _handle_unexpected_error(self):
        if not self.exists():
            return
        self._fail_request(
            lambda env: env._("Unexpected error; your administrator can find it in the server log.")
        )
        self._postpone()

    def _fail_request(self, reason):
        """Show why a person's request failed, if there is one.

        :param reason: function that returns the reason, in the language of the environment that it
            is called with
        """
        if not self.requested_at:
            return
        user = self.requested_by_id
        lang = self.env["res.lang"]._get_code(user.lang)
        env = self.with_context(lang=lang, tz=user.tz).env
        if self.read_step:
            result = env._("The figures are up to date, but the recipients' activity was not read.")
        else:
            result = env._("The statistics were not refreshed; the last figures are kept.")
        self._end_request(f"{result}\n{reason(env)}")

    def _postpone(self):
        """The responses cannot be used: try again later, from the first page."""
        if not self.exists():
            return
        delay = min(RETRY_DELAY * 2**self.read_failures, MAX_RETRY_DELAY)
        self.write(
            {
                "next_poll_at": fields.Datetime.now() + delay - SLACK,
                "read_failures": self.read_failures + 1,
                "read_step": False,
                "activity_due": True,
                "activity_page": 0,
                "activity_seen": False,
            }
        )


class ReadRun(CronRun):
    """One run of the scheduled action: which accounts and campaigns are left for the next run."""

    def __init__(self, cron, purpose):
        super().__init__(cron, purpose)
        self.skipped_account_ids = set()
        self.skipped_ids = set()
        self._failures = {}
        self._slowdowns = {}

    def slowdown(self, account):
        """:return: by how much reading slows down, computed once per account"""
        if account.id not in self._slowdowns:
            self._slowdowns[account.id] = account._slowdown()
        return self._slowdowns[account.id]

    def record_failure(self, account):
        """Skip the account in this run after some connection errors."""
        self._failures[account.id] = self._failures.get(account.id, 0) + 1
        if self._failures[account.id] >= MAX_ACCOUNT_FAILURES:
            self.skipped_account_ids.add(account.id)
