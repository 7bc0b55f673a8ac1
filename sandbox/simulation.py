"""Simulated recipients: which emails bounce, and who opens, clicks, unsubscribes or complains.

Pure computation from a random generator, without clock or store, so a seed always gives the same
result. Times are milliseconds since 1970 (UTC).
"""

import hashlib
import math
import random
from collections import Counter
from dataclasses import dataclass, field

from .clock import DAY, HOUR, MINUTE, SECOND
from .stories import STORIES

REPEAT_RATE = 0.35
"""Probability of each further open or click."""
SENDING_SHARE, LONGEST_SENDING = 0.15, 10 * MINUTE
"""Share of the total time in which the emails are sent, and its limit."""
MIN_VARIED_SIZE = 20
"""With at least this many recipients, everything but rejections and complaints occurs."""
MORNING = 9 * HOUR


@dataclass
class Plan:
    """Each email with its outcome, and the events that follow, by time."""

    emails: list[tuple[str, int, str, int]] = field(default_factory=list)
    """(address, sent at, outcome, outcome known at); the outcome is ``delivered`` ``hard``
    ``soft`` or ``rejected``."""
    events: list[tuple[int, int, str]] = field(default_factory=list)
    """(at, index of the email, kind); the kind is ``open`` ``click`` ``forward`` ``unsubscribe``
    or ``complaint``."""
    sent_by: int = 0
    """When the last email is sent."""


def plan(addresses: list[str], start: int, end: int, seed=None, story="usual") -> Plan:
    """Simulate a sending to ``addresses`` between ``start`` and ``end``, with one of the stories.

    The same people are keen on every campaign, and the same addresses are out of order.
    """
    rng, story = random.Random(seed), STORIES[story]
    sending_time = min(int((end - start) * SENDING_SHARE), LONGEST_SENDING)
    result = Plan(sent_by=start + sending_time)
    failures = _failures(addresses, story, rng)
    for index, address in enumerate(addresses):
        sent_at = start + sending_time * index // len(addresses)
        known_at = _shortly_after(sent_at, result.sent_by, rng, share=0.1)
        result.emails.append((address, sent_at, failures.get(index, "delivered"), known_at))
    delivered = [index for index in range(len(addresses)) if index not in failures]
    machines = _scan(result, delivered, end, rng) if story.scanned else []
    if story.prefetched:
        machines += _prefetch(result, delivered, story.prefetched, end, rng)
    _add_events(result, delivered, story, end, rng)
    if end - start >= 2 * DAY:
        result.events = [(min(_awake(at), end), index, kind) for at, index, kind in result.events]
    result.events = sorted(result.events + machines, key=lambda event: event[0])
    return result


def _failures(addresses, story, rng):
    """Outcomes of the emails that are not delivered, by index."""
    failures = {}
    minimum = 1 if len(addresses) >= MIN_VARIED_SIZE else 0
    for rate, outcome in (
        (story.hard_bounced, "hard"),
        (story.soft_bounced, "soft"),
        (story.rejected, "rejected"),
    ):
        others = [index for index in range(len(addresses)) if index not in failures]
        size = _sample_size(len(addresses), rate, rng, 0 if outcome == "rejected" else minimum)
        # A mailbox that does not exist will not exist next time.
        luck = 0 if outcome == "hard" else 1
        found = _sample(others, size, addresses, outcome, rng, luck)
        failures.update((index, outcome) for index in found)
    return failures


def _scan(result, delivered, end, rng):
    """Let a gateway hold the emails to the largest domain until it has followed their links.

    All first clicks are within 50 seconds; two of three emails get four to six clicks within 8.

    :return: the clicks, as events
    """
    domains = {index: result.emails[index][0].rpartition("@")[2] for index in delivered}
    largest = max(domains.values(), key=Counter(domains.values()).get, default=None)
    held = [index for index in delivered if domains[index] == largest]
    start = max((result.emails[index][3] for index in held), default=0)
    clicks = []
    for number, index in enumerate(held):
        address, sent_at, outcome, _known_at = result.emails[index]
        result.emails[index] = (address, sent_at, outcome, min(start + MINUTE, end))
        first = _shortly_after(start, min(start + 50 * SECOND, end), rng)
        last = min(first + 8 * SECOND, end)
        more = rng.randint(3, 5) if number % 3 else 0
        times = [first, *(_shortly_after(first, last, rng) for _click in range(more))]
        clicks += [(at, index, "click") for at in times]
    return clicks


