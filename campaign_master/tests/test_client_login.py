"""Token, limits and repetitions, from one request to the next, answered by ``responses``."""

import json
from unittest.mock import patch

import requests
from urllib3.exceptions import ProtocolError

from odoo.addons.campaign_master.client import (
    CampaignMasterClient,
    CampaignMasterLedgerLimitError,
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    CampaignMasterRateLimitError,
    CampaignMasterResponseError,
    CampaignMasterServerError,
    Limits,
    MemoryLedger,
)

from .client_common import (
    EXAMPLES,
    PASSWORD,
    TEMPLATE,
    TOKEN,
    URL,
    USERNAME,
    MockedCase,
    from_now,
    page_of,
)

MILLISECONDS = ("1738368000000", "99999999999", "9" * 12, "9" * 40)
REPEATABLE = tuple(name for name, example in EXAMPLES.items() if example.method in ("GET", "PUT"))
RESET_CONNECTION = requests.ConnectionError(
    ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))
)


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
