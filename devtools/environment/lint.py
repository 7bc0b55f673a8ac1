"""./dev lint: run pre-commit on all files."""

import os
import shutil
import subprocess

from . import debian, virtualenv
from .console import complain
from .places import CACHE, ROOT
from .processes import foreground


def command(args):
    """./dev lint [--fix]"""
    for program in ("git", "shellcheck"):
        if not shutil.which(program):
            debian.need(program)
    programs = virtualenv.python("lint").parent
    environ = {
        **os.environ,
        "PATH": f"{programs}:{os.environ.get('PATH', '')}",
        "PRE_COMMIT_HOME": str(CACHE / "pre-commit"),
    }
    if args == ["--fix"]:
        subprocess.run(["ruff", "check", "--fix", "--quiet", "."], cwd=ROOT, env=environ)
        subprocess.run(["ruff", "format", "--quiet", "."], cwd=ROOT, env=environ)
    elif args:
        complain("Usage: ./dev lint [--fix]")
        return 2
    command = ["pre-commit", "run", "--files", *_files()]
    return foreground(command, environ, cwd=ROOT)


def _files():
    """Return all files of the checkout, including untracked ones."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return sorted(name for name in set(listed.split("\0")) if name and (ROOT / name).is_file())
