"""Neither password nor token nor anybody's address in anything that is printed."""

import base64
import copy
import json
import logging
import pickle
import traceback
from urllib.parse import quote

import requests
import responses
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.exceptions import InvalidHeader

from odoo.addons.campaign_master.client import (
    CampaignMasterClient,
    CampaignMasterError,
    CampaignMasterLoginRefusedError,
    CampaignMasterRefusedError,
    MemoryLedger,
    errors,
)
from odoo.addons.campaign_master.client.shape import shape, shape_body, shape_headers
from odoo.addons.campaign_master.tools.traffic_recorder import trace_values

from .client_common import (
    CLIENT_ID,
    CLIENT_SECRET,
    EXAMPLES,
    PASSWORD,
    TOKEN,
    URL,
    USERNAME,
    ClientCase,
    MockedCase,
    RawServer,
    each_call,
    http_answer,
)

OTHER_TOKEN = "token-2"
ADDRESS = "ann@example.com"
SECRETS = (
    *(PASSWORD, TOKEN, OTHER_TOKEN, ADDRESS, CLIENT_SECRET),
    *(quote(PASSWORD), PASSWORD.encode("unicode_escape").decode(), repr(PASSWORD.encode())[2:-1]),
    base64.b64encode(PASSWORD.encode()).decode(),
)
# Each kind of value that no header can carry. Without a check, errors of libraries contain it.
UNSENDABLE = (
    "s3cret\r\nX-Evil: 1",
    "s3cret\n",
    "s3cret\x00",
    " s3cret",
    "s3cret-пароль",
    "s3cret\ud800",
)
# What fails, each in its own way, with the secrets wherever a server can put them.
ECHO = json.dumps(
    {
        "message": f"{PASSWORD} {TOKEN} {CLIENT_SECRET}",
        "errors": [{"field": TOKEN, "message": PASSWORD}],
    },
    ensure_ascii=False,
)
FAILURES = {
    "not json": {"body": ECHO[:-1], "status": 200},
    "bad member": {"body": ECHO, "status": 200},
    **{
        str(status): {"body": ECHO, "status": status}
        for status in (302, 400, 401, 403, 404, 418, 429)
    },
    "500": {"body": f"{ECHO} InvalidLogin", "status": 500},
    "502": {"body": ECHO, "status": 502},
    "refused": {"body": requests.ConnectionError(f"{PASSWORD} {TOKEN}")},
    "timeout": {"body": requests.ReadTimeout(f"{PASSWORD} {TOKEN}")},
    "anything": {"body": OSError(f"{PASSWORD} {TOKEN}")},
    "value": {"body": ValueError(f"{PASSWORD} {TOKEN}")},
    "plain": {"body": f"{PASSWORD} {TOKEN} {CLIENT_SECRET}", "status": 400},
    "header": {"body": InvalidHeader(f"{PASSWORD} {CLIENT_SECRET}")},
    "encoding": {"body": UnicodeEncodeError("latin-1", PASSWORD, 1, 2, TOKEN)},
}


class SecretsCase(ClientCase):
    def make_client(self, url=URL, **options):
        client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return super().make_client(url, **client | options)

    def assertSafe(self, text, where, secrets=SECRETS):
        for secret in secrets:
            self.assertNotIn(secret, text, where)

    def printed(self, error):
        """All that a log or an error report can make of an exception without its frames' locals."""
        seen = []
        while error is not None:
            seen += [str(error), repr(error), repr(error.args), repr(vars(error))]
            seen += traceback.format_exception(error, chain=False)[-1:]
            error = error.__cause__ or error.__context__
        return "\n".join(seen)


