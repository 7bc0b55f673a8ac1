"""Time as the sandbox keeps it: whole milliseconds since 1970, UTC, from the machine's own clock.

Milliseconds as integers sort, compare and store exactly; text is made only at the edge.
"""

import re
import time
from datetime import datetime, timedelta, timezone

SECOND = 1_000
MINUTE = 60 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Python's own parser takes far more (week dates, offsets, blanks) than the contract does.
_UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def now() -> int:
    """Now, in milliseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000_000


def to_text(milliseconds: int | None) -> str | None:
    """``1700000000123`` as ``2023-11-14T22:13:20.123Z``; nothing stays nothing."""
    if milliseconds is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def from_text(text: str) -> int:
    """Milliseconds of ``2023-11-14T22:13:20Z``, with or without fractions; else ValueError."""
    if not isinstance(text, str) or not _UTC_TEXT.fullmatch(text):
        raise ValueError("must be a time in UTC such as 2026-01-31T09:30:00Z")
    # Rounded down, so that a time given back as `since` never skips what happened at it.
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // timedelta(milliseconds=1) + int(f"{fraction:0<3}"[:3])


def month_of(milliseconds: int) -> str:
    """The calendar month in UTC, as ``2026-01``."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y-%m")
