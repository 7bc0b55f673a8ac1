"""The released versions of the add-on, as commits of this repository."""

import subprocess
import tarfile
from dataclasses import dataclass

from environment.console import Problem
from environment.places import ROOT


@dataclass(frozen=True)
class Release:
    """A version that people may have.

    :ivar str name: how it is called here; the version, as a rule
    :ivar str commit: full hash of the last commit of that version
    """

    name: str
    commit: str

    def unpack(self, directory):
        """Write the release's add-on and sandbox into a directory.

        :raise Problem: the repository does not have the commit
        """
        archive = directory / "release.tar"
        command = ["git", "archive", "-o", archive, self.commit, "campaign_master", "sandbox"]
        run = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
        if run.returncode:
            raise Problem(
                f"The upgrade from {self.name} cannot be tried, because its commit is not in this "
                f"repository. Fetch the whole history. git says: {run.stderr.strip()}"
            )
        with tarfile.open(archive) as files:
            files.extractall(directory)
        archive.unlink()
        return directory


V1_0 = Release("19.0.1.0.0", "bacab21123550e10ccbf444888794b0400beb579")
V1_1 = Release("19.0.1.1.0", "816b026bfe6d3fd3d2cd56a1a8c5704b57149ed2")
# The number of recipients was filled in later within that version.
V1_2_FIRST = Release("19.0.1.2.0 (first commit)", "311a986bb6db7563f88121ac6e4ae49b71521596")
V1_2 = Release("19.0.1.2.0", "216c4cf5d8d35e027d3cb0878c0e98542a9243c9")

# What was installed first, and what it was upgraded to before this version.
UPGRADES = [(V1_0,), (V1_1,), (V1_2_FIRST,), (V1_2,), (V1_0, V1_1, V1_2)]
