"""The client's whole journey, in each form of the API that it tolerates, and in random mixes.

The sandbox speaks the dialects; the client is not told which. What it reads must be the same.
"""

import random
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

import yaml

from odoo.addons.campaign_master.client import (
    Activity,
    CampaignDraft,
    CampaignMasterClient,
    CampaignMasterError,
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    Statistics,
    wire,
)

from .client_common import ClientCase
from .common import PASSWORD, USERNAME, shared_sandbox

CONTRACT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-client-secret"}
# The documented form is the first one.
FORMS = {
    form: values[1:]
    for form, values in yaml.safe_load(CONTRACT.read_text())["info"]["x-dialects"].items()
}
UNREPORTED = {
    "all": {"bounces"},
    "bounces": {"delivered", "hard_bounces", "soft_bounces", "rejected", "complaints"},
    "few": set(asdict(Statistics())) - {"sent", "opens", "clicks"},
}
DIALECTS = [{}, *({form: value} for form, values in FORMS.items() for value in values)]
MIXES = 10
SEED = 17
PEOPLE = [f"{name}@example.com" for name in ("ann", "bob", "cem", "dot", "eve")]


def mixes():
    """Random dialects, each with about half of the forms."""
    chance = random.Random(SEED)
    for _mix in range(MIXES):
        yield {
            form: chance.choice(values) for form, values in FORMS.items() if chance.random() < 0.5
        }


