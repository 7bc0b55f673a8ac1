from datetime import timedelta

from odoo import fields

from ..models.campaign_master_sync_push import MAX_ATTEMPTS
from .common import CampaignMasterCase

PUSH = "POST /lists/ID/recipients"


class TestResultsComeLater(CampaignMasterCase):
    """Campaign Master does not say at once what became of an address: Odoo asks again later."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()

    def add_people(self, *names):
        self.add(self.campaign, self.make_contacts(*(f"{name}@example.com" for name in names)))

    def state(self):
        return self.campaign.campaign_master_sync_state

    def message(self):
        return self.campaign.campaign_master_sync_message

    def next_attempt(self):
        self.wait_is_over(self.campaign)
        self.push()

    def test_accepted_addresses_are_asked_for_again_after_some_minutes_and_count_as_added(self):
        self.sandbox.control("dialect", {"later": True})
        self.add_people("ann", "bob")
        before = fields.Datetime.now()
        self.sync(self.campaign)
        self.assertEqual(self.state(), "running")
        self.assertIn("Not confirmed by Campaign Master yet: 2. The sync resumes", self.message())
        wait = self.syncs(self.campaign).next_at - before
        self.assertGreaterEqual(wait, timedelta(minutes=5))
        self.push()
        self.assertEqual(self.sandbox.calls(PUSH), 1, "It is too early")
        triggers = self.env["ir.cron.trigger"].sudo()
        cron = self.env.ref("campaign_master.ir_cron_push_recipients")
        triggered_at = triggers.search([("cron_id", "=", cron.id)]).mapped("call_at")
        self.assertIn(self.syncs(self.campaign).next_at, triggered_at)
        self.next_attempt()
        self.assertEqual(self.state(), "complete")
        self.assertEqual(set(self.states(self.campaign).values()), {"added"})
        self.assertEqual(self.syncs(self.campaign).added, 2)

    def test_who_was_on_the_list_before_is_told_as_such_if_that_is_told_at_once(self):
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["ann@example.com"]})
        self.add_people("ann")
        self.sandbox.control("dialect", {"later": True})
        self.sync(self.campaign)
        self.assertEqual(self.states(self.campaign), {"ann@example.com": "exists"})

    def test_the_message_says_that_it_goes_on(self):
        self.add_people("ann", "bob")
        self.sandbox.faults({"match": "POST /lists", "kind": "202", "count": 1})
        self.sync(self.campaign)
        self.wait_is_over(self.campaign)
        self.export(self.campaign)  # one step
        self.assertEqual(self.state(), "running")
        self.assertIn("are being added", self.message())

    def test_after_three_attempts_the_sync_is_partial_and_nobody_is_rejected(self):
        self.add_people("ann", "bob")
        self.sandbox.faults({"match": "POST /lists", "kind": "202", "count": None})
        self.sync(self.campaign)
        for _attempt in range(MAX_ATTEMPTS - 1):
            self.assertEqual(self.state(), "running")
            self.next_attempt()
        self.assertEqual(self.sandbox.calls(PUSH), MAX_ATTEMPTS)
        self.assertEqual(self.state(), "partial")
        self.assertEqual(set(self.states(self.campaign).values()), {"pending"})
        self.assertEqual(self.campaign.campaign_master_outcome, {"pending": 2})
        self.assertIn(
            "Not confirmed by Campaign Master yet: 2. It may still be adding them: sync again "
            "later.",
            self.message(),
        )
        self.assertEqual(self.syncs(self.campaign).refused, 0)
        self.sandbox.faults()
        self.sync(self.campaign)
        self.assertEqual(self.state(), "complete")
        self.assertEqual(set(self.states(self.campaign).values()), {"added"})

    def test_the_wait_becomes_longer(self):
        self.add_people("ann")
        self.sandbox.faults({"match": "POST /lists", "kind": "202", "count": None})
        self.sync(self.campaign)
        sync, six_minutes = self.syncs(self.campaign), timedelta(minutes=6)
        self.assertLess(sync.next_at - fields.Datetime.now(), six_minutes)
        self.next_attempt()
        self.assertGreater(sync.next_at - fields.Datetime.now(), six_minutes)

    def test_a_missing_result_is_the_same(self):
        self.add_people("ann", "bob", "cem")
        # Results come in reverse order: Ann's is missing.
        self.sandbox.faults({"match": "POST /lists", "kind": "lose-results", "count": 1})
        self.sync(self.campaign)
        self.assertIn("Not confirmed by Campaign Master yet: 1.", self.message())
        self.assertEqual(
            self.states(self.campaign),
            {"ann@example.com": "pending", "bob@example.com": "added", "cem@example.com": "added"},
        )
        self.next_attempt()
        self.assertEqual(self.state(), "complete")
        self.assertEqual(set(self.states(self.campaign).values()), {"added"})

    def test_so_is_a_result_that_odoo_does_not_know(self):
        self.add_people("ann")
        self.sandbox.faults({"match": "POST /lists", "kind": 'set:status="queued"', "count": 1})
        self.sync(self.campaign)
        self.assertEqual(self.state(), "running")
        self.next_attempt()
        self.assertEqual(self.states(self.campaign), {"ann@example.com": "added"})

    def test_a_sync_that_waits_can_be_cancelled_and_the_next_one_knows_what_was_sent(self):
        self.add_people("ann")
        self.sandbox.control("dialect", {"later": True})
        self.sync(self.campaign)
        self.press(self.campaign, "cancel")
        self.assertEqual(self.state(), "cancelled")
        self.next_attempt()
        self.assertEqual(self.sandbox.calls(PUSH), 1)
        self.add_people("bob")
        self.sandbox.control("dialect", {"later": False})
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["bob@example.com"]})
        self.sync(self.campaign)
        self.assertEqual(
            self.states(self.campaign), {"ann@example.com": "added", "bob@example.com": "exists"}
        )

    def test_who_was_added_during_the_wait_is_not_waited_for(self):
        self.add_people("ann")
        self.sandbox.control("dialect", {"later": True})
        self.sync(self.campaign)
        self.add_people("bob")
        self.next_attempt()
        self.assertEqual(self.state(), "partial")
        self.assertEqual(
            self.states(self.campaign), {"ann@example.com": "added", "bob@example.com": "pending"}
        )
        self.assertNotIn("Not confirmed", self.message())

    def test_who_unsubscribes_during_the_wait_is_not_sent_again(self):
        self.add_people("ann", "bob")
        self.sandbox.faults({"match": "POST /lists", "kind": "202", "count": 1})
        self.sync(self.campaign)
        self.env["mail.blacklist"].sudo().create({"email": "ann@example.com"})
        self.next_attempt()
        self.assertEqual(
            self.states(self.campaign),
            {"ann@example.com": "blacklisted", "bob@example.com": "added"},
        )

    def test_of_several_batches_only_the_addresses_without_a_result_are_sent_again(self):
        self.add_people(*(f"person{number}" for number in range(1500)))
        self.sandbox.faults({"match": "POST /lists", "kind": "202", "count": 1})
        self.sync(self.campaign)
        self.assertEqual(self.syncs(self.campaign).added, 500)
        self.next_attempt()
        self.assertEqual(self.state(), "complete")
        self.assertEqual(self.sandbox.calls(PUSH), 3)
        self.assertEqual(self.syncs(self.campaign).added, 1500)

    def test_the_campaign_needs_attention_until_they_are_confirmed(self):
        self.add_people("ann")
        self.sandbox.faults({"match": "POST /lists", "kind": "202", "count": None})
        self.sync(self.campaign)
        for _attempt in range(MAX_ATTEMPTS - 1):
            self.next_attempt()
        self.assertEqual(self.campaign.campaign_master_state, "attention")
        self.sandbox.faults()
        self.sync(self.campaign)
        self.assertEqual(self.campaign.campaign_master_state, "ready")
