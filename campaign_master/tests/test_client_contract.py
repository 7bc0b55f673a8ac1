"""The client against ``docs/openapi.yaml``, which the sandbox is tested against as well.

What the client sends must fit the file's parameters and request bodies; what the file's answers can
look like, made up by hypothesis, must be understood. The expectations are derived from the file and
from the names of the dataclasses, not from ``wire.py``.
"""

import json
import re
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import get_type_hints
from urllib.parse import parse_qs, unquote, urlsplit

import responses
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from odoo.addons.campaign_master.client import (
    ActivityPage,
    CampaignDraft,
    CampaignMasterClient,
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
    MemoryLedger,
    wire,
)

from .client_common import (
    CLIENT_ID,
    CLIENT_SECRET,
    EXAMPLES,
    PASSWORD,
    STATISTICS,
    TOKEN,
    URL,
    USERNAME,
    ClientCase,
)

CONTRACT = Path(__file__).parents[2] / "docs" / "openapi.yaml"

SETTINGS = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
ERRORS = {
    400: CampaignMasterRefusedError,
    401: CampaignMasterTokenRefusedError,
    403: CampaignMasterNotAllowedError,
    404: CampaignMasterNotFoundError,
    429: CampaignMasterRateLimitError,
    500: CampaignMasterServerError,
}
LOGIN_ERRORS = {
    400: CampaignMasterLoginRequestError,
    401: CampaignMasterLoginRefusedError,
    403: CampaignMasterLoginDoubtError,
}
OPERATIONS = {
    "authenticate": "authenticate",
    "templates": "listTemplates",
    "lists": "listLists",
    "find_campaign": "findCampaigns",
    "create_campaign": "createCampaign",
    "get_campaign": "readCampaign",
    "update_campaign": "updateCampaign",
    "add_recipients": "addRecipients",
    "statistics": "readStatistics",
    "activity": "listActivity",
}
LOGIN = ("username", "password", "client_id", "client_secret")  # headers
MEMBERS = {"ref": "id", "template_ref": "templateId", "sent_at": "sentAt"}

TIMES = st.builds(
    lambda moment, fraction: moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z",
    st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31)),
    st.sampled_from(["", ".0", ".25", ".123456"]),
)
REFS = st.integers(0, 10**12).map(str)
WORDS = st.text(min_size=1, max_size=20).filter(str.strip)
EMAILS = st.sampled_from(["ann@example.com", "Bob.O'Neil@example.co.uk"])
DRAFTS = st.builds(
    CampaignDraft,
    name=WORDS,
    description=WORDS,
    subject=WORDS,
    template_ref=REFS,
    from_name=st.none() | WORDS,
    from_email=st.none() | EMAILS,
    reply_to=st.none() | EMAILS,
)


def _resolved(contract, node):
    """The node with what its references point to in their place."""
    if isinstance(node, list):
        return [_resolved(contract, item) for item in node]
    if not isinstance(node, dict):
        return node
    node = dict(node)
    target = node.pop("$ref", None)
    if target:
        found = contract
        for step in target.removeprefix("#/").split("/"):
            found = found[step]
        node = found | node
        return _resolved(contract, node)
    return {key: _resolved(contract, value) for key, value in node.items()}


def _operations():
    """The contract's operations by ``operationId``, each with its ``method`` and ``path``."""
    contract = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    security = contract.get("security", [])
    found = {}
    for path, operations in _resolved(contract, contract["paths"]).items():
        for method, operation in operations.items():
            found[operation["operationId"]] = (
                {"security": security}
                | operation
                | {
                    "method": method.upper(),
                    "path": path,
                }
            )
    return found


OPERATION = _operations()


def answers(name, status):
    """A strategy for the bodies of one status of a call."""
    content = OPERATION[OPERATIONS[name]]["responses"][str(status)]["content"]
    schema = content["application/json"]["schema"]
    return values_of(schema).map(lambda value: check_valid(schema, value) or value)


def values_of(schema):
    """A strategy for what a schema allows: of JSON Schema, just what the contract uses.

    (hypothesis-jsonschema, which knows it all, does not work with today's hypothesis.) What it
    gives is checked by a validator, so that a keyword that is forgotten here is noticed.
    """
    if "allOf" in schema:
        return values_of(_merged(*schema["allOf"]))
    if "oneOf" in schema:
        return st.one_of([values_of(each) for each in schema["oneOf"]])
    return _BY_TYPE[schema["type"]](schema)


