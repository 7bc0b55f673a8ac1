"""Odoo stores UTC without a time zone; the client speaks of aware UTC times."""

from datetime import UTC, datetime


def utcnow():
    """:return: now, as Odoo stores it, with fractions of a second"""
    return datetime.now(UTC).replace(tzinfo=None)


def to_odoo(moment):
    """:return: an aware time as Odoo stores it; ``None`` stays ``None``"""
    return moment and moment.astimezone(UTC).replace(tzinfo=None)


def to_client(moment):
    """:return: a time as Odoo stores it, aware; ``None`` for nothing"""
    return moment.replace(tzinfo=UTC) if moment else None
