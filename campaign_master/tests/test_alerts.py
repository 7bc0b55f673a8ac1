"""Unusual results of a sent campaign: the banner on its form, and the activity of its
responsible."""

from ast import literal_eval
from datetime import timedelta
from unittest.mock import patch

from lxml import etree

from odoo import fields
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
        campaign = self.alerting(hardBounces=60)
        action = campaign.action_campaign_master_open_alert("bounces")
        self.assertFalse(self.env["campaign.master.recipient"].search(action["domain"]))
        self.assertIn("others on the list", action["help"])
        self.assertNotIn("Add leads", action["help"])
        # Likewise if the campaign was deleted since: the alert remains.
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.pull()
        self.assertEqual(self.banners(campaign), {"bounces": "alarm"})
        again = campaign.action_campaign_master_open_alert("bounces")
        self.assertEqual(again["help"], action["help"])


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
