"""What the sandbox remembers, in SQLite: in memory, or in a file that survives a restart.

One connection, one caller at a time: use every method but ``turn`` inside ``with store.turn():``.
Addresses are kept trimmed and lower-cased, times as milliseconds since 1970 (UTC), and everything
that belongs to somebody carries the account, which is the username.
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
-- Pages of activity are in the order of `id`, which never changes: in the order of `changed` a
-- mail that is opened between two pages would move, and push another one out of sight.
CREATE INDEX mail_in_order ON mail (campaign_id, id, changed);
CREATE INDEX mail_by_address ON mail (email) WHERE opted_out;
CREATE TABLE event (
    recorded INTEGER NOT NULL, at INTEGER NOT NULL, mail_id INTEGER NOT NULL, kind TEXT NOT NULL
);
CREATE INDEX event_by_time ON event (recorded);
-- Ids of different things look different, so that a mix-up is seen.
INSERT INTO sqlite_sequence VALUES ('template', 100), ('list', 300), ('campaign', 5000);
"""
VERSION = 1
"""Kept in the state file; raise it whenever the schema changes."""
FORGOTTEN = (
    "account",
    "token",
    "usage",
    "template",
    "list",
    "member",
    "suppression",
    "campaign",
    "mail",
    "event",
)
"""Emptied by reset. The sequences go on, so that an old id never means something new."""

