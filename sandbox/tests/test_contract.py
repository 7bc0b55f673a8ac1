"""Every call of ``docs/openapi.yaml`` against the sandbox, over a real socket.

Requests are generated from the schemas, and the status, headers and body of every response are
compared with the file.
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

from .caller import Caller
from .schema_values import ANYTHING, values_for

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
EXAMPLES = settings(
    max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
CREDENTIALS = {"username": "ann", "password": "secret of ann"}
SINCE = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.isoformat() + "Z"
)
_numbers = itertools.count(1)


def resolved(part):
    """A part of the file, with a reference replaced by its target."""
    while "$ref" in part:
        target = CONTRACT
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


def inlined(schema):
    """A schema without references."""
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


def check(name, response):
    """Compare a response with the file."""
    _verb, _path, operation = OPERATIONS[name]
    expected = operation["responses"].get(str(response.status_code))
    assert expected, (
        f"{name} returns {response.status_code}, which is not documented: {response.text}"
    )
    expected = resolved(expected)
    for header, described in expected.get("headers", {}).items():
        assert re.fullmatch(r"\d+", response.headers[header]), (header, response.headers[header])
        assert resolved(described)["required"]
    assert response.headers["Content-Type"] == "application/json"
    schema = expected["content"]["application/json"]["schema"]
    Draft202012Validator(
        {**schema, "components": CONTRACT["components"]}, format_checker=FormatChecker()
    ).validate(response.json())
    for value, known in known_values(schema, response.json()):
        assert value in known, f"{name} returns the unknown value {value}"


def known_values(schema, value):
    """Values of members with ``x-known-values``, and these."""
    schema = resolved(schema)
    if "x-known-values" in schema:
        yield value, schema["x-known-values"]
    for part in schema.get("allOf", []):
        yield from known_values(part, value)
    for member, described in schema.get("properties", {}).items():
        if isinstance(value, dict) and member in value:
            yield from known_values(described, value[member])
    for item in value if isinstance(value, list) else []:
        yield from known_values(schema.get("items", {}), item)


@pytest.fixture(scope="module")
def seeded():
    """A user of a sandbox with data, and the ids in it by path parameter."""
    with serve(users={"ann": "secret of ann"}, hourLimit=10**6, monthLimit=10**6) as up:
        ann = Caller(up.url)
        ann.login(**CREDENTIALS)
        template_id, list_id = ann.template(), ann.list("gone@example.com", *"abc")
        ann.control("/suppress", {"email": "gone@example.com"})
        sent = ann.campaign(templateId=template_id, reference="a sent one")
        ann.send(sent, ann.list(*(f"reader{number}@example.com" for number in range(50))))
        draft = ann.campaign(templateId=template_id, reference="a draft")
        yield ann, {"listId": [list_id], "campaignId": [sent, draft], "templateId": [template_id]}
        ann.close()


def call(seeded, draw, name, body=None, query=None):
    """Make a call, with path parameters from the seeded ids."""
    ann, known = seeded
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
            values = values_for(inlined(parameter["schema"]))
            query[parameter["name"]] = data.draw(SINCE if parameter["name"] == "since" else values)
    return query


def body_of(data, name, known):
    """A valid body, including rules that the schema cannot express."""
    body = data.draw(values_for(body_schema(OPERATIONS[name][2])))
    if "templateId" in body:
        body["templateId"] = known["templateId"][0]
    if "reference" in body:
        body["reference"] += f" {next(_numbers)}"
    if "recipients" in body:
        once = {one["email"].strip().lower(): one for one in body["recipients"]}
        body["recipients"] = list(once.values())
    return body


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_valid_request_gets_a_documented_response(seeded, name):
    operation = OPERATIONS[name][2]

    @EXAMPLES
    @given(st.data())
    def check_example(data):
        body = body_of(data, name, seeded[1]) if "requestBody" in operation else None
        query = query_of(data, operation)
        # The last campaign is a draft, which can be changed.
        response = call(seeded, lambda ids: ids[-1], name, body, query)
        check(name, response)
        assert response.ok or name == "authenticate", response.text

    check_example()


def test_the_right_password_gives_a_token(seeded):
    check("authenticate", seeded[0].post("/authenticate", json=CREDENTIALS))


@pytest.mark.parametrize(
    "name", [name for name, (_v, _p, one) in OPERATIONS.items() if "requestBody" in one]
)
def test_every_body_that_violates_the_schema_gets_a_documented_error(seeded, name):
    schema = body_schema(OPERATIONS[name][2])
    valid = Draft202012Validator(schema, format_checker=FormatChecker()).is_valid

    @EXAMPLES
    @given(st.data())
    def check_example(data):
        body = body_of(data, name, seeded[1])
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
            response = call(seeded, lambda ids: ids[-1], name, body)
            check(name, response)
            assert response.status_code == 400, response.text

    check_example()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"a":' * 5000, b'"text"'])
@pytest.mark.parametrize(
    "name", [name for name, (_v, _p, one) in OPERATIONS.items() if "requestBody" in one]
)
def test_a_body_that_is_not_a_json_object_is_refused(seeded, name, body):
    ann, known = seeded
    verb, path, _operation = OPERATIONS[name]
    path = path.format(listId=known["listId"][0], campaignId=known["campaignId"][-1])
    response = ann.request(
        verb.upper(), path, data=body, headers={"Content-Type": "application/json"}
    )
    check(name, response)
    assert response.status_code == 400


@pytest.mark.parametrize("query", ["page=0", "page=x", "pageSize=0", "pageSize=-1", "page=1.5"])
@pytest.mark.parametrize(
    "name", [name for name, (_v, _p, one) in OPERATIONS.items() if parameters(one, "query")]
)
def test_an_invalid_page_is_refused(seeded, name, query):
    path = OPERATIONS[name][1].format(campaignId=seeded[1]["campaignId"][0])
    reference = "reference=a+draft&" if name == "findCampaigns" else ""
    response = seeded[0].get(f"{path}?{reference}{query}")
    check(name, response)
    assert response.status_code == 400


@pytest.mark.parametrize(
    "since", ["yesterday", "2026-01-31", "2026-01-31T10:00:00", "2026-02-30T10:00:00Z", ""]
)
def test_a_since_that_is_not_a_time_in_utc_is_refused(seeded, since):
    campaign = seeded[1]["campaignId"][0]
    response = seeded[0].get(f"/campaigns/{campaign}/activity?since={quote(since)}")
    check("listActivity", response)
    assert response.status_code == 400


@pytest.mark.parametrize("name", WITH_TOKEN)
def test_a_call_without_a_valid_token_is_refused(seeded, name):
    for header in (None, "", "Bearer", "Bearer wrong", "Basic YW5uOnNlY3JldA=="):
        ann, (verb, path, _operation) = Caller(seeded[0].url), OPERATIONS[name]
        headers = {} if header is None else {"Authorization": header}
        path = path.format(listId=seeded[1]["listId"][0], campaignId=seeded[1]["campaignId"][0])
        response = ann.request(verb.upper(), path, headers=headers)
        check(name, response)
        assert response.status_code == 401


@pytest.mark.parametrize("record_id", ["0", "1", "999999", str(2**70)])
@pytest.mark.parametrize(
    "name", [name for name, (_v, _p, one) in OPERATIONS.items() if parameters(one, "path")]
)
def test_a_missing_record_is_not_found(seeded, name, record_id):
    verb, path, operation = OPERATIONS[name]
    body = {"json": {}} if "requestBody" in operation else {}
    response = seeded[0].request(
        verb.upper(), path.format(listId=record_id, campaignId=record_id), **body
    )
    check(name, response)
    assert response.status_code == 404


@pytest.mark.parametrize("kind", ["drop:name", "type:name", "418", "html", "badjson"])
def test_a_response_that_violates_the_contract_is_noticed(seeded, kind):
    seeded[0].faults(kind)
    response = seeded[0].get("/lists")
    with pytest.raises((AssertionError, ValidationError, requests.JSONDecodeError)):
        check("listLists", response)


def test_every_operation_says_whether_it_is_documented_or_modeled():
    for name, (_verb, _path, operation) in OPERATIONS.items():
        assert operation["x-source"] in ("documented", "sister", "modeled"), name
