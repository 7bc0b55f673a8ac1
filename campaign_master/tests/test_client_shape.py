"""What may be stored or shown of requests and answers, and what an observer of the client sees."""

import json

import requests

from odoo.addons.campaign_master.client import (
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterServerError,
    MemoryLedger,
    wire,
)
from odoo.addons.campaign_master.client.shape import (
    MAX_TEXT,
    shape,
    shape_body,
    shape_headers,
    shape_params,
    shape_path,
    shape_text,
)

from .client_common import (
    CLIENT_ID,
    CLIENT_SECRET,
    EXAMPLES,
    PASSWORD,
    TOKEN,
    USERNAME,
    ClientCase,
    MockedCase,
    each_call,
)

JSON = "application/json; charset=utf-8"


class TestShape(ClientCase):
    def test_text_becomes_its_shape(self):
        for text, expected in {
            "2026-11-26T12:30:59Z": "9999-99-99T99:99:99Z",
            "2026-11-26T12:30:59.123+02:00": "9999-99-99T99:99:99.999+99:99",
            "2026-11-26T12:30:59": "9999-99-99T99:99:99",
            "On 2026-11-26T12:30:59": "aa 9999-99-99a99:99:99",
            "Ann.O'Neil+1@example.com": "aaa.a'aaaa+9@aaaaaaa.aaa",
            "pässword\n\t٣": "a?aaaaaa???",
            "Sent to ann": "aaaa aa aaa",
            "": "",
            "\ud800": "?",
        }.items():
            self.assertEqual(shape(text), expected)

    def test_a_long_text_is_cut(self):
        self.assertEqual(shape("ab" * 1_000), "a" * MAX_TEXT)

    def test_numbers_and_booleans_and_null_are_kept(self):
        for value in (0, -1, 4.5, 2**31, 10**18 - 1, True, False, None):
            self.assertEqual(shape(value), value)
            self.assertIs(type(shape(value)), type(value))

    def test_what_is_no_number_to_anybody_else_is_not_kept(self):
        for value in (10**18, 10**5000, float("inf"), float("-inf"), float("nan"), 1e300):
            self.assertEqual(shape(value), "9" * 19)

    def test_the_contracts_status_words_are_kept_in_any_letter_case(self):
        for word in ("draft", "Sent", "SCHEDULED", "suppressed", "InvalidLogin"):
            self.assertEqual(shape({"status": word}), {"status": word})
        self.assertEqual(shape({"status": "deployed"}), {"status": "aaaaaaaa"})

    def test_a_name_is_kept_if_it_looks_like_one(self):
        for name in ("email", "isLastPage", "_id", "Bounce_Weight2", "a" * 41):
            self.assertEqual(shape({name: 1}), {name: 1})
        for name, expected in {
            "ann@example.com": "aaa@aaaaaaa.aaa",
            "token-1": "aaaaa-9",
            "2fast": "9aaaa",
            "a" * 42: "a" * 42,
            "b" * 42: "a" * 42,
            "två": "aa?",
            "two\n": "aaa?",
            "": "",
        }.items():
            self.assertEqual(shape({name: 1}), {expected: 1})

    def test_the_structure_stays(self):
        self.assertEqual(
            shape({"items": [{"id": 7, "name": "Members", "tags": [[], {}]}], "total": 1}),
            {"items": [{"id": 7, "name": "aaaaaaa", "tags": [[], {}]}], "total": 1},
        )

    def test_what_is_nested_too_deeply_ends(self):
        value = []
        for _level in range(10_000):
            value = [value]
        text = json.dumps(shape(value))
        self.assertIn('"..."', text)
        self.assertLess(len(text), 100)

    def test_what_was_shaped_stays_the_same(self):
        for value in (
            "x@y.z",
            "2026-11-26T12:30:59Z",
            {"a-b": ["Ann", 10**20]},
            "Not added",
            {"token": 123_456},
        ):
            for numbers in (True, False):
                once = shape(value, numbers=numbers)
                self.assertEqual(shape(once, numbers=numbers), once)


