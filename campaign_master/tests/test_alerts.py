"""Unusual results of a sent campaign: the banner on its form, and the activity of its
responsible."""

from ast import literal_eval
from datetime import timedelta
from unittest.mock import patch

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user

from ..models.campaign_master_campaign_statistics import CampaignMasterCampaign
from .test_history import MARKETING, READING, HistoryCase

DAY = timedelta(days=1)
WARNING, ALARM = "Campaign Warning", "Campaign Alarm"


class AlertsCase(HistoryCase):
    def alerting(self, sent=1000, hours=5, people=None, **figures):
        """A campaign that was sent some hours ago, with the figures that Campaign Master has, read
        once. Its recipients, two if none are given, are among those it was sent to."""
        title = f"Campaign {self.cr.now()} {figures}"
        campaign = self.sent_campaign(people, hours=hours, title=title)
        self.correct(campaign, sent=sent - len(people or "ab"), **figures)
        self.pull()
        return campaign

    def rise(self, campaign, **differences):
        self.correct(campaign, **differences)
        self.pull()

    def banners(self, campaign):
        """Kind and level of each."""
        campaign.invalidate_recordset()
        alerts = campaign.campaign_master_alerts or []
        return {alert["kind"]: alert["level"] for alert in alerts}

    def activities(self, campaign):
        """All that there ever were, also those that are done."""
        activities = self.env["mail.activity"].sudo().with_context(active_test=False)
        return activities.search(
            [("res_model", "=", "utm.campaign"), ("res_id", "in", campaign.ids)]
        )

    def settings(self, **values):
        self.account.write(values)


