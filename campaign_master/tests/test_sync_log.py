from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError

from ..models import campaign_master_sync
from .common import PASSWORD, CampaignMasterCase


class TestSyncLog(CampaignMasterCase):
    """What a marketing person reads about the syncs of a campaign."""

    def test_a_sync_says_who_when_how_many_and_how_many_calls(self):
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
        self.assertIn("2 of 5 recipients are on the list “Customers”", sync.message)
        self.assertIn("“Complained” (1)", sync.message)
        self.assertEqual(sync.message, campaign.campaign_master_sync_message)

    def test_a_press_that_came_to_nothing_is_kept_too(self):
        campaign = self.make_campaign()
        self.sandbox.faults({"match": "GET /campaigns", "kind": "500", "count": 9})
        # Not assertRaises: in a test it rolls back other transactions, too.
        refusal = None
        try:
            self.press(campaign)
        except UserError as error:
            refusal = error
        [sync] = self.syncs(campaign)
        self.assertEqual((sync.state, sync.message), ("failed", str(refusal)))
        self.assertEqual(sync.user_id, self.marketer)
        self.assertEqual(campaign.campaign_master_sync_state, "never")

    def test_a_sync_with_nothing_to_do_is_unchanged(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.sync(campaign)
        self.assertEqual(self.syncs(campaign).mapped("state"), ["unchanged", "complete"])

    def test_it_is_read_by_marketing_and_written_by_nobody(self):
        campaign = self.make_campaign()
        self.press(campaign)
        sync = self.syncs(campaign).with_env(self.env)
        self.assertEqual(sync.state, "complete")
        for change in (lambda: sync.write({"state": "failed"}), sync.unlink):
            with self.assertRaises(AccessError):
                change()

    def test_it_is_kept_for_90_days_unless_it_runs(self):
        campaign = self.make_campaign()
        for _time in range(2):
            self.press(campaign)
        old, young = self.syncs(campaign)
        old.ended_at = fields.Datetime.now() - timedelta(days=91)
        young.ended_at = fields.Datetime.now() - timedelta(days=89)
        self.add(campaign, self.make_contacts("ann@example.com"))
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


class TestSyncAgainstTheOdds(CampaignMasterCase):
    """A running sync that is stopped by something, and goes on by itself."""

    def running(self, *emails):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts(*(emails or ["ann@example.com"])))
        self.press(campaign)
        return campaign

    def test_an_outage_is_tried_again_four_times_and_then_given_up_with_the_reason(self):
        campaign = self.running()
        self.sandbox.faults({"match": "POST /lists", "kind": "500", "count": None})
        for minutes in (1, 2, 4, 8):
            before = fields.Datetime.now()
            self.push()
            wait = self.syncs(campaign).next_at - before
            self.assertAlmostEqual(wait.total_seconds(), 60 * minutes, delta=5)
            self.assertEqual(campaign.campaign_master_sync_state, "running")
            self.assertIn("goes on by itself", campaign.campaign_master_sync_message)
            self.push()  # too early: nothing is asked
            self.wait_is_over(campaign)
        self.push()
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 5)
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        self.assertIn("gave up after 5 tries", campaign.campaign_master_sync_message)
        self.assertEqual(self.syncs(campaign).calls, 2 + 5)
        self.sandbox.faults()
        self.press(campaign, "retry")
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_the_hours_end_is_waited_for(self):
        campaign = self.running()
        self.sandbox.control("usage", {"account": "demo", "hour": 5000})
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "running")
        self.assertIn("allows in an hour is used up", campaign.campaign_master_sync_message)
        self.assertIn("goes on by itself at", campaign.campaign_master_sync_message)
        self.assertGreater(self.syncs(campaign).next_at, fields.Datetime.now())
        self.sandbox.control("usage", {"account": "demo", "hour": 0})
        self.account.sudo()._ledger().note(hour_reset_at=None)
        self.wait_is_over(campaign)
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_the_months_end_is_waited_for_with_one_notice(self):
        first, second = self.running(), self.running("bob@example.com")
        self.sandbox.control("usage", {"account": "demo", "month": 50_000})
        self.push()
        for campaign in (first, second):
            self.assertEqual(campaign.campaign_master_sync_state, "running")
            self.assertIn("allows in a month is used up", campaign.campaign_master_sync_message)
            next_at = self.syncs(campaign).next_at
            self.assertEqual((next_at.day, next_at.hour), (1, 0))
        self.pull()
        self.assertEqual(len(self.notices()), 1)

    def test_the_tenth_that_is_kept_for_people_stays_theirs(self):
        campaign = self.running()
        self.account.sudo()._ledger().note(
            month=fields.Datetime.now().strftime("%Y-%m"), month_calls=45_000
        )
        self.push()
        self.assertIn("allows in a month is used up", campaign.campaign_master_sync_message)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 0)
        campaign.action_campaign_master_cancel()
        self.press(campaign)  # a person may
        self.account.invalidate_recordset()
        self.assertEqual(self.account.month_calls, 45_001)

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
        self.assertIn("An administrator was told", first.campaign_master_sync_message)
        [notice] = self.notices()
        self.assertEqual(notice.user_id, self.account.env.ref("base.user_admin"))
        self.assertIn("refused the username or password", notice.note)
        self.account.sudo().password = "changed"
        self.assertFalse(self.notices())
        self.push()
        for campaign in (first, second):
            self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_the_next_refusal_is_told_again(self):
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

    def test_too_many_culprits_end_a_sync_with_the_reason(self):
        campaign = self.running(*(f"person{number}@example.com" for number in range(9)))
        self.sandbox.faults({"match": "POST /lists", "kind": "400", "count": None})
        with patch.object(campaign_master_sync, "SPLIT_CALLS", 2):
            self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        self.assertIn("Odoo gave up", campaign.campaign_master_sync_message)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 3)

    def test_several_culprits_are_found_and_everybody_else_is_added(self):
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

    def test_an_answer_that_was_lost_is_remembered_by_the_next_sync(self):
        campaign = self.running()
        self.sandbox.faults({"match": "POST /lists", "kind": "reset-after", "count": 1})
        self.push()
        campaign.action_campaign_master_cancel()
        self.sync(campaign)
        self.assertEqual(self.states(campaign), {"ann@example.com": "added"})

    def test_what_waits_is_told_in_the_language_of_who_pressed(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        self.marketer.sudo().write({"lang": "fr_FR", "tz": "Asia/Tokyo"})
        campaign = self.running()
        sync, _waiting = self.env["campaign.master.sync"].sudo()._next()
        self.assertEqual(sync, self.syncs(campaign))
        self.assertEqual(sync.env.context["lang"], "fr_FR")
        self.assertEqual(
            sync.account_id._local_time(fields.Datetime.to_datetime("2030-01-01 20:00:00")),
            "2030-01-02 05:00",
        )

    def test_accounts_take_turns_by_the_time_that_they_used(self):
        one, two = self.running(), self.running("bob@example.com")
        Sync = self.env["campaign.master.sync"].sudo()
        self.assertEqual(Sync._next(), (self.syncs(one), 2))
        other = self.account.sudo().copy(
            {
                "company_id": self.env["res.company"].sudo().create({"name": "Two"}).id,
                "username": "demo",
                "password": PASSWORD,
                "enabled": True,
            }
        )
        self.syncs(two).account_id = other
        other.flush_recordset()
        self.account.sudo()._ledger().note(rests_until=fields.Datetime.now())
        # The first account has just had a turn, so it is the other one's.
        self.assertEqual(Sync._next()[0], self.syncs(two))
        other._ledger().note(rests_until=fields.Datetime.now() + timedelta(seconds=20))
        # That one had a call of twenty seconds: the first one goes on for as long.
        self.assertEqual(Sync._next()[0], self.syncs(one))
