"""Two real Odoo servers on one database, with many users on the same campaign.

Buttons, *Run Manually*, scheduled actions and edits, in both servers and many threads, during a
sync or while statistics are read. Each answer must be a success or one of the messages below. Then
no address was sent twice, no edit is lost, no scheduled action has failed, and PostgreSQL has seen
no deadlock.
"""

import contextlib
import itertools
import random
import re
import threading
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from devtools.environment.rpc import OdooError

from . import agreement, report
from .scene import CRONS, Scene, asked_addresses
from .server import Server, wait_until

PEOPLE = 6_000
# Milliseconds by which each response is late, so that much happens during a call.
DELAY = 100
SECONDS = 12
PAUSE = 1.0  # maximum of seconds between two actions of a user
# How often two users click at the same moment.
TIMES = 3

# Messages besides a success, at the wrong moment.
KNOWN = {
    "already being synced": r"is already being synced\.",
    "locked after sending": r"can no longer be updated there\.",
    "not there yet": r"is not in Campaign Master yet, so there are no statistics",
    "Odoo's own of a scheduled action": r"Job '.*' already executing",
}


class Crowd:
    """Many users who each repeat one action, and the messages that they get."""

    def __init__(self):
        self.told = Counter()
        self.unknown = []
        self.written = {}
        self._threads = []
        self._end = None

    def joins(self, session, do, pause=PAUSE):
        """Add a user.

        :param session: their own
        :param do: the action, called with the session and a number that counts how often
        :param float pause: maximum of seconds in between
        """
        self._threads.append(threading.Thread(target=self._repeat, args=[session, do, pause]))

    def works(self, seconds):
        """Let all of them work at the same time."""
        self._end = time.monotonic() + seconds
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _repeat(self, session, do, pause):
        for number in itertools.count():
            time.sleep(random.uniform(0, pause))
            if time.monotonic() > self._end:
                return
            try:
                do(session, number)
                self.told["success"] += 1
            except OdooError as error:
                self._count(str(error))

    def _count(self, message):
        for name, pattern in KNOWN.items():
            if re.search(pattern, message):
                self.told[name] += 1
                return
        self.unknown.append(message)


