"""A campaign's figures over time: one row for each reading that changed one of them."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from odoo.addons.base.models import ir_cron
from odoo.addons.base.models.ir_autovacuum import is_autovacuum

from ..models.campaign_master_campaign_statistics import CampaignMasterCampaign
from ..models.utm_campaign_results import FIGURES
from .common import CampaignMasterCase
from .test_pull import WIRE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MARKETING = "mass_mailing.group_mass_mailing_user"
READING = "odoo.addons.campaign_master.models.campaign_master_campaign_statistics"


class HistoryCase(CampaignMasterCase):
    def synced_campaign(self, people=None, **values):
        campaign = self.make_campaign(**values)
        self.add(campaign, people or self.make_contacts("ann@example.com", "bob@example.com"))
        self.sync(campaign)
        return campaign

    def send(self, campaign, hours=5, list_ref=None):
        """Campaign Master has sent the campaign some hours ago, and nobody has reacted yet."""
        options = {"minutesAgo": hours * 60, "quiet": True}
        list_ref = list_ref or self.list_ref
        self.sandbox.send(campaign.campaign_master_ref, list_ref, minutes=0.01, **options)

    def sent_campaign(self, people=None, hours=5, **values):
        campaign = self.synced_campaign(people, **values)
        self.send(campaign, hours)
        return campaign

    def react(self, campaign, email, kind="open", after=None, hours=5):
        """A recipient does something: now, or so many hours after the sending."""
        values = {"email": email, "kind": kind}
        if after is not None:
            at = fields.Datetime.now() + (after - hours) * HOUR
            values["at"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}/activity", values)

    def correct(self, campaign, **differences):
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}/correct", differences)

    def remote_statistics(self, campaign):
        [statistics] = [
            remote["statistics"]
            for remote in self.sandbox.state()["campaigns"]
            if str(remote["id"]) == campaign.campaign_master_ref
        ]
        return statistics

    def snapshots(self, campaign):
        """The campaign's history, oldest first."""
        snapshots = self.env["campaign.master.snapshot"]
        return snapshots.search([("campaign_id", "=", campaign.id)], order="at, id")

    def run_one_call(self):
        """A run of the scheduled action that has time for one call only."""
        with patch.multiple(ir_cron, MIN_TIME_PER_JOB=0, MIN_RUNS_PER_JOB=1):
            self.run_cron("pull_statistics")

    def make_due(self, campaign):
        self.work(campaign).next_poll_at = fields.Datetime.now()