def _prefetch(result, delivered, share, end, rng):
    """Let mail servers open some emails one to eight seconds after each was sent.

    :return: the opens, as events
    """
    opens = []
    for index in rng.sample(delivered, _sample_size(len(delivered), share, rng, 0)):
        address, sent_at, outcome, _known_at = result.emails[index]
        result.emails[index] = (address, sent_at, outcome, min(sent_at + SECOND, end))
        opens.append((_shortly_after(sent_at + SECOND, sent_at + 8 * SECOND, rng), index, "open"))
    return [(min(at, end), index, kind) for at, index, kind in opens]


def _add_events(result, delivered, story, end, rng):
    addresses = [email[0] for email in result.emails]
    minimum = 1 if len(delivered) >= MIN_VARIED_SIZE else 0
    size = _sample_size(len(delivered), rng.uniform(*story.opened), rng, minimum)
    openers = _sample(delivered, size, addresses, "reader", rng)
    for index in openers:
        opened = _long_tail(result.emails[index][3], end, rng)
        result.events.append((opened, index, "open"))
        while rng.random() < REPEAT_RATE:
            opened = _long_tail(opened, end, rng)
            result.events.append((opened, index, "open"))
    first_open = {}
    for at, index, _kind in result.events:
        first_open[index] = min(at, first_open.get(index, at))

    for rate, kind in (
        (story.clicked, "click"),
        (story.forwarded, "forward"),
        (story.unsubscribed, "unsubscribe"),
        (story.complained, "complaint"),
    ):
        size = _sample_size(len(openers), rate, rng, 0 if kind == "complaint" else minimum)
        # Who likes to read likes to click.
        trait = "reader" if kind == "click" else kind
        for index in _sample(openers, size, addresses, trait, rng):
            # Clicks follow the open sooner than the other events.
            share = 0.005 if kind == "click" else 0.1
            at = _shortly_after(first_open[index], end, rng, share)
            result.events.append((at, index, kind))
            while kind == "click" and rng.random() < REPEAT_RATE:
                at = _shortly_after(at, end, rng, share=0.05)
                result.events.append((at, index, kind))


def _sample_size(count, rate, rng, minimum):
    """About ``rate`` of ``count``, rounded randomly so that small lists are right on average."""
    exact = count * rate
    size = math.floor(exact) + (rng.random() < exact % 1)
    return min(count, max(minimum if rate else 0, size))


def _sample(indexes, size, addresses, trait, rng, luck=1):
    """Some of the addresses: by a trait that an address always has, and by luck."""
    rank = {index: _trait(addresses[index], trait) + luck * rng.random() for index in indexes}
    return sorted(indexes, key=rank.get)[:size]


def _trait(address, name):
    """A number from 0 to 1 that looks random."""
    digest = hashlib.blake2b(f"{name} {address}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _long_tail(start, end, rng):
    """A time between the two: usually early (in a week, half within five hours), occasionally very
    late."""
    share = rng.lognormvariate(math.log(0.03), 1.5)
    return start + int((end - start) * min(share, rng.random()))


def _shortly_after(start, end, rng, share=1.0):
    """A time within the first ``share`` between the two."""
    return start + int((end - start) * share * rng.random())


def _awake(at):
    """The time itself, or if it is before 9:00 (UTC), one between 6:00 and 9:00."""
    time = at % DAY
    return at if time >= MORNING else at - time + MORNING * 2 // 3 + time // 3
