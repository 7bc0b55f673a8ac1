"""Times as milliseconds since 1970 (UTC), which sort, compare and store exactly."""

import re
import time
from datetime import datetime, timedelta, timezone

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Python's parser accepts more than the contract: week dates, offsets, spaces.
_UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def now() -> int:
    return time.time_ns() // 1_000_000


def to_text(milliseconds: int | None) -> str | None:
    """``1700000000123`` as ``2023-11-14T22:13:20.123Z``."""
    if milliseconds is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def from_text(text: str) -> int:
    """Parse ``2023-11-14T22:13:20Z``, with or without fractions.

    :raise ValueError: not such a time
    """
    if not isinstance(text, str) or not _UTC_TEXT.fullmatch(text):
        raise ValueError("must be a time in UTC such as 2026-01-31T09:30:00Z")
    # Rounded down, so that `since` never skips an event at that time.
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // timedelta(milliseconds=1) + int(f"{fraction:0<3}"[:3])


def month_of(milliseconds: int) -> str:
    """The calendar month in UTC, as ``2026-01``."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y-%m")
