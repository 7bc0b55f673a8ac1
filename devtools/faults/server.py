"""A real Odoo server in a process of its own, which can be stopped, killed and started again."""

import contextlib
import os
import re
import signal
import time

import psycopg2

from devtools.environment import machine, rpc
from devtools.environment.console import Problem

PORT = 8190
LONGEST_START = 120  # seconds
LONGEST_STOP = 30
# The beginning of a log entry, of an error, and words of an entry that is not an error.
NEW_ENTRY = re.compile(r"^(?=\d{4}-\d\d-\d\d )", re.MULTILINE)
AN_ERROR = re.compile(r"\S+ \S+ \d+ (ERROR|CRITICAL) ")
A_RETRY = ("odoo.sql_db: bad query", "could not serialize access")


class Server:
    """Odoo on one database, with scheduled actions, as `./dev demo` starts it.

    :param odoo: ``devtools.environment.odoo.Odoo``
    :param str database: its name
    :param log: its log file
    """

    def __init__(self, odoo, database, log):
        self.database = database
        self.log = log
        self._odoo = odoo
        self._port = machine.free_port(PORT)
        self.url = f"http://127.0.0.1:{self._port}"
        self._process = None
        self._former_logs = []

    def start(self, cron_threads=2):
        """Start it, and return when it answers."""
        if self.log.exists():
            self._former_logs.append(self.log.read_text())
        arguments = ["-d", self.database, "--db-filter", f"^{self.database}$"]
        arguments += ["--http-port", str(self._port), "--workers", "0"]
        arguments += ["--max-cron-threads", str(cron_threads)]
        self._process = self._odoo.start(*arguments, log=self.log)
        end = time.monotonic() + LONGEST_START
        while not rpc.answers(f"{self.url}/web/health"):
            if self._process.poll() is not None or time.monotonic() > end:
                raise Problem(f"Odoo did not start: {self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def kill(self):
        """Kill it with its child processes."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self):
        """Ask it to end, like a restart."""
        self._process.terminate()
        self._process.wait(LONGEST_STOP)

    def running(self):
        """Return whether it is running."""
        return self._process is not None and self._process.poll() is None

    def session(self, login, password):
        """Log in."""
        return rpc.Odoo(self.url, self.database, login, password)

    def complaints(self):
        """Return the errors that it logged since its first start, except for concurrent updates,
        which Odoo logs as bad queries before it tries again."""
        entries = NEW_ENTRY.split("\n".join([*self._former_logs, self.log.read_text()]))
        return [
            entry
            for entry in entries
            if AN_ERROR.match(entry) and not all(word in entry for word in A_RETRY)
        ]


def wake(database):
    """Wake the servers' scheduled actions, which otherwise look once a minute.

    :param str database: the name
    """
    with contextlib.closing(psycopg2.connect(dbname="postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cr:
            cr.execute("SELECT pg_notify('cron_trigger', %s)", [database])


def wait_until(database, look, patience=60):
    """Wake scheduled actions until something is true.

    :param look: called without arguments
    :param float patience: seconds
    :return: whether it became true
    """
    end = time.monotonic() + patience
    while not look():
        if time.monotonic() > end:
            return False
        wake(database)
        time.sleep(0.3)
    return True
