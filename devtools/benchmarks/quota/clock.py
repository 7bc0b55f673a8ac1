"""Simulated time, wherever the add-on asks for the time."""

import contextlib
import sys
from datetime import timedelta
from unittest.mock import patch

from odoo import fields

ADDON = "odoo.addons.campaign_master"


class Clock:
    """Stands still until it is moved.

    :param datetime now: naive, UTC, as Odoo stores times; also an attribute
    """

    def __init__(self, now):
        self.now = now

    def pass_by(self, seconds):
        """Let some time pass."""
        self.now += timedelta(seconds=seconds)

    def wait_until(self, moment):
        """Let time pass until a moment, unless it is over."""
        self.now = max(self.now, moment)

    @contextlib.contextmanager
    def everywhere(self):
        """The add-on and the ORM see this time for the length of the block.

        The add-on calls ``fields.Datetime.now()`` or ``tools.utcnow()``, which its modules import
        by name. The database server's clock is used for ``create_date`` and ``write_date`` only.
        """
        with contextlib.ExitStack() as stack:
            now = staticmethod(lambda *_args: self.now.replace(microsecond=0))
            stack.enter_context(patch.object(fields.Datetime, "now", now))
            for name, module in list(sys.modules.items()):
                if name.startswith(ADDON) and hasattr(module, "utcnow"):
                    stack.enter_context(patch.object(module, "utcnow", lambda: self.now))
            yield self
