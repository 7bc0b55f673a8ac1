"""./dev sandbox: the local Campaign Master by itself."""

import os
import subprocess

from . import virtualenv
from .odoo import foreground
from .places import ROOT


def arguments(*args):
    """Return the command line that runs the sandbox."""
    return [virtualenv.python(), "-P", "-m", "sandbox", *map(str, args)]


def environ():
    """Return the environment in which the sandbox is found."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def command(args):
    """./dev sandbox ..."""
    return foreground(arguments(*args), environ())


def start(*args, log):
    """Start the sandbox in the background, its log in a file; out of reach of Ctrl-C."""
    with open(log, "w", encoding="utf-8") as file:
        return subprocess.Popen(
            arguments(*args),
            env=environ(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