class TestSecrets(SecretsCase, MockedCase):
    @each_call()
    def test_errors_and_log(self, example):
        for kind, failure in FAILURES.items():
            with self.subTest(kind):
                self.start_over()
                self.log.lines.clear()
                options = {"status": 200} | failure
                if example is EXAMPLES["authenticate"] and isinstance(options["body"], str):
                    # a server can repeat only what it was sent
                    options["body"] = options["body"].replace(TOKEN, "")
                self.on_example(example, **options)
                if example is not EXAMPLES["authenticate"] and kind == "401":
                    self.on("POST /authenticate", answer={"token": OTHER_TOKEN})
                try:
                    example.make(self.client)
                except CampaignMasterError as error:
                    self.assertIsNone(error.__cause__)
                    self.assertIsNone(error.__context__)
                    self.assertSafe(self.printed(error), kind)
                else:
                    self.fail("no error")
                self.assertSafe("\n".join(self.log.lines), kind)
                self.assertTrue(self.log.lines)

    @each_call()
    def test_a_good_call_says_nothing_either(self, example):
        self.log.lines.clear()
        self.on_example(example)
        example.make(self.client)
        self.assertSafe("\n".join(self.log.lines), example.name)

    def test_a_refusal_that_repeats_the_password_is_still_readable(self):
        self.on("POST /campaigns", status=400, answer={"message": f"Not with “{PASSWORD}”!"})
        error = self.assertFails(CampaignMasterRefusedError, EXAMPLES["create_campaign"].make)
        self.assertEqual(error.message, "Not with “***”!")

    def test_a_password_of_three_letters_does_not_tear_words_apart(self):
        client = CampaignMasterClient(URL, USERNAME, "the", ledger=self.ledger)
        self.addCleanup(client.close)
        self.on("GET /lists", status=400, answer={"message": "Not with the others."})
        with self.assertRaises(CampaignMasterRefusedError) as caught:
            EXAMPLES["lists"].make(client)
        self.assertEqual(caught.exception.message, "Not with the others.")

    def test_a_token_that_a_ledger_gives_and_no_header_can_carry(self):
        self.client = self.make_client(ledger=MemoryLedger("token-1\r\nX-Evil: 1"))
        with self.assertRaises(CampaignMasterError) as caught:
            EXAMPLES["lists"].make(self.client)
        self.assertSafe(self.printed(caught.exception), "header")

    def test_a_login_that_no_header_can_carry_is_in_no_error(self):
        for value in UNSENDABLE:
            for name in ("username", "password", "client_id", "client_secret"):
                for failure in ({"body": OSError()}, {"status": 401}, {"status": 200}):
                    with self.subTest(value=value, name=name, **failure):
                        self.check_no_error_has_it(name, value, {"body": value} | failure)

    def check_no_error_has_it(self, name, value, failure):
        login = {"username": USERNAME, "password": PASSWORD, name: value}
        self.http.reset()
        self.log.lines.clear()
        if isinstance(failure["body"], str):
            failure["body"] = json.dumps({"message": failure["body"]})
        self.on("POST /authenticate", **failure)
        client = CampaignMasterClient(URL, **login, ledger=MemoryLedger())
        self.addCleanup(client.close)
        self.assertIn(name, client.body_only)
        with self.assertRaises(CampaignMasterError) as caught:
            client.authenticate()
        self.assertIsNone(caught.exception.__cause__)
        self.assertIsNone(caught.exception.__context__)
        for text in (self.printed(caught.exception), *self.log.lines, repr(client)):
            self.assertNotIn("s3cret", text)

    def test_reprs(self):
        self.on("POST /authenticate", status=401)
        self.assertFails(CampaignMasterLoginRefusedError, EXAMPLES["authenticate"].make)
        for thing in (
            self.client,
            self.client._session,
            self.client._session._transport,
            self.ledger,
        ):
            text = f"{thing!r} {thing}"
            self.assertSafe(text, type(thing))
            self.assertNotIn(USERNAME, text)

    def test_errors_survive_copying(self):
        """Worker processes and test runners pickle exceptions."""
        for name in errors.__dict__:
            kind = getattr(errors, name)
            if isinstance(kind, type) and issubclass(kind, CampaignMasterError):
                error = kind("a_code", "A sentence.", call="GET /lists")
                for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
                    self.assertIs(type(again), kind)
                    self.assertEqual(vars(again), vars(error))
                    self.assertEqual(str(again), "GET /lists: A sentence.")


