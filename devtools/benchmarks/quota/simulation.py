"""An account and its campaigns as plain objects, for which a year passes in seconds.

When a campaign is read, and by how much reading slows down, is decided by the add-on's own
``tools/polling.py``. The steps of reading one campaign and the month's limit are written here
a second time, without a database; ``check.py`` compares them with the real add-on.
"""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from odoo.addons.campaign_master.client import (
    CampaignMasterLedgerLimitError,
    CampaignMasterRateLimitError,
    Statistics,
    month_end,
    month_start,
)
from odoo.addons.campaign_master.tools import account_ledger, polling, to_client, to_odoo

from .clock import Clock
from .fake_server import Client, Server
from .people import FIGURES
from .year import Year

# As in the add-on's models.
ACTIVITY_OVERLAP = timedelta(minutes=10)


def run(world):
    """Simulate a world's whole time.

    :param people.World world:
    :return: the year that was run, with its account
    :rtype: Year
    """
    server = Server(world, Clock(world.size.start))
    year = Year(SimulatedAccount(server), world)
    year.run()
    return year


@dataclass
class Campaign:
    """What Odoo knows of a campaign that was synced, as far as reading it is concerned.

    :ivar str step: the next call: ``statistics``, ``status`` or ``activity``
    :ivar bool activity_due: whether activity is read even if the figures did not change
    """

    ref: str
    number: int
    fresh_at: datetime
    next_poll_at: datetime
    moved_at: datetime | None = None
    figures: Statistics = field(default_factory=lambda: Statistics(**dict.fromkeys(FIGURES, 0)))
    status: str = "draft"
    step: str = "statistics"
    requested: bool = False
    activity_due: bool = False
    activity_since: datetime | None = None
    activity_next_since: datetime | None = None
    page: int = 0


