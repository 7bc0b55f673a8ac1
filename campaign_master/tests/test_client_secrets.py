"""Neither password nor token nor anybody's address in anything that is printed."""

import base64
import copy
import json
import logging
import pickle
import traceback
from urllib.parse import quote

import requests
from requests.exceptions import InvalidHeader

from odoo.addons.campaign_master.client import (
    CampaignMasterClient,
    CampaignMasterError,
    CampaignMasterLoginRefusedError,
    CampaignMasterRefusedError,
    MemoryLedger,
    errors,
)

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
SECRETS = [
    *(PASSWORD, TOKEN, OTHER_TOKEN, ADDRESS, CLIENT_SECRET),
    *(quote(PASSWORD), PASSWORD.encode("unicode_escape").decode(), repr(PASSWORD.encode())[2:-1]),
    base64.b64encode(PASSWORD.encode()).decode(),
]
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


class TestSecrets(SecretsCase, MockedCase):
    def assertSafe(self, text, where):
        for secret in SECRETS:
            self.assertNotIn(secret, text, where)

    def printed(self, error):
        """All that a log or an error report can make of an exception without its frames' locals."""
        seen = []
        while error is not None:
            seen += [str(error), repr(error), repr(error.args), repr(vars(error))]
            seen += traceback.format_exception(error, chain=False)[-1:]
            error = error.__cause__ or error.__context__
        return "\n".join(seen)

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
