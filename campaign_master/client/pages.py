"""Detects that the pages of a reading do not end.

A campaign's activity may have any number of pages, and reading all of them may take several
clients, hours and restarts. Only the pages themselves can tell a long reading from a server that
repeats itself, so what is known of earlier pages is plain data, which is passed from page to page:
a digest of the last page, the number of rows, and a sample of the different addresses.

The sample keeps the smallest hashes of addresses, at most :data:`SAMPLE_SIZE` of them (a "k minimum
values" sketch: Bar-Yossef et al., *Counting Distinct Elements in a Data Stream*, 2002). Until it is
full, it knows every address. After that it notices one new address in ``distinct / SAMPLE_SIZE``,
and takes accordingly more rows to be certain that there are none. It takes up to 8 kB, for a
hundred addresses or a million.
"""

import hashlib
from collections.abc import Iterable

SAMPLE_SIZE = 512
HASH_BITS = 48
# Pages in a row without a new address. Fewer may be due to rows that move between pages.
PAGES_WITHOUT_NEW = 3
# Multiple of the rows in which one new address is noticed. By then, the probability that there were
# new ones and none was noticed is e**-20.
CERTAINTY = 20


def check(seen: dict | None, emails: Iterable[str]) -> tuple[dict, bool, bool]:
    """Check one more page of a reading.

    :param seen: the first value that this function returned for the previous page; None for the
        first page
    :param emails: the addresses of the page's rows
    :return: what is known of all pages so far, as JSON data; whether the page repeats the previous
        one; whether the reading has no end, because the last pages had known addresses only
    """
    emails = list(emails)
    seen = seen or {"digest": "", "rows": 0, "sample": [], "pages_without_new": 0, "old_rows": 0}
    digest = hashlib.sha256("\n".join(emails).encode()).hexdigest()
    if emails and digest == seen["digest"]:
        return seen, True, False
    sample = set(seen["sample"])
    is_full = len(sample) == SAMPLE_SIZE
    largest = max(sample) if is_full else 1 << HASH_BITS
    new = {value for value in map(_hash, emails) if value < largest} - sample
    pages_without_new = 0 if new else seen["pages_without_new"] + 1
    old_rows = 0 if new else seen["old_rows"] + len(emails)
    distinct = (SAMPLE_SIZE - 1) * (1 << HASH_BITS) / largest if is_full else 0
    is_certain = old_rows > CERTAINTY * distinct / SAMPLE_SIZE
    known = {
        "digest": digest,
        "rows": seen["rows"] + len(emails),
        "sample": sorted(sample | new)[:SAMPLE_SIZE],
        "pages_without_new": pages_without_new,
        "old_rows": old_rows,
    }
    return known, False, pages_without_new >= PAGES_WITHOUT_NEW and is_certain


def _hash(email):
    digest = hashlib.blake2b(email.encode(), digest_size=HASH_BITS // 8).digest()
    return int.from_bytes(digest, "big")
