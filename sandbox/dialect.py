"""Dialects: the other forms of the contract that a client must understand.

``docs/api.md`` says which forms the client tolerates. ``POST /_sandbox/dialect`` selects those
that the sandbox speaks, in any combination. Controls and web pages never change.
"""

import json
import re
from dataclasses import asdict, dataclass, fields

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-client-secret"}
LETTER_CASES = {
    "camel": None,
    "pascal": lambda name: name[:1].upper() + name[1:],
    "lower": str.lower,
    "upper": str.upper,
}
NUMBERS = {"integers": None, "strings": str, "floats": float}
FEW = {
    *("token", "items", "results", "total", "isLastPage", "id", "name", "reference", "email"),
    *("status", "Status", "StatusMessage", "message", "errors", "field"),
}
"""What stays if few members are sent, besides statistics and what a recipient did."""
FIGURES = {
    "all": "sent delivered hardBounces softBounces rejected opens uniqueOpens clicks uniqueClicks"
    " forwards uniqueForwards unsubscribes complaints",
    "bounces": "sent bounces opens uniqueOpens clicks uniqueClicks forwards uniqueForwards"
    " unsubscribes",
    "few": "sent opens clicks",
}
"""Choices of statistics, by name."""
ALL_FIGURES = {"bounces", *FIGURES["all"].split()}
CHOICES = {
    "login": ("either", "headers", "body"),
    "letterCase": tuple(LETTER_CASES),
    "numbers": tuple(NUMBERS),
    "pages": ("total", "flag", "bare"),
}
EXAMPLES = {"prefix": ("/api/v1",), "figures": ("bounces", "few"), "recipients": (1,)}
"""Of forms with any number of values."""


@dataclass
class Dialect:
    """The defaults are the forms of ``docs/openapi.yaml``."""

    login: str = "either"
    """Where the login is read: ``headers``, ``body`` or ``either``."""
    clientId: bool = False
    """Whether the login needs the headers ``client_id`` and ``client_secret``."""
    prefix: str = ""
    """Start of all paths, such as ``/api/v1``."""
    letterCase: str = "camel"
    """Of the members of responses: ``camel``, ``pascal``, ``lower`` or ``upper``."""
    numbers: str = "integers"
    """How responses write integers: ``integers``, ``strings`` or ``floats``."""
    zone: bool = True
    """Whether the times of responses say that they are in UTC."""
    pages: str = "total"
    """How pages end: at a ``total``, with an ``isLastPage`` ``flag``, or ``bare``: if empty."""
    asOf: bool = True
    """Whether a page of activity has an ``asOf``."""
    fewMembers: bool = False
    """Whether members are left out that a client can do without, except statistics."""
    figures: str = "all"
    """Which statistics there are: ``all``, ``few``, those of older products with one number of
    ``bounces`` (hard, soft and rejected), or their members: ``sent opens uniqueOpens``."""
    recipients: int = 1_000
    """Addresses in one call of ``POST /lists/ID/recipients``."""
    later: bool = False
    """Whether a call that adds somebody is answered with 202: its results come later, when the same
    addresses are sent again."""

    def change(self, values: dict) -> None:
        """Change several forms at once; the others stay.

        :raise ValueError: one is invalid; none is changed
        """
        types = {field.name: field.type for field in fields(self)}
        for name, value in values.items():
            if name not in types:
                raise ValueError(f"unknown form {name}; the forms are {', '.join(types)}")
            if type(value) is not types[name]:
                raise ValueError(f"{name} must be a {types[name].__name__}")
            if value not in CHOICES.get(name, (value,)):
                raise ValueError(f"{name} must be one of: {', '.join(CHOICES[name])}")
        if not re.fullmatch(r"(/[a-z0-9.]+)*", values.get("prefix", "")):
            raise ValueError("prefix must be a path such as /api/v1")
        if unknown := _members(values.get("figures", "all")) - ALL_FIGURES:
            raise ValueError(f"there are no statistics {', '.join(sorted(unknown))}")
        if values.get("recipients", 1) < 1:
            raise ValueError("recipients must be at least 1")
        for name, value in values.items():
            setattr(self, name, value)

    def as_dict(self) -> dict:
        return asdict(self)

    def changes(self) -> dict:
        """The forms that are not the default."""
        default = Dialect()
        return {
            name: value for name, value in self.as_dict().items() if value != getattr(default, name)
        }

    def path(self, path: str) -> str | None:
        """A path without the prefix; None if it does not start with it."""
        if not self.prefix:
            return path
        return path.removeprefix(self.prefix) if path.startswith(f"{self.prefix}/") else None

    def translate(self, data: dict) -> dict:
        """A response in this dialect."""
        if "items" in data and self.pages != "total":
            data = self._without_total(data)
        if "uniqueOpens" in data:
            data = self._with_figures(data)
        return self._translated(data)

    def _without_total(self, data):
        data = dict(data)
        total, page, size = data.pop("total"), data.pop("page"), data.pop("pageSize")
        if self.pages == "flag":
            data.update(page=page, isLastPage=page * size >= total)
        return data

    def _with_figures(self, data):
        bounces = data["hardBounces"] + data["softBounces"] + data["rejected"]
        known, names = data | {"bounces": bounces}, _members(self.figures)
        return {name: figure for name, figure in known.items() if name in names}

    def _translated(self, data):
        if isinstance(data, list):
            return [self._translated(one) for one in data]
        if isinstance(data, dict):
            rename = LETTER_CASES[self.letterCase] or str
            return {
                rename(name): self._translated(value)
                for name, value in data.items()
                if self._is_sent(name, value, data)
            }
        if type(data) is int and (write := NUMBERS[self.numbers]):
            return write(data)
        if type(data) is str and not self.zone and TIME.fullmatch(data):
            return data.removesuffix("Z")
        return data

    def _is_sent(self, name, value, data):
        if name == "asOf":
            return self.asOf
        if not self.fewMembers or data.keys() <= ALL_FIGURES:
            return True
        if "email" in data:  # a recipient
            return name == "email" or (name != "message" and bool(value))
        return name in FEW


def other_forms() -> dict:
    """The values of each form that are not the default, or examples of them."""
    default = Dialect()
    return {
        name: EXAMPLES.get(name)
        or tuple(one for one in CHOICES.get(name, (True, False)) if one != value)
        for name, value in default.as_dict().items()
    }


def _members(figures):
    """The members of statistics, by the name of a choice or by their names."""
    return set(FIGURES.get(figures, figures).split())


def from_text(text: str) -> dict:
    """Forms from the command line: ``login=headers,zone=false,recipients=1``.

    :raise ValueError: one is not NAME=VALUE
    """
    values = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"expected NAME=VALUE, not {part}")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values
