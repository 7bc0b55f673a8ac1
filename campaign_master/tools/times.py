"""Odoo stores UTC without a time zone; the client speaks of aware UTC times."""

from datetime import datetime, timezone


def utcnow():
    """:return: now, as Odoo stores it, with fractions of a second"""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def to_odoo(moment):
    """:return: an aware time as Odoo stores it; ``None`` stays ``None``"""
    return moment and moment.astimezone(timezone.utc).replace(tzinfo=None)


def to_client(moment):
    """:return: a time as Odoo stores it, aware; ``None`` for nothing"""
    return moment.replace(tzinfo=timezone.utc) if moment else None
