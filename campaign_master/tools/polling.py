"""How often a campaign's figures are read: often while it is fresh, then less and less.

Pure functions on plain times (naive, UTC), without Odoo: what decides how 50,000 calls a month are
spent can be run on a simulated clock.
"""

from datetime import timedelta

from ..client import month_end, month_start

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HALF_HOUR = HOUR / 2
# Up to this age a campaign is read this often, and at least this often while calls run short, until
# calls are spent so many times faster than the month passes that it has to wait as well.
# Found by simulating a year of 500 campaigns; see benchmarks/quota.
SENT = (
    (DAY, HALF_HOUR, HALF_HOUR, 4),
    (2 * DAY, HALF_HOUR, 1.5 * HOUR, 4),
    (14 * DAY, 2.75 * HOUR, 3 * HOUR, 2),
    (90 * DAY, 22 * HOUR, 23 * HOUR, 2.5),
)
# Nothing can have happened yet but that it was sent, which people do soon after they synced it.
NOT_SENT = (
    (3 * HOUR, HALF_HOUR, HALF_HOUR, 2),
    (4 * DAY, 1.5 * HOUR, 3 * HOUR, 2),
    (14 * DAY, 6 * HOUR, 12 * HOUR, 2),
)
LATER = (23 * HOUR, 2 * DAY, 2)
# Nothing has happened for QUIET: once a week is enough.
QUIET, AT_LAST = 45 * DAY, 7 * DAY
# Something has just happened, or somebody took an interest: more may follow, and activity is read
# once more at the next poll.
AWAKE = 22 * HOUR
# How sharply polls are put off when calls are spent faster than time passes.
SHARPNESS = 6
# The scheduled action comes every half hour, and some minutes later when it has much to do: who
# is due shortly after it came is read now, rather than half an hour late.
SLACK = timedelta(minutes=5)


def next_poll(now, fresh_at, moved_at=None, *, sent=True, awake=False, stretch=1.0):
    """When to read a campaign's figures again.

    :param datetime now: the time of the poll that has just ended
    :param datetime fresh_at: when the campaign was synced, sent or sent again last
    :param datetime moved_at: when its figures moved last, as far as we saw; ``None`` for never
    :param bool sent: whether mails went out already
    :param bool awake: this poll found that figures had moved, or somebody pressed Refresh
    :param float stretch: see :func:`stretch`
    :return: a time; the first run of the scheduled action after it reads the campaign
    :rtype: datetime
    """
    interval, longest, emergency = _rung(now, fresh_at, moved_at, sent)
    if awake:
        interval = min(interval, AWAKE)
    wait = max(
        min(_times(interval, stretch), longest), _times(interval, stretch / emergency), interval
    )
    # The next month has its calls anew: what is put off is not put off beyond its beginning.
    latest = max(now + interval - SLACK, month_end(now))
    return min(now + min(wait, AT_LAST) - SLACK, latest)


def _rung(now, fresh_at, moved_at, sent):
    """:return: the columns of the tables above, without the age"""
    age = now - fresh_at
    for limit, *rung in SENT if sent else NOT_SENT:
        if age < limit:
            return rung
    quiet = now - max(fresh_at, moved_at or fresh_at)
    return LATER if quiet < QUIET else (AT_LAST, AT_LAST, 2)


def _times(interval, stretch):
    return interval * min(stretch**SHARPNESS, AT_LAST / interval)


def stretch(now, spent, budget):
    """How much faster the month's calls are spent than the month passes.

    What is left of the month, divided by what is left of the calls: 1 as long as they last.

    :param datetime now: in UTC, as Campaign Master's months are
    :param int spent: calls of this month
    :param int budget: calls that scheduled actions may make in a month
    :return: 1 or more
    """
    end = month_end(now)
    time_left = (end - now) / (end - month_start(now))
    # The last calls stay for those who sync.
    calls_left = max(1 - spent / (budget * 0.99), 0.005)
    return max(time_left / calls_left, 1.0)


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
