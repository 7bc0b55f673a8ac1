from datetime import timedelta
from itertools import pairwise
from unittest.mock import Mock, patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import translate

from odoo.addons.base.models import ir_cron
from odoo.addons.bus.models.bus import BusBus

from ..client import CampaignMasterClient
from ..models.campaign_master_campaign_statistics import CampaignMasterCampaign
from ..tools import account_ledger, polling
from .common import PASSWORD, USERNAME, CampaignMasterCase

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


class TestFailures(RefreshCase):
    """A refresh that fails."""

    def setUp(self):
        super().setUp()
        self.click_link()

    def assert_kept(self, reason):
        """The last figures are still there, and the form says why."""
        first, second = self.message().split("\n")
        self.assertEqual(first, KEPT)
        self.assertIn(reason, second)
        self.assertEqual(self.campaign.campaign_master_sent, 1)
        self.assertEqual(self.campaign.campaign_master_clicks, 0)

    def assert_next_refresh_works(self):
        self.refresh(self.campaign)
        self.assertEqual(self.message(), "")
        self.assertEqual(self.campaign.campaign_master_clicks, 1)
        self.assertEqual(self.lines(self.campaign).click_count, 1)

    def test_an_outage(self):
        self.sandbox.faults({"match": STATISTICS, "kind": "503", "count": None})
        self.refresh(self.campaign)
        self.assert_kept("technical problem")
        self.sandbox.faults()
        self.assert_next_refresh_works()

    def test_a_lost_connection(self):
        self.sandbox.faults({"match": STATISTICS, "kind": "reset-before", "count": None})
        self.refresh(self.campaign)
        self.assert_kept("could not be reached or did not respond")
        self.sandbox.faults()
        self.assert_next_refresh_works()

    def test_an_unusable_response(self):
        self.sandbox.faults({"match": STATISTICS, "kind": "html", "count": None})
        self.refresh(self.campaign)
        self.assert_kept("does not understand Campaign Master's response")
        self.sandbox.faults()
        self.assert_next_refresh_works()

    def test_a_rejected_request(self):
        self.sandbox.faults({"match": STATISTICS, "kind": "400", "count": None})
        self.refresh(self.campaign)
        self.assert_kept("rejected the request")
        self.sandbox.faults()
        self.assert_next_refresh_works()

    def test_a_failure_after_the_figures_keeps_them(self):
        self.sandbox.faults({"match": ACTIVITY, "kind": "503", "count": None})
        self.refresh(self.campaign)
        self.assertIn("The figures are up to date", self.message())
        self.assertIn("technical problem", self.message())
        self.assertEqual(self.campaign.campaign_master_clicks, 1)
        self.sandbox.faults()
        self.assert_next_refresh_works()

    def test_a_failed_scheduled_reading_shows_nothing(self):
        self.sandbox.faults({"match": STATISTICS, "kind": "503", "count": None})
        self.pull()
        self.assertEqual(self.message(), "")

    def test_a_new_click_clears_the_message(self):
        self.sandbox.faults({"match": STATISTICS, "kind": "503", "count": None})
        self.refresh(self.campaign)
        self.request()
        self.assertEqual(self.progress()["refresh_message"], "")

    def test_the_forms_get_the_reason(self):
        self.sandbox.faults({"match": STATISTICS, "kind": "503", "count": None})
        self.request()
        with patch.object(BusBus, "_sendone", autospec=True) as send:
            self.run_cron("pull_statistics")
        [call] = send.mock_calls
        self.assertIn("technical problem", call.args[3]["refresh_message"])

    def test_the_reason_is_in_the_language_of_the_user(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        self.marketer.sudo().lang = "fr_FR"
        self.sandbox.faults({"match": STATISTICS, "kind": "503", "count": None})
        french = {KEPT: "Les statistiques sont inchangées."}

        def translations(module, lang):
            return french if (module, lang) == ("campaign_master", "fr_FR") else {}

        with patch.object(
            translate.code_translations, "get_python_translations", side_effect=translations
        ):
            self.refresh(self.campaign)
        self.assertEqual(self.message().split("\n")[0], french[KEPT])

    def test_a_deleted_campaign_is_marked_as_deleted(self):
        self.sandbox.control(f"campaigns/{self.campaign.campaign_master_ref}", method="DELETE")
        self.refresh(self.campaign)
        self.assertIn("The campaign was deleted in Campaign Master", self.message())
        self.assertEqual(self.campaign.campaign_master_remote_status, "deleted")
        self.assertEqual(self.campaign.campaign_master_sent, 1)
        self.assertFalse(self.work(self.campaign).next_poll_at)
        self.press(self.campaign, "create_again")
        self.push()
        self.assertEqual(self.message(), "")

    def test_a_sync_that_finds_the_campaign_deleted_ends_the_refresh(self):
        self.sandbox.control(f"campaigns/{self.campaign.campaign_master_ref}", method="DELETE")
        self.request()
        self.sync(self.campaign)
        self.assertEqual(self.campaign.campaign_master_remote_status, "deleted")
        self.assertFalse(self.progress()["refreshing"])


class TestRefusedLogin(RefreshCase):
    """Somebody changed the password in Campaign Master, and scheduled actions are paused."""

    def setUp(self):
        super().setUp()
        self.click_link()
        self.set_password("other")
        self.pull()

    def set_password(self, password):
        self.sandbox.control("users", {"username": USERNAME, "password": password})
        self.sandbox.control("end-tokens", {})

    def test_scheduled_readings_are_paused(self):
        self.assertEqual(self.calls_of(self.pull), {})

    def test_a_refresh_tries_once(self):
        self.request()
        calls = self.calls_of(lambda: self.run_cron("pull_statistics"))
        self.assertEqual(calls[LOGIN], 1)
        self.assertIn(KEPT, self.message())
        self.assertIn("refused the username or password", self.message())
        self.assertEqual(self.campaign.campaign_master_sent, 1)
        self.assertEqual(self.calls_of(self.pull), {})

    def test_a_refresh_resumes_scheduled_readings_once_the_login_works(self):
        self.refresh(self.campaign)
        self.set_password(PASSWORD)
        self.refresh(self.campaign)
        self.assertEqual(self.message(), "")
        self.assertEqual(self.campaign.campaign_master_clicks, 1)
        self.assertEqual(self.calls_of(self.pull)[STATISTICS], 1)


class TestDoubtfulLogin(RefreshCase):
    """The login is refused in a way that may be a proxy's."""

    def setUp(self):
        super().setUp()
        self.click_link()
        self.set_up_refusal(403)

    def set_up_refusal(self, status):
        self.sandbox.control("users", {"username": USERNAME, "password": "other"})
        self.sandbox.control("end-tokens", {})
        self.sandbox.control("settings", {"loginRefusal": status})

    def an_hour_passes(self):
        state = self.account.sudo().state_ids
        state.login_retry_at -= timedelta(hours=1)
        state.flush_recordset()

    def refused_at(self):
        self.env.invalidate_all()
        return self.account.sudo().login_refused_at

    def test_it_is_tried_again_three_times_an_hour_apart_before_it_stops_the_account(self):
        for status in (403, 200):
            with self.subTest(status):
                self.account.sudo().password = PASSWORD  # another login
                self.sandbox.control("settings", {"loginRefusal": status})
                for _hour in range(4):
                    self.assertFalse(self.refused_at())
                    self.assertEqual(self.calls_of(self.pull), {LOGIN: 1})
                    self.assertEqual(self.calls_of(self.pull), {})
                    if not self.refused_at():
                        self.an_hour_passes()
                self.assertTrue(self.refused_at())
                self.assertTrue(self.account.sudo().activity_ids)

    def test_a_sync_waits_for_the_next_try(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("bob@example.com"))
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "running")
        message = campaign.campaign_master_sync_message
        self.assertIn("perhaps by a proxy", message)
        self.assertIn("The response says: “InvalidLogin", message)
        self.assertIn("The sync resumes automatically at", message)
        self.sandbox.control("users", {"username": USERNAME, "password": PASSWORD})
        self.an_hour_passes()
        self.syncs(campaign).sudo().next_at = fields.Datetime.now()
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        self.assertEqual(self.account.sudo().state_ids.login_doubts, 0)

    def test_what_a_person_tries_meanwhile_does_not_count(self):
        self.pull()
        for _time in range(4):
            self.refresh(self.campaign)
            self.assertIn("perhaps by a proxy", self.message())
        self.assertEqual(self.account.sudo().state_ids.login_doubts, 1)
        self.assertFalse(self.refused_at())


