"""Odoo's command line with source code, add-ons and database server."""

import contextlib
import re
import shutil
import subprocess

from . import debian, odoo_source, postgresql, virtualenv
from .console import Problem
from .places import HERE, ROOT, STATE
from .processes import background, foreground

WARNING = re.compile(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ")


@contextlib.contextmanager
def ready(root=ROOT):
    """Set up everything that Odoo needs; yield an `Odoo`.

    :param root: the checkout with the add-on
    """
    if not shutil.which("file"):
        # Includes libmagic, which python-magic needs.
        debian.need("file")
    source = odoo_source.odoo_source()
    python = virtualenv.python()
    with postgresql.server() as environ:
        yield Odoo(source, python, environ, root)


def need_browser():
    """Install a browser for Odoo's browser tests, if there is none."""
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
            # ~/.odoorc must not change tests and demo.
            "ODOO_RC": environ.get("ODOO_RC") or str(HERE / "odoo.conf"),
            # Do not import from the current directory. Unlike `-P`, this also applies to child
            # processes of Odoo.
            "PYTHONSAFEPATH": "1",
        }
        self.command = [python, HERE / "launcher" / "odoo-bin"]

    def run(self, *args):
        """Run a command in the foreground; return its exit code."""
        return foreground([*self.command, *args], self.environ)

    def start(self, *args, log):
        """Start a command in the background, with its output in a file."""
        return background([*self.command, *args], self.environ, log)

    def quietly(self, *args):
        """Run a command and return its output.

        :raise Problem: it fails; includes the warnings and errors
        """
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
            reason = logged_warnings(run.stdout) or run.stdout
            raise Problem(f"{reason[-6000:]}\nCommand failed: ./dev odoo {shown}")
        return run.stdout

    # Databases

    def sql(self, database, statement):
        """Run an SQL statement; return its result, one row per line."""
        run = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if run.returncode:
            raise Problem(f"SQL error: {run.stdout.strip()}")
        return run.stdout

    def databases(self):
        """Return the names of all databases."""
        return self.sql("postgres", "SELECT datname FROM pg_database").split()

    def drop(self, database):
        """Drop a database with its files, if it exists."""
        if database in self.databases():
            self.quietly("db", "drop", database)

    def install(self, database, modules, *options):
        """Install modules, creating the database if needed; return warnings and errors."""
        log = self.quietly(
            "-d", database, "-i", modules, "--stop-after-init", "--no-http", *options
        )
        return logged_warnings(log)

    def update(self, database, modules):
        """Update modules; return warnings and errors."""
        log = self.quietly("-d", database, "-u", modules, "--stop-after-init", "--no-http")
        return logged_warnings(log)


def logged_warnings(log):
    """Return the warnings and errors of a log, with their tracebacks."""
    lines, is_warning = [], False
    for line in log.splitlines():
        if re.match(r"^\d{4}-\d\d-\d\d ", line):
            is_warning = bool(WARNING.match(line))
        if is_warning:
            lines.append(line)
    return "\n".join(lines)


def command(args):
    """./dev odoo ..."""
    with ready() as odoo:
        if "shell" in args or "--test-tags" in args or "--test-enable" in args:
            need_browser()
        return odoo.run(*args)
