"""Console output."""

import sys


class Problem(Exception):
    """An error that the user can fix; shown without a traceback."""


def say(message):
    """Print without buffering."""
    print(message, flush=True)


def complain(message):
    """Print to the error output."""
    sys.stdout.flush()
    print(message, file=sys.stderr, flush=True)
