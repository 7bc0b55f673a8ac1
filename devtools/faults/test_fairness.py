"""A company whose Campaign Master is slow, locked, down or endless does not delay another one.

Both are in one database, with one real server and its scheduled actions. One company has a problem
during a sync and while its statistics are read; the other syncs a campaign and reads the statistics
of another one.
"""

import time

import pytest

from . import agreement, report
from .scene import RECIPIENTS, Scene
from .server import Server, wait_until

# Seconds that a slow server takes for each response, and that others may be delayed by it.
SLOW, LONGEST_DELAY = 20, 60
PEOPLE = 1_500  # two calls' worth
# Recipients of the sent campaign: the number of pages of activity, with one row on each.
SENT = {"troubled": 300, "fine": 30}
PASSWORD = "secret of {}"


class Company:
    """A company with an account and login of its own, and a campaign that was sent."""

    def __init__(self, scene, name, company):
        self.scene = scene
        self.name = name
        self.times = 0
        password = PASSWORD.format(name)
        scene.sandbox.post("users", {"username": name, "password": password})
        scene.make_template("Spring", account=name)
        self.account = scene.connect(company, username=name, password=password)
        self.sent, mailing_list = self.plan(SENT[name])
        scene.press(self.sent)
        self.ends(self.sent)
        scene.send(self.sent, mailing_list, quiet=True)

    def plan(self, people):
        """Plan a campaign with people and a list of its own; return it and the list."""
        self.times += 1
        place = f"{self.name}{self.times}.example"
        mailing_list = self.scene.make_list(place, account=self.name)
        account = {"campaign_master_account_id": self.account}
        campaign = self.scene.plan(self.account, mailing_list, title=place, **account)
        self.scene.make_people(people, place)
        self.scene.add(campaign, [("email", "like", f"@{place}")])
        return campaign, mailing_list

    def begins(self):
        """Start a sync, and reading the sent campaign; return the new campaign."""
        campaign, _list = self.plan(PEOPLE)
        self.scene.press(campaign)
        self.has_news()
        return campaign

    def has_news(self):
        """Everybody opens the sent campaign again, and it is time to read its statistics."""
        ref = self.scene.read(self.sent, "ref")
        opens = [
            {"email": f"person{number}@{self.name}1.example", "kind": "open"}
            for number in range(1, SENT[self.name] + 1)
        ]
        self.scene.sandbox.post(f"campaigns/{ref}/activity", opens)
        self.scene.is_due("pull_statistics", self.sent)

    def ends(self, campaign):
        """Let scheduled actions run until a sync has ended."""

        def ended():
            return self.scene.read(campaign, "sync_state") in agreement.ENDED

        assert wait_until(self.scene.database, ended), self.scene.read(campaign, "sync_message")

    def takes(self):
        """Sync and read statistics; return the seconds until both are done."""
        started = time.monotonic()
        campaign = self.begins()

        def done():
            if self.scene.read(campaign, "sync_state") not in agreement.ENDED:
                return False
            if not agreement.differences(self.scene, self.sent):
                return True
            # A reading that began before the news has scheduled the next one.
            self.scene.is_due("pull_statistics", self.sent)
            return False

        assert wait_until(self.scene.database, done, patience=2 * LONGEST_DELAY)
        return time.monotonic() - started


class Neighbours:
    """A server with the two companies."""

    def __init__(self, odoo, database, running, directory):
        self.running = running
        self.server = Server(odoo, database, directory / "odoo.log")
        self.server.start()
        self.scene = Scene(database, running.url, self.server.session)
        # Both before anybody works in one: what Odoo keeps in memory of who may work where may be
        # read by another thread just before it changes.
        ids = {name: self.scene.make_company(name) for name in ("troubled", "fine")}
        self.troubled, self.fine = (Company(self.scene, name, ids[name]) for name in ids)

    def in_trouble(self, *faults):
        """Set the faults of the troubled company's calls."""
        self.scene.faults(
            *({"count": None, "account": self.troubled.name, **fault} for fault in faults)
        )

    def called(self, kind):
        """How often the troubled company has made a kind of call."""
        calls = [(call.kind, call.account) for call in list(self.running.sandbox.gate.log)]
        return calls.count((kind, self.troubled.name))

    def activities(self):
        """How many activities administrators have because of the troubled company's account."""
        account = self.troubled.account
        domain = [("res_model", "=", "campaign.master.account"), ("res_id", "=", account)]
        return len(self.scene.admin.find("mail.activity", domain, ["id"]))

    def see_delay(self, trouble):
        """Let the other company work, and see how long it takes."""
        seconds = self.fine.takes()
        report.tell(f"Beside a company {trouble}, a sync and a reading took {seconds:.0f} seconds.")
        report.count("problems of one company delayed no other")
        assert seconds < LONGEST_DELAY


