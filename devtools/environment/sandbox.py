"""./dev sandbox: the local Campaign Master by itself."""

import os

from . import virtualenv
from .places import ROOT
from .processes import background, foreground


def arguments(*args):
    """Return the command line that runs the sandbox."""
    return [virtualenv.python(), "-P", "-m", "sandbox", *map(str, args)]


def environ(root=ROOT):
    """Return the environment in which a checkout's sandbox is found."""
    return {**os.environ, "PYTHONPATH": str(root)}


def command(args):
    """./dev sandbox ..."""
    return foreground(arguments(*args), environ())


def start(*args, log, root=ROOT):
    """Start a checkout's sandbox in the background, its log in a file."""
    return background(arguments(*args), environ(root), log)
