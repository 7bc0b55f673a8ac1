"""The account's session: the login, the limits, what is repeated, and what an answer means.

=====================  =====================================================================
what comes             what happens
=====================  =====================================================================
no connection, 5xx     GET and PUT: again after a pause, ``retries`` times at most, within the
                       ``seconds`` of the call. POST: never, the caller must know that an answer
                       was lost. Then CampaignMasterConnectionError
401                    the token is renewed once and the call repeated once, whatever its kind: a
                       401 says that nothing was done. Then CampaignMasterAuthError
429                    CampaignMasterRateLimitError, at once
400, 404               CampaignMasterRefusedError, CampaignMasterNotFoundError, at once
anything else          CampaignMasterResponseError, at once
=====================  =====================================================================

The repeating is a loop here and not urllib3's ``Retry``: that one does not tell how many requests
it has sent (each counts against the quota), and is over before the body is read.
"""

import json
import logging
import random
import time
from collections.abc import Callable
from datetime import datetime, timezone

from . import wire
from .errors import (
    CampaignMasterAuthError,
    CampaignMasterConfigurationError,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    CampaignMasterRefusedError,
    CampaignMasterResponseError,
    FieldError,
)
from .ledger import Ledger, MemoryLedger
from .transport import Answer, Exchange, Transport

_logger = logging.getLogger(__name__)

BACKOFF = 0.5  # seconds before the first repetition; doubled each time, up to half as much again
MASK_FROM = 4  # characters; a shorter secret cannot be told from ordinary text
_NOT_JSON = object()


