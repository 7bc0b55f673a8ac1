"""Reporting › Campaign Master: who may see which report, and what each figure is."""

from ast import literal_eval
from datetime import timedelta
from unittest.mock import patch

import pytz

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..models import campaign_master_recipient_report_hours as hours
from .common import BrowserCase
from .test_results import MARKETING, OWN_LEADS, ResultsCase

REPORT = "campaign.master.recipient.report"
MEASURES = ("delivered", "opened", "clicked", "opted_out", "opened_rate", "clicked_rate")
GROUPS = (
    "kind country_id user_id team_id tag_ids lead_tag_ids industry_id list_id template_id"
    " sent_at:month campaign_id company_id"
).split()
MENUS = ("report", "recipient_report", "comparison", "best_hours")
HOUR = timedelta(hours=1)


class ReportsCase(ResultsCase):
    def people(self, *names):
        return self.env["res.partner"].search(
            [("email", "in", [f"{name}@example.com" for name in names])]
        )

    def figures(self, group=None, domain=(), env=None):
        """The measures of each group, as the pivot gets them; the key of the total is None."""
        self.env.flush_all()
        rows = (env or self.env)[REPORT].formatted_read_group(
            list(domain),
            [group] if group else [],
            [f"{name}:{'avg' if 'rate' in name else 'sum'}" for name in MEASURES],
        )
        return {
            (row[group] or [False])[0] if group else None: tuple(
                round(value, 1) if isinstance(value, float) else value
                for name, value in row.items()
                if name.partition(":")[0] in MEASURES
            )
            for row in rows
        }

    def seller(self):
        groups = "base.group_user,sales_team.group_sale_salesman_all_leads"
        return new_test_user(self.account.env, "sally", groups)

    def menu_ids(self, user):
        menus = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
        ids = {
            name: self.env.ref(f"campaign_master.campaign_master_{name}_menu").id for name in MENUS
        }
        return [name for name, menu_id in ids.items() if menu_id in menus]


