"""The contract against a server: the real service if the environment names one, else the sandbox.

``docs/api.md`` says which variables there are. Against the real service these tests only read,
unless ``CAMPAIGN_MASTER_API_WRITE`` is 1. What they would need and is not named, they skip.
"""

import os
import re
import uuid
from dataclasses import asdict
from datetime import timedelta

from jsonschema import ValidationError

from odoo.addons.campaign_master.client import (
    CampaignDraft,
    CampaignMasterClient,
    CampaignMasterNotFoundError,
    CampaignMasterRefusedError,
    wire,
)
from odoo.addons.campaign_master.client.shape import shape_name

from .client_common import ClientCase
from .common import PASSWORD, USERNAME, Sandbox
from .test_client_contract import OPERATION, check_valid

URL = "CAMPAIGN_MASTER_API_URL"
VARIABLES = {
    "url": URL,
    "username": "CAMPAIGN_MASTER_USERNAME",
    "password": "CAMPAIGN_MASTER_PASSWORD",
    "client_id": "CAMPAIGN_MASTER_CLIENT_ID",
    "client_secret": "CAMPAIGN_MASTER_CLIENT_SECRET",
    "campaign": "CAMPAIGN_MASTER_API_CAMPAIGN",
    "write": "CAMPAIGN_MASTER_API_WRITE",
    "list": "CAMPAIGN_MASTER_API_LIST",
    "email": "CAMPAIGN_MASTER_API_EMAIL",
}
REFERENCE = "odoo-contract-test"  # always the same, so that there is one such campaign at most
NEEDED = {
    "campaign": "the id of a sent campaign",
    "list": "the id of an empty list",
    "email": "an address of your own",
}


def real_service():
    """What the environment says of the real service; None if it names none."""
    if not os.environ.get(URL):
        return None
    return {
        name: os.environ[variable]
        for name, variable in VARIABLES.items()
        if os.environ.get(variable)
    }


def sandbox_service(sandbox):
    """A sandbox with a sent campaign and an empty list."""
    people = sandbox.list("Members", ["ann@example.com", "bob@example.com"])
    with CampaignMasterClient(sandbox.url, USERNAME, PASSWORD) as client:
        draft = CampaignDraft("Sent", "For all", "Hello", sandbox.template("Plain"))
        campaign = client.create_campaign("odoo-0", draft).ref
    sandbox.send(campaign, people)
    return {
        "url": sandbox.url,
        "username": USERNAME,
        "password": PASSWORD,
        "campaign": campaign,
        "write": "1",
        "list": sandbox.list("Odoo API check"),
        "email": "zoe@example.com",
    }


