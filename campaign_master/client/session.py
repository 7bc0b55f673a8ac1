"""The account's session: login, limits, retries, and the meaning of an answer.

=====================  =====================================================================
result                 reaction
=====================  =====================================================================
no connection, 5xx     GET and PUT: retried after a pause, at most ``retries`` times and within
                       the ``seconds`` of the call. POST: never retried, because the caller must
                       know that an answer was lost. Then CampaignMasterConnectionError
401                    renew the token and repeat the call, once and for every method: a 401 means
                       that nothing was done. Then CampaignMasterTokenRefusedError
202                    None, if the call is ``deferrable``: the result comes later
429                    CampaignMasterRateLimitError, at once
400                    CampaignMasterRefusedError, at once
403                    CampaignMasterNotAllowedError, at once
404                    CampaignMasterNotFoundError if the path names a campaign or list, else
                       CampaignMasterAddressError, at once
anything else          CampaignMasterResponseError, at once (CampaignMasterAddressError for a
                       redirect of a path that names no campaign or list)
=====================  =====================================================================

A login may be refused with CampaignMasterLoginRefusedError, CampaignMasterLoginDoubtError or
CampaignMasterLoginRequestError; see also ``wire.read_login_refusal``.

Retries are a loop here, not urllib3's ``Retry``: that one does not report the number of requests it
sent (each counts against the quota), and ends before the body is read.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import datetime, timezone

from . import wire
from .errors import (
    CampaignMasterAddressError,
    CampaignMasterConfigurationError,
    CampaignMasterError,
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    CampaignMasterLoginRequestError,
    CampaignMasterNotAllowedError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    CampaignMasterRefusedError,
    CampaignMasterResponseError,
    CampaignMasterServerError,
    CampaignMasterTokenRefusedError,
    FieldError,
)
from .ledger import Ledger, MemoryLedger
from .observation import HIDDEN, MIN_SECRET, Observer, observe
from .transport import Answer, Exchange, Transport

_logger = logging.getLogger(__name__)

BACKOFF = 0.5  # seconds before the first retry; doubled each time, plus up to 50 %


class Session:
    """See :class:`~.api.CampaignMasterClient` for the parameters."""

    def __init__(
        self,
        api_url: str,
        username: str,
        password: str,
        *,
        client_id: str | None,
        client_secret: str | None,
        ledger: Ledger | None,
        timeout: float | tuple[float, float],
        retries: int,
        seconds: float,
        observer: Observer | None,
    ):
        self._transport = Transport(api_url, timeout)
        if not username or not password:
            raise CampaignMasterConfigurationError(
                "no_login", "The username or the password is missing."
            )
        self.ledger = MemoryLedger() if ledger is None else ledger
        self._login_call = wire.login(username, password, client_id or "", client_secret or "")
        self._secrets = {password, client_secret or ""}  # and the tokens used so far
        self._retries = retries
        self._seconds = seconds
        self._observer = observer
        self._ends = None  # deadline of the current call, on the clock of time.monotonic()

    @property
    def url(self) -> str:
        return self._transport.url

    @property
    def body_only(self) -> list[str]:
        """See :class:`~.api.CampaignMasterClient`."""
        login = self._login_call
        return [name for name in login.body if name not in login.headers]

    def __repr__(self):
        return f"<{type(self).__name__} {self.url}>"

    def close(self) -> None:
        self._transport.close()

    def call(self, call: wire.Call, read: Callable):
        """Make one call with a valid token.

        :param read: makes the result from the answer's :class:`~.wire.Members`
        :return: the result; None if it comes later
        :raise CampaignMasterError: any error of the tree
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
        """Log in, even if the token is still valid.

        :raise CampaignMasterError: any error of the tree
        """
        self._ends = time.monotonic() + self._seconds
        self._renew(self.ledger.token())

    def _renew(self, refused):
        if refused:
            self._secrets.add(refused)
        return self.ledger.renew(refused, self._login)

    def _login(self):
        exchange, _sent = self._send(self._login_call, None)
        return self._result(self._login_call, exchange, wire.read_token)

    def _send(self, call, token) -> tuple[Exchange, int]:
        """Send a call, with retries if they are safe and may help.

        :return: the last exchange, and the number of requests sent
        """
        if token:
            self._secrets.add(token)
        exchange = self._exchange(call, token)
        sent = exchange.sent
        for attempt in range(self._retries if call.repeatable else 0):
            pause = BACKOFF * 2**attempt * random.uniform(1, 1.5)  # noqa: S311 (not a secret)
            if not exchange.is_retryable or time.monotonic() + pause >= self._ends:
                break
            time.sleep(pause)
            exchange = self._exchange(call, token)
            sent += exchange.sent
        return exchange, sent

    def _exchange(self, call, token):
        """Send one request, and tell the observer."""
        at, started = _now(), time.monotonic()
        exchange = self._transport.send(call, token, self._ends)
        if self._observer:
            seconds = time.monotonic() - started
            try:
                self._observer(observe(call, exchange, self._secrets, at, seconds))
            except Exception as error:
                # Without its text, which may repeat what it was given.
                _logger.error("%s: the observer failed: %s", call, type(error).__name__)
        return exchange

    # === ANSWERS === #

    def _result(self, call, exchange, read):
        try:
            if exchange.error:
                raise exchange.error
            if call.is_login and (refusal := self._login_refusal(call, exchange.answer)):
                raise refusal
            if exchange.answer.status == 202 and call.deferrable:
                return None
            if exchange.answer.status not in (200, 201):
                raise self._status_error(call, exchange.answer)
            return self._read(call, exchange.answer, read)
        except CampaignMasterError as error:
            _logger.warning("%s failed: %s", call, error.code)
            raise

    def _status_error(self, call: wire.Call, answer: Answer) -> CampaignMasterError:
        """The error for a status other than 200 and 201."""
        status = answer.status
        details = {"call": str(call), "status": status}
        if status == 400:
            return self._refusal(call, answer, details)
        if status == 401:
            return CampaignMasterTokenRefusedError(
                "token_refused", "Campaign Master refused a new token.", **details
            )
        if status == 403:
            reason, _pairs = wire.read_error(answer.body, self._mask(call))
            return CampaignMasterNotAllowedError(
                "not_allowed", "Campaign Master does not allow this.", reason=reason, **details
            )
        if status == 404 and call.about:
            return CampaignMasterNotFoundError(
                "not_found",
                f"This {call.about} no longer exists in Campaign Master.",
                about=call.about,
                **details,
            )
        if status == 404:
            return CampaignMasterAddressError(
                "wrong_address", "Nothing was found: the API address is wrong.", **details
            )
        if status == 429:
            return self._limit_reached(call, answer, details)
        details["outcome_unknown"] = call.writes and not 400 <= status < 500
        if 300 <= status < 400:
            error_class = CampaignMasterResponseError if call.about else CampaignMasterAddressError
            return error_class(
                "redirect",
                "Redirects are not followed. The API address may be wrong.",
                **details,
            )
        if 500 <= status < 600:
            return CampaignMasterServerError(
                "server_error", f"Campaign Master has a problem (status {status}).", **details
            )
        return CampaignMasterResponseError(
            "unexpected_status", f"The answer has an unexpected status ({status}).", **details
        )

    def _login_refusal(self, call, answer):
        """The error if a login was refused in any manner; else None."""
        refusal = wire.read_login_refusal(answer.status, answer.body, self._mask(call))
        if refusal is None:
            return None
        is_sure, reason = refusal
        details = {"call": str(call), "status": answer.status, "reason": reason}
        if is_sure:
            return CampaignMasterLoginRefusedError(
                "login_refused", "Campaign Master refused the username or password.", **details
            )
        return CampaignMasterLoginDoubtError(
            "login_doubt", "The login was refused, perhaps by a proxy.", **details
        )

    def _refusal(self, call, answer, details):
        message, pairs = wire.read_error(answer.body, self._mask(call))
        message = message or "Campaign Master refused the request."
        errors = [FieldError(*pair) for pair in pairs]
        if call.is_login:
            return CampaignMasterLoginRequestError(
                "login_request_refused", message, errors=errors, **details
            )
        return CampaignMasterRefusedError(
            "refused", message, errors=errors, about=call.about, **details
        )

    @staticmethod
    def _limit_reached(call, answer, details):
        period, retry_at = "hour", None  # for a login: its answers have no limit headers
        if not call.is_login:
            now = _now()
            period, retry_at = wire.spent_period(wire.read_limits(answer.headers, now), now)
        return CampaignMasterRateLimitError(
            f"{period}_spent",
            f"The limit of calls per {period} is reached.",
            period=period,
            retry_at=retry_at,
            **details,
        )

    @staticmethod
    def _read(call, answer, read):
        answered_at = wire.read_date(answer.headers) or _now()
        try:
            return read(wire.Members(wire.parse_json(answer.body), answered_at=answered_at))
        except wire.UnusableError as problem:
            code, message = "bad_member", f"The answer is unusable: {problem}."
        except ValueError:
            code, message = "not_json", "The answer is not JSON."
        raise CampaignMasterResponseError(
            code, message, call=str(call), status=answer.status, outcome_unknown=call.writes
        )

    def _mask(self, call):
        """:return: a function that hides our secrets in a server's text, in case it repeats them"""
        # Any text of a login may also repeat who logs in.
        login = call.body.values() if call.is_login else ()
        login = {*login, *call.headers.values()}
        secrets = sorted(self._secrets | login, key=len, reverse=True)
        secrets = [secret for secret in secrets if len(secret) >= MIN_SECRET]

        def mask(text):
            for secret in secrets:
                text = text.replace(secret, HIDDEN)
            return text

        return mask


def _now():
    return datetime.now(timezone.utc)