class TestRecipients(ReportsCase):
    """The pivot of people, by address."""

    def test_each_address_counts_once_in_each_measure(self):
        campaign = self.make_story()
        # The contact and the lead "Twin" share an address; a bounced one was not reached.
        self.assertEqual(self.figures(), {None: (4, 3, 1, 2, 75.0, 25.0)})
        # As the results of the campaign say.
        sums = self.work(campaign).sums
        self.assertEqual([sums[name] for name in MEASURES[:4]], [4, 3, 1, 2])
        # Who clicked without loading pictures has opened.
        self.react(campaign, "dan@example.com", "click")
        self.pull()
        self.lines(campaign).filtered_domain([("email", "=", "dan@example.com")]).sudo().write(
            {"open_count": 0, "first_open": False}
        )
        self.assertEqual(self.figures(), {None: (4, 4, 2, 2, 100.0, 50.0)})

    def test_rates_of_groups_are_those_of_their_sums(self):
        self.make_story()
        one = self.sent_campaign(self.make_contacts("zoe@example.com"), title="Small")
        self.pull()
        self.assertEqual(self.figures("campaign_id")[one.id], (1, 0, 0, 0, 0.0, 0.0))
        self.assertEqual(self.figures()[None], (5, 3, 1, 2, 60.0, 20.0))

    def test_people_are_grouped_by_all_that_is_known_of_them(self):
        campaign = self.make_story()
        env = self.account.env
        ann, bob, cat, dan = self.people("ann", "bob", "cat", "dan").sorted("email")
        seller = self.seller()
        team = env["crm.team"].create({"name": "North", "member_ids": [(6, 0, seller.ids)]})
        france, industry = env.ref("base.fr"), env["res.partner.industry"].create({"name": "Oven"})
        red, blue = tags = env["res.partner.category"].create([{"name": "Red"}, {"name": "Blue"}])
        hot = env["crm.tag"].create({"name": "Hot"})
        (ann + bob + dan).write({"country_id": france.id, "user_id": seller.id})
        ann.write({"category_id": tags.ids, "industry_id": industry.id})
        bob.category_id = blue
        eve = self.leads.filtered(lambda lead: lead.name == "Oven")
        eve.write({"country_id": france.id, "tag_ids": hot.ids, "user_id": self.marketer.id})
        for group, expected in {
            "country_id": {france.id: (4, 3, 1, 2)},
            "user_id": {seller.id: (3, 2, 1, 1), self.marketer.id: (1, 1, 0, 1)},
            "team_id": {team.id: (3, 2, 1, 1)},
            "industry_id": {industry.id: (1, 1, 1, 0)},
            # Ann counts in both, and once in the total.
            "tag_ids": {red.id: (1, 1, 1, 0), blue.id: (2, 2, 1, 1)},
            "lead_tag_ids": {hot.id: (1, 1, 0, 1)},
            "template_id": {self.template.id: (4, 3, 1, 2)},
            "list_id": {self.list.id: (4, 3, 1, 2)},
            "campaign_id": {campaign.id: (4, 3, 1, 2)},
        }.items():
            figures = self.figures(group)
            for key, measures in expected.items():
                with self.subTest(group):
                    self.assertEqual(figures[key][:4], measures)
        kinds = self.env[REPORT]._read_group([], ["kind"], ["opened:sum", "opted_out:sum"])
        self.assertCountEqual(kinds, [("lead", 1, 1), ("contact", 2, 1)])
        months = self.env[REPORT]._read_group([], ["sent_at:month"], ["__count"])
        self.assertEqual(len(months), 1)
        self.assertEqual(self.figures()[None][:4], (4, 3, 1, 2))

    def test_the_time_of_the_sending_is_when_odoo_saw_it_if_it_is_not_reported(self):
        campaign = self.sent_campaign()
        self.pull()
        self.assertEqual(
            self.env[REPORT].search([]).mapped("sent_at"), [campaign.campaign_master_sent_at] * 2
        )
        campaign.sudo().campaign_master_sent_at = False
        self.env.flush_all()
        self.env.invalidate_all()
        time = self.work(campaign).sent_at
        self.assertTrue(time)
        self.assertEqual(set(self.env[REPORT].search([]).mapped("sent_at")), {time})

    def test_leads_that_the_user_may_not_see_are_in_no_sum(self):
        self.make_story()
        self.leads.user_id = self.account.env.ref("base.user_admin")
        mailer = new_test_user(self.account.env, "mailer", MARKETING)
        seller = new_test_user(self.account.env, "seller", f"{MARKETING},{OWN_LEADS}")
        for user in (mailer, seller):
            env = self.env(user=user)
            self.assertEqual(self.figures(env=env)[None][:4], (3, 2, 1, 1))
            for group in GROUPS:
                if user == mailer and group == "lead_tag_ids":
                    continue
                env[REPORT].formatted_read_group([], [group], ["opened:sum"])
        self.leads.user_id = seller
        self.assertEqual(self.figures(env=self.env(user=seller))[None][:4], (4, 3, 1, 2))

    def test_the_number_of_statements_does_not_depend_on_the_people(self):
        counts = []
        for number in (1, 3, 60):
            people = self.make_contacts(*(f"p{i}.of{number}@example.com" for i in range(number)))
            people.write({"country_id": self.env.ref("base.fr").id})
            self.sent_campaign(people, title=str(number))
            self.pull()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.env[REPORT].formatted_read_grouping_sets(
                [("sent_at", ">=", "-1y")],
                [[], ["kind"], ["kind", "country_id"]],
                ["delivered:sum", "opened_rate:avg"],
            )
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])


