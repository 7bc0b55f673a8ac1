"""What holds for whatever comes: hypothesis looks for an answer that makes the client raise
anything but its own errors, or give something else than it promises, or that cannot be recorded."""

import dataclasses
import json
import re
import types
import typing
from datetime import datetime, timezone

import requests
import responses
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from odoo.tools import mute_logger

from odoo.addons.campaign_master.client import (
    CampaignMasterError,
    CampaignMasterRateLimitError,
    MemoryLedger,
    wire,
)
from odoo.addons.campaign_master.tools.traffic_recorder import trace_values

from .client_common import (
    CLIENT_ID,
    CLIENT_SECRET,
    EXAMPLES,
    TOKEN,
    URL,
    ClientCase,
    SocketCase,
    http_answer,
)

# Reproducible, and without a database beside the sources: CI must say the same twice.
settings.register_profile(
    "client",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PROFILE = settings.get_profile("client")
FEW, MANY = settings(PROFILE, max_examples=60), settings(PROFILE, max_examples=400)
# For each call in each dialect.
EACH = settings(PROFILE, max_examples=25)

TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=timezone.utc)
)
NAMES = sorted(EXAMPLES)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
STATUSES = st.sampled_from([200, 200, 200, 201, 202, 301, 400, 401, 403, 404, 429, 500, 503])
LIMIT_VALUES = st.sampled_from(["0", "1", "5000", "-1", "x", "", "1738368000", "9" * 30, "½"])
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "x-rate-limit-limit",
            "x-rate-limit-remaining",
            "x-rate-limit-reset",
            "x-token-reset",
            "Location",
            "Retry-After",
            "Set-Cookie",
            "Content-Type",
            "Date",
        ]
    ),
    LIMIT_VALUES | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    max_size=5,
)
# What is JSON to some parsers, or hardly any: it replaces one value of a good answer.
ODD_VALUES = (
    "NaN",
    "-Infinity",
    "1e999",
    "-0",
    "1" + "0" * 400,
    "9" * 5_000,
    "2147483648",
    "1.5",
    "true",
    "null",
    '"\\ud800"',
    '"\\u0000"',
    '""',
    '"9999-99-99T99:99:99Z"',
    '"0001-01-01T00:00:00"',
    "[" * 5_000 + "]" * 5_000,
    "[" * 200_000,
    '{"a":' * 3_000 + "1" + "}" * 3_000,
    '1, "id": {}, "items": 7, "email": []',  # the same members twice
    '{"id": 1, "ID": 2, "Id": []}',
)


def in_form(answer, rename=str, number=int, zone="Z"):
    """An answer with other names, numbers and times."""
    if isinstance(answer, list):
        return [in_form(one, rename, number, zone) for one in answer]
    if isinstance(answer, dict):
        return {rename(n): in_form(value, rename, number, zone) for n, value in answer.items()}
    if type(answer) is int:
        return number(answer)
    if isinstance(answer, str) and re.match(r"\d{4}-\d\d-", answer):
        return answer.removesuffix("Z") + zone
    return answer


class Dialect:
    """How the client logs in, and the form of the answers."""

    def __init__(self, login=(), **form):
        self.login = dict(login)
        self.form = form

    def __repr__(self):
        return f"{self.login or 'name and password'} {self.form or 'as documented'}"


DIALECTS = [
    Dialect(),
    Dialect(
        {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        rename=lambda name: name[0].upper() + name[1:],
        number=str,
        zone="",
    ),
    Dialect({"client_id": "kunde-ä"}, rename=str.upper, number=float, zone="+02:00"),
    Dialect(rename=str.lower),
]


@st.composite
def damaged(draw, answer):
    """A good answer, some members of which, however deep, are gone or something else."""
    answer = json.loads(json.dumps(answer))
    for _i in range(draw(st.integers(0, 3))):
        place = answer
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], (dict, list)) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = draw(JSON)
            else:
                del place[key]
            break
    return answer


