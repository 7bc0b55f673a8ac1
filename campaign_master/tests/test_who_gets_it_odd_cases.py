"""Who gets a campaign: odd cases."""

import time
from unittest.mock import patch

from odoo import fields

from ..client import Activity
from .common import CampaignMasterCase

EVE = "eve@example.com"


class TestWhoGetsItOddCases(CampaignMasterCase):
    def act(self, campaign, email, kind="open"):
        self.sandbox.control(
            f"campaigns/{campaign.campaign_master_ref}/activity", {"email": email, "kind": kind}
        )

    def send(self, campaign):
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)

    def one(self, campaign, email):
        return self.lines(campaign).filtered(lambda line: line.email == email)

    def sent_campaign(self, *emails):
        campaign = self.make_campaign()
        if emails:
            self.add(campaign, self.make_contacts(*emails))
        self.sync(campaign)
        self.send(campaign)
        self.pull()
        return campaign

    def with_eve_on_the_list(self):
        """She is on the list without us, and added in Odoo after sending."""
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": [EVE]})
        campaign = self.sent_campaign("ann@example.com")
        self.add(campaign, self.make_contacts(EVE))
        return campaign

    def ends(self, campaign):
        Recipient = type(self.env["campaign.master.recipient"])
        original, calls = Recipient._classify, []

        def counted(recipients, *args, **kwargs):
            calls.append(1)
            if len(calls) > 20:
                raise RuntimeError("_next_pending never ends")
            return original(recipients, *args, **kwargs)

        with patch.object(Recipient, "_classify", counted):
            self.sync(campaign)
        self.assertLess(len(calls), 20)

    def test_a_sync_ends_although_somebody_reacted_and_opted_out_before_being_added(self):
        campaign = self.with_eve_on_the_list()
        self.act(campaign, EVE, "open")
        self.act(campaign, EVE, "unsubscribe")
        self.pull()
        self.ends(campaign)

    def test_a_sync_ends_although_somebody_reacted_and_is_blacklisted(self):
        campaign = self.with_eve_on_the_list()
        self.act(campaign, EVE, "open")
        self.pull()
        self.env["mail.blacklist"].sudo()._add(EVE)
        self.ends(campaign)

    def test_an_invisible_blank_does_not_hide_an_objection(self):
        for number, blank in enumerate(("\u00a0", "\u200b", "\ufeff", "\t")):
            address = f"person{number}@example.com"
            self.env["mail.blacklist"].sudo()._add(address)
            campaign = self.make_campaign()
            self.add(campaign, self.make_contacts(f"{blank}{address}"))
            self.sync(campaign)
            with self.subTest(repr(blank)):
                self.assertEqual(self.lines(campaign).sync_state, "blacklisted")
                self.assertNotIn(address, self.sandbox.members(self.list_ref))

    def test_blacklisted_people_whom_another_campaign_put_on_the_list(self):
        first = self.make_campaign()
        self.add(first, self.make_contacts("ann@example.com"))
        self.sync(first)
        self.env["mail.blacklist"].sudo()._add("ann@example.com")
        second = self.make_campaign(title="Second")
        self.add(second, self.make_contacts("bob@example.com"))
        self.sync(second)
        self.assertEqual(second.campaign_master_objection_count, 1)

    def test_who_reacted_still_got_it_after_the_next_sync(self):
        campaign = self.with_eve_on_the_list()
        self.sync(campaign)
        line = self.one(campaign, EVE)
        line.sudo().on_list_at = fields.Datetime.add(line.on_list_at, seconds=5)
        self.act(campaign, EVE, "bounce")
        self.pull()
        self.assertTrue(line.sent_to)
        self.sync(campaign)
        line.invalidate_recordset()
        self.assertTrue(line.sent_to)

    def test_figures_older_than_the_sending_are_no_reason_to_warn(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.sync(campaign)
        self.pull()
        self.send(campaign)
        self.sync(campaign)
        self.assertFalse(campaign.campaign_master_missing_message)

    def test_who_unsubscribed_in_between_did_not_get_it(self):
        first, second = self.make_campaign(), self.make_campaign(title="Second")
        people = self.make_contacts("ann@example.com", "bob@example.com")
        also_ann = self.make_contacts("ann@example.com")
        self.add(first, people)
        self.add(second, people[1] + also_ann)
        for campaign in first, second:
            self.sync(campaign)
        self.send(first)
        self.act(first, "ann@example.com", "unsubscribe")
        self.pull()
        self.send(second)
        self.pull()
        self.assertEqual(second.campaign_master_sent, 1)
        with self.subTest("line"):
            self.assertFalse(self.one(second, "ann@example.com").delivered)
            self.assertEqual(self.one(second, "ann@example.com").result, "opted_out")
            also_ann.invalidate_recordset()
            self.assertTrue(also_ann.campaign_master_opted_out)
        self.assertFalse(second.campaign_master_missing_message)

    def test_a_corrected_entry_is_added(self):
        person = self.make_contacts("john doe@example.com")
        campaign = self.make_campaign()
        self.add(campaign, person)
        self.sync(campaign)
        self.assertEqual(self.lines(campaign).sync_state, "invalid")
        person.email = "doe@example.com"
        self.sync(campaign)
        self.assertEqual(self.lines(campaign).sync_state, "added")

    def test_a_twin_added_after_sending_is_not_summed(self):
        campaign = self.sent_campaign("ann@example.com")
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.act(campaign, "ann@example.com", "open")
        self.pull()
        [[total]] = self.env["campaign.master.recipient"]._read_group(
            [("campaign_id", "=", campaign.id)], [], ["open_count:sum"]
        )
        self.assertEqual(total, 1)

    def test_whoever_is_added_after_sending_is_late(self):
        campaign = self.with_eve_on_the_list()
        self.sync(campaign)
        self.assertEqual(self.one(campaign, EVE).result, "late")

    def test_a_tab_or_line_break_is_not_a_part_of_the_address(self):
        for entered in "ann@example.com\t", "ann@example.com\r\nbob@example.com":
            campaign = self.make_campaign()
            self.add(campaign, self.make_contacts(entered))
            with self.subTest(repr(entered)):
                self.assertEqual(self.lines(campaign).sync_state, "pending")

    def test_nobody_has_a_result_of_a_campaign_that_is_created_again(self):
        campaign = self.sent_campaign("ann@example.com")
        self.act(campaign, "ann@example.com", "click")
        self.pull()
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.pull()
        self.sync(campaign, "create_again")
        self.assertEqual(self.lines(campaign).result, "on_list")

    def test_a_reaction_to_a_test_email_is_no_sending(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.env["campaign.master.recipient"].sudo()._ingest(
            campaign.sudo(),
            [Activity("ann@example.com", 1, 0, 0, 0, None, None, None, None, False, False)],
        )
        self.assertEqual(campaign.campaign_master_remote_status, "draft")
        self.assertFalse(self.lines(campaign).sent_to)
        # Another campaign begins with nothing.
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.pull()
        self.sync(campaign, "create_again")
        self.assertEqual(self.lines(campaign).result, "on_list")
        self.assertEqual(self.lines(campaign).open_count, 0)

    def test_who_was_pushed_after_sending_before_odoo_knew_is_late(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.add(campaign, self.make_contacts("late@example.com"))
        self.press(campaign)
        self.export(campaign)
        time.sleep(1.5)
        self.send(campaign)
        time.sleep(1.5)
        self.push()
        self.pull()
        line = self.one(campaign, "late@example.com")
        line.invalidate_recordset()
        self.assertEqual(campaign.campaign_master_remote_status, "sent")
        self.assertEqual(
            (line.sync_state, line.sent_to, line.late, line.result), ("added", False, True, "late")
        )