@pytest.fixture(scope="module")
def neighbours(odoo, copied, campaign_master, tmp_path_factory):
    """The two companies."""
    with copied("fairness") as database:
        directory = tmp_path_factory.mktemp("fairness")
        neighbours = Neighbours(odoo, database, campaign_master, directory)
        yield neighbours
        neighbours.server.kill()


@pytest.fixture(autouse=True)
def afterwards(neighbours):
    """Nothing is wrong before and after each test."""
    neighbours.running.sandbox.gate.log.clear()
    yield
    neighbours.in_trouble()
    neighbours.scene.time_passes()
    neighbours.scene.sandbox.post("settings", {"pageCap": 1_000})


@pytest.mark.thorough
def test_slow_responses_delay_others_by_a_minute_at_most(neighbours):
    neighbours.in_trouble(
        {"match": "POST /lists", "kind": f"slow:{SLOW}"},
        {"match": "GET /campaigns/ID/", "kind": f"slow:{SLOW}"},
    )
    campaign = neighbours.troubled.begins()
    assert wait_until(neighbours.scene.database, lambda: neighbours.called(RECIPIENTS))
    neighbours.see_delay(f"whose every response takes {SLOW} seconds")
    neighbours.in_trouble()
    neighbours.troubled.ends(campaign)


@pytest.mark.parametrize(
    "fault",
    ["500", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("html", "429-month"))],
)
def test_a_server_in_trouble_delays_nobody(fault, neighbours):
    neighbours.in_trouble(
        {"match": "POST /lists", "kind": fault}, {"match": "GET /campaigns/ID/", "kind": fault}
    )
    campaign = neighbours.troubled.begins()
    assert wait_until(neighbours.scene.database, lambda: neighbours.called(RECIPIENTS))
    neighbours.see_delay(f"that is answered with {fault}")
    neighbours.in_trouble()
    neighbours.scene.time_passes()
    neighbours.troubled.ends(campaign)


def test_endless_activity_delays_nobody(neighbours):
    neighbours.scene.sandbox.post("settings", {"pageCap": 1})
    activity = "GET /campaigns/ID/activity"
    neighbours.in_trouble({"match": activity, "kind": "slow:0.5"})
    neighbours.troubled.has_news()
    assert wait_until(neighbours.scene.database, lambda: neighbours.called(activity))
    pages = SENT[neighbours.troubled.name]
    neighbours.see_delay(f"whose activity has {pages} slow pages")
    assert neighbours.called(activity) < pages


def test_a_wrong_password_waits_and_delays_nobody(neighbours):
    scene, troubled = neighbours.scene, neighbours.troubled
    scene.sandbox.post("users", {"username": troubled.name, "password": "another one"})
    # The token ends during the sync.
    neighbours.in_trouble({"match": "POST /lists", "kind": "401"})
    told_before = neighbours.activities()
    campaign = troubled.begins()
    assert wait_until(scene.database, lambda: neighbours.called("POST /authenticate"))
    neighbours.see_delay("whose password is wrong")
    for _time in range(3):
        scene.run("push_recipients")
        scene.run("pull_statistics")
    # The login is tried once, the sync waits, and an administrator was notified once.
    assert neighbours.called("POST /authenticate") == 1
    assert scene.read(campaign, "sync_state") == "running"
    assert neighbours.activities() == told_before + 1
    neighbours.in_trouble()
    password = {"password": "another one"}
    scene.admin.call("campaign.master.account", "write", [troubled.account], password)
    troubled.ends(campaign)
    assert not neighbours.activities()
