"""The sandbox against ``docs/openapi.yaml``: every call of the file, over a real socket.

Requests are made up from the file's schemas, and every answer is compared with the file: its
status, headers and body. Nothing here knows what the sandbox does, only what the file says.
"""

import itertools
import re
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from sandbox.server import serve

from .made_up import ANYTHING, made_up
from .people import Caller

FILE = Path(__file__).parents[2] / "docs" / "openapi.yaml"
CONTRACT = yaml.safe_load(FILE.read_text())
VERBS = ("get", "post", "put", "delete")
OPERATIONS = {
    operation["operationId"]: (verb, path, operation)
    for path, item in CONTRACT["paths"].items()
    for verb, operation in item.items()
    if verb in VERBS
}
WITH_TOKEN = [name for name, (_v, _p, one) in OPERATIONS.items() if one.get("security") != []]
TRIES = settings(
    max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
USER = {"username": "ann", "password": "secret of ann"}
SINCE = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.isoformat() + "Z"
)
_numbers = itertools.count(1)


def resolved(part):
    """A part of the file, or what it points at."""
    while "$ref" in part:
        target = CONTRACT
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


def inlined(schema):
    """A schema without references, as ``made_up`` wants it."""
    if isinstance(schema, list):
        return [inlined(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: inlined(value) for name, value in resolved(schema).items() if name[:2] != "x-"}


def parameters(operation, place):
    found = map(resolved, operation.get("parameters", []))
    return [parameter for parameter in found if parameter["in"] == place]


def body_schema(operation):
    return inlined(operation["requestBody"]["content"]["application/json"]["schema"])


def check(name, answer):
    """Compare an answer with what the file says of it."""
    _verb, _path, operation = OPERATIONS[name]
    expected = operation["responses"].get(str(answer.status_code))
    assert expected, f"{name} answers {answer.status_code}, which is not documented: {answer.text}"
    expected = resolved(expected)
    for header, described in expected.get("headers", {}).items():
        assert re.fullmatch(r"\d+", answer.headers[header]), (header, answer.headers[header])
        assert resolved(described)["required"]
    assert answer.headers["Content-Type"] == "application/json"
    schema = expected["content"]["application/json"]["schema"]
    Draft202012Validator(
        {**schema, "components": CONTRACT["components"]}, format_checker=FormatChecker()
    ).validate(answer.json())
    for value, known in known_words(schema, answer.json()):
        assert value in known, f"{name} answers with the unknown word {value}"


def known_words(schema, value):
    """Values of members for which the file names the words it knows."""
    schema = resolved(schema)
    if "x-known-values" in schema:
        yield value, schema["x-known-values"]
    for part in schema.get("allOf", []):
        yield from known_words(part, value)
    for member, described in schema.get("properties", {}).items():
        if isinstance(value, dict) and member in value:
            yield from known_words(described, value[member])
    for item in value if isinstance(value, list) else []:
        yield from known_words(schema.get("items", {}), item)


@pytest.fixture(scope="module")
def world():
    """A sandbox with something in it, and what is there by the names of the path parameters."""
    with serve(users={USER["username"]: USER["password"]}, hourLimit=10**6, monthLimit=10**6) as up:
        ann = Caller(up.url)
        ann.login(**USER)
        template_id, list_id = ann.template(), ann.list("gone@example.com", *"abc")
        ann.control("/suppress", {"email": "gone@example.com"})
        sent = ann.campaign(templateId=template_id, reference="a sent one")
        ann.send(sent, ann.list(*(f"reader{number}@example.com" for number in range(50))))
        draft = ann.campaign(templateId=template_id, reference="a draft")
        yield ann, {"listId": [list_id], "campaignId": [sent, draft], "templateId": [template_id]}
        ann.close()


def call(world, draw, name, body=None, query=None):
    """Make one call with made-up values where the test has none of its own."""
    ann, known = world
    verb, path, operation = OPERATIONS[name]
    for parameter in parameters(operation, "path"):
        path = path.replace(f"{{{parameter['name']}}}", str(draw(known[parameter["name"]])))
    if "requestBody" not in operation:
        return ann.request(verb.upper(), path, params=query or {})
    return ann.request(verb.upper(), path, json=body)


def query_of(data, operation):
    """A valid query."""
    query = {}
    for parameter in parameters(operation, "query"):
        if parameter.get("required") or data.draw(st.booleans()):
            value = SINCE if parameter["name"] == "since" else made_up(inlined(parameter["schema"]))
            query[parameter["name"]] = data.draw(value)
    return query


def body_of(data, name, known):
    """A valid body, but for what the file can say in words only."""
    body = data.draw(made_up(body_schema(OPERATIONS[name][2])))
    if "templateId" in body:
        body["templateId"] = known["templateId"][0]
    if "reference" in body:
        body["reference"] += f" {next(_numbers)}"
    if "recipients" in body:
        once = {one["email"].strip().lower(): one for one in body["recipients"]}
        body["recipients"] = list(once.values())
    return body


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_valid_request_is_answered_as_the_file_says(world, name):
    operation = OPERATIONS[name][2]

    @TRIES
    @given(st.data())
    def try_it(data):
        body = body_of(data, name, world[1]) if "requestBody" in operation else None
        query = query_of(data, operation)
        # The last campaign is a draft: only that one can be changed.
        answer = call(world, lambda ids: ids[-1], name, body, query)
        check(name, answer)
        assert answer.ok or name == "authenticate", answer.text

    try_it()


def test_the_right_password_gives_a_token(world):
    check("authenticate", world[0].post("/authenticate", json=USER))


@pytest.mark.parametrize(
    "name", [name for name, (_v, _p, one) in OPERATIONS.items() if "requestBody" in one]
)
def test_every_body_that_breaks_the_schema_is_refused_as_the_file_says(world, name):
    schema = body_schema(OPERATIONS[name][2])
    valid = Draft202012Validator(schema, format_checker=FormatChecker()).is_valid

    @TRIES
    @given(st.data())
    def try_it(data):
        body = body_of(data, name, world[1])
        damage = data.draw(st.sampled_from(["replace", "drop", "add", "whole"]))
        member = data.draw(st.sampled_from(sorted(schema["required"])))
        if damage == "replace":
            body[member] = data.draw(ANYTHING)
        elif damage == "drop":
            del body[member]
        elif damage == "add":
            body[data.draw(st.text())] = data.draw(ANYTHING)
        else:
            body = data.draw(ANYTHING)
        if not valid(body):
            answer = call(world, lambda ids: ids[-1], name, body)
            check(name, answer)
            assert answer.status_code == 400, answer.text

    try_it()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"a":' * 5000, b'"text"'])
@pytest.mark.parametrize(
    "name", [name for name, (_v, _p, one) in OPERATIONS.items() if "requestBody" in one]
)
def test_a_body_that_is_no_json_object_is_refused(world, name, body):
    ann, known = world
    verb, path, _operation = OPERATIONS[name]
    path = path.format(listId=known["listId"][0], campaignId=known["campaignId"][-1])
    answer = ann.request(
        verb.upper(), path, data=body, headers={"Content-Type": "application/json"}
    )
    check(name, answer)
    assert answer.status_code == 400


@pytest.mark.parametrize("query", ["page=0", "page=x", "pageSize=0", "pageSize=-1", "page=1.5"])
@pytest.mark.parametrize(
    "name", [name for name, (_v, _p, one) in OPERATIONS.items() if parameters(one, "query")]
)
def test_a_page_that_cannot_be_is_refused(world, name, query):
    path = OPERATIONS[name][1].format(campaignId=world[1]["campaignId"][0])
    wanted = "reference=a+draft&" if name == "findCampaigns" else ""
    answer = world[0].get(f"{path}?{wanted}{query}")
    check(name, answer)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "since", ["yesterday", "2026-01-31", "2026-01-31T10:00:00", "2026-02-30T10:00:00Z", ""]
)
def test_a_since_that_is_no_time_in_utc_is_refused(world, since):
    campaign = world[1]["campaignId"][0]
    answer = world[0].get(f"/campaigns/{campaign}/activity?since={quote(since)}")
    check("listActivity", answer)
    assert answer.status_code == 400