class TestAlerts(AlertsCase):
    def test_a_campaign_as_usual_raises_nothing(self):
        # Exactly at the limits.
        campaign = self.alerting(complaints=1, hardBounces=20, unsubscribes=10)
        self.assertEqual(self.banners(campaign), {})
        self.assertFalse(self.activities(campaign))
        self.assertFalse(self.work(campaign).alerts)

    def test_each_figure_beyond_its_limit_raises_its_own_alert(self):
        campaign = self.alerting(complaints=2, hardBounces=51, unsubscribes=11)
        expected = {"bounces": "alarm", "complaints": "warning", "unsubscribes": "warning"}
        self.assertEqual(self.banners(campaign), expected)
        self.assertEqual(campaign.campaign_master_alerts[0]["kind"], "bounces")
        found = {
            (activity.summary, activity.activity_type_id.name, activity.date_deadline)
            for activity in self.activities(campaign)
        }
        today = fields.Date.context_today(self.marketer)
        self.assertEqual(
            found,
            {
                ("Check the bounces", ALARM, today),
                ("Check the spam complaints", WARNING, today),
                ("Check the unsubscribes", WARNING, today),
            },
        )
        self.assertEqual(self.activities(campaign).user_id, self.marketer)
        texts = " ".join(alert["text"] for alert in campaign.campaign_master_alerts)
        self.assertIn("at least 2 of 1,000 emails sent (0.20%, limit 0.10%)", texts)
        self.assertIn("Permanent bounces: 51 of 1,000", texts)
        # The next readings neither repeat nor change it.
        for _time in range(2):
            self.pull()
        self.assertEqual(len(self.activities(campaign)), 3)
        self.assertEqual(self.banners(campaign), expected)

    def test_below_100_delivered_a_campaign_says_nothing(self):
        self.assertEqual(self.banners(self.alerting(sent=109, hardBounces=10)), {})
        campaign = self.alerting(sent=110, hardBounces=10)
        self.assertEqual(self.banners(campaign), {"bounces": "alarm"})

    def test_what_is_not_reported_raises_nothing(self):
        self.sandbox.control("dialect", {"figures": "sent bounces unsubscribes"})
        campaign = self.alerting(complaints=500, hardBounces=15, softBounces=15)
        # Those that are permanent are not told.
        self.assertEqual(self.banners(campaign), {"bounces": "warning"})
        [alert] = campaign.campaign_master_alerts
        self.assertIn("Bounces: 30 of 1,000", alert["text"])
        self.assertIn("does not report how many are permanent", alert["text"])
        self.sandbox.control("dialect", {"figures": "complaints unsubscribes"})
        self.assertEqual(self.banners(self.alerting(complaints=500)), {})

    def test_opened_by_less_than_half_of_the_median(self):
        others = [self.make_campaign(title=f"Other {number}") for number in range(5)]
        for other in others:
            self.env["campaign.master.age"].sudo().create(
                {
                    "campaign_id": other.id,
                    "age": 24,
                    "sent_at": fields.Datetime.now() - DAY,
                    "delivered": 100,
                    "opened": 4,
                    "clicked": 0,
                }
            )
        people = self.make_contacts(*(f"person{number}@example.com" for number in range(100)))
        self.assertEqual(self.banners(self.alerting(hours=23, people=people)), {})
        half = self.sent_campaign(people, hours=25, title="Half")
        for number in range(2):
            self.react(half, f"person{number}@example.com", after=1, hours=25)
        self.pull()
        self.assertEqual(self.banners(half), {})
        # What two of a thousand people do says nothing about the others.
        self.assertEqual(self.banners(self.alerting(hours=25)), {})
        campaign = self.alerting(hours=25, people=people)
        self.assertEqual(self.banners(campaign), {"opened": "warning"})
        self.assertIn("Opened by 0.0% after 24 hours", campaign.campaign_master_alerts[0]["text"])
        domain = campaign.action_campaign_master_open_alert("opened")["domain"]
        self.assertEqual(self.env["campaign.master.recipient"].search_count(domain), 100)
        # They open it after all: the activity is not needed anymore.
        for number in range(2):
            self.react(campaign, f"person{number}@example.com", after=2, hours=25)
        self.pull()
        self.assertEqual(self.banners(campaign), {})
        self.assertFalse(self.activities(campaign))

    def test_a_warning_becomes_an_alarm_in_place(self):
        campaign = self.alerting(hardBounces=30)
        activity = self.activities(campaign)
        self.assertEqual(activity.activity_type_id.name, WARNING)
        activity.date_deadline -= 3 * DAY
        self.rise(campaign, hardBounces=30)
        self.assertEqual(self.banners(campaign), {"bounces": "alarm"})
        self.assertEqual(self.activities(campaign), activity)
        self.assertEqual(activity.activity_type_id.name, ALARM)
        self.assertEqual(activity.date_deadline, fields.Date.context_today(self.marketer))

    def test_what_is_done_is_not_repeated(self):
        for complete in (
            lambda campaign, _activity: campaign.action_campaign_master_complete_alert("bounces"),
            lambda _campaign, activity: activity.with_user(self.marketer).action_done(),
            lambda _campaign, activity: activity.with_user(self.marketer).unlink(),
        ):
            campaign = self.alerting(hardBounces=30)
            complete(campaign, self.activities(campaign))
            self.assertEqual(self.banners(campaign), {})
            self.rise(campaign, hardBounces=1)
            self.assertEqual(self.banners(campaign), {})
            # What is worse is on the form again, but nobody is asked twice.
            self.rise(campaign, hardBounces=30)
            self.assertEqual(self.banners(campaign), {"bounces": "alarm"})
            self.assertFalse(self.activities(campaign).filtered("active"))
            campaign.action_campaign_master_complete_alert("bounces")
            self.rise(campaign, hardBounces=1)
            self.assertEqual(self.banners(campaign), {})
            self.assertLessEqual(len(self.activities(campaign)), 1)

    def test_nobody_is_mailed(self):
        nina = new_test_user(self.account.env, "nina", MARKETING)
        campaign = self.alerting(hardBounces=30)
        self.rise(campaign, hardBounces=30)
        campaign.user_id = nina
        self.rise(campaign, hardBounces=1)
        self.assertEqual(self.activities(campaign).user_id, nina)
        self.assertFalse(self.env["mail.message"].sudo().search([("model", "=", "utm.campaign")]))
        for model in ("mail.mail", "mail.notification"):
            self.assertFalse(self.env[model].sudo().search([]))

    def test_only_for_14_days_after_sending(self):
        self.assertEqual(self.banners(self.alerting(hours=15 * 24, hardBounces=60)), {})
        campaign = self.alerting(hours=13 * 24, hardBounces=30)
        self.assertEqual(self.banners(campaign), {"bounces": "warning"})
        campaign.sudo().campaign_master_sent_at -= 2 * DAY
        self.rise(campaign, hardBounces=60)
        # It stays as it was.
        self.assertEqual(self.banners(campaign), {"bounces": "warning"})

    def test_campaigns_of_before_the_upgrade_and_archived_ones_raise_nothing(self):
        campaign, archived = (self.sent_campaign(title=title) for title in ("Old", "Archived"))
        self.pull()
        self.work(campaign).is_watched = False
        archived.active = False
        for one in (campaign, archived):
            self.rise(one, sent=998, hardBounces=60)
            self.assertEqual(one.campaign_master_hard_bounces, 60)
            self.assertEqual(self.banners(one), {})
            self.assertFalse(self.activities(one))

    def test_a_reading_that_was_cut_raises_it_the_next_time(self):
        campaign = self.sent_campaign()
        self.correct(campaign, sent=998, hardBounces=60)
        killed = patch.object(
            CampaignMasterCampaign, "_end_reading", side_effect=ValueError("Killed on purpose")
        )
        with killed, self.assertLogs(READING, "ERROR"):
            self.pull()
        self.assertFalse(self.activities(campaign))
        self.pull()
        self.assertEqual(len(self.activities(campaign)), 1)

    def test_a_campaign_that_is_created_again_starts_without_alerts(self):
        campaign = self.alerting(hardBounces=60, complaints=5)
        self.activities(campaign)[0].activity_type_id = self.env.ref("mail.mail_activity_data_todo")
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.pull()
        self.sync(campaign, "create_again")
        self.assertFalse(self.activities(campaign))
        self.assertEqual(self.banners(campaign), {})

    def test_the_people_behind_an_alert(self):
        ann, bob = self.make_contacts("ann@example.com", "bob@example.com")
        campaign = self.sent_campaign(ann + bob)
        self.react(campaign, "ann@example.com", "complaint")
        self.react(campaign, "bob@example.com", "unsubscribe")
        self.pull()
        for kind, person in (("complaints", ann), ("unsubscribes", bob)):
            domain = campaign.action_campaign_master_open_alert(kind)["domain"]
            found = self.env["campaign.master.recipient"].search(domain)
            self.assertEqual(found.partner_id, person, kind)

    def test_if_the_people_behind_it_are_not_in_odoo_the_empty_list_says_so(self):
        action = self.alerting(hardBounces=60).action_campaign_master_open_alert("bounces")
        self.assertFalse(self.env["campaign.master.recipient"].search(action["domain"]))
        self.assertIn("others on the list", action["help"])
        self.assertNotIn("Add leads", action["help"])


