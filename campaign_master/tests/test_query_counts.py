from lxml import etree

from odoo import fields

from ..client import Activity
from .common import CampaignMasterCase


class TestQueryCounts(CampaignMasterCase):
    """The number of SQL statements does not depend on the number of recipients."""

    def count(self, function, *args):
        """Number of statements that a function takes."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        function(*args)
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def campaigns(self):
        """A campaign with three recipients, and one with sixty."""
        for number in (3, 60):
            campaign = self.make_campaign(title=f"{number} recipients")
            emails = [f"person{place}.of{number}@example.com" for place in range(number)]
            self.add(campaign, self.make_contacts(*emails))
            yield campaign, emails

    def assert_equal_counts(self, counts):
        few, many = counts
        self.assertEqual(few, many)
        self.assertGreater(few, 0)

    def test_adding(self):
        people = [self.make_contacts(*["ann@example.com"] * number) for number in (3, 60)]
        campaigns = [self.make_campaign() for _people in people]
        # The first time, Odoo also reads what it caches.
        self.add(self.make_campaign(), people[0])
        self.assert_equal_counts(
            self.count(self.add, campaign, some)
            for campaign, some in zip(campaigns, people, strict=True)
        )

    def test_a_sync(self):
        [[first, _emails], *_others] = self.campaigns()
        self.sync(first)
        counts = []
        for campaign, _emails in self.campaigns():
            campaign.campaign_master_list_id = self.list
            self.press(campaign)
            counts.append(self.count(self.push))
            self.assertEqual(campaign.campaign_master_sync_state, "complete")
        self.assert_equal_counts(counts)

    def test_a_page_of_activity(self):
        recipients = self.env["campaign.master.recipient"].sudo()
        counts = []
        for campaign, emails in self.campaigns():
            self.sync(campaign)
            for opens in (1, 2):
                page = [
                    Activity(email, opens, 0, 0, 0, None, None, None, None, False, False)
                    for email in emails
                ]
                number = self.count(recipients._ingest, campaign.sudo(), page)
            counts.append(number)
        self.assert_equal_counts(counts)

    def test_a_reading_without_changes(self):
        counts = []
        for campaign, _emails in self.campaigns():
            self.sync(campaign)
            self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
            for _time in range(3):
                self.work(campaign).next_poll_at = fields.Datetime.now()
                number = self.count(self.run_cron, "pull_statistics")
            self.work(campaign).next_poll_at = False
            counts.append(number)
        self.assert_equal_counts(counts)

    def test_a_page_of_the_list(self):
        recipients = self.env["campaign.master.recipient"]
        view = self.env.ref("campaign_master.campaign_master_recipient_view_list").sudo()
        fields = {node.get("name"): {} for node in etree.fromstring(view.arch).iter("field")}
        # The first time, Odoo also reads what it caches.
        recipients.web_search_read([], fields)
        counts = []
        for campaign, _emails in self.campaigns():
            leads = [{"name": str(number), "email_from": f"{number}@x.com"} for number in range(9)]
            self.add(campaign, self.env["crm.lead"].create(leads))
            domain = [("campaign_id", "=", campaign.id)]
            counts.append(self.count(recipients.web_search_read, domain, fields))
        self.assert_equal_counts(counts)
