from datetime import timedelta
from itertools import pairwise
from unittest.mock import Mock, patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from odoo.addons.base.models import ir_cron
from odoo.addons.bus.models.bus import BusBus

from ..client import CampaignMasterClient
from ..models.campaign_master_campaign_statistics import CampaignMasterCampaign
from ..tools import account_ledger
from .common import USERNAME, CampaignMasterCase

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STATISTICS = "GET /campaigns/ID/statistics"
ACTIVITY = "GET /campaigns/ID/activity"
LOGIN = "POST /authenticate"
MODELS = "odoo.addons.campaign_master.models"
KEPT = "The statistics were not refreshed; the last figures are kept."


class ReadingCase(CampaignMasterCase):
    """What the tests below do with ``self.campaign``."""

    def click_link(self, email="ann@example.com"):
        """A recipient clicks a link in the email."""
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            {"email": email, "kind": "click"},
        )

    def request(self, campaign=None):
        return self.press(campaign or self.campaign, "refresh_statistics")

    def progress(self, campaign=None):
        return (campaign or self.campaign).campaign_master_progress()

    def message(self):
        """Why the last refresh failed, as the form shows it."""
        progress = self.progress()
        self.assertFalse(progress["refreshing"])
        return progress["refresh_message"]

    def run_one_call(self):
        """A run of the scheduled action that has time for one call only."""
        with patch.multiple(ir_cron, MIN_TIME_PER_JOB=0, MIN_RUNS_PER_JOB=1):
            self.run_cron("pull_statistics")

    def calls_of(self, function):
        """:return: number of calls that the function made, by kind"""
        before = self.sandbox.calls()
        function()
        after = self.sandbox.calls()
        spent = {kind: count - before.get(kind, 0) for kind, count in after.items()}
        return {kind: count for kind, count in spent.items() if count}

    def latest_calls(self, function):
        """:return: the calls that the function made, in their order: tuples of user and call"""
        before = len(self.sandbox.control("calls", method="GET"))
        function()
        calls = self.sandbox.control("calls", method="GET")[before:]
        return [(call["account"], call["call"]) for call in calls]

    def use_hour(self, percent):
        """Campaign Master has counted this part of the hour's calls."""
        self.sandbox.control("usage", {"hour": 50 * percent})
        self.account.sudo().state_ids.write(
            {
                "hour_limit": 5_000,
                "hour_remaining": 50 * (100 - percent),
                "hour_reset_at": fields.Datetime.now() + HOUR,
            }
        )

    def make_due(self, account, count, age=HOUR):
        """Other campaigns of the account that have been due for some time."""
        campaigns = account.env["utm.campaign"].create(
            [
                {
                    "title": f"Other {number}",
                    "campaign_master_account_id": account.id,
                    "campaign_master_ref": str(1_000_000 + number),
                }
                for number in range(count)
            ]
        )
        account.env["campaign.master.campaign"].create(
            [
                {"campaign_id": campaign.id, "next_poll_at": fields.Datetime.now() - age}
                for campaign in campaigns
            ]
        )
        return campaigns

    def make_second_account(self):
        self.sandbox.control("users", {"username": "two", "password": "secret"})
        company = self.account.env["res.company"].create({"name": "Second Company"})
        env, self.env = self.env, self.account.env
        account = self.make_account(company, "two", "secret")
        self.env = env
        return account

    def during(self, call, function):
        """Something happens in Odoo during the next call."""
        original = getattr(CampaignMasterClient, call)
        pending = [function]

        def wrapper(client, *args, **kwargs):
            if pending:
                pending.pop()()
                self.env.flush_all()
            return original(client, *args, **kwargs)

        return patch.object(CampaignMasterClient, call, wrapper)


