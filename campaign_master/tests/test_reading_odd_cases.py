from odoo import fields
from odoo.exceptions import UserError

from .common import CampaignMasterCase

ACTIVITY = "GET /campaigns/ID/activity"


class ReadingCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.sandbox.list("Press")
        self.sandbox.control("settings", {"pageCap": 2})

    def sent_campaign(self, number):
        campaign = self.make_campaign()
        emails = [f"person{place}@example.com" for place in range(number)]
        self.add(campaign, self.make_contacts(*emails))
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        for email in emails:
            self.act(campaign, email, "open")
        return campaign

    def act(self, campaign, email, kind):
        self.sandbox.control(
            f"campaigns/{campaign.campaign_master_ref}/activity", {"email": email, "kind": kind}
        )


class TestRepeatedPages(ReadingCase):
    """A page that repeats the one before is the end, unless a total says that more must come."""

    def repeat(self, call):
        self.sandbox.faults({"match": call, "kind": "repeat-page", "count": None})

    def lists(self):
        return set(self.env["campaign.master.list"].search([]).mapped("name"))

    def test_lists_without_a_total_are_complete(self):
        self.sandbox.control("dialect", {"pages": "bare"})
        self.repeat("GET /lists")
        self.account.action_refresh_catalogue()
        self.assertEqual(self.lists(), {"Customers", "Press"})

    def test_lists_with_a_total_are_kept_as_they_were(self):
        self.sandbox.list("Partners")
        self.repeat("GET /lists")
        with self.assertRaisesRegex(UserError, "does not understand"):
            self.account.action_refresh_catalogue()
        self.assertEqual(self.lists(), {"Customers"})

    def test_activity_without_a_total_is_complete(self):
        self.sandbox.control("dialect", {"pages": "bare"})
        campaign = self.sent_campaign(2)
        self.repeat(ACTIVITY)
        self.pull()
        self.assertEqual(self.sandbox.calls(ACTIVITY), 2)
        self.assertEqual(self.work(campaign).read_failures, 0)
        self.assertEqual(self.lines(campaign).mapped("open_count"), [1, 1])

    def test_activity_with_a_total_is_read_again_later(self):
        campaign = self.sent_campaign(3)
        self.repeat(ACTIVITY)
        self.pull()
        self.assertEqual(self.work(campaign).read_failures, 1)
        self.assertGreater(self.work(campaign).next_poll_at, fields.Datetime.now())
        self.sandbox.faults()
        self.pull()
        self.assertEqual(self.lines(campaign).mapped("open_count"), [1, 1, 1])


class TestFiguresBeforeActivity(ReadingCase):
    """Statistics may move before the activity does."""

    def test_activity_that_is_late_is_there_at_the_next_reading(self):
        campaign = self.sent_campaign(2)
        self.pull()
        self.pull()
        ref = campaign.campaign_master_ref
        self.sandbox.control(f"campaigns/{ref}/correct", {"clicks": 1})
        self.pull()
        self.assertEqual(campaign.campaign_master_clicks, 1)
        self.assertEqual(self.lines(campaign).mapped("click_count"), [0, 0])
        # The row follows; the figure stays as it is.
        self.act(campaign, "person0@example.com", "click")
        self.sandbox.control(f"campaigns/{ref}/correct", {"clicks": -1, "uniqueClicks": -1})
        self.pull()
        self.assertEqual(self.lines(campaign).mapped("click_count"), [1, 0])
        before = self.sandbox.calls(ACTIVITY)
        self.pull()
        self.assertEqual(self.sandbox.calls(ACTIVITY), before, "Then it is quiet")
