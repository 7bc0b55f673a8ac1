"""The matrix: each call of Campaign Master, with each way in which it can go wrong.

A cell is one call, made for somebody or by a scheduled action, with one fault. The fault plays as
long as that press or run lasts, on each of its repetitions. Then it ends, time passes, the next
run comes, and Odoo and the sandbox must agree again. What the user was told in between, and how
things stood then, is the cell's outcome.
"""

import re
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from odoo.addons.campaign_master.client import session as client_session
from odoo.addons.campaign_master.client.transport import Transport
from odoo.addons.campaign_master.models import campaign_master_account

from devtools.environment.rpc import OdooError
from sandbox import clock

from . import agreement
from .scene import LOGIN

# Seconds that the client waits in these runs, and that a server which hangs makes it wait.
PATIENCE, HANGS = 0.5, 1.5
# Megabytes; the client reads less.
TOO_MUCH = 17
# Objects on a page: a catalogue or an activity has several pages.
PAGE = 2
# Older than what cursors overlap.
MINUTES_AGO = 11
BEFORE = ("known@example.com",)
PEOPLE = [
    ("Known Already", "Known@example.com"),
    ("Ann Archer", "ann@example.com"),
    ("Bob Baker", "BOB@example.com"),
    ("Ann at Home", "ann@example.com"),
    ("Cem Carver", "cem@example.com"),
    ("Without Address", False),
    ("Broken Address", "broken"),
]
LEAD = {"name": "A lead", "email_from": "lead@example.com"}

# How things stand after the fault.
NOTHING_CHANGED, DONE, WAITS, FAILED = "nothing changed", "done", "waits", "failed"
DELETED, LATER, OLD = "taken for deleted", "read again later", "known ones stay"
GOES_ON, NOT_TAKEN = "goes on", "refused"
STANDS = {"running": WAITS, "failed": FAILED, "never": NOTHING_CHANGED}
# Nothing of this may be in what a user is told.
NO_WORDS = re.compile(r"Traceback|Error\(|object at 0x|[<>{}]|\bNone\b(?! of)|\bFalse\b|@")


@dataclass(frozen=True)
class Fault:
    """A way to go wrong: ``kind`` is the sandbox's word for it, with ``{member}`` for a member of
    the answer; None: nobody listens. ``like``: the fault that has the same outcomes and represents
    it, except with --all."""

    name: str
    kind: str | None
    like: str | None = None


UNREACHABLE, UNUSABLE = "connection refused", "HTML page"
FAULTS = [
    Fault(UNREACHABLE, None),
    Fault("read timeout", f"hang-after:{HANGS}", UNREACHABLE),
    Fault("reset before", "reset-before", UNREACHABLE),
    Fault("reset after", "reset-after"),
    Fault("400", "400"),
    Fault("401", "401"),
    Fault("404", "404"),
    Fault("429, hour", "429"),
    Fault("429, month", "429-month"),
    Fault("500", "500", UNREACHABLE),
    Fault(UNUSABLE, "html"),
    Fault("cut body", "cut", UNREACHABLE),
    Fault("wrong types", "type:{member}", UNUSABLE),
    Fault("missing member", "drop:{member}", UNUSABLE),
    Fault("empty page", "empty-page"),
    Fault("repeated page", "repeat-page"),
    Fault("huge page", f"huge:{TOO_MUCH}", UNUSABLE),
]


@dataclass(frozen=True)
class Call:
    """A call, and for whom it is made.

    ``before`` and ``action`` are methods of `Matrix`: how things are before the fault, and what
    is done with it. ``skip`` of the calls pass before it plays. ``senseless``: why some faults
    make no sense, by name.
    """

    name: str
    purpose: str
    before: str
    action: str
    member: str
    senseless: dict
    skip: int = 0

    def kind(self, fault):
        """The sandbox's word for a fault of this call."""
        if fault.name == "empty page" and self.name.startswith("POST /lists"):
            return "lose-results:1000"
        return fault.kind.format(member=self.member)


PAGED = {}
NO_PAGES = dict.fromkeys(["empty page", "repeated page"], "Its answer has no pages.")
NO_SECOND_PAGE = {
    "repeated page": "One campaign at most has a reference, so that there is no second page."
}
ONE_ANSWER = {
    "repeated page": "Its answer has no pages. (Empty page: an answer without a single result.)"
}
LOGIN_CALL = {
    **NO_PAGES,
    "429, month": "Logins do not count against the limits and their answers do not tell hour from "
    "month: the row above stands for both.",
}

