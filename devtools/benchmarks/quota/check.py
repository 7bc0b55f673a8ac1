"""Is the simulation right? The same days with the real add-on and simulated, compared."""

import contextlib
from datetime import datetime
from unittest.mock import patch

from odoo.addons.campaign_master.models import campaign_master_account_quota
from odoo.addons.campaign_master.tools import account_ledger

from devtools.environment.console import Problem

from . import database, simulation
from .clock import Clock
from .fake_server import Server
from .people import Size, World
from .year import Year

# Around the end of a month with so few calls that they are used up before.
SIZE, CALLS = Size(datetime(2027, 1, 27), 9, 12, pushes_a_day=6), 1_000
QUICK_SIZE, QUICK_CALLS = Size(datetime(2027, 1, 29), 4, 4, pushes_a_day=3), 400


@contextlib.contextmanager
def month_limit(calls):
    """For the length of the block a month has this many calls, in the add-on and simulated."""
    with (
        patch.object(account_ledger, "MONTH_LIMIT", calls),
        patch.object(campaign_master_account_quota, "MONTH_LIMIT", calls),
    ):
        yield


def compare(name, quick):
    """Run the same days with the real add-on and with the simulation.

    :param str name: of a database that has the add-on
    :param bool quick: fewer days
    :return: what was compared, as a sentence
    :raise Problem: the two differ in a call, or the add-on did not store a click that it read
    """
    size, limit = (QUICK_SIZE, QUICK_CALLS) if quick else (SIZE, CALLS)
    world = World(size, seed=2)
    with month_limit(limit):
        server = Server(world, Clock(size.start))
        real = database.RealAccount(name, server)
        with real.in_place():
            real_year = Year(real, world)
            real_year.run()
            stored = real.clicked()
        simulated_year = simulation.run(world)
    simulated = simulated_year.account
    for ours, theirs in (
        (real.usage(), simulated.usage()),
        (server.hours, simulated.server.hours),
        (server.seen, simulated.server.seen),
        (real_year.waited, simulated_year.waited),
    ):
        if ours != theirs:
            raise Problem(f"Real and simulated: {_first_difference(ours, theirs)}")
    if stored != {world.campaigns[int(ref) - 1].email(place) for ref, place in server.seen}:
        raise Problem("Clicks that were read are not on their recipients.")
    return (
        f"{size.days} days around the end of a month with {limit:,} calls each were run with the "
        f"real add-on on a real database and simulated: the same {server.hours.total():,} calls "
        f"at the same times, and the same {real_year.waited.total():,} refused by the add-on."
    )


def _first_difference(ours, theirs):
    for key in sorted({*ours, *theirs}, key=str):
        if ours.get(key) != theirs.get(key):
            return f"{key}: {ours.get(key)} and {theirs.get(key)}"
    return None
