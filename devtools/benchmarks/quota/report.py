"""The results of the simulated time as tables, and whether the targets are met."""

from bisect import bisect_right
from collections import Counter
from datetime import timedelta

from .fake_server import HOUR_LIMIT, MONTH_LIMIT
from .people import DAY, HOUR

PURPOSES = ("campaigns", "recipients", "statistics", "catalog")
# How late 95 % of the clicks may be in Odoo, by the age of the campaign when it is clicked.
AGES = (
    ("< 48 hours", 2 * DAY, timedelta(minutes=35)),
    ("< 14 days", 14 * DAY, 3 * HOUR),
    ("older", timedelta.max, DAY),
)

# Of the table with a row for each seed.
HEAD = (
    "seed",
    "worst month",
    "busiest hour",
    *(f"95 %, late: {name}" for name, _limit, _target in AGES),
    "",
)


class Months:
    """Calls by month, from the account's own meter.

    :param dict usage: calls by ``(hour, purpose)``
    """

    def __init__(self, usage):
        self.by_purpose = {}
        self.by_hour = {}
        for (hour, purpose), calls in usage.items():
            month = hour.replace(day=1, hour=0)
            self.by_purpose.setdefault(month, Counter())[purpose] += calls
            self.by_hour.setdefault(month, Counter())[hour] += calls

    @property
    def most(self):
        return max(calls.total() for calls in self.by_purpose.values())

    @property
    def busiest_hour(self):
        return max(max(hours.values()) for hours in self.by_hour.values())

    def rows(self):
        for month, calls in sorted(self.by_purpose.items()):
            hour, count = self.by_hour[month].most_common(1)[0]
            yield [
                f"{month:%Y-%m}",
                *(f"{calls[purpose]:,}" for purpose in PURPOSES),
                f"{calls.total():,}",
                f"{count:,} ({hour:%d, %H:00})",
            ]


class Delays:
    """How late the followed clicks were in Odoo.

    :param people.World world:
    :param dict seen: by campaign's ref and place: when Odoo read the click
    :ivar dict late: the delays by the names in ``AGES``, ascending; a click that was not read
        before the end counts with its delay until then
    :ivar Counter missing: how many of those, by the same names
    """

    def __init__(self, world, seen):
        self.late = {name: [] for name, _limit, _target in AGES}
        self.missing = Counter()
        for campaign in world.campaigns:
            for place, clicked_at in enumerate(campaign.clicks):
                if clicked_at >= world.size.end:
                    continue
                age = clicked_at - campaign.sent_at
                name = next(name for name, limit, _target in AGES if age < limit)
                seen_at = seen.get((campaign.ref, place))
                self.missing[name] += seen_at is None
                self.late[name].append((seen_at or world.size.end) - clicked_at)
        for delays in self.late.values():
            delays.sort()

    def quantile(self, name, share):
        delays = self.late[name]
        return delays[min(int(len(delays) * share), len(delays) - 1)] if delays else timedelta()

    def beyond(self, name, target):
        """:return: the share of the clicks that were later than a target"""
        delays = self.late[name]
        return (len(delays) - bisect_right(delays, target)) / max(len(delays), 1)


def table(head, rows):
    """Lines of a Markdown table."""
    return [
        "| " + " | ".join(head) + " |",
        "| " + " | ".join("---" for _ in head) + " |",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def lines(world, year):
    """All tables of one world.

    :param people.World world:
    :param Year year: was run in this world
    :return: lines of Markdown, and whether all targets are met
    """
    account = year.account
    months, delays = Months(account.usage()), Delays(world, account.server.seen)
    text = ["## Calls", ""]
    text += table(["month", *PURPOSES, "all", "busiest hour"], months.rows())
    text += ["", "## How late a click is in Odoo", ""]
    head = ["campaign's age", "clicks", "median", "95 %", "most", "target of 95 %", ""]
    rows, verdicts = [], []
    for name, _limit, target in AGES:
        verdicts.append(delays.quantile(name, 0.95) <= target)
        rows.append(
            [
                name,
                f"{len(delays.late[name]):,}",
                *(duration(delays.quantile(name, share)) for share in (0.5, 0.95, 1)),
                duration(target),
                verdict(verdicts[-1]),
            ]
        )
    text += table(head, rows)
    limits = months.most <= MONTH_LIMIT and months.busiest_hour <= HOUR_LIMIT
    verdicts += [limits and not account.server.refused]
    waited = year.waited
    text += [
        "",
        "## Limits",
        "",
        f"- Calls in a month: {months.most:,} at most; in an hour: {months.busiest_hour:,}. The "
        f"limits: {MONTH_LIMIT:,} and {HOUR_LIMIT:,}. Refused by Campaign Master: "
        f"{account.server.refused}. {verdict(verdicts[-1]).capitalize()}.",
        f"- No calls were left for {waited['push']} presses of Sync, {waited['refresh']} of "
        f"Refresh Statistics, {waited['form']} forms and {waited['recipients']} runs that add "
        f"recipients. Recipients waited for {duration(year.longest_wait)} at most.",
        f"- Clicks not in Odoo at the end (they count with their delay until then): "
        f"{delays.missing.total()}.",
    ]
    return text, all(verdicts)


def row(world, year):
    """One world in one row.

    :param people.World world:
    :param Year year: was run in this world
    :return: the cells below ``HEAD`` without the seed (calls in the busiest month and hour; by
        age, the delay of 95 % of the clicks and the share beyond the target; the verdict), and
        whether all targets are met
    """
    server = year.account.server
    months, delays = Months(year.account.usage()), Delays(world, server.seen)
    met = months.most <= MONTH_LIMIT and months.busiest_hour <= HOUR_LIMIT and not server.refused
    cells = [f"{months.most:,}", f"{months.busiest_hour:,}"]
    for name, _limit, target in AGES:
        late = delays.quantile(name, 0.95)
        met = met and late <= target
        cells.append(f"{duration(late)}, {delays.beyond(name, target):.1%}")
    return [*cells, verdict(met)], met


def verdict(met):
    return "met" if met else "MISSED"


def duration(delta):
    """``1 d 3 h``, ``2 h 5 min``, ``31 min``."""
    minutes = round(delta.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