class TestShapeOfHttp(ClientCase):
    def test_a_json_body_is_indented(self):
        body = b'{"status": "sent", "subject": "Hi!"}'
        self.assertEqual(shape_body(body, JSON), '{\n  "status": "sent",\n  "subject": "aa!"\n}')

    def test_of_a_list_the_first_items_are_enough(self):
        body = json.dumps({"results": [{"status": "added"}] * 1_000}).encode()
        results = json.loads(shape_body(body, JSON))["results"]
        self.assertEqual(results, [{"status": "added"}] * 5 + ["... 995 more"])

    def test_of_anything_else_the_start_is_enough(self):
        page = b"<html><p>Hello ann@example.com" + b"!" * 5_000
        text = shape_body(page, "text/html")
        self.assertIn("(text/html, 5030 bytes): <aaaa><a>aaaaa aaa@aaaaaaa.aaa!", text)
        self.assertLess(len(text), 150)
        self.assertEqual(shape_body(b"", JSON), "")
        for odd in (b"\xff\xfe{}", b'{"a": NaN}', b'{"a":', b"[" * 100_000, b"9" * 5_000):
            self.assertIn("Not JSON", shape_body(odd, ""))

    def test_a_body_fits_the_limit(self):
        body = json.dumps({f"name{number}": number for number in range(10_000)}).encode()
        self.assertLessEqual(len(shape_body(body, JSON, 500)), 500)
        self.assertLessEqual(len(shape_body(b"x" * 500, JSON, 60)), 60)

    def test_headers_about_time_type_and_limits_are_kept(self):
        kept = {
            "Date": "Thu, 26 Nov 2026 12:30:59 GMT",
            "Content-Type": JSON,
            "x-rate-limit-limit": "5000",
            "x-rate-limit-month-remaining": "49000",
            "x-token-reset": "1738368000",
        }
        others = {"Set-Cookie": "sid=1", "Server": "Apache", "x-rate-limit-s3cret": "1"}
        self.assertEqual(shape_headers(kept | others), kept)
        self.assertEqual(shape_headers({"DATE": kept["Date"]}), {"Date": kept["Date"]})

    def test_a_header_that_looks_odd_becomes_its_shape(self):
        self.assertEqual(
            shape_headers(
                {
                    "Date": "Ann, 26 Nov 2026",
                    "Content-Type": "application/json; token=s3cret",
                    "x-rate-limit-remaining": "s3cret",
                }
            ),
            {
                "Date": "aaa, 99 aaa 9999",
                "Content-Type": "aaaaaaaaaaa/aaaa; aaaaa=a9aaaa",
                "x-rate-limit-remaining": "a9aaaa",
            },
        )

    def test_an_id_in_a_path_is_kept_if_it_is_a_number(self):
        self.assertEqual(shape_path(wire.statistics("42").path), "/campaigns/42/statistics")
        self.assertEqual(
            shape_path(wire.add_recipients("ann@x", []).path), "/lists/aaa%99a/recipients"
        )
        self.assertEqual(shape_path("/authenticate"), "/authenticate")

    def test_page_numbers_are_kept_and_other_parameters_are_not(self):
        self.assertEqual(
            shape_params({"page": "2", "since": "2026-01-31T09:30:00Z", "reference": "odoo-5"}),
            {"page": "2", "since": "9999-99-99T99:99:99Z", "reference": "aaaa-9"},
        )

    def test_the_kind_of_a_call_has_no_id(self):
        self.assertEqual(wire.lists(1).kind, "GET /lists")
        self.assertEqual(wire.campaign("odd/id").kind, "GET /campaigns/ID")
        self.assertEqual(wire.add_recipients("7", []).kind, "POST /lists/ID/recipients")


