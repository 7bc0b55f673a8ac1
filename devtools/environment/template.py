"""New databases in seconds: copies of one with everything that the add-on depends on."""

import ast
import hashlib

from .console import Problem, say
from .places import ADDON, locked

PREFIX = "campaign_master_template_"


def copy(odoo, name):
    """Make a new database with the apps that the add-on depends on, but without the add-on."""
    odoo.drop(name)
    odoo.quietly("db", "duplicate", _template(odoo), name)


def make_database(odoo, name):
    """Make a new database with the add-on; a warning on the way is a failure."""
    copy(odoo, name)
    say("Installing campaign_master ...")
    complaints = odoo.install(name, "campaign_master")
    if complaints:
        raise Problem(f"Installing campaign_master is not without complaints:\n{complaints}")


def _template(odoo):
    """Return the name of the template; make it if it is missing."""
    depends = ast.literal_eval((ADDON / "__manifest__.py").read_text())["depends"]
    version = odoo.environ["ODOO_ADDONS_PATH"].split(",")[0]
    key = hashlib.sha256(repr([version, sorted(depends)]).encode()).hexdigest()[:8]
    name = PREFIX + key
    # Under its name only when complete.
    building = f"{name}_unfinished"
    with locked(name):
        if name not in odoo.databases():
            say(f"Making a template database with {', '.join(depends)} (about a minute) ...")
            odoo.drop(building)
            complaints = odoo.install(building, ",".join(depends))
            if complaints:
                say(f"Note: Odoo's own modules complain on installation:\n{complaints}")
            odoo.quietly("db", "rename", building, name)
    return name
