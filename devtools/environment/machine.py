"""Odoo and the sandbox, running side by side until the block ends."""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass

from . import rpc, sandbox
from .console import Problem, say
from .places import ROOT
from .processes import ended

ODOO_PORT = 8069
SANDBOX_PORT = 8090
LONGEST_START = 120  # seconds
# Ports that were returned; the server may not listen yet.
_returned = set()
_ports = threading.Lock()


@dataclass
class Machine:
    """A running Odoo with a running sandbox."""

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

    def watch(self):
        """Return when one of the processes has ended, with its name."""
        while True:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    return name
            time.sleep(0.5)


@contextlib.contextmanager
def running(odoo, database, directory):
    """Start both on free ports; logs and the sandbox's state are files in the directory."""
    state = ["--state", directory / "sandbox.state"]
    with (
        running_sandbox(directory, *state) as (sandbox_url, stand_in),
        running_odoo(odoo, database, directory) as (odoo_url, server),
    ):
        processes = {"Odoo": server, "The sandbox": stand_in}
        yield Machine(database, odoo_url, sandbox_url, processes)


@contextlib.contextmanager
def running_sandbox(directory, *options, root=ROOT):
    """Start a checkout's sandbox on a free port; yield its address and the process."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port(SANDBOX_PORT)
    url = f"http://127.0.0.1:{port}"
    log = directory / "sandbox.log"
    with ended(sandbox.start("--port", port, *options, log=log, root=root)) as process:
        _wait("The sandbox", process, f"{url}/_sandbox/state?brief=1", log)
        yield url, process


@contextlib.contextmanager
def running_odoo(odoo, database, directory, *options):
    """Start Odoo on a free port; yield its address and the process."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port(ODOO_PORT)
    url = f"http://127.0.0.1:{port}"
    log = directory / "odoo.log"
    arguments = ["-d", database, "--db-filter", f"^{database}$", "--no-database-list"]
    arguments += ["--http-port", str(port), "--workers", "0", "--max-cron-threads", "2"]
    with ended(odoo.start(*arguments, *options, log=log)) as process:
        _wait("Odoo", process, f"{url}/web/login", log)
        yield url, process


def free_port(wanted):
    """Return the wanted port or the next free one, and none twice."""
    with _ports:
        for port in range(wanted, wanted + 100):
            if port in _returned:
                continue
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _returned.add(port)
            if port != wanted:
                say(f"Port {wanted} is in use here, so it is {port} this time.")
            return port
    raise Problem(f"No port from {wanted} to {wanted + 99} is free.")


def _wait(name, process, url, log):
    """Return as soon as the process answers."""
    end = time.monotonic() + LONGEST_START
    while time.monotonic() < end and process.poll() is None:
        if rpc.answers(url):
            return
        time.sleep(0.2)
    raise Problem(f"{name} did not start. The end of {log}:\n{log.read_text()[-3000:]}")