class TestObserver(MockedCase):
    def setUp(self):
        super().setUp()
        self.seen = []

    def make_client(self, *args, **options):
        login = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return super().make_client(
            *args, **login | {"observer": lambda one: self.seen.append(one)} | options
        )

    @each_call()
    def test_it_sees_each_call(self, example):
        self.seen.clear()
        self.on_example(example, content_type=JSON)
        example.make(self.client)
        [seen] = self.seen
        self.assertEqual((seen.method, seen.path), (example.method, example.path))
        self.assertEqual(seen.call.split()[0], example.method)
        self.assertEqual((seen.status, seen.error), (example.status, None))
        self.assertEqual(seen.headers["Content-Type"], JSON)
        self.assertGreaterEqual(seen.seconds, 0)
        self.assertEqual(seen.at.utcoffset().total_seconds(), 0)
        if example is not EXAMPLES["authenticate"]:
            self.assertEqual(json.loads(seen.body), example.answer)

    def test_it_sees_what_was_sent_and_asked_for(self):
        self.on_example(EXAMPLES["add_recipients"])
        EXAMPLES["add_recipients"].make(self.client)
        self.on_example(EXAMPLES["activity"])
        EXAMPLES["activity"].make(self.client)
        added, read = self.seen
        self.assertEqual(added.sent, {"recipients": [{"email": "ann@example.com"}]})
        self.assertEqual((added.call, added.params), ("POST /lists/ID/recipients", {}))
        self.assertEqual((read.sent, read.params["page"]), (None, "1"))

    def test_it_sees_logins_and_retries_and_failures(self):
        self.on("GET /lists", status=401, answer={})
        self.on("POST /authenticate", answer={"token": "token-2"})
        self.on("GET /lists", status=500, body=b"down")
        self.on("GET /lists", body=requests.ConnectionError("reset"))
        self.on_example(EXAMPLES["lists"])
        EXAMPLES["lists"].make(self.client)
        self.assertEqual(
            [(one.call, one.status, type(one.error)) for one in self.seen],
            [
                ("GET /lists", 401, type(None)),
                ("POST /authenticate", 200, type(None)),
                ("GET /lists", 500, type(None)),
                ("GET /lists", None, CampaignMasterConnectionError),
                ("GET /lists", 200, type(None)),
            ],
        )
        self.assertEqual(self.seen[2].body, b"down")
        self.assertIsNone(self.seen[3].body)

    def test_an_observer_that_raises_breaks_nothing_and_its_text_is_in_no_log(self):
        def observer(_seen):
            raise ValueError(PASSWORD)

        self.client = self.make_client(observer=observer)
        self.on_example(EXAMPLES["statistics"])
        self.assertEqual(EXAMPLES["statistics"].make(self.client).sent, 100)
        self.on("GET /campaigns/42/statistics", status=418, answer={})
        with self.assertRaises(CampaignMasterError) as caught:
            EXAMPLES["statistics"].make(self.client)
        self.assertIsNone(caught.exception.__context__)
        log = "\n".join(self.log.lines)
        self.assertIn("the observer failed: ValueError", log)
        self.assertNotIn(PASSWORD, log)

    def test_it_sees_no_credentials_of_a_login(self):
        self.client = self.make_client(ledger=MemoryLedger())
        answer = {"token": "token-2", "echo": PASSWORD, "code": 123_456_789, USERNAME + "_2": 1}
        self.on("POST /authenticate", answer=answer)
        self.client.authenticate()
        [seen] = self.seen
        self.assertEqual(set(seen.sent.values()), {"***"})
        self.assertEqual({*seen.sent}, {"username", "password"})
        self.assertEqual(json.loads(seen.body)["token"], "aaaaa-9")
        self.assertEqual(json.loads(seen.body)["code"], 999_999_999)
        for secret in ("token-2", PASSWORD, CLIENT_SECRET, CLIENT_ID):
            self.assertNotIn(secret, repr([getattr(seen, name) for name in seen.__slots__]))

    def test_it_sees_no_credentials_that_another_answer_repeats(self):
        self.client = self.make_client(client_secret="looks_like_a_name")
        self.on(
            "GET /campaigns/42/statistics",
            status=400,
            answer={"looks_like_a_name": TOKEN, "message": PASSWORD},
        )
        with self.assertRaises(CampaignMasterError):
            EXAMPLES["statistics"].make(self.client)
        self.assertEqual(json.loads(self.seen[0].body), {"***": "***", "message": "***"})

    def test_a_login_that_is_no_json_is_seen_by_its_shape(self):
        self.client = self.make_client(ledger=MemoryLedger(), retries=0)
        self.on("POST /authenticate", status=503, body=f"<p>{PASSWORD}</p>")
        with self.assertRaises(CampaignMasterServerError):
            self.client.authenticate()
        self.assertEqual(self.seen[0].body, b"<a>***</a>")

    def test_without_an_observer_nothing_is_shaped(self):
        self.client = self.make_client(observer=None)
        self.on_example(EXAMPLES["lists"])
        EXAMPLES["lists"].make(self.client)
        self.assertEqual(self.seen, [])

    def test_texts_are_short(self):
        self.assertEqual(len(shape_text("x" * 500)), MAX_TEXT)
