"""Middleware for all API calls: counting, faults, authentication and rate limits."""

import json
import re
import time
from collections import Counter, deque

from flask import g, request

from . import checks, clock, faults
from .errors import ApiError
from .limits import RateLimit

LOGIN = "/authenticate"
CONTROL_PATH = "/_sandbox"
LOG_SIZE = 1_000


class Gate:
    """Runs before and after each API call."""

    def __init__(self, store, settings, dialect, limits, simulated_faults):
        self._store = store
        self._settings = settings
        self._dialect = dialect
        self._limits = limits
        self._faults = simulated_faults
        self.calls = Counter()
        """Number of calls by kind (``POST /lists/ID/recipients``) since the start or reset."""
        self.log = deque(maxlen=LOG_SIZE)
        """The latest calls, oldest first."""

    def before_request(self):
        """Authenticate and count the call; a returned response replaces the processing."""
        g.call = None
        if is_control(request.path):
            return None
        login = request.path == LOGIN
        token = None if login else self._token()
        g.account = token["account"] if token else None
        g.token_ends = token["ends"] if token else None
        call = g.call = _call(_username() if login else g.account)
        self.calls[call.kind] += 1
        self.log.append(call)
        g.fault = self._faults.pick(call)
        g.rate_limit = self._rate_limit()

        if self._settings.delay:
            time.sleep(self._settings.delay / 1000)
        if g.fault:
            response = faults.before(g.fault, call, self._faults)
            if response is not None:
                return response
        if login:
            return None
        if token is None:
            raise ApiError(401, "The token is missing, invalid or expired.")
        if g.rate_limit.refused:
            raise ApiError(429, f"The limit of API calls per {g.rate_limit.refused} is reached.")
        return None

    def after_request(self, response):
        """Apply a fault to the response, and add the headers."""
        call = g.get("call")
        if call is None:
            return response
        call.status = response.status_code
        self._translate(response)
        if g.fault:
            response = faults.after(g.fault, call, response, self._faults)
        if g.account and (response.status_code < 400 or self._settings.headersOnErrors):
            response.headers["x-rate-limit-limit"] = str(g.rate_limit.limit)
            response.headers["x-rate-limit-remaining"] = str(g.rate_limit.remaining)
            response.headers["x-rate-limit-reset"] = str(g.rate_limit.reset)
            response.headers["x-token-reset"] = str(g.token_ends // clock.SECOND)
        return response

    def _translate(self, response):
        data = response.get_json(silent=True) if self._dialect.changes() else None
        if isinstance(data, dict):
            response.set_data(json.dumps(self._dialect.translate(data)))

    def _token(self):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        with self._store.transaction() as store:
            return store.token(token)

    def _rate_limit(self):
        if g.account is None:
            return RateLimit(0, 0, 0)
        # A simulated 429 is not counted, like a real one.
        count = not (g.fault and g.fault.name.startswith("429"))
        with self._store.transaction():
            return self._limits.count_call(g.account) if count else self._limits.current(g.account)


def is_control(path: str) -> bool:
    """Whether a path is a control or web page, without token, limits and faults."""
    return path == "/" or path.startswith(CONTROL_PATH)


def _call(account):
    path = re.sub(r"(?<=/)\d+(?=/|$)", "ID", request.path)
    return faults.Call(
        kind=f"{request.method} {path}",
        path=f"{request.method} {request.full_path.rstrip('?')}",
        body=request.get_data(as_text=True),
        account=account,
        socket=request.environ.get("werkzeug.socket"),
    )


def _username():
    body = checks.json_body()
    name = request.headers.get("username")
    name = body.get("username", name) if isinstance(body, dict) else name
    return name if isinstance(name, str) else None
