"""The state of a campaign, and the result of a sync that it depends on."""

from ast import literal_eval

from lxml import etree

from odoo.exceptions import AccessError
from odoo.modules.migration import load_script

from .common import CampaignMasterCase


class CampaignStateCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.campaigns = self.env["utm.campaign"]
        self.campaign = self.make_campaign()

    def filter(self, name):
        """The campaigns that a filter of the search view finds, by its name."""
        arch = self.campaigns.get_view(view_type="search")["arch"]
        [domain] = etree.fromstring(arch).xpath(f"//filter[@name='campaign_master_{name}']/@domain")
        return self.campaigns.search(literal_eval(domain))

    def assertState(self, state, result=None):
        self.assertEqual(self.campaign.campaign_master_state, state)
        if result:
            self.assertEqual(self.campaign.campaign_master_sync_state, result)
        self.assertEqual(self.campaign in self.filter("attention"), state == "attention")
        self.assertEqual(self.campaign in self.filter("ready"), state == "ready")
        self.assertEqual(self.campaign in self.filter("sent"), state == "sent")

    def store(self, status, result):
        self.campaign.sudo().write(
            {"campaign_master_remote_status": status, "campaign_master_sync_state": result}
        )


class TestState(CampaignStateCase):
    def test_the_state_follows_a_campaign_from_draft_to_deleted(self):
        self.assertState("draft", "never")
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.press(self.campaign)
        self.assertState("syncing", "running")
        self.push()
        self.assertState("ready", "complete")
        ref = self.campaign.campaign_master_ref
        self.sandbox.control(f"campaigns/{ref}/status", {"status": "scheduled"})
        self.sync(self.campaign)
        self.assertState("ready", "unchanged")
        self.assertEqual(self.campaign.campaign_master_remote_status, "scheduled")
        self.sandbox.control(f"campaigns/{ref}/status", {"status": "sending"})
        self.sync(self.campaign)
        self.assertState("sending")
        self.sandbox.send(ref, self.list_ref)
        self.pull()
        self.assertState("sent")
        self.press(self.campaign)
        self.assertState("syncing", "running")
        self.push()
        self.assertState("sent", "unchanged")
        self.sandbox.control(f"campaigns/{ref}", method="DELETE")
        self.pull()
        self.assertState("deleted", "failed")
        self.press(self.campaign, "unlink")
        self.assertState("draft", "never")

    def test_a_failed_and_a_cancelled_sync_need_attention(self):
        self.press(self.campaign)
        self.press(self.campaign, "cancel")
        self.assertState("attention", "cancelled")
        self.sandbox.faults({"match": "POST /campaigns", "kind": "400", "count": None})
        self.sync(self.campaign)
        self.assertState("attention", "failed")

    def test_the_first_state_that_holds_counts(self):
        for status, result, state in (
            ("deleted", "running", "deleted"),
            ("deleted", "failed", "deleted"),
            ("sent", "running", "syncing"),
            ("sent", "partial", "sent"),
            ("sending", "failed", "sending"),
            ("draft", "cancelled", "attention"),
            ("scheduled", "partial", "attention"),
            ("scheduled", "complete", "ready"),
            ("paused by Campaign Master", "unchanged", "ready"),
            ("draft", "complete", "ready"),
            (False, "never", "draft"),
        ):
            with self.subTest(f"{status}, {result}"):
                self.store(status, result)
                self.assertState(state)

    def test_campaigns_are_grouped_by_state(self):
        self.store("sent", "complete")
        other = self.make_campaign()
        groups = self.campaigns._read_group(
            [("id", "in", (self.campaign + other).ids)], ["campaign_master_state"], ["__count"]
        )
        self.assertEqual(groups, [("draft", 1), ("sent", 1)])

    def test_the_state_cannot_be_written(self):
        with self.assertRaises(AccessError):
            self.campaign.campaign_master_state = "sent"
        with self.assertRaises(AccessError):
            self.make_campaign(campaign_master_state="sent")
        pushed = self.campaigns.with_context(default_campaign_master_state="sent")
        self.assertEqual(pushed.create({"title": "Pushed"}).campaign_master_state, "draft")
        self.store("sent", "complete")
        self.assertEqual(self.campaign.copy().campaign_master_state, "draft")


