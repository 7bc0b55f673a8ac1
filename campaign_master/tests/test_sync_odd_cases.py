from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError

from ..client import Activity, CampaignMasterClient, CampaignMasterRateLimitError
from ..tools import to_client
from .common import CampaignMasterCase


class TestChangesDuringASync(CampaignMasterCase):
    """People do other things while a sync waits or runs."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_contacts("ann@example.com", "bob@example.com"))

    def test_a_sync_does_not_put_off_a_refresh(self):
        self.sync(self.campaign)
        self.press(self.campaign, "refresh_statistics")
        self.sync(self.campaign)
        self.assertLessEqual(self.work(self.campaign).next_poll_at, fields.Datetime.now())
        self.run_cron("pull_statistics")
        self.assertFalse(self.campaign.campaign_master_progress()["refreshing"])

    def test_people_added_during_a_sync_make_it_partial(self):
        self.press(self.campaign)
        self.export(self.campaign)
        self.add(self.campaign, self.make_contacts("cem@example.com"))
        self.push()
        self.assertEqual(self.campaign.campaign_master_sync_state, "partial")
        self.assertEqual(self.campaign.campaign_master_outcome, {"added": 2, "pending": 1})
        self.sync(self.campaign)
        self.assertEqual(self.campaign.campaign_master_sync_state, "complete")

    def test_a_campaign_that_moved_to_another_account_keeps_nothing_of_the_first_one(self):
        company = self.env["res.company"].sudo().create({"name": "Other"})
        other = self.account.create(
            {
                "company_id": company.id,
                "enabled": True,
                "username": "demo",
                "password": "demo",
                "api_url": self.sandbox.url,
            }
        )
        create_campaign = CampaignMasterClient.create_campaign

        def move(client, *args):
            remote = create_campaign(client, *args)
            self.campaign.action_campaign_master_cancel()
            self.campaign.sudo().write(
                {
                    "campaign_master_template_id": False,
                    "campaign_master_list_id": False,
                    "campaign_master_account_id": other.id,
                }
            )
            self.env.flush_all()
            return remote

        self.press(self.campaign)
        with patch.object(CampaignMasterClient, "create_campaign", move):
            self.push()
        self.assertEqual(self.campaign.sudo().campaign_master_account_id, other)
        self.assertFalse(self.campaign.sudo().campaign_master_ref)

    def test_another_template_after_a_lost_response_is_not_passed_over(self):
        other = self.sandbox.template("Summer")
        self.account.with_env(self.env).action_refresh_catalogue()
        self.sandbox.faults({"match": "POST /campaigns", "kind": "reset-after", "count": 1})
        self.sync(self.campaign)
        self.press(self.campaign, "cancel")
        self.campaign.campaign_master_template_id = self.find("campaign.master.template", other)
        self.sync(self.campaign)
        self.assertEqual(self.campaign.campaign_master_sync_state, "failed")
        self.assertIn("with the template “Spring”", self.campaign.campaign_master_sync_message)
        self.campaign.campaign_master_template_id = self.template
        self.sync(self.campaign)
        self.assertEqual(self.campaign.campaign_master_sync_state, "complete")
        self.assertEqual(len(self.sandbox.state()["campaigns"]), 1)

    def test_a_language_that_was_deactivated_stops_nobody(self):
        self.press(self.campaign)
        self.syncs(self.campaign).lang = "fr_FR"
        other = self.make_campaign(title="Other")
        self.sync(other)
        self.assertEqual(self.campaign.campaign_master_sync_state, "complete")
        self.assertEqual(other.campaign_master_sync_state, "complete")

    def test_disabling_the_account_ends_a_refresh(self):
        self.sync(self.campaign)
        self.press(self.campaign, "refresh_statistics")
        self.account.enabled = False
        progress = self.campaign.campaign_master_progress()
        self.assertFalse(progress["refreshing"])
        self.assertIn("disabled", progress["refresh_message"])

    def test_a_refresh_says_that_its_scheduled_action_is_not_active(self):
        self.sync(self.campaign)
        self.env.ref("campaign_master.ir_cron_pull_statistics").sudo().active = False
        with self.assertRaisesRegex(UserError, "Read Statistics” is not active"):
            self.press(self.campaign, "refresh_statistics")

    def test_a_running_campaign_without_a_sync_can_be_cancelled(self):
        self.campaign.sudo().campaign_master_sync_state = "running"
        self.press(self.campaign, "cancel")
        self.assertEqual(self.campaign.campaign_master_sync_state, "cancelled")

    def test_a_new_campaign_reaches_people_who_were_late_for_the_deleted_one(self):
        self.sync(self.campaign)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.add(self.campaign, self.make_contacts("late@example.com"))
        self.sync(self.campaign)
        self.assertTrue(self.lines(self.campaign).filtered("late"))
        self.sandbox.control(f"campaigns/{self.campaign.campaign_master_ref}", method="DELETE")
        self.sync(self.campaign)
        self.sync(self.campaign, "create_again")
        self.assertFalse(self.lines(self.campaign).filtered("late"))

    def test_messages_of_a_reading_are_in_the_language_of_who_synced(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        self.marketer.sudo().lang = "fr_FR"
        self.sync(self.campaign)
        campaign = self.campaign.sudo().with_context(lang=None)._campaign_master_for_user()
        self.assertEqual(campaign.env.lang, "fr_FR")


class TestLimitsAndLostCalls(CampaignMasterCase):
    """Which addresses count as added, and when calls are tried again."""

    def setUp(self):
        super().setUp()
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["known@example.com"]})
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_contacts("known@example.com", "new@example.com"))

    def test_an_address_is_not_added_by_a_call_that_was_not_carried_out(self):
        self.sandbox.faults({"match": "POST /lists", "kind": "429", "count": 1})
        self.sync(self.campaign)
        self.assertEqual(self.campaign.campaign_master_sync_state, "running")
        self.env.cr.execute("UPDATE campaign_master_account_state SET hour_reset_at = NULL")
        self.env.invalidate_all()
        self.wait_is_over(self.campaign)
        self.push()
        self.assertEqual(
            self.states(self.campaign),
            {"known@example.com": "exists", "new@example.com": "added"},
        )

    def test_a_limit_that_has_ended_by_our_clock_is_waited_for_all_the_same(self):
        self.press(self.campaign)
        sync = self.export(self.campaign)
        now = fields.Datetime.now()
        past = to_client(now - timedelta(seconds=30))
        error = CampaignMasterRateLimitError("hour_spent", "Used up.", retry_at=past)
        self.assertGreater(sync._retry_at(error), now + timedelta(seconds=50))

    def test_a_withdrawn_opt_out_adds_a_shared_address_once(self):
        ann, twin = self.make_contacts("shared@example.com", "shared@example.com")
        self.env["campaign.master.optout"].sudo().create(
            {
                "account_id": self.account.id,
                "campaign_id": self.campaign.id,
                "email": "shared@example.com",
            }
        )
        self.add(self.campaign, ann + twin)
        self.assertEqual(
            self.lines(self.campaign).filtered("opted_out").mapped("sync_state"),
            ["opted_out", "opted_out"],
        )
        back = Activity("shared@example.com", 0, 0, 0, 0, None, None, None, None, False, False)
        self.env["campaign.master.recipient"].sudo()._ingest(self.campaign.sudo(), [back])
        shared = self.lines(self.campaign).filtered(lambda one: one.email == "shared@example.com")
        self.assertEqual(shared.mapped("sync_state"), ["pending", "duplicate"])
