from datetime import timedelta
from unittest.mock import Mock, patch

from odoo import fields

from ..client import CampaignMasterClient, wire
from ..models import campaign_master_sync
from ..tools import account_ledger, format_moment
from .common import CampaignMasterCase


class TestExport(CampaignMasterCase):
    """The first step of a sync creates the campaign, whatever happens on the way."""

    def setUp(self):
        super().setUp()
        self.state = self.account.sudo().state_ids

    def hour_ends(self, campaign):
        self.sandbox.control("usage", {"account": "demo", "hour": 0})
        self.state.hour_reset_at = False
        self.wait_is_over(campaign)

    def remotes(self):
        return self.sandbox.state()["campaigns"]

    def assert_waits(self, campaign, cause):
        self.assertEqual(campaign.campaign_master_sync_state, "running")
        until = format_moment(self.env, self.syncs(campaign)[0].next_at)
        self.assertEqual(
            campaign.campaign_master_sync_message,
            f"{cause} The sync resumes automatically at {until}.",
        )

    # === LIMITS === #

    def test_at_92_percent_of_the_hour_the_campaign_is_created_and_recipients_wait(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sandbox.control("usage", {"account": "demo", "hour": 4_600})
        self.state.write(
            {
                "hour_limit": 5_000,
                "hour_remaining": 400,
                "hour_reset_at": fields.Datetime.now() + timedelta(minutes=30),
            }
        )
        self.sync(campaign)
        self.assertEqual(len(self.remotes()), 1)
        self.assertTrue(campaign.campaign_master_ref)
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 0)
        self.assertGreater(self.syncs(campaign).next_at, fields.Datetime.now())
        self.assert_waits(campaign, "The hourly limit of API calls is reached.")
        self.hour_ends(campaign)
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        self.assertEqual(self.sandbox.members(self.list_ref), ["ann@example.com"])

    def test_when_the_hour_is_used_up_the_campaign_is_created_after_it(self):
        campaign = self.make_campaign()
        self.sandbox.control("usage", {"account": "demo", "hour": 5_000})
        self.sync(campaign)
        self.assertEqual(self.remotes(), [])
        self.assert_waits(campaign, "The hourly limit of API calls is reached.")
        calls = self.sandbox.calls()
        self.wait_is_over(campaign)
        self.push()
        self.assertEqual(self.sandbox.calls(), calls, "Odoo knows that the hour is used up")
        self.hour_ends(campaign)
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        self.assertEqual(len(self.remotes()), 1)

    def test_a_new_sync_tries_a_refused_login_once_and_then_waits_for_the_password(self):
        self.sandbox.control("users", {"username": "demo", "password": "changed"})
        self.sandbox.control("end-tokens", {"account": "demo"})
        before = self.make_campaign()
        self.sync(before)
        self.assertTrue(self.account.login_refused_at)
        logins = self.sandbox.calls("POST /authenticate")
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.assertEqual(self.sandbox.calls("POST /authenticate"), logins + 1)
        for _time in range(2):
            self.push()
        self.assertEqual(self.sandbox.calls("POST /authenticate"), logins + 1)
        self.assertEqual(
            campaign.campaign_master_sync_message,
            "Campaign Master refused the username or password: they must be those of an API user, "
            "with the API module switched on. The response says: "
            "“InvalidLogin: the username or password is wrong”. An administrator has been "
            "notified. The sync resumes once the login works.",
        )
        self.assertEqual(len(self.account.sudo().activity_ids), 1)
        self.account.sudo().password = "changed"
        self.push()
        for waiting in (before, campaign):
            self.assertEqual(waiting.campaign_master_sync_state, "complete")
        self.assertEqual(self.states(campaign), {"ann@example.com": "added"})

    def test_campaign_master_may_take_one_recipient_a_call(self):
        self.sandbox.control("dialect", {"recipients": 1})
        campaign = self.make_campaign()
        emails = ["ann@example.com", "bob@example.com", "broken", "cem@example.com"]
        self.add(campaign, self.make_contacts(*emails))
        with patch.object(wire, "MAX_RECIPIENTS", 1):
            self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "partial")
        self.assertEqual(self.sandbox.calls("POST /lists/ID/recipients"), 3)
        self.assertEqual(
            self.states(campaign),
            {email: "invalid" if email == "broken" else "added" for email in emails},
        )

    # === FAULTS === #

    def test_a_fault_that_may_pass_makes_the_sync_wait_and_resume(self):
        unreachable = "Campaign Master could not be reached or did not respond."
        for kind, cause in (
            ("reset-before", unreachable),
            ("html", "Odoo does not understand Campaign Master's response (POST /campaigns)."),
            ("500", "Campaign Master reports a technical problem."),
            ("429:900", "The hourly limit of API calls is reached."),
        ):
            with self.subTest(kind):
                campaign = self.make_campaign(title=kind)
                self.add(campaign, self.make_contacts("ann@example.com"))
                self.sandbox.faults({"match": "POST /campaigns", "kind": kind})
                self.sync(campaign)
                self.assert_waits(campaign, cause)
                self.assertFalse(campaign.campaign_master_ref)
                self.assertFalse(campaign.campaign_master_synced_at)
                self.hour_ends(campaign)
                self.push()
                self.assertEqual(campaign.campaign_master_sync_state, "complete")
                self.assertTrue(campaign.campaign_master_synced_at)

    def test_five_faults_in_a_row_fail_the_sync_with_the_reason(self):
        campaign = self.make_campaign()
        self.sandbox.faults({"match": "POST /campaigns", "kind": "500", "count": None})
        self.press(campaign)
        for minutes in (1, 2, 4, 8):
            before = fields.Datetime.now()
            self.push()
            self.assert_waits(campaign, "Campaign Master reports a technical problem.")
            wait = self.syncs(campaign).next_at - before
            self.assertAlmostEqual(wait.total_seconds(), 60 * minutes, delta=5)
            self.wait_is_over(campaign)
        self.push()
        self.assertEqual(self.sandbox.calls("POST /campaigns"), 5)
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        self.assertEqual(
            campaign.campaign_master_sync_message,
            "“Spring offers” was not synced; no recipients were added. Campaign Master reports a "
            "technical problem. Try again in a few minutes.",
        )
        self.assertEqual(self.syncs(campaign).calls, 10)
        self.sandbox.faults()
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_a_rejected_campaign_fails_the_sync_with_campaign_masters_reason(self):
        campaign = self.make_campaign(campaign_master_from_email="not an address")
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        self.assertRegex(
            campaign.campaign_master_sync_message,
            "^“Spring offers” was not synced; no recipients were added. "
            "Campaign Master rejected the request: fromEmail: .+ Correct this, then try again.$",
        )
        campaign.campaign_master_from_email = "mara@example.com"
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_a_response_lost_after_the_creation_never_makes_a_second_campaign(self):
        campaign = self.make_campaign()
        self.sandbox.faults({"match": "POST /campaigns", "kind": "reset-after"})
        self.sync(campaign)
        self.assertFalse(campaign.campaign_master_ref)
        self.wait_is_over(campaign)
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        [remote] = self.remotes()
        self.assertEqual(campaign.campaign_master_ref, str(remote["id"]))

    def test_after_an_outage_create_again_makes_one_new_campaign(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        former = campaign.campaign_master_ref
        self.sandbox.control(f"campaigns/{former}", method="DELETE")
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_remote_status, "deleted")
        self.sandbox.faults({"match": "POST /campaigns", "kind": "reset-after"})
        self.sync(campaign, "create_again")
        self.assertEqual(campaign.campaign_master_sync_state, "running")
        self.assertFalse(campaign.campaign_master_ref)
        self.wait_is_over(campaign)
        self.push()
        [remote] = self.remotes()
        self.assertEqual(campaign.campaign_master_ref, str(remote["id"]))
        self.assertNotEqual(campaign.campaign_master_ref, former)

    # === PEOPLE MEANWHILE === #

    def during_creation(self, function):
        """While Campaign Master creates the campaign, something happens in Odoo."""
        create_campaign = CampaignMasterClient.create_campaign

        def create(client, *args):
            remote = create_campaign(client, *args)
            function()
            self.env.flush_all()
            return remote

        return patch.object(CampaignMasterClient, "create_campaign", create)

    def test_a_cancel_while_the_campaign_is_created_keeps_its_reference_and_adds_nobody(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        with self.during_creation(campaign.action_campaign_master_cancel):
            self.sync(campaign)
        [remote] = self.remotes()
        self.assertEqual(campaign.campaign_master_ref, str(remote["id"]))
        self.assertEqual(campaign.campaign_master_sync_state, "cancelled")
        self.assertEqual(self.sandbox.members(self.list_ref), [])
        self.sync(campaign)
        self.assertEqual(self.sandbox.members(self.list_ref), ["ann@example.com"])
        self.assertEqual(len(self.remotes()), 1)

    def test_a_campaign_deleted_in_odoo_meanwhile_does_not_stop_other_syncs(self):
        deleted, other = self.make_campaign(title="Deleted"), self.make_campaign(title="Other")
        self.add(deleted, self.make_contacts("ann@example.com"))
        self.add(other, self.make_contacts("bob@example.com"))
        self.press(deleted)
        self.press(other)
        with self.during_creation(lambda: deleted.exists().sudo().unlink()):
            self.push()
        self.assertFalse(deleted.exists())
        self.assertEqual(other.campaign_master_sync_state, "complete")
        self.assertEqual(self.sandbox.members(self.list_ref), ["bob@example.com"])

    def test_a_person_who_opts_out_after_the_start_is_not_added(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.press(campaign)
        self.export(campaign)
        self.env["campaign.master.optout"].sudo().create(
            {"account_id": self.account.id, "email": "ann@example.com"}
        )
        self.push()
        self.assertEqual(self.sandbox.members(self.list_ref), ["bob@example.com"])
        self.assertEqual(
            self.states(campaign), {"ann@example.com": "opted_out", "bob@example.com": "added"}
        )
        self.assertEqual(campaign.campaign_master_sync_state, "complete")


class TestQueue(CampaignMasterCase):
    """Several syncs at the same time."""

    def started(self, *emails, **values):
        campaign = self.make_campaign(**values)
        self.add(campaign, self.make_contacts(*emails))
        self.press(campaign)
        return campaign

    def recorded_calls(self, after_add=lambda: None):
        """Record the calls of the scheduled action, with one recipient in each.

        :param after_add: called after each call that adds recipients
        :return: the list of calls, and a context manager
        """
        calls = []
        add_recipients = CampaignMasterClient.add_recipients
        create_campaign = CampaignMasterClient.create_campaign

        def add(client, list_ref, emails):
            calls.append(emails[0])
            results = add_recipients(client, list_ref, emails)
            after_add()
            return results

        def create(client, reference, draft):
            calls.append(draft.name)
            return create_campaign(client, reference, draft)

        return calls, (
            patch.multiple(CampaignMasterClient, add_recipients=add, create_campaign=create),
            patch.object(wire, "MAX_RECIPIENTS", 1),
            # All calls take the same time.
            patch.object(account_ledger, "time", Mock(monotonic=lambda: 0.0)),
        )

    def other_account(self):
        """A second company with an account of its own.

        :return: a function that starts a sync there
        """
        self.sandbox.control("users", {"username": "two", "password": "secret"})
        template_ref, list_ref = (
            str(self.sandbox.control(things, {"name": "Two", "account": "two"})["id"])
            for things in ("templates", "lists")
        )
        env = self.env
        company = env["res.company"].sudo().create({"name": "Second Company"})
        self.marketer.sudo().company_ids += company
        self.env = self.account.sudo().env
        self.make_account(company, "two", "secret")
        self.env = env

        def start(title, *emails):
            self.env = env(context={**env.context, "allowed_company_ids": [company.id]})
            campaign = self.started(
                *emails,
                title=title,
                campaign_master_template_id=self.find("campaign.master.template", template_ref).id,
                campaign_master_list_id=self.find("campaign.master.list", list_ref).id,
            )
            self.env = env
            return campaign

        return start

    def test_a_new_sync_creates_its_campaign_before_the_next_batch_of_another_one(self):
        long = self.started("a1@example.com", "a2@example.com", "a3@example.com", title="Long")
        short = []

        def start_another():
            if not short:
                short.append(self.started("b1@example.com", title="Short"))
                self.env.flush_all()

        calls, (record, small, steady) = self.recorded_calls(start_another)
        with record, small, steady:
            self.push()
        self.assertEqual(calls[:3], ["Long", "a1@example.com", "Short"])
        self.assertEqual(len(calls), 6)
        for campaign in (long, *short):
            self.assertEqual(campaign.campaign_master_sync_state, "complete")

    def test_accounts_alternate(self):
        start = self.other_account()
        self.started("a1@example.com", "a2@example.com", "a3@example.com", title="One")
        start("Two", "b1@example.com", "b2@example.com", "b3@example.com")
        calls, (record, small, steady) = self.recorded_calls()
        with record, small, steady:
            self.push()
        added = [call[0] for call in calls if "@" in call]
        self.assertEqual(added, list("ababab"))

    def test_many_new_syncs_of_an_account_do_not_delay_the_others(self):
        start = self.other_account()
        for number in range(3):
            self.started(title=f"One {number}")
        start("Two")
        calls, (record, small, steady) = self.recorded_calls()
        with record, small, steady:
            self.push()
        self.assertEqual(sorted(calls[:2]), ["One 0", "Two"])

    # === ONE SYNC DOES NOT STOP THE OTHERS === #

    def assert_stops_alone(self, method, is_broken=lambda *args: True):
        """One sync stops with an unexpected error; the others complete in the same run."""
        bad = self.started("ann@example.com", title="Bad")
        good = self.started("bob@example.com", title="Good")
        Model = type(self.env[method[0]])
        original = getattr(Model, method[1])

        def broken(record, *args, **options):
            campaign = record if record._name == "utm.campaign" else record.campaign_id
            if campaign == bad and is_broken(*args):
                raise ZeroDivisionError
            return original(record, *args, **options)

        with (
            patch.object(Model, method[1], broken),
            self.assertLogs(campaign_master_sync.__name__, "ERROR") as logs,
        ):
            self.push()
        self.assertIn("ZeroDivisionError", logs.output[0])
        self.assertIn("Traceback", logs.output[0])
        self.assertEqual(good.campaign_master_sync_state, "complete")
        self.assertEqual(self.states(good), {"bob@example.com": "added"})
        return bad

    def test_an_unexpected_error_fails_only_its_own_sync(self):
        for method in ("_store_export", "_prepare_push", "_next_batch"):
            with self.subTest(method):
                members = self.sandbox.members(self.list_ref)
                self.sandbox.control(
                    f"lists/{self.list_ref}/members", {"emails": members}, "DELETE"
                )
                bad = self.assert_stops_alone(("campaign.master.sync", method))
                self.assertEqual(bad.campaign_master_sync_state, "failed")
                self.assertIn("Unexpected error", bad.campaign_master_sync_message)
                self.sync(bad)
                self.assertEqual(self.states(bad), {"ann@example.com": "added"})

    def test_an_error_while_handling_an_error_fails_only_its_own_sync(self):
        self.sandbox.faults({"match": "POST /campaigns", "kind": "400:name", "body": "Bad"})
        bad = self.assert_stops_alone(("campaign.master.sync", "_handle_error"))
        self.assertEqual(bad.campaign_master_sync_state, "failed")

    def test_a_sync_that_cannot_even_be_ended_is_tried_again_later(self):
        """For example because an automation rule on the result fails."""
        bad = self.assert_stops_alone(
            ("utm.campaign", "_campaign_master_store_sync"), lambda state, *args: state != "running"
        )
        self.assertEqual(bad.campaign_master_sync_state, "running")
        self.assertGreater(self.syncs(bad).next_at, fields.Datetime.now())
        self.wait_is_over(bad)
        self.push()
        self.assertEqual(bad.campaign_master_sync_state, "complete")
