"""Rows 3 and 4: pushing recipients to a list."""

import math

import requests

from . import addon
from .adding import expect
from .results import Result, seconds
from .timing import Stopwatch, in_turns, median
from .world import MARKETER

CALL = "POST /lists/ID/recipients"
DELAY = 50  # milliseconds
# A scheduled action that was called so often without an end does not come to one.
PATIENCE = 100


def measure(stage, _odoo):
    """Yield rows 3 and 4."""
    for row, delay, limit in (("3", DELAY, 1.3), ("4", 0, 2.5)):
        yield Rounds(stage, delay).result(row, limit)
    stage.empty()


class Rounds:
    """The rounds of one row: what they have in common, and what they leave."""

    def __init__(self, stage, delay):
        self.stage = stage
        self.delay = delay
        self.bodies = None
        self.calls = set()
        self.presses = []
        self.sandbox = {"ours": [], "floor": []}

    def result(self, row, limit):
        """Measure, and return the row."""
        self.stage.sandbox.post("settings", {"delay": self.delay})
        try:
            self.ours(Stopwatch())
            taken = in_turns({"ours": self.ours, "floor": self.floor}, 5)
        finally:
            self.stage.sandbox.post("settings", {"delay": 0})
        wanted = len(self.bodies)
        calls = ", ".join(map(str, sorted(self.calls)))
        return Result(
            row,
            f"push {self.stage.size.campaign:,} recipients, each answer after {self.delay} ms",
            f"{seconds(taken['ours'])}, {calls} calls",
            f"a bare requests session: {seconds(taken['floor'])}, {wanted} calls",
            median(taken["ours"]) / median(taken["floor"]),
            limit,
            broken="" if self.calls == {wanted} else f"{wanted} recipient calls are enough",
            notes=[
                f"of this the sandbox computed for {seconds(self.sandbox['ours'])}, with the bare "
                f"session for {seconds(self.sandbox['floor'])}. The button before it, not counted: "
                f"{seconds(self.presses)}."
            ],
        )

    def ours(self, stopwatch):
        stage = self.stage
        stage.empty()
        campaign = stage.make_campaign("Pushing")
        stage.fill(campaign, stage.size.campaign)
        addresses = addresses_to_add(stage, campaign)
        press = Stopwatch()
        with press:
            stage.press(campaign)
        self.presses.append(press.seconds)
        calls, busy = stage.calls()[CALL], stage.sandbox_seconds()
        with stopwatch:
            push(stage, campaign)
        self.sandbox["ours"].append(stage.sandbox_seconds() - busy)
        self.calls.add(stage.calls()[CALL] - calls)
        emails = members(stage, campaign)
        expect(len(emails), addresses)
        if self.bodies is None:
            self.bodies = bodies(emails)
            expect(len(self.bodies), math.ceil(addresses / addon.PAGE))

    def floor(self, stopwatch):
        stage = self.stage
        url = f"{stage.url}/lists/{stage.make_list('Pushing barely')}/recipients"
        with requests.Session() as session:
            login = session.post(f"{stage.url}/authenticate", json=addon.LOGIN)
            session.headers["Authorization"] = f"Bearer {login.json()['token']}"
            busy = stage.sandbox_seconds()
            with stopwatch:
                for body in self.bodies:
                    session.post(url, json=body).raise_for_status()
            self.sandbox["floor"].append(stage.sandbox_seconds() - busy)


def addresses_to_add(stage, campaign):
    """How many different addresses Campaign Master must be asked to add, from the people alone."""
    [[count]] = stage.office.sql(
        f"""
        SELECT COUNT(DISTINCT COALESCE(partner.email_normalized, lead.email_normalized))
          FROM {addon.LINES} AS line
               LEFT JOIN res_partner AS partner ON partner.id = line.partner_id
               LEFT JOIN crm_lead AS lead ON lead.id = line.lead_id
         WHERE line.campaign_id = %s
        """,
        campaign,
    )
    return count


def push(stage, campaign):
    """Run the scheduled action, as the scheduler does, until the sync has ended."""
    for _attempt in range(PATIENCE):
        with stage.office.transaction() as env:
            problem = addon.push_action(env).method_direct_trigger()
            if problem is not True:
                raise AssertionError(problem)
        with stage.campaign(campaign, MARKETER) as record:
            if not addon.is_running(record):
                return
    raise AssertionError(f"The sync does not end: {addon.message(record)}")


def members(stage, campaign):
    """The addresses on a campaign's list in the sandbox, in the order in which they came."""
    with stage.campaign(campaign) as record:
        list_ref = addon.list_ref(record)
    return stage.sandbox.get(f"lists/{list_ref}/members")["emails"]


def bodies(emails):
    """The bodies of the calls that add these addresses."""
    return [
        {"recipients": [{"email": email} for email in emails[start : start + addon.PAGE]]}
        for start in range(0, len(emails), addon.PAGE)
    ]
