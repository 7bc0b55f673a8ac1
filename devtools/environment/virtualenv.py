"""Python packages, in virtual environments in the cache."""

import hashlib
import shutil
import subprocess
import sys

from .console import Problem, say
from .places import CACHE, HERE, locked

# Which requirement files make which environment.
ENVIRONMENTS = {
    "odoo": ["requirements.txt", "requirements-test.txt"],
    "lint": ["requirements-lint.txt"],
    "acceptance": ["requirements-acceptance.txt"],
}


def python(name="odoo"):
    """Return the Python of an environment; install its packages if need be.

    The directory is named after what the requirement files say, so that another checkout with
    other requirements has its own.
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
    """Make the environment; it cannot be moved later, so it is built where it stays."""
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
            for count, line in enumerate(_watched(pip.stdout, file), start=1):
                if count % 25 == 0:
                    say(f"  {count} packages looked at ...")
                if line.startswith("Installing collected"):
                    say("  installing them ...")
    if pip.returncode:
        errors = [line for line in log.read_text().splitlines() if "ERROR" in line]
        raise Problem(
            "The Python packages could not be installed. Is the network up? pip says:\n  "
            + "\n  ".join(errors[-5:] or ["nothing"])
            + f"\nAll that it said is in {log}."
        )


def _watched(lines, file):
    """Write everything down, and yield the lines that tell how far pip is."""
    for line in lines:
        file.write(line)
        if line.startswith(("Collecting ", "Installing collected ")):
            yield line
