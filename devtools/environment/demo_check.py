"""./dev demo --check: the main job, done by itself, step by step and looked at after each.

A database and a sandbox of its own, new each time. The marketing user works through Odoo's
JSON-RPC, Campaign Master's side through the sandbox; what must come out is worked out here, from
the lists of people and from what the sandbox says.
"""

import re
import shutil
from collections import Counter

from . import demo_seed, machine, people, template
from . import odoo as odoo_command
from .console import Problem, say
from .places import STATE, locked

DATABASE = "campaign_master_check"
DIRECTORY = STATE / "check"
CAMPAIGN = demo_seed.PLANNED

# Odoo's figure -> the sandbox's.
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
# A recipient's figure -> the sandbox's.
RECIPIENT_FIGURES = {
    "open_count": "opens",
    "click_count": "clicks",
    "forward_count": "forwards",
    "unsubscribe_count": "unsubscribes",
    "bounced": "bounced",
    "opted_out": "optedOut",
}
# Good enough for the demo's people.
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def run():
    """Do it all; return the exit code."""
    with locked("demo-check"), odoo_command.ready() as odoo:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        template.make_database(odoo, DATABASE)
        try:
            with machine.running(odoo, DATABASE, DIRECTORY) as demo:
                Check(demo).run()
        finally:
            odoo.drop(DATABASE)
    say("Everything is as it must be.")
    return 0


def expect(what, actual, wanted):
    """Say what a step has given when that is what it must give; stop otherwise."""
    if actual != wanted:
        raise Problem(f"NOT AS IT MUST BE: {what} is {actual!r}, must be {wanted!r}.")
    say(f"  ok: {what}: {actual}")


