"""The client's ledger in the database: what all workers of one account share."""

import logging
import time
from datetime import timedelta

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..client import (
    CampaignMasterLedgerLimitError,
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    month_end,
)
from ..client.ledger import TOKEN_MARGIN
from .dates import to_client, to_odoo, utcnow
from .polling import PUSH_SHARE, push_limit, tomorrow

_logger = logging.getLogger(__name__)

HOUR_LIMIT = 5_000  # calls, until a response's headers say otherwise
MONTH_LIMIT = 50_000
# Scheduled actions leave the rest of each limit to what people start.
BACKGROUND_SHARE = 0.9
# A login that was refused, but perhaps by a proxy, is tried again this often before it counts.
DOUBT_RETRIES = 3
DOUBT_DELAY = timedelta(hours=1)
# First key of a PostgreSQL advisory lock, to avoid other add-ons' locks; the second is the account.
LOGIN_LOCK = 1_129_138_001
_NOT_READ = object()


class AccountLedger:
    """The client's ``Ledger`` (see ``client/ledger.py``) on ``campaign.master.account.state``.

    Each method is one short transaction in its own cursor: other workers see a new token or a
    counted call immediately, and it survives a rollback of the caller. The caller's transaction
    must therefore never write or lock the state: it would wait for itself.

    The token and a refusal belong to one login: they are stored with the account's
    ``login_version`` and ignored once the login has changed.

    :param account: ``campaign.master.account``, one record
    :param str purpose: what the calls are for, a purpose of ``campaign.master.usage``
    :param bool background: whether a scheduled action makes the calls on its own initiative,
        rather than for a person; those that add recipients leave a part to reading, too
    :ivar int calls: number of calls made through this ledger
    """

    def __init__(self, account, purpose="catalog", background=False):
        self._registry = account.env.registry
        self._account_id = account.id
        self._login_version = account.login_version
        self._purpose = purpose
        self._background = background
        self._token = _NOT_READ  # as read by before_call
        self._recording_until = None  # as read before the last request
        self._started_at = None
        self.calls = 0

    @property
    def is_recording(self):
        """Whether an administrator is recording the account's traffic, as of the last call or
        login: asking costs nothing."""
        return bool(self._recording_until and self._recording_until > utcnow())

    # === CALLED BY THE CLIENT === #

    def token(self):
        """:return: the shared token if it is valid for at least a minute, else ``None``"""
        token, self._token = self._token, _NOT_READ
        return self._read_token() if token is _NOT_READ else token

    def renew(self, refused, login):
        """Log in, unless another worker has just done so.

        :param refused: the token that must not be used again, or ``None``
        :param login: called without arguments, returns a new token
        :return: the token to use
        :raise CampaignMasterLoginRefusedError: the login was refused now, or before and nobody has
            corrected it since (in the background)
        :raise CampaignMasterLoginDoubtError: it was refused, but perhaps by a proxy, now or (in the
            background) less than :data:`DOUBT_DELAY` ago
        """
        refused_at, doubts, retry_at = self._read_refusal()
        if self._background and refused_at:
            raise CampaignMasterLoginRefusedError(
                "login_refused", "The login was refused before and has not been corrected."
            )
        is_early = bool(retry_at and retry_at > utcnow())
        if self._background and is_early:
            raise CampaignMasterLoginDoubtError(
                "login_doubt", "The login was refused a moment ago.", retry_at=to_client(retry_at)
            )
        with self._registry.cursor() as cr:
            cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOGIN_LOCK, self._account_id])
            current = self._read_token()
            if current and current != refused:
                return current
            try:
                token = login()
            except CampaignMasterLoginRefusedError as error:
                self._store_login(refused_at=utcnow())
                refusal = error
            except CampaignMasterLoginDoubtError as error:
                refusal = self._store_doubt(error, doubts or 0, retry_at if is_early else None)
            else:
                self._store_login(token=token)
                return token
        # After the transaction: in tests, it contains the one that has stored the refusal.
        raise refusal

    def before_call(self, call):
        """Count a call before it is sent, so that it counts even if the process dies.

        :raise CampaignMasterLedgerLimitError: the hour's or month's limit is reached; do not send
        """
        now = utcnow()
        share = BACKGROUND_SHARE if self._background else 1
        month_limit = own_limit = MONTH_LIMIT * share
        if self._background and self._purpose == "recipients":
            share *= PUSH_SHARE
            own_limit = push_limit(now, month_limit)
        row = self._execute(
            SQL(
                """
                WITH state AS (
                    SELECT id, hour_reset_at, recording_until,
                           CASE WHEN login_version = %(login_version)s THEN token END AS token,
                           token_reset_at,
                           month = %(month)s AND month_calls >= %(month_limit)s AS month_reached,
                           month = %(month)s AND month_calls >= %(own_limit)s AS own_reached,
                           hour_reset_at > %(now)s
                           AND hour_remaining <= hour_limit * %(reserve)s AS hour_reached
                      FROM campaign_master_account_state
                     WHERE account_id = %(account)s
                ), counted AS (
                    UPDATE campaign_master_account_state AS account_state
                       SET month = %(month)s,
                           month_calls = CASE WHEN account_state.month = %(month)s
                                              THEN account_state.month_calls + 1 ELSE 1 END,
                           hour_remaining = GREATEST(account_state.hour_remaining - 1, 0)
                      FROM state
                     WHERE account_state.id = state.id
                       AND state.own_reached IS NOT TRUE AND state.hour_reached IS NOT TRUE
                    RETURNING account_state.id
                ), used AS (
                    INSERT INTO campaign_master_usage (account_id, hour, purpose, calls)
                    SELECT %(account)s, %(hour)s, %(purpose)s, 1 FROM counted
                    ON CONFLICT (account_id, hour, purpose)
                    DO UPDATE SET calls = campaign_master_usage.calls + 1
                )
                SELECT month_reached, own_reached, hour_reached, hour_reset_at, recording_until,
                       token, token_reset_at
                  FROM state
                """,
                account=self._account_id,
                login_version=self._login_version,
                now=now,
                month=now.strftime("%Y-%m"),
                hour=now.replace(minute=0, second=0, microsecond=0),
                purpose=self._purpose,
                month_limit=int(month_limit),
                own_limit=int(own_limit),
                reserve=1 - share,
            )
        )
        month_reached, own_reached, hour_reached, hour_reset_at, recording_until, *token = row or (
            (False,) * 7
        )
        for is_reached, period, message, retry_at in (
            (month_reached, "month", "The calls of this month are used up.", month_end(now)),
            (own_reached, "day", "The calls for adding recipients are used up.", tomorrow(now)),
            (hour_reached, "hour", "The calls of this hour are used up.", hour_reset_at),
        ):
            if is_reached:
                raise CampaignMasterLedgerLimitError(
                    f"{period}_counted",
                    message,
                    period=period,
                    retry_at=to_client(retry_at),
                    call=call,
                )
        self.calls += 1
        self._recording_until = recording_until
        self._token = _valid_token(*token)
        self._started_at = time.monotonic()

    def after_call(self, call, limits, sent):
        """Store what a response's headers say; see ``client.Limits``.

        After a call the account waits for as long as the call took, before its next turn. The
        account whose wait ends first is next: accounts share processing time, not calls, and a slow
        account, or one with many new syncs, delays the others by one call at most.
        """
        changes = [
            SQL("%s = %s", SQL.identifier(name), value)
            for name, value in (
                ("hour_limit", limits.limit),
                ("hour_remaining", limits.remaining),
                ("hour_reset_at", to_odoo(limits.reset_at)),
            )
            if value is not None
        ]
        if limits.token_reset_at is not None:
            changes.append(
                SQL(
                    "token_reset_at = CASE WHEN login_version = %s THEN %s ELSE token_reset_at END",
                    self._login_version,
                    to_odoo(limits.token_reset_at),
                )
            )
        duration = timedelta(seconds=time.monotonic() - self._started_at)
        changes.append(SQL("next_turn_at = %s", utcnow() + duration))
        repeated = sent - 1  # before_call has counted the first request
        if repeated > 0:
            self.calls += repeated
            changes.append(SQL("month_calls = month_calls + %s", repeated))
            self._execute(
                SQL(
                    """
                    UPDATE campaign_master_usage SET calls = calls + %(repeated)s
                     WHERE account_id = %(account)s AND purpose = %(purpose)s AND hour = (
                         SELECT MAX(hour) FROM campaign_master_usage
                          WHERE account_id = %(account)s AND purpose = %(purpose)s)
                    """,
                    repeated=repeated,
                    account=self._account_id,
                    purpose=self._purpose,
                )
            )
        self._update(*changes)

    # === CALLED BY THE ACCOUNT === #

    def end_month(self):
        """Use up the month's calls: Campaign Master says so, whatever our own count is."""
        self._update(
            SQL("month = %s", utcnow().strftime("%Y-%m")), SQL("month_calls = %s", MONTH_LIMIT)
        )

    def record_until(self, moment):
        """Start recording the account's traffic, or stop it.

        :param datetime moment: naive, UTC; None to stop
        """
        changes = [SQL("recording_until = %s", moment)]
        if moment:
            changes.append(SQL("unrecorded = 0"))
        self._update(*changes)

    def request_catalog(self, interval):
        """Request a refresh of templates and lists, unless there was a request recently.

        :param timedelta interval: minimum time between two requests of all workers
        :return: whether the caller may refresh now
        """
        now = utcnow()
        return bool(
            self._execute(
                SQL(
                    """
                    UPDATE campaign_master_account_state SET catalog_requested_at = %(now)s
                     WHERE account_id = %(account)s
                       AND COALESCE(catalog_requested_at <= %(before)s, TRUE)
                    RETURNING id
                    """,
                    account=self._account_id,
                    now=now,
                    before=now - interval,
                )
            )
        )

    def store_catalog_result(self, failed):
        """Store whether templates and lists could be read; if so, they are up to date now."""
        changes = [SQL("catalog_failed = %s", failed)]
        if not failed:
            changes.append(SQL("catalog_read_at = %s", utcnow()))
        self._update(*changes)

    # === STATEMENTS === #

    def _read_token(self):
        row = self._execute(
            SQL(
                """
                SELECT token, token_reset_at FROM campaign_master_account_state
                 WHERE account_id = %s AND login_version = %s
                """,
                self._account_id,
                self._login_version,
            )
        )
        return _valid_token(*row) if row else None

    def _read_refusal(self):
        """:return: when the login was refused, how often perhaps by a proxy, and when to try again
        after that"""
        row = self._execute(
            SQL(
                """
                SELECT recording_until, login_version,
                       login_refused_at, login_doubts, login_retry_at
                  FROM campaign_master_account_state
                 WHERE account_id = %s
                """,
                self._account_id,
            )
        )
        self._recording_until, version, *refusal = row or (None,) * 5
        return refusal if version == self._login_version else (None, 0, None)

    def _store_doubt(self, error, doubts, retry_at):
        """Store that the login was refused, but perhaps by a proxy.

        :param int doubts: how often this was so before
        :param datetime retry_at: if a person tries before this time, it does not count
        :return: the error to raise
        """
        if not retry_at:
            if doubts >= DOUBT_RETRIES:
                self._store_login(refused_at=utcnow())
                return CampaignMasterLoginRefusedError(
                    "login_refused",
                    "The login was refused each time.",
                    call=error.call,
                    status=error.status,
                    reason=error.reason,
                )
            doubts, retry_at = doubts + 1, utcnow() + DOUBT_DELAY
            self._store_login(doubts=doubts, retry_at=retry_at)
        error.retry_at = to_client(retry_at)
        return error

    def _store_login(self, token=None, refused_at=None, doubts=0, retry_at=None):
        """Store a token, a refusal or a doubt, unless a newer login has stored one."""
        self._execute(
            SQL(
                """
                UPDATE campaign_master_account_state
                   SET login_version = %(login_version)s, token = %(token)s,
                       token_reset_at = NULL, login_refused_at = %(refused_at)s,
                       login_doubts = %(doubts)s, login_retry_at = %(retry_at)s,
                       notified_problem = CASE WHEN %(refused_at)s IS NULL
                                                AND starts_with(notified_problem, 'login')
                                               THEN NULL ELSE notified_problem END
                 WHERE account_id = %(account)s
                   AND COALESCE(login_version, 0) <= %(login_version)s
                """,
                account=self._account_id,
                login_version=self._login_version,
                token=token,
                refused_at=refused_at,
                doubts=doubts,
                retry_at=retry_at,
            )
        )

    def _update(self, *changes):
        if changes:
            self._execute(
                SQL(
                    "UPDATE campaign_master_account_state SET %s WHERE account_id = %s",
                    SQL(", ").join(changes),
                    self._account_id,
                )
            )

    def _execute(self, query):
        """Run one statement in its own transaction.

        :return: the first row, if the statement returns rows
        """
        while True:
            try:
                with self._registry.cursor() as cr:
                    cr.execute(query, log_exceptions=False)
                    return cr.fetchone() if cr.description else None
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # Another worker wrote the row at the same time, in a transaction as short as ours.
                _logger.debug("Account %s: concurrent update, trying again", self._account_id)


def _valid_token(token, reset_at):
    """:return: the token if it is valid for at least a minute, else ``None``"""
    if token and (not reset_at or reset_at > utcnow() + TOKEN_MARGIN):
        return token
    return None
