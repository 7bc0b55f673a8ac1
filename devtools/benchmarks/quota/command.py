"""./dev bench --quota: run the simulation, and write QUOTA.md."""

import argparse
import contextlib
import logging
import threading
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from devtools.environment import odoo as odoo_command
from devtools.environment import template
from devtools.environment.console import say

from .people import Size, World

FILE = Path(__file__).parents[1] / "QUOTA.md"
DATABASE = "campaign_master_quota"

# Bursts in the middle of a month, over the end of another, and two in one month's time.
YEAR = Size(datetime(2027, 1, 1), 365, 500, (73, 178, 325, 339))
QUICK = Size(datetime(2027, 1, 1), 59, 84, (26,))


def main(args):
    """./dev bench --quota [--quick] [--seed N] [--seeds A-B]

    :return: 0 if all targets are met, in all worlds, else 1. A quick run has no old campaigns
        and says little of the targets; it writes no file
    """
    parser = argparse.ArgumentParser(prog="./dev bench --quota", allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="two months instead of a year")
    parser.add_argument("--seed", type=int, default=1, help="another world of the same kind")
    parser.add_argument(
        "--seeds", type=_seeds, default=(), metavar="A-B", help="and a row for each of these"
    )
    options = parser.parse_args([arg for arg in args if arg != "--quota"])
    with _odoo():
        # Imported late: they are Odoo's, which is there only now.
        from . import check

        size, month = (check.QUICK, 400) if options.quick else (check.SIZE, 1_000)
        say(f"{size.days} days on a real database, and in memory ...")
        calls, waited = check.compare(DATABASE, size, month)
        checked = (
            f"{size.days} days over the end of a month with {month:,} calls each were lived "
            f"through on a real database and in memory: the same {calls:,} calls at the same "
            f"times, and {waited.total():,} refused by the ledger."
        )
        say(f"  {checked}")
        size = QUICK if options.quick else YEAR
        say(f"{size.days} days with {size.campaigns} campaigns ...")
        started = time.monotonic()
        text, met = _simulate(size, options.seed)
        say(f"  {time.monotonic() - started:.0f} seconds")
        if options.seeds:
            say(f"The same with {len(options.seeds)} seeds ...")
            rows, all_met = _other_worlds(size, options.seeds)
            text += rows
            met = met and all_met
    for line in text:
        say(line)
    if not options.quick:
        FILE.write_text("\n".join([*_head(size, options.seed, checked), *text]) + "\n")
        say(f"Written to {FILE}.")
    return 0 if met else 1


def _seeds(text):
    """``3-5`` or ``3``, as the numbers that are meant."""
    first, _dash, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _simulate(size, seed):
    from . import report
    from .naive import Naive

    world, year = _live(size, seed)
    office = year.office
    others = Counter()
    for (hour, purpose), calls in office.usage().items():
        others[hour] += calls if purpose != "statistics" else 0
    return report.lines(world, year, office.usage(), office.server.seen, Naive(world, others))


def _other_worlds(size, seeds):
    """:return: a table with a row for each seed, and whether all targets are met in all of them"""
    from . import report

    rows, verdicts = [], []
    for seed in seeds:
        row, met = report.row(*_live(size, seed))
        rows.append([str(seed), *row])
        verdicts.append(met)
        say(f"  {seed}: {', '.join(row)}")
    return ["", "## Other worlds of the same kind", "", *report.table(report.HEAD, rows)], all(
        verdicts
    )


def _live(size, seed):
    """:return: the world of a seed, and the time that was lived through in it, in memory"""
    from . import memory
    from .clock import Clock
    from .double import Server
    from .year import Year

    world = World(size, seed)
    server = Server(world, Clock(size.start))
    office = memory.Office(server)
    year = Year(office, world)
    with office.in_place():
        year.run()
    return world, year


@contextlib.contextmanager
def _odoo():
    """Odoo in this process, with a new database that has the add-on; it is dropped at the end."""
    with odoo_command.ready() as odoo:
        template.make_database(odoo, DATABASE)
        try:
            from devtools.benchmarks import office

            office.prepare()
            # That the calls are spent is what is simulated, and not worth a line each time.
            logging.disable(logging.WARNING)
            threading.current_thread().dbname = DATABASE
            yield
        finally:
            from odoo import sql_db

            sql_db.close_db(DATABASE)
            odoo.drop(DATABASE)


def _head(size, seed, checked):
    from . import people

    hours = people.HOUR
    return [
        "# A year within the quota: results of `./dev bench --quota`",
        "",
        "The add-on's own scheduling on a simulated clock, with a simulated Campaign Master that "
        "counts its calls. Not one line is typed in; `devtools/benchmarks/quota/` makes this file.",
        "",
        f"**The world** (seed {seed}): one account; {size.campaigns} campaigns in {size.days} "
        f"days, of which {len(size.bursts)} × {people.BURST} in a week; months in UTC. "
        f"{size.pushes_a_day} pushes of {people.RECIPIENTS:,} recipients a day, on campaigns that "
        f"will be sent within {people.PREPARATION.days} days; the last push is "
        f"{people.LAST_PUSH[0].seconds // 60} minutes to {people.LAST_PUSH[1] // hours} hours "
        f"before the sending, but for {people.EARLY_PART:.0%} of the campaigns one to "
        f"{people.EARLY_LAST_PUSH[1].days} days. Each campaign: {people.OPENS:,} opens, "
        f"{people.CLICKS} clicks, {people.UNSUBSCRIBES} unsubscribes; of these "
        f"{1 - people.SLOW_PART:.0%} lognormal after the sending (median "
        f"{people.MEDIAN // hours} hours, σ {people.SPREAD:g}), {people.SLOW_PART:.0%} "
        f"exponential (mean {people.SLOW_MEAN.days} days). {people.FORMS_A_DAY} times a day a form "
        f"refreshes templates and lists; {people.REFRESHES_A_DAY} times somebody presses Refresh.",
        "",
        f"**Real**: what the scheduled action decides, turn by turn; `tools/polling.py`; waking, "
        f"Refresh. **Replaced**: time; Campaign Master; of a push all but its nine calls; and, "
        f"because a year on a database takes hours, the four things that are SQL: whose turn it "
        f"is, how many campaigns of which age there are, the ledger, and storing activity. "
        f"{checked}",
        "",
        f"A click is late by the time from the click to its recipient's line in Odoo; "
        f"{people.FOLLOWED} clickers of each campaign are followed.",
        "",
    ]
