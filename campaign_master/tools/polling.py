"""How often a campaign's figures are read: often while it is fresh, then less and less.

Pure functions on plain times (naive, UTC), without Odoo: what decides how 50,000 calls a month are
spent can be run on a simulated clock.
"""

from datetime import timedelta

# Up to this age, read this often; older ones as in LATER.
LADDER = (
    (timedelta(days=2), timedelta(minutes=30)),
    (timedelta(days=14), timedelta(hours=2)),
    (timedelta(days=90), timedelta(hours=12)),
)
# Nothing has happened for QUIET: once a week is enough.
LATER, QUIET, AT_LAST = timedelta(days=1), timedelta(days=60), timedelta(days=7)
# Something has just happened: more may follow, and activity is read once more at the next poll.
AWAKE = timedelta(hours=2)
# The scheduled action comes every half hour, and some minutes later when it has much to do: who
# is due shortly after it came is read now, rather than half an hour late.
SLACK = timedelta(minutes=5)


def next_poll(now, fresh_at, moved_at=None, awake=False, stretch=1.0):
    """When to read a campaign's figures again.

    :param datetime now: the time of the poll that has just ended
    :param datetime fresh_at: when the campaign was synced, sent or sent again last
    :param datetime moved_at: when its figures moved last, as far as we saw; ``None`` for never
    :param bool awake: this poll found that they had moved
    :param float stretch: see :func:`stretch`; fresh campaigns are not stretched
    :return: a time; the first run of the scheduled action after it reads the campaign
    :rtype: datetime
    """
    age = now - fresh_at
    quiet = now - max(fresh_at, moved_at or fresh_at)
    interval = next(
        (interval for limit, interval in LADDER if age < limit),
        LATER if quiet < QUIET else AT_LAST,
    )
    if awake:
        interval = min(interval, AWAKE)
    if interval > LADDER[0][1]:
        interval = min(interval * stretch, AT_LAST)
    return now + interval - SLACK


def stretch(now, spent, budget):
    """By how much polls must be further apart for the month's calls to last until its end.

    What is left of the month, divided by what is left of the calls: 1 as long as calls are spent
    no faster than time passes.

    :param datetime now: in UTC, as Campaign Master's months are
    :param int spent: calls of this month
    :param int budget: calls that scheduled actions may make in a month
    :return: 1 or more
    """
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = month_end(now)
    time_left = (end - now) / (end - first)
    calls_left = max(1 - spent / budget, 0.01)
    return max(time_left / calls_left, 1.0)


def month_end(now):
    """:return: the first moment of the next calendar month"""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


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
