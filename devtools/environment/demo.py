"""./dev demo: a whole Odoo with the add-on, people in it, and a local Campaign Master."""

import contextlib
import fcntl
import hashlib
import os

from . import demo_check, demo_seed, machine, template
from . import odoo as odoo_command
from .console import Problem, complain, say
from .places import ADDON, STATE

DATABASE = "campaign_master_demo"
DIRECTORY = STATE / "demo"

READY = """
  Odoo             {odoo}
                     marketing / marketing   plans campaigns
                     admin / admin           may do everything
  Campaign Master  {sandbox}
                     a stand-in on this machine: make templates and lists there, and send

In Odoo open Email Marketing > Campaigns. "{planned}" is ready to sync;
"{sent}" has been sent already, and its figures go on moving.
Ctrl-C stops everything. The next start finds it all again, in seconds."""


def command(args):
    """./dev demo [--check]"""
    if args == ["--check"]:
        return demo_check.run()
    if args:
        complain("./dev demo knows no argument but --check.")
        return 2
    with _alone(), odoo_command.ready() as odoo:
        _prepare_database(odoo)
        say("Starting Odoo and the sandbox ...")
        with machine.running(odoo, DATABASE, DIRECTORY) as demo:
            demo_seed.seed(demo)
            say(
                READY.format(
                    odoo=demo.odoo_url,
                    sandbox=demo.sandbox_url,
                    planned=demo_seed.PLANNED,
                    sent=demo_seed.SENT,
                )
            )
            try:
                ended = demo.watch()
            except KeyboardInterrupt:
                say("\nStopping ...")
                return 0
        raise Problem(f"{ended} has ended by itself; its log is in {DIRECTORY}.")


@contextlib.contextmanager
def _alone():
    """Refuse a second demo: both would use the same database and the same sandbox."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    with open(DIRECTORY / "lock", "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem("A demo is running already; one at a time.") from None
        yield


def _prepare_database(odoo):
    """Make the database, or bring it up to date when the add-on has changed since."""
    fingerprint = DIRECTORY / "addon"
    current = _fingerprint()
    if DATABASE not in odoo.databases():
        # Campaigns in the sandbox belong to the database that made them.
        for file in DIRECTORY.glob("sandbox.state*"):
            file.unlink()
        unfinished = f"{DATABASE}_unfinished"
        template.make_database(odoo, unfinished)
        odoo.quietly("db", "rename", unfinished, DATABASE)
    elif not fingerprint.exists() or fingerprint.read_text() != current:
        say("The add-on has changed since the last demo; updating the database ...")
        complaints = odoo.update(DATABASE, ADDON.name)
        if complaints:
            complain(complaints)
    fingerprint.write_text(current)


def _fingerprint():
    """Return what changes when the add-on does."""
    total = hashlib.sha256()
    for directory, subdirectories, files in sorted(os.walk(ADDON)):
        subdirectories[:] = [name for name in subdirectories if name != "__pycache__"]
        for file in sorted(files):
            path = os.path.join(directory, file)
            total.update(path.encode())
            with open(path, "rb") as content:
                total.update(content.read())
    return total.hexdigest()
