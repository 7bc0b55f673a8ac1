"""A summary at the end of the run."""

from collections import Counter

import pytest

STARTED = pytest.StashKey()

counts = Counter()
told = []


def count(what, number=1):
    """Count something, such as ``cells agree``."""
    counts[what] += number


def tell(line):
    """Add a line to the summary."""
    told.append(line)


def lines(seconds):
    """Return the lines of the summary."""
    seen = ", ".join(f"{number} {what}" for what, number in counts.items())
    return ["", *told, f"{seen or 'nothing'} in {seconds:.0f} seconds"]
