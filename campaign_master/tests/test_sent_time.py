"""When a campaign was sent: one stored time, from which everything counts a campaign's age."""

from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from ..client import Campaign
from .test_history import HOUR, MARKETING, HistoryCase


class SentTimeCase(HistoryCase):
    def report(self, campaign, status, sent_at=None):
        """Campaign Master says what became of the campaign; the time is naive and in UTC."""
        texts = dict.fromkeys(("reference", "name", "description", "subject", "template_ref"))
        campaign.sudo()._campaign_master_store_status(
            Campaign(
                ref=campaign.campaign_master_ref,
                status=status,
                sent_at=sent_at and sent_at.replace(tzinfo=timezone.utc),
                **texts,
            )
        )
        self.env.flush_all()
        self.env.invalidate_all()

    def sent_at(self, campaign):
        """When the campaign was sent, as it is stored."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT sent_at FROM campaign_master_campaign WHERE campaign_id = %s", [campaign.id]
        )
        [[sent_at]] = self.env.cr.fetchall() or [[None]]
        return sent_at


class TestSentTime(SentTimeCase):
    def test_it_is_what_campaign_master_says(self):
        campaign = self.synced_campaign()
        self.pull()
        self.assertIsNone(self.sent_at(campaign))
        self.send(campaign, hours=5)
        self.pull()
        self.assertEqual(self.sent_at(campaign), campaign.campaign_master_sent_at)
        self.assertAlmostEqual(
            self.sent_at(campaign),
            fields.Datetime.now() - 5 * HOUR,
            delta=timedelta(minutes=1),
        )

    def test_a_sync_finds_it_as_well(self):
        campaign = self.sent_campaign()
        self.sync(campaign)
        self.assertTrue(self.sent_at(campaign))
        self.assertEqual(self.sent_at(campaign), campaign.campaign_master_sent_at)

    def test_if_campaign_master_does_not_say_it_is_when_odoo_saw_it(self):
        self.sandbox.control("dialect", {"fewMembers": True})
        campaign = self.synced_campaign()
        before = fields.Datetime.now()
        self.send(campaign, hours=5)
        self.pull()
        self.assertFalse(campaign.campaign_master_sent_at)
        self.assertGreaterEqual(self.sent_at(campaign), before)
        self.assertEqual(self.sent_at(campaign), self.work(campaign).seen_sent_at)

    def test_it_is_not_known_if_odoo_never_saw_that_it_was_not_sent(self):
        campaign = self.synced_campaign()
        self.work(campaign).seen_unsent_at = False
        self.report(campaign, "sent")
        self.assertTrue(self.work(campaign).seen_sent_at)
        self.assertIsNone(self.sent_at(campaign))

    def test_it_follows_what_campaign_master_says_later(self):
        campaign = self.synced_campaign()
        self.report(campaign, "scheduled", datetime(2030, 1, 1))
        self.assertIsNone(self.sent_at(campaign))
        self.report(campaign, "sending")
        self.assertEqual(self.sent_at(campaign), self.work(campaign).seen_sent_at)
        sent_at = fields.Datetime.now() - HOUR
        self.report(campaign, "sent", sent_at)
        self.assertEqual(self.sent_at(campaign), sent_at)
        self.report(campaign, "sent", sent_at + HOUR)
        self.assertEqual(self.sent_at(campaign), sent_at + HOUR)
        self.report(campaign, "draft")
        self.assertIsNone(self.sent_at(campaign))

    def test_it_stays_when_the_campaign_is_archived_or_deleted_there(self):
        campaign, waiting = self.sent_campaign(), self.synced_campaign(title="Waiting")
        self.pull()
        sent_at = self.sent_at(campaign)
        campaign.active = False
        for one in campaign, waiting:
            self.sandbox.control(f"campaigns/{one.campaign_master_ref}", method="DELETE")
        self.pull()
        self.assertEqual((campaign + waiting).mapped("campaign_master_state"), ["deleted"] * 2)
        self.assertTrue(sent_at)
        self.assertEqual(self.sent_at(campaign), sent_at)
        self.assertIsNone(self.sent_at(waiting))

    def test_a_campaign_that_is_created_again_a_copy_and_one_without_link_have_none(self):
        campaign, unlinked = self.sent_campaign(), self.sent_campaign(title="Unlinked")
        self.pull()
        for one in campaign, unlinked:
            self.assertTrue(self.sent_at(one))
            self.sandbox.control(f"campaigns/{one.campaign_master_ref}", method="DELETE")
        self.pull()
        self.sync(campaign, "create_again")
        unlinked.action_campaign_master_unlink()
        for one in campaign, unlinked, campaign.copy():
            self.assertIsNone(self.sent_at(one))

    def test_only_marketing_users_of_the_company_see_it(self):
        campaign = self.sent_campaign()
        self.pull()
        system = self.account.env
        company = system["res.company"].create({"name": "Second"})
        other = {"company_id": company.id, "company_ids": company.ids}
        row = self.work(campaign)
        self.assertTrue(row.with_user(self.marketer).sent_at)
        for groups, values in (
            ("base.group_user", {}),
            ("base.group_user,sales_team.group_sale_manager", {}),
            (MARKETING, other),
        ):
            user = new_test_user(system, f"user{len(groups)}", groups, **values)
            with self.assertRaises(AccessError):
                row.with_user(user).read(["sent_at"])
            with self.assertRaises(AccessError):
                campaign.with_user(user).search(
                    [("campaign_master_campaign_ids.sent_at", "!=", False)]
                )


class TestStatusIsReadAgain(SentTimeCase):
    """While a large campaign is being sent, its status is read again and again."""

    def test_recipients_are_looked_at_again_only_if_status_or_time_have_changed(self):
        people = self.make_contacts(*(f"person{number}@x.com" for number in range(4)))
        campaign = self.synced_campaign(people)
        options = {"minutesAgo": 8, "quiet": True}
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, minutes=300, **options)
        self.pull()
        self.assertEqual(campaign.campaign_master_remote_status, "sending")
        recipients = type(self.env["campaign.master.recipient"])
        with patch.object(recipients, "_mark_sent", autospec=True) as mark_sent:
            # Emails were sent meanwhile, somebody reacts, and somebody is added.
            self.correct(campaign, sent=1)
            self.react(campaign, "person0@x.com", "click")
            self.add(campaign, self.make_contacts("late@x.com"))
            self.pull()
        mark_sent.assert_not_called()
        self.assertEqual(campaign.campaign_master_remote_status, "sending")
        self.assertEqual(
            {line.email: line.result for line in self.lines(campaign)},
            {
                "person0@x.com": "clicked",
                **{f"person{number}@x.com": "delivered" for number in (1, 2, 3)},
                "late@x.com": "late",
            },
        )
        kept = (self.work(campaign).sums, self.work(campaign).reactions)
        campaign.sudo()._campaign_master_mark_sent()
        self.assertEqual((self.work(campaign).sums, self.work(campaign).reactions), kept)
        self.assertEqual(kept[0]["clicked"], 1)
        # Of the four, one was added when Campaign Master had begun.
        line = self.lines(campaign)[1]
        line.sudo().on_list_at = fields.Datetime.now() + HOUR
        self.work(campaign).seen_unsent_at = False
        self.report(campaign, "sent", fields.Datetime.now())
        self.assertEqual(line.result, "late")
        self.assertEqual(self.work(campaign).sums["sent"], 3)

    def test_that_a_campaign_is_not_sent_yet_is_seen_each_time(self):
        campaign = self.synced_campaign()
        work = self.work(campaign)
        work.seen_unsent_at -= HOUR
        before = work.seen_unsent_at
        self.refresh(campaign)
        self.assertGreater(work.seen_unsent_at, before)

    def test_who_shares_an_address_follows_the_recipient_that_counts(self):
        campaign = self.synced_campaign(self.make_contacts("ann@x.com", "Ann@x.com"))
        self.report(campaign, "sending")
        self.assertEqual(self.lines(campaign).mapped("delivered"), [True, True])
        # She was added after Campaign Master had begun.
        self.lines(campaign)[0].sudo().on_list_at = fields.Datetime.now() + HOUR
        self.work(campaign).seen_unsent_at = False
        self.report(campaign, "sent", fields.Datetime.now())
        self.assertEqual(self.lines(campaign).mapped("delivered"), [False, False])
