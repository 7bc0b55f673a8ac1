"""Are the two offices the same? The same time is lived through in both, and compared."""

import contextlib
from datetime import datetime
from unittest.mock import patch

from odoo.addons.campaign_master.models import campaign_master_account
from odoo.addons.campaign_master.tools import account_ledger

from devtools.environment.console import Problem

from . import database, memory
from .clock import Clock
from .double import Server
from .people import Size, World
from .year import Year

# Over the end of a month, whose calls are to be spent before.
SIZE = Size(datetime(2027, 1, 27), 9, 12, pushes_a_day=6)
QUICK = Size(datetime(2027, 1, 29), 4, 4, pushes_a_day=3)


@contextlib.contextmanager
def tight(month):
    """So few calls in a month that they are spent."""
    with (
        patch.object(account_ledger, "MONTH_LIMIT", month),
        patch.object(campaign_master_account, "MONTH_LIMIT", month),
    ):
        yield


def compare(name, size, month):
    """Live through some days on the database and in memory.

    :param str name: of a database that has the add-on
    :return: how many calls both have made
    :raise Problem: they did not do the same
    """
    world = World(size, seed=2)
    came = []
    for make in (lambda server: database.Office(name, server), memory.Office):
        server = Server(world, Clock(size.start))
        office = make(server)
        with office.in_place(), tight(month):
            year = Year(office, world)
            year.run()
        known = {world.campaigns[int(ref) - 1].email(place) for ref, place in server.seen}
        if known != office.clicked():
            raise Problem("Clicks that were read are not on their recipients' lines.")
        came.append((office.usage(), server.seen, year.waited))
    if came[0] != came[1]:
        raise Problem(f"On the database and in memory: {_difference(*came)}")
    return sum(came[0][0].values()), came[0][2]


def _difference(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        for key in sorted({*one, *other}, key=str):
            if one.get(key) != other.get(key):
                return f"{key}: {one.get(key)} and {other.get(key)}"
    return "nothing"
