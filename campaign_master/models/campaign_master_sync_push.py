from collections import Counter, defaultdict
from datetime import timedelta

from odoo import fields, models

from ..client import CampaignMasterError, CampaignMasterRefusedError, RecipientResult, wire
from ..tools import commit_with_retry

# How often an address without a result is sent in one sync, and how long after the first time, the
# second time …: Campaign Master may add addresses in a job of its own, whose results come later.
MAX_ATTEMPTS = 3
ATTEMPT_DELAYS = (timedelta(minutes=5), timedelta(minutes=15))
# Rejected calls while bisecting a batch, before the sync fails.
MAX_BISECT_CALLS = 40
# Addresses rejected in a row, each in a call of its own and for the same reason, before the sync
# fails: the reason is not one of them.
MAX_REJECTIONS = 10
# What Campaign Master answers for an address, as a state of the recipients with this address.
STATE_OF_RESULT = {
    "added": "added",
    "exists": "exists",
    "invalid": "invalid",
    "suppressed": "refused",
}
# What the results of a batch are added to.
STORED = (
    "campaign_id",
    "state",
    "waiting",
    "position_id",
    "calls",
    "bisect_to_id",
    "bisect_calls",
    "rejection",
    "rejections",
    "added",
    "existed",
    "refused",
    "counts",
)


