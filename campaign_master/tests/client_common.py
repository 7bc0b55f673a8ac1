"""Common parts of the client's tests. They need no database, but are Odoo test cases, because
Odoo's own runner (``--test-tags``) skips all others."""

import contextlib
import functools
import json
import logging
import re
import socket
import threading
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

import responses

from odoo.tests.common import BaseCase, _super_send

from odoo.addons.campaign_master import client as client_package
from odoo.addons.campaign_master.client import (
    CampaignDraft,
    CampaignMasterClient,
    MemoryLedger,
    session,
)

URL = "https://api.example.com"
USERNAME = "ann"
PASSWORD = "pässword-1"  # no header can carry it
CLIENT_ID = "client-1"
CLIENT_SECRET = "client-secret 1"
TOKEN = "token-1"
DRAFT = CampaignDraft(
    name="Spring",
    description="For members",
    subject="Hello",
    template_ref="3",
    from_name="Ann",
    from_email="ann@example.com",
    reply_to="reply@example.com",
)

TEMPLATE = {"id": 3, "name": "Plain"}
LIST = {"id": 7, "name": "Members", "recipients": 12}
CAMPAIGN = {
    "id": 42,
    "reference": "odoo-1",
    "name": "Spring",
    "description": "For members",
    "subject": "Hello",
    "templateId": 3,
    "status": "draft",
}
RESULT = {"email": "ann@example.com", "status": "added", "message": "Added."}
STATISTICS = {
    "sent": 100,
    "delivered": 90,
    "hardBounces": 6,
    "softBounces": 3,
    "bounces": 10,
    "rejected": 1,
    "opens": 80,
    "uniqueOpens": 50,
    "clicks": 20,
    "uniqueClicks": 15,
    "forwards": 2,
    "uniqueForwards": 1,
    "unsubscribes": 4,
    "complaints": 0,
}
ACTIVITY = {
    "email": "ann@example.com",
    "opens": 2,
    "clicks": 1,
    "forwards": 0,
    "unsubscribes": 0,
    "firstOpen": "2025-01-31T09:30:00Z",
    "lastOpen": "2025-01-31T10:30:00.25Z",
    "firstClick": None,
    "lastClick": None,
    "bounced": False,
    "bounceReason": "",
    "complained": False,
    "optedOut": True,
}


def page_of(*items, page=1, page_size=500, total=None, **members):
    """A page as Campaign Master gives it."""
    total = len(items) if total is None else total
    return {"items": list(items), "page": page, "pageSize": page_size, "total": total} | members


class Example:
    """One call: how it is made, where it goes, and a good answer to it."""

    def __init__(self, make, method, path, answer, status=200):
        self.make = make
        self.method = method
        self.path = path
        self.answer = answer
        self.status = status

    @property
    def name(self):
        return f"{self.method} {self.path}"


EXAMPLES = {
    "authenticate": Example(
        lambda client: client.authenticate(), "POST", "/authenticate", {"token": "token-2"}
    ),
    "templates": Example(
        lambda client: list(client.templates()), "GET", "/templates", page_of(TEMPLATE)
    ),
    "lists": Example(lambda client: list(client.lists()), "GET", "/lists", page_of(LIST)),
    "find_campaign": Example(
        lambda client: client.find_campaign("odoo-1"),
        "GET",
        "/campaigns",
        page_of(CAMPAIGN),
    ),
    "create_campaign": Example(
        lambda client: client.create_campaign("odoo-1", DRAFT), "POST", "/campaigns", CAMPAIGN, 201
    ),
    "get_campaign": Example(
        lambda client: client.get_campaign("42"), "GET", "/campaigns/42", CAMPAIGN
    ),
    "update_campaign": Example(
        lambda client: client.update_campaign("42", DRAFT), "PUT", "/campaigns/42", CAMPAIGN
    ),
    "add_recipients": Example(
        lambda client: client.add_recipients("7", ["ann@example.com"]),
        "POST",
        "/lists/7/recipients",
        {"results": [RESULT]},
    ),
    "statistics": Example(
        lambda client: client.statistics("42"), "GET", "/campaigns/42/statistics", STATISTICS
    ),
    "activity": Example(
        lambda client: client.activity("42"),
        "GET",
        "/campaigns/42/activity",
        page_of(ACTIVITY, page_size=1000, asOf="2025-01-31T11:00:00Z"),
    ),
}


class LogKeeper(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.levelname} {self.format(record)}")


