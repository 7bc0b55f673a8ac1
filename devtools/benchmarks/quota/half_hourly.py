"""The simplest polling: statistics and activity of every campaign, every 30 minutes, from its first
push on. It shows why the add-on does not do that."""

from bisect import bisect_left
from datetime import timedelta

from .fake_server import MONTH_LIMIT, PAGE

EVERY = timedelta(minutes=30)


class HalfHourly:
    """What this costs in the same world, and when it reads the followed clicks.

    Pushes and forms come first: their calls are as many as in the add-on's run. When the month's
    calls are used up, it stops until the next month.

    :param World world:
    :param dict others: calls for anything but statistics, by hour
    :ivar dict wanted: by month: the calls it would make without a limit
    :ivar dict used_up_at: by month: when the calls were used up, if they were
    :ivar dict seen: as ``Server.seen``
    """

    def __init__(self, world, others):
        self.wanted, self.used_up_at, self.seen = {}, {}, {}
        runs = self._runs(world, others)
        for campaign in world.campaigns:
            for place, clicked_at in enumerate(campaign.clicks):
                at = bisect_left(runs, clicked_at)
                if at < len(runs):
                    self.seen[campaign.ref, place] = runs[at]

    def _runs(self, world, others):
        """:return: when it read all campaigns"""
        known = {}
        for at, kind, campaign in world.actions:
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
                self.used_up_at.setdefault(month, now)
            now += EVERY
        return runs