class TestComparison(ReportsCase):
    """Campaigns at the same age."""

    def compare(self, campaigns=None, env=None):
        self.env.flush_all()
        self.env.invalidate_all()
        ids = campaigns.ids if campaigns is not None else None
        return (env or self.env)["utm.campaign"].campaign_master_compare(ids)

    def rates_at(self, compared, age):
        position = compared["age"].index(age)
        return compared["opened"][position], compared["clicked"][position]

    def make_two(self):
        """One campaign that was sent 50 hours ago, and one of 5 hours ago."""
        old = self.sent_campaign(hours=50, title="Old")
        self.react(old, "ann@example.com", after=2.5, hours=50)
        self.react(old, "bob@example.com", "click", after=30, hours=50)
        people = self.make_contacts("cat@example.com", "dan@example.com")
        new = self.sent_campaign(people, title="New")
        self.react(new, "cat@example.com", "click", after=0.5)
        self.pull()
        return old, new

    def test_campaigns_are_known_at_each_age_from_their_people(self):
        old, new = self.make_two()
        draft = self.make_campaign(title="Draft")
        compared = self.compare(old + new + draft)
        self.assertEqual(compared["unknown"], ["Draft"])
        second, first = compared["campaigns"]  # last sent first
        self.assertEqual((first["name"], first["delivered"], first["source"]), ("Old", 2, "people"))
        self.assertEqual(self.rates_at(first, 1), (0, 0))
        self.assertEqual(self.rates_at(first, 3), (50, 0))
        self.assertEqual(self.rates_at(first, 48), (100, 50))
        self.assertEqual(self.rates_at(second, 1), (50, 50))
        self.assertNotIn(6, second["age"], "It is five hours old")
        # As its own curve, and as the ages that medians are of.
        kept = self.env["campaign.master.age"].search([("campaign_id", "=", old.id)])
        for row in kept:
            self.assertEqual(self.rates_at(first, row.age), (row.opened_rate, row.clicked_rate))
        # Without a choice, the last ones.
        self.assertEqual(self.compare()["campaigns"], compared["campaigns"])

    def test_without_times_of_people_readings_say_when_they_were_made(self):
        old, _new = self.make_two()
        self.lines(old).sudo().write({"first_open": False, "first_click": False})
        old.sudo()._campaign_master_keep_sums()
        [reading] = self.snapshots(old)
        compared = self.compare(old)["campaigns"][0]
        self.assertEqual(compared["source"], "readings")
        self.assertEqual(compared["age"], [round(reading.age / 3600, 2)])
        # Campaign Master's opens are without those who clicked only.
        self.assertEqual((compared["opened"], compared["clicked"]), ([50], [50]))

    def test_more_than_ten_and_unsent_ones_are_refused_in_words(self):
        campaigns = self.env["utm.campaign"].concat(
            *(self.make_campaign(title=str(number)) for number in range(11))
        )
        for refused in (campaigns.action_campaign_master_compare, lambda: self.compare(campaigns)):
            with self.assertRaisesRegex(UserError, "Up to 10 campaigns.*11 are selected"):
                refused()
        with self.assertRaisesRegex(UserError, "None of the selected ones was sent"):
            campaigns[:2].action_campaign_master_compare()
        self.assertEqual(self.compare()["campaigns"], [])

    def test_the_number_of_statements_is_constant(self):
        counts = []
        campaigns = self.env["utm.campaign"]
        for number in range(5):
            campaigns += self.sent_campaign(
                self.make_contacts(f"person{number}@example.com"), title=str(number)
            )
            self.pull()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            campaigns.campaign_master_compare(campaigns.ids)
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[4])


class TestBestHours(ReportsCase):
    """First clicks by weekday and hour of the user's time zone."""

    def set_clicks(self, campaign, *times):
        """:param times: when people clicked (UTC, without time zone)"""
        lines = self.lines(campaign).sorted("id").sudo()
        for line, time in zip(lines, times, strict=False):
            line.write({"click_count": 1, "first_click": time})
        self.env.flush_all()

    def best_hours(self, timezone="Europe/London", enough=1, env=None):
        with patch.object(hours, "ENOUGH", enough):
            report = (env or self.env)[REPORT].with_context(tz=timezone)
            return report.campaign_master_best_hours()

    def clicks(self, *args, **kwargs):
        return {
            (one["weekday"], one["hour"]): one["clicks"]
            for one in self.best_hours(*args, **kwargs)["hours"]
        }

    def test_in_a_week_of_changing_clocks_each_click_has_the_hour_of_its_day(self):
        london = pytz.timezone("Europe/London")
        change = max(at for at in london._utc_transition_times if at < fields.Datetime.now())
        noon = change.replace(hour=11, minute=30)  # a Sunday
        campaign = self.sent_campaign(self.make_contacts("a@example.com", "b@example.com"))
        self.pull()
        self.set_clicks(campaign, noon - timedelta(days=1), noon + timedelta(days=1))
        summer = [bool(london.localize(noon + timedelta(days=i)).dst()) for i in (-1, 1)]
        self.assertNotEqual(*summer)
        expected = {(6, 11 + summer[0]): 1, (1, 11 + summer[1]): 1}
        self.assertEqual(self.clicks(), expected)
        # The day may be another one elsewhere.
        self.assertEqual(self.clicks("Pacific/Kiritimati"), {(7, 1): 1, (2, 1): 1})
        self.assertEqual(self.clicks("UTC"), {(6, 11): 1, (1, 11): 1})

    def test_each_address_counts_once_and_neither_old_clicks_nor_likely_machines_do(self):
        campaign = self.sent_campaign(
            self.make_contacts(
                "a@example.com", "A@example.com", "b@example.com", "c@example.com", "d@example.com"
            )
        )
        self.pull()
        recent = fields.Datetime.now() - 5 * HOUR
        self.set_clicks(campaign, recent, recent, recent - timedelta(days=366), recent, recent)
        self.lines(campaign).filtered(lambda line: line.email[0] == "d").sudo().write(
            {"machine_rule": "domain"}
        )
        self.assertEqual(sum(self.clicks().values()), 2)

    def test_whoever_may_not_see_all_leads_is_told_so(self):
        for groups, hides_leads in (
            (MARKETING, True),
            (f"{MARKETING},{OWN_LEADS}", True),
            (f"{MARKETING},sales_team.group_sale_salesman_all_leads", False),
        ):
            user = new_test_user(self.account.env, f"user{len(groups)}", groups)
            self.assertEqual(self.best_hours(env=self.env(user=user))["hides_leads"], hides_leads)

    def test_too_few_clicks_say_how_many_there_are(self):
        campaign = self.sent_campaign()
        self.pull()
        self.set_clicks(campaign, fields.Datetime.now() - HOUR)
        told = self.env[REPORT].campaign_master_best_hours()
        self.assertEqual((told["clicks"], told["enough"], told["hours"]), (1, 200, []))


