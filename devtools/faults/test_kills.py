"""A server is killed in each phase of its work, and started again.

The sandbox holds a call before its work or after it; then Odoo dies with SIGKILL. The held call is
dropped, or carried out late, when the next run is over already. Then scheduled actions do what they
do by themselves, or who had pressed presses again, and both must agree: nobody is lost, nobody is
asked for twice but those without an answer, and the campaign is there once.
"""

import re
import threading
from dataclasses import dataclass

import pytest

from devtools.environment.console import Problem

from . import agreement, report
from .scene import RECIPIENTS, Scene, asked_addresses
from .server import Server, wait_until

# Three calls' worth, the last one not full.
PEOPLE = 2_500
MANY = 20_000
BATCH = 1_000
DROPPED, LATE = "dropped", "carried out late"


@dataclass(frozen=True)
class Phase:
    """Where the server dies: in the first call of a kind after ``skip`` others, before the
    sandbox does its work (``hold``) or after it (``hold-after``)."""

    name: str
    call: str
    kind: str
    skip: int = 0
    then: str = DROPPED


def thorough(*arguments, **options):
    """A phase that is tested with --all only; another one represents it."""
    return pytest.param(Phase(*arguments, **options), marks=pytest.mark.thorough)


BUTTON = [
    thorough("before the search arrives", "GET /campaigns", "hold"),
    thorough("before the search is answered", "GET /campaigns", "hold-after"),
    thorough("before the creation arrives", "POST /campaigns", "hold"),
    Phase("before the creation, which comes late", "POST /campaigns", "hold", then=LATE),
    Phase("before the creation is answered", "POST /campaigns", "hold-after"),
]
UPDATE = [
    thorough("before the update arrives", "PUT /campaigns/ID", "hold"),
    Phase("before the update is answered", "PUT /campaigns/ID", "hold-after"),
]
PUSH = [
    thorough("before the first batch arrives", RECIPIENTS, "hold"),
    Phase("before the first batch is answered", RECIPIENTS, "hold-after"),
    thorough("between two batches", RECIPIENTS, "hold", skip=1),
    Phase("before a batch, which comes late", RECIPIENTS, "hold", skip=1, then=LATE),
    thorough("before the last batch is answered", RECIPIENTS, "hold-after", skip=2),
]
ACTIVITY = "GET /campaigns/ID/activity"
PULL = [
    thorough("before statistics are asked for", "GET /campaigns/ID/statistics", "hold"),
    Phase("before statistics are answered", "GET /campaigns/ID/statistics", "hold-after"),
    thorough("before the status is answered", "GET /campaigns/ID", "hold-after"),
    Phase("between two pages of activity", ACTIVITY, "hold", skip=1),
    thorough("before the last page is answered", ACTIVITY, "hold-after", skip=2),
]
CATALOGUE = [
    thorough("before templates are answered", "GET /templates", "hold-after"),
    Phase("before lists arrive", "GET /lists", "hold"),
]


def named(phase):
    return phase.name


