"""Each call with each outcome, answered by ``responses``.

How good answers are read is in ``test_client_contract.py``, what only real connections show in
``test_client_network.py``.
"""

import json
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

import requests
from urllib3.exceptions import ProtocolError

from odoo.addons.campaign_master.client import (
    CampaignDraft,
    CampaignMasterAddressError,
    CampaignMasterAuthError,
    CampaignMasterClient,
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
    FieldError,
    Limits,
    MemoryLedger,
    Statistics,
    errors,
    month_end,
    wire,
)

from .client_common import (
    ACTIVITY,
    CAMPAIGN,
    DRAFT,
    EXAMPLES,
    PASSWORD,
    RESULT,
    STATISTICS,
    TEMPLATE,
    TOKEN,
    URL,
    USERNAME,
    ClientCase,
    MockedCase,
    each_call,
    from_now,
    page_of,
)

CALLS_WITH_TOKEN = tuple(name for name in EXAMPLES if name != "authenticate")
WRITING = ("create_campaign", "update_campaign", "add_recipients")
ABOUT = {
    "get_campaign": "campaign",
    "update_campaign": "campaign",
    "add_recipients": "list",
    "statistics": "campaign",
    "activity": "campaign",
}
MILLISECONDS = ("1738368000000", "99999999999", "9" * 12, "9" * 40)
REPEATABLE = tuple(name for name, example in EXAMPLES.items() if example.method in ("GET", "PUT"))
RESET_CONNECTION = requests.ConnectionError(
    ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))
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