def _object(schema):
    properties = {name: values_of(each) for name, each in schema["properties"].items()}
    required = {name: properties.pop(name) for name in schema["required"]}
    extra = st.nothing() if schema.get("additionalProperties") is False else JSON
    unlisted = st.dictionaries(st.from_regex(r"\Ax[a-z]{3,6}\Z"), extra, max_size=2)
    listed = st.fixed_dictionaries(required, optional=properties)
    return st.tuples(unlisted, listed).map(lambda parts: parts[0] | parts[1])


def _string(schema):
    if schema.get("format") == "date-time":
        return TIMES
    return st.text(min_size=schema.get("minLength", 0), max_size=30)


JSON = st.none() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({"x": [1]})
_BY_TYPE = {
    "object": _object,
    "array": lambda schema: st.lists(
        values_of(schema["items"]), max_size=min(schema.get("maxItems", 5), 5)
    ),
    "string": _string,
    # The contract bounds no figure; the client does, by what a column holds (see wire.py).
    "integer": lambda schema: st.integers(schema.get("minimum", 0), 2**31 - 1),
    "boolean": lambda _schema: st.booleans(),
    "null": lambda _schema: st.none(),
}


def _merged(*schemas):
    merged = {}
    for schema in schemas:
        for key, value in schema.items():
            if isinstance(value, dict) and key in merged:
                value = _merged(merged[key], value)
            elif key == "required":
                value = merged.get(key, []) + value
            merged[key] = value
    return merged


# Without a total another page is asked for.
UNTESTED = {"total"}


def parts_of(schema):
    """An answer's own schema, and that of the objects in its list; each with whether it is the
    latter."""
    schema = _merged(*schema["allOf"]) if "allOf" in schema else schema
    yield schema, False
    for member in schema["properties"].values():
        if "properties" in member.get("items", {}):
            yield member["items"], True


def without(answer, member, is_item):
    """An answer without a member of its own, or of the objects in its list."""

    def left(data):
        return {name: value for name, value in data.items() if name != member}

    if not is_item:
        return left(answer)
    return {
        name: [left(item) for item in value] if isinstance(value, list) else value
        for name, value in answer.items()
    }


def whole_fraction(text):
    """A time of the wire, as Python writes it."""
    seconds, _dot, fraction = text.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<6}+00:00"


def one_line(text):
    """A text of a stranger, as it is shown."""
    text = text.replace("\x00", "\ufffd")
    return " ".join("".join(one if one.isprintable() else " " for one in text).split()) or None


def check_valid(schema, value):
    if id(schema) not in _VALIDATORS:
        _VALIDATORS[id(schema)] = Draft202012Validator(schema, format_checker=FormatChecker())
    _VALIDATORS[id(schema)].validate(value)


_VALIDATORS = {}


class ContractCase(ClientCase):
    def setUp(self):
        super().setUp()
        self.requests = []

    def call(self, make, answer, status=200):
        """Make a call of a new client; it gets this answer, and its request is kept."""

        def keep(request):
            self.requests.append(request)
            if request.url == f"{URL}/authenticate" and len(self.requests) > 1:
                return 200, {}, json.dumps({"token": "token-2"})
            return status, {}, json.dumps(answer)

        self.requests.clear()
        client = CampaignMasterClient(
            URL,
            USERNAME,
            PASSWORD,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            ledger=MemoryLedger(TOKEN),
        )
        with responses.RequestsMock() as http, client:
            for method in ("GET", "POST", "PUT"):
                http.add_callback(method, re.compile(re.escape(URL)), keep)
            http.assert_all_requests_are_fired = False
            return make(client)


