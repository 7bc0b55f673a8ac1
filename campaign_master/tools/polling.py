"""How often a campaign's statistics are read: often while it is fresh, then less and less.

Plain functions of times, without Odoo, so that a year can be simulated (devtools/benchmarks/quota).
All times are naive and in UTC, as Odoo stores them; Campaign Master's months are in UTC, too.

A campaign's age gives its interval. When the month's calls would not last at the present pace,
intervals are doubled, and doubled again, in the order of their priorities. The figures behind this
rule (ten simulated years, see QUOTA.md):

- Without priorities, with all intervals doubled at once, 12 % of the clicks on campaigns younger
  than 48 hours are later than 35 minutes (in two of two years); the target is 5 %.
- With priorities all targets are met in all ten years: 3.4 to 4.7 %, and 45,000 calls a month, the
  limit of the scheduled actions, are never reached.
- Looking ahead at the calls that all known campaigns would need until the month's end, which was
  the rule before, met them as well (2.8 to 3.6 %), with a query of all campaigns and more code.

Adding recipients leaves a part of the month to reading, and of each hour (PUSH_SHARE): Campaign
Master may take one recipient a call, and a campaign of 100,000 would use up the calls of a month in
a day, so that no statistics were read for weeks. The part becomes smaller each day, so that nothing
is left over at the month's end. With 1,000 recipients a call it is never touched.

Known limit: with 800 campaigns a year instead of 500 (one simulated year), both rules miss the
targets. Looking ahead then still leaves enough calls for adding recipients; with this rule reading
uses them up some days before the month's end, and adding recipients waits.
"""

from datetime import timedelta
from typing import NamedTuple

from ..client import month_end, month_start

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HALF_HOUR = HOUR / 2


class Interval(NamedTuple):
    """How often a campaign is read.

    :ivar timedelta every: the usual interval
    :ivar int priority: the interval becomes longer only when the slowdown is beyond this number:
        with a slowdown of 8 and a priority of 4, twice as long
    """

    every: timedelta
    priority: int


# By the age of a campaign, up to this one. Half an hour is a requirement. Three hours and a day are
# how late a click may be in Odoo by then (the targets in QUOTA.md). The limits in between and the
# priorities were found by simulation: intervals with few clicks for their calls give way first.
SENT = (
    (1 * DAY, Interval(HALF_HOUR, 8)),
    (2 * DAY, Interval(HALF_HOUR, 1)),
    (7 * DAY, Interval(3 * HOUR, 4)),
    (14 * DAY, Interval(3 * HOUR, 1)),
)
SENT_LONG_AGO = Interval(DAY, 4)
# Campaigns are usually sent soon after a sync, and reading is how Odoo learns of it.
NOT_SENT = (
    (3 * HOUR, Interval(HALF_HOUR, 4)),
    (7 * DAY, Interval(1.5 * HOUR, 1)),
)
# An old campaign whose figures did not change for this long is read once a week. No campaign waits
# longer than that, so the slowdown does not apply.
QUIET = 14 * DAY
LONGEST = 7 * DAY
ARCHIVED = Interval(LONGEST, 1)
SLOWDOWNS = (1, 2, 4, 8, 16, 32)
# Campaigns wait until the month's end, or for a week.
STOPPED = 10_000
# Over which time the pace is measured: the pace of reading changes with the slowdown; all other
# calls depend on people, who work in weeks.
STATISTICS_PERIOD = DAY
OTHERS_PERIOD = 7 * DAY
# Of the month's calls of the scheduled actions, reading leaves the last part to adding recipients.
READING_SHARE = 0.99
# Of an hour's calls of the scheduled actions, and of a month's on its first day, adding recipients
# uses this part at most.
PUSH_SHARE = 0.7
# The scheduled action runs every half hour, and takes some minutes when there is much to read:
# a campaign that would become due shortly after a run began is read in that run.
SLACK = timedelta(minutes=5)


