"""What happens between two calls of a reading, or during one."""

from odoo import fields

from .test_refresh import ACTIVITY, DAY, MODELS, STATISTICS, ReadingCase, RefreshCase


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
