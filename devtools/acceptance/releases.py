"""The released versions of the add-on, as commits of this repository.

When a version is released, add it here with the full hash of its last commit: it replaces the
newest one and continues the chain.
"""

import subprocess
import tarfile
from dataclasses import dataclass

from devtools.environment.console import Problem
from devtools.environment.places import ROOT


@dataclass(frozen=True)
class Release:
    """A released version of the add-on."""

    name: str
    commit: str

    def unpack(self, directory):
        """Write the release's add-on and sandbox to a new directory; return it.

        :raise Problem: the repository does not have the commit
        """
        target = directory / self.name
        target.mkdir()
        archive = target / "release.tar"
        command = ["git", "archive", "-o", archive, self.commit, "campaign_master", "sandbox"]
        run = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
        if run.returncode:
            raise Problem(
                f"The upgrade from {self.name} cannot be tested, as its commit is missing. "
                f"Fetch the complete history. Error of git: {run.stderr.strip()}"
            )
        with tarfile.open(archive) as files:
            files.extractall(target)
        archive.unlink()
        return target


V1_0 = Release("19.0.1.0.0", "bacab21123550e10ccbf444888794b0400beb579")
V1_1 = Release("19.0.1.1.0", "816b026bfe6d3fd3d2cd56a1a8c5704b57149ed2")
# The number of recipients was added later in the same version.
V1_2_FIRST = Release("19.0.1.2.0 (first commit)", "311a986bb6db7563f88121ac6e4ae49b71521596")
V1_2 = Release("19.0.1.2.0", "216c4cf5d8d35e027d3cb0878c0e98542a9243c9")
V1_3 = Release("19.0.1.3.0", "f3df0804aa1367ccf785eff2922de5b6223b1fbb")
V1_4 = Release("19.0.1.4.0", "13988442916bcf6f741b73e57180d7eb2166805d")
V1_5 = Release("19.0.1.5.0", "2a8012a989e73488864d7166b33f1fbf6a31d002")
V1_6 = Release("19.0.1.6.0", "738579cf7748ba6d07e31b9129c0298495379ff1")

# The installed version, and the ones that it was upgraded to before the current one: the first one,
# which runs all scripts of this version; the last one with the tables of before 19.0.1.3.0; the
# newest one; and all one after the other. An upgrade from another version runs a part of the same
# scripts.
UPGRADES = [
    (V1_0,),
    (V1_2,),
    (V1_6,),
    (V1_0, V1_1, V1_2_FIRST, V1_3, V1_4, V1_5, V1_6),
]