class TestSnapshots(HistoryCase):
    def test_each_reading_that_changed_a_figure_is_kept(self):
        campaign = self.sent_campaign()
        self.pull()
        [first] = self.snapshots(campaign)
        self.react(campaign, "ann@example.com")
        self.pull()
        self.react(campaign, "ann@example.com")
        self.react(campaign, "bob@example.com", "click")
        self.pull()
        history = self.snapshots(campaign)
        self.assertEqual(history[0], first)
        self.assertEqual(history.mapped("sent"), [2, 2, 2])
        self.assertEqual(history.mapped("opens"), [0, 1, 2])
        self.assertEqual(history.mapped("unique_opens"), [0, 1, 1])
        self.assertEqual(history.mapped("clicks"), [0, 0, 1])

    def test_the_figures_are_those_of_campaign_master_at_that_time(self):
        people = self.make_contacts(*(f"person{number}@example.com" for number in range(100)))
        campaign = self.synced_campaign(people)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, minutesAgo=2880, seed=7)
        self.pull()
        [snapshot] = self.snapshots(campaign)
        remote = self.remote_statistics(campaign)
        self.assertEqual(
            {name: snapshot[name] for name in FIGURES},
            {name: remote.get(WIRE[name], 0) for name in FIGURES},
        )
        self.assertGreater(snapshot.opens, snapshot.unique_opens)
        self.assertEqual(snapshot.at, campaign.campaign_master_statistics_at)
        self.assertAlmostEqual(snapshot.age, 48 * 3600, delta=60)

    def test_a_snapshot_has_every_figure_of_the_campaign(self):
        fields_of_campaign = self.env["utm.campaign"].fields_get()
        fields_of_snapshot = self.env["campaign.master.snapshot"].fields_get()
        for name in FIGURES:
            self.assertEqual(
                fields_of_snapshot[name]["string"],
                fields_of_campaign[f"campaign_master_{name}"]["string"],
            )

    def test_a_reading_without_changes_is_not_kept(self):
        campaign = self.sent_campaign()
        for _time in range(4):
            self.pull()
        self.refresh(campaign)
        self.assertEqual(len(self.snapshots(campaign)), 1)

    def test_readings_before_the_sending_are_not_kept(self):
        campaign = self.synced_campaign()
        self.pull()
        self.pull()
        self.assertFalse(self.snapshots(campaign))

    def test_a_figure_that_falls_is_taken_over_and_the_history_shows_it(self):
        campaign = self.sent_campaign()
        for _time in range(3):
            self.react(campaign, "ann@example.com")
        self.pull()
        self.correct(campaign, opens=-2)
        self.pull()
        self.assertEqual(self.snapshots(campaign).mapped("opens"), [3, 1])
        self.assertEqual(campaign.campaign_master_opens, 1)

    def test_a_figure_that_was_not_reported_is_not_zero(self):
        campaign = self.sent_campaign()
        self.pull()
        self.sandbox.control("dialect", {"figures": "sent opens uniqueOpens"})
        self.react(campaign, "ann@example.com")
        self.pull()
        told, untold = self.snapshots(campaign)
        self.assertEqual((told.complaints, untold.complaints), (0, False))
        self.assertIsNot(told.complaints, False)
        self.assertIs(untold.complaints, False)
        self.assertEqual(untold.opens, 1)
        last = campaign.campaign_master_history()["totals"][-1]
        self.assertEqual((last["opens"], last["complaints"]), (1, None))

    def test_a_snapshot_of_before_the_sending_has_no_age(self):
        campaign = self.synced_campaign()
        self.refresh(campaign)
        [snapshot] = self.snapshots(campaign)
        self.assertIs(snapshot.age, False)
        self.assertIsNone(campaign.campaign_master_history()["totals"][0]["age"])
        self.send(campaign)
        self.pull()
        before, after = self.snapshots(campaign).sudo()
        after.at = before.at + 3 * HOUR
        campaign.sudo().campaign_master_sent_at = before.at + HOUR
        ages = [totals["age"] for totals in campaign.campaign_master_history()["totals"]]
        self.assertEqual(ages, [None, 2])

    def test_the_last_page_of_activity_completes_the_reading_and_its_snapshot(self):
        campaign = self.sent_campaign(
            self.make_contacts(*(f"person{number}@example.com" for number in range(5)))
        )
        for number in range(5):
            self.react(campaign, f"person{number}@example.com")
        self.sandbox.control("settings", {"pageCap": 2})
        self.make_due(campaign)
        counts = []
        # Statistics, status and three pages.
        for _call in range(5):
            self.run_one_call()
            counts.append(len(self.snapshots(campaign)))
        self.assertEqual(counts, [0, 0, 0, 0, 1])
        self.assertEqual(self.snapshots(campaign).opens, 5)

    def test_a_reading_that_starts_over_has_one_snapshot(self):
        campaign = self.sent_campaign(
            self.make_contacts(*(f"person{number}@example.com" for number in range(5)))
        )
        for number in range(5):
            self.react(campaign, f"person{number}@example.com")
        self.sandbox.control("settings", {"pageCap": 2})
        self.make_due(campaign)
        for _call in range(3):
            self.run_one_call()
        self.react(campaign, "person0@example.com")
        self.refresh(campaign)
        self.assertEqual(self.snapshots(campaign).mapped("opens"), [6])

    def test_a_server_that_is_killed_before_the_commit_leaves_no_second_row(self):
        campaign = self.sent_campaign(hours=5)
        self.react(campaign, "ann@example.com")
        killed = patch.object(
            CampaignMasterCampaign, "_end_reading", side_effect=ValueError("Killed on purpose")
        )
        with killed, self.assertLogs(READING, "ERROR"):
            self.pull()
        self.assertEqual(campaign.campaign_master_opens, 1)
        self.assertFalse(self.snapshots(campaign))
        self.assertFalse(self.env["campaign.master.age"].search([]))
        self.pull()
        self.assertEqual(self.snapshots(campaign).mapped("opens"), [1])
        ages = self.env["campaign.master.age"].search([])
        self.assertEqual(ages.mapped("age"), [1, 3])

    def test_a_campaign_that_is_created_again_starts_a_new_history(self):
        campaign = self.sent_campaign()
        self.react(campaign, "ann@example.com")
        self.pull()
        self.assertTrue(campaign.campaign_master_history()["totals"])
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.pull()
        self.assertEqual(campaign.campaign_master_remote_status, "deleted")
        # What is known of it is still there.
        self.assertTrue(campaign.campaign_master_history()["curve"])
        self.sync(campaign, "create_again")
        self.assertFalse(self.snapshots(campaign))
        self.assertFalse(self.env["campaign.master.age"].search([]))
        self.send(campaign, hours=2)
        self.pull()
        self.assertEqual(self.snapshots(campaign).mapped("opens"), [0])
        self.assertEqual(self.env["campaign.master.age"].search([]).mapped("age"), [1])

    def test_the_history_goes_with_its_campaign(self):
        campaign, other = self.sent_campaign(), self.sent_campaign(title="Other")
        self.pull()
        campaign.unlink()
        for model in ("campaign.master.snapshot", "campaign.master.age"):
            self.assertEqual(self.env[model].search([]).campaign_id, other)

    def test_a_copy_has_no_history(self):
        campaign = self.sent_campaign()
        self.pull()
        self.assertFalse(self.snapshots(campaign.copy()))

    def test_the_totals_are_returned_with_their_ages(self):
        campaign = self.sent_campaign(hours=6)
        self.pull()
        self.react(campaign, "ann@example.com", "click")
        self.pull()
        history = campaign.campaign_master_history()
        first, second = history["totals"]
        self.assertEqual((first["clicks"], second["clicks"]), (0, 1))
        self.assertAlmostEqual(first["age"], 6, delta=0.05)
        self.assertEqual(second["at"], history["read_at"])
        self.assertLessEqual({"at", "age", *FIGURES}, second.keys())


