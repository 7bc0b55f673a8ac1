"""What all workers of one account share, kept on the account in transactions of their own."""

import contextlib
import logging
import time
from datetime import timedelta

from psycopg2.errors import InFailedSqlTransaction, SerializationFailure

from odoo.tools import SQL

from ..client import CampaignMasterAuthError, CampaignMasterRateLimitError, month_end
from .times import to_client, to_odoo, utcnow

_logger = logging.getLogger(__name__)

HOUR_LIMIT = 5_000  # calls, until the API says another limit in its headers
MONTH_LIMIT = 50_000
# Scheduled actions leave this share of each limit to what people click.
BACKGROUND_SHARE = 0.9
TOKEN_MARGIN = timedelta(minutes=1)
_UNKNOWN = object()
# First keys of PostgreSQL's two-key advisory locks, one for each thing that is locked; the second
# key is a record's id. Chosen at random once, to stay clear of other add-ons.
LOCK_LOGIN = 1_129_138_001
LOCK_PULL = 1_129_138_002
LOCK_SYNC = 1_129_138_003


@contextlib.contextmanager
def session_lock(cr, kind, record_id):
    """Try to hold a lock for the block, over commits and rollbacks; it ends with the process.

    Unlike a row lock it makes nobody wait who only writes the row.

    :param int kind: one of the ``LOCK_*`` constants
    :param int record_id: the record that is worked on
    :return: whether the lock was free
    """
    cr.execute("SELECT pg_try_advisory_lock(%s, %s)", [kind, record_id])
    [locked] = cr.fetchone()
    try:
        yield locked
    finally:
        if locked:
            try:
                cr.execute(
                    "SELECT pg_advisory_unlock(%s, %s)", [kind, record_id], log_exceptions=False
                )
            except InFailedSqlTransaction:
                # The connection goes on living in Odoo's pool, and the lock would with it.
                cr.rollback()
                cr.execute("SELECT pg_advisory_unlock(%s, %s)", [kind, record_id])


