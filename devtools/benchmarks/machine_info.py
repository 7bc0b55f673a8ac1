"""The machine and the versions that the benchmarks run on."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import psutil

from odoo import release

from .browser import PROGRAMS

# PostgreSQL settings that affect the results.
SETTINGS = (
    "server_version",
    "shared_buffers",
    "work_mem",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "jit",
)


def describe(database):
    """Return sentences about the machine and the versions.

    :param OdooDatabase database: a database of the PostgreSQL server
    """
    memory = psutil.virtual_memory().total / 2**30
    rows = database.sql(
        "SELECT name, current_setting(name) FROM UNNEST(%s) AS name", list(SETTINGS)
    )
    (_name, version), *settings = rows
    return [
        f"{os.cpu_count()} × {_processor()}, {memory:.0f} GB of memory, {_system()}.",
        f"PostgreSQL {version}: {', '.join(f'{name} = {value}' for name, value in settings)}.",
        f"Odoo {release.version}, Python {platform.python_version()}, {_browser()}.",
    ]


def load():
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def commit(directory):
    """Return the commit of a checkout, with ``-dirty`` if files were changed since."""
    return _output("git", "-C", directory, "describe", "--always", "--dirty", "--abbrev=10")


def _processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _system():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return f"{line.split('=', 1)[1].strip(chr(34))}, Linux {platform.release()}"
    return platform.platform()


def _browser():
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return _output(program, "--version") if program else "no Chromium"


def _output(*command):
    run = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
    )
    return run.stdout.strip() or "unknown"
