from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError

from ..models import campaign_master_sync_push
from ..tools import format_moment
from .common import PASSWORD, CampaignMasterCase


class TestSyncLog(CampaignMasterCase):
    """What marketing users read about the syncs of a campaign."""

    def test_a_sync_keeps_user_times_counts_and_calls(self):
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["known@example.com"]})
        self.sandbox.control("suppress", {"email": "blocked@example.com", "reason": "Complained"})
        campaign = self.make_campaign()
        people = self.make_contacts(
            "ann@example.com", "known@example.com", "blocked@example.com", False, "no address"
        )
        self.add(campaign, people)
        self.sync(campaign)
        [sync] = self.syncs(campaign)
        self.assertEqual(sync.user_id, self.marketer)
        self.assertEqual(sync.state, "partial")
        self.assertEqual(sync.list_name, "Customers")
        self.assertEqual((sync.total, sync.added, sync.existed, sync.refused), (3, 1, 1, 1))
        self.assertEqual(sync.skipped, 2)
        # Looking for the campaign, making it, and one call for the recipients.
        self.assertEqual(sync.calls, 3)
        self.assertTrue(sync.started_at <= sync.ended_at)
        self.assertIn("Recipients on the list “Customers”: 2 of 5.", sync.message)
        self.assertIn("“Complained” (1)", sync.message)
        self.assertEqual(sync.message, campaign.campaign_master_sync_message)

    def test_it_is_read_by_marketing_and_written_by_nobody(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        sync = self.syncs(campaign).with_env(self.env)
        self.assertEqual(sync.state, "complete")
        for change in (lambda: sync.write({"state": "failed"}), sync.unlink):
            with self.assertRaises(AccessError):
                change()

    def test_its_name_is_its_time_where_the_user_is(self):
        self.sync(self.make_campaign())
        sync = self.env["campaign.master.sync"].search([], limit=1)
        sync.sudo().started_at = "2026-11-26 19:31:16"
        self.assertIn("2:31", sync.with_context(tz="America/New_York").display_name)

    def test_it_is_kept_for_90_days_unless_it_runs(self):
        campaign = self.make_campaign()
        for _time in range(2):
            self.sync(campaign)
        old, young = self.syncs(campaign)
        old.ended_at = fields.Datetime.now() - timedelta(days=91)
        young.ended_at = fields.Datetime.now() - timedelta(days=89)
        self.press(campaign)
        running = self.syncs(campaign)[0]
        running.started_at -= timedelta(days=100)
        self.env["campaign.master.sync"].sudo()._gc_syncs()
        self.assertEqual(self.syncs(campaign), running + young)

    def test_the_campaign_opens_its_syncs(self):
        campaign = self.make_campaign()
        self.press(campaign)
        action = campaign.action_campaign_master_syncs()
        self.assertEqual(
            self.env[action["res_model"]].search(action["domain"]),
            self.syncs(campaign).with_env(self.env),
        )


class TestInterruptedSync(CampaignMasterCase):
    """Something stops a sync while it adds recipients, and it resumes automatically."""

    def running(self, *emails):
        """A campaign that is in Campaign Master, and whose recipients are to be added next."""
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts(*(emails or ["ann@example.com"])))
        self.press(campaign)
        self.export(campaign)
        return campaign

    def test_an_outage_is_retried_four_times_and_then_fails_the_sync_with_the_reason(self):
        campaign = self.running()
        self.sandbox.faults({"match": "POST /lists", "kind": "500", "count": None})
        for minutes in (1, 2, 4, 8):
            before = fields.Datetime.now()
            self.push()
            wait = self.syncs(campaign).next_at - before
            self.assertAlmostEqual(wait.total_seconds(), 60 * minutes, delta=5)
            self.assertEqual(campaign.campaign_master_sync_state, "running")
            self.assertIn("resumes automatically", campaign.campaign_master_sync_message)
            self.push()  # too early: no call is made
            self.wait_is_over(campaign)
        self.push()
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 5)
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        self.assertIn("failed after 5 attempts", campaign.campaign_master_sync_message)
        self.assertEqual(self.syncs(campaign).calls, 2 + 5)
        self.sandbox.faults()
        self.sync(campaign, "retry")
        self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_a_sync_waits_until_the_hour_ends(self):
        campaign = self.running()
        self.sandbox.control("usage", {"account": "demo", "hour": 5000})
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "running")
        self.assertIn("hourly limit", campaign.campaign_master_sync_message)
        self.assertIn("resumes automatically at", campaign.campaign_master_sync_message)
        self.assertGreater(self.syncs(campaign).next_at, fields.Datetime.now())
        self.sandbox.control("usage", {"account": "demo", "hour": 0})
        self.account.sudo().state_ids.hour_reset_at = False
        self.wait_is_over(campaign)
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_syncs_wait_until_the_month_ends_and_there_is_one_activity(self):
        first, second = self.running(), self.running("bob@example.com")
        self.sandbox.control("usage", {"account": "demo", "month": 50_000})
        self.push()
        for campaign in (first, second):
            self.assertEqual(campaign.campaign_master_sync_state, "running")
            self.assertIn("monthly limit", campaign.campaign_master_sync_message)
            next_at = self.syncs(campaign).next_at
            self.assertEqual((next_at.day, next_at.hour), (1, 0))
        self.pull()
        self.assertEqual(len(self.notices()), 1)

    def test_a_tenth_of_the_month_is_reserved_for_people(self):
        campaign = self.running()
        self.account.sudo().state_ids.write(
            {"month": fields.Datetime.now().strftime("%Y-%m"), "month_calls": 45_000}
        )
        self.push()
        self.assertIn("monthly limit", campaign.campaign_master_sync_message)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 0)
        campaign.action_campaign_master_cancel()
        self.sync(campaign)  # a person started it: the campaign is looked up, recipients wait
        self.assertEqual(self.account.sudo().state_ids.month_calls, 45_001)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 0)

    def test_a_refused_login_pauses_the_account_and_the_right_password_resumes_it(self):
        first, second = self.running(), self.running("bob@example.com")
        self.sandbox.control("users", {"username": "demo", "password": "changed"})
        self.sandbox.control("end-tokens", {"account": "demo"})
        self.push()
        logins = self.sandbox.calls("POST /authenticate")
        for _time in range(3):
            self.push()
            self.pull()
        self.assertEqual(self.sandbox.calls("POST /authenticate"), logins, "It is left alone")
        self.assertEqual(first.campaign_master_sync_state, "running")
        self.assertIn("An administrator has been notified", first.campaign_master_sync_message)
        [notice] = self.notices()
        self.assertEqual(notice.user_id, self.account.env.ref("base.user_admin"))
        self.assertIn("refused the username or password", notice.note)
        self.account.sudo().password = "changed"
        self.assertFalse(self.notices())
        self.push()
        for campaign in (first, second):
            self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_the_next_refusal_notifies_again(self):
        campaign = self.running()
        for password in ("one", "two"):
            self.sandbox.control("users", {"username": "demo", "password": password})
            self.sandbox.control("end-tokens", {"account": "demo"})
            self.push()
            self.assertEqual(len(self.notices()), 1)
            self.account.sudo().password = password
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def notices(self):
        return self.account.sudo().activity_ids

    def test_a_sync_ends_when_the_account_is_disabled(self):
        campaign = self.running()
        self.account.sudo().enabled = False
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "cancelled")
        self.assertIn("disabled", campaign.campaign_master_sync_message)

    def test_too_many_rejected_batches_fail_a_sync_with_the_reason(self):
        campaign = self.running(*(f"person{number}@example.com" for number in range(9)))
        self.sandbox.faults({"match": "POST /lists", "kind": "400", "count": None})
        with patch.object(campaign_master_sync_push, "MAX_BISECT_CALLS", 2):
            self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        self.assertIn("rejected the request", campaign.campaign_master_sync_message)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 3)

    def test_several_rejected_addresses_are_found_and_all_others_are_added(self):
        emails = [f"person{number}@example.com" for number in range(200)]
        campaign = self.running(*emails)
        culprits = ("person0@", "person99@", "person100@", "person199@")
        self.sandbox.faults(
            *(
                {"match": "POST /lists", "kind": "400", "body": culprit, "count": None}
                for culprit in culprits
            )
        )
        self.push()
        states = self.states(campaign)
        refused = {email for email, state in states.items() if state == "refused"}
        self.assertEqual(refused, {f"{culprit}example.com" for culprit in culprits})
        self.assertEqual(len(self.sandbox.members(self.list_ref)), 196)
        self.assertLess(self.sandbox.calls("POST /lists/ID/recipients"), 60)

    def test_the_next_sync_knows_of_a_response_that_was_lost(self):
        campaign = self.running()
        self.sandbox.faults({"match": "POST /lists", "kind": "reset-after", "count": 1})
        self.push()
        campaign.action_campaign_master_cancel()
        self.sync(campaign)
        self.assertEqual(self.states(campaign), {"ann@example.com": "added"})

    def test_a_message_says_the_time_in_the_language_and_time_zone_of_its_user(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        self.marketer.sudo().write({"lang": "fr_FR", "tz": "Asia/Tokyo"})
        campaign = self.running()
        self.sandbox.faults({"match": "POST /lists", "kind": "429:900"})
        self.push()
        sync = self.syncs(campaign)
        reader = sync.with_context(lang="fr_FR", tz="Asia/Tokyo")
        self.assertIn(format_moment(reader.env, sync.next_at), sync.message)
        self.assertNotIn(format_moment(sync.with_context(tz="UTC").env, sync.next_at), sync.message)

    def test_accounts_take_turns_by_the_time_that_they_used(self):
        one, two = self.running(), self.running("bob@example.com")
        Sync = self.env["campaign.master.sync"].sudo()
        self.account.sudo().state_ids.next_turn_at = False
        self.assertEqual(Sync._next_due(), (self.syncs(one), 2))
        other = self.account.sudo().copy(
            {
                "company_id": self.env["res.company"].sudo().create({"name": "Two"}).id,
                "username": "demo",
                "password": PASSWORD,
                "enabled": True,
            }
        )
        self.syncs(two).account_id = other
        self.account.sudo().state_ids.next_turn_at = fields.Datetime.now()
        # The first account has just had a turn, so it is the other one's.
        self.assertEqual(Sync._next_due()[0], self.syncs(two))
        other.state_ids.next_turn_at = fields.Datetime.now() + timedelta(seconds=20)
        # That one had a call of twenty seconds: the first one continues for as long.
        self.assertEqual(Sync._next_due()[0], self.syncs(one))
