"""How fast people open and click: the curve of a campaign, what is kept of it at each age, and the
comparison with other campaigns at the same age."""

import importlib.util
import json
from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.tools import file_path

from ..client import Activity
from ..models.campaign_master_age import AGES
from .test_history import DAY, HOUR, HistoryCase

NOTHING = {"opened": None, "clicked": None}


class ReactionsCase(HistoryCase):
    def at(self, campaign, name, age):
        """How many people had opened or clicked at an age, on the curve."""
        curve = campaign.campaign_master_history()["curve"]
        return curve[name][curve["age"].index(age)]

    def ages(self, campaign):
        """What is kept: opened and clicked by age."""
        rows = self.env["campaign.master.age"].search([("campaign_id", "=", campaign.id)])
        return {row.age: (row.opened, row.clicked) for row in rows}

    def time_passes(self, campaign, hours):
        """Everything happened some hours earlier, as far as Odoo knows."""
        campaign.sudo().campaign_master_sent_at -= hours * HOUR
        for line in self.lines(campaign).sudo():
            for name in ("first_open", "first_click"):
                line[name] = line[name] and line[name] - hours * HOUR

    def set_times(self, campaign, *times):
        """Set first open and first click of each recipient, in hours since the sending."""
        sent_at = campaign.campaign_master_sent_at
        for line, (opened, clicked) in zip(self.lines(campaign).sudo(), times, strict=True):
            line.first_open = opened is not None and sent_at + timedelta(hours=opened)
            line.first_click = clicked is not None and sent_at + timedelta(hours=clicked)
        campaign.sudo()._campaign_master_keep_sums()
        self.env.flush_all()