class ServiceCase(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = real_service()
        if not cls.service:
            sandbox = Sandbox()
            cls.addClassCleanup(sandbox.stop)
            cls.service = sandbox_service(sandbox)

    def setUp(self):
        super().setUp()
        self.seen = []
        self.client.close()
        self.client = CampaignMasterClient(
            *(self.service.get(name, "") for name in ("url", "username", "password")),
            client_id=self.service.get("client_id"),
            client_secret=self.service.get("client_secret"),
            observer=self.seen.append,
        )
        self.addCleanup(self.client.close)

    def need(self, name):
        """A value of the environment that not everybody gives."""
        if name not in self.service:
            self.skipTest(f"Set {VARIABLES[name]} to {NEEDED[name]}.")
        return self.service[name]


class TestReading(ServiceCase):
    def test_the_login_gives_a_token(self):
        self.client.authenticate()
        self.assertTrue(self.client.ledger.token())

    def test_templates_and_lists_are_read_to_the_end(self):
        for read in (self.client.templates, self.client.lists):
            found = list(read())
            self.assertEqual(len({one.ref for one in found}), len(found))
            for one in found:
                self.assertTrue(one.name.strip())

    def test_limits_and_time_are_told(self):
        list(self.client.templates())
        headers = self.seen[-1].headers
        limits = wire.read_limits(headers, self.seen[-1].at)
        for name, value in asdict(limits).items():
            self.assertIsNotNone(value, name)
        self.assertLess(limits.remaining, limits.limit)
        self.assertGreater(limits.reset_at, self.seen[-1].at - timedelta(minutes=1))
        self.assertLess(abs(wire.read_date(headers) - self.seen[-1].at), timedelta(minutes=5))

    def test_an_unknown_reference_finds_nothing(self):
        self.assertIsNone(self.client.find_campaign(f"odoo-{uuid.uuid4()}-1"))

    def test_an_unknown_campaign_is_not_found(self):
        with self.assertRaises(CampaignMasterNotFoundError):
            self.client.get_campaign("2147483647")

    def test_a_sent_campaign_has_figures(self):
        ref = self.need("campaign")
        self.assertEqual(self.client.get_campaign(ref).status, "sent")
        figures = [value for value in asdict(self.client.statistics(ref)).values() if value]
        self.assertTrue(figures, "All figures are 0 or missing")

    def test_activity_is_read_to_the_end_and_then_only_what_is_new(self):
        ref = self.need("campaign")
        emails, page = set(), None
        while not page or not page.last:
            page = self.client.activity(
                ref, page=page.page + 1 if page else 1, seen=page and page.seen
            )
            emails.update(row.email for row in page.items)
        self.assertTrue(emails, "Nobody did anything")
        tomorrow = page.as_of + timedelta(days=1)
        self.assertEqual(len(self.client.activity(ref, since=tomorrow).items), 0)

    def test_the_answers_have_the_documented_form(self):
        """The client understands other forms, too, see docs/api.md."""
        self.client.authenticate()
        list(self.client.templates())
        list(self.client.lists())
        self.client.find_campaign(REFERENCE)
        if ref := self.service.get("campaign"):
            self.client.get_campaign(ref)
            self.client.statistics(ref)
            self.client.activity(ref)
        self.assertDocumented()

    def assertDocumented(self):
        operations = {
            f"{one['method']} {re.sub('{[^}]*}', 'ID', one['path'])}": one
            for one in OPERATION.values()
        }
        for seen in self.seen:
            with self.subTest(seen.call):
                answers = operations[seen.call]["responses"]
                self.assertIn(str(seen.status), answers)
                schema = answers[str(seen.status)]["content"]["application/json"]["schema"]
                self.assertFits(wire.parse_json(seen.body), schema)

    def assertFits(self, answer, schema):
        """Names the member that differs, but no value: it may be somebody's address."""
        try:
            check_valid(schema, answer)
            return
        except ValidationError as error:
            member = "/".join(shape_name(str(step)) for step in error.absolute_path)
            expected = f"{error.validator}: {error.validator_value}"[:200]
            problem = f"{member or 'the answer'} differs from docs/openapi.yaml: {expected}"
        self.fail(problem)


class TestWriting(ServiceCase):
    """What leaves something behind: one campaign, and one address on a list."""

    def setUp(self):
        super().setUp()
        if self.service.get("write") != "1":
            self.skipTest(f"Set {VARIABLES['write']} to 1: it leaves a campaign and an address.")

    def test_a_campaign_is_created_once_then_found_and_updated(self):
        template = next(self.client.templates(), None)
        self.assertTrue(template, "There must be a template in Campaign Master.")
        draft = CampaignDraft("Odoo API check", "Delete me", "Check", template.ref)
        campaign = self.client.find_campaign(REFERENCE)
        if not campaign:
            campaign = self.client.create_campaign(REFERENCE, draft)
        self.assertEqual(self.client.find_campaign(REFERENCE), campaign)
        with self.assertRaises(CampaignMasterRefusedError) as caught:
            self.client.create_campaign(REFERENCE, draft)
        self.assertIn("reference", [error.field for error in caught.exception.errors])
        subject = f"Check {uuid.uuid4()}"
        changed = CampaignDraft(draft.name, draft.description, subject)
        self.client.update_campaign(campaign.ref, changed)
        self.assertEqual(self.client.get_campaign(campaign.ref).subject, subject)
        self.assertEqual(self.client.get_campaign(campaign.ref).status, "draft")

    def test_an_address_is_added_once(self):
        ref, email = self.need("list"), self.need("email")
        [first] = self.client.add_recipients(ref, [email])
        self.assertIn(first.status, ("added", "exists"))
        [again] = self.client.add_recipients(ref, [email.upper()])
        self.assertEqual((again.email, again.status), (email.upper(), "exists"))