# The client knows these, and they look like the names of members.
KNOWN = {"password": "s3cret_Word", "client_secret": "cli3nt_Secret"}
KNOWN_TOKEN, NEXT_TOKEN = "t0ken_Value", "n3xt_Token"
OURS = (*KNOWN.values(), KNOWN_TOKEN)
# It does not know these.
THEIRS = ("zoe.smith@secret.example", "Zx81-qq", "Zoë Müller", "+44 20 7946 0958", "sk-Live.77")
# Their text is for people, and may name whom a server complains about.
FOR_PEOPLE = (
    errors.CampaignMasterRefusedError,
    errors.CampaignMasterLoginRequestError,
    errors.CampaignMasterLoginRefusedError,
    errors.CampaignMasterLoginDoubtError,
    errors.CampaignMasterNotAllowedError,
)
PLANTS = st.sampled_from(OURS + THEIRS)
TEXTS = PLANTS | st.tuples(PLANTS, PLANTS).map("Not {0[0]}, but {0[1]}!".format)
DATA = st.recursive(
    TEXTS | st.integers(0, 99) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXTS
            | st.sampled_from(["items", "message", "errors", "name", "email", "status", "token"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
BODIES = st.one_of(
    DATA.map(lambda data: json.dumps(data).encode()),
    DATA.map(lambda data: json.dumps(data, ensure_ascii=False).encode()),
    st.tuples(DATA, TEXTS).map(lambda two: json.dumps({"message": two[1], "x": two[0]}).encode()),
    st.dictionaries(st.sampled_from(["field", "message"]), TEXTS).map(
        lambda error: json.dumps({"errors": [error]}).encode()
    ),
    TEXTS.map(str.encode),
    TEXTS.map(lambda text: f"<html><h1>{text}</h1>".encode()),
    DATA.map(lambda data: json.dumps(data).encode()[:-1]),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Date", "Content-Type", "x-rate-limit-limit", "x-token-reset", "Set-Cookie", "Location"]
    )
    | st.sampled_from(OURS).map("x-rate-limit-{}".format)
    | st.sampled_from(OURS),
    TEXTS.map(lambda text: text.encode("ascii", "replace").decode()),
    max_size=4,
)
STATUSES = st.sampled_from([200, 201, 202, 302, 400, 401, 403, 404, 418, 429, 500, 503])


class TestPlanted(SecretsCase):
    """Whatever a server puts into its answers, none of it gets anywhere it must not."""

    def test_the_shape_has_none_of_it(self):
        @given(BODIES, HEADERS, DATA)
        @settings(deadline=None, derandomize=True, database=None, max_examples=300)
        def check(body, headers, data):
            text = shape_body(body, headers.get("Content-Type", "")) + str(shape_headers(headers))
            self.assertSafe(text, "shape", THEIRS)
            self.assertSafe(json.dumps(shape(data), ensure_ascii=False), "shape", THEIRS)

        check()

    def test_no_trace_or_log_or_error_has_any_of_it(self):
        for name, example in EXAMPLES.items():
            for login in ({}, {"client_id": CLIENT_ID}, {"client_id": "zoë"}):
                with self.subTest(name, **login):
                    self.check_call(example, login)

    def check_call(self, example, login):
        @given(st.lists(st.tuples(STATUSES, HEADERS, BODIES), min_size=1, max_size=4))
        @settings(deadline=None, derandomize=True, database=None, max_examples=15)
        def check(answers):
            self.answer(example, login, answers)

        check()

    def answer(self, example, login, answers):
        self.log.lines.clear()
        seen = []
        with responses.RequestsMock(assert_all_requests_are_fired=False) as http:
            for answer in answers:
                http.add_callback(
                    example.method, URL + example.path, lambda _request, answer=answer: answer
                )
            http.add(responses.POST, f"{URL}/authenticate", json={"token": NEXT_TOKEN})
            client = CampaignMasterClient(
                URL,
                USERNAME,
                ledger=MemoryLedger(KNOWN_TOKEN),
                observer=seen.append,
                **KNOWN,
                **login,
            )
            with client:
                try:
                    example.make(client)
                except CampaignMasterError as error:
                    self.check_error(error)
            self.assertEqual(len(seen), len(http.calls))
        for one in seen:
            # Not in what other code gets to see, let alone in what is stored.
            contents = repr([getattr(one, name) for name in one.__slots__])
            self.assertSafe(contents, "seen", (*OURS, NEXT_TOKEN))
            self.assertSafe(repr(trace_values(one)), "trace", (*OURS, NEXT_TOKEN, *THEIRS))
        self.assertSafe("\n".join(self.log.lines), "log", (*OURS, NEXT_TOKEN, *THEIRS))

    def check_error(self, error):
        self.assertIsNone(error.__cause__)
        self.assertIsNone(error.__context__)
        secrets = (*OURS, NEXT_TOKEN, *(() if isinstance(error, FOR_PEOPLE) else THEIRS))
        self.assertSafe(self.printed(error), "error", secrets)


class TestLibraries(SecretsCase, MockedCase):
    """What requests and urllib3 log at their most talkative."""

    def test_their_log(self):
        self.http.stop()
        lines = []
        handler = logging.Handler()
        handler.emit = lambda record: lines.append(record.getMessage())
        for name in ("urllib3", "requests", "chardet", "charset_normalizer"):
            logger = logging.getLogger(name)
            self.addCleanup(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
            logger.addHandler(handler)
            self.addCleanup(logger.removeHandler, handler)
        server = RawServer(
            lambda _head, connection: connection.sendall(http_answer({"token": OTHER_TOKEN}))
        )
        self.addCleanup(server.stop)
        self.client = self.make_client(server.url, ledger=MemoryLedger())
        for example in EXAMPLES.values():
            try:
                example.make(self.client)
            except CampaignMasterError:
                continue
        self.assertGreater(len(lines), len(EXAMPLES))
        for secret in SECRETS:
            self.assertNotIn(secret, "\n".join(lines))
        self.http.start()
