from unittest.mock import patch

from odoo import fields
from odoo.fields import Field

from odoo.addons.base.models import ir_cron

from ..models.campaign_master_engagement import TOTALS
from ..models.campaign_master_engagement_mixin import NO_ENGAGEMENT
from ..models.utm_campaign_results import FIGURES
from .common import CampaignMasterCase

WIRE = {
    "sent": "sent",
    "delivered": "delivered",
    "hard_bounces": "hardBounces",
    "soft_bounces": "softBounces",
    "bounces": "bounces",
    "rejected": "rejected",
    "opens": "opens",
    "unique_opens": "uniqueOpens",
    "clicks": "clicks",
    "unique_clicks": "uniqueClicks",
    "forwards": "forwards",
    "unique_forwards": "uniqueForwards",
    "unsubscribes": "unsubscribes",
    "complaints": "complaints",
}


class TestPull(CampaignMasterCase):
    """Results of a campaign after it was sent."""

    def sent_campaign(self, people, **options):
        campaign = self.make_campaign()
        self.add(campaign, people)
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, **options)
        return campaign

    def act(self, campaign, email, action, **values):
        """A recipient does something with the email."""
        self.sandbox.control(
            f"campaigns/{campaign.campaign_master_ref}/activity",
            {"email": email, "kind": action, **values},
        )

    def remote_statistics(self, campaign):
        [remote] = [
            remote
            for remote in self.sandbox.state()["campaigns"]
            if str(remote["id"]) == campaign.campaign_master_ref
        ]
        return remote["statistics"]

    def test_the_figures_are_those_of_campaign_master(self):
        people = self.make_contacts(*(f"person{number}@example.com" for number in range(300)))
        campaign = self.sent_campaign(people, seed=7)
        self.pull()
        remote = self.remote_statistics(campaign)
        self.assertEqual(
            {name: campaign[f"campaign_master_{name}"] for name in FIGURES},
            {name: remote.get(WIRE[name], 0) for name in FIGURES},
        )
        self.assertEqual(campaign.campaign_master_sent, 300)
        self.assertIn("“Spring offers” was sent on", campaign.campaign_master_sync_message)
        self.assertGreater(campaign.campaign_master_opens, 0)
        bounces = remote["hardBounces"] + remote["softBounces"] + remote["rejected"]
        self.assertEqual(campaign.campaign_master_total_bounces, bounces)
        self.assertEqual(campaign.campaign_master_successful, 300 - bounces)
        self.assertAlmostEqual(
            campaign.campaign_master_click_rate, 100 * remote["clicks"] / (300 - bounces), 2
        )
        self.assertAlmostEqual(
            campaign.campaign_master_open_rate, 100 * remote["uniqueOpens"] / (300 - bounces), 2
        )
        lines = self.lines(campaign)
        self.assertEqual(sum(lines.mapped("open_count")), remote["opens"])
        self.assertEqual(sum(lines.mapped("click_count")), remote["clicks"])
        self.assertEqual(len(lines.filtered("open_count")), remote["uniqueOpens"])

    def test_an_unsent_campaign_has_no_division_by_zero(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        self.pull()
        self.assertEqual(campaign.campaign_master_open_rate, 0)
        self.assertTrue(campaign.campaign_master_statistics_at)

    def test_all_people_with_a_shared_address_and_their_totals_show_its_activity(self):
        company, contact = self.make_contacts("Office@Example.com", "office@example.com")
        lead = self.env["crm.lead"].create({"name": "A lead", "email_from": "OFFICE@example.com"})
        company.is_company = True
        campaign = self.make_campaign()
        self.add(campaign, company + contact)
        self.add(campaign, lead)
        self.sync(campaign)
        self.assertEqual(self.sandbox.members(self.list_ref), ["office@example.com"])
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.act(campaign, "office@example.com", "open")
        self.act(campaign, "office@example.com", "click")
        self.pull()
        for line in self.lines(campaign):
            self.assertEqual((line.open_count, line.click_count), (1, 1), line.display_name)
            self.assertTrue(line.first_open)
        for person in (company, contact, lead):
            self.assertEqual(person.campaign_master_campaign_count, 1)
            action = person.action_campaign_master_campaigns()
            [line] = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(
                (line.campaign_id, line.partner_id or line.lead_id), (campaign, person)
            )
            self.assertEqual(person.campaign_master_open_count, 1)
            self.assertEqual(person.campaign_master_click_count, 1)
            self.assertEqual(person.campaign_master_last_click, self.lines(campaign)[0].last_click)

    def test_an_unsubscribed_recipient_is_opted_out_here_and_on_the_next_campaign(self):
        ann, bob = self.make_contacts("Ann@Example.com", "bob@example.com")
        waiting = self.make_campaign(title="Planned before")
        self.add(waiting, ann)
        campaign = self.sent_campaign(ann + bob, quiet=True)
        self.act(campaign, "ann@example.com", "unsubscribe")
        self.pull()
        line = self.lines(campaign).filtered(lambda line: line.partner_id == ann)
        self.assertTrue(line.opted_out)
        self.assertEqual(line.unsubscribe_count, 1)
        self.assertEqual(self.states(waiting), {"ann@example.com": "opted_out"})

        other_ref = self.sandbox.list("Next")
        self.account.with_env(self.env).action_refresh_catalogue()
        following = self.make_campaign(
            title="Next", campaign_master_list_id=self.find("campaign.master.list", other_ref).id
        )
        self.add(following, ann + bob)
        self.sync(following)
        self.assertEqual(
            self.states(following), {"ann@example.com": "opted_out", "bob@example.com": "added"}
        )
        self.assertEqual(self.sandbox.members(other_ref), ["bob@example.com"])
        self.assertTrue(ann.campaign_master_opted_out)
        self.assertFalse(ann.is_blacklisted)

    def test_a_recipient_who_opts_in_again_is_pending_again(self):
        ann = self.make_contacts("ann@example.com")
        campaign = self.sent_campaign(ann, quiet=True)
        self.act(campaign, "ann@example.com", "unsubscribe")
        self.pull()
        following = self.make_campaign(title="Next")
        self.add(following, ann)
        self.assertEqual(self.states(following), {"ann@example.com": "opted_out"})
        self.sandbox.control("opt-in", {"email": "ann@example.com"})
        self.act(campaign, "ann@example.com", "open")
        self.pull()
        self.assertEqual(self.states(following), {"ann@example.com": "pending"})
        self.assertFalse(self.lines(campaign).opted_out)

    def test_an_opt_out_outlives_the_campaign_and_its_recipients(self):
        ann = self.make_contacts("ann@example.com")
        campaign = self.sent_campaign(ann, quiet=True)
        self.act(campaign, "ann@example.com", "unsubscribe")
        self.pull()
        campaign.unlink()
        following = self.make_campaign(title="Next")
        self.add(following, ann)
        self.assertEqual(self.states(following), {"ann@example.com": "opted_out"})

    def test_a_quiet_campaign_costs_one_call(self):
        campaign = self.sent_campaign(self.make_contacts("ann@example.com"))
        self.pull()
        self.pull()
        self.assertFalse(self.work(campaign).activity_due)
        before = self.sandbox.calls()
        self.pull()
        after = self.sandbox.calls()
        spent = {name: after[name] - before.get(name, 0) for name in after}
        self.assertEqual(
            {name: count for name, count in spent.items() if count},
            {"GET /campaigns/ID/statistics": 1},
        )

    def test_activity_is_read_once_more_after_figures_changed(self):
        campaign = self.sent_campaign(self.make_contacts("ann@example.com"), quiet=True)
        self.pull()
        before = self.sandbox.calls("GET /campaigns/ID/activity")
        self.pull()
        self.assertEqual(self.sandbox.calls("GET /campaigns/ID/activity"), before + 1)
        self.assertEqual(campaign.campaign_master_sent, 1)

    def test_endless_pages_are_detected_even_if_each_run_reads_one_page(self):
        people = self.make_contacts(*(f"person{number}@example.com" for number in range(8)))
        campaign = self.sent_campaign(people, quiet=True)
        self.sandbox.control("settings", {"pageCap": 2})
        activity = "GET /campaigns/ID/activity"
        self.sandbox.faults({"match": activity, "kind": "endless-pages:3", "count": None})
        self.work(campaign).next_poll_at = fields.Datetime.now()
        # Each run has its own client, and time for one call.
        with patch.multiple(ir_cron, MIN_TIME_PER_JOB=0, MIN_RUNS_PER_JOB=1):
            for _run in range(20):
                self.run_cron("pull_statistics")
        self.assertEqual(self.work(campaign).read_failures, 1)
        # Six different addresses, then more rows than that without another one.
        self.assertEqual(self.sandbox.calls(activity), 7)
        self.assertFalse(self.work(campaign).activity_since)
        self.sandbox.faults()
        self.pull()
        self.assertEqual(self.work(campaign).read_failures, 0)
        self.assertTrue(self.work(campaign).activity_since)

    def test_reading_twice_changes_nothing(self):
        people = self.make_contacts(*(f"person{number}@example.com" for number in range(50)))
        campaign = self.sent_campaign(people, seed=3)
        self.pull()
        names = ["email", "open_count", "click_count", "last_open", "opted_out", "bounced"]
        before = self.lines(campaign).read(names)
        self.work(campaign).activity_since = False
        activity = self.sandbox.calls("GET /campaigns/ID/activity")
        self.refresh(campaign)
        self.assertGreater(self.sandbox.calls("GET /campaigns/ID/activity"), activity)
        self.assertEqual(self.lines(campaign).read(names), before)

    def test_one_unusable_response_stops_no_other_campaign(self):
        first = self.sent_campaign(self.make_contacts("ann@example.com"), quiet=True)
        second = self.make_campaign(title="Second")
        self.sync(second)
        self.sandbox.send(second.campaign_master_ref, self.list_ref, quiet=True)
        self.sandbox.faults(
            {
                "match": f"GET /campaigns/{first.campaign_master_ref}/statistics",
                "kind": "html",
                "count": 1,
            }
        )
        self.pull()
        self.assertEqual(second.campaign_master_sent, 1)
        self.pull()
        self.assertEqual(first.campaign_master_sent, 1)

    def test_the_totals_of_people_are_the_sums_of_their_lines(self):
        people = self.make_contacts(*(f"person{number}@example.com" for number in range(40)))
        for number in range(2):
            self.sent_campaign(people, seed=number)
        self.pull()
        for person in people:
            lines = self.env["campaign.master.recipient"].search([("partner_id", "=", person.id)])
            self.assertEqual(person.campaign_master_campaign_count, len(lines))
            for name in TOTALS:
                if name.endswith("_count") and name != "campaign_count":
                    self.assertEqual(
                        person[f"campaign_master_{name}"], sum(lines.mapped(name)), name
                    )
            opens = [moment for moment in lines.mapped("first_open") if moment]
            self.assertEqual(person.campaign_master_first_open, min(opens) if opens else False)

    def test_people_can_be_searched_and_sorted_by_their_totals(self):
        ann, bob, cem = self.make_contacts("ann@example.com", "bob@example.com", "c@example.com")
        campaign = self.sent_campaign(ann + bob, quiet=True)
        for _time in range(3):
            self.act(campaign, "bob@example.com", "open")
        self.act(campaign, "ann@example.com", "open")
        self.act(campaign, "ann@example.com", "click")
        self.pull()
        Partner = self.env["res.partner"]
        mine = [("id", "in", (ann + bob + cem).ids)]

        def found(*domain, order=None):
            return Partner.search([*mine, *domain], order=order)

        self.assertEqual(found(order="campaign_master_open_count desc, id"), bob + ann + cem)
        self.assertEqual(found(("campaign_master_open_count", ">", 1)), bob)
        self.assertEqual(found(("campaign_master_open_count", "=", 0)), cem)
        self.assertEqual(found(("campaign_master_click_count", "!=", 0)), ann)
        self.assertEqual(found(("campaign_master_first_click", "!=", False)), ann)
        self.assertEqual(found(("campaign_master_first_click", "=", False)), bob + cem)
        self.assertEqual(found(("campaign_master_bounced", "=", True)), Partner)
        self.assertEqual(found(("campaign_master_bounced", "=", False)), ann + bob + cem)
        self.assertEqual(
            Partner.formatted_read_group(
                mine, ["campaign_master_open_count"], ["campaign_master_click_count:sum"]
            ),
            [
                {
                    "campaign_master_open_count": opens,
                    "campaign_master_click_count:sum": clicks,
                    "__extra_domain": [("campaign_master_open_count", "=", opens)],
                }
                for opens, clicks in ((0, 0), (1, 1), (3, 0))
            ],
        )

    def test_totals_are_described_as_odoo_would_find_out(self):
        views = [(False, kind) for kind in ("list", "form", "search", "kanban", "graph", "pivot")]
        for model in (self.env["res.partner"], self.env["crm.lead"]):
            self.assertEqual(set(model.get_views(views)["views"]), {kind for _id, kind in views})
            described = model.fields_get(NO_ENGAGEMENT)
            self.assertEqual(set(described), set(NO_ENGAGEMENT))
            for name, description in described.items():
                for attribute in ("sortable", "groupable", "aggregator"):
                    found = getattr(Field, f"_description_{attribute}")(
                        model._fields[name], self.env
                    )
                    self.assertEqual(description.get(attribute), found, (name, attribute))
