"""``python -m sandbox --port N``: serve the sandbox until Ctrl-C or SIGTERM."""

import argparse
import signal
import sys
import threading

from .dialect import Dialect, from_text
from .server import Running, Sandbox
from .settings import LOGIN_REFUSALS
from .store import OutdatedState


def _user(text):
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise argparse.ArgumentTypeError("expected NAME:PASSWORD")
    return name, password


def _dialect(text):
    try:
        values = from_text(text)
        Dialect().change(values)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return values


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local stand-in for Campaign Master: API, web page and simulated faults.",
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="port to listen on (default: a free one)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--state", metavar="FILE", help="file to store data in (default: in memory)")
    add(
        "--user",
        type=_user,
        action="append",
        metavar="NAME:PASSWORD",
        help="user with a separate account; can be repeated (default: demo:demo)",
    )
    add("--delay", type=int, default=0, metavar="MS", help="delay of each response")
    add("--hour-limit", type=int, default=5_000, metavar="N", help="API calls per hour (5000)")
    add("--month-limit", type=int, default=50_000, metavar="N", help="API calls per month (50000)")
    add("--token-minutes", type=float, default=480, metavar="N", help="token lifetime (480)")
    add(
        "--login-refusal",
        type=int,
        choices=LOGIN_REFUSALS,
        default=401,
        help="status for a wrong password (401); 500 is with InvalidLogin, 200 with StatusMessage",
    )
    add("--page-cap", type=int, default=1_000, metavar="N", help="maximum page size (1000)")
    add(
        "--dialect",
        type=_dialect,
        default={},
        metavar="FORMS",
        help="other forms of the API, such as login=headers,clientId=true,prefix=/api/v1,"
        "letterCase=pascal,numbers=strings,zone=false,pages=flag,asOf=false,fewMembers=true,"
        "recipients=1",
    )
    add("--verbose", action="store_true", help="log each request")
    return parser.parse_args(arguments)


def main(arguments=None) -> int:
    options = _parse(arguments)
    try:
        sandbox = Sandbox(
            users=dict(options.user or []),
            state=options.state,
            dialect=options.dialect,
            delay=options.delay,
            hourLimit=options.hour_limit,
            monthLimit=options.month_limit,
            tokenMinutes=options.token_minutes,
            loginRefusal=options.login_refusal,
            pageCap=options.page_cap,
        )
    except OutdatedState as error:
        print(error, file=sys.stderr)
        return 1
    running = Running(sandbox, options.host, options.port, options.verbose)

    def stop(*_signal):
        # In another thread: `stop` waits for the server loop, which runs in this one.
        threading.Thread(target=running.stop).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"Campaign Master sandbox: {running.url}", flush=True)
    running.run()
    running.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
