"""Plays the cells of the matrix, see ``cells.py``.

The fault of a cell lasts for one run of the scheduled action or one click. Then it ends, time
passes, the scheduled actions run again, and Odoo and the sandbox must agree.
"""

import re
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from odoo.addons.campaign_master.client import CampaignMasterError, wire
from odoo.addons.campaign_master.client import session as client_session
from odoo.addons.campaign_master.tools.error_messages import MESSAGES

from devtools.environment.rpc import OdooError
from sandbox import clock

from . import agreement, dialects
from .cells import CATALOG, LOGIN_CALL, OPTIONAL, STATISTICS
from .dialects import DIALECTS
from .scene import LOGIN, RECIPIENTS

# Objects per page, so that templates, lists and activity have several pages.
PAGE = 2
# More than the overlap of two readings of activity.
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

# States after the fault.
DONE, WAITS, FAILED, DELETED = "done", "waits", "failed", "deleted"
PARTIAL, NOT_REFRESHED, LATER, KEPT = "partial", "not refreshed", "read later", "saved ones kept"
STATES = {"running": WAITS, "failed": FAILED, "partial": PARTIAL}
# Must not occur in a message for users.
NOT_FOR_USERS = re.compile(r"Traceback|Error\(|object at 0x|[<>{}]|\bNone\b(?! of)|\bFalse\b|@")


@dataclass(frozen=True)
class Outcome:
    """What a fault led to.

    :ivar str state: how the sync, or what else was done, stands
    :ivar str key: ``key`` of the client's error, if the user sees a message
    :ivar str message: what the user sees
    """

    state: str
    key: str
    message: str


class Disagreement(AssertionError):
    """A cell is not as it must be."""


