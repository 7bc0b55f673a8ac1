"""All numbers of one campaign, computed here from a list of what happened, in plain Python: what
the campaign shows has to be the same."""

from collections import Counter
from datetime import timedelta

from odoo.tests import new_test_user

from ..models.campaign_master_recipient_sums import COUNTS, PEOPLE
from .test_results import MARKETING, ResultsCase

# Who does what how many hours after the sending, and how often.
EVENTS = [
    ("ann", "open", 0.5, 2),
    ("ann", "open", 49.5, 1),
    ("ann", "click", 0.7, 3),
    ("ann", "forward", 1.2, 2),
    ("bob", "open", 2.5, 1),
    ("bob", "click", 2.6, 4),  # at once
    ("cat", "bounce", 199, 1),
    ("dan", "soft-bounce", 199, 1),
    ("eve", "click", 30.5, 1),  # without loading pictures
    ("fay", "open", 100.5, 1),
    ("fay", "unsubscribe", 101, 1),
    ("gus", "open", 4, 1),
    ("gus", "click", 4.5, 2),
    ("hal", "reject", 199, 1),
    ("ida", "open", 13.2, 1),
    ("ida", "complaint", 14, 1),
    ("sam", "open", 1.5, 2),
    ("sam", "unsubscribe", 2, 1),
    ("sue", "click", 5.5, 1),
    ("sue", "forward", 6, 1),
]
# Campaign Master corrects its own count.
CORRECTED_OPENS = -1
HOURS = 200
STRANGERS = {"sam", "sue"}
REMOVED = {"gus"}
MACHINES = {"bob"}
OURS = {"ann", "bob", "cat", "dan", "eve", "fay", "hal", "ida"}
ALL = OURS | REMOVED | STRANGERS
# How many recipients in Odoo have which result of the sync, at the end.
STATES = {
    "added": 7,
    "exists": 1,  # Ida
    "duplicate": 1,  # Ann's company
    "invalid": 1,
    "no_email": 1,
    "blacklisted": 1,  # Bea
    "pending": 1,  # Lou came late
}
PLANNED = 13


def times(kind, people):
    return sum(number for name, one, _hour, number in EVENTS if one == kind and name in people)


def who(kind, people):
    return {name for name, one, _hour, _number in EVENTS if one == kind and name in people}


def hours(kind, name):
    return sorted(hour for one, event, hour, _number in EVENTS if (one, event) == (name, kind))


def percent(part, whole):
    return round(100 * part / whole, 2)


