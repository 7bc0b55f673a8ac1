"""What is said to the person at the keyboard."""

import sys


class Problem(Exception):
    """Something that a person can understand and mend; shown without a traceback."""


def say(sentence):
    """Print a sentence at once, also when the output goes into a file."""
    print(sentence, flush=True)


def complain(sentence):
    """Print a sentence to the error output."""
    sys.stdout.flush()
    print(sentence, file=sys.stderr, flush=True)