class TestDialects(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox = shared_sandbox()

    def start(self, dialect):
        """Let the sandbox speak a dialect; ``self.client`` calls it for the first time."""
        self.sandbox.reset()
        # So that there are several pages.
        self.sandbox.control("settings", {"pageCap": 2})
        self.sandbox.control("dialect", dialect)
        self.client.close()
        self.client = CampaignMasterClient(
            self.sandbox.url + dialect.get("prefix", ""), USERNAME, PASSWORD, **CLIENT
        )
        self.addCleanup(self.client.close)
        batch = patch.object(wire, "MAX_RECIPIENTS", dialect.get("recipients", 1_000))
        batch.start()
        return batch.stop

    def test_the_whole_journey_in_each_dialect(self):
        for dialect in DIALECTS:
            with self.subTest(dialect):
                self.addCleanup(self.start(dialect))
                self.travel()

    def test_the_whole_journey_in_random_mixes(self):
        for dialect in mixes():
            with self.subTest(dialect):
                self.addCleanup(self.start(dialect))
                self.travel()

    def travel(self):
        self.client.authenticate()
        self.read_catalog()
        campaign = self.create_campaign()
        self.push()
        self.send(campaign)
        self.read_figures(campaign)
        self.read_activity(campaign)

    def read_catalog(self):
        templates = {self.sandbox.template(name): name for name in ("Spring", "Autumn", "Winter")}
        lists = {self.sandbox.list(name): name for name in ("North", "South")}
        self.template_ref, self.list_ref = next(iter(templates)), next(iter(lists))
        self.assertEqual({one.ref: one.name for one in self.client.templates()}, templates)
        self.assertEqual({one.ref: one.name for one in self.client.lists()}, lists)

    def create_campaign(self):
        draft = CampaignDraft("Spring", "For all", "Hello", self.template_ref)
        self.assertIsNone(self.client.find_campaign("odoo-1"))
        created = self.client.create_campaign("odoo-1", draft)
        self.assertEqual((created.name, created.status), ("Spring", "draft"))
        self.assertEqual(self.client.find_campaign("odoo-1"), created)
        changed = self.client.update_campaign(created.ref, CampaignDraft("Summer", "For all", "Hi"))
        self.assertEqual(changed.name, "Summer")
        self.assertEqual(self.client.get_campaign(created.ref), changed)
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual((str(remote["id"]), remote["subject"]), (created.ref, "Hi"))
        return created.ref

    def push(self):
        for start in range(0, len(PEOPLE), wire.MAX_RECIPIENTS):
            emails = PEOPLE[start : start + wire.MAX_RECIPIENTS]
            results = self.client.add_recipients(self.list_ref, emails)
            status = "added"
            if {one.status for one in results} == {"unknown"}:
                results = self.client.add_recipients(self.list_ref, emails)
                status = "exists"
            self.assertEqual(
                [(one.email, one.status) for one in results], [(e, status) for e in emails]
            )
        [again] = self.client.add_recipients(self.list_ref, ["ANN@example.com"])
        self.assertEqual(again.status, "exists")
        self.assertEqual(self.sandbox.members(self.list_ref), PEOPLE)

    def send(self, campaign):
        self.sandbox.send(campaign, self.list_ref, quiet=True, minutesAgo=60)
        self.opened_at = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=30)
        at = f"{self.opened_at.replace(tzinfo=None).isoformat()}Z"
        for email, kind in (("ann", "open"), ("bob", "complaint"), ("cem", "bounce")):
            self.sandbox.control(
                f"campaigns/{campaign}/activity",
                {"email": f"{email}@example.com", "kind": kind, "at": at},
            )
        sent = self.client.get_campaign(campaign)
        self.assertEqual(sent.status, "sent")
        if sent.sent_at:  # one of the members that a client can do without
            self.assertLess(
                abs(self.opened_at - timedelta(minutes=30) - sent.sent_at), timedelta(seconds=5)
            )

    def read_figures(self, campaign):
        unreported = UNREPORTED[self.sandbox.control("dialect", method="GET")["figures"]]
        known = {
            **{"sent": 5, "delivered": 4, "hard_bounces": 1, "bounces": 1},
            **{"opens": 1, "unique_opens": 1, "complaints": 1},
        }
        for name, figure in asdict(self.client.statistics(campaign)).items():
            self.assertEqual(figure, None if name in unreported else known.get(name, 0), name)

    def read_activity(self, campaign):
        rows, seen, as_of = {}, None, None
        for number in range(1, 10):
            page = self.client.activity(campaign, page=number, seen=seen)
            rows.update((row.email, row) for row in page.items)
            as_of, seen = as_of or page.as_of, page.seen
            if page.last:
                break
        self.assertTrue(page.last)
        self.assertLess(abs(datetime.now(timezone.utc) - as_of), timedelta(seconds=5))
        nothing = Activity("", 0, 0, 0, 0, *[None] * 4, bounced=False, opted_out=False)
        known = {"ann": {"opens": 1, "first_open": self.opened_at, "last_open": self.opened_at}}
        known["bob"] = {"opted_out": True, "complained": True}
        known["cem"] = {"bounced": True, "bounce_reason": "The mailbox does not exist."}
        for email in PEOPLE:
            expected = asdict(nothing) | {"email": email} | known.get(email.split("@")[0], {})
            self.assertEqual(asdict(rows[email]), expected)
        since = as_of + timedelta(minutes=1)
        self.assertEqual(self.client.activity(campaign, since=since).items, [])

    def test_a_login_that_the_server_does_not_find_is_refused_in_each_manner(self):
        for status, error_class in (
            (401, CampaignMasterLoginRefusedError),
            (500, CampaignMasterLoginRefusedError),
            (403, CampaignMasterLoginDoubtError),
            (200, CampaignMasterLoginDoubtError),
        ):
            for dialect in (
                {},
                {"letterCase": "pascal"},
                {"fewMembers": True, "numbers": "strings"},
            ):
                with self.subTest(status, **dialect):
                    self.addCleanup(self.start({"clientId": True} | dialect))
                    self.sandbox.control("settings", {"loginRefusal": status})
                    client = CampaignMasterClient(self.sandbox.url, USERNAME, PASSWORD)
                    self.addCleanup(client.close)
                    with self.assertRaises(error_class) as caught:
                        client.authenticate()
                    self.assertIn("InvalidLogin", caught.exception.reason)

    def test_a_password_that_no_header_can_carry_logs_in_where_the_body_is_read(self):
        password = "пароль"
        for source in ("either", "body", "headers"):
            with self.subTest(source):
                self.addCleanup(self.start({"login": source}))
                self.sandbox.control("users", {"username": USERNAME, "password": password})
                client = CampaignMasterClient(self.sandbox.url, USERNAME, password)
                self.addCleanup(client.close)
                self.assertEqual(client.body_only, ["password"])
                if source == "headers":
                    with self.assertRaises(CampaignMasterError):
                        client.authenticate()
                else:
                    client.authenticate()