class TestByHand(ResultsCase):
    def setUp(self):
        super().setUp()
        names = ["ann", "bob", "cat", "dan", "fay", "gus", "hal", "ida", "bea"]
        people = self.make_contacts(*(f"{name}@example.com" for name in names))
        company = self.make_contacts("ANN@example.com", is_company=True)
        self.lead, twin = self.env["crm.lead"].create(
            [
                {"name": "Eve", "email_from": "eve@example.com"},
                {"name": "Ann as a lead", "email_from": "Ann@Example.com"},
            ]
        )
        self.env["mail.blacklist"].sudo()._add("bea@example.com")
        on_list = [f"{name}@example.com" for name in sorted(STRANGERS | {"ida"})]
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": on_list})
        self.campaign = self.make_campaign()
        self.add(self.campaign, people + company + self.make_contacts("nobody@", False))
        self.add(self.campaign, self.lead + twin)
        self.sync(self.campaign)
        self.send(self.campaign, HOURS)
        self.pull()
        self.sent_at = self.campaign.campaign_master_sent_at
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            [
                {
                    "email": f"{name}@example.com",
                    "kind": kind,
                    "times": number,
                    "at": f"{self.sent_at + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}",
                }
                for name, kind, hour, number in EVENTS
            ],
        )
        self.correct(self.campaign, opens=CORRECTED_OPENS)
        self.pull()
        lines = self.lines(self.campaign)
        lines.filtered(lambda line: line.email == "gus@example.com").unlink()
        # Others have the address of this one.
        lines.exists().filtered(lambda line: line.lead_id == twin).unlink()
        self.add(self.campaign, self.make_contacts("lou@example.com"))
        self.env.flush_all()
        self.env.invalidate_all()

    def test_figures_and_rates(self):
        sent = len(ALL)
        hard, soft, rejected = (len(who(kind, ALL)) for kind in ("bounce", "soft-bounce", "reject"))
        bounces = hard + soft + rejected
        successful = sent - bounces
        opens, openers = times("open", ALL) + CORRECTED_OPENS, len(who("open", ALL))
        clicks, clickers = times("click", ALL), len(who("click", ALL))
        expected = {
            "sent": sent,
            "delivered": successful,
            "hard_bounces": hard,
            "soft_bounces": soft,
            "rejected": rejected,
            "bounces": False,  # not reported
            "total_bounces": bounces,
            "successful": successful,
            "opens": opens,
            "unique_opens": openers,
            "clicks": clicks,
            "unique_clicks": clickers,
            "forwards": times("forward", ALL),
            "unique_forwards": len(who("forward", ALL)),
            "unsubscribes": times("unsubscribe", ALL),
            "complaints": times("complaint", ALL),
            "delivered_rate": percent(successful, sent),
            "open_rate": percent(openers, successful),
            "click_rate": percent(clicks, successful),
            "clicked_rate": percent(clickers, successful),
            "click_to_open_rate": percent(clickers, openers),
            "bounce_rate": percent(bounces, sent),
            "unsubscribe_rate": percent(times("unsubscribe", ALL), sent),
        }
        opened, clicked = (len(who(kind, ALL) - MACHINES) for kind in ("open", "click"))
        expected |= {
            "unique_opens_by_people": opened,
            "unique_clicks_by_people": clicked,
            "open_rate_by_people": percent(opened, successful),
            "clicked_rate_by_people": percent(clicked, successful),
        }
        numbers = [*self.campaign._figures(), *self.campaign._rates()]
        self.assertEqual(
            {field.name.removeprefix("campaign_master_") for field in numbers}, set(expected)
        )
        for name, value in expected.items():
            with self.subTest(name):
                self.assertEqual(self.campaign[f"campaign_master_{name}"], value)
        self.assertEqual(self.campaign.campaign_master_unreported, ["campaign_master_bounces"])
        last = self.snapshots(self.campaign)[-1]
        for name in ("sent", "hard_bounces", "opens", "unique_clicks_by_people", "complaints"):
            self.assertEqual(last[name], expected[name])

    def test_recipients(self):
        """Also of those who share an address."""
        found = Counter()
        for line in self.lines(self.campaign):
            name = (line.email or "").partition("@")[0]
            is_ours = name in OURS
            opened, clicked = hours("open", name), hours("click", name)
            is_bounced = name in who("bounce", ALL)
            objects = name in who("unsubscribe", ALL) | who("complaint", ALL)
            result = next(
                result
                for result, holds in (
                    ("opted_out", objects),
                    ("clicked", clicked),
                    ("opened", opened),
                    ("bounced", is_bounced),
                    ("delivered", is_ours),
                    ("late", name == "lou"),
                    ("not_sent", True),
                )
                if holds
            )

            def at(hour):
                return self.sent_at.replace(microsecond=0) + timedelta(hours=hour)

            with self.subTest(line.email):
                expected = {
                    "open_count": times("open", {name}),
                    "click_count": times("click", {name}),
                    "forward_count": times("forward", {name}),
                    "unsubscribe_count": times("unsubscribe", {name}),
                    "first_open": bool(opened) and at(opened[0]),
                    "last_open": bool(opened) and at(opened[-1]),
                    "first_click": bool(clicked) and at(clicked[0]),
                    "last_click": bool(clicked) and at(clicked[-1]),
                    "bounced": is_bounced,
                    "opted_out_here": objects,
                    "sent_to": is_ours,
                    "delivered": is_ours and not is_bounced,
                    "result": result,
                }
                self.assertEqual({name: line[name] for name in expected}, expected)
                found[line.sync_state] += 1
                person = line.partner_id or line.lead_id
                self.assertEqual(person.campaign_master_open_count, times("open", {name}))
                self.assertEqual(person.campaign_master_click_count, times("click", {name}))
        self.assertEqual(found, STATES)

    def test_sums_and_how_the_numbers_add_up(self):
        expected = {
            "planned": PLANNED,
            "on_list": STATES["added"] + STATES["exists"],
            "sent": len(OURS),
            "delivered": len(OURS - who("bounce", OURS)),
            "opened": len(who("open", OURS)),
            "clicked": len(who("click", OURS)),
            "machines": len(MACHINES),
            "opened_by_people": len(who("open", OURS) - MACHINES),
            "clicked_by_people": len(who("click", OURS) - MACHINES),
            "bounced": len(who("bounce", OURS)),
            "unsubscribed": len(who("unsubscribe", OURS)),
            "opted_out": len(who("unsubscribe", OURS) | who("complaint", OURS)),
            "opens": times("open", OURS),
            "clicks": times("click", OURS),
            "forwards": times("forward", OURS),
        }
        self.assertEqual(set(expected), {*PEOPLE, *COUNTS})
        sums = self.work(self.campaign).sums
        self.assertEqual({name: sums[name] for name in expected}, expected)
        for name in PEOPLE:
            action = self.campaign.action_campaign_master_open_people(name)
            people = self.env["campaign.master.recipient"].search(action["domain"])
            self.assertEqual(len(people), expected[name], name)
        self.assertEqual(self.campaign.campaign_master_opted_out_count, expected["opted_out"])
        self.assertEqual(self.outcomes(self.campaign), STATES)
        self.assertEqual(sum(STATES.values()), PLANNED)
        self.assertEqual(self.results(self.campaign)["removed"], len(REMOVED))

        others = STRANGERS | REMOVED
        rests = {
            label: number - ours for label, (number, ours) in self.totals(self.campaign).items()
        }
        self.assertEqual(
            rests,
            {
                "Sent": len(others),
                "Hard Bounces": len(who("bounce", others)),
                "Unique Opens": len(who("open", others)),
                "Opens": times("open", others) + CORRECTED_OPENS,
                "Unique Clicks": len(who("click", others)),
                "Clicks": times("click", others),
                "Forwards": times("forward", others),
                "Unsubscribes": times("unsubscribe", others),
            },
        )

    def test_stages(self):
        on_list, sent = STATES["added"] + STATES["exists"], len(ALL)
        bounces = sum(len(who(kind, ALL)) for kind in ("bounce", "soft-bounce", "reject"))
        openers, clickers = len(who("open", ALL)), len(who("click", ALL))
        self.assertEqual(
            {
                name: (number, share and round(share, 2))
                for name, (number, share) in self.stages(self.campaign).items()
            },
            {
                "planned": (PLANNED, None),
                "on_list": (on_list, percent(on_list, PLANNED)),
                "sent": (sent, percent(sent, on_list)),
                "delivered": (sent - bounces, percent(sent - bounces, sent)),
                "opened": (openers, percent(openers, sent - bounces)),
                "clicked": (clickers, percent(clickers, sent - bounces)),
            },
        )
        self.assertEqual(
            {one["label"]: one["number"] for one in self.results(self.campaign)["besides"]},
            {
                "Opens": times("open", ALL) + CORRECTED_OPENS,
                "Clicks": times("click", ALL),
                "Forwards": times("forward", ALL),
                "Unsubscribes": times("unsubscribe", ALL),
                "Complaints": times("complaint", ALL),
            },
        )

    def test_people_by_age(self):
        def by(age):
            """Who had opened, or clicked, and who had clicked by an age."""
            clicked = [hours("click", name)[:1] for name in OURS]
            opened = [sorted(hours("open", one) + hours("click", one))[:1] for one in OURS]
            return tuple(
                sum(first < age for some in found for first in some) for found in (opened, clicked)
            )

        delivered = len(OURS - who("bounce", OURS))
        rows = self.env["campaign.master.age"].search([("campaign_id", "=", self.campaign.id)])
        self.assertEqual(rows.mapped("age"), [1, 3, 6, 12, 24, 48, 96, 168])
        for row in rows:
            opened, clicked = by(row.age)
            with self.subTest(age=row.age):
                self.assertEqual((row.opened, row.clicked), (opened, clicked))
                self.assertEqual(row.delivered, delivered)
                self.assertEqual(row.opened_rate, percent(opened, delivered))
                self.assertEqual(row.clicked_rate, percent(clicked, delivered))
        curve = self.campaign.campaign_master_history()["curve"]
        self.assertEqual(curve["age"][:-1], [*range(48), *range(48, 168, 6), 168, 192])
        self.assertEqual(
            list(zip(curve["opened"], curve["clicked"], strict=True)), [*map(by, curve["age"])]
        )
        self.assertEqual((curve["delivered"], curve["untimed"]), (delivered, 0))

    def test_whoever_may_not_see_a_lead_reads_the_same_numbers(self):
        mailer = new_test_user(self.account.env, "mailer", MARKETING)
        mine = self.campaign.with_user(mailer)
        self.assertEqual(self.results(mine), self.results(self.campaign))
        emails = sorted(f"{name}@example.com" for name in who("click", OURS) - {"eve"})
        self.assertEqual(
            self.open(mine, "clicked"), ("Clicked (and 1 lead that you may not see)", emails)
        )