class Matrix:
    """Plays cells, one after the other, on one database.

    :param Scene scene: with sessions that are inside this process
    """

    def __init__(self, scene):
        self.scene = scene
        self.people = []
        self.dialect = {}
        self.later = 0  # by how much the sandbox's clock is ahead, in milliseconds
        self.keys = []  # of the client's errors

    @contextmanager
    def ready(self):
        """The block in which cells can be played: retries are quick, time can pass."""
        now, call = clock.now, client_session.Session.call

        def recorded(session, *args):
            try:
                return call(session, *args)
            except CampaignMasterError as error:
                self.keys.append(error.key)
                raise

        with (
            patch.object(clock, "now", lambda: now() + self.later),
            patch.object(client_session, "BACKOFF", 0.01),
            patch.object(client_session.Session, "call", recorded),
        ):
            yield

    def play(self, cell):
        """Play a cell.

        :return: its `Outcome`
        :raise Disagreement: the message is not for users or not true, or Odoo and the sandbox do
            not agree in the end
        """
        with self.speaking(DIALECTS[cell.dialect]):
            return self._play(cell)

    @contextmanager
    def speaking(self, dialect):
        """The block in which Campaign Master speaks a dialect, and a campaign is planned."""
        batch = dialect.get("recipients", wire.MAX_RECIPIENTS)
        with patch.object(wire, "MAX_RECIPIENTS", batch):
            self.begin(dialect)
            yield

    def _play(self, cell):
        getattr(self, f"_{cell.call.before}")()
        self.keys.clear()
        with self._fault(cell):
            message, state = getattr(self, f"_{cell.call.action}")()
        message = _without_numbers(message)
        key = self.keys[-1] if self.keys and message else ""
        self._check(cell, state, key, message)
        if self._is_administrator_notified():
            state += ", administrator notified"
        self._finish(cell, state)
        when = f"After “{message}” and the next runs"
        self.compare(when, catalog=True)
        if cell.call.action not in CATALOG:
            self.compare(when)
        return Outcome(state, key, message)

    @contextmanager
    def _fault(self, cell):
        """Let each of these calls fail for as long as the block lasts."""
        # With a valid token nobody logs in, and 401 means that it is not valid.
        if cell.call.name == LOGIN_CALL or cell.fault.name == "401":
            self.scene.sandbox.post("end-tokens", {})
        self.scene.faults(
            {
                "match": f"{cell.call.name}$",
                "kind": cell.kind,
                "skip": cell.call.skip,
                "count": None,
            }
        )
        yield
        self.scene.faults()

    def _check(self, cell, state, key, message):
        """The message names the cause, tells no secret, and is true."""
        if state == DONE:
            is_dropped = cell.fault.name == OPTIONAL and cell.call.name == STATISTICS
            self.compare(
                f"“{message}” is not true",
                catalog=cell.call.action in CATALOG,
                unreported={f"campaign_master_{cell.call.optional}"} if is_dropped else (),
            )
            return
        if state == LATER:
            return
        if state == PARTIAL and cell.call.name != RECIPIENTS:
            raise Disagreement("The recipients are blamed for another call's failure.")
        if not message.endswith("."):
            raise Disagreement(f"This does not end as a sentence: {message!r}")
        if NOT_FOR_USERS.search(message) or any(map(message.__contains__, self._secrets())):
            raise Disagreement(f"This is not a message for users: {message!r}")
        # What was deleted is named, and a form does not explain why it may be outdated.
        is_named = state == DELETED or key.endswith("not_found") or cell.call.action == "open_form"
        if cell.fault.name == "202":
            is_named = "Not confirmed by Campaign Master yet" in message
        if not is_named and state != PARTIAL and not _cause(key).search(message):
            raise Disagreement(f"This does not say the cause, {key}: {message!r}")

    def compare(self, when, catalog=False, unreported=()):
        """:raise Disagreement: Odoo and the sandbox do not agree about the campaign, or about
        templates and lists"""
        if catalog:
            found = agreement.catalog_differences(
                self.scene, self.account, with_counts=not self.dialect.get("fewMembers")
            )
        else:
            found = agreement.differences(self.scene, self.campaign, BEFORE, unreported)
        if found:
            raise Disagreement(f"{when}: {'; '.join(found)}")

    def _secrets(self):
        rows = self.scene.sql(
            "SELECT secret FROM campaign_master_account"
            " UNION SELECT saved_client_secret FROM campaign_master_account"
            " UNION SELECT token FROM campaign_master_account_state"
        )
        return [secret for [secret] in rows if secret]

    def _is_administrator_notified(self):
        domain = [("res_model", "=", "campaign.master.account"), ("res_id", "=", self.account)]
        return bool(self.scene.admin.find("mail.activity", domain, ["id"]))

    # === BEFORE THE FAULT === #

    def begin(self, dialect=None):
        """Delete what the previous cell left, and plan a campaign with recipients.

        :param dict dialect: the forms that Campaign Master speaks, if not the documented ones
        """
        scene, admin = self.scene, self.scene.admin
        self.later, self.dialect = 0, dialect or {}
        scene.sandbox.post("reset", {})
        scene.sandbox.post("dialect", self.dialect)
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
        prefix = self.dialect.get("prefix", "")
        self.account = scene.connect(prefix=prefix, **dialects.login(self.dialect))
        people = [{"name": name, "email": email} for name, email in PEOPLE]
        self.people = admin.call("res.partner", "create", people)
        lead = admin.call("crm.lead", "create", [LEAD])
        self.campaign = scene.plan(self.account, self.list)
        scene.add(self.campaign, [("id", "in", self.people)])
        scene.add(self.campaign, [("id", "in", lead)], "crm.lead")

    def _planned(self):
        """The campaign is not in Campaign Master; templates and lists have changed there."""
        self.scene.make_template("Winter")
        self.scene.make_list("Readers")

    def _half_made(self):
        """The campaign is in Campaign Master, but the response was lost."""
        self.interrupt("POST /campaigns")

    def _interrupted(self):
        """The campaign is in Campaign Master, but its recipients are not on the list."""
        self.interrupt(RECIPIENTS)

    def interrupt(self, call, kind="reset-after"):
        """Sync, with a fault of one call; the next attempt is due."""
        self.scene.faults({"match": f"{call}$", "kind": kind})
        self._sync()
        if self._state() != WAITS:
            raise Disagreement("A fault was not noticed.")
        self.scene.time_passes()

    def _synced(self):
        self.scene.press(self.campaign)
        self.scene.run("push_recipients")

    def _changed(self):
        """Synced, and changed in Odoo since."""
        self._synced()
        change = {"campaign_master_subject": "Spring is nearly over"}
        self.scene.marketer.call("utm.campaign", "write", [self.campaign], change)

    def _sent(self):
        """Synced and sent, with opens and clicks some time ago."""
        self._synced()
        self.scene.send(self.campaign, self.list)
        self.later = MINUTES_AGO * clock.MINUTE

    def travel(self, dialect):
        """The whole journey without a fault: log in, read templates and lists, create, add, update,
        send, read.

        :param dict dialect: the forms that Campaign Master speaks
        :raise Disagreement: Odoo and the sandbox do not agree in the end
        """
        with self.speaking(dialect):
            self._planned()
            self._read_lists()
            self.compare("After reading templates and lists", catalog=True)
            self._changed()
            self._scheduled_actions()  # results may come later
            self._sync()
            self.scene.send(self.campaign, self.list)
            for _reading in range(3):
                self._scheduled_actions()
            self.compare("In the end")

    # === WITH THE FAULT: MESSAGE AND STATE === #

    def _sync(self):
        self.scene.press(self.campaign)
        return self._resume()

    def _resume(self):
        self.scene.run("push_recipients")
        return self.scene.read(self.campaign, "sync_message"), self._state()

    def _refresh(self):
        self.scene.press(self.campaign, "refresh_statistics")
        self.scene.run("pull_statistics")
        progress = self.scene.marketer.call(
            "utm.campaign", "campaign_master_progress", [self.campaign]
        )
        if progress["refreshing"]:
            raise Disagreement("The form still shows that statistics are being refreshed.")
        if self._state() == DELETED:
            return progress["message"], DELETED
        message = progress["refresh_message"]
        return message, NOT_REFRESHED if message else DONE

    def _read(self):
        self.scene.time_passes()
        self.scene.run("pull_statistics")
        if self._state() == DELETED:
            return self.scene.read(self.campaign, "sync_message"), DELETED
        [row] = self.scene.marketer.find(
            "campaign.master.campaign", [("campaign_id", "=", self.campaign)], ["activity_since"]
        )
        return "", DONE if row["activity_since"] else LATER

    def _open_form(self):
        account = [self.account]
        self.scene.marketer.call("campaign.master.account", "request_catalog", account)
        self.scene.run("refresh_catalogue")
        state = self.scene.marketer.call("campaign.master.account", "catalog_state", account)
        return state["notice"] or "", KEPT if state["notice"] else DONE

    def _read_lists(self):
        try:
            action = self.scene.marketer.call(
                "campaign.master.account", "action_refresh_catalogue", [self.account]
            )
        except OdooError as error:
            return str(error), KEPT
        return action["params"]["message"], DONE

    def _state(self):
        state, status = self.scene.read(self.campaign, "sync_state", "remote_status")
        if status == "deleted":
            return DELETED
        if state == "partial" and not self._rejected():
            return DONE  # some people have no valid address
        return STATES.get(state, DONE)

    # === AFTER THE FAULT === #

    def _finish(self, cell, state):
        """An administrator corrects the login, a user syncs again what failed; the rest follows."""
        if "administrator notified" in state:
            password = {"password": LOGIN["password"]}
            self.scene.admin.call("campaign.master.account", "write", [self.account], password)
        self._scheduled_actions()
        if self._state() in (FAILED, DELETED):
            self._sync()
        elif self._rejected():
            self.scene.press(self.campaign, "retry")
        elif cell.call.action == "refresh":
            self._refresh()
        # Twice, because activity is read again at the reading after the one with new figures.
        self._scheduled_actions()
        self._scheduled_actions()

    def _scheduled_actions(self):
        self.scene.time_passes()
        for cron in self.scene.crons:
            self.scene.run(cron)

    def _rejected(self):
        domain = [("campaign_id", "=", self.campaign), ("sync_state", "=", "refused")]
        return self.scene.marketer.find("campaign.master.recipient", domain, ["id"])


def _cause(key):
    """:return: a pattern of the sentence that explains an error"""
    cause, _advice = MESSAGES[key]
    return re.compile(re.sub(r"%\\\(\w+\\\)s", ".+", re.escape(cause._source)))


def _without_numbers(message):
    """:return: a message without ids and times, which differ each time"""
    message = re.sub(r"\d+/\d+/\d+,? (?=\d)", "", message or "")
    message = re.sub(r"\d?\d:\d\d(:\d\d)?(\s[AP]M)?", "HH:MM", message)
    return re.sub(r"(?<=/)\d+", "ID", message)
