"""What every call of the contract passes through: counting, faults, the token, the limits."""

import re
import time
from collections import Counter, deque

from flask import g, request

from . import checks, clock, faults
from .errors import Refused
from .limits import Allowance

LOGIN = "/authenticate"
OWN_PATHS = ("/_sandbox",)
"""Below these the sandbox speaks for itself: no token, no limits, no faults, not counted."""
REMEMBERED = 1_000
"""So many calls are kept in the log."""


class Gate:
    """Stands before and after the work of each call."""

    def __init__(self, store, settings, limits, ordered_faults):
        self._store = store
        self._settings = settings
        self._limits = limits
        self._faults = ordered_faults
        self.calls = Counter()
        """Calls by kind since the start or reset: ``POST /lists/ID/recipients``."""
        self.log = deque(maxlen=REMEMBERED)
        """The latest calls, oldest first."""

    def enter(self):
        """Flask's before_request: an answer from here takes the work's place."""
        g.call = None
        if is_own(request.path):
            return None
        login = request.path == LOGIN
        token = None if login else self._token()
        g.account = token["account"] if token else None
        g.token_ends = token["ends"] if token else None
        call = g.call = _call(_username() if login else g.account)
        self.calls[call.kind] += 1
        self.log.append(call)
        g.fault = self._faults.pick(call)
        g.allowance = self._allowance()

        if self._settings.delay:
            time.sleep(self._settings.delay / 1000)
        if g.fault:
            answer = faults.before(g.fault, call, self._faults)
            if answer is not None:
                return answer
        if login:
            return None
        if token is None:
            raise Refused(401, "The token is missing, wrong or has ended.")
        if g.allowance.refused:
            raise Refused(429, f"The limit of calls in this {g.allowance.refused} is reached.")
        return None

    def leave(self, response):
        """Flask's after_request: the headers, and what a fault does to the answer."""
        call = g.get("call")
        if call is None:
            return response
        call.status = response.status_code
        if g.fault:
            response = faults.after(g.fault, call, response, self._faults)
        if g.account and (response.status_code < 400 or self._settings.headersOnErrors):
            response.headers["x-rate-limit-limit"] = str(g.allowance.limit)
            response.headers["x-rate-limit-remaining"] = str(g.allowance.remaining)
            response.headers["x-rate-limit-reset"] = str(g.allowance.reset)
            response.headers["x-token-reset"] = str(g.token_ends // clock.SECOND)
        return response

    def _token(self):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        with self._store.turn() as store:
            return store.token(token)

    def _allowance(self):
        if g.account is None:
            return Allowance(0, 0, 0)
        # A 429 that was ordered is not counted, as a real one is not.
        count = not (g.fault and g.fault.name.startswith("429"))
        with self._store.turn():
            return self._limits.take(g.account) if count else self._limits.look(g.account)


def is_own(path: str) -> bool:
    """Whether a path is the sandbox's own: its page and its controls."""
    return path == "/" or path.startswith(OWN_PATHS)


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
    body = checks.any_body()
    name = body.get("username") if isinstance(body, dict) else None
    return name if isinstance(name, str) else None