class TestOutcomes(MockedCase):
    """What can go wrong, for each call."""

    def writes(self, example):
        return example in (EXAMPLES[name] for name in WRITING)

    def about(self, example):
        return next((ABOUT[name] for name in ABOUT if EXAMPLES[name] is example), None)

    def tries(self, example):
        return 3 if example.method in ("GET", "PUT") else 1

    @each_call()
    def test_good(self, example):
        self.on_example(example)
        example.make(self.client)
        if example is EXAMPLES["authenticate"]:
            self.assertEqual(self.ledger.told, [])
            self.assertEqual(self.ledger.token(), "token-2")
        else:
            self.assertEqual(
                self.ledger.told, [("before", example.name), ("after", example.name, 1)]
            )
            self.assertEqual(self.http.calls[0].request.headers["Authorization"], f"Bearer {TOKEN}")

    @each_call()
    def test_connect_timeout(self, example):
        self.on_example(example, body=requests.ConnectTimeout())
        self.assertFails(
            CampaignMasterConnectionError, example.make, "timeout", outcome_unknown=False
        )

    @each_call(*CALLS_WITH_TOKEN)
    def test_400(self, example):
        refusal = {
            "message": "Not like this.",
            "errors": [{"field": "subject", "message": "Missing."}, {"field": 3}, "x"],
        }
        self.on_example(example, status=400, answer=refusal)
        self.assertFails(
            CampaignMasterRefusedError,
            example.make,
            "refused",
            message="Not like this.",
            errors=[FieldError("subject", "Missing.")],
            status=400,
            outcome_unknown=False,
        )
        self.assertEqual(len(self.http.calls), 1)

    def test_400_of_a_login_on_the_way_does_not_refuse_the_call(self):
        refusal = {"message": "No.", "errors": [{"field": "username", "message": "Too long."}]}
        self.on("POST /lists/7/recipients", status=401)
        self.on("POST /authenticate", status=400, answer=refusal)
        self.assertFails(
            CampaignMasterLoginRequestError,
            EXAMPLES["add_recipients"].make,
            "login_request_refused",
            message="No.",
            errors=[FieldError("username", "Too long.")],
            call="POST /authenticate",
        )

    @each_call(*CALLS_WITH_TOKEN)
    def test_400_that_says_nothing(self, example):
        for body in ("", "<p>no</p>", "[]", '{"message": 3, "errors": {}}'):
            self.start_over()
            self.on_example(example, status=400, body=body)
            error = self.assertFails(CampaignMasterRefusedError, example.make, errors=[])
            self.assertEqual(error.message, "Campaign Master refused the request.")

    @each_call(*CALLS_WITH_TOKEN)
    def test_401_once(self, example):
        self.on_example(example, status=401, answer={"message": "Ended."})
        self.on("POST /authenticate", answer={"token": "token-2"})
        self.on_example(example)
        example.make(self.client)
        self.assertEqual(self.sent(), [example.name, "POST /authenticate", example.name])
        self.assertEqual(self.http.calls[2].request.headers["Authorization"], "Bearer token-2")
        self.assertEqual(self.ledger.told, [("before", example.name), ("after", example.name, 2)])
        self.assertEqual(self.log.lines[-1][:5], "DEBUG")

    @each_call(*CALLS_WITH_TOKEN)
    def test_401_twice(self, example):
        self.on_example(example, status=401)
        self.on("POST /authenticate", answer={"token": "token-2"})
        self.assertFails(
            CampaignMasterTokenRefusedError, example.make, "token_refused", call=example.name
        )
        self.assertEqual(len(self.http.calls), 3)

    @each_call(*CALLS_WITH_TOKEN)
    def test_401_and_then_the_login_fails(self, example):
        self.on_example(example, status=401)
        self.on("POST /authenticate", status=401)
        self.assertFails(
            CampaignMasterLoginRefusedError,
            example.make,
            "login_refused",
            call="POST /authenticate",
        )
        self.assertEqual(self.ledger.told[-1], ("after", example.name, 1))

    @each_call(*CALLS_WITH_TOKEN)
    def test_403_is_not_a_refused_login(self, example):
        self.on_example(example, status=403, answer={"message": "No rights."})
        self.assertFails(
            CampaignMasterNotAllowedError,
            example.make,
            "not_allowed",
            reason="No rights.",
            status=403,
            outcome_unknown=False,
        )
        self.assertEqual(self.sent(), [example.name])

    @each_call(*ABOUT)
    def test_404_of_a_campaign_or_list(self, example):
        about = self.about(example)
        self.on_example(example, status=404)
        error = self.assertFails(
            CampaignMasterNotFoundError,
            example.make,
            about=about,
            key=f"{about}_not_found",
            outcome_unknown=False,
        )
        self.assertIn(about, error.message)
        self.assertEqual(len(self.http.calls), 1)

    @each_call(*(name for name in EXAMPLES if name not in ABOUT))
    def test_404_of_a_path_that_names_neither(self, example):
        self.on_example(example, status=404)
        self.assertFails(CampaignMasterAddressError, example.make, "wrong_address")
        self.assertEqual(len(self.http.calls), 1)

    @each_call(*CALLS_WITH_TOKEN)
    def test_429_of_the_hour(self, example):
        reset_at, header = from_now(minutes=20)
        headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": header}
        self.on_example(example, status=429, headers=headers)
        self.assertFails(
            CampaignMasterRateLimitError,
            example.make,
            "hour_spent",
            period="hour",
            retry_at=reset_at,
        )
        self.assertEqual(len(self.http.calls), 1)

    @each_call(*CALLS_WITH_TOKEN)
    def test_429_of_the_month(self, example):
        self.on_example(example, status=429)
        self.assertFails(
            CampaignMasterRateLimitError,
            example.make,
            "month_spent",
            period="month",
            retry_at=month_end(datetime.now(timezone.utc)),
        )

    def test_429_of_a_login_never_stops_the_month(self):
        """Its answers have no limits to tell hour from month by."""
        self.on("POST /authenticate", status=429)
        self.assertFails(
            CampaignMasterRateLimitError,
            EXAMPLES["authenticate"].make,
            "hour_spent",
            period="hour",
            retry_at=None,
        )

    @each_call()
    def test_500(self, example):
        self.on_example(example, status=500, answer={"message": "Oh."})
        self.assertFails(
            CampaignMasterServerError,
            example.make,
            "server_error",
            outcome_unknown=self.writes(example),
        )
        self.assertEqual(len(self.http.calls), self.tries(example))

    @each_call()
    def test_redirect_is_not_followed(self, example):
        named = self.about(example)
        for status in (301, 302, 303, 307, 308):
            self.start_over()
            self.on_example(
                example, status=status, headers={"Location": "https://evil.example.com/"}
            )
            self.assertFails(
                CampaignMasterResponseError if named else CampaignMasterAddressError,
                example.make,
                "redirect",
                status=status,
                outcome_unknown=self.writes(example),
            )
            self.assertEqual(len(self.http.calls), 1)

    @each_call()
    def test_statuses_that_were_not_agreed_on(self, example):
        for status in (202, 203, 405, 418, 999):
            if status == 202 and example is EXAMPLES["add_recipients"]:
                continue  # the results come later
            self.start_over()
            self.on_example(example, status=status, answer=example.answer)
            self.assertFails(
                CampaignMasterResponseError,
                example.make,
                "unexpected_status",
                status=status,
                outcome_unknown=self.writes(example) and not 400 <= status < 500,
            )

    @each_call()
    def test_an_answer_that_is_not_json(self, example):
        for body in (
            "<html><body>Welcome</body></html>",
            "",
            '{"id": 1',
            '{"id": NaN}',
            b"\xff\xfe",
            "[" * 100_000,
            "1" * 10_000,
        ):
            self.start_over()
            self.on_example(example, body=body)
            self.assertFails(
                CampaignMasterResponseError,
                example.make,
                "not_json",
                outcome_unknown=self.writes(example),
            )

    @each_call()
    def test_a_byte_order_mark_does_no_harm(self, example):
        self.on_example(example, body=b"\xef\xbb\xbf" + json.dumps(example.answer).encode())
        example.make(self.client)

    @each_call()
    def test_a_member_that_may_be_missing_or_null(self, example):
        for member, answer in answers_without(example.answer):
            with self.subTest(member=member):
                self.http.reset()
                self.on_example(example, answer=answer)
                example.make(self.client)

    @each_call()
    def test_any_letter_case(self, example):
        for change in (str.upper, str.lower, str.title):
            with self.subTest(change.__name__):
                self.http.reset()
                self.on_example(example, answer=renamed(example.answer, change))
                example.make(self.client)

    @each_call()
    def test_a_member_that_is_missing_or_of_another_type(self, example):
        for member, broken in broken_answers(example.answer):
            with self.subTest(member=member):
                self.http.reset()
                self.on_example(example, answer=broken)
                error = self.assertFails(
                    CampaignMasterResponseError,
                    example.make,
                    "bad_member",
                    call=example.name,
                    outcome_unknown=self.writes(example),
                )
                self.assertIn(f"{member}”", error.message)