class TestCurve(ReactionsCase):
    def test_people_are_counted_from_their_first_open_and_first_click(self):
        emails = [f"{name}@example.com" for name in ("ann", "bob", "cat", "dan")]
        campaign = self.sent_campaign(self.make_contacts(*emails), hours=50)
        self.react(campaign, "ann@example.com", "open", after=0.5, hours=50)
        self.react(campaign, "ann@example.com", "open", after=40, hours=50)
        self.react(campaign, "bob@example.com", "open", after=2.5, hours=50)
        self.react(campaign, "bob@example.com", "click", after=2.6, hours=50)
        self.react(campaign, "bob@example.com", "click", after=20, hours=50)
        # Pictures were not loaded.
        self.react(campaign, "cat@example.com", "click", after=30.5, hours=50)
        self.pull()
        expected = {0: (0, 0), 1: (1, 0), 2: (1, 0), 3: (2, 1), 24: (2, 1), 30: (2, 1), 31: (3, 2)}
        for age, (opened, clicked) in expected.items():
            with self.subTest(age=age):
                self.assertEqual(self.at(campaign, "opened", age), opened)
                self.assertEqual(self.at(campaign, "clicked", age), clicked)
        curve = campaign.campaign_master_history()["curve"]
        self.assertEqual((curve["opened"][-1], curve["clicked"][-1]), (3, 2))
        self.assertEqual((curve["delivered"], curve["untimed"]), (4, 0))

    def test_people_who_share_an_address_count_once(self):
        office, twin, ann = self.make_contacts("office@x.com", "Office@x.com", "ann@x.com")
        lead = self.env["crm.lead"].create({"name": "Lea", "email_from": "OFFICE@x.com"})
        campaign = self.make_campaign()
        self.add(campaign, office + twin + ann)
        self.add(campaign, lead)
        self.sync(campaign)
        self.send(campaign)
        self.react(campaign, "office@x.com", "click", after=1.5)
        self.pull()
        self.assertEqual(
            self.lines(campaign).filtered("click_count").mapped("is_twin").count(True), 2
        )
        curve = campaign.campaign_master_history()["curve"]
        self.assertEqual(curve["opened"][-1], 1)
        self.assertEqual(curve["clicked"][-1], 1)
        self.assertEqual(curve["delivered"], 2)
        self.assertEqual(self.ages(campaign), {1: (0, 0), 3: (1, 1)})

    def test_points_are_hourly_for_two_days_then_four_a_day_then_daily(self):
        campaign = self.sent_campaign(hours=10 * 24 + 1)
        self.pull()
        ages = campaign.campaign_master_history()["curve"]["age"]
        self.assertEqual(ages[:49], list(range(49)))
        self.assertEqual(ages[49:52], [54, 60, 66])
        self.assertEqual(ages[-5:-1], [168, 192, 216, 240])
        self.assertAlmostEqual(ages[-1], 241, delta=0.05)

    def test_a_point_counts_what_happened_before_its_age(self):
        campaign = self.sent_campaign(hours=5)
        self.pull()
        second = 1 / 3600
        self.set_times(campaign, (1 - second, None), (1, None))
        self.assertEqual([self.at(campaign, "opened", age) for age in (0, 1, 2)], [0, 1, 2])

    def test_what_happened_before_the_sending_counts_from_the_start(self):
        campaign = self.sent_campaign(hours=5)
        self.pull()
        self.set_times(campaign, (-0.1, None), (-30, 0.5))
        self.assertEqual([self.at(campaign, "opened", age) for age in (0, 1)], [2, 2])
        self.assertEqual([self.at(campaign, "clicked", age) for age in (0, 1)], [0, 1])

    def test_who_reacted_at_an_unknown_time_is_not_on_the_curve_but_told(self):
        campaign = self.sent_campaign(hours=5)
        self.pull()
        self.set_times(campaign, (1, None), (None, None))
        self.lines(campaign).sudo().open_count = 1
        campaign.sudo()._campaign_master_keep_sums()
        curve = campaign.campaign_master_history()["curve"]
        self.assertEqual((curve["opened"][-1], curve["untimed"]), (1, 1))

    def test_the_age_of_a_campaign_that_is_not_dated_counts_from_when_odoo_saw_it(self):
        campaign = self.sent_campaign(hours=5)
        self.pull()
        work = self.work(campaign)
        campaign.sudo().campaign_master_sent_at = False
        work.seen_sent_at = campaign.campaign_master_statistics_at - 2 * HOUR
        self.assertEqual(campaign.campaign_master_history()["curve"]["age"][-1], 2)
        # It may have been sent long before.
        work.seen_unsent_at = False
        self.assertIsNone(campaign.campaign_master_history()["curve"])

    def test_before_the_sending_there_is_no_curve(self):
        campaign = self.make_campaign()
        empty = {
            "sent_at": None,
            "read_at": None,
            "curve": None,
            "totals": [],
            "comparison": NOTHING,
        }
        self.assertEqual(campaign.campaign_master_history(), empty)
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.pull()
        self.assertIsNone(campaign.campaign_master_history()["curve"])

    def test_the_browser_can_read_all_of_it(self):
        campaign = self.sent_campaign()
        self.react(campaign, "ann@example.com")
        self.pull()
        history = campaign.campaign_master_history()
        self.assertEqual(json.loads(json.dumps(history)), history)

    def test_the_number_of_statements_does_not_depend_on_recipients_or_history(self):
        counts = []
        for number in (3, 60):
            emails = [f"person{place}.of{number}@example.com" for place in range(number)]
            campaign = self.sent_campaign(self.make_contacts(*emails), title=str(number))
            self.pull()
            for email in emails[: number // 3]:
                self.react(campaign, email, "click")
                self.make_due(campaign)
                self.run_cron("pull_statistics")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            campaign.campaign_master_history()
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(*counts)


class TestAges(ReactionsCase):
    """How many people had opened and clicked at 1, 3, 6 … hours is kept."""

    def test_what_people_had_done_at_each_age_is_kept(self):
        hours = 8 * 24
        emails = [f"person{number}@example.com" for number in range(4)]
        campaign = self.sent_campaign(self.make_contacts(*emails), hours=hours)
        for email, kind, after in (
            (emails[0], "open", 0.5),
            (emails[0], "click", 2),
            (emails[1], "click", 7),
            (emails[2], "open", 47),
            (emails[3], "open", 7 * 24 + 5),
        ):
            self.react(campaign, email, kind, after, hours)
        self.pull()
        self.assertEqual(
            self.ages(campaign),
            {
                1: (1, 0),
                3: (1, 1),
                6: (1, 1),
                12: (2, 2),
                24: (2, 2),
                48: (3, 2),
                96: (3, 2),
                168: (3, 2),
            },
        )
        rows = self.env["campaign.master.age"].search([])
        self.assertEqual(set(rows.mapped("delivered")), {4})
        self.assertEqual(rows[-1].opened_rate, 75)
        self.assertEqual(rows[-1].clicked_rate, 50)

    def test_an_age_is_kept_by_the_reading_that_passes_it_even_if_nothing_changed(self):
        campaign = self.sent_campaign(hours=0.8)
        self.react(campaign, "ann@example.com", after=0.5, hours=0.8)
        self.pull()
        self.pull()
        self.assertEqual(self.ages(campaign), {})
        self.time_passes(campaign, 0.5)
        self.assertEqual(self.ages(campaign), {})
        self.pull()
        self.assertEqual(self.ages(campaign), {1: (1, 0)})
        self.assertEqual(len(self.snapshots(campaign)), 1)
        self.time_passes(campaign, 10)
        self.pull()
        self.assertEqual(list(self.ages(campaign)), [1, 3, 6])

    def test_a_late_report_corrects_what_was_kept(self):
        campaign = self.sent_campaign(hours=5)
        self.pull()
        self.pull()
        self.assertEqual(self.ages(campaign), {1: (0, 0), 3: (0, 0)})
        self.react(campaign, "ann@example.com", "open", after=2)
        self.pull()
        self.assertEqual(self.ages(campaign), {1: (0, 0), 3: (1, 0)})

    def test_what_people_do_later_does_not_count_all_again(self):
        campaign = self.sent_campaign(hours=5)
        self.react(campaign, "ann@example.com", "open", after=2)
        self.pull()
        recipients = type(self.env["campaign.master.recipient"])
        with patch.object(recipients, "_count", side_effect=AssertionError("Counted again")):
            # After the last age that is kept, and once more.
            self.react(campaign, "bob@example.com", "click", after=4)
            self.react(campaign, "ann@example.com", "open", after=4.5)
            self.pull()
            self.pull()
        self.assertEqual(len(self.snapshots(campaign)), 2)
        self.assertEqual(self.ages(campaign), {1: (0, 0), 3: (1, 0)})
        self.assertEqual(campaign.campaign_master_history()["curve"]["clicked"][-1], 1)

    def test_what_is_withdrawn_no_longer_counts(self):
        campaign = self.sent_campaign(hours=5)
        self.react(campaign, "ann@example.com", "click", after=0.5)
        self.pull()
        self.assertEqual(self.ages(campaign), {1: (1, 1), 3: (1, 1)})
        # Campaign Master recognizes a machine.
        nothing = Activity("ann@example.com", 0, 0, 0, 0, None, None, None, None, False, False)
        self.env["campaign.master.recipient"].sudo()._ingest(campaign.sudo(), [nothing])
        campaign.sudo()._campaign_master_keep_history()
        self.assertEqual(self.ages(campaign), {1: (0, 0), 3: (0, 0)})

    def test_a_correction_on_the_first_of_several_pages_counts(self):
        emails = [f"person{number}@example.com" for number in range(5)]
        campaign = self.sent_campaign(self.make_contacts(*emails), hours=5)
        self.pull()
        self.pull()
        self.react(campaign, emails[0], "open", after=0.5)
        for email in emails[1:]:
            self.react(campaign, email, "open", after=4)
        self.sandbox.control("settings", {"pageCap": 2})
        self.make_due(campaign)
        self.run_one_call()
        self.run_one_call()
        self.assertEqual(self.work(campaign).read_step, "activity")
        self.assertEqual(self.ages(campaign), {1: (0, 0), 3: (0, 0)})
        self.run_cron("pull_statistics")
        self.assertEqual(self.ages(campaign), {1: (1, 0), 3: (1, 0)})

    def test_a_bounce_that_is_reported_later_changes_the_share(self):
        campaign = self.sent_campaign(hours=2)
        self.react(campaign, "ann@example.com", "open", after=0.5, hours=2)
        self.pull()
        [row] = self.env["campaign.master.age"].search([])
        self.assertEqual(row.opened_rate, 50)
        self.react(campaign, "bob@example.com", "bounce")
        self.pull()
        self.assertEqual((row.delivered, row.opened_rate), (1, 100))

    def test_removed_recipients_no_longer_count(self):
        campaign = self.sent_campaign(hours=2)
        self.react(campaign, "ann@example.com", "click", after=0.5, hours=2)
        self.pull()
        self.assertEqual(self.ages(campaign), {1: (1, 1)})
        self.lines(campaign).filtered("click_count").unlink()
        self.assertEqual(self.ages(campaign), {1: (0, 0)})

    def test_without_times_it_is_not_known_what_people_had_done(self):
        campaign = self.sent_campaign(hours=5)
        self.pull()
        self.lines(campaign).sudo().open_count = 1
        campaign.sudo()._campaign_master_keep_sums()
        self.env["campaign.master.age"].sudo()._keep(campaign.sudo())
        rows = self.env["campaign.master.age"].search([])
        self.assertEqual(rows.mapped("age"), [1, 3])
        for name in ("opened", "clicked", "opened_rate", "clicked_rate"):
            # Nobody had opened it by then would be 0.
            self.assertEqual([value is False for value in rows.mapped(name)], [True, True], name)
        self.assertEqual(campaign.campaign_master_history()["comparison"], NOTHING)

    def test_ages_that_it_had_not_reached_after_all_go(self):
        campaign = self.sent_campaign(hours=5)
        self.react(campaign, "ann@example.com", "open", after=4.5)
        self.pull()
        self.assertEqual(self.ages(campaign), {1: (0, 0), 3: (0, 0)})
        # Campaign Master had named the time when it began, and now names that when it ended.
        campaign.sudo().campaign_master_sent_at += 3 * HOUR
        campaign.sudo()._campaign_master_keep_sums()
        self.pull()
        self.assertEqual(self.ages(campaign), {1: (0, 0)})
        campaign.sudo().campaign_master_sent_at += 1.5 * HOUR
        self.pull()
        self.assertEqual(self.ages(campaign), {})

    def test_keeping_takes_as_many_statements_for_many_people_as_for_few(self):
        counts = []
        for number in (3, 60):
            emails = [f"person{place}.of{number}@example.com" for place in range(number)]
            campaign = self.sent_campaign(self.make_contacts(*emails), title=str(number))
            self.pull()
            for email in emails[: number // 2]:
                self.react(campaign, email, "click", after=0.5)
            self.correct(campaign, opens=1)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.make_due(campaign)
            self.run_cron("pull_statistics")
            counts.append(self.cr.sql_log_count - before)
            self.assertEqual(self.ages(campaign)[1], (number // 2, number // 2))
            self.work(campaign).next_poll_at = False
        self.assertEqual(*counts)

    def test_what_has_not_changed_is_not_written(self):
        campaign = self.sent_campaign(hours=5)
        self.react(campaign, "ann@example.com", after=0.5)
        self.pull()

        def locations():
            self.env.flush_all()
            self.env.cr.execute("SELECT id, ctid FROM campaign_master_age ORDER BY id")
            return self.env.cr.fetchall()

        before = locations()
        self.react(campaign, "ann@example.com")
        self.pull()
        self.assertEqual(len(self.snapshots(campaign)), 2)
        self.assertEqual(locations(), before)


class TestComparison(ReactionsCase):
    """Opened % and clicked % against the median of the last campaigns, at the same age."""

    def setUp(self):
        super().setUp()
        self.emails = [f"person{number}@example.com" for number in range(50)]
        self.people = self.make_contacts(*self.emails)
        self.number = 0

    def make_old(self, opened, clicked=0, delivered=50, age=24, **values):
        """Another campaign, of which this is kept. Each is sent a day after the one before."""
        self.number += 1
        campaign = values.pop("campaign", None) or self.make_campaign(title=f"Old {self.number}")
        return (
            self.env["campaign.master.age"]
            .sudo()
            .create(
                {
                    "campaign_id": campaign.id,
                    "age": age,
                    "sent_at": fields.Datetime.now() - (500 - self.number) * DAY,
                    "delivered": delivered,
                    "opened": opened,
                    "clicked": clicked,
                    **values,
                }
            )
        )

    def sent_campaign_of(self, opened, clicked, hours=25, **values):
        """A campaign to 50 people, some of whom opened and clicked within the first hour."""
        campaign = self.sent_campaign(self.people, hours, **values)
        events = [
            {"email": email, "kind": kind, "at": at}
            for kind, number in (("open", opened), ("click", clicked))
            for email in self.emails[:number]
            for at in [f"{fields.Datetime.now() - (hours - 0.5) * HOUR:%Y-%m-%dT%H:%M:%SZ}"]
        ]
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}/activity", events)
        return campaign

    def compare(self, campaign):
        return campaign.campaign_master_history()["comparison"]

    def test_the_median_is_of_campaigns_that_were_really_sent(self):
        # Shares: 10, 20, 30, 40, 60 % opened; 0, 2, 4, 6, 8 % clicked.
        for number, opened in enumerate((30, 5, 20, 10, 15)):
            self.sent_campaign_of(opened, number, hours=30 * 24, title=f"Campaign {number}")
        campaign = self.sent_campaign_of(20, 1)
        self.pull()
        comparison = self.compare(campaign)
        self.assertEqual(
            comparison["opened"],
            {"value": 40, "median": 30, "difference": 10, "campaigns": 5, "age": 24},
        )
        self.assertEqual(
            comparison["clicked"],
            {"value": 2, "median": 4, "difference": -2, "campaigns": 5, "age": 24},
        )

    def test_with_fewer_than_five_others_there_is_no_comparison(self):
        campaign = self.sent_campaign_of(20, 1)
        self.pull()
        self.assertEqual(self.compare(campaign), NOTHING)
        for _number in range(4):
            self.make_old(10)
        self.assertEqual(self.compare(campaign), NOTHING)
        self.make_old(10)
        self.assertEqual(self.compare(campaign)["opened"]["difference"], 20)

    def test_the_same_age_is_compared(self):
        campaign = self.sent_campaign_of(20, 1, hours=4)
        self.pull()
        for _number in range(5):
            self.make_old(40, age=24)
        self.assertEqual(self.compare(campaign), NOTHING)
        for _number in range(6):
            self.make_old(5, age=3)
        opened = self.compare(campaign)["opened"]
        self.assertEqual((opened["median"], opened["age"], opened["campaigns"]), (10, 3, 6))

    def test_in_the_first_hour_there_is_no_comparison(self):
        campaign = self.sent_campaign(self.people, hours=0.9)
        self.pull()
        for age in AGES:
            for _number in range(5):
                self.make_old(5, age=age)
        self.assertEqual(self.compare(campaign), NOTHING)

    def test_only_the_last_ten_count(self):
        for _number in range(10):
            self.make_old(50)
        for opened in (5, 5, 5, 5, 10, 15, 20, 20, 20, 20):
            self.make_old(opened)
        campaign = self.sent_campaign_of(20, 1)
        self.pull()
        opened = self.compare(campaign)["opened"]
        # Between the fifth and the sixth: 20 % and 30 %.
        self.assertEqual((opened["median"], opened["campaigns"]), (25, 10))

    def test_small_campaigns_do_not_count(self):
        for _number in range(5):
            self.make_old(10)
            self.make_old(49, delivered=49)
        campaign = self.sent_campaign_of(20, 1)
        self.pull()
        opened = self.compare(campaign)["opened"]
        self.assertEqual((opened["median"], opened["campaigns"]), (20, 5))

    def test_campaigns_of_another_account_do_not_count(self):
        company = self.account.env["res.company"].create({"name": "Second Company"})
        account = self.account.create({"company_id": company.id})
        for _number in range(5):
            self.make_old(10)
            other = self.account.env["utm.campaign"].create(
                {"title": "Theirs", "campaign_master_account_id": account.id}
            )
            self.make_old(50, campaign=other)
        campaign = self.sent_campaign_of(20, 1)
        self.pull()
        opened = self.compare(campaign)["opened"]
        self.assertEqual((opened["median"], opened["campaigns"]), (20, 5))

    def test_campaigns_without_times_do_not_count(self):
        for _number in range(5):
            self.make_old(10)
            self.make_old(False, False)
        campaign = self.sent_campaign_of(20, 1)
        self.pull()
        opened = self.compare(campaign)["opened"]
        self.assertEqual((opened["median"], opened["campaigns"]), (20, 5))

    def test_archived_campaigns_count(self):
        for _number in range(5):
            self.make_old(10).campaign_id.active = False
        campaign = self.sent_campaign_of(20, 1)
        self.pull()
        self.assertTrue(self.compare(campaign)["opened"])

    def test_a_campaign_that_was_delivered_to_nobody_is_not_compared(self):
        for _number in range(5):
            self.make_old(10)
        campaign = self.make_campaign()
        self.sync(campaign)
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["stranger@example.com"]})
        self.send(campaign, hours=25)
        self.pull()
        self.assertTrue(self.ages(campaign))
        self.assertEqual(self.compare(campaign), NOTHING)


class TestHistoryAfterUpgrade(ReactionsCase):
    """An upgrade starts the history of each campaign."""

    def upgrade(self):
        path = file_path("campaign_master/migrations/19.0.1.5.0/post-migrate.py")
        spec = importlib.util.spec_from_file_location("post_migrate", path)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        script._start_history(api.Environment(self.env.cr, SUPERUSER_ID, {}))
        self.env.invalidate_all()

    def test_it_starts_with_todays_figures_and_all_ages(self):
        old = self.sent_campaign(hours=30 * 24)
        self.react(old, "ann@example.com", "click", after=5, hours=30 * 24)
        young = self.sent_campaign(title="Young", hours=2)
        archived = self.sent_campaign(title="Archived", hours=2)
        draft = self.make_campaign(title="Draft")
        self.pull()
        archived.active = False
        for model in ("campaign.master.snapshot", "campaign.master.age"):
            self.env[model].sudo().search([]).unlink()
        for _time in range(2):
            self.upgrade()
            self.assertEqual(self.snapshots(old).mapped("clicks"), [1])
            self.assertEqual(self.snapshots(old).at, old.campaign_master_statistics_at)
            self.assertEqual(len(self.snapshots(archived)), 1)
            self.assertFalse(self.snapshots(draft))
            self.assertEqual(self.ages(old), {age: (int(age > 5), int(age > 5)) for age in AGES})
            self.assertEqual(self.ages(young), {1: (0, 0)})
        self.pull()
        self.assertEqual(len(self.snapshots(old)), 1)
