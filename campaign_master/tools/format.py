"""Numbers and times in sentences, in the reader's language and time zone."""

from odoo import fields
from odoo.tools.misc import format_datetime, format_time, formatLang


def format_count(env, count):
    """:return: a whole number in the reader's format, such as ``20,000``"""
    return formatLang(env, count, digits=0)


def format_percent(env, percent):
    """:return: a percentage in the reader's format, such as ``12.3%`` or ``0.12%``; “–” for
    ``None``"""
    if percent is None:
        return "–"
    return f"{formatLang(env, percent, digits=2 if 0 < percent < 1 else 1)}%"


def format_moment(env, moment):
    """Format a time in the time zone and language of the context.

    :param datetime moment: naive, UTC
    :return: the time of day; with the date unless it is today
    :rtype: str
    """
    local_date = fields.Datetime.context_timestamp(env.user, moment).date()
    today = fields.Datetime.context_timestamp(env.user, fields.Datetime.now()).date()
    if local_date == today:
        return format_time(env, moment, tz=env.context.get("tz"), time_format="short")
    return format_date_and_time(env, moment)


def format_date_and_time(env, moment):
    """Format a time in the time zone and language of the context.

    :param datetime moment: naive, UTC
    :return: the date and the time of day; empty without a time
    :rtype: str
    """
    return format_datetime(env, moment, tz=env.context.get("tz"), dt_format="short")
