"""./dev: run a subcommand."""

import importlib
import os
import signal
import sys

from .console import Problem, complain, say
from .help import HELP

# Modules by subcommand; each has a function `command(args)` that returns an exit code.
COMMANDS = {
    "bench": "bench",
    "demo": "demo",
    "lint": "lint",
    "odoo": "odoo",
    "pictures": "pictures",
    "pot": "pot",
    "sandbox": "sandbox",
    "test": "tests_run",
}


def main(args):
    """Run a subcommand; return the exit code."""
    name = args[0] if args else "help"
    if name in ("help", "-h", "--help"):
        say(HELP)
        return 0
    if name not in COMMANDS:
        complain(f"Unknown command: {name}\n\n{HELP}")
        return 2
    module = importlib.import_module(f".{COMMANDS[name]}", __package__)
    try:
        return module.command(args[1:])
    except Problem as problem:
        complain(str(problem))
        return 1
    except KeyboardInterrupt:
        complain("Stopped.")
        return 130


def _stop(_number, _frame):
    """Clean up after SIGTERM and SIGHUP as after Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    # Only for this process.
    os.environ.pop("PYTHONPATH", None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    sys.exit(main(sys.argv[1:]))
