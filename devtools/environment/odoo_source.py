"""Odoo 19's source code: Debian's package, unpacked into the cache."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import debian
from .console import Problem, say
from .places import CACHE, HERE, locked

PACKAGE = "odoo-19"
# The package has relative links to files of these.
LINKED_PACKAGES = [
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-montserrat",
    "fonts-roboto-unhinted",
    "fonts-inconsolata",
    "fonts-glyphicons-halflings",
    "fonts-ocr-b",
    # Odoo links to file names that later versions do not have.
    "fonts-font-awesome/bookworm",
]
# Missing in Debian's package; the error in the console would fail every browser test.
EMPTY_FILES = ["mail/static/lib/selfie_segmentation/selfie_segmentation.js"]
# Increase it when the lists above change, so that the package is unpacked again.
RECIPE = 1

TESTED_VERSION = (HERE / "odoo-version.txt").read_text().strip()


def odoo_source():
    """Return the directory of the Python package `odoo`; download it if needed."""
    custom = os.environ.get("CAMPAIGN_MASTER_ODOO")
    if custom:
        return _custom_source(Path(custom).expanduser().resolve())
    tree = _tree(TESTED_VERSION)
    if not tree.exists():
        with locked("odoo"):
            tree = _cached() or _fetch()
    if tree != _tree(TESTED_VERSION):
        say(
            f"Note: this Odoo package is {_version(tree)}; the project is tested with "
            f"{TESTED_VERSION}. To download Odoo again, remove {tree}."
        )
    return tree / "usr/lib/python3/dist-packages"


def addons_directories(source):
    """Return the directories of Odoo's own add-ons in a source tree."""
    # In Debian's package, all add-ons are in `odoo/addons`, and `addons` is incomplete.
    inner = source / "odoo/addons"
    return [inner] if (inner / "mass_mailing").exists() else [inner, source / "addons"]


def _custom_source(source):
    """Check the user's source tree."""
    release = source / "odoo/release.py"
    if not release.exists():
        raise Problem(f"CAMPAIGN_MASTER_ODOO is {source}, which has no odoo/release.py.")
    if "version_info = (19, 0" not in release.read_text():
        say(f"Note: {source} is not Odoo 19.0, which the project is tested with.")
    return source


def _tree(version):
    return CACHE / "odoo" / f"{version}-recipe{RECIPE}"


def _version(tree):
    return tree.name.removesuffix(f"-recipe{RECIPE}")


def _cached():
    """Return the tested version's tree in the cache, else the latest one, or None."""
    trees = sorted((CACHE / "odoo").glob(f"[0-9]*-recipe{RECIPE}"), key=os.path.getmtime)
    tested = _tree(TESTED_VERSION)
    return tested if tested in trees else trees[-1] if trees else None


def _fetch():
    """Download and unpack the package; return the tree, which exists only when complete."""
    say("Downloading Odoo 19 from Debian (150 MB, 1.3 GB unpacked) ...")
    apt = debian.PrivateApt(CACHE / "apt", suites=["sid", "bookworm"])
    if not apt.update():
        raise Problem(
            "Debian's package lists could not be downloaded. See the errors above, and check the "
            "network, or set CAMPAIGN_MASTER_ODOO to an Odoo 19 source tree."
        )
    version = apt.version(PACKAGE)
    if version is None:
        raise Problem(
            f"Debian no longer has a package {PACKAGE}. Set CAMPAIGN_MASTER_ODOO to an Odoo 19 "
            "source tree."
        )
    debs = CACHE / "apt" / f"{PACKAGE}-{version}"
    if not apt.download([PACKAGE, *LINKED_PACKAGES], into=debs):
        raise Problem("Odoo could not be downloaded. See the errors above, and try again.")

    tree = _tree(version)
    tree.parent.mkdir(parents=True, exist_ok=True)
    # Left by interrupted runs; this one holds the lock.
    for leftover in tree.parent.glob(".unpacking-*"):
        shutil.rmtree(leftover)
    unpacking = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=tree.parent))
    say("Unpacking Odoo ...")
    for deb in sorted(debs.glob("*.deb")):
        if subprocess.run(["dpkg", "-x", deb, unpacking], check=False).returncode:
            raise Problem(
                f"{deb} could not be unpacked. Check the free disk space, or remove the file."
            )
    for name in EMPTY_FILES:
        file = unpacking / "usr/lib/python3/dist-packages/odoo/addons" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    unpacking.chmod(0o755)
    unpacking.rename(tree)
    shutil.rmtree(CACHE / "apt")
    return tree
