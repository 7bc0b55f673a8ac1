"""Install or download Debian packages."""

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
// These hooks maintain the system's package lists.
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
# As root, apt downloads as another user, who cannot write to a private directory.
APT_CONF_ROOT = 'APT::Sandbox::User "root";\n'

# The keys for all Debian suites.
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCE = """\
Types: deb
URIs: {uri}
Suites: {suites}
Components: main
Targets: Packages
{signed_by}"""


def need(*packages):
    """Install missing packages, and list them before. Fast if none is missing."""
    if subprocess.run([HERE / "debian.sh", *packages]).returncode:
        raise Problem("Required Debian packages are missing.")


class PrivateApt:
    """An apt for other suites than the system's, on the same mirror. It installs nothing."""

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
        """Update the package lists; return whether it succeeded."""
        return self._run("apt-get", "-q", "update").returncode == 0

    def version(self, package):
        """Return a package's candidate version, or None."""
        text = self._run(
            "apt-cache", "show", "--no-all-versions", package, stdout=subprocess.PIPE
        ).stdout
        lines = [line for line in text.splitlines() if line.startswith("Version: ")]
        return lines[0].removeprefix("Version: ") if lines else None

    def download(self, packages, into):
        """Download packages (`name` or `name/suite`); return whether it succeeded."""
        into.mkdir(parents=True, exist_ok=True)
        return self._run("apt-get", "-q", "download", *packages, cwd=into).returncode == 0

    def _run(self, command, *args, **options):
        return subprocess.run(
            [command, "-c", self.directory / "apt.conf", *args], text=True, check=False, **options
        )


def _source(suites):
    """Return the sources file for the suites."""
    return SOURCE.format(
        uri=_mirror(),
        suites=" ".join(suites),
        signed_by=f"Signed-By: {KEYRING}\n" if KEYRING.exists() else "",
    )


def _mirror():
    """Return the URL of the system's Debian mirror."""
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
        "Odoo cannot be downloaded: no Debian mirror in this system's apt sources. "
        "Set CAMPAIGN_MASTER_ODOO to an Odoo 19 source tree."
    )


def _codename():
    """Return the system's Debian release, such as bookworm."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    return ""
