"""Debian packages, installed, and Debian packages, only unpacked."""

import os
import subprocess
from pathlib import Path

from .console import Problem
from .places import HERE

APT_CONF = """\
Dir::Etc::SourceList "{directory}/debian.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::State "{directory}/state";
Dir::State::Status "{directory}/status";
Dir::Cache "{directory}/cache";
Acquire::Languages "none";
APT::Update::Error-Mode "any";
// The hooks look after the machine's own lists, which are left alone here.
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
# apt fetches as another user when it runs as root, and he cannot write into a private directory.
APT_CONF_ROOT = 'APT::Sandbox::User "root";\n'

# Debian signs all its suites with these keys.
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCE = """\
Types: deb
URIs: {uri}
Suites: {suites}
Components: main
Targets: Packages
{signed_by}"""


def need(*packages):
    """Install the packages that are missing, after naming them."""
    # Cheap when nothing is missing, so every command may ask.
    if subprocess.run([HERE / "debian.sh", *packages]).returncode:
        raise Problem("Without these Debian packages it does not go on.")


class PrivateApt:
    """An apt with lists of its own, so that suites that the machine does not follow can be read.

    The mirror is the one that the machine itself uses; nothing is installed.
    """

    def __init__(self, directory, suites):
        self.directory = Path(directory)
        for name in ("state/lists/partial", "cache/archives/partial"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        (self.directory / "status").touch()
        (self.directory / "debian.sources").write_text(_source(suites))
        conf = APT_CONF.format(directory=self.directory)
        if os.geteuid() == 0:
            conf += APT_CONF_ROOT
        (self.directory / "apt.conf").write_text(conf)

    def update(self):
        """Fetch the lists of packages; true when that worked."""
        return self._run("apt-get", "-q", "update").returncode == 0

    def version(self, package):
        """Return the version that would be downloaded, or None."""
        text = self._run(
            "apt-cache", "show", "--no-all-versions", package, stdout=subprocess.PIPE
        ).stdout
        lines = [line for line in text.splitlines() if line.startswith("Version: ")]
        return lines[0].removeprefix("Version: ") if lines else None

    def download(self, packages, into):
        """Download packages (`name` or `name/suite`) as files; true when all are there."""
        into.mkdir(parents=True, exist_ok=True)
        return self._run("apt-get", "-q", "download", *packages, cwd=into).returncode == 0

    def _run(self, command, *args, **options):
        return subprocess.run(
            [command, "-c", self.directory / "apt.conf", *args], text=True, check=False, **options
        )


def _source(suites):
    """Write the sources file: the machine's own mirror, other suites."""
    return SOURCE.format(
        uri=_mirror(),
        suites=" ".join(suites),
        signed_by=f"Signed-By: {KEYRING}\n" if KEYRING.exists() else "",
    )


def _mirror():
    """Return the address of the mirror that this machine gets Debian itself from."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)"]
        + ["Created-By: Packages"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    ).stdout
    releases = {_codename(), "stable", "oldstable", "testing", "sid", "unstable"}
    for line in targets.splitlines():
        release, component, uri = line.split(" ", 2)
        if component == "main" and release in releases:
            return uri
    raise Problem(
        "This machine's apt sources name no Debian mirror, so Odoo's Debian package cannot be had. "
        "Set CAMPAIGN_MASTER_ODOO to an Odoo 19 source tree instead."
    )


def _codename():
    """Return the name of the machine's Debian release, such as bookworm."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    return ""
