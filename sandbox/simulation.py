"""Simulated recipients: which emails bounce, and who opens, clicks, unsubscribes or complains.

Pure computation from a random generator, without clock or store, so a seed always gives the same
result. Times are milliseconds since 1970 (UTC).
"""

import math
import random
from dataclasses import dataclass, field

# Roughly the rates of UK newsletters; the open rate is drawn for each campaign.
HARD_BOUNCE_RATE = 0.015
SOFT_BOUNCE_RATE = 0.012
REJECTION_RATE = 0.004
OPEN_RATES = (0.25, 0.35)
REPEAT_RATE = 0.35
"""Probability of each further open or click."""
# Of the recipients who opened.
CLICK_RATE = 0.18
FORWARD_RATE = 0.015
UNSUBSCRIBE_RATE = 0.012
COMPLAINT_RATE = 0.002

SENDING_SHARE = 0.15
"""Share of the total time in which the emails are sent."""
MIN_VARIED_SIZE = 20
"""With at least this many recipients, everything but rejections and complaints occurs."""


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


def plan(addresses: list[str], start: int, end: int, seed=None, quiet=False) -> Plan:
    """Simulate a sending to ``addresses`` between ``start`` and ``end``.

    With ``quiet`` all emails are delivered and no events follow.
    """
    rng = random.Random(seed)
    result = Plan(sent_by=start + int((end - start) * SENDING_SHARE))
    failures = {} if quiet else _failures(len(addresses), rng)
    sending_time = result.sent_by - start
    for index, address in enumerate(addresses):
        sent_at = start + sending_time * index // len(addresses)
        known_at = _shortly_after(sent_at, result.sent_by, rng, share=0.1)
        result.emails.append((address, sent_at, failures.get(index, "delivered"), known_at))
    if not quiet:
        delivered = [index for index in range(len(addresses)) if index not in failures]
        _add_events(result, delivered, end, rng)
    result.events.sort(key=lambda event: event[0])
    return result


def _failures(count, rng):
    """Outcomes of the emails that are not delivered, by index."""
    failures = {}
    for rate, outcome, minimum in (
        (HARD_BOUNCE_RATE, "hard", 1),
        (SOFT_BOUNCE_RATE, "soft", 1),
        (REJECTION_RATE, "rejected", 0),
    ):
        others = [index for index in range(count) if index not in failures]
        size = _sample_size(count, rate, rng, minimum if count >= MIN_VARIED_SIZE else 0)
        failures.update((index, outcome) for index in rng.sample(others, size))
    return failures


def _add_events(result, delivered, end, rng):
    minimum = 1 if len(delivered) >= MIN_VARIED_SIZE else 0
    open_rate = rng.uniform(*OPEN_RATES)
    openers = rng.sample(delivered, _sample_size(len(delivered), open_rate, rng, minimum))
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
        (CLICK_RATE, "click"),
        (FORWARD_RATE, "forward"),
        (UNSUBSCRIBE_RATE, "unsubscribe"),
        (COMPLAINT_RATE, "complaint"),
    ):
        size = _sample_size(len(openers), rate, rng, 0 if kind == "complaint" else minimum)
        for index in rng.sample(openers, size):
            # Clicks follow the open sooner than the other events.
            share = 0.02 if kind == "click" else 0.1
            at = _shortly_after(first_open[index], end, rng, share)
            result.events.append((at, index, kind))
            while kind == "click" and rng.random() < REPEAT_RATE:
                at = _shortly_after(at, end, rng, share=0.05)
                result.events.append((at, index, kind))


def _sample_size(count, rate, rng, minimum=0):
    """About ``rate`` of ``count``, rounded randomly so that small lists are right on average."""
    exact = count * rate
    size = math.floor(exact) + (rng.random() < exact % 1)
    return min(count, max(minimum, size))


def _long_tail(start, end, rng):
    """A time between the two: usually early, occasionally very late."""
    share = rng.lognormvariate(math.log(0.08), 1.1)
    return start + int((end - start) * min(share, rng.random()))


def _shortly_after(start, end, rng, share=1.0):
    """A time within the first ``share`` between the two."""
    return start + int((end - start) * share * rng.random())
