"""What each call sends, and which answers belong to it, answered by ``responses``.

How good answers are read is in ``test_client_contract.py``, what can go wrong in
``test_client_outcomes.py``, and what only real connections show in ``test_client_network.py``.
"""

import json
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

import requests

from odoo.addons.campaign_master.client import (
    CampaignDraft,
    CampaignMasterAddressError,
    CampaignMasterAuthError,
    CampaignMasterConfigurationError,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterLedgerLimitError,
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    CampaignMasterLoginRequestError,
    CampaignMasterNotAllowedError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    CampaignMasterRefusedError,
    CampaignMasterResponseError,
    CampaignMasterServerError,
    CampaignMasterTokenRefusedError,
    Statistics,
    errors,
    wire,
)

from .client_common import (
    ACTIVITY,
    CAMPAIGN,
    DRAFT,
    EXAMPLES,
    RESULT,
    STATISTICS,
    ClientCase,
    MockedCase,
    page_of,
)


class TestCalls(MockedCase):
    """What is sent, and which answers belong to it."""

    def test_a_server_that_does_not_filter_finds_no_other_campaign(self):
        others = [CAMPAIGN | {"id": i, "reference": f"odoo-1-{i}"} for i in range(3)]
        self.on("GET /campaigns", answer=page_of(*others[:2], total=3))
        self.on("GET /campaigns", answer=page_of(others[2], page=2, total=3))
        self.assertIsNone(self.client.find_campaign("odoo-1"))

    def test_create_sends_reference_and_template(self):
        self.on("POST /campaigns", answer=CAMPAIGN, status=201)
        self.assertEqual(self.client.create_campaign("odoo-1", DRAFT).ref, "42")
        self.assertEqual(
            json.loads(self.http.calls[0].request.body),
            {
                "reference": "odoo-1",
                "name": "Spring",
                "description": "For members",
                "subject": "Hello",
                "templateId": 3,
                "fromName": "Ann",
                "fromEmail": "ann@example.com",
                "replyToEmail": "reply@example.com",
            },
        )

    def test_members_without_a_value_are_not_sent(self):
        self.on("POST /campaigns", answer=CAMPAIGN, status=201)
        self.client.create_campaign("odoo-1", CampaignDraft("a", "b", "c"))
        self.assertEqual(
            json.loads(self.http.calls[0].request.body),
            {"reference": "odoo-1", "name": "a", "description": "b", "subject": "c"},
        )

    def test_update_sends_neither_reference_nor_template(self):
        self.on("PUT /campaigns/42", answer=CAMPAIGN | {"status": "sent"})
        self.assertEqual(self.client.update_campaign("42", DRAFT).status, "sent")
        self.assertEqual(
            set(json.loads(self.http.calls[0].request.body)),
            {"name", "description", "subject", "fromName", "fromEmail", "replyToEmail"},
        )

    def test_an_id_that_could_leave_its_place_in_the_path_is_not_sent(self):
        for ref in ("", ".", "..", "x" * 200, "\x00"):
            with self.subTest(ref=ref), self.assertRaises(ValueError):
                self.client.get_campaign(ref)

    def test_another_campaign_is_no_answer(self):
        for name, other in (
            ("create_campaign", {"reference": "odoo-2"}),
            ("get_campaign", {"id": 43}),
            ("update_campaign", {"id": 43}),
        ):
            with self.subTest(name):
                self.on_example(EXAMPLES[name], answer=CAMPAIGN | other)
                self.assertFails(CampaignMasterResponseError, EXAMPLES[name].make, "bad_member")

    def test_a_figure_that_is_not_reported_is_none(self):
        for answer in ({"opens": 3}, {"opens": 3, "sent": None}):
            self.on_example(EXAMPLES["statistics"], answer=answer)
            self.assertEqual(self.client.statistics("42"), Statistics(opens=3))

    def test_statistics_without_any_figure_are_unusable(self):
        for answer in ({}, {"sent": None}, {"total": 3}, {"data": STATISTICS}):
            with self.subTest(answer):
                self.on_example(EXAMPLES["statistics"], answer=answer)
                error = self.assertFails(
                    CampaignMasterResponseError, EXAMPLES["statistics"].make, "bad_member"
                )
                self.assertIn("“sent” and all other figures are missing", error.message)

    def test_activity_since_is_sent_in_utc(self):
        self.on_example(EXAMPLES["activity"], answer=self.activity_page(0, 2, total=1000))
        since = datetime(2025, 1, 31, 10, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
        self.client.activity("42", since, page=2)
        self.assertEqual(
            self.http.calls[0].request.params,
            {"page": "2", "pageSize": "1000", "since": "2025-01-31T09:30:00Z"},
        )

    def test_activity_since_needs_a_time_zone(self):
        with self.assertRaises(ValueError):
            self.client.activity("42", datetime(2025, 1, 31))

    def activity_page(self, count, page, total, page_size=1000):
        rows = (ACTIVITY | {"email": f"{page}-{i}@example.com"} for i in range(count))
        return page_of(
            *rows, page=page, page_size=page_size, total=total, asOf="2025-01-31T11:00:00Z"
        )

    def test_the_last_page_of_activity(self):
        for sentence, last, (count, page, total, page_size) in (
            ("all there is", True, (3, 1, 3, 1000)),
            ("more than it says there is", True, (3, 1, 2, 1000)),
            ("an empty first page", True, (0, 1, 0, 1000)),
            ("an empty later page", True, (0, 4, 3000, 1000)),
            ("an empty page just after the total", True, (0, 2, 1000, 1000)),
            ("a full page of three", False, (1000, 1, 2500, 1000)),
            ("the rest of 2,500", True, (500, 3, 2500, 1000)),
            ("a smaller page than asked for", False, (100, 1, 250, 100)),
            ("its rest", True, (50, 3, 250, 100)),
            ("a first page that does not say how long pages are", False, (100, 1, 250, None)),
            ("a short page that claims to be a long one", False, (100, 1, 250, 1000)),
            ("another one, beyond the total by its claim", False, (100, 2, 250, 1000)),
        ):
            with self.subTest(sentence):
                self.on_example(
                    EXAMPLES["activity"], answer=self.activity_page(count, page, total, page_size)
                )
                self.assertIs(self.client.activity("42", page=page).last, last)

    def test_activity_that_ends_before_its_total_is_refused(self):
        """Otherwise the missing rows would never be read: the next poll asks for newer ones."""
        for page, total in ((1, 3), (2, 1001)):
            with self.subTest(f"page {page} of {total}"):
                self.on_example(EXAMPLES["activity"], answer=self.activity_page(0, page, total))
                self.assertFails(
                    CampaignMasterResponseError,
                    lambda client, page=page: client.activity("42", page=page),
                    "missing_items",
                )


class TestRecipients(MockedCase):
    """Addresses that are sent, and results that come back (see also test_client_properties.py)."""

    def add(self, emails, *results):
        self.on("POST /lists/7/recipients", answer={"results": list(results)})
        return self.client.add_recipients("7", emails)

    def test_a_missing_result_is_unknown(self):
        results = self.add(["ann@example.com", "bob@example.com"], RESULT)
        self.assertEqual([result.status for result in results], ["added", "unknown"])

    def test_the_first_of_two_results_counts(self):
        results = self.add(["ann@example.com"], RESULT, RESULT | {"status": "exists"})
        self.assertEqual([result.status for result in results], ["added"])

    def test_results_that_come_later_are_unknown(self):
        for body in ("", "{}", '{"results": [{"email": "ann@example.com", "status": "added"}]}'):
            with self.subTest(body):
                self.http.reset()
                self.on("POST /lists/7/recipients", body=body, status=202)
                results = self.client.add_recipients("7", ["ann@example.com", "bob@example.com"])
                self.assertEqual(
                    results,
                    [("ann@example.com", "unknown", ""), ("bob@example.com", "unknown", "")],
                )

    def test_more_than_a_batch_is_a_mistake(self):
        with self.assertRaises(ValueError):
            self.client.add_recipients("7", ["ann@example.com"] * (wire.MAX_RECIPIENTS + 1))

    def test_the_batch_may_be_one(self):
        with patch.object(wire, "MAX_RECIPIENTS", 1):
            [result] = self.add(["ann@example.com"], RESULT)
            self.assertEqual(result.status, "added")
            with self.assertRaisesRegex(ValueError, "At most 1 "):
                self.client.add_recipients("7", ["ann@example.com", "bob@example.com"])

    def test_nobody_is_no_call(self):
        self.assertEqual(self.client.add_recipients("7", []), [])


class TestErrors(ClientCase):
    def test_every_error_says_whether_and_when_to_retry_and_which_text_it_needs(self):
        later = datetime(2999, 1, 1, tzinfo=timezone.utc)
        hour, month = {"period": "hour", "retry_at": later}, {"period": "month"}
        campaign, of_list = {"about": "campaign"}, {"about": "list"}
        table = (
            (CampaignMasterConfigurationError, {}, "configuration", False, None),
            (CampaignMasterAddressError, {}, "wrong_address", False, None),
            (CampaignMasterLoginRefusedError, {}, "login_refused", False, None),
            (CampaignMasterLoginDoubtError, {"retry_at": later}, "login_doubt", True, later),
            (CampaignMasterTokenRefusedError, {}, "token_refused", True, None),
            (CampaignMasterNotAllowedError, {}, "not_allowed", False, None),
            (CampaignMasterRateLimitError, hour, "hour_limit", True, later),
            (CampaignMasterRateLimitError, month, "month_limit", True, None),
            (CampaignMasterLedgerLimitError, hour, "hour_limit", True, later),
            (CampaignMasterLedgerLimitError, month, "month_limit", True, None),
            (CampaignMasterConnectionError, {}, "connection", True, None),
            (CampaignMasterServerError, {}, "server_error", True, None),
            (CampaignMasterResponseError, {}, "bad_response", True, None),
            (CampaignMasterLoginRequestError, {}, "login_request_refused", True, None),
            (CampaignMasterRefusedError, of_list, "refused", False, None),
            (CampaignMasterNotFoundError, of_list, "list_not_found", False, None),
            (CampaignMasterNotFoundError, campaign, "campaign_not_found", False, None),
        )
        for error_class, options, key, retryable, retry_at in table:
            with self.subTest(error_class=error_class.__name__, key=key):
                error = error_class("a_code", "A sentence.", **options)
                self.assertEqual(
                    (error.key, error.retryable, error.retry_at), (key, retryable, retry_at)
                )
        every = {
            thing
            for thing in vars(errors).values()
            if isinstance(thing, type) and issubclass(thing, CampaignMasterError)
        }
        bases = {CampaignMasterError, CampaignMasterAuthError}
        self.assertEqual({row[0] for row in table}, every - bases)

    def test_an_error_reads_as_its_call_and_a_sentence(self):
        error = CampaignMasterError("a_code", "A sentence.", call="GET /lists")
        self.assertEqual(str(error), "GET /lists: A sentence.")
        self.assertEqual(str(CampaignMasterError("a_code", "A sentence.")), "A sentence.")


class TestClient(MockedCase):
    """The object itself."""

    def test_it_closes_its_connections(self):
        with patch.object(requests.Session, "close") as close, self.client as client:
            self.assertIs(client, self.client)
        close.assert_called_once_with()

    def test_a_call_takes_a_line_in_the_log(self):
        self.on("GET /lists", answer=page_of())
        list(self.client.lists())
        self.on("POST /lists/7/recipients", status=500)
        self.assertFails(CampaignMasterServerError, EXAMPLES["add_recipients"].make)
        lines = [line.split(" after ")[0] for line in self.log.lines]
        self.assertEqual(
            lines,
            [
                "DEBUG GET /lists: 200",
                "DEBUG POST /lists/7/recipients: 500",
                "WARNING POST /lists/7/recipients failed: server_error",
            ],
        )