class ClientCase(BaseCase):
    """Gives each test a client, the log, and the pauses between retries (without waiting).

    Odoo's test cases block requests that leave the machine. Here all may pass, because they reach
    ``responses`` or a socket on the loopback.
    """

    @classmethod
    def _request_handler(cls, s, r, /, **kw):
        return _super_send(s, r, **kw)

    def setUp(self):
        super().setUp()
        logger = logging.getLogger(client_package.__name__)
        self.log = LogKeeper()
        self.start_patch(patch.object(logger, "propagate", False))
        self.addCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(self.log)
        self.addCleanup(logger.removeHandler, self.log)
        self.pauses = []
        self.start_patch(patch.object(session.time, "sleep", self.pauses.append))
        self.ledger = Recorder(TOKEN)
        self.client = self.make_client()

    def start_patch(self, patcher):
        self.addCleanup(patcher.stop)
        return patcher.start()

    def make_client(self, url=URL, **options):
        options = {"ledger": self.ledger} | options
        client = CampaignMasterClient(url, USERNAME, PASSWORD, **options)
        self.addCleanup(client.close)
        return client

    def assertFails(self, error_class, make, code=None, **attributes):
        """The call raises just this error, with these attributes; returns it."""
        with self.assertRaises(error_class) as caught:
            make(self.client)
        error = caught.exception
        self.assertIs(type(error), error_class)
        if code:
            self.assertEqual(error.code, code)
        for name, value in attributes.items():
            self.assertEqual(getattr(error, name), value, name)
        return error


class Recorder(MemoryLedger):
    """A ledger that records its calls."""

    def __init__(self, token=None):
        super().__init__(token)
        self.told = []

    def before_call(self, call):
        self.told.append(("before", call))
        return super().before_call(call)

    def after_call(self, call, limits, sent):
        self.told.append(("after", call, sent))
        return super().after_call(call, limits, sent)


def each_call(*names):
    """Run a test method once for each call (or each of ``names``), with its :class:`Example`."""

    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for name in names or EXAMPLES:
                with self.subTest(name):
                    self.start_over()
                    test(self, EXAMPLES[name])

        return run

    return decorate


class MockedCase(ClientCase):
    """Answers by ``responses``; each announced answer must be fetched."""

    def setUp(self):
        super().setUp()
        self.http = responses.RequestsMock()
        self.http.start()
        self.addCleanup(self.http.stop)

    def on(self, call, *, answer=None, body=None, **options):
        """Announce one answer.

        :param str call: as ``GET /templates``
        :param answer: becomes JSON, unless there is a ``body``
        """
        method, path = call.split(" ")
        self.http.add(
            method, URL + path, body=json.dumps(answer) if body is None else body, **options
        )

    def on_example(self, example, **options):
        """Announce the good answer to a call, with these changes."""
        self.on(example.name, **{"answer": example.answer, "status": example.status} | options)

    def start_over(self):
        """Forget all answers and requests; make a new client, whose ledger has only a token."""
        self.http.reset()
        self.pauses.clear()
        self.ledger = Recorder(TOKEN)
        self.client = self.make_client()

    def sent(self):
        """The requests so far, as ``GET /templates``."""
        return [
            f"{call.request.method} {call.request.path_url.split('?')[0]}"
            for call in self.http.calls
        ]


class RawServer:
    """A server on the loopback that answers with any bytes.

    :param answer: called with each request's head (``b"GET /lists?page=1 HTTP/1.1 …"``) and the
        connection to send to; returns true to keep it open
    :param ssl_context: for TLS
    """

    def __init__(self, answer, ssl_context=None):
        self.answer = answer
        self.heads = []
        self.connections = 0
        self.stopping = threading.Event()
        self._ssl_context = ssl_context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http{'s' if self._ssl_context else ''}://127.0.0.1:{self.port}"

    def stop(self):
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self):
        while not self.stopping.is_set():
            # In many tests the client disconnects early.
            with contextlib.suppress(OSError):
                connection, _address = self._listener.accept()
                self.connections += 1
                with connection:
                    connection.settimeout(10)
                    if self._ssl_context:
                        connection = self._ssl_context.wrap_socket(connection, server_side=True)
                    while self._serve(connection):
                        pass

    def _serve(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return False
            data += more
        head, _blank, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        missing = int(length[1]) - len(body) if length else 0
        while missing > 0:
            missing -= len(connection.recv(65536))
        self.heads.append(head)
        return self.answer(head, connection)


def http_answer(data, status=b"200 OK", headers=b"", connection=b"close"):
    """A complete answer in bytes, of JSON data or bytes.

    :param bytes connection: whether the server will ``close`` the connection or ``keep-alive``;
        without a word, a client may send its next request just before it is closed
    """
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: %s\r\n%s\r\n%s" % (
        status,
        len(body),
        connection,
        headers,
        body,
    )


class SocketCase(ClientCase):
    """Gives each test a server of its own, and a client of that server."""

    def serve(self, answer, ssl_context=None, **options):
        """Start a server with this :class:`RawServer` answer; ``self.client`` calls it."""
        self.server = RawServer(answer, ssl_context)
        self.addCleanup(self.server.stop)
        self.client = self.make_client(self.server.url, **options)
        self.addCleanup(self.client.close)
        return self.server


def from_now(**delta):
    """A time from now, in whole seconds, and the same as the value of a header."""
    moment = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(**delta)
    return moment, str(int(moment.timestamp()))
