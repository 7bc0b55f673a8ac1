"""``python -m devtools.benchmarks.run [--quick]``: measure everything; what ./dev bench runs."""

import argparse
import importlib
import sys
import time
from datetime import datetime, timezone

from devtools.environment import odoo as odoo_command
from devtools.environment.console import Problem, complain, say
from devtools.environment.places import ROOT, locked

from . import here, office, results, world

# One module for each theme, in this order; each has a function `measure(stage, odoo)` that yields
# results.
THEMES = ["adding", "pushing", "ingesting", "queries", "scale", "opening"]


def main(arguments):
    """Measure; return the exit code: 0 also when targets are missed."""
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measure the add-on.")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument(
        "--only", choices=THEMES, action="append", help="just this; RESULTS.md stays as it is"
    )
    asked = parser.parse_args(arguments)
    size = world.Size(10 if asked.quick else 1)
    started, busy = datetime.now(timezone.utc), here.load()
    office.prepare()
    with locked("bench"), odoo_command.ready() as odoo:
        odoo_command.need_browser()
        say("Making the databases ...")
        world.make(odoo, size)
        machine = here.describe(office.Office(world.WITH))
        try:
            found = measure(odoo, size, asked.only or THEMES)
        finally:
            world.remove(odoo)
    if not asked.only:
        results.write(found, size, [*machine, _moment(started, busy)])
        say(f"Written: {results.FILE.relative_to(ROOT)}")
    missed = [one for one in found if not one.met]
    say(f"{len(found) - len(missed)} of {len(found)} lines are as they should be.")
    return 0


def measure(odoo, size, themes):
    """Measure some themes; return all results."""
    # Odoo must know its add-ons before they can be imported.
    from . import stage as stages

    found = []
    with stages.ready(size) as stage:
        for theme in themes:
            start = time.monotonic()
            say(f"{theme.title()} ...")
            module = importlib.import_module(f".{theme}", __package__)
            for result in module.measure(stage, odoo):
                results.tell(result)
                found.append(result)
            say(f"  ({time.monotonic() - start:.0f} seconds)")
    return sorted(found, key=lambda one: int(one.row))


def _moment(started, busy):
    """Say when this was, how long it took, and how busy the machine was before."""
    ended = datetime.now(timezone.utc)
    return (
        f"{ended:%Y-%m-%d %H:%M} UTC, after {(ended - started).total_seconds() / 60:.0f} minutes, "
        f"on commit {here.commit(ROOT)}; load of the machine before it: {busy:.1f}."
    )


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        complain(str(problem))
        sys.exit(1)