class TestWhoSeesReports(ReportsCase):
    def ways(self, campaign, env):
        report = env[REPORT]
        mine = env["utm.campaign"].browse(campaign.id)
        return {
            "search": lambda: report.search([]),
            "count": lambda: report.search_count([]),
            "sum": lambda: report._read_group([], [], ["opened:sum"]),
            "pivot": lambda: report.formatted_read_group([], ["kind"], ["opened_rate:avg"]),
            "read": lambda: report.browse(self.lines(campaign)[0].id).read(["opened"]),
            "person": report.browse(self.lines(campaign)[0].id).action_open_person,
            "best hours": report.campaign_master_best_hours,
            "compare": lambda: mine.campaign_master_compare(mine.ids),
            "compare the last": mine.campaign_master_compare,
            "compare button": mine.action_campaign_master_compare,
        }

    def test_without_email_marketing_nothing_is_seen(self):
        campaign = self.make_story()
        seller = self.seller()
        self.assertEqual(self.menu_ids(self.marketer), list(MENUS))
        self.assertEqual(self.menu_ids(seller), [])
        for way, reach in self.ways(campaign, self.env(user=seller)).items():
            with self.subTest(way), self.assertRaises(AccessError):
                reach()
        for way, reach in self.ways(campaign, self.env).items():
            with self.subTest(way):
                reach()

    def test_another_company_sees_nothing(self):
        campaign = self.make_story()
        _before, _values = self.work_in_second_company(
            f"{MARKETING},sales_team.group_sale_salesman_all_leads"
        )
        env = self.env(context={"allowed_company_ids": self.env.user.company_ids.ids})
        self.assertEqual(self.figures(env=env)[None][:4], (False,) * 4)
        self.assertFalse(env[REPORT].search([]))
        self.assertEqual(env[REPORT].campaign_master_best_hours()["clicks"], 0)
        mine = env["utm.campaign"].browse(campaign.id)
        self.assertEqual(mine.campaign_master_compare()["campaigns"], [])
        for refused in (
            lambda: mine.campaign_master_compare(mine.ids),
            mine.action_campaign_master_compare,
        ):
            with self.assertRaises(AccessError):
                refused()

    def test_saved_filters_are_there_for_everybody_and_work(self):
        for model, action in (
            ("utm.campaign", "utm_campaign_action_report"),
            (REPORT, "campaign_master_recipient_report_action"),
        ):
            action = self.env.ref(f"campaign_master.{action}")
            filters = self.env["ir.filters"].get_filters(model, action.id)
            self.assertEqual(len(filters), 3)
            for one in filters:
                with self.subTest(one["name"]):
                    domain = self.env["ir.filters"].browse(one["id"])._get_eval_domain()
                    group_by = literal_eval(one["context"])["group_by"]
                    self.env[model].formatted_read_group(domain, group_by, ["__count"])


@tagged("post_install", "-at_install")
class TestReportsInBrowser(ReportsCase, BrowserCase):
    def test_selected_campaigns_are_compared(self):
        for title, email in (("First", "ann@example.com"), ("Second", "bob@example.com")):
            campaign = self.sent_campaign(self.make_contacts(email), title=title, hours=30)
            self.react(campaign, email, "click", after=2.5, hours=30)
            self.pull()
        self.start_tour(
            "/odoo/action-campaign_master.utm_campaign_action_report?view_type=list",
            "campaign_master_comparison",
            login="marketer",
        )
