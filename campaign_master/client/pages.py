"""Whether the pages of a reading still bring something new.

A campaign's activity may have any number of pages, and reading them may take many clients, hours
and restarts. What tells a long reading from a server without end is therefore plain data that is
handed from page to page: a digest of the last page, how many rows came, and a sample of the
different addresses that came.

The sample holds the smallest hashes of addresses, :data:`SAMPLE_SIZE` at most (a "k minimum
values" sketch: Bar-Yossef et al., *Counting Distinct Elements in a Data Stream*, 2002). As long as
it is not full it knows each address; then it knows one in ``distinct / SAMPLE_SIZE`` of them, and
is certain after so many more rows. It is 8 kB, whether a hundred addresses were read or a million.
"""

import hashlib
from collections.abc import Iterable

SAMPLE_SIZE = 512
HASH_BITS = 48
# Pages in a row without a new address. Some may come of rows that move while they are read.
PAGES_WITHOUT_NEWS = 3
# So many rows, each with the sample's chance to be noticed: unnoticed news have e**-20.
CERTAINTY = 20


def look_at(seen: dict | None, emails: Iterable[str]) -> tuple[dict, bool, bool]:
    """Look at one more page of a reading.

    :param seen: what this function returned for the page before; None before the first
    :param emails: the addresses of the page's rows
    :return: what to hand on; whether the page is the one before once more; whether the latest
        pages brought only addresses that this reading has had, so that there is no end to expect
    """
    emails = list(emails)
    seen = seen or {"digest": "", "rows": 0, "sample": [], "pages_without_news": 0, "idle_rows": 0}
    digest = hashlib.sha256("\n".join(emails).encode()).hexdigest()
    if emails and digest == seen["digest"]:
        return seen, True, False
    sample = set(seen["sample"])
    full = len(sample) == SAMPLE_SIZE
    largest = max(sample) if full else 1 << HASH_BITS
    news = {one for one in map(_hash, emails) if one < largest} - sample
    pages_without_news = 0 if news else seen["pages_without_news"] + 1
    idle_rows = 0 if news else seen["idle_rows"] + len(emails)
    distinct = (SAMPLE_SIZE - 1) * (1 << HASH_BITS) / largest if full else 0
    no_end = (
        pages_without_news >= PAGES_WITHOUT_NEWS and idle_rows > CERTAINTY * distinct / SAMPLE_SIZE
    )
    seen = {
        "digest": digest,
        "rows": seen["rows"] + len(emails),
        "sample": sorted(sample | news)[:SAMPLE_SIZE],
        "pages_without_news": pages_without_news,
        "idle_rows": idle_rows,
    }
    return seen, False, no_end


def _hash(email):
    digest = hashlib.blake2b(email.encode(), digest_size=HASH_BITS // 8).digest()
    return int.from_bytes(digest, "big")
