"""./dev pictures: take README's pictures, with a new database and the demo's data."""

import os

from . import demo_year, machine, virtualenv
from . import odoo as odoo_command
from .console import complain
from .places import ROOT, STATE, locked
from .processes import foreground

DATABASE = "campaign_master_pictures"
DIRECTORY = STATE / "pictures"


def command(args):
    """./dev pictures"""
    if args:
        complain("Usage: ./dev pictures")
        return 2
    odoo_command.need_browser()
    python = virtualenv.python("acceptance")
    with (
        locked("pictures"),
        odoo_command.ready() as odoo,
        machine.fresh(odoo, DATABASE, DIRECTORY) as demo,
    ):
        demo_year.seed(demo)
        camera = [python, "-P", "-m", "devtools.environment.camera"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        return foreground([*camera, demo.database, demo.odoo_url, demo.sandbox_url], environ)