# Headings of the tables, with what is in their columns.
GROUPS = {
    "Sync with Campaign Master, pressed by a marketing user": [
        Call("POST /authenticate", "before all", "planned", "sync", "token", LOGIN_CALL),
        Call("GET /campaigns", "first sync", "half_made", "sync", "id", NO_SECOND_PAGE),
        Call("POST /campaigns", "first sync", "planned", "sync", "id", NO_PAGES),
        Call("GET /campaigns/ID", "later sync", "changed", "sync", "status", NO_PAGES),
        Call("PUT /campaigns/ID", "later sync", "changed", "sync", "id", NO_PAGES),
    ],
    "Recipients, added by the scheduled action": [
        Call("POST /authenticate", "push", "pressed", "push", "token", LOGIN_CALL),
        Call("POST /lists/ID/recipients", "push", "pressed", "push", "status", ONE_ANSWER),
    ],
    "Refresh statistics now, pressed by a marketing user": [
        Call("GET /campaigns/ID/statistics", "Refresh", "sent", "refresh", "opens", NO_PAGES),
        Call("GET /campaigns/ID", "Refresh", "sent", "refresh", "status", NO_PAGES),
        Call("GET /campaigns/ID/activity", "Refresh", "sent", "refresh", "opens", PAGED, skip=1),
    ],
    "Statistics, read by the scheduled action": [
        Call("GET /campaigns/ID/statistics", "pull", "sent", "pull", "opens", NO_PAGES),
        Call("GET /campaigns/ID", "pull", "sent", "pull", "status", NO_PAGES),
        Call("GET /campaigns/ID/activity", "pull", "sent", "pull", "opens", PAGED, skip=1),
    ],
    "Templates and lists": [
        Call("GET /templates", "opened form", "planned", "open_form", "name", PAGED),
        Call("GET /lists", "Refresh", "planned", "read_lists", "recipients", PAGED),
    ],
}
CALLS = [call for calls in GROUPS.values() for call in calls]


@dataclass(frozen=True)
class Cell:
    """One call with one fault."""

    call: Call
    fault: Fault

    @property
    def key(self):
        return self.call.name, self.call.purpose, self.fault.name

    @property
    def name(self):
        return f"{self.call.name} ({self.call.purpose}) - {self.fault.name}"

    @property
    def senseless(self):
        """Why it makes no sense, or None."""
        return self.call.senseless.get(self.fault.name)


ALL_CELLS = [Cell(call, fault) for call in CALLS for fault in FAULTS]
CELLS = [cell for cell in ALL_CELLS if not cell.senseless]
REPRESENTATIVE = [cell for cell in CELLS if not cell.fault.like]


@dataclass(frozen=True)
class Outcome:
    """What came of a cell: what the user was told, and how things stood."""

    told: str
    stands: str


class Disagreement(AssertionError):
    """A cell is not as it must be."""


