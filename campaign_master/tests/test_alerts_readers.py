"""Who gets an alert about a sent campaign, who sees it, and who sets its limits."""

from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user

from .test_alerts import AlertsCase
from .test_history import MARKETING


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