class TestRequests(ContractCase):
    """What the client sends."""

    def assertAgreed(self, name):
        """The first request fits the contract's operation."""
        request = self.requests[0]
        operation = OPERATION[OPERATIONS[name]]
        url = urlsplit(request.url)
        self.assertEqual(request.method, operation["method"])
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(operation["path"]))
        match = re.fullmatch(pattern, url.path)
        self.assertTrue(match, url.path)
        headers = {name: request.headers[name] for name in LOGIN if name in request.headers}
        given_values = {"path": match.groupdict(), "query": {}, "header": headers}
        for key, values in parse_qs(url.query, keep_blank_values=True).items():
            self.assertEqual(len(values), 1, key)
            given_values["query"][key] = values[0]
        for parameter in operation.get("parameters", []):
            values = given_values[parameter["in"]]
            if parameter["name"] not in values:
                self.assertFalse(parameter.get("required"), parameter["name"])
                continue
            value = values.pop(parameter["name"])
            value = unquote(value) if parameter["in"] == "path" else value
            if parameter["schema"]["type"] == "integer":
                self.assertRegex(value, r"^[0-9]+$")
                value = int(value)
            check_valid(parameter["schema"], value)
        self.assertEqual(given_values, {"path": {}, "query": {}, "header": {}})
        if "requestBody" in operation:
            self.assertEqual(request.headers["Content-Type"], "application/json")
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            check_valid(schema, json.loads(request.body))
        else:
            self.assertIsNone(request.body)
        token = f"Bearer {TOKEN}" if operation["security"] else None
        self.assertEqual(request.headers.get("Authorization"), token)

    def assertSends(self, name, make):
        try:
            self.call(make, {}, status=400)
        except (CampaignMasterRefusedError, CampaignMasterLoginRequestError):
            self.assertAgreed(name)
        else:
            self.fail("no request")

    def test_every_operation_of_the_contract_has_a_call(self):
        self.assertEqual(set(OPERATION), set(OPERATIONS.values()))
        self.assertEqual(set(OPERATIONS), set(EXAMPLES))

    def test_the_examples(self):
        for name, example in EXAMPLES.items():
            with self.subTest(name):
                self.assertSends(name, example.make)

    @given(st.text(min_size=1).filter(str.strip))
    @SETTINGS
    def test_find(self, reference):
        self.assertSends("find_campaign", lambda client: client.find_campaign(reference))

    @given(WORDS, DRAFTS)
    @SETTINGS
    def test_create(self, reference, draft):
        self.assertSends("create_campaign", lambda client: client.create_campaign(reference, draft))

    @given(REFS, DRAFTS)
    @SETTINGS
    def test_update(self, ref, draft):
        self.assertSends("update_campaign", lambda client: client.update_campaign(ref, draft))

    @given(REFS, st.lists(st.text(), min_size=1, max_size=20))
    @SETTINGS
    def test_add(self, ref, emails):
        self.assertSends("add_recipients", lambda client: client.add_recipients(ref, emails))

    def test_add_a_full_batch(self):
        emails = [f"{i}@example.com" for i in range(wire.MAX_RECIPIENTS)]
        self.assertSends("add_recipients", lambda client: client.add_recipients("7", emails))

    @given(
        REFS,
        st.none() | st.datetimes(datetime(1970, 1, 2), timezones=st.just(timezone.utc)),
        st.integers(1, 500),
    )
    @SETTINGS
    def test_activity(self, ref, since, page):
        self.assertSends("activity", lambda client: client.activity(ref, since, page))


