"""An Odoo server for both databases, and the calls that a web client makes to it."""

import contextlib
import json
import tempfile
from pathlib import Path

import requests

from devtools.environment import machine, rpc
from devtools.environment.processes import ended

from .data import MARKETING_USER, PASSWORD, WITH_ADDON, WITHOUT_ADDON


@contextlib.contextmanager
def server(odoo):
    """Start an Odoo server for both databases; yield its URL."""
    with tempfile.TemporaryDirectory() as directory:
        port = machine.free_port(8170)
        url = f"http://127.0.0.1:{port}"
        arguments = ["-d", f"{WITH_ADDON},{WITHOUT_ADDON}", "--http-port", str(port)]
        arguments += ["--workers", "0", "--max-cron-threads", "0", "--no-database-list"]
        with ended(odoo.start(*arguments, log=Path(directory) / "odoo.log")) as process:
            while not rpc.answers(f"{url}/web/health"):
                if process.poll() is not None:
                    raise AssertionError(Path(directory, "odoo.log").read_text()[-3000:])
            yield url


class Session:
    """A session of a user in one database.

    :param str url: URL of the Odoo server
    :param str database: name of the database
    :param str login: of a user with the marketing user's password
    :raise AssertionError: the login failed
    """

    def __init__(self, url, database, login=MARKETING_USER):
        self.url = url
        self._session = requests.Session()
        login = {"db": database, "login": login, "password": PASSWORD}
        self._post("/web/session/authenticate", json.dumps({"params": login}))
        self.session_id = self._session.cookies["session_id"]

    def repeat(self, calls):
        """Make the calls of a page again: ``[(path, body)]``.

        :raise AssertionError: a call failed
        """
        for path, body in calls:
            self._post(path, body)

    def call(self, call):
        """Make one call; return its result.

        :raise AssertionError: the call failed
        """
        return self._post(*call)["result"]

    def _post(self, path, body):
        headers = {"Content-Type": "application/json"}
        response = self._session.post(self.url + path, data=body, headers=headers).json()
        if "error" in response:
            raise AssertionError(response["error"])
        return response


def method_call(model, method, *args, **kwargs):
    """Return the call of a method, for :class:`Session`."""
    params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
    return f"/web/dataset/call_kw/{model}/{method}", json.dumps({"params": params})


def repeating(session, calls):
    """Return a function for ``in_turns`` that makes some calls."""

    def variant(stopwatch):
        with stopwatch:
            session.repeat(calls)

    return variant
