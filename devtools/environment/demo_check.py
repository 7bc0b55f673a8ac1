"""./dev demo --check: run the complete workflow and check the result of each step.

Each run has a new database and sandbox. The marketing user works through Odoo's JSON-RPC. The
expected results are computed from the lists of people and from the sandbox's state.
"""

import contextlib
import re
from collections import Counter

from . import demo_seed, machine, people
from . import odoo as odoo_command
from .console import Problem, say
from .places import STATE, locked

DATABASE = "campaign_master_check"
DIRECTORY = STATE / "check"
CAMPAIGN = demo_seed.PLANNED

# The sandbox's figures by Odoo's.
FIGURES = {
    "sent": "sent",
    "delivered": "delivered",
    "rejected": "rejected",
    "hard_bounces": "hardBounces",
    "soft_bounces": "softBounces",
    "opens": "opens",
    "unique_opens": "uniqueOpens",
    "clicks": "clicks",
    "unique_clicks": "uniqueClicks",
    "forwards": "forwards",
    "unsubscribes": "unsubscribes",
    "complaints": "complaints",
}
# The sandbox's figures of a recipient by Odoo's.
RECIPIENT_FIGURES = {
    "open_count": "opens",
    "click_count": "clicks",
    "forward_count": "forwards",
    "unsubscribe_count": "unsubscribes",
    "bounced": "bounced",
    "opted_out": "optedOut",
}
# Sufficient for the demo's addresses.
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def run():
    """Run all checks; return the exit code."""
    with (
        locked("demo-check"),
        odoo_command.ready() as odoo,
        machine.fresh(odoo, DATABASE, DIRECTORY) as demo,
    ):
        Check(demo).run()
    say("All checks passed.")
    return 0


def expect(name, actual, expected):
    """Print a value, or stop if it is not the expected one."""
    if actual != expected:
        raise Problem(f"MISMATCH: {name}: {actual!r} instead of {expected!r}")
    say(f"  ok: {name}: {actual}")


