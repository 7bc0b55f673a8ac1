import time
from datetime import timedelta
from functools import partial

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import retrying
from odoo.tools import SQL

from ..client import (
    Campaign,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterRateLimitError,
    Statistics,
)
from ..tools import Run, has_written, notification, session_lock, to_client, to_odoo
from ..tools.account_ledger import LOCK_PULL
from ..tools.polling import HALF_HOUR, QUIET, SLACK, next_poll
from .utm_campaign import FIGURES, PREFIX
from .utm_campaign_sync import DELETED, status_values

# What a change between two pages of activity, or two clocks, could let fall through is read again.
OVERLAP = timedelta(minutes=10)
# A sync that ended well; the messages of the others say what went wrong, and stay.
ENDED = ("unchanged", "complete", "partial")
# A person who presses Refresh waits for this long at most (seconds); the rest comes by itself.
PATIENCE = 10
# After so many campaigns that could not be read, a run leaves the account's others for the next.
TROUBLES = 3
# A campaign whose answers cannot be used is tried again after 30 minutes, 1, 2, 4 hours … a day.
AGAIN, AGAIN_AT_LAST = HALF_HOUR, timedelta(days=1)


class UtmCampaign(models.Model):
    """Reading what happened, in steps of one call each:

    1. the campaign's figures; if they did not move, that was all;
    2. its status, if it was not sent as far as we know, or was sent again;
    3. the recipients' activity, page by page; once more at the next poll, because figures may
       move first.

    Each answer is committed together with what the next step is, so that reading can be cut
    anywhere and goes on there. ``since`` moves only after the last page, to the first page's own
    time less ten minutes. Figures are absolute, so that reading a page twice does no harm.

    When a campaign is read again says ``tools/polling.py``.
    """

    # One model in three rooms: what is planned and known, syncing, pulling.
    _inherit = "utm.campaign"  # pylint: disable=consider-merging-classes-inherited

    # === ACTION METHODS === #

    def action_campaign_master_refresh_statistics(self):
        """Read figures and activity now.

        :return: a notification action. If this transaction has written, they are read once that is
            committed
        :raise UserError: not synced yet, being read at this moment, or Campaign Master could not
            be asked; then what was known stays
        :raise AccessError: the caller does not work in Email Marketing
        """
        campaign = self._campaign_master_for_button("read")
        account = campaign.campaign_master_account_id
        if not campaign.campaign_master_ref:
            raise UserError(
                self.env._(
                    "“%(campaign)s” is not in Campaign Master yet, so there are no statistics. "
                    "Sync it first.",
                    campaign=campaign.title,
                )
            )
        if has_written(self.env):
            return self._campaign_master_press_later("action_campaign_master_refresh_statistics")
        account._check_enabled()
        with self._campaign_master_on_its_own(LOCK_PULL) as mirror:
            if not mirror:
                raise UserError(
                    self.env._(
                        "The statistics of “%(campaign)s” are being read at this moment. They "
                        "will be here in a minute.",
                        campaign=campaign.title,
                    )
                )
            try:
                complete = mirror._campaign_master_pull_now()
            except CampaignMasterError as error:
                mirror.env.cr.rollback()
                if error.code == "not_found":
                    return retrying(mirror._campaign_master_found_deleted, mirror.env)
                account._note_error(error)
                raise UserError(
                    self.env._(
                        "The statistics were not refreshed; those read so far stay. %(reason)s",
                        reason=account._explain(error),
                    )
                ) from error
        if complete:
            message = self.env._("The statistics are up to date.")
        else:
            account._cron("pull_statistics")._trigger()
            message = self.env._(
                "The campaign's figures are up to date. Those of its many recipients follow by "
                "themselves."
            )
        return notification("success", message)

    def _campaign_master_pull_now(self):
        """Read what can be read while a person waits.

        :return: whether that was all; else the scheduled action goes on
        :raise CampaignMasterError:
        """
        deadline = time.monotonic() + PATIENCE
        retrying(self._campaign_master_start_afresh, self.env)
        with self.campaign_master_account_id._client("statistics") as client:
            complete = False
            while not complete:
                call = self._campaign_master_call(client)
                self.env.cr.commit()  # pylint: disable=invalid-commit
                # Somebody takes an interest in it, so it is read again soon.
                take = partial(self._campaign_master_take, call(), awake=True)
                complete = retrying(take, self.env)
                if time.monotonic() > deadline:
                    break
        return complete

    def _campaign_master_start_afresh(self):
        """Figures first, and then activity even if they did not move."""
        self.write({"campaign_master_pull_step": False, "campaign_master_activity_due": True})

    # === STEPS === #

    def _campaign_master_call(self, client):
        """The call of the step that the campaign is at.

        :param client: ``client.CampaignMasterClient``
        :return: a function without arguments, which reads nothing from the database. It gives
            ``client.Statistics``, ``client.Campaign`` or ``client.ActivityPage``
        """
        ref = self.campaign_master_ref
        if self.campaign_master_pull_step == "status":
            return partial(client.get_campaign, ref)
        if self.campaign_master_pull_step == "activity":
            return partial(
                client.activity,
                ref,
                since=to_client(self.campaign_master_activity_since),
                page=self.campaign_master_activity_page + 1,
                seen=self.campaign_master_activity_seen,
            )
        return partial(client.statistics, ref)

    def _campaign_master_take(self, answer, ref=None, awake=False):
        """Store an answer, and what the next step is.

        :param answer: what :meth:`_campaign_master_call` gave
        :param str ref: whose answer it is, if the campaign may have been deleted or unlinked here
            since it was asked for
        :param bool awake: whether to read it again soon, even if nothing happened
        :return: whether all was read
        """
        if ref and self.exists().campaign_master_ref != ref:
            return True
        if isinstance(answer, Statistics):
            step = self._campaign_master_take_statistics(answer)
        elif isinstance(answer, Campaign):
            step = self._campaign_master_take_status(answer)
        else:
            step = self._campaign_master_take_activity(answer)
        now = fields.Datetime.now()
        self.write(
            {
                "campaign_master_pull_step": step,
                "campaign_master_pull_failures": 0,
                # Who has a step left is behind those who have waited for their first one.
                "campaign_master_next_poll_at": (
                    now if step else self._campaign_master_next_poll(awake)
                ),
            }
        )
        return not step

    def _campaign_master_take_statistics(self, statistics):
        figures = {PREFIX + name: getattr(statistics, name) for name in FIGURES}
        moved = any(self[name] != value for name, value in figures.items())
        sent_more = statistics.sent > self.campaign_master_sent
        due = self.campaign_master_activity_due
        now = fields.Datetime.now()
        self.write(
            {
                "campaign_master_statistics_at": now,
                # Read now, and because figures may move before activity does, next time too.
                "campaign_master_activity_due": moved,
                **({**figures, "campaign_master_moved_at": now} if moved else {}),
                # Sent, or sent again: it is fresh.
                **({"campaign_master_fresh_at": now} if sent_more else {}),
            }
        )
        if moved and (sent_more or self.campaign_master_remote_status != "sent"):
            return "status"
        # A page other than 0 was left by a run that was cut: it goes on.
        return "activity" if moved or due or self.campaign_master_activity_page else False

    def _campaign_master_take_status(self, remote):
        self.write(status_values(remote))
        if self.campaign_master_sync_state in ENDED:
            # What is left to do there has changed.
            self.campaign_master_sync_message = self._campaign_master_summary(
                self.campaign_master_outcome or {}
            )
        return "activity"

    def _campaign_master_take_activity(self, page):
        self.env["campaign.master.recipient"]._ingest(self, page.items)
        if page.page == 1:
            self.campaign_master_activity_next_since = to_odoo(page.as_of)
        if not page.last:
            self.write(
                {
                    "campaign_master_activity_page": page.page,
                    "campaign_master_activity_seen": page.seen,
                }
            )
            return "activity"
        self.write(
            {
                "campaign_master_activity_page": 0,
                "campaign_master_activity_seen": False,
                "campaign_master_activity_since": (
                    self.campaign_master_activity_next_since - OVERLAP
                ),
            }
        )
        return False

    # === WHEN TO READ AGAIN === #

    def _campaign_master_next_poll(self, awake):
        """:return: when to read the campaign again after a poll that has just ended"""
        now = fields.Datetime.now()
        return next_poll(
            now,
            self.campaign_master_fresh_at or self.campaign_master_synced_at or now,
            # An interest that somebody takes counts as if something had just happened.
            now if awake else self.campaign_master_moved_at,
            sent=self.campaign_master_sent > 0,
            stretch=self.campaign_master_account_id._stretch(),
        )

    def _campaign_master_wake(self):
        """The campaign was synced: it may be sent any moment, so read it often again."""
        now = fields.Datetime.now()
        self.write(
            {
                "campaign_master_fresh_at": now,
                "campaign_master_next_poll_at": next_poll(now, now),
            }
        )

    @api.model
    def _campaign_master_make_due(self):
        """Make all campaigns due that may have new figures: those in Campaign Master that were
        synced or sent, or whose figures changed, in the last 14 days.

        Older ones are read weekly. Campaigns that were not sent as far as Odoo knows are included:
        reading is how Odoo learns that a campaign was sent.
        """
        now = fields.Datetime.now()
        recent = Domain.OR(
            Domain(PREFIX + name, ">", now - QUIET)
            for name in ("synced_at", "fresh_at", "moved_at")
        )
        in_campaign_master = Domain(PREFIX + "ref", "!=", False) & Domain(
            PREFIX + "remote_status", "!=", DELETED
        )
        waiting = Domain(PREFIX + "next_poll_at", ">", now)
        campaigns = self.with_context(active_test=False).search(
            in_campaign_master & recent & waiting
        )
        campaigns.campaign_master_next_poll_at = now

    # === CRONS === #

    @api.model
    def _cron_campaign_master_pull(self):
        """Read the campaigns that are due, in fair turns of one call each."""
        Cron = self.env["ir.cron"]
        with _Run("statistics") as run:
            while True:
                campaign, waiting = self._campaign_master_next(run)
                if not campaign:
                    Cron._commit_progress(remaining=0)
                    return
                done = campaign._campaign_master_pull_turn(run)
                if not Cron._commit_progress(done, remaining=waiting):
                    # The scheduler calls again, and finds those that are still due.
                    self.env["campaign.master.account"]._cron("pull_statistics")._trigger()
                    return

    @api.model
    def _campaign_master_next(self, run):
        """:return: the campaign whose turn it is, or an empty recordset; and how many are due,
        this one included"""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT campaign.id, COUNT(*) OVER ()
                  FROM utm_campaign AS campaign
                  JOIN campaign_master_account AS account
                       ON account.id = campaign.campaign_master_account_id
                 WHERE campaign.campaign_master_ref IS NOT NULL
                   AND campaign.campaign_master_remote_status IS DISTINCT FROM %(deleted)s
                   AND COALESCE(campaign.campaign_master_next_poll_at <= %(now)s, TRUE)
                   AND account.enabled AND account.login_refused_at IS NULL
                   AND account.id <> ALL(%(accounts)s) AND campaign.id <> ALL(%(campaigns)s)
                 ORDER BY account.rests_until NULLS FIRST,
                          campaign.campaign_master_next_poll_at NULLS FIRST, campaign.id
                 LIMIT 1
                """,
                deleted=DELETED,
                now=fields.Datetime.now(),
                accounts=[*run.left_accounts],
                campaigns=[*run.left_campaigns],
            )
        )
        [(campaign_id, waiting)] = rows or [(None, 0)]
        return self.browse(campaign_id), waiting

    def _campaign_master_pull_turn(self, run):
        """One call for one campaign; whatever goes wrong with it stays with it.

        :param _Run run: what this run of the scheduled action knows
        :return: 1 if the campaign is dealt with for now, else 0
        """
        account = self.campaign_master_account_id
        with session_lock(self.env.cr, LOCK_PULL, self.id) as mine:
            if not mine:
                # Somebody has pressed Refresh, and reads it at this moment.
                run.left_campaigns.add(self.id)
                return 0
            ref = self.campaign_master_ref
            call = self._campaign_master_call(run.client(account))
            # No transaction is open during the call: whoever writes the campaign meanwhile neither
            # waits nor collides with what is stored after it.
            self.env["ir.cron"]._commit_progress()
            try:
                take = partial(self._campaign_master_take, call(), ref)
                return int(retrying(take, self.env))
            except SerializationFailure:
                # Again and again somebody wrote the campaign at the same moment. It stays due.
                self.env.cr.rollback()
                run.left_campaigns.add(self.id)
            except CampaignMasterError as error:
                self.env.cr.rollback()
                retrying(partial(self._campaign_master_pull_failed, error, run), self.env)
        return 0

    def _campaign_master_pull_failed(self, error, run):
        """Decide when to ask again; what was read so far stays."""
        if not self.exists():
            return
        account = self.campaign_master_account_id
        account._note_error(error)
        now = fields.Datetime.now()
        if error.code == "not_found":
            self._campaign_master_found_deleted()
        elif isinstance(error, CampaignMasterRateLimitError):
            # All that are due stay so.
            run.left_accounts.add(account.id)
            if error.reset_at:
                account._cron("pull_statistics")._trigger(to_odoo(error.reset_at))
        elif error.code == "login_refused":
            run.left_accounts.add(account.id)
        elif isinstance(error, CampaignMasterConnectionError):
            self.campaign_master_next_poll_at = now + AGAIN - SLACK
            run.trouble(account)
        else:
            again = min(AGAIN * 2**self.campaign_master_pull_failures, AGAIN_AT_LAST)
            self.write(
                {
                    "campaign_master_next_poll_at": now + again - SLACK,
                    "campaign_master_pull_failures": self.campaign_master_pull_failures + 1,
                    # Pages that cannot be read to their end are read from the first one again.
                    "campaign_master_activity_page": 0,
                    "campaign_master_activity_seen": False,
                    "campaign_master_activity_due": True,
                    "campaign_master_pull_step": False,
                }
            )


class _Run(Run):
    """Also remembers whom to leave alone until the next run."""

    def __init__(self, purpose):
        super().__init__(purpose)
        self.left_accounts = set()
        self.left_campaigns = set()
        self._troubles = {}

    def trouble(self, account):
        """The account could not be reached once more; after some times it is left alone."""
        self._troubles[account.id] = self._troubles.get(account.id, 0) + 1
        if self._troubles[account.id] >= TROUBLES:
            self.left_accounts.add(account.id)