class TestNotAllowed(RefreshCase):
    """403 to a call: the login is fine."""

    def test_the_message_names_module_and_rights_and_the_account_goes_on(self):
        self.sandbox.faults({"kind": "403", "match": "GET /campaigns/ID/statistics"})
        self.refresh(self.campaign)
        self.assertIn("Campaign Master does not allow this call (GET", self.message())
        self.assertIn("API module", self.message())
        self.assertIn("rights of the API user", self.message())
        self.env.invalidate_all()
        self.assertFalse(self.account.sudo().login_refused_at)
        self.refresh(self.campaign)
        self.assertEqual(self.message(), "")


class TestInterruptedReading(ReadingCase):
    """A refresh is clicked while many pages of activity are being read."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        emails = [f"person{number}@example.com" for number in range(9)]
        self.add(self.campaign, self.make_contacts(*emails))
        self.sync(self.campaign)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        for email in emails:
            self.click_link(email)
        self.sandbox.control("settings", {"pageCap": 2})
        self.row = self.work(self.campaign)
        self.row.next_poll_at = fields.Datetime.now()
        for _call in ("statistics", "status", "page 1", "page 2"):
            self.run_one_call()
        self.assertEqual((self.row.read_step, self.row.activity_page), ("activity", 2))

    def assert_complete(self):
        self.assertFalse(self.progress()["refreshing"])
        self.assertFalse(self.row.read_step)
        self.assertEqual(
            sum(self.lines(self.campaign).mapped("click_count")),
            self.campaign.campaign_master_clicks,
        )

    def test_figures_are_read_first_and_pages_already_read_are_kept(self):
        self.click_link("person0@example.com")
        self.request()
        self.assertEqual(self.row.activity_page, 2)
        [(_user, call)] = self.latest_calls(self.run_one_call)
        self.assertIn("/statistics", call)
        self.assertEqual(self.campaign.campaign_master_clicks, 10)
        [(_user, call)] = self.latest_calls(self.run_one_call)
        self.assertIn("page=3", call)
        self.run_cron("pull_statistics")
        self.assertFalse(self.progress()["refreshing"])
        # The click happened after page 1 was read, so that the next reading has it.
        self.pull()
        self.assertEqual(self.campaign.campaign_master_clicks, 10)
        self.assert_complete()

    def test_a_click_during_the_call_of_a_page_loses_nothing(self):
        with self.during("activity", self.request):
            self.run_one_call()
        self.assertTrue(self.progress()["refreshing"])
        self.assertEqual((self.row.read_step, self.row.activity_page), (False, 2))
        calls = self.latest_calls(lambda: self.run_cron("pull_statistics"))
        self.assertIn("/statistics", calls[0][1])
        self.assertIn("page=3", calls[1][1])
        self.assertEqual(self.campaign.campaign_master_clicks, 9)
        self.assert_complete()

    def test_a_click_during_a_call_that_fails_is_not_answered_by_that_failure(self):
        self.sandbox.faults({"match": ACTIVITY, "kind": "html", "count": 1})
        with self.during("activity", self.request):
            self.run_cron("pull_statistics")
        self.assertEqual(self.progress()["refresh_message"], "")
        self.assert_complete()


class TestLateResponses(RefreshCase):
    """The campaign changes in Odoo while a response is under way."""

    def setUp(self):
        super().setUp()
        self.click_link()
        self.ref = self.campaign.campaign_master_ref
        self.work(self.campaign).next_poll_at = fields.Datetime.now()

    def read_during(self, function):
        """Something happens in Odoo while the campaign's figures are being read."""
        with self.assertNoLogs(MODELS, "ERROR"), self.during("statistics", function):
            self.run_cron("pull_statistics")

    def mark_deleted(self):
        self.campaign.sudo().campaign_master_remote_status = "deleted"

    def assert_not_stored(self):
        self.assertEqual(self.campaign.campaign_master_clicks, 0)
        self.assertFalse(self.work(self.campaign).next_poll_at)

    def test_a_campaign_that_is_unlinked_stores_no_response(self):
        self.mark_deleted()
        self.read_during(lambda: self.press(self.campaign, "unlink"))
        self.assertFalse(self.campaign.campaign_master_ref)
        self.assert_not_stored()

    def test_a_campaign_that_is_created_again_stores_no_response_of_the_old_one(self):
        self.mark_deleted()
        self.read_during(lambda: self.press(self.campaign, "create_again"))
        self.assert_not_stored()
        self.push()
        self.assertNotEqual(self.campaign.campaign_master_ref, self.ref)
        self.assertEqual(self.campaign.campaign_master_clicks, 0)

    def test_a_campaign_that_is_created_again_is_not_marked_as_deleted(self):
        """The late response says that the old campaign does not exist."""
        self.mark_deleted()
        self.sandbox.control(f"campaigns/{self.ref}", method="DELETE")
        self.read_during(lambda: self.press(self.campaign, "create_again"))
        self.push()
        self.assertEqual(self.campaign.campaign_master_remote_status, "draft")
        self.assertTrue(self.work(self.campaign).next_poll_at)

    def test_a_campaign_with_another_id_stores_no_response_of_the_old_one(self):
        def change_id():
            self.campaign.sudo().campaign_master_ref = "1000000"

        self.read_during(change_id)
        self.assertEqual(self.campaign.campaign_master_clicks, 0)

    def test_a_campaign_that_a_sync_finds_deleted_stays_deleted(self):
        self.read_during(self.campaign.sudo()._campaign_master_store_deleted)
        self.assertEqual(self.campaign.campaign_master_remote_status, "deleted")
        self.assert_not_stored()

    def test_an_error_does_not_bring_a_deleted_campaign_back(self):
        self.sandbox.faults({"match": STATISTICS, "kind": "html", "count": None})
        self.read_during(self.campaign.sudo()._campaign_master_store_deleted)
        self.assert_not_stored()

    def test_a_campaign_that_is_deleted_in_odoo_stops_nobody(self):
        second = self.make_campaign(title="Second")
        self.sync(second)
        self.work(second).next_poll_at = fields.Datetime.now()
        campaign = self.campaign
        self.read_during(campaign.unlink)
        self.assertFalse(campaign.exists())
        self.assertTrue(second.campaign_master_statistics_at)


