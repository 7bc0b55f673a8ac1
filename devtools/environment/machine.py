"""Runs Odoo and the sandbox."""

import contextlib
import shutil
import socket
import threading
import time
from dataclasses import dataclass

from . import rpc, sandbox, template
from .console import Problem, say
from .places import ROOT
from .processes import ended

ODOO_PORT = 8069
SANDBOX_PORT = 8090
START_TIMEOUT = 120  # seconds
# Ports that were returned, as their servers may not listen yet.
_used_ports = set()
_lock = threading.Lock()


@dataclass
class Demo:
    """A running Odoo with a sandbox."""

    database: str
    odoo_url: str
    sandbox_url: str
    processes: dict

    def session(self, login, password):
        """Log in to Odoo."""
        return rpc.Odoo(self.odoo_url, self.database, login, password)

    @property
    def sandbox(self):
        """The sandbox's controls."""
        return rpc.Sandbox(self.sandbox_url)

    def wait_for_exit(self):
        """Wait until one of the processes ends; return its name."""
        while True:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    return name
            time.sleep(0.5)


@contextlib.contextmanager
def running(odoo, database, directory):
    """Run both on free ports, with logs and the sandbox's state in a directory."""
    state = ["--state", directory / "sandbox.state"]
    with (
        running_sandbox(directory, *state) as (sandbox_url, sandbox_process),
        running_odoo(odoo, database, directory) as (odoo_url, odoo_process),
    ):
        processes = {"Odoo": odoo_process, "The sandbox": sandbox_process}
        yield Demo(database, odoo_url, sandbox_url, processes)


@contextlib.contextmanager
def fresh(odoo, database, directory):
    """Run both with a new database and sandbox, and drop the database at the end."""
    shutil.rmtree(directory, ignore_errors=True)
    template.make_database(odoo, database)
    try:
        with running(odoo, database, directory) as demo:
            yield demo
    finally:
        odoo.drop(database)


@contextlib.contextmanager
def running_sandbox(directory, *options, root=ROOT):
    """Run a checkout's sandbox on a free port; yield its URL and process."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port(SANDBOX_PORT)
    url = f"http://127.0.0.1:{port}"
    log = directory / "sandbox.log"
    with ended(sandbox.start("--port", port, *options, log=log, root=root)) as process:
        _wait_for_start("The sandbox", process, f"{url}/_sandbox/state?brief=1", log)
        yield url, process


@contextlib.contextmanager
def running_odoo(odoo, database, directory, *options):
    """Run Odoo on a free port; yield its URL and process."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port(ODOO_PORT)
    url = f"http://127.0.0.1:{port}"
    log = directory / "odoo.log"
    arguments = ["-d", database, "--db-filter", f"^{database}$", "--no-database-list"]
    arguments += ["--http-port", str(port), "--workers", "0", "--max-cron-threads", "2"]
    with ended(odoo.start(*arguments, *options, log=log)) as process:
        _wait_for_start("Odoo", process, f"{url}/web/login", log)
        yield url, process


def free_port(preferred):
    """Return the preferred port or the next free one, each only once."""
    with _lock:
        for port in range(preferred, preferred + 100):
            if port in _used_ports:
                continue
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _used_ports.add(port)
            if port != preferred:
                say(f"Port {preferred} is in use; using {port} instead.")
            return port
    raise Problem(f"No free port from {preferred} to {preferred + 99}.")


def _wait_for_start(name, process, url, log):
    """Wait until the server responds."""
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end and process.poll() is None:
        if rpc.answers(url):
            return
        time.sleep(0.2)
    raise Problem(f"{name} did not start. Last lines of {log}:\n{log.read_text()[-3000:]}")