class Check:
    """The steps, each based on the previous one."""

    def __init__(self, demo):
        self.demo = demo
        self.admin = demo.session("admin", "admin")
        demo_seed.set_up(self.admin, demo)
        demo_seed.add_people(self.admin)
        self.marketing = demo.session(**demo_seed.MARKETING)
        self.campaign = None

    def run(self):
        """Run all steps in order."""
        self.plan()
        self.sync()
        self.send()
        self.pull()
        self.compare_recipients()
        self.compare_totals()
        self.show()

    def plan(self):
        """Create the campaign, and add all people twice."""
        say(f"Creating the campaign {CAMPAIGN!r} and adding recipients as the marketing user")
        self.campaign, counts = demo_seed.add_campaign(self.admin, self.marketing, CAMPAIGN)
        partners = [row[2] for row in people.COMPANIES + people.CONTACTS]
        leads = [row[2] for row in people.LEADS]
        for model, emails in {"res.partner": partners, "crm.lead": leads}.items():
            expected = {"added": len(emails), "existing": 0, "without_email": emails.count(None)}
            expect(f"added from {model}", counts[model], expected)
        _, counts = demo_seed.add_campaign(self.admin, self.marketing, CAMPAIGN)
        existing = {model: count["existing"] for model, count in counts.items()}
        expected = {"res.partner": len(partners), "crm.lead": len(leads)}
        expect("existing recipients when added again", existing, expected)
        self.emails = partners + leads

    def sync(self):
        """Sync, and check the results of all recipients and the sandbox's list."""
        say("Syncing with Campaign Master")
        with self._calls_held():
            expect("state after the click", self._click("sync")["state"], "running")
        # Some addresses are invalid.
        state = demo_seed.wait_for_sync(self.marketing, self.campaign)
        expect("sync state", state, "partial")
        before = set(demo_seed.LISTS[demo_seed.CAMPAIGNS[CAMPAIGN]["list"]])
        emails = [email.lower() for email in self.emails if email]
        valid = [email for email in emails if ADDRESS.fullmatch(email)]
        addresses = set(valid)
        expected = Counter(
            added=len(addresses - before),
            exists=len(addresses & before),
            duplicate=len(valid) - len(addresses),
            invalid=len(emails) - len(valid),
            no_email=self.emails.count(None),
        )
        states = Counter(row["sync_state"] for row in self._recipients())
        expect("recipients by result", dict(sorted(states.items())), dict(sorted(expected.items())))
        members = self._list()["members"]
        expect("addresses on the list", len(members), len(addresses | before))
        expect("addresses missing on the list", sorted(addresses - set(members)), [])
        remote = demo_seed.remote_campaign(self.demo, self.marketing, self.campaign)
        plan = demo_seed.CAMPAIGNS[CAMPAIGN]
        expect("subject in Campaign Master", remote["subject"], plan["campaign_master_subject"])
        expect("status in Campaign Master", remote["status"], "draft")

    def send(self):
        """Send the campaign in the sandbox, with immediate activity."""
        say("Sending the campaign in the sandbox")
        remote = demo_seed.remote_campaign(self.demo, self.marketing, self.campaign)
        body = {"listId": self._list()["id"], "minutes": 0, "seed": 2}
        response = self.demo.sandbox.post(f"campaigns/{remote['id']}/send", body)
        expect("emails sent", response["recipients"], len(self._list()["members"]))

    def pull(self):
        """Refresh the statistics, and compare them with the sandbox's."""
        say("Refreshing the statistics")
        with self._calls_held():
            expect("refreshing", self._click("refresh_statistics")["refreshing"], True)
        statistics = self._remote()["statistics"]
        expected = {name: statistics[remote] for name, remote in FIGURES.items()}

        def updated():
            self.figures = self._figures()
            return True if self.figures["sent"] else None

        demo_seed.wait_for("The statistics have not been updated.", updated)
        expect("statistics", {name: self.figures[name] for name in FIGURES}, expected)
        bounces = expected["hard_bounces"] + expected["soft_bounces"] + expected["rejected"]
        expect("total bounces", self.figures["total_bounces"], bounces)
        successful = expected["sent"] - bounces
        expect("successful emails", self.figures["successful"], successful)
        rate = 100 * expected["clicks"] / successful
        if abs(self.figures["click_rate"] - rate) > 0.01:
            raise Problem(
                f"MISMATCH: click rate: {self.figures['click_rate']} instead of {rate:.2f}"
            )

    def compare_recipients(self):
        """Compare each recipient with the sandbox's activity of the address."""
        say("Comparing the recipients with the sandbox")
        activity = {row["email"]: row for row in self._remote()["activity"]}
        recipients = demo_seed.wait_for(
            "The recipients have not been updated.", self._recipients_with_activity
        )
        compared = 0
        for recipient in recipients:
            row = activity.get((recipient["email"] or "").lower())
            for name, remote in RECIPIENT_FIGURES.items():
                expected = row[remote] if row else type(recipient[name])()
                if recipient[name] != expected:
                    raise Problem(
                        f"MISMATCH: {name} of {recipient['email']}: {recipient[name]!r} instead of "
                        f"{expected!r}"
                    )
            compared += bool(row)
        self.recipients = recipients
        say(f"  ok: {compared} recipients")
        if not any(recipient["open_count"] for recipient in recipients):
            raise Problem("MISMATCH: no recipient has opens")

    def compare_totals(self):
        """Compare the totals of partners and leads, for which this is the only campaign."""
        say("Comparing the totals of contacts, companies and leads")
        for model, field in {"res.partner": "partner_id", "crm.lead": "lead_id"}.items():
            opens = {row[field][0]: row["open_count"] for row in self.recipients if row[field]}
            fields = ["campaign_master_open_count"]
            found = self.marketing.call(model, "read", list(opens), fields)
            totals = {row["id"]: row["campaign_master_open_count"] for row in found}
            if totals != opens:
                raise Problem(f"MISMATCH: opens of {model}: {totals} instead of {opens}")
            say(f"  ok: total opens of {len(totals)} records of {model}")

    def show(self):
        """Print the campaign's figures."""
        say(f"\n{CAMPAIGN}")
        for name, value in self.figures.items():
            shown = f"{value:.2f} %" if name.endswith("_rate") else str(value)
            say(f"  {name.replace('_', ' ').capitalize():<20} {shown:>9}")
        say("")

    @contextlib.contextmanager
    def _calls_held(self):
        """Hold the next call: a click must return nevertheless, as a scheduled action makes it."""
        self.demo.sandbox.post("faults", [{"match": "GET /campaigns", "kind": "hold"}])
        yield
        self.demo.sandbox.post("faults", [])
        self.demo.sandbox.post("release", {})

    def _click(self, button):
        """Click a button of the campaign; return its progress immediately afterwards."""
        self.marketing.call("utm.campaign", f"action_campaign_master_{button}", [self.campaign])
        return self.marketing.call("utm.campaign", "campaign_master_progress", [self.campaign])

    def _figures(self):
        rates = ("open", "click", "clicked", "click_to_open", "bounce", "unsubscribe")
        names = [*FIGURES, "total_bounces", "successful", *(f"{name}_rate" for name in rates)]
        values = self.marketing.read(
            "utm.campaign", self.campaign, *(f"campaign_master_{name}" for name in names)
        )
        return {name: values[f"campaign_master_{name}"] for name in names}

    def _recipients(self):
        return self.marketing.find(
            "campaign.master.recipient",
            [("campaign_id", "=", self.campaign)],
            ["email", "sync_state", "partner_id", "lead_id", *RECIPIENT_FIGURES],
        )

    def _recipients_with_activity(self):
        recipients = self._recipients()
        return recipients if any(row["open_count"] for row in recipients) else None

    def _remote(self):
        return demo_seed.remote_campaign(self.demo, self.marketing, self.campaign)

    def _list(self):
        ref = demo_seed.list_ref(self.marketing, self.campaign)
        return next(one for one in self.demo.sandbox.get("state")["lists"] if one["id"] == ref)
