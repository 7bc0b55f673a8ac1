from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import BaseCase, tagged

from ..client import CampaignMasterLedgerLimitError, wire
from ..tools import account_ledger, polling
from ..tools.account_ledger import BACKGROUND_SHARE, MONTH_LIMIT
from .common import CampaignMasterCase

PUSH = "POST /lists/ID/recipients"
LIMIT = MONTH_LIMIT * BACKGROUND_SHARE


@tagged("post_install", "-at_install")
class TestShares(BaseCase):
    """Adding recipients and reading statistics share the calls of a month."""

    def end(self, calls, now=datetime(2026, 11, 26, 12), spent=0, others=0):
        return polling.end_of_pushing(now, calls, spent, others, 5_000 * BACKGROUND_SHARE, LIMIT)

    def test_a_few_calls_take_minutes(self):
        self.assertLess(self.end(100) - datetime(2026, 11, 26, 12), timedelta(minutes=3))

    def test_an_hour_has_a_limit(self):
        end = self.end(6_300)
        self.assertAlmostEqual((end - datetime(2026, 11, 26, 12)) / polling.HOUR, 2, delta=0.01)

    def test_a_hundred_thousand_calls_take_until_the_month_after_next(self):
        end = self.end(100_000)
        self.assertEqual((end.year, end.month, end.day), (2027, 1, 1))

    def test_what_was_spent_and_what_others_need_make_it_later(self):
        self.assertGreater(self.end(100_000, spent=44_000), self.end(100_000))
        self.assertGreater(self.end(100_000, others=400), self.end(100_000))
        self.assertEqual(self.end(10, spent=60_000).day, 1)

    def test_any_number_comes_to_an_end(self):
        self.assertGreater(self.end(10_000_000, others=100_000), datetime(2040, 1, 1))

    def test_the_part_of_reading_becomes_smaller_until_nothing_is_left_over(self):
        shares = [
            polling.push_limit(datetime(2027, 4, day, 15), LIMIT) / LIMIT for day in (1, 16, 30)
        ]
        self.assertEqual([round(share, 2) for share in shares], [0.71, 0.86, 1])

    def test_a_large_push_does_not_slow_reading_down_to_nothing(self):
        """Reading gets its part: with 400 calls a day it goes on as usual."""
        now = datetime(2027, 4, 2)
        spent = polling.push_limit(now, LIMIT)
        others = polling.pushes_per_day(now, spent, 5_000, LIMIT)
        self.assertEqual(others, 0)
        self.assertEqual(polling.slowdown(now, spent, 400, others, LIMIT), 1)

    def test_while_a_large_push_runs_its_part_is_taken_into_account(self):
        now = datetime(2027, 4, 2)
        others = polling.pushes_per_day(now, 1_000, 5_000, LIMIT)
        self.assertAlmostEqual(polling.forecast(now, 1_000, others), 32_400, delta=1)

    def test_a_few_calls_that_add_recipients_count_as_they_are(self):
        self.assertEqual(polling.pushes_per_day(datetime(2027, 4, 11), 9_000, 50, LIMIT), 50)


