"""Directories, and locks between commands."""

import contextlib
import fcntl
import os
from pathlib import Path

from .console import say

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "devtools" / "environment"
ADDON = ROOT / "campaign_master"


def _base(variable, default):
    """Return this project's directory in an XDG base directory."""
    return Path(os.environ.get(variable) or Path.home() / default) / "campaign-master-odoo"


# Downloads, shared by all checkouts.
CACHE = _base("XDG_CACHE_HOME", ".cache")
# Data: databases, filestores, the sandbox's campaigns.
STATE = _base("XDG_STATE_HOME", ".local/state")


@contextlib.contextmanager
def locked(name):
    """Run the block in one process at a time."""
    directory = CACHE / "locks"
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / name, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another ./dev process ({name}) ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
