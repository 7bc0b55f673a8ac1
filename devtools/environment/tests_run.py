"""./dev test: set up the environment and run tests."""

import contextlib
import os
import time

from . import odoo as odoo_command
from . import pot, template, virtualenv
from .console import complain, say
from .places import ADDON, ROOT, locked
from .processes import foreground

# Tests that do not need Odoo.
PLAIN = ["sandbox/tests", "devtools/environment/tests"]
ODOO = ["campaign_master/tests"]
FAULTS = ["devtools/faults"]
ACCEPTANCE = ["devtools/acceptance"]
DATABASE = "campaign_master_test_"

# pytest's exit codes.
PASSED, NOTHING_COLLECTED = 0, 5


def command(args):
    """./dev test [--faults [--all] | --acceptance] [pytest's arguments]"""
    paths, options = _split_args(args)
    if "--acceptance" in options:
        options.remove("--acceptance")
        return _run_acceptance(paths or ACCEPTANCE, options)
    if "--faults" in options:
        options.remove("--faults")
        return _run_faults(paths or FAULTS, options)
    run_all = not paths
    plain = [path for path in (PLAIN if run_all else paths) if not _needs_odoo(path)]
    in_odoo = [path for path in (ODOO if run_all else paths) if _needs_odoo(path)]
    codes = []
    plain = [path for path in plain if (ROOT / path.split("::")[0]).exists()]
    if plain:
        codes.append(_run_plain(plain, options))
    if in_odoo:
        codes.append(_run_in_odoo(in_odoo, options, run_all))
    failed = [code for code in codes if code not in (PASSED, NOTHING_COLLECTED)]
    # Options such as -k may deselect all tests of one run, but not of both.
    return failed[0] if failed else min(codes, default=NOTHING_COLLECTED)


def _split_args(args):
    """Separate test paths, made relative to the root, from pytest's options."""
    paths, options = [], []
    for arg in args:
        file, separator, name = arg.partition("::")
        candidates = [os.path.join(base, file) for base in (os.getcwd(), ROOT)]
        found = next(filter(os.path.exists, candidates), None)
        if found and not arg.startswith("-"):
            paths.append(os.path.relpath(os.path.realpath(found), ROOT) + separator + name)
        else:
            options.append(arg)
    return paths, options


def _needs_odoo(path):
    return path.split("/")[0] == ADDON.name


def _pytest(python, environ, *args):
    command = [python, "-P", "-m", "pytest", "-rs", "-p", "devtools.environment.no_skips", *args]
    return foreground(command, environ, cwd=ROOT)


def _run_plain(paths, options):
    say(f"Tests without Odoo: {' '.join(paths)}")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return _pytest(virtualenv.python(), environ, "-p", "no:odoo", *options, *paths)


def _run_in_odoo(paths, options, check_terms):
    """Run the add-on's tests in a new database."""
    odoo_command.need_browser()
    with odoo_command.ready() as odoo, _database(odoo) as name:
        outdated = pot.difference(odoo, name) if check_terms else ""
        code = _pytest(
            odoo.python,
            odoo.environ,
            f"--odoo-database={name}",
            "--odoo-http",
            *options,
            *paths,
        )
        if outdated:
            complain(outdated)
        return code or (1 if outdated else 0)


def _run_faults(paths, options):
    """Run the fault tests, on copies of a new database."""
    with odoo_command.ready() as odoo, _database(odoo) as name:
        arguments = ["-p", "no:odoo", f"--faults-database={name}", *options, *paths]
        return _pytest(odoo.python, odoo.environ, *arguments)


def _run_acceptance(paths, options):
    """Run the acceptance tests, with the user's environment variables."""
    odoo_command.need_browser()
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with locked("acceptance"):
        return _pytest(virtualenv.python("acceptance"), environ, *options, *paths)


@contextlib.contextmanager
def _database(odoo):
    """Create a database with the add-on; drop it and its copies afterwards."""
    _drop_leftovers(odoo)
    name = f"{DATABASE}{os.getpid()}"
    started = time.monotonic()
    try:
        template.make_database(odoo, name)
        say(f"Created a database with the add-on in {time.monotonic() - started:.0f} seconds.")
        yield name
    finally:
        for database in odoo.databases():
            if database == name or database.startswith(f"{name}_"):
                odoo.drop(database)


def _drop_leftovers(odoo):
    """Drop the databases of runs that were killed."""
    for name in odoo.databases():
        pid = name.removeprefix(DATABASE).partition("_")[0]
        if name.startswith(DATABASE) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            odoo.drop(name)