@pytest.mark.parametrize("name", WITH_TOKEN)
def test_without_a_good_token_nothing_is_answered(world, name):
    for header in (None, "", "Bearer", "Bearer wrong", "Basic YW5uOnNlY3JldA=="):
        ann, (verb, path, _operation) = Caller(world[0].url), OPERATIONS[name]
        headers = {} if header is None else {"Authorization": header}
        path = path.format(listId=world[1]["listId"][0], campaignId=world[1]["campaignId"][0])
        answer = ann.request(verb.upper(), path, headers=headers)
        check(name, answer)
        assert answer.status_code == 401


@pytest.mark.parametrize("thing", ["0", "1", "999999", str(2**70)])
@pytest.mark.parametrize(
    "name", [name for name, (_v, _p, one) in OPERATIONS.items() if parameters(one, "path")]
)
def test_what_is_not_there_is_not_found(world, name, thing):
    verb, path, operation = OPERATIONS[name]
    body = {"json": {}} if "requestBody" in operation else {}
    answer = world[0].request(verb.upper(), path.format(listId=thing, campaignId=thing), **body)
    check(name, answer)
    assert answer.status_code == 404


@pytest.mark.parametrize("kind", ["drop:total", "type:name", "403", "html", "badjson"])
def test_an_answer_that_the_file_does_not_allow_is_noticed(world, kind):
    world[0].faults(kind)
    answer = world[0].get("/lists")
    with pytest.raises((AssertionError, ValidationError, requests.JSONDecodeError)):
        check("listLists", answer)


def test_every_operation_says_whether_it_is_documented_or_modelled():
    for name, (_verb, _path, operation) in OPERATIONS.items():
        assert operation["x-source"] in ("documented", "modelled"), name