class TestWhoGetsAlerts(AlertsCase):
    def test_an_administrator_if_the_responsible_may_not_see_figures(self):
        system = self.account.env
        sales = new_test_user(system, "sally", "base.group_user,sales_team.group_sale_salesman")
        elsewhere = new_test_user(system, "ella", MARKETING)
        elsewhere.write(
            {
                "company_ids": [(6, 0, self.env["res.company"].sudo().create({"name": "B"}).ids)],
                "company_id": self.env["res.company"].sudo().search([], order="id desc")[0].id,
            }
        )
        gone = new_test_user(system, "gona", MARKETING)
        for user in (sales, elsewhere, gone):
            campaign = self.sent_campaign(title=f"Of {user.login}", user_id=user.id)
            gone.active = user != gone
            self.correct(campaign, sent=998, hardBounces=60)
            self.pull()
            activity = self.activities(campaign)
            self.assertEqual(activity.user_id, self.account._administrator(), user.login)

    def test_a_new_responsible_takes_over_unless_somebody_else_has(self):
        nina, otto = (new_test_user(self.account.env, name, MARKETING) for name in ("nina", "otto"))
        campaign = self.alerting(hardBounces=60)
        activity = self.activities(campaign)
        campaign.user_id = nina
        self.pull()
        self.assertEqual(activity.user_id, nina)
        activity.with_context(mail_activity_quick_update=True).user_id = otto
        campaign.user_id = self.marketer
        self.pull()
        self.assertEqual(activity.user_id, otto)

    def test_if_its_user_leaves_somebody_else_gets_it(self):
        nina, otto = (new_test_user(self.account.env, name, MARKETING) for name in ("nina", "otto"))
        campaign = self.sent_campaign(user_id=nina.id)
        self.correct(campaign, sent=998, hardBounces=60)
        self.pull()
        self.assertEqual(self.activities(campaign).user_id, nina)
        # Odoo deletes the activities of users who are archived or deleted.
        nina.action_archive()
        self.assertFalse(self.activities(campaign))
        self.pull()
        self.assertEqual(self.activities(campaign).user_id, self.account._administrator())
        self.assertEqual(self.banners(campaign), {"bounces": "alarm"})
        campaign.user_id = otto
        self.pull()
        self.assertEqual(self.activities(campaign).user_id, otto)
        campaign.user_id = self.marketer
        otto.unlink()
        self.pull()
        self.assertEqual(self.activities(campaign).user_id, self.marketer)

    def test_what_was_done_stays_done_if_its_user_leaves(self):
        nina = new_test_user(self.account.env, "nina", MARKETING)
        campaign = self.sent_campaign(user_id=nina.id)
        self.correct(campaign, sent=998, hardBounces=60)
        self.pull()
        self.activities(campaign).with_user(nina).action_cancel()
        self.pull()
        nina.action_archive()
        self.pull()
        self.assertFalse(self.activities(campaign))
        self.assertEqual(self.banners(campaign), {})

    def test_a_new_responsible_reads_it_in_their_language(self):
        self.account.env["res.lang"]._activate_lang("fr_FR")
        campaign = self.alerting(hardBounces=60)
        summary = type(campaign)._campaign_master_alert_summary
        with patch.object(
            type(campaign),
            "_campaign_master_alert_summary",
            lambda self, kind: f"{self.env.lang} {summary(self, kind)}",
        ):
            campaign.user_id = new_test_user(self.account.env, "luc", MARKETING, lang="fr_FR")
            self.pull()
        self.assertEqual(self.activities(campaign).summary, "fr_FR Check the bounces")

    def test_without_email_marketing_nobody_learns_of_it(self):
        campaign = self.alerting(hardBounces=60)
        sales = new_test_user(self.account.env, "sally", "sales_team.group_sale_manager")
        own = campaign.with_user(sales)
        activities = self.env["mail.activity"].with_user(sales)
        self.assertFalse(activities.search([("res_model", "=", "utm.campaign")]))
        for change in (
            lambda: self.activities(campaign).with_user(sales).read(["summary"]),
            lambda: own.read(["campaign_master_alerts"]),
            lambda: own.read(["activity_summary"]),
            lambda: own.search([("activity_ids.summary", "ilike", "bounces")]),
            lambda: own.action_campaign_master_open_alert("bounces"),
            lambda: own.action_campaign_master_complete_alert("bounces"),
        ):
            with self.assertRaises(AccessError):
                change()
        # What Odoo itself asks for can still be read.
        names = [name for name in own.fields_get() if name.startswith(("message_", "has_message"))]
        self.assertTrue(own.read(["title", *names]))
        # Whoever gets it from a colleague reads no figure.
        activity = self.activities(campaign)
        activity.with_context(mail_activity_quick_update=True).user_id = sales
        [seen] = activities.search([("res_model", "=", "utm.campaign")]).read(["summary", "note"])
        self.assertNotRegex(seen["summary"] + seen["note"], r"\d")

    def test_without_email_marketing_nobody_touches_it_or_reads_that_it_is_done(self):
        sales = new_test_user(self.account.env, "sally", "sales_team.group_sale_manager")
        campaign = self.alerting(hardBounces=60)
        activity = self.activities(campaign)
        own = activity.with_user(sales)
        for change in (
            lambda: own.write({"user_id": sales.id}),
            own.action_done,
            own.unlink,
            lambda: campaign.with_user(sales).message_post(body="Hello"),
        ):
            with self.assertRaises(AccessError), self.cr.savepoint():
                change()
        self.assertEqual(self.banners(campaign), {"bounces": "alarm"})
        activity.with_user(self.marketer).action_feedback("60 bounces, all of one company")
        message = self.env["mail.message"].search([("model", "=", "utm.campaign")])
        self.assertIn("60 bounces", message.body)
        seen = message.with_user(sales)
        self.assertFalse(seen.search([("model", "=", "utm.campaign")]))
        with self.assertRaises(AccessError):
            seen.read(["body"])

    def test_its_type_does_not_decide_who_sees_it(self):
        sales = new_test_user(self.account.env, "sally", "sales_team.group_sale_manager")
        changed = self.alerting(hardBounces=60)
        to_do = self.env.ref("mail.mail_activity_data_todo")
        self.activities(changed).with_user(self.marketer).activity_type_id = to_do
        self.env.ref("campaign_master.mail_activity_type_warning").sudo().unlink()
        without_type = self.alerting(hardBounces=30)
        self.assertEqual(len(self.activities(changed + without_type)), 2)
        activities = self.env["mail.activity"].with_user(sales)
        self.assertFalse(activities.search([("res_model", "=", "utm.campaign")]))
        # What people plan themselves is theirs to show.
        plain = self.env["utm.campaign"].create({"title": "Trade Fair"})
        plain.activity_schedule("mail.mail_activity_data_todo", automated=False, summary="Book it")
        [found] = activities.search([("res_model", "=", "utm.campaign")])
        self.assertEqual(found.summary, "Book it")

    def test_companies_have_their_own_alerts_and_limits(self):
        first = self.alerting(hardBounces=30)
        before, values = self.work_in_second_company(f"{MARKETING},base.group_partner_manager")
        own = self.synced_campaign(**values)
        own.sudo().campaign_master_account_id.alert_bounces_warning = 4
        self.send(own, list_ref=own.campaign_master_list_id.ref)
        self.correct(own, sent=998, hardBounces=30)
        self.pull()
        self.assertEqual(self.banners(own), {})
        self.rise(own, hardBounces=30)
        self.assertEqual(self.banners(own), {"bounces": "alarm"})
        [activity] = self.env["mail.activity"].search([("res_model", "=", "utm.campaign")])
        self.assertEqual(activity.res_id, own.id)
        with self.assertRaises(AccessError):
            first.with_env(self.env).read(["campaign_master_alerts"])
        self.assertEqual(self.banners(first.with_env(before)), {"bounces": "warning"})

    def test_limits_can_be_turned_off_and_must_make_sense(self):
        self.settings(alert_bounces_warning=0, alert_bounces_alarm=8)
        campaign = self.alerting(hardBounces=60, unsubscribes=20)
        self.assertEqual(self.banners(campaign), {"unsubscribes": "warning"})
        campaign.action_campaign_master_complete_alert("unsubscribes")
        self.rise(campaign, complaints=2)
        self.settings(alerts_enabled=False)
        self.assertEqual(self.banners(campaign), {})
        self.assertFalse(self.activities(campaign).filtered("active"))
        # What is done stays done.
        self.settings(alerts_enabled=True)
        self.pull()
        self.assertEqual(self.banners(campaign), {"complaints": "warning"})
        for name, value, because in (
            ("alert_complaints_alarm", 0.05, "Complaints: Alarm must not be below the warning"),
            ("alert_unsubscribes_warning", -1, "Unsubscribes: Warning must be between 0 and 100"),
            ("alert_opened_warning", 101, "between 0 and 100"),
        ):
            with self.assertRaisesRegex(ValidationError, because), self.cr.savepoint():
                self.settings(**{name: value})

    def test_the_settings_form_keeps_the_limits_of_each_company(self):
        admin = self.account.env.ref("base.user_admin")
        settings = self.env["res.config.settings"].with_user(admin)
        self.assertEqual(settings.get_values()["campaign_master_alert_complaints_warning"], 0.1)
        form = settings.create({"campaign_master_alert_complaints_warning": 0.2})
        self.assertTrue(form.campaign_master_alerts_enabled)
        form.execute()
        self.assertEqual(self.account.alert_complaints_warning, 0.2)
        self.assertEqual(self.account.alert_complaints_alarm, 0.3)