class SimulatedAccount:
    """The account and its campaigns; the same methods as ``database.RealAccount``."""

    def __init__(self, server):
        self.clock = server.clock
        self.server = server
        self._campaigns = {}  # by ref
        self._queue = []  # (next poll, number, campaign); outdated entries are skipped
        self._triggers = []
        self._usage = Counter()
        self._months = Counter()
        self._slowdown_of_run = None
        self._requested = []
        self.refused_refreshes = 0

    @property
    def _now(self):
        """The time as Odoo stores it."""
        return self.clock.now.replace(microsecond=0)

    def client(self, purpose, background):
        return Client(self.server, Ledger(self, purpose, background))

    def triggers(self):
        """When the scheduled action is to run, besides every half hour."""
        return [max(at, self.clock.now) for at in self._triggers]

    def usage(self):
        """Calls by ``(hour, purpose)``."""
        return dict(self._usage)

    def synced(self, campaign):
        """A sync has created or updated the campaign in Campaign Master."""
        known = self._campaigns.get(campaign.ref)
        if not known:
            known = Campaign(campaign.ref, len(self._campaigns) + 1, self._now, self._now)
            self._campaigns[campaign.ref] = known
        known.fresh_at = self._now
        self._schedule(known, polling.next_poll(self._now, self._now))

    def pull(self):
        """The scheduled action runs."""
        self._triggers = [at for at in self._triggers if at > self.clock.now]
        self._slowdown_of_run = None
        while campaign := self._next():
            is_interactive = campaign.requested and campaign.step == "statistics"
            client = self.client("statistics", background=not is_interactive)
            try:
                self._read(campaign, client)
            except CampaignMasterRateLimitError as error:
                if campaign.requested:
                    self._end_request(campaign)
                    self.refused_refreshes += 1
                self._triggers.append(to_odoo(error.retry_at))
                return

    def refresh(self, campaign):
        """A user clicks *Refresh Statistics*: the scheduled action starts with this campaign."""
        known = self._campaigns[campaign.ref]
        known.step, known.activity_due, known.requested = "statistics", True, True
        if known not in self._requested:
            self._requested.append(known)
        self._schedule(known, self._now)
        self._triggers.append(self._now)

    def _end_request(self, campaign):
        campaign.requested = False
        self._requested.remove(campaign)

    # === READING === #

    def _schedule(self, campaign, at):
        campaign.next_poll_at = at
        heapq.heappush(self._queue, (at, campaign.number, campaign))

    def _next(self):
        """:return: a requested campaign, or the one that has been due for longest"""
        if self._requested:
            return self._requested[0]
        while self._queue and self._queue[0][0] <= self._now:
            at, _number, campaign = self._queue[0]
            if campaign.next_poll_at == at:
                return campaign
            heapq.heappop(self._queue)
        return None

    def _read(self, campaign, client):
        """One call for one campaign.

        :return: whether that was the last step
        """
        step = getattr(self, f"_read_{campaign.step}")(campaign, client)
        campaign.step = step or "statistics"
        now = self._now
        if step:
            self._schedule(campaign, now)
            return False
        at = polling.next_poll(
            now,
            campaign.fresh_at,
            now if campaign.requested else campaign.moved_at,
            sent=campaign.figures.sent > 0,
            slowdown=self._slowdown(),
        )
        self._schedule(campaign, at)
        if campaign.requested:
            self._end_request(campaign)
        return True

    def _read_statistics(self, campaign, client):
        before, campaign.figures = campaign.figures, client.statistics(campaign.ref)
        moved = campaign.figures != before
        sent_more = campaign.figures.sent > before.sent
        due, campaign.activity_due = campaign.activity_due, moved
        if moved:
            campaign.moved_at = self._now
        if sent_more:
            campaign.fresh_at = self._now
        if moved and (sent_more or campaign.status != "sent"):
            return "status"
        return "activity" if moved or due or campaign.page else None

    def _read_status(self, campaign, client):
        campaign.status = client.get_campaign(campaign.ref).status
        return "activity"

    def _read_activity(self, campaign, client):
        page = client.activity(
            campaign.ref, since=to_client(campaign.activity_since), page=campaign.page + 1
        )
        if page.page == 1:
            campaign.activity_next_since = to_odoo(page.as_of)
        if not page.last:
            campaign.page = page.page
            return "activity"
        campaign.page = 0
        campaign.activity_since = campaign.activity_next_since - ACTIVITY_OVERLAP
        return None

    def _slowdown(self):
        """Computed once in a run."""
        if self._slowdown_of_run is None:
            now = self.clock.now
            others = self._calls_per_day(polling.OTHERS_PERIOD)
            del others["statistics"]
            spent = self.calls_this_month()
            limit = account_ledger.MONTH_LIMIT * account_ledger.BACKGROUND_SHARE
            others["recipients"] = polling.pushes_per_day(now, spent, others["recipients"], limit)
            self._slowdown_of_run = polling.slowdown(
                now,
                spent,
                self._calls_per_day(polling.STATISTICS_PERIOD)["statistics"],
                sum(others.values()),
                limit,
            )
        return self._slowdown_of_run

    # === CALLS === #

    def count(self, purpose):
        hour = self.clock.now.replace(minute=0, second=0, microsecond=0)
        self._usage[hour, purpose] += 1
        self._months[month_start(hour)] += 1

    def calls_this_month(self):
        return self._months[month_start(self.clock.now)]

    def _calls_per_day(self, period):
        """:return: calls per day by purpose, over the last days"""
        calls = Counter()
        for (hour, purpose), count in reversed(self._usage.items()):  # the newest hours are last
            if hour < self.clock.now - period:
                break
            calls[purpose] += count / (period / polling.DAY)
        return calls


class Ledger:
    """The month's limit, as ``tools.AccountLedger`` applies it; the hour's is never reached."""

    def __init__(self, account, purpose, background):
        self._account = account
        self._purpose = purpose
        self._background = background

    def token(self):
        return None

    def before_call(self, call):
        """:raise CampaignMasterRateLimitError: the month's calls are used up"""
        now, limit = self._account.clock.now, account_ledger.MONTH_LIMIT
        period, retry_at = "month", month_end(now)
        if self._background:
            limit *= account_ledger.BACKGROUND_SHARE
            if self._purpose == "recipients" and self._account.calls_this_month() < int(limit):
                limit = polling.push_limit(now, limit)
                period, retry_at = "day", polling.tomorrow(now)
        if self._account.calls_this_month() >= int(limit):
            raise CampaignMasterLedgerLimitError(
                f"{period}_counted",
                "The calls are used up.",
                period=period,
                retry_at=to_client(retry_at),
                call=call,
            )
        self._account.count(self._purpose)

    def after_call(self, _call, limits, _sent):
        pass
