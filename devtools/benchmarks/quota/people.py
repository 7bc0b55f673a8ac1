"""The simulated world: when campaigns are prepared and sent, and when recipients open and click.

Everything follows from one seed. Times are naive, in UTC.
"""

import math
import random
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

RECIPIENTS = 5_000
# How many recipients of each campaign open and click; some do it more than once.
OPENERS, OPENS = 1_500, 2_200
CLICKERS, CLICKS = 200, 260
UNSUBSCRIBES = 10
BOUNCES = 75
# One click of so many recipients is followed until it is stored on the recipient in Odoo.
FOLLOWED = 50
# Time from sending to an open or a click: lognormal with this median (90 % within 27 hours), and
# a slow part, exponential with this mean.
MEDIAN, SPREAD = 4 * HOUR, 1.5
SLOW_PART, SLOW_MEAN = 0.05, 30 * DAY

# For how long before it is sent a campaign is prepared and pushed; how long before it is sent the
# last push is, on the same day or (for a part of the campaigns) days before.
PREPARATION = 10 * DAY
LAST_PUSH, EARLY_LAST_PUSH, EARLY_PART = (HOUR / 4, 3 * HOUR), (DAY, 4 * DAY), 0.25
BURST = 40  # campaigns in a week
REFRESHES_A_DAY = 6  # presses of Refresh Statistics
FORMS_A_DAY = 48  # that refresh templates and lists
# Working hours.
WORK = (8 * HOUR, 17 * HOUR)


@dataclass(frozen=True)
class Size:
    """How much is simulated.

    :ivar tuple bursts: the first days, counted from the start, of weeks with ``BURST`` campaigns
        each
    """

    start: datetime
    days: int
    campaigns: int
    bursts: tuple = ()
    pushes_a_day: int = 20

    @property
    def end(self):
        return self.start + self.days * DAY


class Campaign:
    """One campaign and what its recipients do with it.

    :ivar datetime sent_at: when it is sent in Campaign Master
    :ivar datetime last_push_at: when it is pushed for the last time before that
    :ivar list clicks: when the followed recipients click, one click each, in the order of addresses
    """

    def __init__(self, number, sent_at, rng):
        self.number = number
        self.sent_at = sent_at
        self.ref = str(number)
        earliest, latest = EARLY_LAST_PUSH if rng.random() < EARLY_PART else LAST_PUSH
        self.last_push_at = sent_at - earliest - rng.random() * (latest - earliest)
        self._opens = _moments(sent_at, OPENS, rng)
        self._clicks = _moments(sent_at, CLICKS, rng)
        self._unsubscribes = _moments(sent_at, UNSUBSCRIBES, rng)
        self.clicks = rng.sample(self._clicks, FOLLOWED)
        self._events = sorted(self._opens + self._clicks + self._unsubscribes)

    def email(self, place):
        """The address of a followed recipient."""
        return f"person{place}@campaign{self.number}.example"

    def figures(self, now):
        """The campaign's figures at a time, as the members of ``client.Statistics``."""
        if now < self.sent_at:
            return dict.fromkeys(FIGURES, 0)
        opens = bisect_right(self._opens, now)
        clicks = bisect_right(self._clicks, now)
        return dict.fromkeys(FIGURES, 0) | {
            "sent": RECIPIENTS,
            "delivered": RECIPIENTS - BOUNCES,
            "hard_bounces": BOUNCES,
            "opens": opens,
            "unique_opens": opens * OPENERS // OPENS,
            "clicks": clicks,
            "unique_clicks": clicks * CLICKERS // CLICKS,
            "unsubscribes": bisect_right(self._unsubscribes, now),
        }

    def changed(self, since, now):
        """How many recipients have activity between two times, if nobody did two things.

        :param datetime since: ``None`` for the beginning
        """
        if now < self.sent_at:
            return 0
        if since is None or since <= self.sent_at:
            return RECIPIENTS  # everyone received the email since then
        return bisect_right(self._events, now) - bisect_left(self._events, since)


FIGURES = (
    "sent delivered hard_bounces soft_bounces rejected opens unique_opens clicks unique_clicks"
    " forwards unsubscribes complaints"
).split()


def _moments(start, count, rng):
    """:return: ``count`` times after the start, sorted"""
    median = math.log(MEDIAN.total_seconds())
    slow = 1 / SLOW_MEAN.total_seconds()
    seconds = (
        rng.expovariate(slow) if rng.random() < SLOW_PART else rng.lognormvariate(median, SPREAD)
        for _ in range(count)
    )
    return sorted(start + timedelta(seconds=each) for each in seconds)


class World:
    """The campaigns of the simulated time, and what users do in Odoo.

    :param Size size: how much is simulated
    :param int seed: another number gives another world of the same kind
    :ivar list campaigns: in the order in which they are sent
    :ivar list actions: ``(time, kind, campaign)`` in the order of time; the kinds are ``push``,
        ``refresh`` and ``form`` (without a campaign)
    """

    def __init__(self, size, seed):
        self.size = size
        self._rng = random.Random(seed)  # noqa: S311 (not a secret)
        moments = sorted(self._sendings())
        self.campaigns = [Campaign(n, at, self._rng) for n, at in enumerate(moments, start=1)]
        self.actions = sorted(self._actions(), key=lambda action: action[0])

    def _sendings(self):
        """When campaigns are sent: bursts within a week, the others evenly on working days."""
        for first in self.size.bursts:
            for number in range(BURST):
                yield self._at_work(first + number % 7)
        working = [
            day for day in range(self.size.days) if (self.size.start + day * DAY).weekday() < 5
        ]
        for _number in range(self.size.campaigns - BURST * len(self.size.bursts)):
            yield self._at_work(self._rng.choice(working))

    def _at_work(self, day):
        begin, end = WORK
        return self.size.start + day * DAY + begin + self._rng.random() * (end - begin)

    def _actions(self):
        for day in range(self.size.days):
            yield from self._pushes(day)
            morning = self.size.start + day * DAY
            fresh = [c for c in self.campaigns if morning - 14 * DAY < c.sent_at < morning]
            for _number in range(REFRESHES_A_DAY if fresh else 0):
                yield self._at_work(day), "refresh", self._rng.choice(fresh)
            for _number in range(FORMS_A_DAY):
                yield self._at_work(day), "form", None

    def _pushes(self, day):
        """The last push of some campaigns, and others of campaigns in preparation."""
        morning = self.size.start + day * DAY
        count = 0
        for campaign in self.campaigns:
            # A last push before the simulated time is made at its start.
            pushed_at = max(campaign.last_push_at, self.size.start)
            if morning <= pushed_at < morning + DAY:
                yield pushed_at, "push", campaign
                count += 1
        planned = [
            campaign
            for campaign in self.campaigns
            if campaign.sent_at - PREPARATION < morning < campaign.last_push_at - DAY
        ]
        for _number in range(self.size.pushes_a_day - count if planned else 0):
            yield self._at_work(day), "push", self._rng.choice(planned)
