"""The sandbox's data in SQLite: in memory, or in a file that survives a restart.

There is one connection for all threads: call methods inside ``with store.transaction():`` only.
Addresses are stored trimmed and lower-cased, times as milliseconds since 1970 (UTC). An account is
identified by its username.
"""

import json
import secrets
import sqlite3
import threading
from collections import defaultdict
from contextlib import contextmanager

from . import clock

SCHEMA = """
CREATE TABLE account (name TEXT PRIMARY KEY, password TEXT NOT NULL);
CREATE TABLE token (token TEXT PRIMARY KEY, account TEXT NOT NULL, ends INTEGER NOT NULL);
CREATE TABLE usage (
    account TEXT PRIMARY KEY,
    hour INTEGER, hour_calls INTEGER NOT NULL, month TEXT, month_calls INTEGER NOT NULL
);
CREATE TABLE template (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL
);
CREATE TABLE list (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL
);
CREATE TABLE member (
    id INTEGER PRIMARY KEY,
    list_id INTEGER NOT NULL, email TEXT NOT NULL, UNIQUE (list_id, email)
);
CREATE TABLE suppression (
    account TEXT NOT NULL, email TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (account, email)
);
CREATE TABLE campaign (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL, reference TEXT NOT NULL, name TEXT NOT NULL,
    description TEXT NOT NULL, subject TEXT NOT NULL, template_id INTEGER NOT NULL,
    from_name TEXT, from_email TEXT, reply_to TEXT, created INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'draft', list_id INTEGER, sent_at INTEGER, sent_by INTEGER,
    corrections TEXT NOT NULL DEFAULT '{}', UNIQUE (account, reference)
);
CREATE TABLE mail (
    id INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL, email TEXT NOT NULL, sent_at INTEGER NOT NULL,
    outcome TEXT NOT NULL, outcome_at INTEGER NOT NULL, changed INTEGER NOT NULL,
    opens INTEGER NOT NULL DEFAULT 0, clicks INTEGER NOT NULL DEFAULT 0,
    forwards INTEGER NOT NULL DEFAULT 0, unsubscribes INTEGER NOT NULL DEFAULT 0,
    complaints INTEGER NOT NULL DEFAULT 0, opted_out INTEGER NOT NULL DEFAULT 0,
    first_open INTEGER, last_open INTEGER, first_click INTEGER, last_click INTEGER,
    UNIQUE (campaign_id, email)
);
-- Activity is paged by `id`. Paged by `changed`, an email opened between two pages would move, and
-- another one would be skipped.
CREATE INDEX mail_in_order ON mail (campaign_id, id, changed);
CREATE INDEX mail_by_address ON mail (email) WHERE opted_out;
CREATE TABLE event (
    recorded INTEGER NOT NULL, at INTEGER NOT NULL, mail_id INTEGER NOT NULL, kind TEXT NOT NULL
);
CREATE INDEX event_by_time ON event (recorded);
-- Different ranges make mixed-up ids visible.
INSERT INTO sqlite_sequence VALUES ('template', 100), ('list', 300), ('campaign', 5000);
"""
VERSION = 1
"""Version of the schema, stored in the state file; increase it with each change."""

