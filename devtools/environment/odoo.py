"""Odoo's command line, with source, add-ons and database server ready."""

import contextlib
import re
import shutil
import subprocess

from . import debian, odoo_source, postgresql, virtualenv
from .console import Problem
from .places import HERE, ROOT, STATE
from .processes import background, foreground

# A line of Odoo's log that must not be there after an installation.
COMPLAINT = re.compile(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ")


@contextlib.contextmanager
def ready(root=ROOT):
    """Make everything that Odoo needs ready; yield an `Odoo`.

    :param root: the checkout whose add-on is used
    """
    if not shutil.which("file"):
        # It brings libmagic, which python-magic loads.
        debian.need("file")
    source = odoo_source.odoo_source()
    python = virtualenv.python()
    with postgresql.server() as environ:
        yield Odoo(source, python, environ, root)


def need_browser():
    """Have one of the browsers that Odoo's browser tests look for."""
    if not any(map(shutil.which, ["google-chrome", "chromium", "chromium-browser"])):
        debian.need("chromium", "fonts-liberation")


class Odoo:
    """Odoo's command line as a child process."""

    def __init__(self, source, python, environ, root=ROOT):
        self.python = python
        addons = [*odoo_source.addons_directories(source), root]
        self.environ = {
            **environ,
            "PYTHONPATH": f"{source}:{root}",
            "ODOO_ADDONS_PATH": ",".join(map(str, addons)),
            "ODOO_DATA_DIR": str(STATE / "odoo"),
            # A configuration file in the home must not change what the tests and the demo do.
            "ODOO_RC": environ.get("ODOO_RC") or str(HERE / "odoo.conf"),
            # Modules must not be imported from the current directory. The processes that Odoo
            # starts itself would lose `-P`.
            "PYTHONSAFEPATH": "1",
        }
        self.command = [python, HERE / "launcher" / "odoo-bin"]

    def run(self, *args):
        """Run a command in the foreground, for as long as it likes; return its exit code."""
        return foreground([*self.command, *args], self.environ)

    def start(self, *args, log):
        """Start a command in the background, its log in a file."""
        return background([*self.command, *args], self.environ, log)

    def quietly(self, *args):
        """Run a command and return its log; say what it said when it fails."""
        run = subprocess.run(
            [*self.command, *args],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if run.returncode:
            shown = " ".join(map(str, args))
            reason = complaints(run.stdout) or run.stdout
            raise Problem(f"{reason[-6000:]}\nThis has failed: ./dev odoo {shown}")
        return run.stdout

    # Databases

    def sql(self, database, statement):
        """Run an SQL statement; return what it prints, one row a line."""
        run = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if run.returncode:
            raise Problem(f"The database server refused: {run.stdout.strip()}")
        return run.stdout

    def databases(self):
        """Return the names of all databases."""
        return self.sql("postgres", "SELECT datname FROM pg_database").split()

    def drop(self, database):
        """Remove a database and its files, if it is there."""
        if database in self.databases():
            self.quietly("db", "drop", database)

    def install(self, database, modules, *options):
        """Install modules into a database, made if need be; return what Odoo complained of."""
        log = self.quietly(
            "-d", database, "-i", modules, "--stop-after-init", "--no-http", *options
        )
        return complaints(log)

    def update(self, database, modules):
        """Update modules in a database; return what Odoo complained of."""
        log = self.quietly("-d", database, "-u", modules, "--stop-after-init", "--no-http")
        return complaints(log)


def complaints(log):
    """Return the warnings and errors in a log, tracebacks with them."""
    lines, taking = [], False
    for line in log.splitlines():
        if re.match(r"^\d{4}-\d\d-\d\d ", line):
            taking = bool(COMPLAINT.match(line))
        if taking:
            lines.append(line)
    return "\n".join(lines)


def command(args):
    """./dev odoo ..."""
    with ready() as odoo:
        if "shell" in args or "--test-tags" in args or "--test-enable" in args:
            need_browser()
        return odoo.run(*args)
