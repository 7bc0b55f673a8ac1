"""A year of an account on a simulated clock: do 50,000 calls a month suffice, and how late are
clicks? The add-on's own scheduling is run; see ``year.py``."""

from .command import main

__all__ = ["main"]