@st.composite
def with_odd_value(draw, answer):
    """The text of a good answer, one value of which is an odd one."""
    text = json.dumps(answer)
    values = [match.span(1) for match in re.finditer(r'": ("[^"]*"|[^"{}\[\], ]+)', text)]
    start, end = draw(st.sampled_from(values))
    return text[:start] + draw(st.sampled_from(ODD_VALUES)) + text[end:]


def bodies(name, dialect):
    good = in_form(EXAMPLES[name].answer, **dialect.form)
    text = json.dumps(good)
    return st.one_of(
        damaged(good).map(lambda answer: json.dumps(answer).encode()),
        with_odd_value(good).map(str.encode),
        JSON.map(lambda answer: json.dumps(answer).encode()),
        st.sampled_from(ODD_VALUES).map(str.encode),
        st.binary(max_size=200),
        st.integers(0, len(text)).map(lambda cut: text[:cut].encode()),
        st.integers(0, len(text)).map(
            lambda at: text[:at].encode() + b"\xff\xc3" + text[at:].encode()
        ),
        st.sampled_from(["utf-16", "latin-1", "utf-8-sig"]).map(text.encode),
    )


class TestAnyAnswer(ClientCase):
    """Any status, headers and body."""

    def test_only_the_clients_own_errors(self):
        for name in NAMES:
            for dialect in DIALECTS:
                with self.subTest(name, dialect=dialect):
                    self.check_any_answer(name, dialect)

    def check_any_answer(self, name, dialect):
        @given(
            st.lists(st.tuples(STATUSES, HEADERS, bodies(name, dialect)), min_size=1, max_size=5)
        )
        @EACH
        def check(answers):
            self.answer(name, dialect, answers)

        check()

    def answer(self, name, dialect, answers):
        """Make a call, which gets these answers."""
        traces = []
        with responses.RequestsMock(assert_all_requests_are_fired=False) as http:
            for status, headers, body in answers:
                http.add_callback(
                    responses.GET if EXAMPLES[name].method == "GET" else EXAMPLES[name].method,
                    URL + EXAMPLES[name].path,
                    lambda _request, answer=(status, headers, body): answer,
                )
            http.add(responses.POST, f"{URL}/authenticate", json={"token": TOKEN})
            client = self.make_client(
                ledger=MemoryLedger(TOKEN),
                observer=lambda seen: traces.append(trace_values(seen)),
                **dialect.login,
            )
            try:
                result = EXAMPLES[name].make(client)
            except CampaignMasterError as error:
                self.check_error(error)
            else:
                self.check_result(result)
            client.close()
            self.assertEqual(len(traces), len(http.calls), "An answer that cannot be recorded")
        for trace in traces:
            self.check_trace(trace)

    def check_trace(self, trace):
        """A database can hold it."""
        for text in (trace["path"], trace["sent"] or "", trace["received"]):
            self.assertTrue(re.sub(r"\n", "", text).isprintable() and text.isascii(), text[:500])
            self.assertLess(len(text), 10_000)

    def check_error(self, error):
        self.assertRegex(error.code, r"^[a-z_]+$")
        self.assertRegex(error.key, r"^[a-z_]+$")
        self.assertNotEqual(error.key, "error")
        self.assertTrue(error.message)
        self.assertIsNone(error.__cause__)
        self.assertIsNone(error.__context__)
        self.assertIsInstance(error.retryable, bool)
        self.assertIsInstance(error.outcome_unknown, bool)
        if error.retry_at:
            self.assertIsInstance(error, CampaignMasterRateLimitError)
            self.assertIs(error.retry_at.tzinfo, timezone.utc)

    def check_result(self, result):
        """Everything is of the type that its class promises, and a database can hold it."""
        if isinstance(result, list):
            for item in result:
                self.check_result(item)
        elif dataclasses.is_dataclass(result) or hasattr(result, "_fields"):
            for name, kind in typing.get_type_hints(type(result)).items():
                value = getattr(result, name)
                kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
                self.assertIn(type(value), [typing.get_origin(each) or each for each in kinds])
                self.check_result(value)
        elif isinstance(result, str):
            result.encode()
            self.assertNotIn("\x00", result)
        elif isinstance(result, datetime):
            self.assertIs(result.tzinfo, timezone.utc)
        elif type(result) is int:
            self.assertTrue(0 <= result < 2**31)


