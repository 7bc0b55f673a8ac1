"""Reading requests: exactly what the contract says, or a 400 that says which member is wrong."""

import json
import re

from flask import request

from . import clock
from .errors import Refused

# Common sense rather than RFC 5322: what a mail system will really deliver to.
_LOCAL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"{_LOCAL}(\.{_LOCAL})*@({_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)
LARGEST_NUMBER = 2**63 - 1
"""What SQLite can take for a number."""


class Problems(dict):
    """What is wrong, by member; the first problem of a member counts."""

    def add(self, member: str, message: str) -> None:
        self.setdefault(member, message)

    def refuse_if_any(self) -> None:
        if self:
            raise Refused(400, "The request is not valid.", dict(self))


def normal(email: str) -> str:
    """An address as it is compared and kept: trimmed and lower-cased."""
    return email.strip().lower()


def is_email(email: str) -> bool:
    """Whether a normal address could exist."""
    return len(email) <= 254 and bool(_EMAIL.fullmatch(email))


def is_id(value) -> bool:
    """Whether a value could be an id: a whole number, and not true or false."""
    return type(value) is int and 0 <= value <= LARGEST_NUMBER


def any_body():
    """What the request's JSON says; None when it is no JSON."""
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        return None


def body() -> dict:
    """The request's JSON object."""
    if request.mimetype != "application/json":
        raise Refused(400, "Send JSON, as Content-Type: application/json.")
    data = any_body()
    if not isinstance(data, dict):
        raise Refused(400, "The body must be a JSON object.")
    return data


def texts(data: dict, required=(), optional=(), emails=(), others=()) -> None:
    """Refuse unless exactly these members are there, as texts with something in them.

    ``emails`` are the texts that must be addresses; ``others`` may be there and are left alone.
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
        if name in data and name not in problems and not is_email(normal(data[name])):
            problems.add(name, f"{name} must be an e-mail address.")
    problems.refuse_if_any()


def unknown(data: dict, known, problems: Problems) -> None:
    for name in data:
        if name not in known:
            problems.add(name, f"{name} is not a member of this call.")


def text(value, name: str, problems: Problems, empty: bool = False) -> bool:
    """Whether this is a text, with something in it unless ``empty`` is allowed."""
    if not isinstance(value, str):
        problems.add(name, f"{name} must be a text.")
    elif not (empty or value.strip()):
        problems.add(name, f"{name} must not be empty.")
    elif not value.isprintable() and _unstorable(value):
        problems.add(name, f"{name} has characters that are not text.")
    else:
        return True
    return False


def page_of(largest: int) -> tuple[int, int]:
    """``page`` and ``pageSize`` of the query, the size cut to what the server gives."""
    problems = Problems()
    page = _number("page", 1, problems)
    size = _number("pageSize", largest, problems)
    problems.refuse_if_any()
    return page, min(size, largest)


def query(*known: str) -> None:
    """Refuse query parameters that the call does not have."""
    problems = Problems()
    unknown(request.args, known, problems)
    problems.refuse_if_any()


def since() -> int:
    """The ``since`` of the query in milliseconds; 0 when it is left out."""
    if "since" not in request.args:
        return 0
    try:
        return max(0, clock.from_text(request.args["since"]))
    except ValueError as error:
        raise Refused(400, "The request is not valid.", {"since": f"since {error}."}) from None


def _number(name, default, problems):
    given = request.args.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", given) or int(given) < 1:
        problems.add(name, f"{name} must be a whole number from 1.")
        return default
    return int(given)


def _unstorable(value):
    # JSON may carry half a surrogate pair, which is no character and has no bytes.
    return any(0xD800 <= ord(character) <= 0xDFFF for character in value)