class RefreshCase(ReadingCase):
    """A campaign that was sent to one person and read twice."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.sync(self.campaign)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.pull()
        self.pull()


class TestClick(RefreshCase):
    """The click on Refresh Statistics."""

    def test_it_answers_at_once_without_an_api_call(self):
        action = {}
        self.assertEqual(self.calls_of(lambda: action.update(self.request())), {})
        self.assertEqual(action["tag"], "display_notification")
        self.assertEqual(action["params"]["message"], "The statistics are being refreshed.")

    def test_the_campaign_is_being_refreshed_until_it_was_read(self):
        self.assertFalse(self.progress()["refreshing"])
        self.request()
        self.assertTrue(self.progress()["refreshing"])
        self.assertTrue(self.campaign.campaign_master_sync_status["refreshing"])
        self.run_cron("pull_statistics")
        self.assertFalse(self.progress()["refreshing"])

    def test_a_rollback_undoes_it(self):
        triggers = self.env["ir.cron.trigger"].sudo()
        before = triggers.search([])
        with self.assertRaisesRegex(ValueError, "elsewhere"), self.env.cr.savepoint():
            self.request()
            self.env.flush_all()
            raise ValueError("An error elsewhere in the transaction")
        self.assertFalse(self.progress()["refreshing"])
        self.assertEqual(triggers.search([]), before)
        self.assertEqual(self.calls_of(lambda: self.run_cron("pull_statistics")), {})

    def test_a_campaign_that_was_never_synced_is_refused(self):
        with self.assertRaisesRegex(UserError, "no statistics. Sync it first"):
            self.request(self.make_campaign(title="New"))

    def test_a_disabled_account_is_refused(self):
        self.account.sudo().enabled = False
        with self.assertRaisesRegex(UserError, "not enabled"):
            self.request()

    def test_users_without_access_to_email_marketing_are_refused(self):
        outsider = new_test_user(self.env(su=True), "outsider", "base.group_user")
        # assertRaises rolls back, so a change could not be seen afterwards.
        with patch.object(CampaignMasterCampaign, "_request_reading") as request:
            with self.assertRaises(AccessError):
                self.request(self.campaign.with_user(outsider))
            with self.assertRaises(AccessError):
                self.progress(self.campaign.with_user(outsider))
        request.assert_not_called()


class TestOrder(RefreshCase):
    """A person's request and the scheduled action's other work."""

    def test_a_requested_campaign_is_read_before_500_campaigns_of_its_account(self):
        self.make_due(self.account, 500)
        self.request()
        ref = self.campaign.campaign_master_ref
        [(_user, call)] = self.latest_calls(self.run_one_call)
        self.assertEqual(call, f"GET /campaigns/{ref}/statistics")
        [(_user, call)] = self.latest_calls(self.run_one_call)
        self.assertIn(f"GET /campaigns/{ref}/activity", call)
        self.assertFalse(self.progress()["refreshing"])
        [(_user, call)] = self.latest_calls(self.run_one_call)
        self.assertEqual(call, "GET /campaigns/1000000/statistics")

    def test_accounts_alternate(self):
        second = self.make_second_account()
        for account, age in ((self.account, DAY), (second, HOUR)):
            self.make_due(account, 4, age)
        # All calls take the same time: accounts share time, not calls.
        with patch.object(account_ledger, "time", Mock(monotonic=lambda: 0.0)):
            calls = self.latest_calls(lambda: self.run_cron("pull_statistics"))
        users = [user for user, call in calls if "statistics" in call]
        self.assertEqual(sorted(users), [USERNAME] * 4 + ["two"] * 4)
        for user, following in pairwise(users):
            self.assertNotEqual(user, following)

    def test_a_request_waits_for_one_call_of_another_account_at_most(self):
        self.make_due(self.make_second_account(), 20, DAY)
        self.request()
        with patch.object(account_ledger, "time", Mock(monotonic=lambda: 0.0)):
            calls = self.latest_calls(lambda: self.run_cron("pull_statistics"))
        users = [user for user, call in calls if "/campaigns/" in call]
        self.assertIn(USERNAME, users[:2])


class TestReading(RefreshCase):
    """A refresh that succeeds."""

    def test_figures_and_activity_are_read(self):
        self.click_link()
        self.refresh(self.campaign)
        self.assertEqual(self.campaign.campaign_master_clicks, 1)
        self.assertEqual(self.lines(self.campaign).click_count, 1)
        self.assertEqual(self.message(), "")

    def test_activity_is_read_even_if_the_figures_have_not_changed(self):
        self.assertEqual(
            self.calls_of(lambda: self.refresh(self.campaign)), {STATISTICS: 1, ACTIVITY: 1}
        )

    def test_statistics_are_as_recent_as_the_click(self):
        self.campaign.sudo().campaign_master_statistics_at = fields.Datetime.now() - DAY
        clicked_at = fields.Datetime.now()
        self.refresh(self.campaign)
        self.assertGreaterEqual(self.campaign.campaign_master_statistics_at, clicked_at)

    def test_the_forms_get_a_message(self):
        self.request()
        with patch.object(BusBus, "_sendone", autospec=True) as send:
            self.run_cron("pull_statistics")
        [(_bus, (campaign, channel), kind, payload)] = [call.args for call in send.mock_calls]
        self.assertEqual(
            (campaign.id, channel, kind),
            (self.campaign.id, "campaign_master", "campaign_master/progress"),
        )
        self.assertFalse(payload["refreshing"])
        self.assertEqual(payload["refresh_message"], "")

    def test_an_old_campaign_is_read_again_soon_as_if_its_figures_had_changed(self):
        long_ago = fields.Datetime.now() - timedelta(days=180)
        self.work(self.campaign).write({"fresh_at": long_ago, "moved_at": long_ago})
        self.pull()
        waits = self.work(self.campaign).next_poll_at - fields.Datetime.now()
        self.assertGreater(waits, 6 * DAY)
        self.refresh(self.campaign)
        waits = self.work(self.campaign).next_poll_at - fields.Datetime.now()
        self.assertLessEqual(waits, DAY)

    def test_a_refresh_learns_that_the_campaign_was_sent(self):
        campaign = self.make_campaign(title="Second")
        self.add(campaign, self.make_contacts("bob@example.com"))
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.request(campaign)
        self.run_one_call()
        self.assertEqual(self.work(campaign).read_step, "status")
        # Somebody clicks again before the status is read.
        self.refresh(campaign)
        self.assertEqual(campaign.campaign_master_remote_status, "sent")
        self.assertTrue(campaign.campaign_master_sent_at)


class TestLimits(RefreshCase):
    """The last tenth of each limit is for people."""

    def setUp(self):
        super().setUp()
        self.click_link()
        self.use_hour(92)

    def test_scheduled_readings_stop(self):
        self.assertEqual(self.calls_of(self.pull), {})
        self.assertEqual(self.campaign.campaign_master_clicks, 0)

    def test_a_refresh_reads_the_figures(self):
        self.assertEqual(self.calls_of(lambda: self.refresh(self.campaign)), {STATISTICS: 1})
        self.assertEqual(self.campaign.campaign_master_clicks, 1)

    def test_it_says_that_activity_was_not_read(self):
        self.refresh(self.campaign)
        self.assertIn("The figures are up to date", self.message())
        self.assertIn("hourly limit", self.message())
        self.assertNotIn("last figures are kept", self.message())

    def test_activity_follows_in_the_next_hour(self):
        self.refresh(self.campaign)
        self.assertEqual(self.lines(self.campaign).click_count, 0)
        self.use_hour(1)
        self.run_cron("pull_statistics")
        self.assertEqual(self.lines(self.campaign).click_count, 1)

    def test_every_requested_campaign_has_its_figures_read(self):
        second = self.make_campaign(title="Second")
        self.use_hour(0)
        self.sync(second)
        self.use_hour(92)
        self.request()
        self.request(second)
        self.assertEqual(self.calls_of(lambda: self.run_cron("pull_statistics")), {STATISTICS: 2})
        self.assertFalse(self.progress(second)["refreshing"])

    def test_at_the_end_of_the_hour_nothing_is_sent_and_the_reason_is_shown(self):
        self.use_hour(100)
        self.assertEqual(self.calls_of(lambda: self.refresh(self.campaign)), {})
        self.assertIn(KEPT, self.message())
        self.assertIn("hourly limit", self.message())