class CampaignMasterSync(models.Model):
    """Adding the recipients to the list: batches of up to ``wire.MAX_RECIPIENTS`` addresses, in the
    order of the recipients' ids.

    A batch is sent, stored and committed before the next one:

    ========================= ============ =====================================================
    step                      commits      if the server is killed afterwards
    ========================= ============ =====================================================
    ``inflight_to_id`` = last yes          nothing was sent: the batch is sent again
    recipient of the batch
    call                      \\-           Campaign Master may have added the batch: it is sent
                                           again, and addresses up to ``inflight_to_id`` that are
                                           then on the list were added by us, so they are *Added*
    results and position      yes          the next batch is sent
    end of the last batch     yes          the sync has ended, or waits for its next attempt
    ========================= ============ =====================================================

    An address without a result stays pending and in flight, whether its call was lost, its result
    is missing, or Campaign Master answered that the results come later. It is sent again after some
    minutes; after three attempts the sync is partial, and the next one asks again. A later sync
    inherits the range in flight.

    If a batch is rejected as a whole, one of its addresses is to blame: it is bisected, turn by
    turn, until that address is alone.
    """

    _inherit = "campaign.master.sync"

    attempt = fields.Integer(readonly=True)
    upto_id = fields.Integer(readonly=True, help="Last recipient that belongs to the sync.")
    position_id = fields.Integer(readonly=True, help="Last recipient whose result is stored.")
    inflight_from_id = fields.Integer(
        readonly=True, help="Recipients after this one ... (see Inflight To)"
    )
    inflight_to_id = fields.Integer(
        readonly=True, help="... up to this one may have been sent without a stored result."
    )
    bisect_to_id = fields.Integer(
        readonly=True, help="Last recipient of a rejected batch that is being bisected, or 0."
    )
    bisect_calls = fields.Integer(readonly=True)
    rejection = fields.Char(
        readonly=True, help="Why Campaign Master rejected the last call with one address."
    )
    rejections = fields.Integer(
        readonly=True, help="Number of consecutive calls that were rejected for this reason."
    )

    def _prepare_push(self, counts):
        """The campaign is in Campaign Master: from now on, recipients are added.

        :param dict counts: the campaign's recipients by state
        """
        campaign = self.campaign_id
        last = self.env["campaign.master.recipient"].search(
            [("campaign_id", "=", campaign.id)], order="id desc", limit=1
        )
        previous = self.search(
            [
                ("campaign_id", "=", campaign.id),
                ("id", "<", self.id),
                ("inflight_to_id", ">", 0),
                ("list_ref", "=", self.list_ref),
            ],
            limit=1,
        )
        self.write(
            {
                "step": "push",
                "next_at": fields.Datetime.now(),
                "counts": counts,
                "total": counts.get("pending", 0),
                "attempt": 1,
                "upto_id": last.id,
                "inflight_from_id": previous.inflight_from_id,
                "inflight_to_id": previous.inflight_to_id,
            }
        )

    def _push(self, client, run):
        """Add the next batch, or end the sync. Commits.

        :param client: ``client.CampaignMasterClient``
        :param CronRun run: the run of the scheduled action
        :return: number of recipients that got a result
        :rtype: int
        :raise CampaignMasterError: the call failed; the batch is sent again
        """
        batch = self._next_batch()
        if not batch:
            return commit_with_retry(self.env, self._end_attempt)
        last_id = max(batch.values())
        in_flight = (self.inflight_from_id, self.inflight_to_id)
        if in_flight[0] >= in_flight[1]:
            in_flight = (self.position_id, self.position_id)
        list_ref, calls_before = self.list_ref, client.ledger.calls
        self.write(
            {
                # The batch, and what an earlier call may have added.
                "inflight_from_id": min(self.position_id, in_flight[0]),
                "inflight_to_id": max(last_id, in_flight[1]),
                "next_at": fields.Datetime.now(),
            }
        )
        # No transaction is open during the call.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        rejection = False
        try:
            results = client.add_recipients(list_ref, list(batch))
        except CampaignMasterRefusedError as error:
            if len(batch) > 1:
                return commit_with_retry(self.env, self._bisect, error, last_id, in_flight)
            rejection = "\n".join([error.message, *(entry.message for entry in error.errors)])
            if rejection == self.rejection and self.rejections + 1 >= MAX_REJECTIONS:
                commit_with_retry(self.env, self._take_back_rejections, error, in_flight)
                raise
            results = [RecipientResult(*batch, "suppressed", error.message)]
        except CampaignMasterError as error:
            if not error.outcome_unknown:
                commit_with_retry(self.env, self._store_not_sent, in_flight)
            raise
        calls = client.ledger.calls - calls_before
        return commit_with_retry(
            self.env, self._store_batch, batch, results, in_flight, calls, rejection, run
        )

    def _next_batch(self):
        """:return: the next recipients: ids by email address; half of them while bisecting
        :rtype: dict[str, int]"""
        Recipient = self.env["campaign.master.recipient"]
        upto_id = self.bisect_to_id or self.upto_id
        batch = Recipient._next_pending(self, self.position_id, upto_id, wire.MAX_RECIPIENTS)
        if self.bisect_to_id and not batch:
            self.bisect_to_id = 0
            return self._next_batch()
        if self.bisect_to_id:
            half = (len(batch) + 1) // 2
            batch = dict(list(batch.items())[:half])
        return batch

    def _bisect(self, error, last_id, in_flight):
        """The batch was rejected as a whole, so nobody was added: the next one is half of it.

        :raise CampaignMasterRefusedError: too many calls were rejected
        """
        if not self.exists():
            return 0
        if self.bisect_calls >= MAX_BISECT_CALLS:
            raise error
        self._store_not_sent(in_flight)
        self.write(
            {
                "calls": self.calls + 1,
                "bisect_to_id": last_id,
                "bisect_calls": self.bisect_calls + 1,
            }
        )
        return 0

    def _take_back_rejections(self, error, in_flight):
        """Campaign Master rejects every address for the same reason: none of them is to blame."""
        if not self.exists():
            return
        self._store_not_sent(in_flight)
        recipients = self.env["campaign.master.recipient"].search(
            [
                ("campaign_id", "=", self.campaign_id.id),
                ("sync_state", "=", "refused"),
                ("sync_message", "=", error.message),
                ("id", "<=", self.position_id),
            ],
            order="id desc",
            limit=self.rejections,
        )
        recipients.write({"sync_state": "pending", "sync_message": False})
        recipients.flush_recordset()
        recipients.invalidate_recordset()  # generated columns
        counts = Counter(self.counts or {})
        counts.update(pending=len(recipients), refused=-len(recipients))
        self.write({"refused": self.refused - len(recipients), "counts": counts, "rejections": 0})

    def _store_not_sent(self, in_flight):
        """Nobody of the batch was added: only what an earlier call may have added is in flight.

        :param tuple in_flight: as before the batch: after, up to
        """
        if self.exists():
            self.write({"inflight_from_id": in_flight[0], "inflight_to_id": in_flight[1]})

    def _store_batch(self, batch, results, in_flight, calls, rejection, run):
        """Store the answers to a batch, and the position.

        :param dict batch: recipient ids by email address
        :param results: ``client.RecipientResult`` of each address
        :param tuple in_flight: recipients that an earlier call may have added: after, up to
        :param int calls: number of calls
        :param rejection: why the only address was rejected, or ``False``
        :param CronRun run: the run of the scheduled action
        :return: number of recipients that got a result
        :rtype: int
        """
        if not self.search_fetch([("id", "=", self.id)], STORED):
            return 0  # the campaign was deleted in Odoo during the call
        outcome = defaultdict(list)
        unanswered = []
        for email, status, message in results:
            recipient_id = batch[email]
            state = STATE_OF_RESULT.get(status)
            if state is None:
                unanswered.append(recipient_id)
                continue
            if state == "exists" and in_flight[0] < recipient_id <= in_flight[1]:
                state = "added"  # by an earlier call, whose response was lost
            outcome[state, message].append(recipient_id)
        last_id = max(batch.values())
        if in_flight[0] < self.position_id:
            inflight_from_id = in_flight[0]  # an earlier batch has addresses without a result
        elif unanswered:
            inflight_from_id = min(unanswered) - 1
        else:
            inflight_from_id = max(last_id, in_flight[0])
        self.env["campaign.master.recipient"]._store_results(self.campaign_id, outcome)
        stored = Counter()
        for (state, _message), ids in outcome.items():
            stored[state] += len(ids)
        counts = Counter(self.counts or {}) + stored
        counts["pending"] -= stored.total()
        is_bisecting = last_id < self.bisect_to_id
        is_first = not self.position_id  # of an attempt: the message still says what it waited for
        rejections = 1 if rejection else 0
        if rejection == self.rejection:
            rejections += self.rejections
        self.write(
            {
                "calls": self.calls + calls,
                "position_id": last_id,
                "inflight_from_id": inflight_from_id,
                "bisect_to_id": self.bisect_to_id if is_bisecting else 0,
                "bisect_calls": self.bisect_calls if is_bisecting else 0,
                "rejection": rejection,
                "rejections": rejections,
                "added": self.added + stored["added"],
                "existed": self.existed + stored["exists"],
                "refused": self.refused + stored["refused"],
                "counts": counts,
            }
        )
        if self.state == "running":
            if self.waiting or is_first:
                self._continue()
            elif run.is_time_for(self.id):
                self.campaign_id._campaign_master_send_progress()
        elif (campaign := self.campaign_id).campaign_master_sync_state != "running":
            # Cancelled during the call: its numbers do not include this batch yet.
            campaign._campaign_master_store_sync(
                campaign.campaign_master_sync_state,
                campaign.campaign_master_sync_message,
                self.env["campaign.master.recipient"]._count_by_state(campaign),
            )
            campaign._campaign_master_keep_sums()
        return stored.total()

    def _end_attempt(self):
        """All recipients were sent: wait for the results that are missing, or end the sync."""
        if not self.exists() or self.state != "running":
            return 0
        Recipient = self.env["campaign.master.recipient"]
        campaign = self.campaign_id
        counts = Recipient._count_by_state(campaign)
        if counts.get("pending"):
            # People were added during the sync, or have changed their mind.
            Recipient._classify(campaign)
            counts = Recipient._count_by_state(campaign)
        if self.attempt < MAX_ATTEMPTS and self._count_unanswered():
            next_at = fields.Datetime.now() + ATTEMPT_DELAYS[self.attempt - 1]
            self.write({"attempt": self.attempt + 1, "position_id": 0, "counts": counts})
            self._wait_until(next_at, self._unanswered_message())
            # It is not paused: a corrected login does not make the results come earlier.
            self.waiting = False
            return 0
        self._end(self._result(counts), counts=counts)
        # The number of people on the list has changed.
        self.account_id._request_refresh()
        return 0

    def _count_unanswered(self):
        """:return: number of addresses that were sent and have no result yet"""
        return self.env["campaign.master.recipient"].search_count(
            [
                ("campaign_id", "=", self.campaign_id.id),
                ("sync_state", "=", "pending"),
                ("id", ">", self.inflight_from_id),
                ("id", "<=", self.inflight_to_id),
            ]
        )