class Mortal:
    """A server that dies, and the scene that it plays in."""

    def __init__(self, odoo, database, running, directory):
        self.running = running
        self.server = Server(odoo, database, directory / "odoo.log")
        self.server.start()
        self.scene = Scene(database, running.url, self.server.session)
        self.scene.make_template("Spring")
        self.account = self.scene.connect()
        self.times = 0

    def plan(self, people=PEOPLE):
        """Plan a campaign for people and a list of its own; return it and the list."""
        scene = self.scene
        self.times += 1
        self.running.sandbox.gate.log.clear()
        place = f"place{self.times}.example"
        mailing_list = scene.make_list(place)
        campaign = scene.plan(self.account, mailing_list, title=place)
        scene.make_people(people, place)
        scene.add(campaign, [("email", "like", f"@{place}")])
        return campaign, mailing_list

    def dies(self, phase, begin, ready=lambda: True):
        """Begin something in the background, and kill the server in a phase of it.

        :param ready: whether what goes on during the held call has been done
        """
        self.scene.faults({"match": f"{phase.call}$", "kind": phase.kind, "skip": phase.skip})
        threading.Thread(target=_regardless, args=[begin], daemon=True).start()
        assert self._wait_until(self.running.sandbox.faults.held), "The phase never came."
        assert self._wait_until(ready), "The call before was not stored."
        self.server.kill()
        if phase.then == DROPPED:
            self.lets_go(drop=True)
        self.rises()
        report.count("kills survived")

    def rises(self):
        """Start the server again, and log in."""
        self.server.start()
        self.scene.log_in(self.server.session)

    def lets_go(self, drop=False):
        """Let the sandbox go on with the held call, or drop it."""
        self.running.sandbox.faults.release(drop)

    def ends(self, campaign, patience=60):
        """Let scheduled actions run until the sync has ended."""

        def ended():
            return self.scene.read(campaign, "sync_state") in agreement.ENDED

        assert self._wait_until(ended, patience), self.scene.read(campaign, "sync_message")

    def agrees(self, campaign, patience=60):
        """Let scheduled actions run until Odoo and the sandbox agree."""
        found = []

        def agree():
            found[:] = agreement.differences(self.scene, campaign)
            return not found

        self._wait_until(agree, patience)
        assert not found

    def asked(self):
        """How often each address was asked for since the campaign was planned."""
        return asked_addresses(list(self.running.sandbox.gate.log))

    def added(self, campaign):
        """How many recipients of a campaign are known to be added."""
        [[count]] = self.scene.sql(
            "SELECT COUNT(*) FROM campaign_master_recipient"
            " WHERE campaign_id = %s AND sync_state = 'added'",
            campaign,
        )
        return count

    def pages(self):
        """The pages of activity that were asked for since the campaign was planned."""
        calls = [call for call in list(self.running.sandbox.gate.log) if call.kind == ACTIVITY]
        return [int(re.search(r"[?&]page=(\d+)", call.path)[1]) for call in calls]

    def _wait_until(self, look, patience=60):
        return wait_until(self.scene.database, look, patience)


def _regardless(begin):
    """Do something whose answer will never come."""
    try:
        begin()
    except Problem:
        pass


@pytest.fixture(scope="module")
def mortal(odoo, copied, campaign_master, tmp_path_factory):
    """The server that is killed again and again."""
    with copied("kills") as database:
        mortal = Mortal(odoo, database, campaign_master, tmp_path_factory.mktemp("kills"))
        yield mortal
        if mortal.server.running():
            mortal.server.kill()


@pytest.mark.parametrize("phase", BUTTON, ids=named)
def test_the_first_sync_is_killed(phase, mortal):
    campaign, _list = mortal.plan()
    mortal.dies(phase, lambda: mortal.scene.press(campaign))
    assert mortal.scene.read(campaign, "sync_state") == "never"
    mortal.scene.press(campaign)
    mortal.ends(campaign)
    mortal.lets_go()
    mortal.agrees(campaign)
    assert set(mortal.asked().values()) == {1}


@pytest.mark.parametrize("phase", UPDATE, ids=named)
def test_a_later_sync_is_killed(phase, mortal):
    campaign, _list = mortal.plan(people=10)
    mortal.scene.press(campaign)
    mortal.ends(campaign)
    change = {"campaign_master_subject": "Spring is nearly over"}
    mortal.scene.marketer.call("utm.campaign", "write", [campaign], change)
    mortal.dies(phase, lambda: mortal.scene.press(campaign))
    mortal.scene.press(campaign)
    mortal.ends(campaign)
    mortal.agrees(campaign)


@pytest.mark.parametrize("phase", PUSH, ids=named)
def test_a_push_is_killed(phase, mortal):
    campaign, _list = mortal.plan()
    mortal.dies(
        phase,
        lambda: mortal.scene.press(campaign),
        # The answer to a call is stored while the next one is under way.
        ready=lambda: mortal.added(campaign) == phase.skip * BATCH,
    )
    mortal.ends(campaign)
    mortal.lets_go()
    mortal.agrees(campaign)
    asked = mortal.asked()
    # The batch without an answer is asked for again, and no other.
    twice = [email for email, times in asked.items() if times > 1]
    assert max(asked.values()) == 2
    assert len(twice) == min(BATCH, PEOPLE - phase.skip * BATCH)


