"""A year of an account on a simulated clock: are 50,000 calls a month enough, and how late are
clicks in Odoo? See ``simulation.py``."""

from .command import main

__all__ = ["main"]
