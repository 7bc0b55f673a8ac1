"""Running ./dev as a person does at a terminal."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from environment.places import ROOT

# As it is before a test makes a database server known to this process.
OUTSIDE = dict(os.environ)
MOST = 900  # seconds that any command may take
SECONDS_TO_STOP = 30


def run(*args, **environ):
    """Run ./dev to its end; return the exit code and what it printed."""
    done = subprocess.run(
        [ROOT / "dev", *args],
        env={**OUTSIDE, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MOST,
        check=False,
    )
    return done.returncode, done.stdout


class Running:
    """A ./dev that goes on until it is interrupted.

    :param args: of ./dev
    :param dict environ: variables besides those of this process
    """

    def __init__(self, *args, **environ):
        self._lines = []
        self._process = subprocess.Popen(
            [ROOT / "dev", *args],
            env={**OUTSIDE, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # As a terminal does: Ctrl-C reaches the command and its children, and not us.
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def printed(self):
        """What it has printed so far."""
        return "".join(self._lines)

    def wait_for(self, text, seconds=MOST):
        """Return how many seconds it took until it printed a text."""
        started = time.monotonic()
        while text not in self.printed:
            assert self._process.poll() is None, self.printed
            assert time.monotonic() - started < seconds, self.printed
            time.sleep(0.1)
        return time.monotonic() - started

    def interrupt(self):
        """Press Ctrl-C; return how many seconds it took to end, and the exit code."""
        started = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        code = self._process.wait(SECONDS_TO_STOP)
        return time.monotonic() - started, code

    def _read(self):
        for line in self._process.stdout:
            self._lines.append(line)


@contextlib.contextmanager
def running(*args, **environ):
    """Run ./dev for as long as the block lasts."""
    command = Running(*args, **environ)
    try:
        yield command
    finally:
        if command._process.poll() is None:
            command.interrupt()


def processes_with(text):
    """Return the command lines of processes whose environment has a text."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if text.encode() in (directory / "environ").read_bytes():
                found.append((directory / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
