"""The server is killed in each phase of its work, and started again.

The sandbox holds a call before or after processing it; then Odoo gets SIGKILL. Or the response is
let through while the row that it is stored in is locked, so that Odoo is killed while it stores it.
The held call is dropped, or processed late, when the next run is over. Then the scheduled actions
continue without a click, and Odoo and the sandbox must agree: there is one campaign, nobody is
lost, and only the batch without a stored response is sent twice.
"""

import contextlib
import re
import threading
from dataclasses import dataclass

import psycopg2
import pytest

from devtools.environment.console import Problem

from . import agreement, report
from .scene import RECIPIENTS, Scene, asked_addresses
from .server import Server, wait_until

# Three batches, the last one not full.
PEOPLE = 2_500
MANY = 10_000
BATCH = 1_000
DROPPED, LATE = "dropped", "processed late"
# Rows that a response is stored in.
SYNC = "SELECT FROM campaign_master_sync WHERE campaign_id = %s FOR UPDATE"
CAMPAIGN = "SELECT FROM utm_campaign WHERE id = %s FOR UPDATE"
READING = "SELECT FROM campaign_master_campaign WHERE campaign_id = %s FOR UPDATE"
BLOCKED = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@dataclass(frozen=True)
class Phase:
    """When the server is killed: in the first call of a kind after ``skip`` others, before the
    sandbox processes it (``hold``) or afterwards (``hold-after``).

    :ivar str storing: statement that locks the row; the server is killed while it waits for it
    :ivar str then: what happens to a call that was held before its processing
    """

    name: str
    call: str
    kind: str
    skip: int = 0
    storing: str | None = None
    then: str = DROPPED


def thorough(*arguments, **options):
    """A phase that is tested with --all only; another one represents it."""
    return pytest.param(Phase(*arguments, **options), marks=pytest.mark.thorough)


STATISTICS, ACTIVITY = "GET /campaigns/ID/statistics", "GET /campaigns/ID/activity"
EXPORT = [
    thorough("before the search", "GET /campaigns", "hold"),
    Phase("before the creation, which comes late", "POST /campaigns", "hold", then=LATE),
    Phase("while the creation is stored", "POST /campaigns", "hold-after", storing=CAMPAIGN),
]
UPDATE = [
    thorough("while the update is stored", "PUT /campaigns/ID", "hold-after", storing=CAMPAIGN),
]
PUSH = [
    thorough("before the first batch", RECIPIENTS, "hold"),
    Phase("between two batches, the second comes late", RECIPIENTS, "hold", skip=1, then=LATE),
    thorough("during a batch", RECIPIENTS, "hold-after", skip=1),
    Phase("while a batch is stored", RECIPIENTS, "hold-after", skip=1, storing=SYNC),
    # The last batch is stored, the end is not.
    Phase("at the end", RECIPIENTS, "hold-after", skip=2, storing=CAMPAIGN),
]
READ = [
    thorough("while statistics are stored", STATISTICS, "hold-after", storing=CAMPAIGN),
    thorough("during the status", "GET /campaigns/ID", "hold-after"),
    Phase("between two pages of activity", ACTIVITY, "hold", skip=1),
    thorough("while a page is stored", ACTIVITY, "hold-after", skip=1, storing=READING),
    thorough("while the last page is stored", ACTIVITY, "hold-after", skip=2, storing=READING),
]


def named(phase):
    return phase.name


