"""How often a campaign's figures are read: often while it is fresh, then less and less.

Plain functions of times (naive, UTC), without Odoo: what decides how 50,000 calls a month are
spent can be run on a simulated clock.

Each group of campaigns has its usual interval. What all campaigns want at these until the month's
end is compared with the calls that are left. If they do not suffice, groups wait longer, one after
the other, and just as much longer as it takes.
"""

import math
from collections import Counter
from datetime import timedelta
from itertools import pairwise

from ..client import month_end

ZERO, HOUR, DAY = timedelta(), timedelta(hours=1), timedelta(days=1)
HALF_HOUR = HOUR / 2
# Up to this age: how often it is read, and its patience, see ``next_poll``. Half an hour is asked
# for by the requirements; three hours and a day are how late a click may be in Odoo by then (see
# benchmarks/quota, whose simulated years have also chosen the limits in between, and who waits
# first: who has few clicks for a call).
SENT = (
    (DAY, HALF_HOUR, 8),
    (2 * DAY, HALF_HOUR, 1),
    (7 * DAY, 3 * HOUR, 4),
    (14 * DAY, 3 * HOUR, 1),
)
# Nothing can have happened yet but that it was sent, which people do soon after they synced it.
NOT_SENT = (
    (3 * HOUR, HALF_HOUR, 4),
    (7 * DAY, 1.5 * HOUR, 1),
)
LATER = (DAY, 4)
# Nothing has happened for QUIET: once a week is enough, and as that is the longest that anybody
# waits, it does not get longer.
QUIET = 14 * DAY
AT_LAST = (7 * DAY, math.inf)
# Calls of a poll of a campaign in which something happens: figures, and a page of activity.
CALLS = 2
# How long a campaign stays in preparation after a sync.
UNSENT = DAY
# The scheduled action comes every half hour, and some minutes later when it has much to do: who
# is due shortly after it came is read now, rather than half an hour late.
SLACK = timedelta(minutes=5)


def next_poll(now, fresh_at, moved_at=None, *, sent=True, stretch=1.0):
    """When to read a campaign's figures again.

    A campaign waits for its interval; once the stretch is beyond its patience, for so many times
    as long: with a stretch of 8, who has a patience of 4 waits twice as long. At most a week.

    :param datetime now: the time of the poll that has just ended
    :param datetime fresh_at: when the campaign was synced, sent or sent again last
    :param datetime moved_at: when its figures moved last, as far as we saw, or somebody pressed
        Refresh; ``None`` for never
    :param bool sent: whether mails went out already
    :param float stretch: see :func:`stretch`
    :return: a time; the first run of the scheduled action after it reads the campaign
    :rtype: datetime
    """
    quiet = now - max(fresh_at, moved_at or fresh_at) >= QUIET
    interval, patience = _rung(now - fresh_at, sent, quiet)
    longest = AT_LAST[0]
    wait = interval * min(max(stretch / patience, 1), longest / interval)
    # The next month has its calls anew: what is put off is not put off beyond its beginning.
    return min(now + wait - SLACK, max(now + interval - SLACK, month_end(now)))


def _rung(age, sent, quiet):
    """:return: interval and patience, as in the tables above"""
    for limit, *rung in SENT if sent else NOT_SENT:
        if age < limit:
            return rung
    return AT_LAST if quiet else LATER


def wanted(left, age=ZERO, *, sent=True, quiet=False):
    """How many calls a campaign wants at its usual intervals.

    One that was not sent yet is taken to be sent in ``UNSENT``, unless it is so old that it was
    probably given up.

    :param timedelta left: until when: the rest of the month
    :param timedelta age: since it was synced, sent or sent again last
    :param bool sent: whether mails went out already
    :param bool quiet: whether nothing has happened for ``QUIET``
    :return: calls (fractions, too) by the patience of the polls that they are for
    :rtype: Counter
    """
    calls, begin = Counter(), ZERO
    if not sent:
        limit, interval, patience = NOT_SENT[-1]
        if age < limit:
            calls[patience] += min(left, UNSENT) / interval
            left, age = max(left - UNSENT, ZERO), ZERO
        else:
            age, quiet = SENT[-1][0], True
    for limit, interval, patience in SENT:
        span = min(age + left, limit) - max(age, begin)
        calls[patience] += CALLS * max(span, ZERO) / interval
        begin = limit
    interval, patience = AT_LAST if quiet else LATER
    span = age + left - max(age, begin)
    calls[patience] += (1 if quiet else CALLS) * max(span, ZERO) / interval
    return calls


def wanted_by_all(left, groups):
    """How many calls all known campaigns want at their usual intervals.

    Those that will be made until then are not foreseen: the nearer the end, the fewer they are.

    :param timedelta left: until when: the rest of the month
    :param groups: tuples ``(sent, quiet, age, number)``: as in :func:`wanted`, and how many
        campaigns are so
    :return: calls (fractions, too) by the patience of the polls that they are for
    :rtype: Counter
    """
    calls = Counter()
    for sent, quiet, age, number in groups:
        for patience, each in wanted(left, age, sent=sent, quiet=quiet).items():
            calls[patience] += each * number
    return calls


def stretch(calls, left):
    """The smallest stretch with which the calls that are wanted are no more than those left.

    :param calls: as :func:`wanted_by_all` gives them
    :param float left: calls that are left for them, until the month's end
    :return: 1 or more; see :func:`next_poll`
    :rtype: float
    """
    firm, giving_way = sum(calls.values()), 0
    if firm <= left:
        return 1.0
    found = 1.0
    for patience, following in pairwise(sorted({*calls, math.inf})):
        # With a stretch between these two: who wants how many, and who a part of how many.
        firm -= calls[patience]
        giving_way += calls[patience] * patience
        found = max(giving_way / max(left - firm, 1), patience)
        if found <= following:
            break
    return found


def forecast(now, spent, lately, days):
    """How many calls the month will have at its end, if it goes on as lately.

    :param datetime now: in UTC
    :param int spent: calls of this month so far
    :param int lately: calls of the last ``days``
    :param float days: more than 0
    :return: calls
    :rtype: int
    """
    left = (month_end(now) - now) / timedelta(days=1)
    return spent + round(lately / days * left)
