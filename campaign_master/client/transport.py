"""Connections: the addresses that may be called, and one request with its answer or error.

Only this file and ``deadline.py`` use ``requests``. Its exceptions end here: they hold the request
with its headers and body, so none is passed on, not even as ``__cause__`` or ``__context__``, where
a log would show it.
"""

import ipaddress
import logging
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProxyError, ReadTimeoutError

from . import wire
from .deadline import DeadlineAdapter, DeadlineError, deadline
from .errors import (
    CampaignMasterConfigurationError,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterResponseError,
)

_logger = logging.getLogger(__name__)

MAX_BYTES = 16 * 2**20  # of one answer, unpacked; 1,000 rows of activity take 0.5 MB
USER_AGENT = "campaign-master-odoo"

# Raised by ``requests`` and the libraries below it when there is no answer.
_FAILURES = (OSError, HTTPError, HTTPException, ValueError, DeadlineError)
_TIMEOUTS = (DeadlineError, TimeoutError, requests.Timeout, ReadTimeoutError)
_TLS = (ssl.SSLError, requests.exceptions.SSLError)
_NOT_SENT = (
    requests.ConnectTimeout,
    ConnectTimeoutError,
    ProxyError,
    ssl.SSLCertVerificationError,
)


# === ONE REQUEST === #


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """``headers`` ignore letter case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """One request's answer or error.

    :ivar int sent: 1 if the request was or may have been sent, 0 if the server was not reached
    """

    answer: Answer | None
    error: CampaignMasterError | None
    sent: int

    @property
    def is_retryable(self) -> bool:
        """Whether the same request may succeed a moment later."""
        if self.answer:
            return 500 <= self.answer.status < 600
        return isinstance(self.error, CampaignMasterConnectionError)


class Transport:
    """The connections to one API address, kept open between calls.

    :param api_url: see :func:`base_url`
    :param timeout: seconds, as in ``requests``
    :raise CampaignMasterConfigurationError: the address is not allowed
    """

    def __init__(self, api_url: str, timeout: float | tuple[float, float]):
        self.url, loopback = base_url(api_url)
        self._session = _Session(loopback, timeout)

    def close(self) -> None:
        self._session.close()

    def send(self, call: wire.Call, token: str | None, ends: float) -> Exchange:
        """Send one request and read its answer. Errors are returned, not raised.

        :param token: for the ``Authorization`` header; None for none
        :param ends: when the answer must be complete, on the clock of ``time.monotonic()``
        """
        answer, error, sent = None, None, 1
        started = time.monotonic()
        try:
            with (
                deadline(ends),
                self._session.request(
                    call.method,
                    self.url + call.path,
                    params=call.params,
                    headers=call.headers,
                    json=call.body,
                    auth=_Bearer(token),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                answer = Answer(response.status_code, response.headers, b"")
                answer = Answer(response.status_code, response.headers, _body(response))
        except _TooLargeError:
            error = CampaignMasterResponseError(
                "too_large",
                "The answer is too large.",
                call=str(call),
                status=answer.status,
                outcome_unknown=call.writes,
            )
        except _FAILURES as failure:
            error, sent = _connection_error(call, failure)
        if error and answer:
            if answer.status >= 400:
                error = None  # this status is enough, without a complete body
            else:
                answer = None
        _logger.debug(
            "%s: %s after %d ms",
            call,
            answer.status if answer else error.code,
            (time.monotonic() - started) * 1000,
        )
        return Exchange(answer, error, sent)


class _Bearer(requests.auth.AuthBase):
    """The token's header. Even without a token, it keeps ``requests`` from using a login of a
    .netrc file."""

    def __init__(self, token):
        self._token = token

    def __call__(self, request):
        if self._token:
            request.headers["Authorization"] = f"{wire.BEARER}{self._token}"
        return request


class _TooLargeError(Exception):
    pass


def _body(response):
    response.raw.enforce_content_length = True  # urllib3 1.26 accepts a truncated body
    body = bytearray()
    for chunk in response.iter_content(16 * 1024):
        body += chunk
        if len(body) > MAX_BYTES:
            raise _TooLargeError
    return bytes(body)


def _connection_error(call, failure):
    """The error for an exception of ``requests``, and the number of requests sent."""
    causes = list(_causes(failure))

    def is_any(kinds):
        return any(isinstance(cause, kinds) for cause in causes)

    sent = 0 if is_any(_NOT_SENT) else 1
    if is_any(_TIMEOUTS):
        code, message = "timeout", "Campaign Master did not answer in time."
    elif is_any(_TLS):
        code, message = "tls", "There is no secure connection to Campaign Master."
    elif sent:
        code, message = "connection_lost", "The connection to Campaign Master was lost."
    else:
        code, message = "unreachable", "Campaign Master could not be reached."
    unknown = bool(sent) and call.writes
    error = CampaignMasterConnectionError(code, message, call=str(call), outcome_unknown=unknown)
    return error, sent


def _causes(failure):
    """The exception and those it wraps, where ``requests`` and urllib3 keep them."""
    while isinstance(failure, BaseException):
        yield failure
        failure = getattr(failure, "reason", None) or next(iter(failure.args), None)


# === ADDRESSES === #


def base_url(address: str) -> tuple[str, bool]:
    """The API address without a final slash, if the password may be sent there.

    :return: the address, and whether it is on the loopback
    :raise CampaignMasterConfigurationError: unless it is ``https://host[:port][/path]``, or
        ``http://`` with a loopback host. The message does not repeat the address, which may contain
        a password by mistake
    """
    address = (address or "").strip().rstrip("/")
    try:
        url = urlsplit(address)
        host, port = url.hostname, url.port
    except ValueError:
        host = port = None
    if not host or port == 0 or not re.fullmatch(r"[\x21-\x5b\x5d-\x7e]+", address):
        problem = "The API address is not a web address."
    elif "@" in url.netloc:
        problem = "The API address must not contain a username or a password."
    elif "?" in address or "#" in address:
        problem = 'The API address must not contain "?" or "#".'
    elif url.scheme == "https" or (url.scheme == "http" and _is_loopback(host)):
        return address, _is_loopback(host)
    else:
        problem = 'The API address must begin with "https://" (http is for this machine only).'
    raise CampaignMasterConfigurationError("bad_address", problem)


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# === CONNECTIONS === #


class _Session(requests.Session):
    """A session that protects the token: redirects are not followed, because the token would be
    sent along; certificates are always verified; proxies of the environment are used, except for
    the loopback."""

    def __init__(self, loopback, timeout):
        super().__init__()
        self.verify = True
        self.trust_env = not loopback
        self.headers.update({"Accept": "application/json", "User-Agent": USER_AGENT})
        adapter = DeadlineAdapter(timeout)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp):
        return None
