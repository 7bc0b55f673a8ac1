"""./dev pot: export the add-on's translatable terms."""

import os
import re
import tempfile
from pathlib import Path

from . import odoo as odoo_command
from . import template
from .console import say
from .places import ADDON, ROOT

FILE = ADDON / "i18n" / f"{ADDON.name}.pot"
# Change with each export.
DATE = re.compile(r'^"(?:POT-Creation|PO-Revision)-Date: .*$', re.MULTILINE)
TERM = re.compile(r'^msgid (".*"(?:\n".*")*)', re.MULTILINE)


def command(_args):
    """./dev pot"""
    with odoo_command.ready() as odoo:
        name = f"campaign_master_pot_{os.getpid()}"
        try:
            template.make_database(odoo, name)
            exported = _export(odoo, name)
        finally:
            odoo.drop(name)
    shown = FILE.relative_to(ROOT)
    if FILE.exists() and DATE.sub("", FILE.read_text()) == DATE.sub("", exported):
        say(f"{shown} is up to date.")
        return 0
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(exported)
    say(f"{shown} has been updated.")
    return 0


def difference(odoo, database):
    """Return a message if the file is out of date, or an empty string."""
    saved = _terms(FILE.read_text()) if FILE.exists() else set()
    current = _terms(_export(odoo, database))
    if saved == current:
        return ""
    examples = sorted(saved ^ current)[:5]
    return (
        f"{FILE.relative_to(ROOT)} is out of date. New terms: {len(current - saved)}, obsolete: "
        f"{len(saved - current)}, such as {examples}. Run ./dev pot."
    )


def _export(odoo, database):
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / FILE.name
        odoo.quietly("i18n", "export", "-d", database, "-l", "pot", "-o", file, ADDON.name)
        return file.read_text()


def _terms(text):
    """Return the terms of a .pot file, without dates and code locations."""
    found = ("".join(re.findall(r'"(.*)"', term)) for term in TERM.findall(text))
    return set(filter(None, found))