COUNTERS = {
    "open": "opens",
    "click": "clicks",
    "forward": "forwards",
    "unsubscribe": "unsubscribes",
    "complaint": "complaints",
}
OUTCOMES = {"bounce": "hard", "soft-bounce": "soft", "reject": "rejected"}
LEAVING = {
    "unsubscribe": "Unsubscribed from a mail.",
    "complaint": "Reported a mail as spam.",
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
    total(forwards) AS forwards, total(unsubscribes) AS unsubscribes,
    total(complaints) AS complaints
FROM mail WHERE campaign_id = :campaign
"""
APPLY = """
UPDATE mail SET
    opens = opens + :opens, clicks = clicks + :clicks, forwards = forwards + :forwards,
    unsubscribes = unsubscribes + :unsubscribes, complaints = complaints + :complaints,
    opted_out = opted_out OR :leaving,
    outcome = coalesce(:outcome, outcome),
    first_open = coalesce(min(first_open, :first_open), first_open, :first_open),
    last_open = coalesce(max(last_open, :last_open), last_open, :last_open),
    first_click = coalesce(min(first_click, :first_click), first_click, :first_click),
    last_click = coalesce(max(last_click, :last_click), last_click, :last_click),
    changed = max(changed, :changed)
WHERE id = :mail_id
"""


class OutdatedState(Exception):
    """The state file is of another version."""


class Store:
    """All data of all accounts. ``path`` is the state file; None keeps everything in memory."""

    def __init__(self, path: str | None = None):
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        # A killed process loses nothing this way; only a power cut could, and that is no matter
        # for a sandbox. Waiting for the disk at each call would be felt.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        version = self._one("PRAGMA user_version")[0]
        if version not in (0, VERSION):
            raise OutdatedState(f"{path} was written by another version of the sandbox: delete it")
        if version == 0:
            self._db.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def turn(self):
        """One caller at a time; what is due has happened; all of it is kept, or nothing."""
        with self._lock, self._db:
            self._let_things_happen(clock.now())
            yield self

    def forget_everything(self) -> None:
        """Empty all tables."""
        for table in FORGOTTEN:
            self._db.execute(f"DELETE FROM {table}")

    # Accounts, tokens and calls used

    def set_account(self, name: str, password: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO account VALUES (?, ?)", (name, password))

    def accounts(self) -> list[str]:
        return [row["name"] for row in self._all("SELECT name FROM account ORDER BY rowid")]

    def password_is(self, name: str, password: str) -> bool:
        row = self._one("SELECT password FROM account WHERE name = ?", name)
        return row is not None and secrets.compare_digest(
            row["password"].encode(), password.encode()
        )

    def new_token(self, account: str, ends: int) -> str:
        token = secrets.token_urlsafe(32)
        self._db.execute("INSERT INTO token VALUES (?, ?, ?)", (token, account, ends))
        return token

    def token(self, token: str):
        """The row of a token that is still good (``account``, ``ends``), else None."""
        return self._one("SELECT * FROM token WHERE token = ? AND ends > ?", token, clock.now())

    def end_tokens(self, account: str | None = None) -> None:
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
        """A list; with ``account`` only if it is theirs."""
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
        """How many templates, lists or campaigns an account has."""
        return self._one(f"SELECT count(*) FROM {table} WHERE account = ?", account)[0]

    def rename(self, table: str, thing_id: int, name: str) -> bool:
        return self._changes(f"UPDATE {table} SET name = ? WHERE id = ?", name, thing_id)

    def delete(self, table: str, thing_id: int) -> bool:
        """Delete a template, list or campaign with what hangs on it; False if there is none."""
        if table == "list":
            self._db.execute("DELETE FROM member WHERE list_id = ?", (thing_id,))
        if table == "campaign":
            mails = "SELECT id FROM mail WHERE campaign_id = ?"
            self._db.execute(f"DELETE FROM event WHERE mail_id IN ({mails})", (thing_id,))
            self._db.execute("DELETE FROM mail WHERE campaign_id = ?", (thing_id,))
        return self._changes(f"DELETE FROM {table} WHERE id = ?", thing_id)

    # Who is on a list, and who may not be

    def members(self, list_id: int, limit: int = -1, offset: int = 0) -> list[str]:
        rows = self._all(
            "SELECT email FROM member WHERE list_id = ? ORDER BY id LIMIT ? OFFSET ?",
            list_id,
            limit,
            offset,
        )
        return [row["email"] for row in rows]

    def on_list(self, list_id: int, emails: list[str]) -> set[str]:
        """Which of the addresses are on the list."""
        rows = self._all(
            "SELECT email FROM member WHERE list_id = ?"
            " AND email IN (SELECT value FROM json_each(?))",
            list_id,
            json.dumps(emails),
        )
        return {row["email"] for row in rows}

    def add_members(self, list_id: int, emails: list[str]) -> None:
        """Put addresses on a list; those that are there already stay there once."""
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
        """Which of the addresses get no mail from this account any more, and why."""
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
        """Somebody wants mail again: nowhere opted out any more."""
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
        """``values`` by the contract's member names."""
        return self._insert(
            "campaign",
            account=account,
            reference=reference,
            template_id=template_id,
            created=clock.now(),
            **{column: values.get(member) for member, column in CAMPAIGN_MEMBERS.items()},
        )

    def change_campaign(self, campaign_id: int, values: dict) -> None:
        """Replace what can be replaced: a member that is left out becomes empty."""
        columns = ", ".join(f"{column} = ?" for column in CAMPAIGN_MEMBERS.values())
        self._db.execute(
            f"UPDATE campaign SET {columns} WHERE id = ?",
            (*(values.get(member) for member in CAMPAIGN_MEMBERS), campaign_id),
        )

    def get_campaign(self, campaign_id: int, account: str | None = None):
        """A campaign; with ``account`` only if it is theirs."""
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

    # What was sent, and what came of it

    def who_would_get(self, campaign_id: int, list_id: int) -> list[str]:
        """The list's members who may get mail and did not get this one yet."""
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
        """Take a simulation's plan: what lies in the past is recorded now, the rest when due."""
        now = clock.now()
        first = self._one("SELECT coalesce(max(id), 0) + 1 FROM mail")[0]
        self._db.executemany(
            "INSERT INTO mail (id, campaign_id, email, sent_at, outcome, outcome_at, changed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (first + index, campaign_id, email, sent_at, outcome, at, max(at, now))
                for index, (email, sent_at, outcome, at) in enumerate(plan.mails)
            ),
        )
        self._db.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?)",
            ((max(at, now), at, first + index, kind) for at, index, kind in plan.events),
        )
        self._db.execute(
            "UPDATE campaign SET status = 'sending', list_id = ?,"
            " sent_at = coalesce(sent_at, ?), sent_by = ? WHERE id = ?",
            (list_id, start, plan.sent_by, campaign_id),
        )
        self._let_things_happen(clock.now())

    def mail_to(self, campaign_id: int, email: str):
        return self._one(
            "SELECT * FROM mail WHERE campaign_id = ? AND email = ?", campaign_id, email
        )

    def record(self, mail_id: int, kind: str, at: int, times: int = 1) -> None:
        """Something was done with a mail, and is known now."""
        self._apply([(clock.now(), at, mail_id, kind)] * times)

    def statistics(self, campaign_id: int) -> dict[str, int]:
        """The campaign's figures: sums over its mails, and what was corrected by hand."""
        row = self._db.execute(STATISTICS, {"campaign": campaign_id, "now": clock.now()})
        figures = {name: int(value) for name, value in dict(row.fetchone()).items()}
        campaign = self._one("SELECT corrections FROM campaign WHERE id = ?", campaign_id)
        for name, difference in json.loads(campaign["corrections"]).items():
            figures[name] += difference
        return figures

    def correct(self, campaign_id: int, differences: dict[str, int]) -> None:
        """Let the figures differ from the sums, on top of earlier corrections."""
        row = self._one("SELECT corrections FROM campaign WHERE id = ?", campaign_id)
        corrections = json.loads(row["corrections"])
        for name, difference in differences.items():
            corrections[name] = corrections.get(name, 0) + difference
        self._db.execute(
            "UPDATE campaign SET corrections = ? WHERE id = ?",
            (json.dumps(corrections), campaign_id),
        )

    def activity(self, campaign_id, since=0, limit=-1, offset=0) -> tuple[list, int]:
        """Mails whose fate is known and that changed since, by id; and how many there are."""
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

    def _let_things_happen(self, now):
        """Record the events whose time has come: nothing runs in the background."""
        if self._one("SELECT 1 FROM event WHERE recorded <= ? LIMIT 1", now):
            due = self._all("SELECT * FROM event WHERE recorded <= ? ORDER BY at", now)
            self._apply(due)
            self._db.execute("DELETE FROM event WHERE recorded <= ?", (now,))
        self._db.execute(
            "UPDATE campaign SET status = 'sent' WHERE status = 'sending' AND sent_by <= ?", (now,)
        )

    def _apply(self, events):
        """Add events, (recorded, at, mail id, kind) by ``at``, to their mails: one update each."""
        by_mail = defaultdict(list)
        for recorded, at, mail_id, kind in events:
            by_mail[mail_id].append((recorded, at, kind))
        self._db.executemany(APPLY, (_summary(mail, done) for mail, done in by_mail.items()))
        for mail_id, done in by_mail.items():
            for kind in [kind for _recorded, _at, kind in done if kind in LEAVING]:
                self._db.execute(
                    "INSERT OR IGNORE INTO suppression SELECT account, email, ?"
                    " FROM mail JOIN campaign ON campaign.id = campaign_id WHERE mail.id = ?",
                    (LEAVING[kind], mail_id),
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


def _summary(mail_id, done):
    """What several events do to one mail, as the values of ``APPLY``."""
    kinds = [kind for _recorded, _at, kind in done]
    opened = [at for _recorded, at, kind in done if kind == "open"]
    clicked = [at for _recorded, at, kind in done if kind == "click"]
    return {
        "mail_id": mail_id,
        **{column: kinds.count(kind) for kind, column in COUNTERS.items()},
        "leaving": any(kind in LEAVING for kind in kinds),
        "outcome": next((OUTCOMES[kind] for kind in kinds if kind in OUTCOMES), None),
        "first_open": min(opened, default=None),
        "last_open": max(opened, default=None),
        "first_click": min(clicked, default=None),
        "last_click": max(clicked, default=None),
        "changed": max(recorded for recorded, _at, _kind in done),
    }
