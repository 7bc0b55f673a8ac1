"""Row 3: adding recipients to a list in Campaign Master."""

import math

import requests

from . import addon
from .adding import expect
from .data import MARKETING_USER
from .results import Result, format_seconds
from .timing import Stopwatch, in_turns, median

CALL = "POST /lists/ID/recipients"
# By Campaign Master's response time in milliseconds.
TARGETS = {200: 1.15, 50: 1.6, 0: 2.5}
# A sync that is still running after this many runs of the scheduled action does not end.
MAX_RUNS = 100


def measure(fixture, _odoo):
    """Yield row 3, once for each response time."""
    for delay, limit in TARGETS.items():
        yield PushBenchmark(fixture, delay).result("3", limit)
    fixture.remove_recipients()


class PushBenchmark:
    """Pushing with one response time of Campaign Master.

    :param Fixture fixture: database and sandbox
    :param int delay: response time in milliseconds
    """

    def __init__(self, fixture, delay):
        self.fixture = fixture
        self.delay = delay
        self.bodies = None  # of the calls that are needed
        self.calls = set()  # numbers of calls that the add-on made
        self.export_seconds = []
        self.sandbox_seconds = {"addon": [], "requests": []}

    def result(self, row, limit):
        """Run the benchmark; return its result."""
        self.fixture.sandbox.post("settings", {"delay": self.delay})
        try:
            self.push_with_addon(Stopwatch())
            variants = {"addon": self.push_with_addon, "requests": self.push_with_requests}
            times = in_turns(variants, rounds=3 if self.delay >= 200 else 5)
        finally:
            self.fixture.sandbox.post("settings", {"delay": 0})
        needed = len(self.bodies)
        calls = ", ".join(map(str, sorted(self.calls)))
        return Result(
            row,
            f"push {self.fixture.size.campaign:,} recipients, {self.delay} ms per response",
            f"{format_seconds(times['addon'])}, {calls} calls",
            f"a bare requests session: {format_seconds(times['requests'])}, {needed} calls",
            median(times["addon"]) / median(times["requests"]),
            limit,
            error="" if self.calls == {needed} else f"{needed} calls are enough",
            notes=[
                f"with {self.delay} ms, including the sandbox's processor time: "
                f"{format_seconds(self.sandbox_seconds['addon'])}, with the bare session "
                f"{format_seconds(self.sandbox_seconds['requests'])}. Not included: creating the "
                "campaign and classifying its recipients, "
                f"{format_seconds(self.export_seconds)}."
            ],
        )

    def push_with_addon(self, stopwatch):
        fixture = self.fixture
        fixture.remove_recipients()
        campaign_id = fixture.create_campaign("Pushing")
        fixture.add_recipients(campaign_id, fixture.size.campaign)
        address_count = count_addresses(fixture, campaign_id)
        fixture.start_sync(campaign_id)
        export = Stopwatch()
        with export, fixture.database.transaction() as env:
            addon.export(env)
        self.export_seconds.append(export.seconds)
        calls, sandbox_seconds = fixture.calls()[CALL], fixture.sandbox_seconds()
        with stopwatch:
            push(fixture, campaign_id)
        self.sandbox_seconds["addon"].append(fixture.sandbox_seconds() - sandbox_seconds)
        self.calls.add(fixture.calls()[CALL] - calls)
        emails = list_members(fixture, campaign_id)
        expect(len(emails), address_count)
        if self.bodies is None:
            self.bodies = request_bodies(emails)
            expect(len(self.bodies), math.ceil(address_count / addon.PAGE))

    def push_with_requests(self, stopwatch):
        fixture = self.fixture
        url = f"{fixture.url}/lists/{fixture.create_list('Bare pushing')}/recipients"
        with requests.Session() as session:
            login = session.post(f"{fixture.url}/authenticate", json=addon.LOGIN)
            session.headers["Authorization"] = f"Bearer {login.json()['token']}"
            sandbox_seconds = fixture.sandbox_seconds()
            with stopwatch:
                for body in self.bodies:
                    session.post(url, json=body).raise_for_status()
            self.sandbox_seconds["requests"].append(fixture.sandbox_seconds() - sandbox_seconds)


def count_addresses(fixture, campaign_id):
    """Return the number of different valid addresses, computed from partners and leads only."""
    [[count]] = fixture.database.sql(
        f"""
        SELECT COUNT(DISTINCT COALESCE(partner.email_normalized, lead.email_normalized))
          FROM {addon.RECIPIENT_TABLE} AS recipient
               LEFT JOIN res_partner AS partner ON partner.id = recipient.partner_id
               LEFT JOIN crm_lead AS lead ON lead.id = recipient.lead_id
         WHERE recipient.campaign_id = %s
        """,
        campaign_id,
    )
    return count


def push(fixture, campaign_id):
    """Run the scheduled action until the sync has ended."""
    for _run in range(MAX_RUNS):
        with fixture.database.transaction() as env:
            result = addon.push_action(env).method_direct_trigger()
            if result is not True:
                raise AssertionError(result)
        with fixture.campaign(campaign_id, MARKETING_USER) as campaign:
            if not addon.is_running(campaign):
                return
    raise AssertionError(f"The sync does not end: {addon.message(campaign)}")


def list_members(fixture, campaign_id):
    """Return the addresses on a campaign's list in the sandbox, in the order they were added."""
    with fixture.campaign(campaign_id) as campaign:
        list_ref = addon.list_ref(campaign)
    return fixture.sandbox.get(f"lists/{list_ref}/members")["emails"]


def request_bodies(emails):
    """Return the bodies of the calls that add these addresses."""
    return [
        {"recipients": [{"email": email} for email in emails[start : start + addon.PAGE]]}
        for start in range(0, len(emails), addon.PAGE)
    ]
