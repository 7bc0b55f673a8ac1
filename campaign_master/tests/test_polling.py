from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged

from odoo.addons.base.models import ir_cron

from ..models import campaign_master_account_quota
from ..models.campaign_master_account_quota import CampaignMasterAccount
from ..models.campaign_master_campaign_statistics import CampaignMasterCampaign
from ..tools import polling
from ..tools.polling import forecast, next_poll, slowdown
from .common import CampaignMasterCase

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# The middle of a month, in which no poll comes near its end.
NOW = datetime(2027, 5, 10, 12)
STATISTICS = "GET /campaigns/ID/statistics"


@tagged("post_install", "-at_install")
class TestWhenCampaignsAreRead(BaseCase):
    """The intervals, and how the month's calls are made to last."""

    def waits(self, age, quiet=None, **options):
        """How long a campaign of this age waits, at the scheduled action's pace."""
        moved_at = None if quiet is None else NOW - quiet
        return next_poll(NOW, NOW - age, moved_at, **options) - NOW + polling.SLACK

    def test_a_fresh_campaign_is_read_every_half_hour(self):
        for age in (timedelta(), HOUR, 2 * DAY - MINUTE):
            self.assertEqual(self.waits(age), 30 * MINUTE)

    def test_it_is_due_before_the_scheduled_action_comes_half_an_hour_later(self):
        self.assertLess(next_poll(NOW, NOW), NOW + 30 * MINUTE)

    def test_the_older_the_less_often(self):
        ages = [DAY, 3 * DAY, 13 * DAY, 20 * DAY, 80 * DAY]
        waits = [self.waits(age, quiet=DAY) for age in ages]
        self.assertEqual(waits, sorted(waits))
        self.assertEqual(len(set(waits)), 3)

    def test_a_campaign_younger_than_two_weeks_is_read_within_three_hours(self):
        self.assertLessEqual(self.waits(13 * DAY), 3 * HOUR)

    def test_an_older_one_is_read_within_a_day_while_something_happens(self):
        for age in (15 * DAY, 89 * DAY, 365 * DAY):
            self.assertEqual(self.waits(age, quiet=13 * DAY), DAY)

    def test_at_last_it_is_read_weekly(self):
        self.assertEqual(self.waits(365 * DAY), 7 * DAY)
        self.assertEqual(self.waits(365 * DAY, quiet=15 * DAY), 7 * DAY)

    def test_no_campaign_waits_longer_because_something_has_just_happened(self):
        for age in (HOUR, 3 * DAY, 30 * DAY, 200 * DAY):
            self.assertLessEqual(self.waits(age, quiet=timedelta()), self.waits(age))

    def test_when_calls_run_short_the_fresh_ones_wait_last(self):
        longer = [
            self.waits(age, quiet=DAY, slowdown=8) / self.waits(age, quiet=DAY)
            for age in (HOUR, 3 * DAY, 10 * DAY, 100 * DAY)
        ]
        self.assertEqual(longer, [1, 2, 8, 2])

    def test_nothing_is_put_off_beyond_the_month(self):
        """New calls are available then."""
        now = datetime(2027, 5, 30, 12)
        put_off = next_poll(now, now - 200 * DAY, now - 2 * DAY, slowdown=16)
        self.assertEqual(put_off, datetime(2027, 6, 1))

    def test_a_campaign_that_was_not_sent_yet_is_read_often_soon_after_its_sync(self):
        self.assertEqual(self.waits(HOUR, sent=False), 30 * MINUTE)
        self.assertLess(self.waits(DAY, sent=False), 3 * HOUR)

    def test_no_campaign_waits_longer_than_a_week(self):
        self.assertLessEqual(self.waits(300 * DAY, slowdown=1_000), 7 * DAY)
        self.assertLessEqual(self.waits(5 * DAY, slowdown=1e9), 7 * DAY)

    def slowdown(self, spent=0, statistics=0, others=0):
        """On a day with 20 days of the month left, and 10,000 calls in a month for reading."""
        now = datetime(2027, 6, 11)
        return slowdown(now, spent, statistics, others, 10_000 / polling.READING_SHARE)

    def test_calls_that_last_until_the_months_end_slow_nothing_down(self):
        self.assertEqual(self.slowdown(), 1)
        self.assertEqual(self.slowdown(spent=5_000, statistics=200, others=50), 1)

    def test_reading_slows_down_until_the_calls_last(self):
        self.assertEqual(self.slowdown(spent=5_000, statistics=201, others=50), 2)
        self.assertEqual(self.slowdown(spent=5_000, statistics=400, others=50), 2)
        self.assertEqual(self.slowdown(spent=5_000, statistics=401, others=50), 4)

    def test_a_large_sync_does_not_stop_reading(self):
        number = self.slowdown(spent=8_000, statistics=10_000, others=1_000)
        self.assertEqual(number, polling.SLOWDOWNS[-1])
        self.assertEqual(self.waits(HOUR, slowdown=number), 2 * HOUR)

    def test_the_last_calls_are_left_to_adding_recipients(self):
        number = self.slowdown(spent=10_050, statistics=100, others=10)
        self.assertEqual(self.waits(HOUR, slowdown=number), 7 * DAY)

    def test_the_last_calls_are_used_if_nobody_else_needs_them(self):
        self.assertEqual(self.slowdown(spent=10_050, others=1), polling.SLOWDOWNS[-1])

    def test_months_end_where_the_next_one_begins(self):
        for now, end in (
            (datetime(2027, 1, 31, 23, 59, 59), datetime(2027, 2, 1)),
            (datetime(2028, 2, 29), datetime(2028, 3, 1)),
            (datetime(2027, 12, 1), datetime(2028, 1, 1)),
        ):
            self.assertEqual(polling.month_end(now), end)

    def test_the_forecast_continues_the_pace(self):
        # Ten days of thirty are over; 100 calls a day.
        self.assertEqual(forecast(datetime(2027, 4, 11), 5_000, 100), 7_000)
        # Nothing is added in the last second.
        self.assertEqual(forecast(datetime(2027, 4, 30, 23, 59, 59), 5_000, 100), 5_000)