class AccountLedger:
    """The client's ``Ledger``, on ``campaign.master.account``.

    Each method is one short transaction, committed at once: a token or a counted call must be
    known to the other workers immediately and must survive a rollback of what the caller does.
    The caller's transaction must therefore never lock or write the account's row: it would wait
    for itself.

    :param account: ``campaign.master.account``, one record
    :param str purpose: what the calls are for, a purpose of ``campaign.master.usage``
    :param bool background: whether a scheduled action makes the calls, rather than a person
    :ivar int calls: how many calls were made through this ledger
    """

    def __init__(self, account, purpose, background=False):
        self._registry = account.env.registry
        self._account_id = account.id
        self._purpose = purpose
        self._background = background
        self._found = _UNKNOWN  # the token that before_call has just seen
        self._started = None
        self.calls = 0

    # === What the client asks (see client/ledger.py) === #

    def token(self):
        """:return: the shared token, if it is good for a minute or more; else ``None``"""
        found, self._found = self._found, _UNKNOWN
        return self._stored_token() if found is _UNKNOWN else found

    def renew(self, refused, login):
        """Log in, unless another worker has just done so.

        :param refused: the token that must not be used any more, or ``None``
        :param login: called without arguments, gives a new token
        :return: the token to use
        :raise CampaignMasterAuthError: the login was refused, now or (in the background) before
        """
        if self._background and self._login_refused():
            raise CampaignMasterAuthError(
                "login_refused", "The login was refused before; waiting for the right password."
            )
        with self._registry.cursor() as cr:
            cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_LOGIN, self._account_id])
            current = self._stored_token()
            if current and current != refused:
                return current
            try:
                token = login()
            except CampaignMasterAuthError as error:
                refusal = error
            else:
                self.note(
                    token=token,
                    token_reset_at=None,
                    login_refused_at=None,
                    # The next refusal is news again.
                    told_problem=SQL("NULLIF(told_problem, 'login')"),
                )
                return token
        self.note(login_refused_at=utcnow(), token=None, token_reset_at=None)
        raise refusal

    def before_call(self, call):
        """Count a call before it is sent, so that none is forgotten when the process dies.

        :raise CampaignMasterRateLimitError: the hour or the month is spent; nothing was sent
        """
        now = utcnow()
        share = BACKGROUND_SHARE if self._background else 1
        spent = self._execute(
            SQL(
                """
                WITH spent AS (
                    SELECT id, hour_reset_at, token, token_reset_at,
                           month = %(month)s AND month_calls >= %(month_limit)s AS month_spent,
                           hour_reset_at > %(now)s
                           AND hour_remaining <= hour_limit * %(reserve)s AS hour_spent
                      FROM campaign_master_account
                     WHERE id = %(id)s
                ), counted AS (
                    UPDATE campaign_master_account AS account
                       SET month = %(month)s,
                           month_calls = CASE WHEN account.month = %(month)s
                                              THEN account.month_calls + 1 ELSE 1 END,
                           hour_remaining = GREATEST(account.hour_remaining - 1, 0)
                      FROM spent
                     WHERE account.id = spent.id
                       AND spent.month_spent IS NOT TRUE AND spent.hour_spent IS NOT TRUE
                    RETURNING account.id
                ), used AS (
                    INSERT INTO campaign_master_usage (account_id, hour, purpose, calls)
                    SELECT id, %(hour)s, %(purpose)s, 1 FROM counted
                    ON CONFLICT (account_id, hour, purpose)
                    DO UPDATE SET calls = campaign_master_usage.calls + 1
                )
                SELECT month_spent, hour_spent, hour_reset_at, token, token_reset_at FROM spent
                """,
                id=self._account_id,
                now=now,
                month=now.strftime("%Y-%m"),
                hour=now.replace(minute=0, second=0, microsecond=0),
                purpose=self._purpose,
                month_limit=int(MONTH_LIMIT * share),
                reserve=1 - share,
            )
        )
        month_spent, hour_spent, reset_at, *token = spent or (False, False, None, None, None)
        if month_spent:
            raise CampaignMasterRateLimitError(
                "month_counted",
                "The calls of this month are used up.",
                period="month",
                reset_at=to_client(month_end(now)),
                call=call,
            )
        if hour_spent:
            raise CampaignMasterRateLimitError(
                "hour_counted",
                "The calls of this hour are used up.",
                period="hour",
                reset_at=to_client(reset_at),
                call=call,
            )
        self.calls += 1
        self._found = _good(*token)
        self._started = time.monotonic()

    def after_call(self, call, limits, sent):
        """Keep what an answer's headers said; see ``client.Limits``.

        After a call of a scheduled action the account rests as long as that took. Whose turn is
        next is the account whose rest ends first: so accounts get the same time, not the same
        number of calls, and one whose calls take long delays the others by one call.
        """
        values = {
            "hour_limit": limits.limit,
            "hour_remaining": limits.remaining,
            "hour_reset_at": to_odoo(limits.reset_at),
            "token_reset_at": to_odoo(limits.token_reset_at),
        }
        if self._background:
            took = timedelta(seconds=time.monotonic() - self._started)
            values["rests_until"] = utcnow() + took
        values = {name: value for name, value in values.items() if value is not None}
        if sent > 1:  # the first one was counted before it was sent
            self.calls += sent - 1
            values["month_calls"] = SQL("month_calls + %s", sent - 1)
            self._execute(
                SQL(
                    """
                    UPDATE campaign_master_usage SET calls = calls + %s
                     WHERE account_id = %s AND purpose = %s AND hour = (
                         SELECT MAX(hour) FROM campaign_master_usage WHERE account_id = %s)
                    """,
                    sent - 1,
                    self._account_id,
                    self._purpose,
                    self._account_id,
                )
            )
        if values:
            self.note(**values)

    # === What the account asks === #

    def note(self, **values):
        """Write columns of the account; a value may be an ``SQL`` expression."""
        self._execute(
            SQL(
                "UPDATE campaign_master_account SET %s WHERE id = %s",
                SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value) for name, value in values.items()
                ),
                self._account_id,
            )
        )

    def month_is_spent(self):
        """Campaign Master says that the month is over, whatever our own count is."""
        self.note(month=utcnow().strftime("%Y-%m"), month_calls=MONTH_LIMIT)

    def ask_catalogue(self, interval):
        """Claim the right to refresh templates and lists now.

        :param int interval: seconds that must lie between two refreshes
        :return: whether the caller may; at most one caller in ``interval`` may
        """
        now = utcnow()
        return bool(
            self._execute(
                SQL(
                    """
                    UPDATE campaign_master_account SET catalogue_asked_at = %(now)s
                     WHERE id = %(id)s AND COALESCE(catalogue_asked_at <= %(before)s, TRUE)
                    RETURNING id
                    """,
                    id=self._account_id,
                    now=now,
                    before=now - timedelta(seconds=interval),
                )
            )
        )

    def _stored_token(self):
        row = self._execute(
            SQL(
                "SELECT token, token_reset_at FROM campaign_master_account WHERE id = %s",
                self._account_id,
            )
        )
        return _good(*row) if row else None

    def _login_refused(self):
        row = self._execute(
            SQL(
                "SELECT login_refused_at FROM campaign_master_account WHERE id = %s",
                self._account_id,
            )
        )
        return bool(row and row[0])

    def _execute(self, query):
        """Run one statement in a transaction of its own.

        :return: the first row, if the statement gives rows
        """
        while True:
            try:
                with self._registry.cursor() as cr:
                    cr.execute(query, log_exceptions=False)
                    return cr.fetchone() if cr.description else None
            except SerializationFailure:
                # Another worker has just written the row. Its transaction is as short as ours.
                _logger.debug("Account %s: written at the same moment; again", self._account_id)


def _good(token, reset_at):
    """:return: the token, if it is good for a minute or more"""
    if token and (reset_at is None or reset_at > utcnow() + TOKEN_MARGIN):
        return token
    return None