COUNTERS = {
    "open": "opens",
    "click": "clicks",
    "forward": "forwards",
    "unsubscribe": "unsubscribes",
    "complaint": "complaints",
}
OUTCOMES = {"bounce": "hard", "soft-bounce": "soft", "reject": "rejected"}
OPT_OUT_REASONS = {
    "unsubscribe": "Unsubscribed from an email.",
    "complaint": "Reported an email as spam.",
}
CAMPAIGN_MEMBERS = {
    "name": "name",
    "description": "description",
    "subject": "subject",
    "fromName": "from_name",
    "fromEmail": "from_email",
    "replyToEmail": "reply_to",
}
STATISTICS = """
SELECT
    count(*) FILTER (WHERE sent_at <= :now) AS sent,
    count(*) FILTER (WHERE outcome = 'delivered' AND outcome_at <= :now) AS delivered,
    count(*) FILTER (WHERE outcome = 'hard' AND outcome_at <= :now) AS hardBounces,
    count(*) FILTER (WHERE outcome = 'soft' AND outcome_at <= :now) AS softBounces,
    count(*) FILTER (WHERE outcome = 'rejected' AND outcome_at <= :now) AS rejected,
    total(opens) AS opens, count(*) FILTER (WHERE opens) AS uniqueOpens,
    total(clicks) AS clicks, count(*) FILTER (WHERE clicks) AS uniqueClicks,
    total(forwards) AS forwards, count(*) FILTER (WHERE forwards) AS uniqueForwards,
    total(unsubscribes) AS unsubscribes, total(complaints) AS complaints
FROM mail WHERE campaign_id = :campaign
"""
APPLY_EVENTS = """
UPDATE mail SET
    opens = opens + :opens, clicks = clicks + :clicks, forwards = forwards + :forwards,
    unsubscribes = unsubscribes + :unsubscribes, complaints = complaints + :complaints,
    opted_out = opted_out OR :opted_out,
    outcome = coalesce(:outcome, outcome),
    first_open = coalesce(min(first_open, :first_open), first_open, :first_open),
    last_open = coalesce(max(last_open, :last_open), last_open, :last_open),
    first_click = coalesce(min(first_click, :first_click), first_click, :first_click),
    last_click = coalesce(max(last_click, :last_click), last_click, :last_click),
    changed = max(changed, :changed)
WHERE id = :mail_id
"""


class OutdatedState(Exception):
    """The state file has another version."""