class Two:
    """Two servers on one database."""

    def __init__(self, odoo, database, running, directory):
        self.running = running
        running.sandbox.gate.log = deque()  # all calls, and not only the latest
        odoo.install(database, "base_automation")
        self.servers = [
            Server(odoo, database, directory / f"odoo{number}.log") for number in (1, 2)
        ]
        for server in self.servers:
            server.start()
        self.scene = Scene(database, running.url, self.servers[0].session)
        self.scene.make_template("Spring")
        self.account = self.scene.connect()

    def plan(self, people, place):
        """Plan a campaign for people and a list of its own; return it and the list."""
        scene = self.scene
        mailing_list = scene.make_list(place)
        campaign = scene.plan(self.account, mailing_list, title=place)
        scene.make_people(people, place)
        scene.add(campaign, [("email", "like", f"@{place}")])
        return campaign, mailing_list

    @contextlib.contextmanager
    def rule(self, trigger, code):
        """An automation rule on campaigns, for the block.

        :param str trigger: the field of which a change runs it
        :param str code: what it runs
        """
        admin = self.scene.admin
        [model] = admin.find("ir.model", [("model", "=", "utm.campaign")], ["id"])
        of_field = [("model", "=", "utm.campaign"), ("name", "=", trigger)]
        [field] = admin.find("ir.model.fields", of_field, ["id"])
        common = {"name": "Rule", "model_id": model["id"]}
        values = {
            **common,
            "trigger": "on_create_or_write",
            "trigger_field_ids": [(6, 0, [field["id"]])],
            "action_server_ids": [(0, 0, {**common, "state": "code", "code": code})],
        }
        [rule] = admin.call("base.automation", "create", [values])
        try:
            yield
        finally:
            admin.call("base.automation", "unlink", [rule])

    def crowd(self, campaign, place):
        """Users who work at the same time, the same in both servers, most of them twice."""
        crowd, scene = Crowd(), self.scene
        [partner] = scene.admin.find("res.partner", [("email", "=", f"person1@{place}")], ["id"])

        def press(button):
            return lambda session, _number: scene.press(campaign, button, session)

        def run(cron):
            return lambda session, _number: session.call(
                "ir.cron", "method_direct_trigger", [scene.crons[cron]]
            )

        def write(model, record, field):
            def do(session, number):
                session.call(model, "write", [record], {field: f"{field} {number}"})
                crowd.written[model, record, field] = f"{field} {number}"

            return do

        for server, of_campaign, of_partner in zip(
            self.servers, ("title", "description"), ("function", "city"), strict=True
        ):
            for _time in range(2):
                crowd.joins(scene.another_marketer(server.session), press("sync"))
                crowd.joins(scene.another_marketer(server.session), press("refresh_statistics"))
                crowd.joins(server.session("admin", "admin"), run("push_recipients"))
                crowd.joins(server.session("admin", "admin"), run("pull_statistics"))
            crowd.joins(server.session("admin", "admin"), run("refresh_catalogue"))
            edit = write("utm.campaign", campaign, of_campaign)
            crowd.joins(scene.another_marketer(server.session), edit)
            edit = write("res.partner", partner["id"], of_partner)
            crowd.joins(server.session("admin", "admin"), edit)
        return crowd

    def deadlocks(self):
        """How many deadlocks PostgreSQL has seen in this database."""
        [[number]] = self.scene.sql(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return number

    def calls(self, start):
        """The sandbox's calls whose path starts so, in their order."""
        return [call for call in list(self.running.sandbox.gate.log) if call.path.startswith(start)]

    def ends(self, campaign):
        """Let scheduled actions run until the sync has ended."""

        def ended():
            return self.scene.read(campaign, "sync_state") in agreement.ENDED

        assert wait_until(self.scene.database, ended), self.scene.read(campaign, "sync_message")

    def agrees(self, campaign):
        """Let scheduled actions run until Odoo and the sandbox agree."""
        found = []

        def agree():
            self.scene.is_due("pull_statistics", campaign)
            found[:] = agreement.differences(self.scene, campaign)
            return not found

        wait_until(self.scene.database, agree)
        assert not found

    def check(self, crowd):
        """What must be true after a crowd has worked."""
        assert not crowd.unknown
        for (model, record, field), value in crowd.written.items():
            assert self.scene.admin.read(model, record, field)[field] == value
        ids = [self.scene.crons[name] for name in CRONS]
        crons = self.scene.admin.call("ir.cron", "read", ids, ["failure_count"])
        assert [cron["failure_count"] for cron in crons] == [0] * len(ids)
        assert not [line for server in self.servers for line in server.complaints()]
        said = ", ".join(f"{number} {what}" for what, number in crowd.told.most_common())
        report.tell(f"{sum(crowd.told.values())} answers in two processes: {said}")
        report.count("runs with two processes")


@pytest.fixture(scope="module")
def two(odoo, copied, campaign_master, tmp_path_factory):
    """Two servers with a scene."""
    with copied("processes") as database:
        two = Two(odoo, database, campaign_master, tmp_path_factory.mktemp("processes"))
        yield two
        for server in two.servers:
            server.kill()


def test_many_users_during_a_sync(two):
    campaign, _list = two.plan(PEOPLE, "push.example")
    crowd, deadlocks = two.crowd(campaign, "push.example"), two.deadlocks()
    for server in two.servers:
        # Somebody cancels now and then, so that another sync continues with the rest.
        crowd.joins(
            two.scene.another_marketer(server.session),
            lambda session, _number: two.scene.press(campaign, "cancel", session),
            pause=4,
        )
    two.scene.sandbox.post("settings", {"delay": DELAY})
    crowd.works(SECONDS)
    two.check(crowd)
    if two.scene.read(campaign, "sync_state") != "running":
        two.scene.press(campaign)  # the last edits, and those left by the last cancellation
    two.ends(campaign)
    two.scene.press(campaign)
    two.ends(campaign)
    two.agrees(campaign)
    asked = asked_addresses(two.calls("POST /lists"))
    assert set(asked.values()) == {1}
    assert [call.status for call in two.calls("POST /campaigns")] == [201]
    assert two.deadlocks() == deadlocks


def test_many_users_while_statistics_change(two):
    campaign, mailing_list = two.plan(PEOPLE // 2, "pull.example")
    two.scene.press(campaign)
    two.ends(campaign)
    crowd, deadlocks = two.crowd(campaign, "pull.example"), two.deadlocks()
    two.scene.sandbox.post("settings", {"delay": DELAY // 4})
    two.scene.send(campaign, mailing_list, minutes=SECONDS / 60)
    crowd.works(SECONDS)
    two.check(crowd)
    two.scene.sandbox.post("settings", {"delay": 0})
    two.agrees(campaign)
    assert two.deadlocks() == deadlocks


def test_several_users_add_the_same_people_at_once(two):
    """Each gets the right counts, and nobody is there twice."""
    scene, place = two.scene, "same.example"
    campaign = scene.plan(two.account, scene.make_list(place), title=place)
    scene.make_people(PEOPLE, place)
    sessions = [scene.another_marketer(server.session) for server in two.servers * 2]
    begin = threading.Barrier(len(sessions))

    def add(session):
        begin.wait()
        return scene.add(campaign, [("email", "like", f"@{place}")], session=session)

    with ThreadPoolExecutor(len(sessions)) as pool:
        told = list(pool.map(add, sessions))
    assert sorted(answer["added"] for answer in told) == [0, 0, 0, PEOPLE]
    assert sorted(answer["existing"] for answer in told) == [0, PEOPLE, PEOPLE, PEOPLE]
    assert scene.read(campaign, "recipient_count") == PEOPLE
    assert (
        scene.admin.call(
            "campaign.master.recipient", "search_count", [("campaign_id", "=", campaign)]
        )
        == PEOPLE
    )
    assert not [line for server in two.servers for line in server.complaints()]


def test_two_users_click_sync_at_the_same_moment(two):
    """One sync starts, the other user is told so, in a first sync and in a later one."""
    scene = two.scene
    sessions = [scene.another_marketer(server.session) for server in two.servers]
    for time_ in range(TIMES):
        campaign, _list = two.plan(10, f"click{time_}.example")
        for call in ("GET /campaigns$", "GET /campaigns/ID$"):  # of a first and a later sync
            # Otherwise the sync may end before Odoo tries the second click again.
            scene.faults({"match": call, "kind": "hold"})
            messages = _click_together(scene, campaign, sessions)
            told = [re.search(KNOWN["already being synced"], message) for message in messages]
            assert len(list(filter(None, told))) == 1, messages
            assert wait_until(scene.database, two.running.sandbox.faults.held)
            two.running.sandbox.faults.release()
            two.ends(campaign)
        two.agrees(campaign)
        domain = [("campaign_id", "=", campaign)]
        syncs = scene.admin.find("campaign.master.sync", domain, ["state"])
        assert [sync["state"] for sync in syncs] == ["complete", "unchanged"]
    assert not [line for server in two.servers for line in server.complaints()]


def _click_together(scene, campaign, sessions):
    """:return: for each session, the message it got"""
    begin = threading.Barrier(len(sessions))

    def click(session):
        begin.wait()
        return scene.press(campaign, session=session)

    with ThreadPoolExecutor(len(sessions)) as pool:
        return list(pool.map(click, sessions))


# An automation rule that writes, adds somebody and syncs.
CODE = """
if record.title.startswith("Sale"):
    person = env["res.partner"].browse({person})
    person.write({{"email": "new@rule.example"}})
    record.write({{"campaign_master_subject": "Written by the rule"}})
    record.campaign_master_add_recipients("res.partner", [("id", "=", person.id)])
    record.action_campaign_master_sync()
"""


def test_an_automation_rule_writes_and_syncs_in_one_transaction(two):
    """What it wrote is sent. Without something required, it is saved and the refusal is logged."""
    scene, deadlocks = two.scene, two.deadlocks()
    values = {"name": "New", "email": "old@rule.example"}
    [person] = scene.admin.call("res.partner", "create", [values])
    with two.rule("title", CODE.format(person=person)):
        _check_rule(two)
    assert two.deadlocks() == deadlocks


def _check_rule(two):
    scene = two.scene
    campaign, _list = two.plan(10, "rule.example")
    scene.marketer.call("utm.campaign", "write", [campaign], {"title": "Sale"})
    two.ends(campaign)
    two.agrees(campaign)
    assert scene.read(campaign, "recipient_count") == 11
    assert "new@rule.example" in agreement.members(scene, campaign)

    campaign, _list = two.plan(10, "incomplete.example")
    values = {"title": "Sale without a template", "campaign_master_template_id": False}
    scene.marketer.call("utm.campaign", "write", [campaign], values)
    assert scene.marketer.read("utm.campaign", campaign, "title")["title"] == values["title"]
    assert scene.read(campaign, "subject", "recipient_count") == ["Written by the rule", 11]
    domain = [("campaign_id", "=", campaign)]
    [sync] = scene.marketer.find("campaign.master.sync", domain, ["state", "message"])
    assert sync["state"] == "failed"
    assert "template" in sync["message"]


@pytest.mark.thorough
def test_an_automation_rule_that_fails_stops_only_its_campaign(two):
    scene = two.scene
    broken, _list = two.plan(10, "broken.example")
    fine, _list = two.plan(10, "fine.example")
    code = f"""
if record.id == {broken} and record.campaign_master_sync_state != "running":
    raise UserError("This rule is broken.")
"""
    with two.rule("campaign_master_sync_state", code):
        scene.press(broken)
        assert wait_until(scene.database, lambda: two.calls("POST /lists"))
        scene.press(fine)
        two.ends(fine)
        assert scene.read(broken, "sync_state") == "running"

    def ended():
        scene.time_passes()  # again, until both servers know that the rule is gone
        return scene.read(broken, "sync_state") in agreement.ENDED

    assert wait_until(scene.database, ended)
    two.agrees(broken)