class TestCampaignsHaveActivities(AlertsCase):
    def test_creating_and_changing_a_campaign_writes_no_message_and_no_follower(self):
        campaign = self.make_campaign()
        campaign.write({"title": "Other", "user_id": self.env.ref("base.user_admin").id})
        copy = campaign.copy()
        for model, name in (("mail.message", "model"), ("mail.followers", "res_model")):
            self.assertFalse(self.env[model].sudo().search([(name, "=", "utm.campaign")]))
        self.assertNotIn("tracking_disable", copy.env.context)

    def test_the_activities_go_with_the_campaign(self):
        campaign = self.alerting(hardBounces=60)
        campaign.action_campaign_master_complete_alert("bounces")
        self.rise(campaign, complaints=5)
        self.assertEqual(len(self.activities(campaign)), 2)
        campaign_id = campaign.id
        campaign.sudo().unlink()
        for model, name in (
            ("mail.activity", "res_model"),
            ("mail.message", "model"),
            ("mail.followers", "res_model"),
        ):
            rows = self.env[model].sudo().with_context(active_test=False)
            domain = [(name, "=", "utm.campaign"), ("res_id", "=", campaign_id)]
            self.assertFalse(rows.search(domain))

    def test_the_menu_of_activities_and_a_filter_find_the_campaigns(self):
        self.make_campaign(title="Without")
        campaign = self.alerting(hardBounces=60)
        [group] = [
            group
            for group in self.env["res.users"]._get_activity_groups()
            if group.get("model") == "utm.campaign"
        ]
        self.assertEqual((group["today_count"], group["overdue_count"]), (1, 0))
        view = self.env["utm.campaign"].get_view(view_type="search")["arch"]
        for name in ("filter_activities_my", "activities_overdue", "activities_today"):
            self.assertIn(name, view)
        [domain] = etree.fromstring(view).xpath("//filter[@name='campaign_master_alerts']/@domain")
        found = self.env["utm.campaign"].search(literal_eval(domain))
        self.assertEqual(found, campaign)
