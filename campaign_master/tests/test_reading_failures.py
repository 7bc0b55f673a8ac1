"""What comes of a reading that fails, and that it stops no other."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tools import translate

from odoo.addons.bus.models.bus import BusBus

from ..models.campaign_master_campaign_statistics import CampaignMasterCampaign
from ..tools import polling
from .common import PASSWORD, USERNAME
from .test_refresh import ACTIVITY, HOUR, KEPT, LOGIN, MODELS, STATISTICS, RefreshCase


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

    def test_other_campaigns_are_read_even_if_an_error_cannot_be_handled(self):
        """For example because an automation rule on the campaign's result fails."""
        self.sandbox.control(f"campaigns/{self.campaign.campaign_master_ref}", method="DELETE")
        rows = self.work(self.campaign) + self.work(self.second)
        rows.next_poll_at = fields.Datetime.now()
        with (
            patch.object(
                self.env.registry["utm.campaign"],
                "_campaign_master_store_deleted",
                side_effect=ValueError("Broken on purpose"),
            ),
            self.assertLogs(f"{MODELS}.campaign_master_campaign_statistics", "ERROR"),
        ):
            self.run_cron("pull_statistics")
        self.assertEqual(self.second.campaign_master_sent, 1)
        self.assertEqual(self.work(self.campaign).read_failures, 1)

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
