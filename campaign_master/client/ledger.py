"""What all workers of one account share: its token, and how many calls it has left.

The add-on keeps the ledger on the account, in the database. :class:`MemoryLedger` does for one
process.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Protocol

from .errors import CampaignMasterRateLimitError
from .wire import Limits

TOKEN_MARGIN = timedelta(minutes=1)


class Ledger(Protocol):
    """Each method stands alone: what it has stored must be there for the other workers when it
    returns, whatever becomes of the caller."""

    def token(self) -> str | None:
        """The token, if it is good for a minute or more as far as we know."""

    def renew(self, refused: str | None, login: Callable[[], str]) -> str:
        """A good token, logging in if need be; one login at a time.

        Under a lock: if another worker has stored a good token other than ``refused`` meanwhile,
        that one. Else what ``login()`` gives, stored, its end not known yet. What ``login()``
        raises passes through, with the lock released.

        :param refused: the token that the server no longer takes, None if there was none
        """

    def before_call(self, call: str) -> None:
        """May refuse a call.

        :param call: as ``POST /lists/7/recipients``
        :raise CampaignMasterRateLimitError: and nothing is sent
        """

    def after_call(self, call: str, limits: Limits, sent: int) -> None:
        """Told once for each :meth:`before_call` that did not refuse, however the call ended.

        :param limits: what the last answer's headers said; None is "not said", not "none"
        :param sent: how many requests went out, retries and the repetition after a 401 included;
            0 if the server could not be reached or the login failed. Logging in is not counted:
            the API does not count it
        """


class MemoryLedger:
    """A :class:`Ledger` for one process; its threads may share it.

    :param token: a token to begin with
    """

    def __init__(self, token: str | None = None):
        self._token = token
        self._token_reset_at: datetime | None = None
        self._limits = Limits()
        self._lock = threading.Lock()
        self.calls = 0

    def __repr__(self):
        return f"<{type(self).__name__}: {self.calls} calls>"

    def token(self) -> str | None:
        ends = self._token_reset_at
        if ends is not None and ends < datetime.now(timezone.utc) + TOKEN_MARGIN:
            return None
        return self._token

    def renew(self, refused: str | None, login: Callable[[], str]) -> str:
        with self._lock:
            current = self.token()
            if current is None or current == refused:
                current = login()
                self._token, self._token_reset_at = current, None
            return current

    def before_call(self, call: str) -> None:
        limits = self._limits
        now = datetime.now(timezone.utc)
        if limits.remaining == 0 and limits.reset_at is not None and limits.reset_at > now:
            raise CampaignMasterRateLimitError(
                "hour_spent",
                "The calls of this hour are spent.",
                period="hour",
                reset_at=limits.reset_at,
                call=call,
            )

    def after_call(self, call: str, limits: Limits, sent: int) -> None:
        self.calls += sent
        if limits.remaining is not None:
            self._limits = limits
        if limits.token_reset_at is not None:
            self._token_reset_at = limits.token_reset_at