def broken_answers(answer, where=""):
    """The answer with one listed member of another type or, if it is required, missing; member
    after member."""
    for member, value in answer.items():
        optional = is_optional(member, answer)
        if not optional:
            yield where + member, {k: v for k, v in answer.items() if k != member}
        for other in (None, 3, "x", True, 1.5, [], {}, -1, 2**31):
            # 3 and "x" are both ids
            if member in ("id", "templateId", "email") and type(other) in (int, str):
                continue
            if type(other) is type(value) and (type(value) is not int or 0 <= other < 2**31):
                continue
            if value is None or (other is None and optional):
                continue
            yield where + member, answer | {member: other}
    for member in ("items", "results"):
        if member in answer:
            for inner, broken in broken_answers(answer[member][0], f"{member}[0]."):
                yield inner, answer | {member: [broken]}


def answers_without(answer):
    """The answer with one optional member missing or null, member after member."""
    for member in answer:
        if is_optional(member, answer):
            rest = {name: value for name, value in answer.items() if name != member}
            if member == "total":
                rest["isLastPage"] = True
            yield member, rest
            yield member, rest | {member: None}
    for member in ("items", "results"):
        if member in answer:
            for inner, item in answers_without(answer[member][0]):
                yield inner, answer | {member: [item]}


def is_optional(member, answer):
    required = {"token", "id", "name", "email", "items", "results"}
    return member not in required and not (member == "status" and "email" in answer)


def renamed(answer, change):
    """The answer with other names of all members."""
    if isinstance(answer, list):
        return [renamed(item, change) for item in answer]
    if isinstance(answer, dict):
        return {change(name): renamed(value, change) for name, value in answer.items()}
    return answer


