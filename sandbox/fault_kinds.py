"""The kinds of simulated faults.

A handler is called before the call is processed (without a response) and afterwards, and acts on
one of these calls. Connection faults are responses that fail while their body is sent.
"""

import json
import os
import socket
import struct
import time

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
"""The wrong type everywhere, as no member of the contract is an object."""


def _status(fault, call, response, faults):
    """Instead of processing: this status. ``400:MEMBER`` names a member in ``errors``; ``429:S`` is
    the hourly limit, which resets in S seconds."""
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
        g.rate_limit.remaining = 0
        # Rounded up, so that a client that waits until then succeeds.
        g.rate_limit.reset = int(clock.now() / clock.SECOND + seconds) + 1
    return _json(body, status)


def _month(fault, call, response, faults):
    """Instead of processing: 429 for the month, with calls left this hour."""
    if response:
        return None
    g.rate_limit.remaining = max(1, g.rate_limit.remaining)
    return _json({"message": "Monthly limit reached"}, 429)


def _invalid_login(fault, call, response, faults):
    """Instead of processing: 500 with ``InvalidLogin``, like the older service."""
    if response:
        return None
    return _json({"message": "InvalidLogin: the username or password is wrong."}, 500)


def _accepted(fault, call, response, faults):
    """After processing: 202 without results, which come later."""
    if not response or response.status_code >= 400:
        return None
    return _json({"message": "Accepted"}, 202)


def _html(fault, call, response, faults):
    """Instead of processing: 200 with a web page, like a proxy under maintenance."""
    if response:
        return None
    page = "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>"
    return Response(page, content_type="text/html; charset=utf-8")


def _hang(fault, call, response, faults):
    """Instead of processing: no response for S seconds, then the connection is closed."""
    return None if response else Response(_silence(call.socket, float(fault.detail)))


def _hang_after(fault, call, response, faults):
    """After processing: no response for S seconds, then the connection is closed."""
    return Response(_silence(call.socket, float(fault.detail))) if response else None


def _slow(fault, call, response, faults):
    """Before processing: a delay of S seconds."""
    if not response:
        time.sleep(float(fault.detail))


def _drip(fault, call, response, faults):
    """After processing: the response body is sent slowly, over S seconds."""
    if not response:
        return None
    body, seconds = response.get_data(), float(fault.detail)
    return _with_body(response, _send_slowly(body, seconds), len(body))


def _reset_before(fault, call, response, faults):
    """Instead of processing: the connection is reset."""
    return None if response else Response(_reset(call.socket))


def _reset_after(fault, call, response, faults):
    """After processing: the connection is reset, so the response is lost."""
    return Response(_reset(call.socket)) if response else None


def _cut(fault, call, response, faults):
    """After processing: the connection is closed after half of the response body."""
    if not response:
        return None
    body = response.get_data()
    return _with_body(response, _half(body, call.socket), len(body))


def _hold(fault, call, response, faults):
    """Before processing: wait for ``/_sandbox/release``."""
    if not response and not faults.hold(call):
        return Response(_reset(call.socket))
    return None


def _hold_after(fault, call, response, faults):
    """After processing: wait for ``/_sandbox/release``."""
    if response and not faults.hold(call):
        return Response(_reset(call.socket))
    return None


