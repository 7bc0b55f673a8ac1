"""Runs ./dev as in a terminal."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from devtools.environment.places import ROOT

# Before a fixture adds the database server.
ENVIRONMENT = dict(os.environ)
TIMEOUT = 900  # seconds
STOP_TIMEOUT = 30


def run(*args, root=ROOT):
    """Run a checkout's ./dev until it ends; return its exit code and output."""
    result = subprocess.run(
        [root / "dev", *args],
        cwd=root,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return result.returncode, result.stdout


class Running:
    """A ./dev that runs until it is interrupted.

    :param args: of ./dev
    :param environ: additional environment variables
    """

    def __init__(self, *args, **environ):
        self._lines = []
        self._process = subprocess.Popen(
            [ROOT / "dev", *args],
            env={**ENVIRONMENT, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # As in a terminal, Ctrl-C is sent to the command and its children only.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def printed(self):
        """The output so far."""
        return "".join(self._lines)

    def wait_for(self, text, seconds=TIMEOUT):
        """Wait until the output contains a text; return the seconds that it took."""
        started = time.monotonic()
        while text not in self.printed:
            assert self._process.poll() is None, self.printed
            assert time.monotonic() - started < seconds, self.printed
            time.sleep(0.1)
        return time.monotonic() - started

    def interrupt(self):
        """Press Ctrl-C; return the seconds until the end, and the exit code."""
        started = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        code = self._process.wait(STOP_TIMEOUT)
        seconds = time.monotonic() - started
        self._reader.join()
        return seconds, code

    def kill(self):
        """Kill the command with its children, if it is still running."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _read(self):
        for line in self._process.stdout:
            self._lines.append(line)


@contextlib.contextmanager
def running(*args, **environ):
    """Run ./dev until the end of the block."""
    command = Running(*args, **environ)
    try:
        yield command
    finally:
        command.kill()


def processes_with(text):
    """Return the command lines of all processes whose environment contains a text."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if text.encode() in (directory / "environ").read_bytes():
                found.append((directory / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
