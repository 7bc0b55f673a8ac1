"""One HTTP request with its answer, for whoever watches the traffic.

Credentials never get here. What else there is may be anybody's data: whatever is stored or shown of
it goes through ``shape.py`` first.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from . import wire
from .errors import CampaignMasterError
from .shape import shape, shape_headers, shape_text
from .transport import Exchange

HIDDEN = "***"
MIN_SECRET = 4  # characters; a shorter one also occurs in ordinary data


@dataclass(frozen=True, slots=True, repr=False)
class Observation:
    """One request and what came of it.

    :ivar str call: the kind of call, such as ``POST /lists/ID/recipients``
    :ivar sent: the JSON body of the request, or None; of a login only its members' names
    :ivar int status: of the answer; None if there was none
    :ivar dict headers: of the answer, by :func:`~.shape.shape_headers`
    :ivar bytes body: of the answer, with :data:`HIDDEN` for known secrets, and of a login only the
        shape; None if there was no complete answer
    :ivar error: what prevented a complete answer, or None
    :ivar datetime at: when the request was sent (aware, UTC)
    :ivar float seconds: until the answer was complete
    """

    call: str
    method: str
    path: str
    params: Mapping[str, str]
    sent: Mapping | None
    status: int | None
    headers: dict[str, str]
    body: bytes | None
    error: CampaignMasterError | None
    at: datetime
    seconds: float


Observer = Callable[[Observation], None]


def observe(
    call: wire.Call, exchange: Exchange, secrets: set[str], at: datetime, seconds: float
) -> Observation:
    """:param secrets: the password and the like, in case the server repeats them"""
    answer, sent, body = exchange.answer, call.body, None
    if answer:
        body = _without(answer.body, secrets)
    if call.is_login:
        sent = dict.fromkeys(call.body, HIDDEN)
        body = body and _shaped(_without(body, {*call.body.values(), *call.headers.values()}))
    return Observation(
        call=call.kind,
        method=call.method,
        path=call.path,
        params=call.params,
        sent=sent,
        status=answer.status if answer else exchange.error.status,
        headers=shape_headers(answer.headers) if answer else {},
        body=body,
        error=exchange.error,
        at=at,
        seconds=seconds,
    )


def _shaped(body):
    """The shape of a login's answer: its text may be a token, or repeat who logs in."""
    try:
        return json.dumps(shape(wire.parse_json(body), numbers=False)).encode()
    except ValueError:
        return shape_text(body.decode("ascii", "replace")).encode()


def _without(body, secrets):
    """The shape keeps names, and a secret may look like one. (It keeps no digits in texts, so a
    secret of digits alone stays: without it, numbers would be torn apart.)"""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= MIN_SECRET and not secret.isdigit():
            for spelling in (secret, json.dumps(secret)[1:-1]):
                body = body.replace(spelling.encode(errors="surrogatepass"), HIDDEN.encode())
    return body
