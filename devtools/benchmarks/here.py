"""What the measurements ran on."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import psutil

from odoo import release

from .browser import PROGRAMS

# What makes PostgreSQL faster or slower at what is measured.
SETTINGS = (
    "server_version",
    "shared_buffers",
    "work_mem",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "jit",
)


def describe(office):
    """Say what this machine is, and what runs on it; a list of sentences.

    :param Office office: a database of the server that is used
    """
    memory = psutil.virtual_memory().total / 2**30
    rows = office.sql("SELECT name, current_setting(name) FROM UNNEST(%s) AS name", list(SETTINGS))
    (_name, version), *settings = rows
    return [
        f"{os.cpu_count()} × {_processor()}, {memory:.0f} GB of memory, {_system()}.",
        f"PostgreSQL {version}: {', '.join(f'{name} = {value}' for name, value in settings)}.",
        f"Odoo {release.version}, Python {platform.python_version()}, {_browser()}.",
    ]


def load():
    """How many processes wanted a processor during the last minute."""
    return os.getloadavg()[0]


def commit(directory):
    """The commit that is checked out, ``-dirty`` if something has been changed since."""
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
