"""./dev sandbox: run only the sandbox."""

import os

from . import virtualenv
from .places import ROOT
from .processes import background, foreground


def arguments(*args):
    """Return the sandbox's command line."""
    return [virtualenv.python(), "-P", "-m", "sandbox", *map(str, args)]


def environ(root=ROOT):
    """Return the environment variables for a checkout's sandbox."""
    return {**os.environ, "PYTHONPATH": str(root)}


def command(args):
    """./dev sandbox ..."""
    return foreground(arguments(*args), environ())


def start(*args, log, root=ROOT):
    """Start a checkout's sandbox in the background, with its output in a file."""
    return background(arguments(*args), environ(root), log)
