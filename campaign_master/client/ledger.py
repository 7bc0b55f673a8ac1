"""The data that all workers of one account share: the token and the remaining calls.

The add-on keeps it in the database, on the account. :class:`MemoryLedger` keeps it in one process.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Protocol

from .errors import CampaignMasterLedgerLimitError
from .wire import Limits

TOKEN_MARGIN = timedelta(minutes=1)


class Ledger(Protocol):
    """What a client needs from its ledger.

    When a method returns, the other workers see what it stored, even if the caller fails later.
    """

    def token(self) -> str | None:
        """:return: the token, unless it is known to end within a minute"""

    def renew(self, refused: str | None, login: Callable[[], str]) -> str:
        """Get a valid token. Only one worker logs in at a time.

        Under a lock: if another worker has stored a valid token other than ``refused``, use that
        one. Otherwise call ``login`` and store its token, without an end time.

        :param refused: the token that the server no longer accepts; None if there was none
        :param login: makes a new token
        :return: the token to use
        :raise CampaignMasterError: raised by ``login``, after the lock is released
        """

    def before_call(self, call: str) -> None:
        """Allow or refuse a call.

        :param call: such as ``POST /lists/7/recipients``
        :raise CampaignMasterLedgerLimitError: refused; nothing is sent
        """

    def after_call(self, call: str, limits: Limits, sent: int) -> None:
        """Update the limits. Called once for each call that :meth:`before_call` allowed, even if
        the call failed.

        :param limits: from the headers of the last answer; a None there means "unknown"
        :param sent: the number of requests that were sent, retries and the repetition after a 401
            included; 0 if the server was unreachable or the login failed. Logins do not count: the
            API does not count them
        """


class MemoryLedger:
    """A :class:`Ledger` for one process. Threads may share it.

    :param token: an initial token
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
            raise CampaignMasterLedgerLimitError(
                "hour_counted",
                "The hourly limit is reached.",
                period="hour",
                retry_at=limits.reset_at,
                call=call,
            )

    def after_call(self, call: str, limits: Limits, sent: int) -> None:
        self.calls += sent
        if limits.remaining is not None:
            self._limits = limits
        if limits.token_reset_at is not None:
            self._token_reset_at = limits.token_reset_at
