"""Child processes: one that has the terminal, and some that run beside us."""

import contextlib
import signal
import subprocess


def foreground(command, environ, **options):
    """Run a command that has the terminal; return its exit code."""

    def forward(number, _frame):
        # Ctrl-C reaches the child by itself, as a part of the terminal's foreground.
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
    """Start a command whose output goes into a file.

    Ctrl-C does not reach it, so that we can end it in order; but it ends when we are killed.
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
    """End a process at the end of the block: politely, and after a while or an impatient Ctrl-C
    no longer so.
    """
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