class TestRepeating(MockedCase):
    """What is sent again, and when it is given up."""

    def test_get_and_put_get_over_a_failure(self):
        for name in REPEATABLE:
            with self.subTest(name):
                self.http.reset()
                self.pauses.clear()
                self.on_example(EXAMPLES[name], status=503)
                self.on_example(EXAMPLES[name], body=RESET_CONNECTION)
                self.on_example(EXAMPLES[name])
                calls = self.ledger.calls
                EXAMPLES[name].make(self.client)
                self.assertEqual(self.ledger.calls - calls, 3)
                first, second = self.pauses
                self.assertTrue(0.5 <= first <= 0.75, first)
                self.assertTrue(1 <= second <= 1.5, second)

    def test_no_retries_means_none(self):
        self.client = self.make_client(retries=0)
        self.on("GET /templates", status=500)
        self.assertFails(CampaignMasterServerError, EXAMPLES["templates"].make)
        self.assertEqual(len(self.http.calls), 1)

    def test_a_429_ends_the_repeating(self):
        self.on("GET /templates", status=500)
        self.on("GET /templates", status=429)
        self.assertFails(CampaignMasterRateLimitError, EXAMPLES["templates"].make)
        self.assertEqual(self.ledger.calls, 2)

    def test_nothing_is_repeated_when_the_time_is_over(self):
        self.on("GET /templates", status=500)
        with patch.object(self.client._session, "_seconds", 0.1):
            self.assertFails(CampaignMasterServerError, EXAMPLES["templates"].make)
        self.assertEqual((len(self.http.calls), self.pauses), (1, []))

    def test_each_repetition_after_a_401_is_counted(self):
        self.on("GET /templates", status=500)
        self.on("GET /templates", status=401)
        self.on("POST /authenticate", answer={"token": "token-2"})
        self.on("GET /templates", status=500)
        self.on("GET /templates", answer=page_of(TEMPLATE))
        list(self.client.templates())
        self.assertEqual(self.ledger.calls, 4)