class TestUnexpectedError(RefreshCase):
    """Storing the response of one campaign fails."""

    def setUp(self):
        super().setUp()
        self.click_link()
        self.second = self.make_campaign(title="Second")
        self.sync(self.second)
        self.sandbox.send(self.second.campaign_master_ref, self.list_ref, quiet=True)

    def run_broken(self):
        """Read both campaigns; the first one's figures cannot be stored."""
        original = CampaignMasterCampaign._store_statistics
        broken = self.campaign.id

        def store(row, statistics):
            if row.campaign_id.id == broken:
                row.campaign_id.campaign_master_clicks = 77
                raise ValueError("Broken on purpose")
            return original(row, statistics)

        rows = self.work(self.campaign) + self.work(self.second)
        rows.next_poll_at = fields.Datetime.now()
        with (
            patch.object(CampaignMasterCampaign, "_store_statistics", store),
            self.assertLogs(f"{MODELS}.campaign_master_campaign_statistics", "ERROR") as logs,
        ):
            self.run_cron("pull_statistics")
        [record] = logs.records
        self.assertIn(self.campaign.campaign_master_ref, record.getMessage())
        self.assertIn("Broken on purpose", str(record.exc_info[1]))

    def test_other_campaigns_are_read_in_the_same_run(self):
        self.run_broken()
        self.assertEqual(self.second.campaign_master_sent, 1)
        self.assertFalse(self.work(self.second).read_failures)
        self.assertEqual(self.campaign.campaign_master_clicks, 0)

    def test_it_is_tried_again_less_and_less_often(self):
        row = self.work(self.campaign)
        for failures, hours in enumerate((0.5, 1, 2, 4, 8, 16, 24, 24), start=1):
            self.run_broken()
            self.assertEqual(row.read_failures, failures)
            waits = row.next_poll_at - fields.Datetime.now() + polling.SLACK
            self.assertAlmostEqual(waits / HOUR, hours, delta=0.1)
        self.pull()
        self.assertEqual(row.read_failures, 0)
        self.assertEqual(self.campaign.campaign_master_clicks, 1)
        self.assertEqual(self.lines(self.campaign).click_count, 1)

    def test_a_refresh_ends_and_says_so(self):
        self.request()
        self.run_broken()
        self.assertIn(KEPT, self.message())
        self.assertIn("server log", self.message())
        self.refresh(self.campaign)
        self.assertEqual(self.message(), "")


