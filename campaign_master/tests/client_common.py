"""What the tests of the client share. They need no database, but are Odoo test cases, as Odoo's
own runner (``--test-tags``) passes over those that are not."""

import logging
from datetime import UTC, datetime, timedelta
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
PASSWORD = "pässword-1"  # noqa: S105
TOKEN = "token-1"  # noqa: S105
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
    "rejected": 1,
    "opens": 80,
    "uniqueOpens": 50,
    "clicks": 20,
    "uniqueClicks": 15,
    "forwards": 2,
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
    "optedOut": True,
}


def page_of(*items, page=1, page_size=500, total=None, **members):
    """A page as Campaign Master gives it."""
    total = len(items) if total is None else total
    return {"items": list(items), "page": page, "pageSize": page_size, "total": total} | members


class Example:
    """One call: how it is made, where it goes, and a good answer to it."""

    def __init__(self, make, method, path, answer, status=200, paged=False):
        self.make = make
        self.method = method
        self.path = path
        self.answer = answer
        self.status = status
        self.paged = paged

    @property
    def name(self):
        return f"{self.method} {self.path}"


EXAMPLES = {
    "authenticate": Example(
        lambda client: client.authenticate(), "POST", "/authenticate", {"token": "token-2"}
    ),
    "templates": Example(
        lambda client: list(client.templates()), "GET", "/templates", page_of(TEMPLATE), paged=True
    ),
    "lists": Example(
        lambda client: list(client.lists()), "GET", "/lists", page_of(LIST), paged=True
    ),
    "find_campaign": Example(
        lambda client: client.find_campaign("odoo-1"),
        "GET",
        "/campaigns",
        page_of(CAMPAIGN),
        paged=True,
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
        paged=True,
    ),
}


class LogKeeper(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.levelname} {self.format(record)}")


class ClientCase(BaseCase):
    """Gives each test a client, the clock's pauses (which are not waited for) and the log.

    Odoo's test cases let no request pass that leaves the machine. Here all may: what is below,
    ``responses`` or a socket on the loopback, is the test's own.
    """

    @classmethod
    def _request_handler(cls, s, r, /, **kw):
        return _super_send(s, r, **kw)

    def setUp(self):
        super().setUp()
        logger = logging.getLogger(client_package.__name__)
        self.log = LogKeeper()
        self.startPatch(patch.object(logger, "propagate", False))
        self.startPatch(patch.object(logger, "level", logging.DEBUG))
        logger.addHandler(self.log)
        self.addCleanup(logger.removeHandler, self.log)
        self.pauses = []
        self.startPatch(patch.object(session.time, "sleep", self.pauses.append))
        self.ledger = MemoryLedger(TOKEN)
        self.client = self.make_client()

    def startPatch(self, patcher):
        self.addCleanup(patcher.stop)
        return patcher.start()

    def make_client(self, url=URL, **options):
        options = {"ledger": self.ledger} | options
        client = CampaignMasterClient(url, USERNAME, PASSWORD, **options)
        self.addCleanup(client.close)
        return client


class MockedCase(ClientCase):
    """Answers by ``responses``; each that is announced must be fetched."""

    def setUp(self):
        super().setUp()
        self.http = responses.RequestsMock()
        self.http.start()
        self.addCleanup(self.http.stop)

    def on(self, call, *, json=None, status=200, **answer):
        """Announce one answer.

        :param str call: as ``GET /templates``
        """
        method, path = call.split(" ")
        if "body" not in answer:
            answer["json"] = json
        return self.http.add(method, URL + path, status=status, **answer)

    def on_example(self, example, **answer):
        """Announce the good answer to a call, but for what is given."""
        answer = {"json": example.answer, "status": example.status} | answer
        return self.on(example.name, **answer)

    def sent(self):
        """The requests so far, as ``GET /templates``."""
        return [
            f"{call.request.method} {call.request.path_url.split('?')[0]}"
            for call in self.http.calls
        ]

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


def from_now(**delta):
    """A whole second from now, as a time and as a header has it."""
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(**delta)
    return moment, str(int(moment.timestamp()))