class TestOneRecipientACall(CampaignMasterCase):
    """Campaign Master may take one recipient a call."""

    def setUp(self):
        super().setUp()
        self.sandbox.control("dialect", {"recipients": 1})
        self.startPatcher(patch.object(wire, "MAX_RECIPIENTS", 1))
        self.campaign = self.make_campaign()

    def add_people(self, number):
        emails = [f"person{place}@example.com" for place in range(number)]
        self.add(self.campaign, self.make_contacts(*emails))

    def month_calls(self, number):
        now = fields.Datetime.now()
        self.account.sudo().state_ids.write({"month": now.strftime("%Y-%m"), "month_calls": number})

    def check_message(self):
        action = self.campaign.action_campaign_master_check()
        return self.env[action["res_model"]].browse(action["res_id"]).quota_message

    # === LIMITS === #

    def test_the_check_says_how_many_calls_it_takes_and_until_when(self):
        self.add_people(3)
        self.assertRegex(
            self.check_message(),
            r"^Recipients to add: 3, one API call each\. Because .+, this takes until .+\.$",
        )
        self.month_calls(MONTH_LIMIT)
        next_month = polling.month_end(fields.Datetime.now())
        self.assertIn(f"{next_month.month}/{next_month.day}/", self.check_message())

    def test_the_check_says_nothing_where_nobody_is_added(self):
        self.assertFalse(self.check_message())

    def test_with_a_thousand_a_call_it_says_so_only_if_it_takes_long(self):
        self.add_people(3)
        with patch.object(wire, "MAX_RECIPIENTS", 1_000):
            self.assertFalse(self.check_message())
            self.month_calls(MONTH_LIMIT)
            self.assertRegex(
                self.check_message(),
                r"^Recipients to add: 3\. API calls: 1\. Because .+, this takes until .+\.$",
            )

    def test_statistics_can_be_read_when_recipients_have_used_up_their_part(self):
        self.add_people(1)
        self.press(self.campaign)
        self.export(self.campaign)
        now = datetime(2026, 11, 5, 12)
        self.month_calls(int(polling.push_limit(now, LIMIT)) + 1)
        self.account.sudo().state_ids.month = "2026-11"
        with patch.object(account_ledger, "utcnow", lambda: now):
            ledger = self.account.sudo()._ledger("recipients", background=True)
            with self.assertRaises(CampaignMasterLedgerLimitError) as caught:
                ledger.before_call(PUSH)
            self.assertEqual(caught.exception.key, "day_limit")
            self.assertEqual(caught.exception.retry_at.isoformat(), "2026-11-06T00:00:00+00:00")
            self.account.sudo()._ledger("statistics", background=True).before_call("GET /")
            self.account.sudo()._ledger("recipients").before_call(PUSH)  # a person

    def test_the_sync_waits_until_tomorrow_and_no_administrator_is_notified(self):
        self.add_people(1)
        self.press(self.campaign)
        self.export(self.campaign)
        self.month_calls(int(LIMIT) - 1)
        with patch.object(account_ledger, "push_limit", lambda _now, limit: limit - 10):
            self.push()
        self.assertEqual(self.campaign.campaign_master_sync_state, "running")
        self.assertIn(
            "Today's share of the API calls for adding recipients is used up",
            self.campaign.campaign_master_sync_message,
        )
        sync = self.syncs(self.campaign)
        self.assertEqual(sync.next_at, polling.tomorrow(fields.Datetime.now()))
        self.assertFalse(self.account.sudo().activity_ids)
        self.assertEqual(self.sandbox.calls(PUSH), 0)

    def test_recipients_leave_a_part_of_the_hour_to_statistics(self):
        self.add_people(1)
        self.press(self.campaign)
        self.export(self.campaign)
        self.sandbox.control("usage", {"account": "demo", "hour": 3_300})
        self.account.action_refresh_catalogue()  # any call tells how much of the hour is left
        self.push()
        self.assertIn("hourly limit", self.campaign.campaign_master_sync_message)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.pull()
        self.assertTrue(self.campaign.campaign_master_statistics_at)

    # === REJECTIONS === #

    def reject(self, count=None, **fault):
        self.sandbox.faults({"match": "POST /lists", "kind": "400", "count": count, **fault})

    def test_if_ten_in_a_row_are_rejected_for_the_same_reason_the_sync_fails(self):
        self.add_people(15)
        self.reject()
        self.sync(self.campaign)
        self.assertEqual(self.sandbox.calls(PUSH), 10)
        self.assertEqual(self.campaign.campaign_master_sync_state, "failed")
        message = self.campaign.campaign_master_sync_message
        self.assertIn("rejected the request: Bad Request", message)
        self.assertEqual(set(self.states(self.campaign).values()), {"pending"})
        sync = self.syncs(self.campaign)
        self.assertEqual((sync.refused, sync.calls), (0, 12))
        self.sandbox.faults()
        self.sync(self.campaign)
        self.assertEqual(set(self.states(self.campaign).values()), {"added"})

    def test_those_that_were_added_or_rejected_before_stay_so(self):
        self.add_people(15)
        self.sandbox.faults(
            {"match": "POST /lists", "kind": "400", "count": None, "body": "person0@"},
            {"match": "POST /lists", "kind": "400", "count": None, "skip": 3},
        )
        self.sync(self.campaign)
        self.assertEqual(self.campaign.campaign_master_sync_state, "failed")
        states = self.states(self.campaign)
        self.assertEqual(states.pop("person0@example.com"), "refused")
        for number in (1, 2, 3):
            self.assertEqual(states.pop(f"person{number}@example.com"), "added")
        self.assertEqual(set(states.values()), {"pending"})
        self.assertEqual(self.syncs(self.campaign).refused, 1)

    def test_fewer_in_a_row_are_rejected_one_by_one(self):
        self.add_people(12)
        self.reject(9)
        self.sync(self.campaign)
        states = list(self.states(self.campaign).values())
        self.assertEqual((states.count("refused"), states.count("added")), (9, 3))
        self.assertEqual(self.campaign.campaign_master_sync_state, "partial")

    def test_so_are_addresses_that_are_rejected_for_a_reason_of_their_own(self):
        self.add_people(12)
        self.sandbox.faults(
            *(
                {"match": "POST /lists", "kind": f"400:recipient{number}", "count": 1}
                for number in range(11)
            )
        )
        self.sync(self.campaign)
        states = list(self.states(self.campaign).values())
        self.assertEqual((states.count("refused"), states.count("added")), (11, 1))

    def test_a_thousand_a_call_are_bisected_up_to_a_bound(self):
        self.add_people(200)
        self.reject()
        with patch.object(wire, "MAX_RECIPIENTS", 1_000):
            self.sync(self.campaign)
        self.assertEqual(self.campaign.campaign_master_sync_state, "failed")
        self.assertLess(self.sandbox.calls(PUSH), 60)