def _bad_json(fault, call, response, faults):
    """After processing: the JSON of the response is cut in half."""
    if response:
        body = response.get_data()
        response.set_data(body[: len(body) // 2])


def _drop(fault, call, response, faults):
    """After processing: a member is removed from the response and the objects in its lists."""
    if response:
        _rewrite(
            response,
            lambda data: _each_object(data, lambda one: one.pop(_named(one, fault.detail), 0)),
        )


def _type(fault, call, response, faults):
    """After processing: a member of the response has the wrong type."""
    if response:
        _put(response, fault.detail, WRONG_TYPE)


def _set(fault, call, response, faults):
    """After processing: a member of the response has another value: ``set:status="archived"``."""
    if response:
        member, _, value = fault.detail.partition("=")
        _put(response, member, json.loads(value))


def _empty_page(fault, call, response, faults):
    """After processing: the page is empty, contrary to ``total``."""
    if response:
        _change_list(response, "items", lambda items: [])


def _repeat_page(fault, call, response, faults):
    """Each page has the items of the first one."""
    if not response:
        g.repeated_page = 1


def _endless_pages(fault, call, response, faults):
    """The items of the first N pages (2) repeat in a cycle, and ``total`` promises more."""
    if response:
        # A dialect may have no total.
        _rewrite(
            response,
            lambda data: "total" in data and data.update(total=data["page"] * data["pageSize"] + 1),
        )
    else:
        g.page_cycle = int(fault.detail or 2)


def _full_page(fault, call, response, faults):
    """The first page has all items, regardless of its size."""
    if not response:
        g.all_on_first_page = True


def _huge(fault, call, response, faults):
    """After processing: the response has an unknown member of N megabytes (64)."""
    if not response:
        return None
    body, size = response.get_data(), int(fault.detail or 64) * 1_000_000
    end = b',"padding":"%b"}'
    start = body.rstrip()[:-1]
    return _with_body(response, _pad(start, end, size), len(start) + len(end) - 2 + size)


def _lose_results(fault, call, response, faults):
    """After processing: the last N results (1) are missing from the response."""
    if response:
        lost = int(fault.detail or 1)
        _change_list(response, "results", lambda results: results[:-lost])


def _alien_result(fault, call, response, faults):
    """After processing: the response has a result for an address that was not requested."""
    alien = {"email": "not.requested@example.org", "status": "added", "message": ""}
    if response:
        _change_list(response, "results", lambda results: [*results, alien])


def _json(body, status):
    return Response(json.dumps(body), status, content_type="application/json")


def _with_body(response, chunks, length):
    """The response with another body, sent in chunks."""
    changed = Response(chunks, response.status, content_type=response.content_type)
    changed.headers["Content-Length"] = str(length)
    return changed


def _rewrite(response, change):
    data = response.get_json(silent=True)
    if isinstance(data, dict):
        change(data)
        response.set_data(json.dumps(data))


def _change_list(response, member, change):
    def put(data):
        name = _named(data, member)
        if isinstance(data.get(name), list):
            data[name] = change(data[name])

    _rewrite(response, put)


def _put(response, member, value):
    def put(one):
        if (name := _named(one, member)) in one:
            one[name] = value

    _rewrite(response, lambda data: _each_object(data, put))


def _named(data, member):
    """The name that a member has in the sandbox's dialect."""
    return next((name for name in data if name.lower() == member.lower()), member)


def _each_object(data, change):
    """Apply ``change`` to the response and to the objects in its lists."""
    for value in list(data.values()):
        for item in value if isinstance(value, list) else []:
            if isinstance(item, dict):
                change(item)
    change(data)


def _send_slowly(body, seconds):
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
    # A linger of zero seconds sends RST instead of FIN. The descriptor is closed directly, as the
    # server's readers and writers keep the socket object open.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
    raise ConnectionResetError
    yield


def _check_status_detail(fault):
    if fault.name == "429" and fault.detail:
        _needs_seconds(fault)
    if fault.name not in ("400", "429"):
        _without_detail(fault)


def _without_detail(fault):
    if fault.detail:
        raise ValueError(f"{fault.name} has no detail")


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
        raise ValueError("set needs a member and a JSON value: set:MEMBER=JSON")


def _needs_seconds(fault):
    if not fault.detail.replace(".", "", 1).isdecimal():
        raise ValueError(f"{fault.name} needs seconds: {fault.name}:S")


def _optional_number(fault):
    if fault.detail and not fault.detail.isdecimal():
        raise ValueError(f"the detail of {fault.name} must be a whole number")


KINDS = {
    "202": (_accepted, _without_detail),
    "429-month": (_month, _without_detail),
    "invalid-login": (_invalid_login, _without_detail),
    "html": (_html, _without_detail),
    "hang": (_hang, _needs_seconds),
    "hang-after": (_hang_after, _needs_seconds),
    "slow": (_slow, _needs_seconds),
    "drip": (_drip, _needs_seconds),
    "reset-before": (_reset_before, _without_detail),
    "reset-after": (_reset_after, _without_detail),
    "cut": (_cut, _without_detail),
    "hold": (_hold, _without_detail),
    "hold-after": (_hold_after, _without_detail),
    "badjson": (_bad_json, _without_detail),
    "drop": (_drop, _needs_member),
    "type": (_type, _needs_member),
    "set": (_set, _needs_value),
    "empty-page": (_empty_page, _without_detail),
    "repeat-page": (_repeat_page, _without_detail),
    "endless-pages": (_endless_pages, _optional_number),
    "full-page": (_full_page, _without_detail),
    "huge": (_huge, _optional_number),
    "lose-results": (_lose_results, _optional_number),
    "alien-result": (_alien_result, _without_detail),
}
STATUSES = {str(status) for status in range(300, 600)}


def of(name):
    """The handler of a kind, and what checks the detail of its faults.

    :raise ValueError: there is no such kind
    """
    if name in KINDS:
        return KINDS[name]
    if name in STATUSES:
        return _status, _check_status_detail
    raise ValueError(f"unknown fault {name}; the faults are an HTTP status, {', '.join(KINDS)}")