class Matrix:
    """Plays cells, one after the other, on one database.

    :param Scene scene: with sessions that are inside this process
    """

    def __init__(self, scene):
        self.scene = scene
        self.people = []
        self.later = 0  # by how much the sandbox's clock is ahead, in milliseconds

    @contextmanager
    def ready(self):
        """The block in which cells can be played: nobody waits for long, and time can pass."""
        now = clock.now
        impatient = (PATIENCE, PATIENCE)
        with (
            patch.object(clock, "now", lambda: now() + self.later),
            patch.object(campaign_master_account, "TIMEOUT_BUTTON", impatient),
            patch.object(campaign_master_account, "TIMEOUT_BACKGROUND", impatient),
            patch.object(client_session, "BACKOFF", 0.01),
        ):
            yield

    def play(self, cell):
        """Play a cell.

        :return: its `Outcome`
        :raise Disagreement: the message is no sentence or not true, or Odoo and the sandbox do not
            agree after the next run
        """
        self._begin()
        getattr(self, f"_{cell.call.before}")()
        with self._fault(cell):
            told, stands = getattr(self, f"_{cell.call.action}")()
        told = _general(told)
        self._check(cell, told, stands)
        if self._administrator_is_told():
            stands += ", administrator told"
        self._next_run(cell, stands)
        self._compare(f"After “{told}” and the next run")
        return Outcome(told, stands)

    @contextmanager
    def _fault(self, cell):
        """Let each such call go wrong for as long as the block lasts."""
        call, fault = cell.call, cell.fault
        # Nobody who has a good token logs in; and who is told 401 has none.
        if call.name == "POST /authenticate" or fault.name == "401":
            self.scene.sandbox.post("end-tokens", {})
        if fault.kind:
            match = f"{call.name}$"
            ordered = {"match": match, "kind": call.kind(fault), "skip": call.skip, "count": None}
            self.scene.faults(ordered)
            yield
            self.scene.faults()
        else:
            with _nobody_listens(call):
                yield

    def _check(self, cell, told, stands):
        """What the user was told is a sentence about it, tells no secret, and is true."""
        if not told and stands not in (LATER, OLD, DONE):
            raise Disagreement("The user was told nothing.")
        if not told and cell.call.action != "pull" and stands != DONE:
            raise Disagreement("The user, who waits for it, was told nothing.")
        if stands == NOT_TAKEN and not cell.call.name.startswith("POST /lists"):
            raise Disagreement("The recipients are blamed for what is not their fault.")
        if told and not told.endswith("."):
            raise Disagreement(f"This does not end as a sentence: {told!r}")
        wrong = NO_WORDS.search(told) or next(filter(told.__contains__, self._secrets()), None)
        if wrong:
            raise Disagreement(f"This is nothing to tell a user: {told!r}")
        if stands == DONE:
            catalogue = cell.call.action in ("open_form", "read_lists")
            self._compare(f"“{told}” is not true", everything=False, catalogue=catalogue)

    def _compare(self, when, everything=True, catalogue=False):
        found = []
        if everything or not catalogue:
            found += agreement.differences(self.scene, self.campaign, BEFORE)
        if everything or catalogue:
            found += agreement.catalogue_differences(self.scene, self.account)
        if found:
            raise Disagreement(f"{when}: {'; '.join(found)}")

    def _secrets(self):
        rows = self.scene.sql("SELECT token, secret FROM campaign_master_account")
        return [secret for row in rows for secret in row if secret]

    def _administrator_is_told(self):
        domain = [("res_model", "=", "campaign.master.account"), ("res_id", "=", self.account)]
        return bool(self.scene.admin.find("mail.activity", domain, ["id"]))

    # === BEFORE THE FAULT === #

    def _begin(self):
        """Nothing is left of the cell before: an empty sandbox, a new account, new people."""
        scene, admin = self.scene, self.scene.admin
        self.later = 0
        scene.sandbox.post("reset", {})
        scene.sandbox.post("settings", {"pageCap": PAGE})
        scene.sandbox.post("users", LOGIN)
        for model, domain in (
            ("utm.campaign", [("campaign_master_account_id", "!=", False)]),
            ("campaign.master.account", []),
            ("crm.lead", [("email_from", "=", LEAD["email_from"])]),
            ("res.partner", [("id", "in", self.people)]),
        ):
            admin.call(model, "unlink", [row["id"] for row in admin.find(model, domain, ["id"])])
        for name in ("Spring", "Summer", "Autumn"):
            scene.make_template(name)
        self.list = scene.make_list("Customers", BEFORE)
        for name in ("Press", "Partners"):
            scene.make_list(name)
        self.account = scene.connect()
        people = [{"name": name, "email": email} for name, email in PEOPLE]
        self.people = admin.call("res.partner", "create", people)
        lead = admin.call("crm.lead", "create", [LEAD])
        self.campaign = scene.plan(self.account, self.list)
        scene.add(self.campaign, [("id", "in", self.people)])
        scene.add(self.campaign, [("id", "in", lead)], "crm.lead")

    def _planned(self):
        """Nothing of it is in Campaign Master. Templates and lists have changed there."""
        self.scene.make_template("Winter")
        self.scene.make_list("Readers")

    def _half_made(self):
        """The campaign is in Campaign Master, but the answer that said so was lost."""
        self.scene.faults({"match": "POST /campaigns", "kind": "reset-after"})
        try:
            self.scene.press(self.campaign)
        except OdooError:
            return
        raise Disagreement("A lost answer was not noticed.")

    def _pressed(self):
        """The campaign is in Campaign Master; its recipients wait for the scheduled action."""
        self.scene.press(self.campaign)

    def _synced(self):
        self._pressed()
        self.scene.run("push_recipients")

    def _changed(self):
        """Synced, and changed in Odoo since."""
        self._synced()
        change = {"campaign_master_subject": "Spring is nearly over"}
        self.scene.marketer.call("utm.campaign", "write", [self.campaign], change)

    def _sent(self):
        """Synced and sent, and much has happened; all of it some time ago."""
        self._synced()
        self.scene.send(self.campaign, self.list)
        self.later = MINUTES_AGO * clock.MINUTE

    # === WITH THE FAULT: WHAT THE USER IS TOLD, AND HOW THINGS STAND === #

    def _sync(self):
        try:
            told = self.scene.press(self.campaign)
        except OdooError as error:
            return str(error), NOTHING_CHANGED
        stands = self._stands()
        return told, GOES_ON if stands == WAITS else stands

    def _push(self):
        self.scene.run("push_recipients")
        stands = NOT_TAKEN if self._refused() else self._stands()
        return self.scene.read(self.campaign, "sync_message"), stands

    def _refresh(self):
        try:
            told = self.scene.press(self.campaign, "refresh_statistics")
        except OdooError as error:
            return str(error), NOTHING_CHANGED
        return told, self._stands()

    def _pull(self):
        self.scene.time_passes()
        self.scene.run("pull_statistics")
        if self._stands() == DELETED:
            return self.scene.read(self.campaign, "sync_message"), DELETED
        return "", LATER

    def _open_form(self):
        account = [self.account]
        self.scene.marketer.call("campaign.master.account", "request_catalogue", account)
        self.scene.run("refresh_catalogue")
        state = self.scene.marketer.call("campaign.master.account", "catalogue_state", account)
        return state["notice"] or "", OLD if state["notice"] else DONE

    def _read_lists(self):
        try:
            action = self.scene.marketer.call(
                "campaign.master.account", "action_refresh_catalogue", [self.account]
            )
        except OdooError as error:
            return str(error), OLD
        return action["params"]["message"], DONE

    def _stands(self):
        state, remote = self.scene.read(self.campaign, "sync_state", "remote_status")
        return DELETED if remote == "deleted" else STANDS.get(state, DONE)

    # === AFTER THE FAULT === #

    def _next_run(self, cell, stands):
        """The administrator corrects a login, who pressed in vain presses again, and time does
        the rest."""
        if "administrator told" in stands:
            password = {"password": LOGIN["password"]}
            self.scene.admin.call("campaign.master.account", "write", [self.account], password)
        self.scene.time_passes()
        if cell.call.action in ("sync", "refresh", "read_lists") and stands != GOES_ON:
            getattr(self, f"_{cell.call.action}")()
        self._scheduled_actions()
        if self._stands() != DONE:
            self._sync()
        elif self._refused():
            self.scene.press(self.campaign, "retry")
        # Twice, because activity is read once more at the poll after the one with news.
        self._scheduled_actions()
        self._scheduled_actions()

    def _scheduled_actions(self):
        self.scene.time_passes()
        for cron in self.scene.crons:
            self.scene.run(cron)

    def _refused(self):
        domain = [("campaign_id", "=", self.campaign), ("sync_state", "=", "refused")]
        return self.scene.marketer.find("campaign.master.recipient", domain, ["id"])


@contextmanager
def _nobody_listens(call):
    """Let a call meet a port where nobody listens, after those that pass."""
    send, to_pass = Transport.send, call.skip
    with socket.socket() as bound:
        # Bound without listening, it refuses, and nobody else can take it.
        bound.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{bound.getsockname()[1]}"

        def send_there(transport, one, token, ends):
            nonlocal to_pass
            if re.sub(r"/\d+", "/ID", str(one)) != call.name:
                return send(transport, one, token, ends)
            if to_pass:
                to_pass -= 1
                return send(transport, one, token, ends)
            with patch.object(transport, "url", closed):
                return send(transport, one, token, ends)

        with patch.object(Transport, "send", send_there):
            yield


def _general(told):
    """A message without what is another each time: ids, and times of the day."""
    told = re.sub(r"(?<=/)\d+", "ID", told or "")
    return re.sub(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d", "HH:MM", told)
