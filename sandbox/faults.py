"""Faults to order: what a network, a proxy or a sick server does to a call.

``POST /_sandbox/faults`` takes a list of faults. A fault with ``match``, ``account`` and ``body``
chooses its calls, lets the first ``skip`` of them pass and plays on the next ``count``. The first
fault of the list that fits plays; at most one per call.

A kind is a name, or a name and a detail: ``hang:20``. It acts before the work, in place of it, or
on the answer to work that was done; which is which stands beside each kind below.
"""

import json
import os
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from flask import Response, g

from . import clock

STATUS_TEXTS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
WRONG_TYPE = {"unexpected": True}
"""No member of the contract is an object, so this is of the wrong type everywhere."""


@dataclass
class Call:
    """One call of the contract on its way through the sandbox."""

    kind: str
    """Method and path with ``ID`` for ids: ``POST /lists/ID/recipients``."""
    path: str
    """Method, path and query as they came: ``GET /lists?page=2``."""
    body: str
    account: str | None
    socket: socket.socket
    at: int = field(default_factory=clock.now)
    status: int | None = None


@dataclass
class Fault:
    """One line of the list of faults."""

    kind: str
    match: str = ""
    """The beginning of a call's kind or path (``POST /lists``); with ``$`` at the end all of it
    (``GET /campaigns/ID$``); nothing fits every call."""
    skip: int = 0
    count: int | None = 1
    """How often it plays; None: until the faults are set anew."""
    body: str = ""
    """Only calls whose body contains this text, whatever its letter case."""
    account: str | None = None
    """Only calls of this user."""
    played: int = 0

    def __post_init__(self):
        self.name, _, self.detail = self.kind.partition(":")
        if self.name in KINDS:
            self.player, check = KINDS[self.name]
            check(self)
        elif self.name in STATUSES:
            self.player = _status
            _status_detail(self)
        else:
            raise ValueError(f"no fault is called {self.name}: there are {', '.join(ALL_KINDS)}")

    def fits(self, call: Call) -> bool:
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
    """The list of faults, and the calls that are held."""

    def __init__(self):
        self._lock = threading.Condition()
        self._faults: list[Fault] = []
        self._held: list[Call] = []
        self._let_go: dict[int, bool] = {}

    def set(self, wanted: list[dict]) -> None:
        """Replace all faults; ValueError says what is wrong with them."""
        if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
            raise ValueError("send a list of objects")
        faults = [_checked(one) for one in wanted]
        with self._lock:
            self._faults = faults

    def pick(self, call: Call) -> Fault | None:
        """The fault that plays on this call, counted as played."""
        with self._lock:
            for fault in self._faults:
                if not fault.fits(call) or fault.count == 0:
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
        """Wait until released; True if the call shall go on, False if it shall be dropped."""
        with self._lock:
            self._held.append(call)
            self._lock.wait_for(lambda: id(call) in self._let_go)
            return self._let_go.pop(id(call))

    def release(self, drop: bool = False) -> int:
        """Let the held calls go on, or drop them with their connections; how many there were."""
        with self._lock:
            released, self._held = self._held, []
            self._let_go.update((id(call), not drop) for call in released)
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
    """Play what comes before the work; a response takes the work's place."""
    return fault.player(fault, call, None, faults)


def after(fault: Fault, call: Call, response: Response, faults: Faults) -> Response:
    """Play what comes after the work; the response that goes out instead."""
    return fault.player(fault, call, response, faults) or response


def _checked(one):
    names = {"kind": str, "match": str, "skip": int, "count": int, "body": str, "account": str}
    for name, value in one.items():
        if name not in names:
            raise ValueError(f"a fault has no {name}")
        if value is None and name in ("count", "account"):
            continue
        if type(value) is not names[name] or (names[name] is int and value < 0):
            raise ValueError(f"{name} of a fault must be a {names[name].__name__}")
    if "kind" not in one:
        raise ValueError("a fault needs a kind")
    return Fault(**one)


# Each player is called twice, before the work (response None) and after it, and acts in one of
# both. Faults of the connection are responses too: their body, when its turn to be sent comes,
# does the damage.


def _status(fault, call, response, faults):
    """In place of the work: an answer with this status. ``400:MEMBER`` blames a member;
    ``429:S`` is the hour's limit with S seconds to go."""
    if response:
        return None
    status = int(fault.name)
    body = {"message": STATUS_TEXTS.get(status, "Fault")}
    if status == 400:
        body["errors"] = []
        if fault.detail:
            body["errors"] = [{"field": fault.detail, "message": f"{fault.detail} is refused."}]
    if status == 429:
        seconds = float(fault.detail or 3600)
        g.allowance.remaining = 0
        # Rounded up: who waits until then finds the door open.
        g.allowance.reset = int(clock.now() / clock.SECOND + seconds) + 1
    return _json(body, status)