class TestAnyBytes(SocketCase):
    """Any bytes over a socket."""

    def setUp(self):
        super().setUp()
        muted = mute_logger("urllib3.connection")  # it warns of every header that is none
        muted.__enter__()
        self.addCleanup(muted.__exit__)
        self.data = b""
        self.serve(lambda _head, connection: connection.sendall(self.data), retries=0)

    def call(self, name, data):
        self.data = data
        client = self.make_client(self.server.url, ledger=MemoryLedger(TOKEN), retries=0)
        try:
            EXAMPLES[name].make(client)
        except CampaignMasterError as error:
            self.assertIsNone(error.__context__)
        client.close()

    @given(st.sampled_from(NAMES), st.binary(max_size=300))
    @example("lists", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n12345")
    @example("lists", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n12345")
    @example("lists", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    @example("lists", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n")
    @example("lists", b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n")
    @example("lists", b"HTTP/1.1 000 \r\n\r\n")
    @example("lists", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
    @example("lists", b"HTTP/1.1 200 OK\r\n: no name\r\n\xff\xfe: x\r\n\r\n{}")
    @FEW
    def test_bytes(self, name, data):
        self.call(name, data)

    @given(
        st.sampled_from(NAMES),
        st.integers(0, 999),
        st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=30)), max_size=4),
        st.binary(max_size=100),
    )
    @FEW
    def test_almost_http(self, name, status, headers, body):
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.call(name, http_answer(body, b"%03d X" % status, head))

    @given(
        st.sampled_from(NAMES),
        st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, gzip, gzip", "nonsense"]),
        st.binary(max_size=60),
    )
    @FEW
    def test_any_packing(self, name, encoding, body):
        head = f"Content-Encoding: {encoding}\r\n".encode()
        self.call(name, http_answer(body, headers=head))


class TestRoundTrips(ClientCase):
    @given(TIMES)
    @MANY
    def test_what_is_written_of_a_time_is_read_again(self, moment):
        text = wire.time_to_wire(moment)
        self.assertEqual(wire.time_from_wire(text), moment.replace(microsecond=0))
        fine = moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        self.assertEqual(wire.time_from_wire(fine), moment)

    @given(st.text(min_size=1, max_size=128).filter(wire.is_ref))
    @MANY
    def test_an_id_is_one_step_of_the_path(self, ref):
        path = wire.statistics(ref).path
        self.assertRegex(path, r"^/campaigns/[A-Za-z0-9_.~%-]+/statistics$")
        prepared = requests.Request("GET", URL + path).prepare()
        self.assertEqual(prepared.path_url, path)


class TestRecipients(ClientCase):
    """Each asked address has just one result, whatever the server says."""

    EMAILS = st.lists(
        st.text(st.sampled_from("aAbB @é\u0130ß"), min_size=1, max_size=5), max_size=8
    )

    @given(EMAILS, EMAILS, st.randoms(use_true_random=False))
    @MANY
    def test_one_result_for_each(self, asked, others, random):
        answered = asked + others
        random.shuffle(answered)
        results = [
            {"email": email, "status": f"s{i}", "message": ""} for i, email in enumerate(answered)
        ]
        with responses.RequestsMock(assert_all_requests_are_fired=False) as http:
            http.add(responses.POST, f"{URL}/lists/7/recipients", json={"results": results})
            found = self.client.add_recipients("7", asked)
            sent = json.loads(http.calls[0].request.body)["recipients"] if http.calls else []
        self.assertEqual([result.email for result in found], asked)
        by_address = {}
        for result in found:
            self.assertNotEqual(result.status, "unknown")
            self.assertEqual(
                by_address.setdefault(wire.same_address(result.email), result.status),
                result.status,
            )
        keys = [wire.same_address(recipient["email"]) for recipient in sent]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertEqual(set(keys), set(map(wire.same_address, asked)))
