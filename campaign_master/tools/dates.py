"""Odoo stores UTC without a time zone; the client uses aware UTC datetimes."""

from datetime import datetime, timezone


def utcnow():
    """:return: now, naive and in UTC, with fractions of a second"""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def to_odoo(moment):
    """:return: an aware datetime as Odoo stores it, naive and in UTC; ``None`` stays ``None``"""
    return moment and moment.astimezone(timezone.utc).replace(tzinfo=None)


def to_client(moment):
    """:return: a datetime as Odoo stores it, aware; ``None`` for an empty value"""
    return moment.replace(tzinfo=timezone.utc) if moment else None