def _month(fault, call, response, faults):
    """In place of the work: 429 for the month, with calls left in the hour."""
    if response:
        return None
    g.allowance.remaining = max(1, g.allowance.remaining)
    return _json({"message": "Monthly limit reached"}, 429)


def _invalid_login(fault, call, response, faults):
    """In place of the work: 500 with the older service's ``InvalidLogin``."""
    if response:
        return None
    return _json({"message": "InvalidLogin: the username or password is wrong."}, 500)


def _html(fault, call, response, faults):
    """In place of the work: 200 with a web page, as a proxy under maintenance gives."""
    if response:
        return None
    page = "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>"
    return Response(page, content_type="text/html; charset=utf-8")


def _hang(fault, call, response, faults):
    """In place of the work: nothing for S seconds, then the connection is closed."""
    return None if response else Response(_silence(call.socket, float(fault.detail)))


def _hang_after(fault, call, response, faults):
    """Work done, then nothing for S seconds, then the connection is closed."""
    return Response(_silence(call.socket, float(fault.detail))) if response else None


def _slow(fault, call, response, faults):
    """Before the work: S seconds late, otherwise as usual."""
    if not response:
        time.sleep(float(fault.detail))


def _drip(fault, call, response, faults):
    """Work done, the answer's body trickles in over S seconds."""
    if not response:
        return None
    body, seconds = response.get_data(), float(fault.detail)
    return _with_body(response, _trickle(body, seconds), len(body))


def _reset_before(fault, call, response, faults):
    """In place of the work: the connection is reset."""
    return None if response else Response(_reset(call.socket))


def _reset_after(fault, call, response, faults):
    """Work done, then the connection is reset: the answer is lost."""
    return Response(_reset(call.socket)) if response else None


def _cut(fault, call, response, faults):
    """Work done, half of the answer's body arrives, then the connection is closed."""
    if not response:
        return None
    body = response.get_data()
    return _with_body(response, _half(body, call.socket), len(body))


def _hold(fault, call, response, faults):
    """Before the work: waits for ``/_sandbox/release``."""
    if not response and not faults.hold(call):
        return Response(_reset(call.socket))
    return None


def _hold_after(fault, call, response, faults):
    """Work done, the answer waits for ``/_sandbox/release``."""
    if response and not faults.hold(call):
        return Response(_reset(call.socket))
    return None