class TestThinning(HistoryCase):
    """All snapshots of 14 days are kept, then one a day for 13 months."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.midnight = fields.Datetime.now().replace(hour=0, minute=0, second=0)

    def make(self, at, campaign=None):
        snapshots = self.env["campaign.master.snapshot"].sudo()
        campaign = campaign or self.campaign
        return snapshots.create({"campaign_id": campaign.id, "at": at, "sent": 1})

    def clean_up(self, **context):
        self.env["campaign.master.snapshot"].sudo().with_context(**context)._gc_snapshots()

    def test_all_of_the_last_14_days_are_kept(self):
        kept = [self.make(self.midnight - 14 * DAY + hours * HOUR) for hours in range(24)]
        kept += [self.make(self.midnight + MINUTE), self.make(self.midnight + 2 * MINUTE)]
        self.clean_up()
        self.assertEqual(len(self.snapshots(self.campaign)), len(kept))

    def test_of_older_days_the_last_one_is_kept(self):
        for days in (15, 40):
            for hours in range(24):
                self.make(self.midnight - days * DAY + hours * HOUR)
        self.clean_up()
        self.assertEqual(
            self.snapshots(self.campaign).mapped("at"),
            [self.midnight - days * DAY + 23 * HOUR for days in (40, 15)],
        )
        self.clean_up()
        self.assertEqual(len(self.snapshots(self.campaign)), 2)

    def test_of_two_at_the_same_second_one_is_kept(self):
        day = self.midnight - 20 * DAY
        _first, second = self.make(day), self.make(day)
        self.clean_up()
        self.assertEqual(self.snapshots(self.campaign), second.with_env(self.env))

    def test_a_day_is_that_of_utc_in_any_time_zone(self):
        day = self.midnight - 30 * DAY
        kept = [day - MINUTE, day + 24 * HOUR - MINUTE, day + 24 * HOUR]
        for at in (day - MINUTE, day, day + 12 * HOUR, *kept[1:]):
            self.make(at)
        for tz in ("Pacific/Auckland", "America/Los_Angeles"):
            self.env.user.tz = tz
            self.clean_up(tz=tz)
            self.assertEqual(self.snapshots(self.campaign).mapped("at"), kept)

    def test_each_campaign_is_thinned_for_itself(self):
        other = self.make_campaign(title="Other")
        at = self.midnight - 30 * DAY
        self.make(at)
        self.make(at + HOUR, other)
        self.clean_up()
        self.assertTrue(self.snapshots(self.campaign))
        self.assertTrue(self.snapshots(other))

    def test_after_13_months_they_go(self):
        self.make(self.midnight - 398 * DAY)
        young = self.make(self.midnight - 390 * DAY)
        self.clean_up()
        self.assertEqual(self.snapshots(self.campaign), young.with_env(self.env))

    def test_odoo_cleans_up_by_itself(self):
        self.assertTrue(is_autovacuum(type(self.env["campaign.master.snapshot"])._gc_snapshots))


class TestHistoryAccess(HistoryCase):
    """Email Marketing users of the account's company see the history, and nobody changes it."""

    MODELS = ("campaign.master.snapshot", "campaign.master.age")

    def setUp(self):
        super().setUp()
        self.campaign = self.sent_campaign()
        self.react(self.campaign, "ann@example.com")
        self.pull()

    def test_marketing_users_read_it_and_do_not_change_it(self):
        for model in self.MODELS:
            rows = self.env[model].search([])
            self.assertTrue(rows.read())
            for change in (
                lambda rows=rows: rows.write({"campaign_id": self.campaign.id}),
                lambda rows=rows: rows.unlink(),
                lambda rows=rows: rows.create({"campaign_id": self.campaign.id}),
            ):
                with self.assertRaises(AccessError):
                    change()

    def test_without_email_marketing_there_is_no_history(self):
        system = self.account.env
        for groups in ("base.group_user", "base.group_user,sales_team.group_sale_manager"):
            user = new_test_user(system, f"user.{len(groups)}", groups)
            for model in self.MODELS:
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user)._read_group([], [], ["__count"])
            mine = self.campaign.with_user(user)
            for method in (
                mine.campaign_master_history,
                mine._campaign_master_curve,
                mine._campaign_master_totals,
                mine._campaign_master_comparison,
            ):
                with self.assertRaises(AccessError):
                    method()

    def test_another_company_has_its_own_history_only(self):
        first_env, values = self.work_in_second_company(f"{MARKETING},base.group_partner_manager")
        own = self.synced_campaign(**values)
        self.send(own, list_ref=own.campaign_master_list_id.ref)
        self.pull()
        for model in self.MODELS:
            self.assertEqual(self.env[model].search([]).campaign_id, own)
            self.assertEqual(first_env[model].search([]).campaign_id, self.campaign)
            counts = self.env[model]._read_group([], ["campaign_id"], ["__count"])
            self.assertEqual([campaign for campaign, _count in counts], [own])
        with self.assertRaises(AccessError):
            self.campaign.with_env(self.env).campaign_master_history()
        self.assertTrue(own.campaign_master_history()["curve"])

    def test_who_may_not_see_leads_gets_the_same_numbers(self):
        lead = self.env["crm.lead"].create({"name": "Lea", "email_from": "lea@example.com"})
        campaign = self.sent_campaign(lead, title="To leads")
        self.react(campaign, "lea@example.com", "click")
        self.pull()
        user = new_test_user(self.account.env, "nolead", MARKETING)
        self.assertFalse(self.lines(campaign).with_user(user).search([("lead_id", "!=", False)]))
        history = campaign.with_user(user).campaign_master_history()
        self.assertEqual(history["curve"]["clicked"][-1], 1)
        self.assertEqual(history["curve"]["delivered"], 1)
        self.assertEqual(history, campaign.campaign_master_history())
