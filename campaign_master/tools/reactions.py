"""When people react to a campaign, in hours since its sending. Plain functions, without Odoo."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate, chain, count, takewhile


@dataclass
class Reactions:
    """When people reacted to a campaign. People with the same address count once.

    :ivar int delivered: to how many it was delivered
    :ivar Counter opened: how many opened it first, or clicked first if that was earlier, by full
        hours since the sending: 0 is the first hour
    :ivar Counter clicked: how many clicked first, likewise
    :ivar int untimed: how many others have opened or clicked, without a known time
    """

    delivered: int = 0
    opened: Counter = field(default_factory=Counter)
    clicked: Counter = field(default_factory=Counter)
    untimed: int = 0

    @property
    def is_timed(self):
        """Whether it is known when people react: Campaign Master may not say so."""
        return bool(self.opened) or not self.untimed

    def add(self, rows):
        """:param rows: people, see ``campaign.master.recipient._count_sql``"""
        for row in rows:
            self.delivered += row["delivered"]
            if row["open_hour"] is None:
                self.untimed += row["reacted"]
            else:
                self.opened[row["open_hour"]] += row["people"]
            if row["click_hour"] is not None:
                self.clicked[row["click_hour"]] += row["people"]

    def to_json(self):
        """:return: what :meth:`from_json` reads"""
        return {
            "delivered": self.delivered,
            "untimed": self.untimed,
            **{
                name: [[hour, number] for hour, number in sorted(counts.items()) if number]
                for name, counts in (("opened", self.opened), ("clicked", self.clicked))
            },
        }

    @classmethod
    def from_json(cls, data):
        """:param dict data: see :meth:`to_json`"""
        return cls(**data | {name: Counter(dict(data[name])) for name in ("opened", "clicked")})


def count_before(ages, by_hour):
    """Add up what :class:`Reactions` has by hour.

    :param ages: in hours since the sending
    :param Counter by_hour: ``opened`` or ``clicked``
    :return: for each age, how many people had reacted before it
    :rtype: list[int]
    """
    hours = sorted(by_hour)
    totals = [0, *accumulate(by_hour[hour] for hour in hours)]
    return [totals[bisect_left(hours, age)] for age in ages]


def curve_ages(end):
    """:return: the ages, in hours, for which a curve has points: each hour of two days, then four a
    day until the seventh, then one a day; and the end"""
    ages = chain(range(48), range(48, 168, 6), count(168, 24))
    return [*takewhile(lambda age: age < end, ages), end]