class Session:
    """See :class:`~.api.CampaignMasterClient` for the parameters."""

    def __init__(
        self,
        api_url: str,
        username: str,
        password: str,
        *,
        ledger: Ledger | None = None,
        timeout: float | tuple[float, float] = (5, 30),
        retries: int = 2,
        seconds: float = 50,
    ):
        self._transport = Transport(api_url, timeout)
        if not username or not password:
            raise CampaignMasterConfigurationError(
                "no_login", "The username or the password is missing."
            )
        self.ledger = MemoryLedger() if ledger is None else ledger
        self._username = username
        self._password = password
        self._secrets = {password}  # and the tokens that were used
        self._retries = retries
        self._seconds = seconds
        self._ends = None  # of the call under way, on the clock of time.monotonic()

    @property
    def url(self) -> str:
        return self._transport.url

    def __repr__(self):
        return f"<{type(self).__name__} {self.url}>"

    def close(self) -> None:
        self._transport.close()

    def call(self, call: wire.Call, read: Callable):
        """Carry out one call with a good token.

        :param read: makes the result of the answer's :class:`~.wire.Members`
        :return: what ``read`` returns
        :raise CampaignMasterError:
        """
        self.ledger.before_call(str(call))
        self._ends = time.monotonic() + self._seconds
        sent, limits = 0, wire.Limits()
        try:
            token = self.ledger.token() or self._renew(None)
            exchange, sent = self._send(call, token)
            if exchange.answer and exchange.answer.status == 401:
                exchange, more = self._send(call, self._renew(token))
                sent += more
            if exchange.answer:
                limits = wire.read_limits(exchange.answer.headers, _now())
        finally:
            self.ledger.after_call(str(call), limits, sent)
        return self._result(call, exchange, read)

    def login(self) -> None:
        """Log in anew, even if there is a good token.

        :raise CampaignMasterError:
        """
        self._ends = time.monotonic() + self._seconds
        self._renew(self.ledger.token())

    def _renew(self, refused):
        return self.ledger.renew(refused, self._login)

    def _login(self):
        call = wire.login(self._username, self._password)
        exchange, _sent = self._send(call, None)
        return self._result(call, exchange, wire.read_token)

    def _send(self, call, token) -> tuple[Exchange, int]:
        """Send a call, and again if that is safe and may help.

        :return: what became of the last request, and how many went out
        """
        if token:
            self._secrets.add(token)
        exchange = self._transport.send(call, token, self._ends)
        sent = exchange.sent
        for attempt in range(self._retries if call.repeatable else 0):
            pause = BACKOFF * 2**attempt * random.uniform(1, 1.5)  # noqa: S311 (not a secret)
            if not exchange.may_pass or time.monotonic() + pause >= self._ends:
                break
            time.sleep(pause)
            exchange = self._transport.send(call, token, self._ends)
            sent += exchange.sent
        return exchange, sent

    # === WHAT AN ANSWER MEANS === #

    def _result(self, call, exchange, read):
        try:
            if exchange.error:
                raise exchange.error
            self._check_status(call, exchange.answer)
            return self._read(call, exchange.answer, read)
        except CampaignMasterError as error:
            _logger.warning("%s failed: %s", call, error.code)
            raise

    def _check_status(self, call: wire.Call, answer: Answer) -> None:
        """Raise what a status other than 200 and 201 stands for."""
        status, name = answer.status, str(call)
        if status in (200, 201):
            return
        if call.is_login and (
            status == 401 or (status == 500 and wire.LOGIN_REFUSED in answer.body)
        ):
            raise CampaignMasterAuthError(
                "login_refused", "Campaign Master refused the username or the password.", call=name
            )
        if status == 400:
            message, errors = wire.read_refusal(_json(answer.body))
            raise CampaignMasterRefusedError(
                "refused",
                self._masked(message) or "Campaign Master refused the request.",
                errors=[
                    FieldError(self._masked(field), self._masked(text)) for field, text in errors
                ],
                about=call.about,
                call=name,
            )
        if status == 401:
            raise CampaignMasterAuthError(
                "token_refused",
                "Campaign Master refused a token that it had just given.",
                call=name,
            )
        if status == 404 and call.about:
            raise CampaignMasterNotFoundError(
                "not_found",
                f"Campaign Master does not have this {call.about} (any more).",
                call=name,
            )
        if status == 404:
            raise CampaignMasterNotFoundError(
                "wrong_address",
                "Nothing is found there: the API address seems to be wrong.",
                call=name,
            )
        if status == 429:
            period, reset_at = "hour", None  # of the login, whose answers have no limits
            if not call.is_login:
                now = _now()
                period, reset_at = wire.spent_period(wire.read_limits(answer.headers, now), now)
            raise CampaignMasterRateLimitError(
                f"{period}_spent",
                f"The calls that Campaign Master allows in this {period} are spent.",
                period=period,
                reset_at=reset_at,
                call=name,
            )
        unknown = call.writes and not 400 <= status < 500
        if 500 <= status < 600:
            raise CampaignMasterConnectionError(
                "server_error",
                f"Campaign Master has a problem of its own (status {status}).",
                call=name,
                outcome_unknown=unknown,
            )
        if 300 <= status < 400:
            code = "redirect"
            message = (
                "The server points to another address, which is not followed:"
                " the API address seems to be wrong."
            )
        else:
            code = "unexpected_status"
            message = f"The answer has a status that was not agreed on ({status})."
        raise CampaignMasterResponseError(
            code, message, call=name, status=status, outcome_unknown=unknown
        )

    @staticmethod
    def _read(call, answer, read):
        data = _json(answer.body)
        if data is _NOT_JSON:
            code, message = "not_json", "The answer is not JSON."
        else:
            try:
                return read(wire.Members(data))
            except wire.UnusableError as problem:
                code, message = "bad_member", f"The answer cannot be used: {problem}."
        raise CampaignMasterResponseError(
            code, message, call=str(call), status=answer.status, outcome_unknown=call.writes
        )

    def _masked(self, text):
        """The server's text without our secrets, should it repeat them."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            if len(secret) >= MASK_FROM:
                text = text.replace(secret, "***")
        return text


def _json(body):
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _refuse_constant(word):
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(word)


def _now():
    return datetime.now(timezone.utc)
