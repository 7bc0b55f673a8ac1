import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..client import CampaignDraft, CampaignMasterError
from ..tools import CronRun, commit_with_retry, format_date_and_time
from .campaign_master_account import BACKGROUND, INTERACTIVE

_logger = logging.getLogger(__name__)

STATES = [
    ("running", "Running"),
    ("unchanged", "Up to Date"),
    ("complete", "Complete"),
    ("partial", "Partial"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
]
# Recipient states that somebody could correct: with one of them a sync is only partial.
PROBLEMS = ("no_email", "invalid", "refused")
SKIPPED = ("no_email", "invalid", "duplicate", "blacklisted", "opted_out")
RETENTION = timedelta(days=90)
SECOND = timedelta(seconds=1)


class CampaignMasterSync(models.Model):
    """One sync that a person started: its log and, while it runs, how it stands.

    The user's transaction creates it, with the texts to send. The scheduled action *Add Waiting
    Recipients* carries it out, one call at a time: step ``export`` creates or updates the campaign
    (``campaign_master_campaign_export.py``), step ``push`` adds its recipients to the list
    (``campaign_master_sync_push.py``). Odoo runs a scheduled action in one process at a time, so
    that nobody is added twice.

    To make deadlocks rare, methods write the sync first, then ``utm.campaign``, then
    ``campaign.master.campaign``; a conflict is resolved by trying again.
    """

    _name = "campaign.master.sync"
    _description = "Campaign Master Sync"
    _rec_name = "started_at"
    _order = "id desc"

    campaign_id = fields.Many2one(
        "utm.campaign", required=True, readonly=True, index=True, ondelete="cascade"
    )
    account_id = fields.Many2one(
        "campaign.master.account", required=True, readonly=True, ondelete="cascade"
    )
    user_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    started_at = fields.Datetime(string="Started", required=True, readonly=True)
    ended_at = fields.Datetime(string="Ended", readonly=True)
    duration = fields.Char(
        compute="_compute_duration", help="Hours, minutes and seconds from start to end."
    )
    state = fields.Selection(
        STATES,
        string="Result",
        required=True,
        readonly=True,
        default="running",
        help="Partial: some recipients have no valid email address, were rejected, or are not "
        "confirmed by Campaign Master yet. Otherwise, everyone who can be added is on the list. "
        "Complete: the sync changed something; Up to Date: there was nothing to change. Failed: "
        "the sync stopped; see the message.",
    )
    message = fields.Text(readonly=True, help="What was done, and the next steps.")
    list_name = fields.Char(
        string="List", readonly=True, help="List that the recipients were added to."
    )
    calls = fields.Integer(string="API Calls", readonly=True)
    total = fields.Integer(
        string="To Add", readonly=True, help="Recipients to add when the sync started."
    )
    added = fields.Integer(readonly=True, help="Recipients that the sync added to the list.")
    existed = fields.Integer(
        string="Already on the List",
        readonly=True,
        help="Recipients that were already on the list.",
    )
    refused = fields.Integer(
        string="Rejected", readonly=True, help="Recipients that Campaign Master rejected."
    )
    skipped = fields.Integer(
        readonly=True,
        help="Recipients without a valid email address, with another recipient's address, opted "
        "out, or blacklisted in Odoo.",
    )

    # What the scheduled action needs from the user and the campaign, as it was at the start.
    lang = fields.Char(readonly=True)
    tz = fields.Char(readonly=True)
    draft = fields.Json(readonly=True, help="The texts to send, see client.CampaignDraft.")
    list_ref = fields.Char(readonly=True)
    retry_refused = fields.Boolean(readonly=True)

    # How it stands.
    step = fields.Selection(
        [("export", "Campaign"), ("push", "Recipients")], readonly=True, default="export"
    )
    next_at = fields.Datetime(readonly=True, help="When the next call may be made.")
    taken_at = fields.Datetime(readonly=True, help="When the first call was made.")
    waiting = fields.Boolean(readonly=True, help="The message says what the sync is waiting for.")
    failures = fields.Integer(readonly=True, help="Number of consecutive errors.")
    exported = fields.Boolean(
        readonly=True, help="The sync created or updated the campaign in Campaign Master."
    )
    counts = fields.Json(readonly=True, help="The campaign's recipients by state.")

    _unique_running = models.UniqueIndex(
        "(campaign_id) WHERE state = 'running'", "This campaign is already being synced."
    )
    _queue_index = models.Index("(next_at) WHERE state = 'running'")

    @api.depends("started_at")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for sync in self:
            sync.display_name = format_date_and_time(self.env, sync.started_at)

    @api.depends("started_at", "ended_at")
    def _compute_duration(self):
        for sync in self:
            ended_at = sync.ended_at or fields.Datetime.now()
            sync.duration = str((ended_at - sync.started_at) // SECOND * SECOND)

    @api.autovacuum
    def _gc_syncs(self):
        """Delete syncs that ended more than 90 days ago."""
        old = [("state", "!=", "running"), ("ended_at", "<", fields.Datetime.now() - RETENTION)]
        self.search(old).unlink()

    # === START === #

    @api.model
    def _start(self, campaign, retry_refused=False):
        """Start a sync in the user's transaction; the scheduled action carries it out afterwards.

        :param campaign: ``utm.campaign`` with an account
        :param bool retry_refused: whether recipients that were rejected before are added again
        :return: the new sync
        :raise UserError: something required is missing
        """
        if missing := campaign._campaign_master_missing():
            raise UserError("\n".join(missing))
        if self.env.context.get("cron_id") in self._own_crons().ids:
            # Otherwise, a rule on any change of a campaign would start a sync after each sync.
            raise UserError(
                self.env._(
                    "“%(campaign)s” was not synced: an automation rule tried to start a sync "
                    "because a sync or new statistics changed the campaign. Limit the rule to the "
                    "fields that people change.",
                    campaign=campaign.title,
                )
            )
        draft = {
            "name": campaign.title,
            "description": campaign.description.strip(),
            "subject": campaign.campaign_master_subject.strip(),
            "template_ref": campaign.campaign_master_template_id.ref,
            "from_name": campaign.campaign_master_from_name or None,
            "from_email": campaign.campaign_master_from_email or None,
            "reply_to": campaign.campaign_master_reply_to or None,
        }
        message = self.env._("The sync of “%(campaign)s” is starting.", campaign=campaign.title)
        # First of all: if somebody else clicks at the same moment, PostgreSQL lets them wait here,
        # and Odoo tries again and finds this sync running.
        campaign._campaign_master_store_sync("running", message)
        campaign.flush_recordset()
        self.env["campaign.master.campaign"]._get_or_create(campaign)
        sync = self.create(
            {
                **self._prepare_values(campaign),
                "message": message,
                "lang": self.env.context.get("lang") or self.env.user.lang,
                "tz": self.env.context.get("tz") or self.env.user.tz,
                "draft": draft,
                "list_ref": campaign.campaign_master_list_id.ref,
                "retry_refused": retry_refused,
                "next_at": fields.Datetime.now(),
            }
        )
        self._cron_push_recipients()._trigger()
        return sync

    @api.model
    def _log_refusal(self, campaign, message):
        """Log that a sync could not start, where nobody sees an error message."""
        if not campaign.campaign_master_account_id:
            _logger.warning("Campaign %s was not synced: %s", campaign.id, message)
            return
        self.create(
            {
                **self._prepare_values(campaign),
                "state": "failed",
                "message": message,
                "ended_at": fields.Datetime.now(),
            }
        )

    @api.model
    def _prepare_values(self, campaign):
        return {
            "campaign_id": campaign.id,
            "account_id": campaign.campaign_master_account_id.id,
            "list_name": campaign.campaign_master_list_id.name,
            "user_id": self.env.uid,
            "started_at": fields.Datetime.now(),
        }

    # === SCHEDULED ACTION === #

    @api.model
    def _cron_push_recipients(self):
        return self.env["campaign.master.account"]._cron("push_recipients")

    @api.model
    def _own_crons(self):
        """:return: the scheduled actions that change campaigns"""
        cron = self.env["campaign.master.account"]._cron
        return cron("push_recipients") + cron("pull_statistics") + cron("find_machines")

    @api.model
    def _cron_push(self):
        """Carry out all running syncs, one call at a time."""
        with CronRun(self._cron_push_recipients(), "recipients") as run:
            run.work_off(self._next_due, lambda sync: sync._turn(run))

    @api.model
    def _next_due(self):
        """:return: the sync whose turn it is, or an empty recordset; and how many are due

        Of an account's syncs, those that have just been started are first, even if its login was
        refused: the person may have corrected it in Campaign Master.
        """
        sync, waiting = self.env["campaign.master.account.state"]._next_record(
            self,
            due=SQL("record.state = 'running' AND next_at <= %s", fields.Datetime.now()),
            urgent=SQL("taken_at IS NULL"),
            order=SQL("step, next_at, record.id"),  # "export" comes before "push"
        )
        # Messages are for the user who started it, whose language may have been deactivated since.
        lang = self.env["res.lang"]._get_code(sync.lang)
        return sync.with_context(lang=lang, tz=sync.tz), waiting

    def _turn(self, run):
        """Make one call and store the response. Commits. What goes wrong stays with this sync.

        :param CronRun run: the run of the scheduled action
        :return: number of recipients that got a result
        :rtype: int
        """
        try:
            return self._step(run)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # Somebody changes the same rows again and again: it remains due, behind the others.
            self.env.cr.rollback()
        except Exception:
            # One sync must not stop the others.
            _logger.exception("Sync %s stopped", self.id)
            self.env.cr.rollback()
            self._end_unexpectedly()
        return 0

    def _step(self, run):
        """See :meth:`_turn`.

        :raise Exception: anything that is not an error of Campaign Master
        """
        client, calls_before = None, 0
        try:
            # A person started it: the first step uses the person's share of the limits.
            if self.step == "export":
                client = run.client(self.account_id, INTERACTIVE, "campaigns")
            else:
                client = run.client(self.account_id, BACKGROUND)
            calls_before = client.ledger.calls
            if self.step == "push":
                return self._push(client, run)
            self._export(client)
        except CampaignMasterError as error:
            self.env.cr.rollback()
            calls = client.ledger.calls - calls_before if client else 0
            commit_with_retry(self.env, self._handle_error, error, calls)
        return 0

    # === STEP EXPORT === #

    def _export(self, client):
        """Create or update the campaign in Campaign Master. Commits."""
        if missing := self.campaign_id._campaign_master_missing():
            commit_with_retry(self.env, self._end, "failed", "\n".join(missing))
            return
        row = self.env["campaign.master.campaign"]._get_or_create(self.campaign_id)
        self.taken_at = self.taken_at or fields.Datetime.now()
        calls_before = client.ledger.calls
        export = row._export(client, CampaignDraft(**self.draft))
        calls = client.ledger.calls - calls_before
        commit_with_retry(self.env, self._store_export, row, export, calls)

    def _store_export(self, row, export, calls):
        """Store that the campaign is in Campaign Master, and which recipients are to be added."""
        if not self.exists() or not row.exists():
            return  # deleted in Odoo during the call
        campaign = self.campaign_id
        if campaign.campaign_master_account_id != self.account_id:
            return  # cancelled and moved to another account during the call
        if not campaign.campaign_master_ref and export.remote.template_ref not in (
            None,
            self.draft["template_ref"],
        ):
            self._end("failed", self._template_message(export.remote.template_ref))
            return
        exported = export.changed or not campaign.campaign_master_ref
        self.write({"calls": self.calls + calls, "exported": exported})
        campaign._campaign_master_store_export(export.remote, self.user_id)
        row.synced_texts = export.texts
        row._schedule_frequent_reading()
        if self.state != "running":
            return  # cancelled during the call
        Recipient = self.env["campaign.master.recipient"]
        Recipient._classify(campaign, retry_refused=self.retry_refused)
        counts = Recipient._count_by_state(campaign)
        self._prepare_push(counts)
        if not self.total:
            self._end(self._result(counts), counts=counts)
            return
        self._continue()

    # === END === #

    def _continue(self):
        """The last call succeeded: the message says what the sync is doing."""
        self.write({"failures": 0, "waiting": False, "message": self._running_message()})
        self.campaign_id._campaign_master_store_sync("running", self.message, self.counts)

    def _result(self, counts):
        """Whether people are missing does not depend on which sync found out: it remains partial
        until somebody corrects or removes them.

        :param dict counts: the campaign's recipients by state
        :return: the state in which the sync ends
        :rtype: str
        """
        if any(counts.get(name) for name in (*PROBLEMS, "pending")):
            return "partial"
        return "complete" if self.exported or self.added or self.existed else "unchanged"

    def _end(self, state, message=None, counts=None):
        """End the sync, and say so on the campaign.

        :param str state: one of ``STATES``
        :param str message: by default what was done, and the next steps
        :param dict counts: the campaign's recipients by state, if they were just counted
        """
        if not self.exists() or self.state != "running":
            return  # the campaign was deleted, or the sync cancelled
        campaign = self.campaign_id
        counts = counts or self.env["campaign.master.recipient"]._count_by_state(campaign)
        self.write(
            {
                "state": state,
                "message": message or self._summary(counts),
                "ended_at": fields.Datetime.now(),
                "skipped": sum(counts.get(name, 0) for name in SKIPPED),
                "counts": False,
            }
        )
        campaign._campaign_master_store_sync(state, self.message, counts)
        campaign._campaign_master_keep_sums()