class Killed:
    """A server that is killed again and again, and what happens on it."""

    def __init__(self, odoo, database, running, directory):
        self.running = running
        self.server = Server(odoo, database, directory / "odoo.log")
        self.server.start()
        self.scene = Scene(database, running.url, self.server.session)
        self.scene.make_template("Spring")
        self.account = self.scene.connect()
        self.times = 0

    def plan(self, people=PEOPLE):
        """Plan a campaign with people and a list of its own; return it and the list."""
        scene = self.scene
        self.times += 1
        self.running.sandbox.gate.log.clear()
        place = f"place{self.times}.example"
        mailing_list = scene.make_list(place)
        campaign = scene.plan(self.account, mailing_list, title=place)
        scene.make_people(people, place)
        scene.add(campaign, [("email", "like", f"@{place}")])
        return campaign, mailing_list

    def kill(self, phase, campaign, begin):
        """Begin something, kill the server in a phase of it, and start it again."""
        self.scene.faults({"match": f"{phase.call}$", "kind": phase.kind, "skip": phase.skip})
        threading.Thread(target=_regardless, args=[begin], daemon=True).start()
        assert self._wait_until(self.running.sandbox.faults.held), "The phase never came."
        with self._locked(phase, campaign):
            self.server.kill()
        if phase.then == DROPPED:
            self.release(drop=True)
        self.start()
        report.count("kills survived")

    @contextlib.contextmanager
    def _locked(self, phase, campaign):
        """Let the response through, and wait until Odoo is blocked by the locked row."""
        if not phase.storing:
            yield
            return
        with contextlib.closing(psycopg2.connect(dbname=self.scene.database)) as connection:
            with connection.cursor() as cr:
                cr.execute(phase.storing, [campaign])
            self.release()
            blocked = self._wait_until(lambda: self.scene.sql(BLOCKED))
            assert blocked, "The response was not stored in this row."
            yield

    def start(self, **options):
        """Start the server again, and log in."""
        self.server.start(**options)
        self.scene.log_in(self.server.session)

    def release(self, drop=False):
        """Let the sandbox continue with the held call, or drop it."""
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
        """How often each address was sent since the campaign was planned."""
        return asked_addresses(list(self.running.sandbox.gate.log))

    def pages(self):
        """The pages of activity that were requested since the campaign was planned."""
        calls = [call for call in list(self.running.sandbox.gate.log) if call.kind == ACTIVITY]
        return [int(re.search(r"[?&]page=(\d+)", call.path)[1]) for call in calls]

    def _wait_until(self, look, patience=60):
        return wait_until(self.scene.database, look, patience)


def _regardless(begin):
    """Do something that may never be answered."""
    try:
        begin()
    except Problem:
        pass


@pytest.fixture(scope="module")
def killed(odoo, copied, campaign_master, tmp_path_factory):
    """The server that is killed again and again."""
    with copied("kills") as database:
        killed = Killed(odoo, database, campaign_master, tmp_path_factory.mktemp("kills"))
        yield killed
        if killed.server.running():
            killed.server.kill()


def test_a_sync_is_killed_before_it_starts(killed):
    campaign, _list = killed.plan()
    killed.server.kill()
    killed.start(cron_threads=0)
    killed.scene.press(campaign)
    killed.server.kill()
    killed.start()
    report.count("kills survived")
    killed.ends(campaign)
    killed.agrees(campaign)
    assert set(killed.asked().values()) == {1}


@pytest.mark.parametrize("phase", EXPORT, ids=named)
def test_a_first_sync_is_killed(phase, killed):
    campaign, _list = killed.plan()
    killed.kill(phase, campaign, lambda: killed.scene.press(campaign))
    killed.ends(campaign)
    killed.release()
    killed.agrees(campaign)
    assert set(killed.asked().values()) == {1}


@pytest.mark.parametrize("phase", UPDATE, ids=named)
def test_a_later_sync_is_killed(phase, killed):
    campaign, _list = killed.plan(people=10)
    killed.scene.press(campaign)
    killed.ends(campaign)
    change = {"campaign_master_subject": "Spring is nearly over"}
    killed.scene.marketer.call("utm.campaign", "write", [campaign], change)
    killed.kill(phase, campaign, lambda: killed.scene.press(campaign))
    killed.ends(campaign)
    killed.agrees(campaign)


