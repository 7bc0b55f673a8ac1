"""What people do with a mail: who gets it, who opens it when, who clicks, leaves or complains.

Pure arithmetic on a random generator: no clock and no store, so that a seed gives the same
story each time. Times are milliseconds since 1970 (UTC).
"""

import math
import random
from dataclasses import dataclass, field

# Shares as newsletters in the UK see them, give or take; an open rate is drawn for each campaign.
HARD_BOUNCES = 0.015
SOFT_BOUNCES = 0.012
REJECTED = 0.004
UNIQUE_OPENS = (0.25, 0.35)
AGAIN = 0.35
"""The chance that somebody who opened opens once more, and again."""
CLICKERS = 0.18
"""Of the people who opened."""
FORWARDERS = 0.015
UNSUBSCRIBERS = 0.012
COMPLAINERS = 0.002

SENDING = 0.15
"""The part of the whole time in which the mails go out."""
LIVELY_FROM = 20
"""From so many recipients on, everything but a complaint happens at least once: a small try shows
what there is to see."""


@dataclass
class Plan:
    """A story told in advance: each mail with its fate, and what is done with it, by time."""

    mails: list[tuple[str, int, str, int]] = field(default_factory=list)
    """(address, sent at, outcome, outcome known at); an outcome is ``delivered`` ``hard`` ``soft``
    or ``rejected``."""
    events: list[tuple[int, int, str]] = field(default_factory=list)
    """(at, index of the mail, kind); a kind is ``open`` ``click`` ``forward`` ``unsubscribe`` or
    ``complaint``."""
    sent_by: int = 0
    """When the last mail is out."""


def plan(emails: list[str], start: int, end: int, seed=None, quiet=False) -> Plan:
    """Tell the story of a mail to ``emails``, all of it between ``start`` and ``end``.

    In a ``quiet`` one all mails arrive and nobody does anything.
    """
    dice = random.Random(seed)
    story = Plan(sent_by=start + int((end - start) * SENDING))
    fates = {} if quiet else _fates(len(emails), dice)
    sending = story.sent_by - start
    for index, email in enumerate(emails):
        sent_at = start + sending * index // len(emails)
        known_at = _later(sent_at, story.sent_by, dice, share=0.1)
        story.mails.append((email, sent_at, fates.get(index, "delivered"), known_at))
    if not quiet:
        _react(story, [index for index in range(len(emails)) if index not in fates], end, dice)
    story.events.sort(key=lambda event: event[0])
    return story


def _fates(count, dice):
    """The mails that do not arrive, by index."""
    fates = {}
    for share, fate, least in (
        (HARD_BOUNCES, "hard", 1),
        (SOFT_BOUNCES, "soft", 1),
        (REJECTED, "rejected", 0),
    ):
        left = [index for index in range(count) if index not in fates]
        wanted = _some(count, share, dice, least if count >= LIVELY_FROM else 0)
        fates.update((index, fate) for index in dice.sample(left, wanted))
    return fates


def _react(story, delivered, end, dice):
    least = 1 if len(delivered) >= LIVELY_FROM else 0
    rate = dice.uniform(*UNIQUE_OPENS)
    openers = dice.sample(delivered, _some(len(delivered), rate, dice, least))
    for index in openers:
        opened = _tail(story.mails[index][3], end, dice)
        story.events.append((opened, index, "open"))
        while dice.random() < AGAIN:
            opened = _tail(opened, end, dice)
            story.events.append((opened, index, "open"))
    first = {}
    for at, index, _kind in story.events:
        first[index] = min(at, first.get(index, at))

    for share, kind in (
        (CLICKERS, "click"),
        (FORWARDERS, "forward"),
        (UNSUBSCRIBERS, "unsubscribe"),
        (COMPLAINERS, "complaint"),
    ):
        wanted = _some(len(openers), share, dice, 0 if kind == "complaint" else least)
        for index in dice.sample(openers, wanted):
            # A click follows its open within moments; the rest takes a little longer.
            at = _later(first[index], end, dice, share=0.02 if kind == "click" else 0.1)
            story.events.append((at, index, kind))
            while kind == "click" and dice.random() < AGAIN:
                at = _later(at, end, dice, share=0.05)
                story.events.append((at, index, kind))


def _some(count, share, dice, least=0):
    """About ``share`` of ``count``, rounded by chance so that small crowds are right on average."""
    exact = count * share
    number = math.floor(exact) + (dice.random() < exact % 1)
    return min(count, max(least, number))


def _tail(start, end, dice):
    """A moment between the two, most often soon, now and then very late: a long tail."""
    part = dice.lognormvariate(math.log(0.08), 1.1)
    return start + int((end - start) * min(part, dice.random()))


def _later(start, end, dice, share=1.0):
    """A moment shortly after ``start``, not after ``end``."""
    return start + int((end - start) * share * dice.random())
