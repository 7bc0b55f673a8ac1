"""Get Odoo 19's source: Debian's package, unpacked into the cache, not installed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import debian
from .console import Problem, say
from .places import CACHE, HERE, locked

PACKAGE = "odoo-19"
# The package links to files of these by relative path, so they are unpacked beside it.
COMPANIONS = [
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-montserrat",
    "fonts-roboto-unhinted",
    "fonts-inconsolata",
    "fonts-glyphicons-halflings",
    "fonts-ocr-b",
    # Later versions have other file names than the ones that Odoo links to.
    "fonts-font-awesome/bookworm",
]
# Missing in Debian's build; the error in the browser's console would fail every browser test.
EMPTY_FILES = ["mail/static/lib/selfie_segmentation/selfie_segmentation.js"]
# Raise it when the two lists above change, so that everybody's cache is laid anew.
RECIPE = 1

TESTED_VERSION = (HERE / "odoo-version.txt").read_text().strip()


def odoo_source():
    """Return the directory that holds the Python package `odoo`; fetch it if need be."""
    own = os.environ.get("CAMPAIGN_MASTER_ODOO")
    if own:
        return _own(Path(own).expanduser().resolve())
    tree = _tree(TESTED_VERSION)
    if not tree.exists():
        with locked("odoo"):
            tree = _cached() or _fetch()
    if tree != _tree(TESTED_VERSION):
        say(
            f"Note: this is Odoo package {_version(tree)}; the project was tested with "
            f"{TESTED_VERSION}. (To ask for that one again, remove {tree})"
        )
    return tree / "usr/lib/python3/dist-packages"


def addons_directories(source):
    """Return the directories of Odoo's own add-ons in a source tree."""
    # In Debian's package `addons` beside `odoo` is incomplete and `odoo/addons` has everything.
    inner = source / "odoo/addons"
    return [inner] if (inner / "mass_mailing").exists() else [inner, source / "addons"]


def _own(source):
    """Check the source tree that the user has named."""
    release = source / "odoo/release.py"
    if not release.exists():
        raise Problem(f"CAMPAIGN_MASTER_ODOO is {source}, which holds no odoo/release.py.")
    if "version_info = (19, 0" not in release.read_text():
        say(f"Note: {source} is not Odoo 19.0; the project was tested with that.")
    return source


def _tree(version):
    return CACHE / "odoo" / f"{version}-recipe{RECIPE}"


def _version(tree):
    return tree.name.removesuffix(f"-recipe{RECIPE}")


def _cached():
    """Return the newest tree in the cache, whatever its version, or None."""
    trees = sorted((CACHE / "odoo").glob(f"[0-9]*-recipe{RECIPE}"), key=os.path.getmtime)
    tested = _tree(TESTED_VERSION)
    return tested if tested in trees else trees[-1] if trees else None


def _fetch():
    """Download and unpack the package; the tree appears under its name only when complete."""
    say("Getting Odoo 19 from Debian (a download of 150 MB, 1.3 GB unpacked) ...")
    apt = debian.PrivateApt(CACHE / "apt", suites=["sid", "bookworm"])
    if not apt.update():
        raise Problem(
            "Debian's list of packages could not be fetched; the reason is above. Is the network "
            "up? Whoever has an Odoo 19 source tree can name it in CAMPAIGN_MASTER_ODOO instead."
        )
    version = apt.version(PACKAGE)
    if version is None:
        raise Problem(
            f"Debian has no package {PACKAGE} any more. Get an Odoo 19 source tree and name its "
            "directory in CAMPAIGN_MASTER_ODOO."
        )
    debs = CACHE / "apt" / f"{PACKAGE}-{version}"
    if not apt.download([PACKAGE, *COMPANIONS], into=debs):
        raise Problem("Odoo could not be downloaded; the reason is above. Try again.")

    tree = _tree(version)
    tree.parent.mkdir(parents=True, exist_ok=True)
    # What an earlier run left when it was cut short; nobody else is here, we hold the lock.
    for leftover in tree.parent.glob(".unpacking-*"):
        shutil.rmtree(leftover)
    unpacking = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=tree.parent))
    say("Unpacking Odoo ...")
    for deb in sorted(debs.glob("*.deb")):
        if subprocess.run(["dpkg", "-x", deb, unpacking], check=False).returncode:
            raise Problem(f"{deb} could not be unpacked. Is the disk full? Else remove it.")
    for name in EMPTY_FILES:
        file = unpacking / "usr/lib/python3/dist-packages/odoo/addons" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    unpacking.chmod(0o755)
    unpacking.rename(tree)
    shutil.rmtree(CACHE / "apt")
    return tree