@pytest.mark.parametrize("phase", PUSH, ids=named)
def test_adding_recipients_is_killed(phase, killed):
    campaign, _list = killed.plan()
    killed.kill(phase, campaign, lambda: killed.scene.press(campaign))
    killed.ends(campaign)
    killed.release()
    killed.agrees(campaign)
    # The batch without a stored response is sent again, and no other.
    twice = [email for email, times in killed.asked().items() if times > 1]
    is_stored = phase.storing == CAMPAIGN
    assert len(twice) == (0 if is_stored else BATCH)


@pytest.mark.parametrize("phase", READ, ids=named)
def test_reading_statistics_is_killed(phase, killed):
    campaign, mailing_list = killed.plan()
    killed.scene.press(campaign)
    killed.ends(campaign)
    killed.scene.send(campaign, mailing_list)
    killed.kill(phase, campaign, lambda: killed.scene.press(campaign, "refresh_statistics"))
    killed.agrees(campaign)
    # What was committed before is not read again.
    again = [phase.skip + 1] if phase.call == ACTIVITY else []
    assert sorted(killed.pages()) == sorted([1, 2, 3, *again])


@pytest.mark.thorough
def test_reading_templates_and_lists_is_killed(killed):
    scene, account = killed.scene, killed.account
    scene.time_passes()
    scene.make_template("Late")
    scene.make_list("Late")

    def open_form():
        scene.marketer.call("campaign.master.account", "request_catalog", [account])

    killed.kill(Phase("before lists", "GET /lists", "hold"), None, open_form)
    found = []

    def agree():
        found[:] = agreement.catalog_differences(scene, account)
        return not found

    wait_until(scene.database, agree)
    assert not found


def test_the_database_goes_away_during_a_batch(killed):
    campaign, _list = killed.plan()
    scene = killed.scene
    scene.faults({"match": RECIPIENTS, "kind": "hold-after", "skip": 1})
    scene.press(campaign)
    assert wait_until(scene.database, killed.running.sandbox.faults.held), "It never pushed."
    scene.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    killed.release()
    killed.ends(campaign)
    killed.agrees(campaign)
    report.count("lost databases survived")


@pytest.mark.thorough
def test_a_sync_of_10000_continues_after_a_restart(killed):
    campaign, _list = killed.plan(MANY)
    scene = killed.scene
    scene.sandbox.post("settings", {"delay": 200})
    scene.press(campaign)
    assert wait_until(scene.database, lambda: len(killed.asked()) >= 3 * BATCH)
    killed.server.stop()
    assert len(killed.asked()) < MANY
    killed.start()
    killed.ends(campaign)
    scene.sandbox.post("settings", {"delay": 0})
    killed.agrees(campaign)
    asked = killed.asked()
    assert len(asked) == MANY
    # At most the batch that was being sent.
    assert sum(asked.values()) <= MANY + BATCH
    report.count("restarts survived")


@pytest.fixture
def small_pages(killed):
    """The sandbox returns one row per page."""
    killed.scene.sandbox.post("settings", {"pageCap": 1})
    yield
    killed.scene.sandbox.post("settings", {"pageCap": 1_000})


@pytest.mark.thorough
def test_1000_pages_of_activity_are_read_completely_over_a_restart(killed, small_pages):
    scene, pages = killed.scene, 1_000
    campaign, mailing_list = killed.plan(pages)
    scene.press(campaign)
    killed.ends(campaign)
    scene.send(campaign, mailing_list, quiet=True)
    # Other tests' campaigns must not be read meanwhile.
    scene.sql("UPDATE campaign_master_campaign SET next_poll_at = '2999-01-01'")
    before = scene.calls(ACTIVITY)
    scene.press(campaign, "refresh_statistics")
    assert wait_until(scene.database, lambda: scene.calls(ACTIVITY) > before + pages / 2)
    killed.server.stop()
    killed.start()

    def is_read():
        progress = scene.marketer.call("utm.campaign", "campaign_master_progress", [campaign])
        return not progress["refreshing"]

    assert wait_until(scene.database, is_read, patience=120)
    # At most the page that was requested during the restart is requested twice.
    assert scene.calls(ACTIVITY) - before in (pages, pages + 1)
    killed.agrees(campaign)
    report.count("restarts survived")