class TestDueCampaigns(CampaignMasterCase):
    """Which campaigns a run of the scheduled action reads, and when it reads them again."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.sync(self.campaign)

    def send(self):
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)

    def settle(self):
        """Read everything; then the campaign is half a year old."""
        self.pull()
        self.pull()
        long_ago = fields.Datetime.now() - timedelta(days=180)
        self.work(self.campaign).write({"fresh_at": long_ago, "moved_at": long_ago})

    def run_when_due(self, due=True):
        """A run of the scheduled action; the campaign is due, or will be in a minute."""
        now = fields.Datetime.now()
        self.work(self.campaign).next_poll_at = now if due else now + MINUTE
        before = self.sandbox.calls()
        self.run_cron("pull_statistics")
        after = self.sandbox.calls()
        spent = {name: count - before.get(name, 0) for name, count in after.items()}
        return {name: count for name, count in spent.items() if count}

    def waits(self):
        return self.work(self.campaign).next_poll_at - fields.Datetime.now()

    def test_no_campaign_is_read_before_it_is_due(self):
        self.assertEqual(self.run_when_due(due=False), {})

    def test_no_campaign_is_read_twice_in_a_run(self):
        self.assertEqual(self.run_when_due()[STATISTICS], 1)
        self.run_cron("pull_statistics")
        self.assertGreater(self.waits(), timedelta())

    def test_an_old_quiet_campaign_costs_one_call_a_week(self):
        self.send()
        self.settle()
        self.assertEqual(self.run_when_due(), {STATISTICS: 1})
        self.assertGreater(self.waits(), 6 * DAY)

    def test_an_old_campaign_is_read_daily_again_after_activity(self):
        self.send()
        self.settle()
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            {"email": "ann@example.com", "kind": "click"},
        )
        self.assertEqual(self.run_when_due(), {STATISTICS: 1, "GET /campaigns/ID/activity": 1})
        self.assertEqual(self.lines(self.campaign).click_count, 1)
        self.assertLess(self.waits(), 2 * DAY)

    def test_a_campaign_is_fresh_once_it_was_sent(self):
        self.settle()
        self.send()
        self.run_when_due()
        self.assertEqual(self.campaign.campaign_master_remote_status, "sent")
        self.assertLess(self.waits(), 31 * MINUTE)

    def test_a_campaign_that_is_sent_again_is_fresh_again(self):
        self.send()
        self.settle()
        # As if it had been sent to fewer people before.
        self.campaign.sudo().campaign_master_sent = 0
        self.run_when_due()
        self.assertLess(self.waits(), 31 * MINUTE)

    def test_a_campaign_that_is_synced_is_fresh_again(self):
        self.settle()
        self.work(self.campaign).next_poll_at = fields.Datetime.now() + 7 * DAY
        self.sync(self.campaign)
        self.assertLess(self.waits(), 31 * MINUTE)

    def test_readings_are_further_apart_when_the_months_calls_run_short(self):
        self.send()
        self.settle()
        now = fields.Datetime.now()
        self.work(self.campaign).moved_at = now - DAY
        # Nothing is postponed beyond the month's end, which may be today.
        with patch.object(polling, "month_end", return_value=now + 20 * DAY):
            self.run_when_due()
            usual = self.waits()
            with patch.object(CampaignMasterAccount, "_slowdown", return_value=8):
                self.run_when_due()
        self.assertGreater(self.waits(), usual)

    def test_the_slowdown_is_computed_once_in_a_run(self):
        second = self.make_campaign(title="Second")
        self.sync(second)
        self.work(second).next_poll_at = fields.Datetime.now()
        with patch.object(CampaignMasterAccount, "_slowdown", return_value=1) as computed:
            self.assertEqual(self.run_when_due()[STATISTICS], 2)
        computed.assert_called_once()

    def test_reading_slows_down_for_the_calls_of_the_month(self):
        now = fields.Datetime.now()
        with (
            patch.object(polling, "month_end", return_value=now + 20 * DAY),
            patch.object(campaign_master_account_quota, "MONTH_LIMIT", 1_000),
        ):
            self.assertEqual(self.account._slowdown(), 1)
            ledger = self.account._ledger("statistics")
            for _call in range(100):
                ledger.before_call(STATISTICS)
            self.env.invalidate_all()
            self.assertGreater(self.account._slowdown(), 1)


class TestRunManually(CampaignMasterCase):
    """An administrator clicks *Run Manually* on *Read Statistics*."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.sync(self.campaign)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.not_due(self.campaign)

    def not_due(self, campaign):
        self.work(campaign).next_poll_at = fields.Datetime.now() + DAY

    def run_manually(self):
        self.run_cron("pull_statistics", manually=True)

    def test_campaigns_are_read_before_they_are_due(self):
        self.run_manually()
        self.assertEqual(self.campaign.campaign_master_sent, 1)
        self.assertEqual(self.campaign.campaign_master_remote_status, "sent")

    def test_archived_campaigns_are_read(self):
        self.campaign.active = False
        self.run_manually()
        self.assertEqual(self.campaign.campaign_master_sent, 1)

    def test_settled_and_deleted_campaigns_are_not_read(self):
        long_ago = fields.Datetime.now() - timedelta(days=180)
        self.campaign.sudo().campaign_master_synced_at = long_ago
        self.work(self.campaign).write({"fresh_at": long_ago, "moved_at": long_ago})
        deleted = self.make_campaign(title="Deleted")
        self.sync(deleted)
        self.sandbox.control(f"campaigns/{deleted.campaign_master_ref}", method="DELETE")
        self.sync(deleted)
        self.assertEqual(deleted.campaign_master_remote_status, "deleted")
        calls = self.sandbox.calls()
        self.run_manually()
        self.assertEqual(self.sandbox.calls(), calls)

    def test_the_scheduler_reads_what_does_not_fit_into_the_run(self):
        second = self.make_campaign(title="Second")
        self.sync(second)
        self.sandbox.send(second.campaign_master_ref, self.list_ref, quiet=True)
        self.not_due(second)
        with patch.multiple(ir_cron, MIN_TIME_PER_JOB=0, MIN_RUNS_PER_JOB=1):
            self.run_manually()
        campaigns = self.campaign + second
        self.assertIn(0, campaigns.mapped("campaign_master_sent"))
        cron = self.env.ref("campaign_master.ir_cron_pull_statistics").sudo()
        ready = [("cron_id", "=", cron.id), ("call_at", "<=", fields.Datetime.now())]
        self.assertTrue(self.env["ir.cron.trigger"].sudo().search(ready))
        self.run_cron("pull_statistics")
        self.assertEqual(campaigns.mapped("campaign_master_sent"), [1, 1])

    def test_the_reserve_of_the_hour_is_not_used(self):
        self.account.sudo().state_ids.write(
            {
                "hour_limit": 100,
                "hour_remaining": 5,
                "hour_reset_at": fields.Datetime.now() + DAY,
            }
        )
        calls = self.sandbox.calls()
        self.run_manually()
        self.assertEqual(self.sandbox.calls(), calls)
        self.assertFalse(self.campaign.campaign_master_sent)

    def test_other_users_are_refused_and_change_nothing(self):
        cron = self.env.ref("campaign_master.ir_cron_pull_statistics")
        # assertRaises rolls back, so a change could not be seen afterwards.
        with patch.object(CampaignMasterCampaign, "_make_recent_due") as make_due:
            with self.assertRaises(AccessError):
                cron.with_user(self.marketer).method_direct_trigger()
        make_due.assert_not_called()

    def test_a_job_that_is_running_reads_the_campaigns_as_well(self):
        cron = self.env.ref("campaign_master.ir_cron_pull_statistics").sudo()
        with (
            patch.object(ir_cron.IrCron, "_acquire_one_job", return_value=None),
            self.assertRaisesRegex(UserError, "already executing"),
            patch.object(CampaignMasterCampaign, "_make_recent_due") as make_due,
        ):
            cron.with_user(self.env.ref("base.user_root")).method_direct_trigger()
        make_due.assert_called_once()