def next_poll(now, fresh_at, moved_at=None, *, sent=True, archived=False, slowdown=1):
    """When to read a campaign's statistics again.

    Nothing is put off beyond the end of the month, when new calls are available.

    :param datetime now: the time of the reading that has just ended (UTC)
    :param datetime fresh_at: when the campaign was last synced, sent or sent again (UTC)
    :param datetime moved_at: when its figures last changed, or a user last pressed *Refresh
        Statistics* (UTC); ``None`` for never
    :param bool sent: whether emails were sent
    :param bool archived: whether the campaign was archived in Odoo: then it is read once a week,
        because people may still unsubscribe
    :param int slowdown: see :func:`slowdown`
    :return: a time (UTC); the first run of the scheduled action after it reads the campaign
    :rtype: datetime
    """
    quiet = now - max(fresh_at, moved_at or fresh_at) >= QUIET
    every, priority = ARCHIVED if archived else _interval_for(now - fresh_at, sent, quiet)
    wait = min(every * max(slowdown / priority, 1), LONGEST)
    return min(now + wait - SLACK, max(now + every - SLACK, month_end(now)))


def _interval_for(age, sent, quiet):
    for limit, interval in SENT if sent else NOT_SENT:
        if age < limit:
            return interval
    return Interval(LONGEST, 1) if quiet else SENT_LONG_AGO


def slowdown(now, spent, statistics, others, limit):
    """By how much reading must slow down for the month's calls to last.

    The smallest of ``SLOWDOWNS`` with which the forecast is within the limit; ``STOPPED`` when
    only the part for adding recipients is left, and will be needed. The present slowdown is not
    remembered: once the pace is slow enough, intervals become shorter again, until it is too fast.

    :param datetime now: UTC
    :param int spent: calls of this month so far
    :param float statistics: calls per day that read statistics, over ``STATISTICS_PERIOD``
    :param float others: all other calls per day, over ``OTHERS_PERIOD``
    :param float limit: calls per month that scheduled actions may make
    :return: a number for :func:`next_poll`
    :rtype: int
    """
    if spent > limit * READING_SHARE and forecast(now, spent, others) > limit:
        return STOPPED
    for number in SLOWDOWNS:
        if forecast(now, spent, statistics / number + others) <= limit * READING_SHARE:
            break
    return number


def forecast(now, spent, per_day):
    """How many calls the month will have at its end.

    :param datetime now: UTC
    :param int spent: calls of this month so far
    :param float per_day: calls per day until then
    :rtype: int
    """
    return spent + round(per_day * ((month_end(now) - now) / DAY))


def push_limit(now, limit):
    """Up to how many calls of the month, of all kinds, recipients are added.

    The rest is for reading: a share of the calls of each day that is left after today.

    :param datetime now: UTC
    :param float limit: calls per month that scheduled actions may make
    :rtype: float
    """
    end = month_end(now)
    days_left = (end.date() - now.date()).days - 1
    return limit * (1 - (1 - PUSH_SHARE) * days_left / (end - month_start(now)).days)


def pushes_per_day(now, spent, per_day, limit):
    """How many calls add recipients until the month's end, at most as :func:`push_limit` allows.

    :param datetime now: UTC
    :param int spent: calls of this month so far
    :param float per_day: such calls per day, over ``OTHERS_PERIOD``
    :param float limit: calls per month that scheduled actions may make
    :return: such calls per day until then
    :rtype: float
    """
    return min(per_day, max(push_limit(now, limit) - spent, 0) / ((month_end(now) - now) / DAY))


def end_of_pushing(now, calls, spent, others, hour_limit, limit):
    """When so many calls that add recipients will have been made, if the quota alone decides.

    :param datetime now: UTC
    :param int calls: number of calls, one at least
    :param int spent: calls of this month so far
    :param float others: all other calls per day
    :param float hour_limit: calls per hour that scheduled actions may make
    :param float limit: calls per month that scheduled actions may make
    :return: UTC
    :rtype: datetime
    """
    hour_limit *= PUSH_SHARE
    while True:
        next_day = tomorrow(now)
        possible = min(max(push_limit(now, limit) - spent, 0), hour_limit * (next_day - now) / HOUR)
        if calls <= possible:
            return now + HOUR * (calls / hour_limit)
        calls -= possible
        spent += possible + others * ((next_day - now) / DAY)
        if next_day == month_end(now):
            spent = 0
        now = next_day


def tomorrow(now):
    """:return: the end of the day of ``now`` (UTC), when :func:`push_limit` rises
    :rtype: datetime"""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
