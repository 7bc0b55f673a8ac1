"""The poll that nobody should build: statistics and activity of every campaign, every 30 minutes,
from its first push on."""

from bisect import bisect_left
from datetime import timedelta

from .double import MONTH_LIMIT, PAGE

EVERY = timedelta(minutes=30)


class Naive:
    """What it would cost in the same world, and when it would see the followed clicks.

    Pushes and forms come first: their calls are as many as in the add-on's run. When the month's
    calls are spent, it stops until the next one.

    :param dict others: calls for anything but statistics, by hour
    :ivar dict wanted: calls by month, had there been enough
    :ivar dict spent_at: by month: when it stopped, where it did
    :ivar dict seen: as ``Server.seen``
    """

    def __init__(self, world, others):
        self.wanted, self.spent_at, self.seen = {}, {}, {}
        runs = self._runs(world, others)
        for campaign in world.campaigns:
            for place, clicked_at in enumerate(campaign.clicks):
                at = bisect_left(runs, clicked_at)
                if at < len(runs):
                    self.seen[campaign.ref, place] = runs[at]

    def _runs(self, world, others):
        """:return: when it read everything"""
        known = {}
        for at, kind, campaign in world.deeds:
            if kind == "push":
                known.setdefault(campaign, at)
        runs, before, month, left = [], world.size.start, None, 0
        now = world.size.start
        while now < world.size.end:
            if now.replace(day=1, hour=0, minute=0) != month:
                month, left = now.replace(day=1, hour=0, minute=0), MONTH_LIMIT
                self.wanted[month] = 0
            calls = others.get(now, 0)
            left -= calls
            for campaign, at in known.items():
                if at <= now:
                    calls += 1 + max(-(-campaign.changed(max(before, at), now) // PAGE), 1)
            self.wanted[month] += calls
            calls -= others.get(now, 0)
            if calls <= left:
                left -= calls
                before = now
                runs.append(now)
            else:
                self.spent_at.setdefault(month, now)
            now += EVERY
        return runs