class TestAnswers(ContractCase):
    """What the client makes of all that the contract lets a server answer."""

    def assertSame(self, thing, source):
        """An object says what the JSON object says that it was made of."""
        for name in get_type_hints(type(thing)):
            camel = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
            value = source.get(MEMBERS.get(name, camel))
            found = getattr(thing, name)
            if name == "opted_out":
                if value is None:
                    value = int(source.get("unsubscribes") or 0) > 0
                value = bool(value or source.get("complained"))
            if name == "bounce_reason":
                value = one_line(value or "")
            if value is None:
                self.assertIn(found, (None, 0, False, ""), name)
                continue
            if isinstance(found, datetime):
                self.assertEqual(found.isoformat(timespec="microseconds"), whole_fraction(value))
                value = found
            elif name.endswith("ref"):
                value = str(value)
            elif isinstance(found, str):
                value = value.replace("\x00", "\ufffd")  # PostgreSQL has no NUL
            self.assertEqual(found, value, name)
            self.assertIs(type(found), type(value))

    def assertSameItems(self, items, sources):
        for item, source in zip(items, sources, strict=True):
            self.assertSame(item, source)

    def page(self, answer):
        """What no schema says: ids are unique, this is page one, and it is all there is."""
        items = {item.get("id", i): item for i, item in enumerate(answer["items"])}
        return answer | {"items": list(items.values()), "page": 1, "total": len(items)}

    @given(answers("authenticate", 200))
    @SETTINGS
    def test_authenticate(self, answer):
        answer["token"] = re.sub(r"[^!-~]", "x", answer["token"])  # it must fit into a header
        self.call(lambda client: client.authenticate(), answer)

    @given(answers("templates", 200))
    @SETTINGS
    def test_templates(self, answer):
        answer = self.page(answer)
        found = self.call(lambda client: list(client.templates()), answer)
        self.assertSameItems(found, answer["items"])

    @given(answers("lists", 200))
    @SETTINGS
    def test_lists(self, answer):
        answer = self.page(answer)
        found = self.call(lambda client: list(client.lists()), answer)
        self.assertSameItems(found, answer["items"])

    @given(answers("find_campaign", 200))
    @SETTINGS
    def test_find(self, answer):
        answer["items"] = [item | {"reference": "odoo-1"} for item in answer["items"]]
        found = self.call(lambda client: client.find_campaign("odoo-1"), self.page(answer))
        self.assertSameItems([found] if found else [], answer["items"])

    @given(answers("create_campaign", 201), DRAFTS)
    @SETTINGS
    def test_create(self, answer, draft):
        answer["reference"] = "odoo-1"
        found = self.call(lambda client: client.create_campaign("odoo-1", draft), answer, 201)
        self.assertSame(found, answer)

    @given(answers("get_campaign", 200))
    @SETTINGS
    def test_get(self, answer):
        ref = str(answer["id"])
        self.assertSame(self.call(lambda client: client.get_campaign(ref), answer), answer)

    @given(answers("update_campaign", 200), DRAFTS)
    @SETTINGS
    def test_update(self, answer, draft):
        ref = str(answer["id"])
        found = self.call(lambda client: client.update_campaign(ref, draft), answer)
        self.assertSame(found, answer)

    @given(answers("add_recipients", 200))
    @SETTINGS
    def test_add(self, answer):
        asked = [result["email"].replace("\x00", "\ufffd") for result in answer["results"]]
        found = self.call(lambda client: client.add_recipients("7", asked or ["x"]), answer)
        said = {}
        for email, result in zip(asked, answer["results"], strict=True):
            said.setdefault(email.strip().lower(), result | {"email": email})
        for result, email in zip(found, asked, strict=bool(asked)):
            source = said[email.strip().lower()] | {"email": email}
            self.assertSame(result, source)

    @given(answers("statistics", 200))
    @SETTINGS
    def test_statistics(self, answer):
        assume(STATISTICS.keys() & answer.keys())  # at least one figure
        found = self.call(lambda client: client.statistics("42"), answer)
        self.assertSame(found, answer)
        self.assertEqual(len(asdict(found)), len(STATISTICS))
        self.assertEqual(
            sum(figure is None for figure in asdict(found).values()),
            len(STATISTICS.keys() - answer.keys()),
        )

    @given(answers("activity", 200))
    @SETTINGS
    def test_activity(self, answer):
        answer = self.page(answer)
        found = self.call(lambda client: client.activity("42"), answer)
        self.assertIs(type(found), ActivityPage)
        self.assertSameItems(found.items, answer["items"])
        self.assertTrue(found.last)
        as_of = found.as_of.isoformat(timespec="microseconds")
        if "asOf" in answer:
            self.assertEqual(as_of, whole_fraction(answer["asOf"]))
        else:
            self.assertLess(datetime.now(timezone.utc) - found.as_of, timedelta(minutes=1))

    def test_exactly_the_members_that_the_contract_requires_are_needed(self):
        for name, example in EXAMPLES.items():
            schema = OPERATION[OPERATIONS[name]]["responses"][str(example.status)]["content"]
            schema = schema["application/json"]["schema"]
            for part, is_item in parts_of(schema):
                for member in part["properties"].keys() - UNTESTED:
                    answer = without(example.answer, member, is_item)
                    with self.subTest(name, member=member):
                        if member in part.get("required", ()):
                            with self.assertRaises(CampaignMasterResponseError):
                                self.call(example.make, answer, example.status)
                        else:
                            self.call(example.make, answer, example.status)

    def test_errors(self):
        """Each status that the contract gives an operation has its own class of error."""
        for name in EXAMPLES:
            for status in OPERATION[OPERATIONS[name]]["responses"]:
                if int(status) >= 400:
                    with self.subTest(name, status=status):
                        self.check_error(name, int(status))

    def check_error(self, name, status):
        own = LOGIN_ERRORS if name == "authenticate" else {}
        error_class = own.get(status, ERRORS[status])

        @given(answers(name, status))
        @settings(SETTINGS, max_examples=5)
        def check(answer):
            with self.assertRaises(error_class) as caught:
                self.call(EXAMPLES[name].make, answer, status)
            self.assertIs(type(caught.exception), error_class)
            if status == 400 and re.fullmatch(r"[^<]*[^<\s][^<]*", answer["message"]):
                self.assertEqual(
                    caught.exception.message, answer["message"].replace("\x00", "\ufffd")
                )

        check()
