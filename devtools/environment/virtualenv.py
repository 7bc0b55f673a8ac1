"""Virtual environments in the cache."""

import hashlib
import shutil
import subprocess
import sys

from .console import Problem, say
from .places import CACHE, HERE, locked

# Requirement files by environment.
ENVIRONMENTS = {
    "odoo": ["requirements.txt", "requirements-test.txt"],
    "lint": ["requirements-lint.txt"],
    "acceptance": ["requirements-acceptance.txt"],
}


def python(name="odoo"):
    """Return the Python of an environment; create it if needed.

    The directory's name contains a hash of the requirement files, so that checkouts with different
    requirements do not share it.
    """
    requirements = [HERE / file for file in ENVIRONMENTS[name]]
    content = sys.version.encode() + b"".join(file.read_bytes() for file in requirements)
    directory = CACHE / "venv" / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    complete = directory / "complete"
    if not complete.exists():
        with locked(f"venv-{name}"):
            if not complete.exists():
                _install(directory, requirements)
                complete.touch()
    return directory / "bin/python"


def _install(directory, requirements):
    """Create the environment in its final place, as it cannot be moved."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    files = [part for file in requirements for part in ("-r", file)]
    say(f"Installing Python packages from {', '.join(f.name for f in requirements)} ...")
    log = directory / "pip.log"
    command = [directory / "bin/python", "-m", "pip", "install", "--disable-pip-version-check"]
    with subprocess.Popen(
        command + files, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        with open(log, "w", encoding="utf-8") as file:
            for count, line in enumerate(_progress(pip.stdout, file), start=1):
                if count % 25 == 0:
                    say(f"  {count} packages collected ...")
                if line.startswith("Installing collected"):
                    say("  installing ...")
    if pip.returncode:
        errors = [line for line in log.read_text().splitlines() if "ERROR" in line]
        raise Problem(
            "The Python packages could not be installed. Check the network. Errors of pip:\n  "
            + "\n  ".join(errors[-5:] or ["none"])
            + f"\nThe complete output is in {log}."
        )


def _progress(lines, file):
    """Write all lines to the file, and yield those that show pip's progress."""
    for line in lines:
        file.write(line)
        if line.startswith(("Collecting ", "Installing collected ")):
            yield line