class Store:
    """All data of all accounts, in the state file ``path`` or in memory."""

    def __init__(self, path: str | None = None):
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        # Fast, and safe if the process is killed; only a power failure can lose data.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        version = self._one("PRAGMA user_version")[0]
        if version not in (0, VERSION):
            raise OutdatedState(f"{path} was written by another version of the sandbox. Delete it.")
        if version == 0:
            self._db.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self):
        """Lock the store, apply the events that are due, and commit or roll back at the end."""
        with self._lock, self._db:
            self._apply_due_events(clock.now())
            yield self

    def clear(self) -> None:
        """Empty all tables. The id sequences continue, so that ids are never reused."""
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for row in self._all(tables):
            self._db.execute(f"DELETE FROM {row['name']}")

    # Accounts, tokens and usage

    def set_account(self, name: str, password: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO account VALUES (?, ?)", (name, password))

    def accounts(self) -> list[str]:
        return [row["name"] for row in self._all("SELECT name FROM account ORDER BY rowid")]

    def password_is(self, name: str, password: str) -> bool:
        row = self._one("SELECT password FROM account WHERE name = ?", name)
        return row is not None and secrets.compare_digest(
            row["password"].encode(), password.encode()
        )

    def add_token(self, account: str, ends: int) -> str:
        token = secrets.token_urlsafe(32)
        self._db.execute("INSERT INTO token VALUES (?, ?, ?)", (token, account, ends))
        return token

    def token(self, token: str):
        """A valid token's row (``account``, ``ends``), or None."""
        return self._one("SELECT * FROM token WHERE token = ? AND ends > ?", token, clock.now())

    def delete_tokens(self, account: str | None = None) -> None:
        self._db.execute("DELETE FROM token WHERE account = coalesce(?, account)", (account,))

    def usage(self, account: str) -> dict:
        row = self._one("SELECT * FROM usage WHERE account = ?", account)
        if row is None:
            return {"hour": None, "hour_calls": 0, "month": None, "month_calls": 0}
        return {name: row[name] for name in ("hour", "hour_calls", "month", "month_calls")}

    def set_usage(self, account, hour, hour_calls, month, month_calls) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?)",
            (account, hour, hour_calls, month, month_calls),
        )

    # Templates and lists

    def add_template(self, account: str, name: str) -> int:
        return self._insert("template", account=account, name=name, created=clock.now())

    def add_list(self, account: str, name: str) -> int:
        return self._insert("list", account=account, name=name, created=clock.now())

    def get_template(self, account: str, template_id: int):
        return self._one(
            "SELECT * FROM template WHERE id = ? AND account = ?", template_id, account
        )

    def get_list(self, list_id: int, account: str | None = None):
        """A list, optionally of one account only."""
        return self._one(
            "SELECT * FROM list WHERE id = ? AND account = coalesce(?, account)", list_id, account
        )

    def templates(self, account: str, limit: int = -1, offset: int = 0) -> list:
        return self._all(
            "SELECT * FROM template WHERE account = ? ORDER BY id LIMIT ? OFFSET ?",
            account,
            limit,
            offset,
        )

    def lists(self, account: str, limit: int = -1, offset: int = 0) -> list:
        """Lists with their number of ``recipients``."""
        return self._all(
            "SELECT *, (SELECT count(*) FROM member WHERE list_id = list.id) AS recipients"
            " FROM list WHERE account = ? ORDER BY id LIMIT ? OFFSET ?",
            account,
            limit,
            offset,
        )

    def count(self, table: str, account: str) -> int:
        """Number of an account's templates, lists or campaigns."""
        return self._one(f"SELECT count(*) FROM {table} WHERE account = ?", account)[0]

    def rename(self, table: str, record_id: int, name: str) -> bool:
        return self._changes(f"UPDATE {table} SET name = ? WHERE id = ?", name, record_id)

    def delete(self, table: str, record_id: int) -> bool:
        """Delete a template, list or campaign with its dependent rows; False if not found."""
        if table == "list":
            self._db.execute("DELETE FROM member WHERE list_id = ?", (record_id,))
        if table == "campaign":
            emails = "SELECT id FROM mail WHERE campaign_id = ?"
            self._db.execute(f"DELETE FROM event WHERE mail_id IN ({emails})", (record_id,))
            self._db.execute("DELETE FROM mail WHERE campaign_id = ?", (record_id,))
        return self._changes(f"DELETE FROM {table} WHERE id = ?", record_id)

    # List members and suppressed addresses

    def members(self, list_id: int, limit: int = -1, offset: int = 0) -> list[str]:
        rows = self._all(
            "SELECT email FROM member WHERE list_id = ? ORDER BY id LIMIT ? OFFSET ?",
            list_id,
            limit,
            offset,
        )
        return [row["email"] for row in rows]

    def on_list(self, list_id: int, emails: list[str]) -> set[str]:
        """The addresses that are on the list."""
        rows = self._all(
            "SELECT email FROM member WHERE list_id = ?"
            " AND email IN (SELECT value FROM json_each(?))",
            list_id,
            json.dumps(emails),
        )
        return {row["email"] for row in rows}

    def add_members(self, list_id: int, emails: list[str]) -> None:
        """Add addresses that are not on the list yet."""
        self._db.executemany(
            "INSERT OR IGNORE INTO member (list_id, email) VALUES (?, ?)",
            ((list_id, email) for email in emails),
        )

    def remove_members(self, list_id: int, emails: list[str]) -> None:
        self._db.executemany(
            "DELETE FROM member WHERE list_id = ? AND email = ?",
            ((list_id, email) for email in emails),
        )

    def suppressed(self, account: str, emails: list[str]) -> dict[str, str]:
        """The addresses that the account can no longer send to, with the reason."""
        rows = self._all(
            "SELECT email, reason FROM suppression WHERE account = ?"
            " AND email IN (SELECT value FROM json_each(?))",
            account,
            json.dumps(emails),
        )
        return {row["email"]: row["reason"] for row in rows}

    def suppressions(self, account: str) -> list:
        return self._all(
            "SELECT email, reason FROM suppression WHERE account = ? ORDER BY email", account
        )

    def suppress(self, account: str, email: str, reason: str) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO suppression VALUES (?, ?, ?)", (account, email, reason)
        )

    def opt_in(self, account: str, email: str) -> None:
        """Remove an address from the suppressions, and its opt-outs from all campaigns."""
        self._db.execute(
            "DELETE FROM suppression WHERE account = ? AND email = ?", (account, email)
        )
        self._db.execute(
            "UPDATE mail SET opted_out = 0, changed = max(changed, ?) WHERE opted_out"
            " AND email = ? AND campaign_id IN (SELECT id FROM campaign WHERE account = ?)",
            (clock.now(), email, account),
        )

    # Campaigns

    def add_campaign(self, account: str, reference: str, template_id: int, values: dict) -> int:
        """Create a draft; ``values`` are by member name."""
        return self._insert(
            "campaign",
            account=account,
            reference=reference,
            template_id=template_id,
            created=clock.now(),
            **{column: values.get(member) for member, column in CAMPAIGN_MEMBERS.items()},
        )

    def change_campaign(self, campaign_id: int, values: dict) -> None:
        """Replace the editable values; missing members become empty."""
        columns = ", ".join(f"{column} = ?" for column in CAMPAIGN_MEMBERS.values())
        self._db.execute(
            f"UPDATE campaign SET {columns} WHERE id = ?",
            (*(values.get(member) for member in CAMPAIGN_MEMBERS), campaign_id),
        )

    def get_campaign(self, campaign_id: int, account: str | None = None):
        """A campaign, optionally of one account only."""
        return self._one(
            "SELECT * FROM campaign WHERE id = ? AND account = coalesce(?, account)",
            campaign_id,
            account,
        )

    def campaign_by_reference(self, account: str, reference: str):
        return self._one(
            "SELECT * FROM campaign WHERE account = ? AND reference = ?", account, reference
        )

    def campaigns(self, account: str) -> list:
        return self._all("SELECT * FROM campaign WHERE account = ? ORDER BY id", account)

    def set_status(self, campaign_id: int, status: str) -> None:
        self._db.execute("UPDATE campaign SET status = ? WHERE id = ?", (status, campaign_id))

    # Sending and activity

    def unsent_emails(self, campaign_id: int, list_id: int) -> list[str]:
        """The list's addresses that are not suppressed and have not been sent the campaign."""
        rows = self._all(
            "SELECT email FROM member WHERE list_id = ?1"
            " AND email NOT IN (SELECT email FROM mail WHERE campaign_id = ?2)"
            " AND email NOT IN (SELECT email FROM suppression"
            "   WHERE account = (SELECT account FROM campaign WHERE id = ?2)) ORDER BY id",
            list_id,
            campaign_id,
        )
        return [row["email"] for row in rows]

    def start_sending(self, campaign_id: int, list_id: int, start: int, plan) -> None:
        """Store a plan of the simulation; its events are applied when due."""
        now = clock.now()
        first = self._one("SELECT coalesce(max(id), 0) + 1 FROM mail")[0]
        self._db.executemany(
            "INSERT INTO mail (id, campaign_id, email, sent_at, outcome, outcome_at, changed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (first + index, campaign_id, email, sent_at, outcome, at, max(at, now))
                for index, (email, sent_at, outcome, at) in enumerate(plan.emails)
            ),
        )
        self._db.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?)",
            ((max(at, now), at, first + index, kind) for at, index, kind in plan.events),
        )
        self._db.execute(
            "UPDATE campaign SET status = 'sending', list_id = ?1, created = min(created, ?2),"
            " sent_at = coalesce(sent_at, ?2), sent_by = ?3 WHERE id = ?4",
            (list_id, start, plan.sent_by, campaign_id),
        )
        self._apply_due_events(clock.now())

    def get_email(self, campaign_id: int, email: str):
        return self._one(
            "SELECT * FROM mail WHERE campaign_id = ? AND email = ?", campaign_id, email
        )

    def record(self, mail_id: int, kind: str, at: int, times: int = 1) -> None:
        """Record events at the time ``at``, which become visible now."""
        self._apply_events([(clock.now(), at, mail_id, kind)] * times)

    def statistics(self, campaign_id: int) -> dict[str, int]:
        """Totals of the campaign's emails, including corrections."""
        row = self._db.execute(STATISTICS, {"campaign": campaign_id, "now": clock.now()})
        figures = {name: int(value) for name, value in dict(row.fetchone()).items()}
        campaign = self._one("SELECT corrections FROM campaign WHERE id = ?", campaign_id)
        for name, difference in json.loads(campaign["corrections"]).items():
            figures[name] += difference
        return figures

    def correct(self, campaign_id: int, differences: dict[str, int]) -> None:
        """Add to the corrections of the totals."""
        row = self._one("SELECT corrections FROM campaign WHERE id = ?", campaign_id)
        corrections = json.loads(row["corrections"])
        for name, difference in differences.items():
            corrections[name] = corrections.get(name, 0) + difference
        self._db.execute(
            "UPDATE campaign SET corrections = ? WHERE id = ?",
            (json.dumps(corrections), campaign_id),
        )

    def activity(self, campaign_id, since=0, limit=-1, offset=0) -> tuple[list, int]:
        """Emails with a known outcome that changed since, ordered by id; and their number."""
        changed = (
            "FROM mail INDEXED BY mail_in_order WHERE campaign_id = ? AND changed BETWEEN ? AND ?"
        )
        where = (campaign_id, since, clock.now())
        total = self._one(f"SELECT count(*) {changed}", *where)[0]
        rows = self._all(
            f"SELECT * FROM mail WHERE id IN (SELECT id {changed} ORDER BY id LIMIT ? OFFSET ?)"
            " ORDER BY id",
            *where,
            limit,
            offset,
        )
        return rows, total

    def _apply_due_events(self, now):
        """Apply the events up to now, as nothing runs in the background."""
        if self._one("SELECT 1 FROM event WHERE recorded <= ? LIMIT 1", now):
            due = self._all("SELECT * FROM event WHERE recorded <= ? ORDER BY at", now)
            self._apply_events(due)
            self._db.execute("DELETE FROM event WHERE recorded <= ?", (now,))
        self._db.execute(
            "UPDATE campaign SET status = 'sent' WHERE status = 'sending' AND sent_by <= ?", (now,)
        )

    def _apply_events(self, events):
        """Add events, (recorded, at, mail id, kind) by ``at``, to their emails: one update each."""
        by_mail = defaultdict(list)
        for recorded, at, mail_id, kind in events:
            by_mail[mail_id].append((recorded, at, kind))
        self._db.executemany(
            APPLY_EVENTS, (_summary(mail_id, events) for mail_id, events in by_mail.items())
        )
        for mail_id, events in by_mail.items():
            for kind in [kind for _recorded, _at, kind in events if kind in OPT_OUT_REASONS]:
                self._db.execute(
                    "INSERT OR IGNORE INTO suppression SELECT account, email, ?"
                    " FROM mail JOIN campaign ON campaign.id = campaign_id WHERE mail.id = ?",
                    (OPT_OUT_REASONS[kind], mail_id),
                )

    def _one(self, query, *values):
        return self._db.execute(query, values).fetchone()

    def _all(self, query, *values):
        return self._db.execute(query, values).fetchall()

    def _changes(self, query, *values):
        return self._db.execute(query, values).rowcount > 0

    def _insert(self, table, **values):
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        query = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
        return self._db.execute(query, tuple(values.values())).lastrowid


def _summary(mail_id, events):
    """The parameters of ``APPLY_EVENTS`` for one email."""
    kinds = [kind for _recorded, _at, kind in events]
    opened = [at for _recorded, at, kind in events if kind == "open"]
    clicked = [at for _recorded, at, kind in events if kind == "click"]
    return {
        "mail_id": mail_id,
        **{column: kinds.count(kind) for kind, column in COUNTERS.items()},
        "opted_out": any(kind in OPT_OUT_REASONS for kind in kinds),
        "outcome": next((OUTCOMES[kind] for kind in kinds if kind in OUTCOMES), None),
        "first_open": min(opened, default=None),
        "last_open": max(opened, default=None),
        "first_click": min(clicked, default=None),
        "last_click": max(clicked, default=None),
        "changed": max(recorded for recorded, _at, _kind in events),
    }
