"""Where things are kept, and how two commands keep out of each other's way."""

import contextlib
import fcntl
import os
from pathlib import Path

from .console import say

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "devtools" / "environment"
ADDON = ROOT / "campaign_master"


def _base(variable, default):
    """Return this project's directory below a directory of the XDG convention."""
    return Path(os.environ.get(variable) or Path.home() / default) / "campaign-master-odoo"


# What can be fetched again, shared by all checkouts.
CACHE = _base("XDG_CACHE_HOME", ".cache")
# What would be lost: databases, filestores, the sandbox's campaigns.
STATE = _base("XDG_STATE_HOME", ".local/state")


@contextlib.contextmanager
def locked(name):
    """Let one process at a time into the block; a process that dies lets the next one in."""
    directory = CACHE / "locks"
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / name, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another ./dev that is busy with the same ({name}) ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
