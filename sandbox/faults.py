"""Simulated faults of the network, a proxy or the server.

``POST /_sandbox/faults`` takes a list of faults. ``match``, ``account`` and ``body`` select the
calls of a fault; it skips the first ``skip`` of them and applies to the next ``count``. At most one
fault applies to a call: the first one in the list that matches.

A kind is a name with an optional detail, such as ``hang:20``; ``fault_kinds.py`` has all of them.
"""

import socket
import threading
from dataclasses import dataclass, field

from flask import Response

from . import clock, fault_kinds


@dataclass
class Call:
    """An API call."""

    kind: str
    """Method and path with ``ID`` for ids: ``POST /lists/ID/recipients``."""
    path: str
    """Method, path and query: ``GET /lists?page=2``."""
    body: str
    account: str | None
    socket: socket.socket
    at: int = field(default_factory=clock.now)
    status: int | None = None


@dataclass
class Fault:
    """An entry of the list of faults."""

    kind: str
    match: str = ""
    """Prefix of a call's kind or path (``POST /lists``); with a final ``$``, the complete kind or
    path (``GET /campaigns/ID$``). Empty: all calls."""
    skip: int = 0
    count: int | None = 1
    """How often it applies; None: until the faults are replaced."""
    body: str = ""
    """Only calls with this text in the body, ignoring case."""
    account: str | None = None
    """Only calls of this user."""
    played: int = 0

    def __post_init__(self):
        self.name, _, self.detail = self.kind.partition(":")
        self.handler, check_detail = fault_kinds.of(self.name)
        check_detail(self)

    def matches(self, call: Call) -> bool:
        if self.account not in (None, call.account):
            return False
        if self.body.lower() not in call.body.lower():
            return False
        texts = (call.kind, call.path)
        if self.match.endswith("$"):
            return self.match[:-1] in texts
        return any(text.startswith(self.match) for text in texts)

    def as_dict(self) -> dict:
        return {
            "kind": self.kind,
            "match": self.match,
            "skip": self.skip,
            "count": self.count,
            "body": self.body,
            "account": self.account,
            "played": self.played,
        }


class Faults:
    """The list of faults, and the held calls."""

    def __init__(self):
        self._lock = threading.Condition()
        self._faults: list[Fault] = []
        self._held: list[Call] = []
        self._resumed: dict[int, bool] = {}
        """Released calls: whether to resume them."""

    def set(self, values: list[dict]) -> None:
        """Replace all faults.

        :raise ValueError: one is invalid
        """
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise ValueError("the faults must be a list of objects")
        faults = [_parse(value) for value in values]
        with self._lock:
            self._faults = faults

    def pick(self, call: Call) -> Fault | None:
        """Select and count the fault that applies to the call."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(call) or fault.count == 0:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.count is not None:
                    fault.count -= 1
                fault.played += 1
                return fault
        return None

    def hold(self, call: Call) -> bool:
        """Wait until the call is released; return whether to resume it."""
        with self._lock:
            self._held.append(call)
            self._lock.wait_for(lambda: id(call) in self._resumed)
            return self._resumed.pop(id(call))

    def release(self, drop: bool = False) -> int:
        """Resume or drop the held calls; return their number."""
        with self._lock:
            released, self._held = self._held, []
            self._resumed.update((id(call), not drop) for call in released)
            self._lock.notify_all()
            return len(released)

    def as_dicts(self) -> list[dict]:
        with self._lock:
            return [fault.as_dict() for fault in self._faults]

    def held(self) -> list[dict]:
        with self._lock:
            return [
                {"call": call.path, "account": call.account, "since": clock.to_text(call.at)}
                for call in self._held
            ]


def before(fault: Fault, call: Call, faults: Faults) -> Response | None:
    """Apply a fault before the call is processed; a response replaces the processing."""
    return fault.handler(fault, call, None, faults)


def after(fault: Fault, call: Call, response: Response, faults: Faults) -> Response:
    """Apply a fault after the call was processed; return the response to send."""
    return fault.handler(fault, call, response, faults) or response


def _parse(values):
    types = {"kind": str, "match": str, "skip": int, "count": int, "body": str, "account": str}
    for name, value in values.items():
        if name not in types:
            raise ValueError(f"a fault has no {name}")
        if value is None and name in ("count", "account"):
            continue
        if type(value) is not types[name] or (types[name] is int and value < 0):
            raise ValueError(f"{name} of a fault must be a {types[name].__name__}")
    if "kind" not in values:
        raise ValueError("a fault needs a kind")
    return Fault(**values)