class TestLogin(MockedCase):
    """The token, from login to end."""

    def login(self, **answer):
        self.on("POST /authenticate", **answer)

    def test_the_first_call_logs_in(self):
        self.ledger = MemoryLedger()
        self.client = self.make_client()
        self.login(answer={"token": "token-2"})
        self.on("GET /templates", answer=page_of())
        list(self.client.templates())
        self.assertEqual(
            json.loads(self.http.calls[0].request.body),
            {"username": USERNAME, "password": PASSWORD},
        )
        self.assertNotIn("Authorization", self.http.calls[0].request.headers)
        self.assertEqual(self.http.calls[1].request.headers["Authorization"], "Bearer token-2")

    def logged_in_as(self, *login, **client):
        """Log in.

        :return: the request's headers of the login, its body, and what the client says of it
        """
        self.http.reset()
        self.login(answer={"token": "token-2"})
        with CampaignMasterClient(URL, *login, **client) as client:
            client.authenticate()
        request = self.http.calls[0].request
        names = ("username", "password", "client_id", "client_secret")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        return headers, json.loads(request.body), client.body_only

    def test_the_login_is_sent_in_headers_and_in_the_body(self):
        login = {"username": "ann", "password": "pass word"}
        self.assertEqual(self.logged_in_as(*login.values()), (login, login, []))
        self.assertEqual(
            self.logged_in_as(*login.values(), client_id="", client_secret=None),
            (login, login, []),
        )
        client = {"client_id": "client", "client_secret": "secret 1"}
        self.assertEqual(self.logged_in_as(*login.values(), **client), (login | client, login, []))

    def test_what_no_header_can_carry_is_sent_in_the_body_alone(self):
        for value in (
            *(" x", "x ", "\tx", "x\n", "x\r\nX-Evil: 1", "x\x00", "x\ty", "\x7f", " "),
            *("pässword", "пароль", "x\u2028", "😀", "\ud800", "\xa0x"),
        ):
            with self.subTest(value=value):
                self.assertEqual(
                    self.logged_in_as("ann", value),
                    (
                        {"username": "ann"},
                        {"username": "ann", "password": value},
                        ["password"],
                    ),
                )
                login = {"username": value, "password": value}
                client = {"client_id": value, "client_secret": value}
                self.assertEqual(
                    self.logged_in_as(value, value, **client),
                    ({}, login | client, [*login, *client]),
                )

    def test_only_the_login_sends_it(self):
        self.on("GET /lists", answer=page_of())
        list(self.client.lists())
        self.assertNotIn("username", self.http.calls[0].request.headers)

    def test_a_client_has_a_ledger_of_its_own_by_default(self):
        self.client = self.make_client(ledger=None)
        self.login(answer={"token": "token-2"})
        self.client.authenticate()
        self.assertEqual(self.client.ledger.token(), "token-2")

    def test_refused(self):
        for reason, answer in (
            ("No.", {"status": 401, "answer": {"message": "No."}}),
            ("", {"status": 401, "body": "<p>No.</p>"}),
            ("", {"status": 500, "body": "<fault>InvalidLogin</fault>"}),
            ("InvalidLogin", {"status": 500, "body": "InvalidLogin"}),
        ):
            self.check_refused(CampaignMasterLoginRefusedError, "login_refused", reason, answer)

    def check_refused(self, error_class, code, reason, answer):
        with self.subTest(str(answer)):
            self.http.reset()
            self.login(**answer)
            self.assertFails(
                error_class,
                lambda client: client.authenticate(),
                code,
                call="POST /authenticate",
                reason=reason,
            )
            self.assertEqual(len(self.http.calls), 1)

    def test_refused_perhaps_by_a_proxy(self):
        for reason, answer in (
            ("", {"status": 403}),
            ("", {"status": 403, "body": "<p>Forbidden</p>"}),
            ("Forbidden", {"status": 403, "body": "Forbidden\r\n"}),
            ("No.", {"answer": {"Status": "-1", "StatusMessage": "No."}}),
            ("No.", {"answer": {"status": 0, "message": "No.", "token": None}}),
            ("No.", {"status": 201, "answer": {"error": "No."}}),
            ("Status -1", {"answer": {"Status": "-1", "StatusMessage": ""}}),
        ):
            self.check_refused(CampaignMasterLoginDoubtError, "login_doubt", reason, answer)

    def test_a_token_with_a_status_is_a_token(self):
        self.login(answer={"Status": "0", "StatusMessage": "OK", "Token": "token-2"})
        self.client.authenticate()
        self.assertEqual(self.ledger.token(), "token-2")

    def test_an_answer_without_a_token_that_says_nothing_is_no_refusal(self):
        for body in ("{}", '{"token": null}', '{"token": 3, "message": "x"}', "[]", "null", "OK"):
            with self.subTest(body):
                self.http.reset()
                self.login(body=body)
                self.assertFails(CampaignMasterResponseError, lambda client: client.authenticate())

    def test_an_outage_is_not_a_refusal(self):
        for status, body in ((500, "Oh."), (502, "InvalidLogin"), (503, "")):
            with self.subTest(status):
                self.http.reset()
                self.login(status=status, body=body)
                self.assertFails(
                    CampaignMasterServerError,
                    lambda client: client.authenticate(),
                    "server_error",
                    outcome_unknown=False,
                )

    def test_invalid_login_elsewhere_is_an_outage(self):
        self.on("GET /campaigns/42", status=500, body="InvalidLogin")
        self.assertFails(CampaignMasterServerError, EXAMPLES["get_campaign"].make)

    def test_a_token_that_does_not_fit_into_a_header(self):
        for token in ("", " ", "a b", "a\r\nX-Evil: 1", "ä", "x" * 5000):
            with self.subTest(token=token[:10]):
                self.login(answer={"token": token})
                self.assertFails(
                    CampaignMasterResponseError,
                    lambda client: client.authenticate(),
                    "bad_member",
                )

    def test_the_token_is_kept_until_a_minute_before_its_end(self):
        for seconds, logins in ((3600, 0), (30, 1)):
            with self.subTest(seconds=seconds):
                self.http.reset()
                self.ledger = MemoryLedger(TOKEN)
                self.client = self.make_client()
                _moment, header = from_now(seconds=seconds)
                self.on("GET /lists", answer=page_of(), headers={"x-token-reset": header})
                list(self.client.lists())
                if logins:
                    self.login(answer={"token": "token-2"})
                for _i in range(2):
                    self.on("GET /lists", answer=page_of())
                    list(self.client.lists())
                self.assertEqual(self.sent().count("POST /authenticate"), logins)

    def test_a_token_end_in_the_past_does_not_log_in_for_each_call(self):
        _moment, header = from_now(seconds=-30)
        for _i in range(2):
            self.on("GET /lists", answer=page_of(), headers={"x-token-reset": header})
            list(self.client.lists())
        self.assertEqual(self.sent(), ["GET /lists"] * 2)

    def test_a_token_of_another_worker_is_taken(self):
        self.on("GET /lists", status=401)
        self.on("GET /lists", answer=page_of())
        before_call = self.ledger.before_call

        def meanwhile(call):
            before_call(call)
            self.start_patch(patch.object(self.ledger, "token", side_effect=[TOKEN, "token-3"]))

        with patch.object(self.ledger, "before_call", meanwhile):
            list(self.client.lists())
        self.assertEqual(self.http.calls[1].request.headers["Authorization"], "Bearer token-3")