class Check:
    """The steps, each of which leaves what the next one needs."""

    def __init__(self, demo):
        self.demo = demo
        self.admin = demo.session("admin", "admin")
        demo_seed.set_up(self.admin, demo)
        demo_seed.add_people(self.admin)
        self.marketing = demo.session(**demo_seed.MARKETING)
        self.campaign = None

    def run(self):
        """Do the steps in the order in which a person does them."""
        self.plan()
        self.sync()
        self.send()
        self.pull()
        self.compare_recipients()
        self.compare_totals()
        self.show()

    def plan(self):
        """Make the campaign and put everybody on it, twice."""
        say(f"Planning the campaign {CAMPAIGN!r} and adding recipients, as the marketing user")
        self.campaign, counts = demo_seed.add_campaign(self.admin, self.marketing, CAMPAIGN)
        partners = [row[2] for row in people.COMPANIES + people.CONTACTS]
        leads = [row[2] for row in people.LEADS]
        for model, emails in {"res.partner": partners, "crm.lead": leads}.items():
            wanted = {"added": len(emails), "existing": 0, "without_email": emails.count(None)}
            expect(f"added from {model}", counts[model], wanted)
        _, counts = demo_seed.add_campaign(self.admin, self.marketing, CAMPAIGN)
        existing = {model: count["existing"] for model, count in counts.items()}
        wanted = {"res.partner": len(partners), "crm.lead": len(leads)}
        expect("on it already, the second time", existing, wanted)
        self.emails = partners + leads

    def sync(self):
        """Press the button; the outcomes and the sandbox's list follow from the addresses."""
        say("Syncing with Campaign Master")
        # Some of the addresses cannot get mail, and the sync says so.
        expect("state of the sync", demo_seed.sync(self.marketing, self.campaign), "partial")
        before = set(demo_seed.LISTS[demo_seed.CAMPAIGNS[CAMPAIGN]["list"]])
        written = [email.lower() for email in self.emails if email]
        valid = [email for email in written if ADDRESS.fullmatch(email)]
        addresses = set(valid)
        wanted = Counter(
            added=len(addresses - before),
            exists=len(addresses & before),
            duplicate=len(valid) - len(addresses),
            invalid=len(written) - len(valid),
            no_email=self.emails.count(None),
        )
        states = Counter(row["sync_state"] for row in self._recipients())
        expect("recipients by outcome", dict(sorted(states.items())), dict(sorted(wanted.items())))
        members = self._list()["members"]
        expect("addresses on the list, none twice", len(members), len(addresses | before))
        expect("nobody is missing there", sorted(addresses - set(members)), [])
        remote = demo_seed.remote_campaign(self.demo, self.marketing, self.campaign)
        plan = demo_seed.CAMPAIGNS[CAMPAIGN]
        expect("subject in Campaign Master", remote["subject"], plan["campaign_master_subject"])
        expect("status in Campaign Master", remote["status"], "draft")

    def send(self):
        """Send in the sandbox; everything that follows happens at once."""
        say("Sending in the sandbox")
        remote = demo_seed.remote_campaign(self.demo, self.marketing, self.campaign)
        body = {"listId": self._list()["id"], "minutes": 0, "seed": 2}
        answer = self.demo.sandbox.post(f"campaigns/{remote['id']}/send", body)
        expect("mails sent", answer["recipients"], len(self._list()["members"]))

    def pull(self):
        """Ask for the figures, and wait until they are the sandbox's."""
        say("Pulling the statistics")
        self.marketing.call(
            "utm.campaign", "action_campaign_master_refresh_statistics", [self.campaign]
        )
        statistics = self._remote()["statistics"]
        wanted = {name: statistics[remote] for name, remote in FIGURES.items()}

        def arrived():
            self.figures = self._figures()
            return True if self.figures["sent"] else None

        demo_seed.wait_for("No figures arrive.", arrived)
        expect("campaign's figures", {name: self.figures[name] for name in FIGURES}, wanted)
        bounces = wanted["hard_bounces"] + wanted["soft_bounces"] + wanted["rejected"]
        expect("total bounces", self.figures["total_bounces"], bounces)
        successful = wanted["sent"] - bounces
        expect("successful e-mails", self.figures["successful"], successful)
        rate = 100 * wanted["clicks"] / successful
        if abs(self.figures["click_rate"] - rate) > 0.01:
            raise Problem(f"The click rate is {self.figures['click_rate']}, must be {rate:.2f}.")

    def compare_recipients(self):
        """Compare each recipient with the sandbox's row of his address; shared ones all alike."""
        say("Comparing each recipient with the sandbox")
        activity = {row["email"]: row for row in self._remote()["activity"]}
        recipients = demo_seed.wait_for("The recipients' figures do not arrive.", self._arrived)
        compared = 0
        for recipient in recipients:
            row = activity.get((recipient["email"] or "").lower())
            for name, remote in RECIPIENT_FIGURES.items():
                wanted = row[remote] if row else type(recipient[name])()
                if recipient[name] != wanted:
                    raise Problem(
                        f"NOT AS IT MUST BE: {name} of recipient {recipient['email']} is "
                        f"{recipient[name]!r}, must be {wanted!r}."
                    )
            compared += bool(row)
        self.recipients = recipients
        say(f"  ok: the figures of {compared} recipients")
        if not any(recipient["open_count"] for recipient in recipients):
            raise Problem("NOT AS IT MUST BE: nobody has opened anything.")

    def compare_totals(self):
        """Compare the totals on partners and leads: this is their only campaign."""
        say("Comparing the totals on contacts, companies and leads")
        for model, field in {"res.partner": "partner_id", "crm.lead": "lead_id"}.items():
            opens = {row[field][0]: row["open_count"] for row in self.recipients if row[field]}
            fields = ["campaign_master_open_count"]
            found = self.marketing.call(model, "read", list(opens), fields)
            totals = {row["id"]: row["campaign_master_open_count"] for row in found}
            if totals != opens:
                raise Problem(f"NOT AS IT MUST BE: opens on {model} are {totals}, not {opens}.")
            say(f"  ok: total opens on {len(totals)} records of {model}")

    def show(self):
        """Print the campaign's figures."""
        say(f"\n{CAMPAIGN}")
        for name, value in self.figures.items():
            shown = f"{value:.2f} %" if name.endswith("_rate") else str(value)
            say(f"  {name.replace('_', ' ').capitalize():<20} {shown:>9}")
        say("")

    def _figures(self):
        rates = ["open_rate", "click_rate", "click_to_open_rate", "bounce_rate", "unsubscribe_rate"]
        names = [*FIGURES, "total_bounces", "successful", *rates]
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

    def _arrived(self):
        recipients = self._recipients()
        return recipients if any(row["open_count"] for row in recipients) else None

    def _remote(self):
        return demo_seed.remote_campaign(self.demo, self.marketing, self.campaign)

    def _list(self):
        ref = demo_seed.list_ref(self.marketing, self.campaign)
        return next(one for one in self.demo.sandbox.get("state")["lists"] if one["id"] == ref)