@pytest.mark.parametrize("phase", PULL, ids=named)
def test_a_pull_is_killed(phase, mortal):
    campaign, mailing_list = mortal.plan()
    mortal.scene.press(campaign)
    mortal.ends(campaign)
    mortal.scene.send(campaign, mailing_list)
    mortal.scene.is_due("pull_statistics", campaign)
    mortal.dies(phase, lambda: None)
    mortal.agrees(campaign)
    # What was committed before is not read again.
    pages = mortal.pages()
    again = [phase.skip + 1] if phase.call == ACTIVITY else []
    assert sorted(pages) == sorted([1, 2, 3, *again])


@pytest.mark.parametrize("phase", CATALOGUE, ids=named)
def test_reading_templates_and_lists_is_killed(phase, mortal):
    scene, account = mortal.scene, mortal.account
    scene.time_passes()
    scene.make_template(phase.name)
    scene.make_list(phase.name)

    def open_form():
        scene.marketer.call("campaign.master.account", "request_catalogue", [account])

    mortal.dies(phase, open_form)
    found = []

    def agree():
        found[:] = agreement.catalogue_differences(scene, account)
        return not found

    wait_until(scene.database, agree)
    assert not found


def test_the_database_goes_away_during_a_push(mortal):
    campaign, _list = mortal.plan()
    scene = mortal.scene
    scene.faults({"match": RECIPIENTS, "kind": "hold-after", "skip": 1})
    scene.press(campaign)
    assert wait_until(scene.database, mortal.running.sandbox.faults.held), "It never pushed."
    scene.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    mortal.lets_go()
    mortal.ends(campaign)
    mortal.agrees(campaign)
    report.count("lost databases survived")


def test_a_push_of_20000_goes_on_after_a_restart(mortal):
    campaign, _list = mortal.plan(MANY)
    scene = mortal.scene
    scene.sandbox.post("settings", {"delay": 200})
    scene.press(campaign)
    assert wait_until(scene.database, lambda: len(mortal.asked()) >= 5 * BATCH)
    mortal.server.stop()
    assert len(mortal.asked()) < MANY
    mortal.rises()
    mortal.ends(campaign)
    scene.sandbox.post("settings", {"delay": 0})
    mortal.agrees(campaign)
    asked = mortal.asked()
    assert len(asked) == MANY
    # At most the call that was under way, and the one whose answer was not stored yet.
    assert sum(asked.values()) <= MANY + 2 * BATCH
    report.count("restarts survived")


@pytest.fixture
def small_pages(mortal):
    """The sandbox returns one row a page."""
    mortal.scene.sandbox.post("settings", {"pageCap": 1})
    yield
    mortal.scene.sandbox.post("settings", {"pageCap": 1_000})


def test_1200_pages_of_activity_are_read_to_the_end_over_a_restart(mortal, small_pages):
    scene, pages = mortal.scene, 1_200
    campaign, mailing_list = mortal.plan(pages)
    scene.press(campaign)
    mortal.ends(campaign)
    scene.send(campaign, mailing_list, quiet=True)
    # Other tests' campaigns must not be read meanwhile.
    scene.sql("UPDATE utm_campaign SET campaign_master_next_poll_at = '2999-01-01'")
    before = scene.calls(ACTIVITY)
    scene.is_due("pull_statistics", campaign)
    assert wait_until(scene.database, lambda: scene.calls(ACTIVITY) > before + pages / 2)
    mortal.server.stop()
    mortal.rises()

    def is_read():
        page, since = scene.read(campaign, "activity_page", "activity_since")
        return since and not page

    stands = ("activity_page", "pull_failures", "next_poll_at")
    assert wait_until(scene.database, is_read, patience=120), scene.read(campaign, *stands)
    # At most the page that was requested during the restart is requested twice.
    assert scene.calls(ACTIVITY) - before in (pages, pages + 1)
    mortal.agrees(campaign)
    report.count("restarts survived")
