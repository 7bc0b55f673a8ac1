"""What the runs have seen, told at their end."""

from collections import Counter

import pytest

STARTED = pytest.StashKey()

counts = Counter()
told = []


def count(what, number=1):
    """Count something, as ``cells agree``."""
    counts[what] += number


def tell(line):
    """Have a line said at the end of the run."""
    told.append(line)


def lines(seconds):
    """Return all that is to be said."""
    seen = ", ".join(f"{number} {what}" for what, number in counts.items())
    return ["", *told, f"{seen or 'nothing'} in {seconds:.0f} seconds"]
