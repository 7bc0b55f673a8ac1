"""Creates databases quickly, from a template with the add-on's dependencies."""

import ast
import hashlib

from .console import Problem, say
from .places import ADDON, locked

PREFIX = "campaign_master_template_"


def copy(odoo, name):
    """Create a database with the add-on's dependencies, but without the add-on."""
    odoo.drop(name)
    odoo.quietly("db", "duplicate", template_name(odoo), name)


def make_database(odoo, name):
    """Create a database with the add-on.

    :raise Problem: the installation logs warnings
    """
    copy(odoo, name)
    say("Installing campaign_master ...")
    if warnings := odoo.install(name, "campaign_master"):
        raise Problem(f"Installing campaign_master logs warnings:\n{warnings}")


def template_name(odoo):
    """Return the name of the template; create it if missing."""
    depends = ast.literal_eval((ADDON / "__manifest__.py").read_text())["depends"]
    version = odoo.environ["ODOO_ADDONS_PATH"].split(",")[0]
    key = hashlib.sha256(repr([version, sorted(depends)]).encode()).hexdigest()[:8]
    name = PREFIX + key
    # Renamed when complete.
    building = f"{name}_unfinished"
    with locked(name):
        if name not in odoo.databases():
            say(f"Creating a template database with {', '.join(depends)} (about a minute) ...")
            odoo.drop(building)
            if warnings := odoo.install(building, ",".join(depends)):
                say(f"Note: Installing Odoo's own modules logs warnings:\n{warnings}")
            odoo.quietly("db", "rename", building, name)
    return name