class TestLimits(MockedCase):
    """What the ledger learns, and that it may refuse."""

    def test_after_call_hears_the_headers(self):
        reset_at, reset = from_now(minutes=10)
        token_reset_at, token_reset = from_now(hours=8)
        heard = []
        self.ledger.after_call = lambda *args: heard.append(args)
        self.on(
            "GET /lists",
            answer=page_of(),
            headers={
                "X-Rate-Limit-Limit": "5000",
                "X-Rate-Limit-Remaining": "4999",
                "X-Rate-Limit-Reset": reset,
                "X-Token-Reset": token_reset,
            },
        )
        list(self.client.lists())
        self.assertEqual(heard, [("GET /lists", Limits(5000, 4999, reset_at, token_reset_at), 1)])

    def test_headers_that_make_no_sense_are_ignored(self):
        heard = []
        self.ledger.after_call = lambda *args: heard.append(args[1])
        for value in ("", "x", "-1", "1.5", "1e3", "٣", "0x10", *MILLISECONDS):
            self.on(
                "GET /lists",
                answer=page_of(),
                headers={
                    "x-rate-limit-limit": value,
                    "x-rate-limit-remaining": value,
                    "x-rate-limit-reset": value,
                    "x-token-reset": value,
                },
            )
            list(self.client.lists())
        self.assertEqual(set(heard), {Limits()})

    def test_a_refusal_of_the_ledger_passes_and_nothing_is_sent(self):
        refusal = CampaignMasterLedgerLimitError("month_counted", "No more.", period="month")

        def refuse(call):
            raise refusal

        self.ledger.before_call = refuse
        for example in EXAMPLES.values():
            if example is not EXAMPLES["authenticate"]:
                with self.assertRaises(CampaignMasterLedgerLimitError) as caught:
                    example.make(self.client)
                self.assertIs(caught.exception, refusal)
        self.assertEqual(len(self.http.calls), 0)

    def test_the_memory_ledger_stops_when_the_hour_is_spent(self):
        reset_at, reset = from_now(minutes=10)
        headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}
        self.on("GET /lists", answer=page_of(), headers=headers)
        list(self.client.lists())
        self.assertFails(
            CampaignMasterLedgerLimitError,
            EXAMPLES["lists"].make,
            "hour_counted",
            period="hour",
            retry_at=reset_at,
        )

    def test_the_memory_ledger_goes_on_in_the_next_hour(self):
        _moment, reset = from_now(seconds=-1)
        headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}
        for _i in range(2):
            self.on("GET /lists", answer=page_of(), headers=headers)
            list(self.client.lists())

    def test_an_answer_without_headers_does_not_wipe_out_what_is_known(self):
        self.ledger.after_call("x", Limits(5000, 0, from_now(minutes=10)[0]), 1)
        self.ledger.after_call("x", Limits(), 1)
        self.assertFails(CampaignMasterLedgerLimitError, EXAMPLES["lists"].make)


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