class TestResult(CampaignStateCase):
    """Partial is about people, Complete and Up to Date are about what the sync did."""

    def test_a_sync_remains_partial_while_the_same_people_are_missing(self):
        people = self.make_contacts("ann@example.com", False, "nobody@", "bad@example.com")
        self.sandbox.control("suppress", {"email": "bad@example.com"})
        self.add(self.campaign, people)
        self.sync(self.campaign)
        self.assertState("attention", "partial")
        for _again in range(2):
            self.sync(self.campaign)
            self.assertState("attention", "partial")
        self.assertEqual(self.syncs(self.campaign).mapped("state"), ["partial"] * 3)
        self.lines(self.campaign).filtered(
            lambda line: line.sync_state in ("no_email", "invalid", "refused")
        ).action_remove()
        self.sync(self.campaign)
        self.assertState("ready", "unchanged")

    def test_a_sync_that_changes_anything_is_complete_and_another_one_is_up_to_date(self):
        self.sync(self.campaign)
        self.assertState("ready", "complete")  # created
        self.campaign.campaign_master_subject = "Spring is near"
        self.sync(self.campaign)
        self.assertState("ready", "complete")  # updated
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.sync(self.campaign)
        self.assertState("ready", "complete")  # somebody added
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["bob@example.com"]})
        self.add(self.campaign, self.make_contacts("bob@example.com"))
        self.sync(self.campaign)
        self.assertState("ready", "complete")  # somebody found
        self.sync(self.campaign)
        self.assertState("ready", "unchanged")

    def test_a_partial_sync_that_changes_something_is_partial(self):
        self.add(self.campaign, self.make_contacts(False))
        self.sync(self.campaign)
        self.assertState("attention", "partial")
        self.campaign.campaign_master_subject = "Spring is near"
        self.sync(self.campaign)
        self.assertState("attention", "partial")

    def test_objections_and_duplicates_are_no_reason_for_attention(self):
        self.env["mail.blacklist"].sudo().create({"email": "no@example.com"})
        self.add(
            self.campaign,
            self.make_contacts("ann@example.com", "ann@example.com", "no@example.com"),
        )
        self.sync(self.campaign)
        self.assertState("ready", "complete")
        self.assertEqual(
            sorted(self.lines(self.campaign).mapped("sync_state")),
            ["added", "blacklisted", "duplicate"],
        )


class TestUpgrade(CampaignStateCase):
    def upgrade(self):
        self.env.flush_all()
        script = "campaign_master/migrations/19.0.1.5.0/post-migrate.py"
        load_script(script, "post-migrate")._recompute_states_and_rates(self.account.env)

    def test_a_sync_that_left_somebody_out_was_partial(self):
        for result in ("complete", "unchanged"):
            self.store("draft", result)
            self.campaign.sudo().campaign_master_outcome = {"added": 3, "no_email": 1}
            self.upgrade()
            self.assertState("attention", "partial")

    def test_other_results_remain(self):
        for result, outcome in (
            ("complete", {"added": 3, "duplicate": 1, "opted_out": 1}),
            ("unchanged", {"exists": 3}),
            ("failed", {"pending": 2, "invalid": 1}),
            ("never", False),
        ):
            self.store("draft", result)
            self.campaign.sudo().campaign_master_outcome = outcome
            self.upgrade()
            self.assertEqual(self.campaign.campaign_master_sync_state, result)

    def test_campaigns_that_were_not_sent_lose_their_rates_also_if_they_are_archived(self):
        self.campaign.active = False
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE utm_campaign SET campaign_master_open_rate = 0, campaign_master_state = NULL
             WHERE id = %s
            """,
            [self.campaign.id],
        )
        self.env.invalidate_all()
        self.upgrade()
        self.assertIs(self.campaign.campaign_master_open_rate, False)
        self.assertEqual(self.campaign.campaign_master_state, "draft")
