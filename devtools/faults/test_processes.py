"""Two real Odoo servers on one database: everybody at once, on the same campaign.

Buttons, *Run manually*, scheduled actions and edits, in both servers and many threads, for as long
as a push or the reading of figures lasts. Each answer must be a success or a sentence that is
known here. Then nobody was asked for twice, nothing that somebody wrote is lost, no scheduled
action has failed, and PostgreSQL has seen no deadlock.
"""

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
# Milliseconds by which each answer is late, so that much happens during a call.
DELAY = 100
SECONDS = 15
PAUSE = 1.0  # seconds at most between two things that somebody does

# What may be said besides a success, to somebody who comes at the wrong moment.
KNOWN = {
    "being synced": r"is being synced already\. Wait until that has ended",
    "being read": r"are being read at this moment",
    "not there yet": r"is not in Campaign Master yet, so there are no statistics",
    "Odoo's own of a scheduled action": r"Job '.*' already executing",
}


class Crowd:
    """Many people who do one thing each, again and again, and what they are told."""

    def __init__(self):
        self.told = Counter()
        self.unknown = []
        self.written = {}
        self._threads = []
        self._end = None

    def joins(self, session, do, pause=PAUSE):
        """Somebody joins.

        :param session: his own
        :param do: what he does, with the session, and with a number that counts how often
        :param float pause: how long he waits in between, at most
        """
        self._threads.append(threading.Thread(target=self._goes_on, args=[session, do, pause]))

    def works(self, seconds):
        """Let all of them work at once."""
        self._end = time.monotonic() + seconds
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _goes_on(self, session, do, pause):
        for number in itertools.count():
            time.sleep(random.uniform(0, pause))
            if time.monotonic() > self._end:
                return
            try:
                do(session, number)
                self.told["success"] += 1
            except OdooError as error:
                self._is_told(str(error))

    def _is_told(self, message):
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

    def crowd(self, campaign, place):
        """Those who work at once, the same in both servers, most of them twice."""
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
        """The sandbox's calls, in the order in which they came, of which the path starts so."""
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


def test_everybody_at_once_during_a_push(two):
    campaign, _list = two.plan(PEOPLE, "push.example")
    crowd, deadlocks = two.crowd(campaign, "push.example"), two.deadlocks()
    for server in two.servers:
        # Somebody who cancels now and then, so that another sync goes on with the rest.
        crowd.joins(
            two.scene.another_marketer(server.session),
            lambda session, _number: two.scene.press(campaign, "cancel", session),
            pause=4,
        )
    two.scene.sandbox.post("settings", {"delay": DELAY})
    crowd.works(SECONDS)
    two.check(crowd)
    if two.scene.read(campaign, "sync_state") != "running":
        two.scene.press(campaign)  # the last edits, and who was left by the last cancellation
    two.ends(campaign)
    two.scene.press(campaign)
    two.ends(campaign)
    two.agrees(campaign)
    asked = asked_addresses(two.calls("POST /lists"))
    assert set(asked.values()) == {1}
    assert [call.status for call in two.calls("POST /campaigns")] == [201]
    assert two.deadlocks() == deadlocks


def test_everybody_at_once_while_figures_come_in(two):
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


def test_several_add_the_same_people_at_once(two):
    """Each is told of all of them, and nobody is there twice."""
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


def test_a_rule_that_writes_and_presses_in_one_go(two):
    """It would wait for itself, for ever, and PostgreSQL would not notice."""
    campaign, _list = two.plan(10, "rule.example")
    scene, deadlocks = two.scene, two.deadlocks()
    scene.make_people(1, "later.example")
    [model] = scene.admin.find("ir.model", [("model", "=", "utm.campaign")], ["id"])
    code = """
record.write({"title": "Written by a rule"})
record.campaign_master_add_recipients("res.partner", [("email", "=", "person1@later.example")])
record.action_campaign_master_sync()
"""
    values = {"name": "Rule", "model_id": model["id"], "state": "code", "code": code}
    [rule] = scene.admin.call("ir.actions.server", "create", [values])
    context = {"active_model": "utm.campaign", "active_id": campaign, "active_ids": [campaign]}
    scene.admin.call("ir.actions.server", "run", [rule], context=context)
    two.ends(campaign)
    two.agrees(campaign)
    assert scene.read(campaign, "recipient_count") == 11
    assert two.deadlocks() == deadlocks