def _bad_json(fault, call, response, faults):
    """Work done, 2xx, but the body ends in the middle of its JSON."""
    if response:
        body = response.get_data()
        response.set_data(body[: len(body) // 2])


def _drop(fault, call, response, faults):
    """Work done, the answer lacks a member, wherever it had one of that name."""
    if response:
        _rewrite(response, lambda data: _each_object(data, lambda one: one.pop(fault.detail, 0)))


def _type(fault, call, response, faults):
    """Work done, a member of the answer is an object, which no member should be."""
    if response:
        _put(response, fault.detail, WRONG_TYPE)


def _set(fault, call, response, faults):
    """Work done, a member of the answer has another value: ``set:status="archived"``."""
    if response:
        member, _, value = fault.detail.partition("=")
        _put(response, member, json.loads(value))


def _empty_page(fault, call, response, faults):
    """Work done, but the page is empty, though ``total`` says otherwise."""
    if response:
        _change_list(response, "items", lambda items: [])


def _repeat_page(fault, call, response, faults):
    """Whatever page is asked for, the first one's items come."""
    if not response:
        g.page_given = 1


def _endless_pages(fault, call, response, faults):
    """The items of the first N pages (2) are repeated in a cycle; ``total`` announces more."""
    if response:
        _rewrite(response, lambda data: data.update(total=data["page"] * data["pageSize"] + 1))
    else:
        g.pages_in_turn = int(fault.detail or 2)


def _full_page(fault, call, response, faults):
    """All items on one page, whatever size was asked for."""
    if not response:
        g.page_without_end = True


def _huge(fault, call, response, faults):
    """Work done, the answer carries N megabytes (64) of a member nobody knows."""
    if not response:
        return None
    body, size = response.get_data(), int(fault.detail or 64) * 1_000_000
    end = b',"padding":"%b"}'
    start = body.rstrip()[:-1]
    return _with_body(response, _pad(start, end, size), len(start) + len(end) - 2 + size)


def _lose_results(fault, call, response, faults):
    """Work done, the last N results (1) are missing from the answer."""
    if response:
        lost = int(fault.detail or 1)
        _change_list(response, "results", lambda results: results[:-lost])


def _alien_result(fault, call, response, faults):
    """Work done, the answer has a result for an address that nobody asked about."""
    alien = {"email": "nobody.asked@example.org", "status": "added", "message": ""}
    if response:
        _change_list(response, "results", lambda results: [*results, alien])


def _json(body, status):
    return Response(json.dumps(body), status, content_type="application/json")


def _with_body(response, pieces, length):
    """The response's status and headers over another body, sent piece by piece."""
    changed = Response(pieces, response.status, content_type=response.content_type)
    changed.headers["Content-Length"] = str(length)
    return changed


def _rewrite(response, change):
    data = response.get_json(silent=True)
    if isinstance(data, dict):
        change(data)
        response.set_data(json.dumps(data))


def _change_list(response, member, change):
    def put(data):
        if isinstance(data.get(member), list):
            data[member] = change(data[member])

    _rewrite(response, put)


def _put(response, member, value):
    def put(one):
        if member in one:
            one[member] = value

    _rewrite(response, lambda data: _each_object(data, put))


def _each_object(data, change):
    """Apply ``change`` to the answer itself and to the objects in its lists."""
    for value in list(data.values()):
        for item in value if isinstance(value, list) else []:
            if isinstance(item, dict):
                change(item)
    change(data)


def _trickle(body, seconds):
    step = max(1, len(body) // 50)
    for start in range(0, len(body), step):
        time.sleep(seconds * step / max(1, len(body)))
        yield body[start : start + step]


def _pad(start, end, size):
    before_padding, after_padding = end.split(b"%b")
    yield start + before_padding
    for sent in range(0, size, 1_000_000):
        yield b"x" * min(1_000_000, size - sent)
    yield after_padding


def _half(body, connection):
    yield body[: len(body) // 2]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


def _silence(connection, seconds):
    time.sleep(seconds)
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError
    yield


def _reset(connection):
    # Closed with a linger of zero seconds a socket says RST, not FIN. The file number is taken
    # from the socket object, because the server's own readers and writers keep that one open.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
    raise ConnectionResetError
    yield


def _status_detail(fault):
    if fault.name == "429" and fault.detail:
        _needs_seconds(fault)
    if fault.name not in ("400", "429"):
        _no_detail(fault)


def _no_detail(fault):
    if fault.detail:
        raise ValueError(f"{fault.name} takes no detail")


def _needs_member(fault):
    if not fault.detail:
        raise ValueError(f"{fault.name} needs a member: {fault.name}:MEMBER")


def _needs_value(fault):
    member, _, value = fault.detail.partition("=")
    try:
        json.loads(value)
    except ValueError:
        member = ""
    if not member:
        raise ValueError("set needs a member and its value in JSON: set:MEMBER=JSON")


def _needs_seconds(fault):
    if not fault.detail.replace(".", "", 1).isdecimal():
        raise ValueError(f"{fault.name} needs seconds: {fault.name}:S")


def _may_have_number(fault):
    if fault.detail and not fault.detail.isdecimal():
        raise ValueError(f"the detail of {fault.name} must be a whole number")


KINDS = {
    "429-month": (_month, _no_detail),
    "invalid-login": (_invalid_login, _no_detail),
    "html": (_html, _no_detail),
    "hang": (_hang, _needs_seconds),
    "hang-after": (_hang_after, _needs_seconds),
    "slow": (_slow, _needs_seconds),
    "drip": (_drip, _needs_seconds),
    "reset-before": (_reset_before, _no_detail),
    "reset-after": (_reset_after, _no_detail),
    "cut": (_cut, _no_detail),
    "hold": (_hold, _no_detail),
    "hold-after": (_hold_after, _no_detail),
    "badjson": (_bad_json, _no_detail),
    "drop": (_drop, _needs_member),
    "type": (_type, _needs_member),
    "set": (_set, _needs_value),
    "empty-page": (_empty_page, _no_detail),
    "repeat-page": (_repeat_page, _no_detail),
    "endless-pages": (_endless_pages, _may_have_number),
    "full-page": (_full_page, _no_detail),
    "huge": (_huge, _may_have_number),
    "lose-results": (_lose_results, _may_have_number),
    "alien-result": (_alien_result, _no_detail),
}
STATUSES = {str(status) for status in range(300, 600)}
ALL_KINDS = ("an HTTP status", *KINDS)
