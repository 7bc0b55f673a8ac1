"""``python -m sandbox --port N``: start the stand-in and serve until Ctrl-C or SIGTERM."""

import argparse
import signal
import sys
import threading

from .server import Running, Sandbox
from .store import OutdatedState


def _user(text):
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise argparse.ArgumentTypeError("write a user as NAME:PASSWORD")
    return name, password


def _arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local stand-in of Campaign Master: an API, a web page, and faults to order.",
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="where to listen; 0 (default) takes a free port")
    add("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine only")
    add("--state", metavar="FILE", help="keep everything in this file; default: in memory")
    add(
        "--user",
        type=_user,
        action="append",
        metavar="NAME:PASSWORD",
        help="a login with an account of its own; several are possible; default: demo:demo",
    )
    add("--delay", type=int, default=0, metavar="MS", help="each answer is this much late")
    add("--hour-limit", type=int, default=5_000, metavar="N", help="calls an hour (5000)")
    add("--month-limit", type=int, default=50_000, metavar="N", help="calls a month (50000)")
    add("--token-minutes", type=float, default=480, metavar="N", help="a token's life (480)")
    add(
        "--login-refusal",
        type=int,
        choices=(401, 500),
        default=401,
        help="how a wrong password is refused: 401 (default), or 500 with InvalidLogin",
    )
    add("--page-cap", type=int, default=1_000, metavar="N", help="the largest page given (1000)")
    add("--verbose", action="store_true", help="print a line for each request")
    return parser.parse_args(arguments)


def main(arguments=None) -> int:
    asked = _arguments(arguments)
    try:
        sandbox = Sandbox(
            users=dict(asked.user or []),
            state=asked.state,
            delay=asked.delay,
            hourLimit=asked.hour_limit,
            monthLimit=asked.month_limit,
            tokenMinutes=asked.token_minutes,
            loginRefusal=asked.login_refusal,
            pageCap=asked.page_cap,
        )
    except OutdatedState as error:
        print(error, file=sys.stderr)
        return 1
    running = Running(sandbox, asked.host, asked.port, asked.verbose)

    def stop(*_signal):
        # The server's loop runs in this very thread, so somebody else must tell it to end.
        threading.Thread(target=running.stop).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"Campaign Master sandbox: {running.url}", flush=True)
    running.run()
    running.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
