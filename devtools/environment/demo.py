"""./dev demo: Odoo with the add-on, demo data and the sandbox."""

import contextlib
import fcntl
import hashlib
import os

from . import demo_check, demo_seed, demo_year, machine, template
from . import odoo as odoo_command
from .console import Problem, complain, say
from .places import ADDON, STATE

DATABASE = "campaign_master_demo"
DIRECTORY = STATE / "demo"

READY = """
  Odoo             {odoo}
                     marketing / marketing   marketing user
                     admin / admin           administrator
  Campaign Master  {sandbox}
                     local sandbox: create templates and lists, send campaigns

In Odoo, open Email Marketing > Campaigns: a year of campaigns. The newest,
"{sent}", still receives opens and clicks; "{ready}" can be sent
in the sandbox; "{planned}" is ready to sync. The company switcher shows one
campaign of another company.
Press Ctrl-C to stop. Later starts take seconds and keep your data."""


def command(args):
    """./dev demo [--check]"""
    if args == ["--check"]:
        return demo_check.run()
    if args:
        complain("Usage: ./dev demo [--check]")
        return 2
    with _single_instance(), odoo_command.ready() as odoo:
        _prepare_database(odoo)
        say("Starting Odoo and the sandbox ...")
        with machine.running(odoo, DATABASE, DIRECTORY) as demo:
            demo_year.seed(demo)
            say(
                READY.format(
                    odoo=demo.odoo_url,
                    sandbox=demo.sandbox_url,
                    planned=demo_seed.PLANNED,
                    ready=demo_seed.READY,
                    sent=demo_year.SENT,
                )
            )
            try:
                name = demo.wait_for_exit()
            except KeyboardInterrupt:
                say("\nStopping ...")
                return 0
        raise Problem(f"{name} stopped unexpectedly. See its log in {DIRECTORY}.")


@contextlib.contextmanager
def _single_instance():
    """Refuse a second demo, as it would use the same database and sandbox."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    with open(DIRECTORY / "lock", "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem("A demo is already running.") from None
        yield


def _prepare_database(odoo):
    """Create the database, or update it if the add-on has changed."""
    fingerprint = DIRECTORY / "addon"
    current = _fingerprint()
    if DATABASE not in odoo.databases():
        # The campaigns in the sandbox belong to the former database.
        for file in DIRECTORY.glob("sandbox.state*"):
            file.unlink()
        unfinished = f"{DATABASE}_unfinished"
        template.make_database(odoo, unfinished)
        odoo.quietly("db", "rename", unfinished, DATABASE)
    elif not fingerprint.exists() or fingerprint.read_text() != current:
        say("Updating the database to the current add-on ...")
        if warnings := odoo.update(DATABASE, ADDON.name):
            complain(warnings)
    fingerprint.write_text(current)


def _fingerprint():
    """Return a hash of the add-on's files."""
    digest = hashlib.sha256()
    for directory, subdirectories, files in sorted(os.walk(ADDON)):
        subdirectories[:] = [name for name in subdirectories if name != "__pycache__"]
        for file in sorted(files):
            path = os.path.join(directory, file)
            digest.update(path.encode())
            with open(path, "rb") as content:
                digest.update(content.read())
    return digest.hexdigest()
