"""Child processes in the foreground and background."""

import contextlib
import signal
import subprocess


def foreground(command, environ, **options):
    """Run a command on the terminal; return its exit code."""

    def forward(number, _frame):
        # The terminal sends Ctrl-C to the child as well.
        if number != signal.SIGINT:
            child.send_signal(number)

    before = {n: signal.signal(n, forward) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        child = subprocess.Popen(command, env=environ, **options)
        return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def background(command, environ, log):
    """Start a command with its output in a file.

    It does not receive Ctrl-C, but is terminated when this process ends.
    """
    with open(log, "w", encoding="utf-8") as file:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *command],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@contextlib.contextmanager
def ended(process):
    """Terminate a process at the end of the block; kill it after a timeout or Ctrl-C."""
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            try:
                process.wait(timeout=20)
            finally:
                process.kill()
        process.wait()
