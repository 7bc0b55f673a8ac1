"""Validation of requests against the contract; a 400 names each invalid member."""

import json
import re

from flask import request

from . import clock
from .errors import ApiError

# Addresses that can really receive email; RFC 5322 allows more.
_LOCAL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"{_LOCAL}(\.{_LOCAL})*@({_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)
LOGIN = ("username", "password", "client_id", "client_secret")
MAX_INTEGER = 2**63 - 1
"""SQLite's largest integer."""


class Problems(dict):
    """Error messages by member; only the first one of each member is kept."""

    def add(self, member: str, message: str) -> None:
        self.setdefault(member, message)

    def refuse_if_any(self) -> None:
        if self:
            raise ApiError(400, "The request is invalid.", dict(self))


def normalize(email: str) -> str:
    """Trim and lower-case an address, as it is compared and stored."""
    return email.strip().lower()


def is_email(email: str) -> bool:
    """Whether a normalized address is valid."""
    return len(email) <= 254 and bool(_EMAIL.fullmatch(email))


def is_id(value) -> bool:
    return type(value) is int and 0 <= value <= MAX_INTEGER


def json_body():
    """The request's JSON value; None if it is not valid JSON."""
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        return None


def body() -> dict:
    """The request's JSON object; anything else is a 400."""
    if request.mimetype != "application/json":
        raise ApiError(400, "The Content-Type must be application/json.")
    data = json_body()
    if not isinstance(data, dict):
        raise ApiError(400, "The body must be a JSON object.")
    return data


def login(source: str) -> dict:
    """The members of the login: client id and secret from the headers.

    :param source: of username and password: ``headers``, ``body`` or ``either``; a body must be
        valid, unless only headers are read
    """
    headers = {name: request.headers[name] for name in LOGIN if name in request.headers}
    if source == "headers" or (
        source == "either" and not request.get_data() and set(LOGIN[:2]) <= headers.keys()
    ):
        return headers
    data = body()
    texts(data, LOGIN[:2], LOGIN[2:])
    return data | headers if source == "either" else headers | data


def texts(data: dict, required=(), optional=(), emails=(), others=()) -> None:
    """Check that the members are non-empty strings, and that there are no unknown members.

    ``emails`` must be addresses as well; ``others`` are allowed and not checked.
    """
    problems = Problems()
    unknown(data, (*required, *optional, *others), problems)
    for name in required:
        if name not in data:
            problems.add(name, f"{name} is required.")
    for name in (*required, *optional):
        if name in data:
            text(data[name], name, problems)
    for name in emails:
        if name in data and name not in problems and not is_email(normalize(data[name])):
            problems.add(name, f"{name} must be an email address.")
    problems.refuse_if_any()


def unknown(data: dict, known, problems: Problems) -> None:
    for name in data:
        if name not in known:
            problems.add(name, f"{name} is unknown.")


def text(value, name: str, problems: Problems, empty: bool = False) -> bool:
    """Whether this is a string; empty only if ``empty`` allows it."""
    if not isinstance(value, str):
        problems.add(name, f"{name} must be a string.")
    elif not (empty or value.strip()):
        problems.add(name, f"{name} must not be empty.")
    elif not value.isprintable() and _unstorable(value):
        problems.add(name, f"{name} contains invalid characters.")
    else:
        return True
    return False


def page_of(max_size: int) -> tuple[int, int]:
    """``page`` and ``pageSize`` of the query, limited to ``max_size``."""
    problems = Problems()
    page = _number("page", 1, problems)
    size = _number("pageSize", max_size, problems)
    problems.refuse_if_any()
    return page, min(size, max_size)


def query(*known: str) -> None:
    """Check that there are no unknown query parameters."""
    problems = Problems()
    unknown(request.args, known, problems)
    problems.refuse_if_any()


def since() -> int:
    """The ``since`` of the query in milliseconds; 0 if missing."""
    if "since" not in request.args:
        return 0
    try:
        return max(0, clock.from_text(request.args["since"]))
    except ValueError as error:
        raise ApiError(400, "The request is invalid.", {"since": f"since {error}."}) from None


def _number(name, default, problems):
    value = request.args.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < 1:
        problems.add(name, f"{name} must be a whole number of at least 1.")
        return default
    return int(value)


def _unstorable(value):
    # JSON may contain half of a surrogate pair, which cannot be encoded.
    return any(0xD800 <= ord(character) <= 0xDFFF for character in value)