class TestBrokenAccount(RefreshCase):
    """An account's address was changed in the database, so that no client can be made for it."""

    def test_other_accounts_are_read_in_the_same_run(self):
        second = self.make_second_account()
        others = self.make_due(second, 1)
        self.env.cr.execute(
            "UPDATE campaign_master_account SET api_url = 'ftp://x' WHERE id = %s",
            [self.account.id],
        )
        self.account.invalidate_recordset()
        self.request()
        self.run_cron("pull_statistics")
        # The other account's campaign was read: it does not exist there.
        self.assertEqual(others.campaign_master_remote_status, "deleted")
        self.assertIn("account is not set up", self.message())


class TestDeleted(RefreshCase):
    """Readings find a campaign that was deleted in Campaign Master."""

    def setUp(self):
        super().setUp()
        self.sandbox.control(f"campaigns/{self.campaign.campaign_master_ref}", method="DELETE")

    def assert_deleted(self):
        self.assertEqual(self.campaign.campaign_master_remote_status, "deleted")
        self.assertEqual(self.campaign.campaign_master_sync_state, "failed")
        self.assertIn("was deleted in Campaign Master", self.campaign.campaign_master_sync_message)

    def test_it_leaves_the_queue(self):
        self.pull()
        self.assert_deleted()
        self.assertFalse(self.work(self.campaign).next_poll_at)
        self.assertFalse(self.campaign.campaign_master_next_poll_at)
        self.assertEqual(self.calls_of(lambda: self.run_cron("pull_statistics")), {})

    def test_run_manually_does_not_bring_it_back(self):
        self.pull()
        calls = self.calls_of(lambda: self.run_cron("pull_statistics", manually=True))
        self.assertEqual(calls, {})
        self.assertFalse(self.work(self.campaign).next_poll_at)

    def test_it_is_found_after_its_sync_history_was_deleted(self):
        self.syncs(self.campaign).ended_at = fields.Datetime.now() - 91 * DAY
        self.env["campaign.master.sync"].sudo()._gc_syncs()
        self.assertFalse(self.syncs(self.campaign))
        self.pull()
        self.assert_deleted()
        self.assertFalse(self.syncs(self.campaign))

    def test_it_is_found_during_a_sync(self):
        self.press(self.campaign)
        self.pull()
        self.assert_deleted()
        self.assertEqual(self.syncs(self.campaign)[0].state, "failed")
