"""Detects that the pages of a reading do not end.

A campaign's activity may have any number of pages, and reading all of them may take several
clients, hours and restarts. Only the pages themselves show whether a server repeats itself.
Therefore what is known of earlier pages is plain data, passed from page to page: a digest of the
last page, the number of rows, and a sample of the different addresses.

The sample keeps the smallest hashes of addresses, at most :data:`SAMPLE_SIZE` of them (a "k minimum
values" sketch: Bar-Yossef et al., *Counting Distinct Elements in a Data Stream*, 2002). Until it is
full, it contains every address, and their number is exact. After that it notices one new address
in ``distinct / SAMPLE_SIZE``, and the number is an estimate. It takes up to 8 kB, for a hundred
addresses or a million.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

SAMPLE_SIZE = 512
HASH_BITS = 48
# The estimate has a standard error of 1 / sqrt(SAMPLE_SIZE) = 4.4 %: this is five times that.
MARGIN = 1.22


class Check(NamedTuple):
    """What is known after one more page.

    :ivar dict seen: JSON data, to be passed with the next page
    :ivar bool repeated: the page repeats the previous one, and nothing was inserted before it
    :ivar bool endless: more rows in a row had known addresses than there are addresses
    """

    seen: dict
    repeated: bool
    endless: bool


def check(seen: dict | None, emails: Iterable[str], total: int | None) -> Check:
    """Check one more page of a reading.

    Rows may move to later pages during a reading, because rows that change are inserted before
    them. Then known addresses come again, but each of them only once.

    :param seen: ``seen`` of the previous page; None for the first page
    :param emails: the addresses of the page's rows
    :param total: the number of rows on all pages, as the page announces it; None if it does not
    """
    emails = list(emails)
    seen = seen or {"digest": "", "total": total, "rows": 0, "sample": [], "known_rows": 0}
    digest = hashlib.sha256("\n".join(emails).encode()).hexdigest()
    if emails and digest == seen["digest"] and total == seen["total"]:
        return Check(seen, repeated=True, endless=False)
    sample = set(seen["sample"])
    is_full = len(sample) == SAMPLE_SIZE
    largest = max(sample) if is_full else 1 << HASH_BITS
    new = {value for value in map(_hash, emails) if value < largest} - sample
    known_rows = 0 if new else seen["known_rows"] + len(emails)
    distinct = len(sample)
    if is_full:
        distinct = MARGIN * (SAMPLE_SIZE - 1) * (1 << HASH_BITS) / largest
    seen = {
        "digest": digest,
        "total": total,
        "rows": seen["rows"] + len(emails),
        "sample": sorted(sample | new)[:SAMPLE_SIZE],
        "known_rows": known_rows,
    }
    return Check(seen, repeated=False, endless=known_rows > distinct)


def _hash(email):
    digest = hashlib.blake2b(email.encode(), digest_size=HASH_BITS // 8).digest()
    return int.from_bytes(digest, "big")
