"""``python -m devtools.benchmarks.run``: run the benchmarks; called by ./dev bench."""

import argparse
import importlib
import sys
import time
from datetime import datetime, timezone

from devtools.environment import odoo as odoo_command
from devtools.environment.console import Problem, complain, say
from devtools.environment.places import ROOT, locked

from . import data, machine_info, odoo_database, results

# Modules, in the order of their runs; each has a generator `measure(fixture, odoo)` of results.
BENCHMARKS = ["adding", "pushing", "ingesting", "scale", "opening", "sent"]


def main(arguments):
    """Run the benchmarks.

    :return: 0, even if targets are missed
    """
    parser = argparse.ArgumentParser(prog="./dev bench", description="Run the benchmarks.")
    parser.add_argument("--quick", action="store_true", help="run at a tenth of the size")
    parser.add_argument(
        "--only",
        choices=BENCHMARKS,
        action="append",
        help="run only this benchmark and do not write RESULTS.md; can be repeated",
    )
    options = parser.parse_args(arguments)
    size = data.Size(10 if options.quick else 1)
    started, load = datetime.now(timezone.utc), machine_info.load()
    odoo_database.configure()
    with locked("bench"), odoo_command.ready() as odoo:
        odoo_command.need_browser()
        say("Creating the databases ...")
        data.create_databases(odoo, size)
        machine = machine_info.describe(odoo_database.OdooDatabase(data.WITH_ADDON))
        try:
            found = measure(odoo, size, options.only or BENCHMARKS)
        finally:
            data.drop_databases(odoo)
    if not options.only:
        results.write(found, size, [*machine, _describe_run(started, load)])
        say(f"Written: {results.FILE.relative_to(ROOT)}")
    met = sum(result.met for result in found)
    say(f"{met} of {len(found)} results meet their target.")
    return 0


def measure(odoo, size, benchmarks):
    """Run some benchmarks; return all results in the order of their rows."""
    # It imports the add-on, which is possible only once Odoo is configured.
    from . import fixture as shared

    found = []
    with shared.running(size) as fixture:
        for name in benchmarks:
            start = time.monotonic()
            say(f"{name.title()} ...")
            module = importlib.import_module(f".{name}", __package__)
            for result in module.measure(fixture, odoo):
                results.show(result)
                found.append(result)
            say(f"  ({time.monotonic() - start:.0f} seconds)")
    return sorted(found, key=lambda result: int(result.row))


def _describe_run(started, load):
    """Return a sentence about the time, duration and commit of the run."""
    ended = datetime.now(timezone.utc)
    return (
        f"{ended:%Y-%m-%d %H:%M} UTC, after {(ended - started).total_seconds() / 60:.0f} minutes, "
        f"on commit {machine_info.commit(ROOT)}; load average before the run: {load:.1f}."
    )


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        complain(str(problem))
        sys.exit(1)
