from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

from ..client import (
    MAX_RECIPIENTS,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    CampaignMasterRefusedError,
    CampaignMasterResponseError,
    RecipientResult,
)
from ..tools import Run, number, to_odoo
from .campaign_master_recipient import STATE_OF_RESULT

STATES = [
    ("running", "Running"),
    ("unchanged", "Nothing to do"),
    ("complete", "Complete"),
    ("partial", "Partly"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
]
# An address without an answer is asked for this often in one sync.
ROUNDS = 3
# A failed connection is tried again after 1, 2, 4, 8 minutes; then the sync gives up.
RETRIES = 4
# Refused calls that finding the culprits may cost before an ordinary call goes through again.
SPLIT_CALLS = 40
# Outcomes that somebody could mend: with one of them a sync is only partly done.
PROBLEMS = ("no_email", "invalid", "refused")
# Refusals by their reason, as many as a message tells.
TOP_REASONS = 3
KEEP = timedelta(days=90)
SECOND = timedelta(seconds=1)


class CampaignMasterSync(models.Model):
    """One press of *Sync with Campaign Master*: what came of it, and as long as it runs, where it
    stands.

    The button starts it (see ``utm_campaign_sync``); the scheduled action then pushes the
    recipients in the order of their ids, in turns of one call for a thousand of them at most.
    It can be cut anywhere and goes on, because it commits

    - before each call, which recipients it asks for (``asked_*_id``): if the answer gets lost,
      they are asked for again, and an address that is then on the list already was put there by us;
    - while the next call is under way, whoever's that is, the outcome of each recipient and the
      position (``position_id``);
    - at the end, the state and the message.

    A call that is refused as a whole has a culprit among its recipients: it is halved, turn by
    turn, until the culprit stands alone (``refused_upto_id``); all before that have gone through.

    Only one process runs a scheduled action at a time, so that nobody pushes twice.
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
    user_id = fields.Many2one(
        "res.users", string="By", readonly=True, ondelete="set null", help="Who pressed the button."
    )
    list_name = fields.Char(
        string="List", readonly=True, help="The list that the recipients were added to."
    )
    started_at = fields.Datetime(
        string="Started", required=True, readonly=True, help="When the button was pressed."
    )
    ended_at = fields.Datetime(string="Ended", readonly=True)
    duration = fields.Char(
        string="Took",
        compute="_compute_duration",
        help="From the press to the end: hours, minutes and seconds.",
    )
    state = fields.Selection(
        STATES,
        string="Outcome",
        required=True,
        readonly=True,
        default="running",
        help="How it ended. Complete: everybody who can be is on the list. Partly: some recipients "
        "have no or an invalid address, or were refused. Failed: it stopped; the message says "
        "why.",
    )
    message = fields.Text(readonly=True, help="What was done, and what is left to do.")
    calls = fields.Integer(
        readonly=True, help="Calls of Campaign Master that it took; they count against the limits."
    )
    total = fields.Integer(
        string="To Add", readonly=True, help="Recipients that were to be added to the list."
    )
    added = fields.Integer(readonly=True, help="Recipients that it added to the list.")
    existed = fields.Integer(
        string="Already There", readonly=True, help="Recipients that it found on the list."
    )
    refused = fields.Integer(
        readonly=True, help="Recipients whose address Campaign Master did not take."
    )
    skipped = fields.Integer(
        readonly=True,
        help="Recipients that were not to be added at the end: without or with an invalid "
        "address, opted out, or with another recipient's address.",
    )
    # Recipients of the campaign by outcome, while it runs; at the end the campaign keeps them.
    counts = fields.Json(readonly=True)

    # What each turn needs of the campaign; reading all of it would cost more than the turn.
    list_ref = fields.Char(readonly=True)
    late = fields.Boolean(readonly=True, help="The campaign had been sent already.")

    # Where it stands.
    next_at = fields.Datetime(readonly=True, help="When its next turn may be.")
    upto_id = fields.Integer(readonly=True, help="The last recipient that belongs to it.")
    position_id = fields.Integer(readonly=True, help="The last recipient that was dealt with.")
    asked_after_id = fields.Integer(readonly=True)
    asked_upto_id = fields.Integer(readonly=True)
    refused_upto_id = fields.Integer(readonly=True)
    refusals = fields.Integer(readonly=True)
    round = fields.Integer(readonly=True)
    failures = fields.Integer(readonly=True)
    waited = fields.Boolean(readonly=True, help="The message says what it waits for.")

    _queue_index = models.Index("(next_at) WHERE state = 'running'")

    @api.depends("started_at", "ended_at")
    def _compute_duration(self):
        for sync in self:
            ended_at = sync.ended_at or fields.Datetime.now()
            sync.duration = str((ended_at - sync.started_at) // SECOND * SECOND)

    @api.autovacuum
    def _gc_syncs(self):
        """Forget what is older than 90 days."""
        old = [("state", "!=", "running"), ("ended_at", "<", fields.Datetime.now() - KEEP)]
        self.search(old).unlink()

    # === START AND END === #

    @api.model
    def _start(self, campaign, changed, calls):
        """Queue the recipients that are not on the list yet for the scheduled action.

        :param campaign: ``utm.campaign``, in Campaign Master already
        :param bool changed: the campaign itself was created or updated
        :param int calls: calls that took
        :return: the sync, which has ended if there was nobody to add
        """
        Recipient = self.env["campaign.master.recipient"]
        Recipient._classify(campaign)
        counts = Recipient._count_by_state(campaign)
        waiting = counts.get("pending", 0)
        last = Recipient.search([("campaign_id", "=", campaign.id)], order="id desc", limit=1)
        former = self.search(
            [("campaign_id", "=", campaign.id), ("asked_upto_id", ">", 0)], limit=1
        )
        sync = self.create(
            {
                **self._prepare_log(campaign, calls),
                "total": waiting,
                "counts": counts,
                "next_at": fields.Datetime.now(),
                "upto_id": last.id,
                "round": 1,
                # What a former sync asked for, without hearing the answer.
                "asked_after_id": former.asked_after_id,
                "asked_upto_id": former.asked_upto_id,
            }
        )
        campaign.write(
            {
                "campaign_master_synced_at": sync.started_at,
                "campaign_master_synced_by_id": self.env.uid,
                "campaign_master_outcome": counts,
            }
        )
        campaign._campaign_master_wake()
        if waiting:
            sync.message = sync._running_message()
            campaign.campaign_master_sync_state = "running"
            campaign.campaign_master_sync_message = sync.message
            self._cron()._trigger()
        else:
            sync._end("complete" if changed else "unchanged", counts=counts)
        return sync

    @api.model
    def _log_failure(self, campaign, message, calls):
        """Keep that a press came to nothing."""
        self.create(
            {
                **self._prepare_log(campaign, calls),
                "state": "failed",
                "message": message,
                "ended_at": fields.Datetime.now(),
            }
        )

    @api.model
    def _prepare_log(self, campaign, calls):
        return {
            "campaign_id": campaign.id,
            "account_id": campaign.campaign_master_account_id.id,
            "list_name": campaign.campaign_master_list_id.name,
            "list_ref": campaign.campaign_master_list_id.ref,
            "late": campaign.campaign_master_remote_status == "sent",
            "user_id": self.env.uid,
            "started_at": fields.Datetime.now(),
            "calls": calls,
        }

    def _end(self, state, message=None, counts=None):
        """End it, and say so on the campaign.

        :param str message: if other than what was done and what is left to do
        :param dict counts: the campaign's recipients by outcome, if they were just counted
        """
        campaign = self.campaign_id
        if counts is None:
            counts = self.env["campaign.master.recipient"]._count_by_state(campaign)
        if message is None:
            message = campaign._campaign_master_summary(counts, self._reasons())
        skipped = ("no_email", "invalid", "duplicate", "opted_out")
        self.write(
            {
                "state": state,
                "message": message,
                "ended_at": fields.Datetime.now(),
                "skipped": sum(counts.get(name, 0) for name in skipped),
                "counts": False,
            }
        )
        campaign.write(
            {
                "campaign_master_sync_state": state,
                "campaign_master_sync_message": message,
                "campaign_master_outcome": counts,
            }
        )
        campaign._campaign_master_send_progress()

    def _running_message(self):
        return self.env._(
            "The campaign is in Campaign Master. %(count)s recipients are being added to the "
            "list “%(list)s”.",
            count=number(self.env, self.total),
            list=self.list_name,
        )

    def _reasons(self):
        """:return: why recipients were refused, the most frequent reasons first:
        ``[(reason, recipients)]``"""
        groups = self.env["campaign.master.recipient"]._read_group(
            [("campaign_id", "=", self.campaign_id.id), ("sync_state", "=", "refused")],
            ["sync_message"],
            ["__count"],
            order="__count DESC",
            limit=TOP_REASONS,
        )
        return [(reason, count) for reason, count in groups if reason]

    # === PUSHING === #

    @api.model
    def _cron(self):
        return self.env["campaign.master.account"]._cron("push_recipients")

    @api.model
    def _cron_push(self):
        """Push the recipients of all running syncs, in fair turns of one call each."""
        Cron = self.env["ir.cron"]
        with _Run("recipients") as run:
            while True:
                sync, waiting = self._next()
                if sync:
                    sync._push_turn(run)
                elif run.answer:
                    run.store()
                else:
                    Cron._commit_progress(run.done, remaining=0)
                    return
                if run.is_time_to_tell(Cron):
                    if not Cron._commit_progress(run.done, remaining=waiting):
                        run.store()
                        # The scheduler calls again, but after ten times only once it wakes up.
                        self._cron()._trigger()
                        return
                    run.done = 0

    @api.model
    def _next(self):
        """:return: the sync whose turn it is, or an empty recordset; and how many have to wait for
        the moment, this one included"""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT sync.id, person.lang, person.tz, COUNT(*) OVER ()
                  FROM campaign_master_sync AS sync
                  JOIN campaign_master_account AS account ON account.id = sync.account_id
                       LEFT JOIN res_users AS presser ON presser.id = sync.user_id
                       LEFT JOIN res_partner AS person ON person.id = presser.partner_id
                 WHERE sync.state = 'running' AND sync.next_at <= %s
                   AND account.enabled AND account.login_refused_at IS NULL
                 ORDER BY account.rests_until NULLS FIRST, sync.next_at, sync.id
                 LIMIT 1
                """,
                fields.Datetime.now(),
            )
        )
        [(sync_id, lang, tz, waiting)] = rows or [(None, None, None, 0)]
        # What it says is for whoever pressed, in his language and time zone.
        return self.browse(sync_id).with_context(lang=lang, tz=tz), waiting

    def _push_turn(self, run):
        """One call of one sync; whatever goes wrong with it stays with it.

        :param _Run run: what this run of the scheduled action knows
        """
        try:
            if self.refused_upto_id and run.answer_of(self):
                # What is to be halved depends on it.
                run.store()
            elif batch := self._next_batch(run):
                self._push_batch(batch, run)
            elif run.answer:
                run.store()
            else:
                retrying(self._end_round, self.env)
        except SerializationFailure:
            # Somebody cancelled, or deleted the campaign, at the same moment.
            self.env.cr.rollback()
        except CampaignMasterError as error:
            self.env.cr.rollback()
            run.store()
            retrying(partial(self._failed, error), self.env)

    def _next_batch(self, run):
        """:return: addresses of the next recipients by id: a thousand at most, or half of those
        among which a culprit is"""
        former = run.answer_of(self)
        batch = self.env["campaign.master.recipient"]._next_batch(
            self,
            former.last_id if former else self.position_id,
            self.refused_upto_id or self.upto_id,
            MAX_RECIPIENTS,
        )
        if self.refused_upto_id and not batch:
            self.refused_upto_id = 0
            return self._next_batch(run)
        if self.refused_upto_id:
            half = sorted(batch)[: (len(batch) + 1) // 2]
            batch = {line_id: batch[line_id] for line_id in half}
        return batch

    def _push_batch(self, batch, run):
        """Push recipients, and leave the answer in ``run``. Commits before the call.

        :param dict batch: addresses by id of the recipient
        :param _Run run: what this run of the scheduled action knows
        :raise CampaignMasterError: the call failed; the batch will be asked for again
        """
        ids_by_email = {}
        for line_id, email in batch.items():
            ids_by_email.setdefault(email, []).append(line_id)
        former = run.answer_of(self)
        lost = former.lost if former else (self.asked_after_id, self.asked_upto_id)
        answer = _Answer(self, ids_by_email, max(batch), lost)
        client, list_ref = run.client(self.account_id), self.list_ref
        # The position is still before the former batch, as its answer is not stored yet.
        asked_after_id = min(self.position_id, lost[0]) if lost[0] < lost[1] else self.position_id
        self.write(
            {
                "asked_after_id": asked_after_id,
                "asked_upto_id": max(answer.last_id, lost[1]),
                "calls": self.calls + 1,
                "next_at": fields.Datetime.now(),
            }
        )
        # No transaction is open during the call: whoever changes the campaign, or cancels,
        # neither waits nor collides.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        try:
            answer.results = client.add_recipients(list_ref, list(ids_by_email))
        except CampaignMasterRefusedError as error:
            answer.results = retrying(partial(self._find_culprit, answer, error), self.env)
        if answer.results:
            run.answer = answer
            run.store()

    def _find_culprit(self, answer, error):
        """The call as a whole was refused: halve it next time.

        :param _Answer answer: what it was for
        :return: results to store: of the culprit, if it stands alone
        :raise CampaignMasterRefusedError: there are more culprits than calls to find them with
        """
        emails = list(answer.ids_by_email)
        if error.about != "list":
            raise error  # the login was refused, not the batch
        if len(emails) == 1:
            return [RecipientResult(emails[0], "suppressed", error.message)]
        if self.refusals >= SPLIT_CALLS:
            raise error
        if self.exists():
            after_id, upto_id = answer.lost
            self.write(
                {
                    "refused_upto_id": answer.last_id,
                    "refusals": self.refusals + 1,
                    # Nobody was added.
                    "asked_after_id": after_id,
                    "asked_upto_id": upto_id,
                }
            )
        return []

    def _store(self, answer, run, under_way):
        """Store the answer to a call.

        :param _Answer answer: what was said of whom
        :param _Run run: what this run of the scheduled action knows
        :param bool under_way: whether the sync's next call is under way
        :return: how many recipients got an outcome
        """
        if not self.exists():
            return 0  # the campaign was deleted here meanwhile
        lost_after_id, lost_upto_id = answer.lost
        outcome = []
        unanswered = []
        for email, status, message in answer.results:
            first_id, *others = answer.ids_by_email[email]
            state = STATE_OF_RESULT.get(status)
            if state == "exists" and (lost_after_id < first_id <= lost_upto_id or self.round > 1):
                # What an earlier call may have added without our hearing of it was added by us.
                state = "added"
            if state is None:
                if self.round < ROUNDS:
                    continue
                unanswered.append(first_id)
                state = "refused"
                message = message or self.env._("Campaign Master gave no answer for this address.")
            outcome.append((first_id, state, message))
            outcome += [(line_id, "duplicate", None) for line_id in others]
        self.env["campaign.master.recipient"]._store_results(
            self.campaign_id, outcome, late=self.late
        )
        new_states = Counter(state for _line_id, state, _message in outcome)
        counts = Counter(self.counts or {}) + new_states
        counts["pending"] = max(counts["pending"] - len(outcome), 0)
        # Up to here all is known, but of those who had no answer in the end: they may be on the
        # list, and a later sync that finds one there tells him as added.
        if unanswered:
            asked_after_id = min(unanswered) - 1
        elif under_way:
            asked_after_id = answer.last_id
        else:
            asked_after_id = max(lost_after_id, answer.last_id)
        waited = self.waited and self.state == "running"
        self.write(
            {
                "position_id": answer.last_id,
                "asked_after_id": asked_after_id,
                "refused_upto_id": (
                    self.refused_upto_id if answer.last_id < self.refused_upto_id else 0
                ),
                "refusals": self.refusals if self.refused_upto_id else 0,
                "failures": 0,
                "added": self.added + new_states["added"],
                "existed": self.existed + new_states["exists"],
                "refused": self.refused + new_states["refused"],
                "counts": counts,
                "waited": False,
                **({"message": self._running_message()} if waited else {}),
            }
        )
        if self.state == "running" and run.is_time_to_tell(self):
            self.campaign_id._campaign_master_send_progress()
        return len(outcome)

    def _end_round(self):
        """All recipients were asked for: go round again for those without an answer, or end."""
        if self.exists().state != "running":
            return  # cancelled at this moment
        Recipient = self.env["campaign.master.recipient"]
        campaign = self.campaign_id
        if self.round < ROUNDS and Recipient._next_batch(self, 0, self.upto_id, 1):
            self.write({"round": self.round + 1, "position_id": 0})
            return
        counts = Recipient._count_by_state(campaign)
        if counts.get("pending"):
            # Somebody was added, or opted out, meanwhile.
            Recipient._classify(campaign)
            counts = Recipient._count_by_state(campaign)
        state = "partial" if any(counts.get(name) for name in PROBLEMS) else "complete"
        self._end(state, counts=counts)
        # How many people are on the list has changed.
        self.account_id._ask_refresh()

    def _failed(self, error):
        """Wait and try again, or give up and say why."""
        if not self.exists() or self.state != "running":
            return
        account = self.account_id
        account._note_error(error)
        reason = account._explain(error)
        if error.code == "login_refused":
            # It goes on when the account does; see _next.
            self._wait(
                self.next_at,
                self.env._(
                    "%(reason)s An administrator was told. Then Odoo goes on by itself.",
                    reason=reason,
                ),
            )
            return
        retry_at = self._retry_at(error)
        if retry_at:
            if not isinstance(error, CampaignMasterRateLimitError):
                self.failures += 1
            self._cron()._trigger(retry_at)
            self._wait(
                retry_at,
                self.env._(
                    "%(reason)s Nothing is lost: Odoo goes on by itself at %(time)s.",
                    reason=reason,
                    time=account._local_time(retry_at),
                ),
            )
            return
        if error.code == "not_found":
            reason = self.env._(
                "The list “%(list)s” was deleted in Campaign Master. Choose another one.",
                list=self.campaign_id.campaign_master_list_id.name,
            )
        gave_up = self.env._("Odoo gave up: not everybody was added to the list.")
        if self.failures:
            gave_up = self.env._(
                "Odoo gave up after %(tries)s tries: not everybody was added to the list.",
                tries=self.failures + 1,
            )
        self._end(
            "failed",
            self.env._(
                "%(gave_up)s %(reason)s Then sync again: it goes on where it stopped.",
                gave_up=gave_up,
                reason=reason,
            ),
        )

    def _retry_at(self, error):
        """:return: when to try again after this error, or ``None`` to give up"""
        now = fields.Datetime.now()
        if isinstance(error, CampaignMasterRateLimitError):
            return to_odoo(error.reset_at) or now + timedelta(hours=1)
        may_pass = error.code == "token_refused" or (
            isinstance(error, CampaignMasterConnectionError | CampaignMasterResponseError)
            and not isinstance(error, CampaignMasterNotFoundError)
            and not (isinstance(error, CampaignMasterRefusedError) and error.about)
        )
        if may_pass and self.failures < RETRIES:
            return now + timedelta(minutes=2**self.failures)
        return None

    def _wait(self, next_at, message):
        self.write({"next_at": next_at, "message": message, "waited": True})
        self.campaign_id.campaign_master_sync_message = message
        self.campaign_id._campaign_master_send_progress()


@dataclass
class _Answer:
    """What a call said of the recipients that it was for, until that is stored.

    :ivar sync: ``campaign.master.sync``
    :ivar dict ids_by_email: ids of the recipients with each address
    :ivar int last_id: the last of them
    :ivar tuple lost: after and up to which recipient an earlier call's answer got lost
    :ivar list results: ``client.RecipientResult`` of each address
    """

    sync: CampaignMasterSync
    ids_by_email: dict
    last_id: int
    lost: tuple
    results: list = ()


class _Run(Run):
    """Also keeps the answer to the last call until the next one is under way.

    :ivar _Answer answer: what is to be stored, or ``None``
    :ivar int done: recipients that got an outcome since this was reset
    """

    def __init__(self, purpose):
        super().__init__(purpose)
        self.answer = None
        self.done = 0

    def answer_of(self, sync):
        """:return: the answer that is to be stored, if it is one to this sync"""
        return self.answer if self.answer and self.answer.sync == sync else None

    def store(self, under_way=None):
        """Store the answer, if there is one. If somebody writes the same rows at that moment it is
        stored again, not asked for again.

        :param under_way: ``campaign.master.sync`` whose call is under way, if one is
        """
        answer, self.answer = self.answer, None
        if not answer:
            return
        sync = answer.sync
        try:
            store = partial(sync._store, answer, self, under_way=sync == under_way)
            self.done += retrying(store, sync.env)
        except SerializationFailure:
            # Again and again. They stay pending, and are asked for once more in the next round.
            sync.env.cr.rollback()
