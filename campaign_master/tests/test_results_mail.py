"""A day after a campaign was sent, its responsible user gets the results by email."""

import importlib.util
import re
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user
from odoo.tools import file_path

from ..models.campaign_master_campaign_results_mail import SWITCH, CampaignMasterCampaign
from .test_history import HOUR, MARKETING
from .test_reactions import ReactionsCase

MODULE = "odoo.addons.campaign_master.models.campaign_master_campaign_results_mail"
DAY = timedelta(days=1)


class ResultsMailCase(ReactionsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.marketer.email = "mara@example.com"
        cls.env["ir.config_parameter"].set_param(SWITCH, "True")

    def setUp(self):
        super().setUp()
        self.last_mail = self.env["mail.mail"].sudo().search([], order="id DESC", limit=1)

    def mails(self):
        """What was mailed in this test."""
        return self.env["mail.mail"].sudo().search([("id", ">", self.last_mail.id)])

    def mail_results(self):
        """What the scheduled action mails now."""
        before = self.mails()
        with self.assertNoLogs(MODULE, "ERROR"):
            self.run_cron("mail_results")
        return self.mails() - before

    def text(self, mail):
        """What people read of a mail."""
        body = re.sub(r"<style.*?</style>", "", mail.body_html, flags=re.DOTALL)
        return " ".join(re.sub(r"<[^>]+>", " ", body).split())

    def read_campaign(self, hours=25, **values):
        """A campaign that was sent some hours ago and read just now."""
        campaign = self.sent_campaign(hours=hours, **values)
        self.pull()
        return campaign

    def triggers(self, name):
        return (
            self.env["ir.cron.trigger"]
            .sudo()
            .search_count([("cron_id", "=", self.env.ref(f"campaign_master.ir_cron_{name}").id)])
        )


class TestResultsMail(ResultsMailCase):
    def test_the_responsible_is_mailed_the_results_once(self):
        people = self.make_contacts(*(f"person{number}@example.com" for number in range(8)))
        campaign = self.sent_campaign(people, hours=25)
        for number, kind in enumerate(("open", "open", "click")):
            self.react(campaign, f"person{number}@example.com", kind, after=2, hours=25)
        self.pull()
        [mail] = self.mail_results()
        self.assertEqual(mail.subject, '24H Stats of Campaign "Spring offers"')
        self.assertEqual(mail.email_to, '"Mara Marketing" <mara@example.com>')
        self.assertEqual(mail.state, "outgoing")
        text = self.text(mail)
        self.assertIn("Emails Sent: 8", text)
        self.assertIn("100.0% Delivered (8) 25.0% Opened (2) 12.5% Clicked (1)", text)
        self.assertNotIn("Median", text)
        self.assertIn("Turn off Mailing Reports", text)
        self.assertIn(f'/odoo/utm.campaign/{campaign.id}"', mail.body_html)
        # Not again.
        self.react(campaign, "person5@example.com")
        self.pull()
        self.assertFalse(self.mail_results())

    def test_it_compares_with_the_median_at_the_same_age(self):
        campaign = self.read_campaign()
        found = {"value": 45.31, "median": 42.1, "difference": 3.21, "campaigns": 10, "age": 24}
        below = {"value": 1.0, "median": 2.0, "difference": -1.0, "campaigns": 5, "age": 24}
        equal = {"value": 1.04, "median": 1.0, "difference": 0.04, "campaigns": 5, "age": 24}
        compare = type(self.env["campaign.master.age"])
        for comparison, expected in (
            (
                {"opened": found, "clicked": below},
                "Compared with Your Median after 24 Hours"
                " ▲ 3.2 points Opened: 45.3%, median of 10 campaigns: 42.1%"
                " ▼ 1.0 points Clicked: 1.0%, median of 5 campaigns: 2.0%",
            ),
            ({"opened": None, "clicked": equal}, "24 Hours Equal Clicked: 1.0%, median of 5"),
        ):
            self.work(campaign).results_mail_due = True
            with patch.object(compare, "_compare", lambda _self, found=comparison: found):
                self.assertIn(expected, self.text(self.mail_results()))

    def test_figures_that_were_not_reported_are_no_zeros(self):
        self.sandbox.control("dialect", {"figures": "sent uniqueClicks"})
        self.read_campaign()
        text = self.text(self.mail_results())
        self.assertIn("Emails Sent: 2", text)
        self.assertIn("– Delivered (–) – Opened (–) – Clicked (0)", text)

    def test_it_is_written_in_the_language_and_time_zone_of_its_reader(self):
        self.account.env["res.lang"]._activate_lang("fr_FR")
        self.marketer.write({"lang": "fr_FR", "tz": "Pacific/Auckland"})
        campaign = self.sent_campaign(hours=25)
        campaign.with_context(lang="fr_FR").title = "Offres de printemps"
        self.pull()
        campaign.sudo().campaign_master_sent_at = fields.Datetime.now() - 25 * HOUR
        [mail] = self.mail_results()
        self.assertIn("Offres de printemps", mail.subject)
        text = self.text(mail)
        self.assertIn("0,0%", text)
        sent_at = campaign.with_context(tz="Pacific/Auckland").campaign_master_sent_at
        local = fields.Datetime.context_timestamp(
            campaign.with_context(tz="Pacific/Auckland"), sent_at
        )
        self.assertIn(f"{local:%d/%m/%Y %H:%M}", text)

    def test_it_waits_for_a_day_and_for_a_reading_of_that_age(self):
        campaign = self.read_campaign(hours=23.5)
        self.assertFalse(self.mail_results())
        self.assertGreater(self.work(campaign).next_poll_at, fields.Datetime.now())
        # Half an hour later, the last reading is that of an earlier age: it asks for another one,
        # whose end triggers it.
        self.time_passes(campaign, 0.6)
        campaign.sudo().campaign_master_statistics_at -= 0.6 * HOUR
        self.assertFalse(self.mail_results())
        triggers = self.triggers("mail_results")
        self.run_cron("pull_statistics")
        self.assertGreater(self.triggers("mail_results"), triggers)
        self.assertEqual(len(self.mail_results()), 1)

    def test_it_is_sent_from_a_complete_reading_at_most_an_hour_old(self):
        campaign = self.read_campaign(hours=30)
        work = self.work(campaign)
        campaign.sudo().campaign_master_statistics_at -= 1.1 * HOUR
        # After an error, the next try is not brought forward.
        later = fields.Datetime.now() + 3 * HOUR
        work.write({"read_failures": 1, "next_poll_at": later})
        self.assertFalse(self.mail_results())
        self.assertEqual(work.next_poll_at, later)
        work.read_failures = 0
        self.assertFalse(self.mail_results())
        self.assertLessEqual(work.next_poll_at, fields.Datetime.now())
        self.react(campaign, "ann@example.com")
        # Figures, but not what the recipients did; the status is known.
        self.run_one_call()
        self.assertTrue(work.read_step)
        self.assertFalse(self.mail_results())
        self.run_cron("pull_statistics")
        self.assertIn("50.0% Opened (1)", self.text(self.mail_results()))

    def test_old_news_is_no_news(self):
        campaign = self.read_campaign(hours=5 * 24 + 1)
        self.assertFalse(self.mail_results())
        self.assertFalse(self.work(campaign).results_mail_due)
        before = self.read_campaign(title="Sent before the upgrade")
        path = file_path("campaign_master/migrations/19.0.1.6.0/post-results-mail.py")
        spec = importlib.util.spec_from_file_location("post_results_mail", path)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        self.env.flush_all()
        script.migrate(self.env.cr, "19.0.1.5.0")
        self.env.invalidate_all()
        self.pull()
        self.assertFalse(self.mail_results())
        self.assertTrue(self.work(before).seen_sent_at)
        deleted = self.read_campaign(title="Deleted")
        self.sandbox.control(f"campaigns/{deleted.campaign_master_ref}", method="DELETE")
        self.pull()
        self.assertEqual(deleted.campaign_master_remote_status, "deleted")
        self.assertFalse(self.mail_results())
        # A new one is news.
        self.sync(deleted, "create_again")
        self.send(deleted, hours=26)
        self.pull()
        self.assertEqual(len(self.mail_results()), 1)

    def test_only_a_responsible_who_may_see_figures_is_mailed(self):
        campaign = self.read_campaign()
        marketing = self.env.ref(MARKETING)
        second = self.account.env["res.company"].create({"name": "Second Company"})
        elsewhere = new_test_user(
            self.account.env,
            "elsewhere",
            MARKETING,
            email="else@example.com",
            company_id=second.id,
            company_ids=second.ids,
        )
        user = self.marketer.with_env(self.account.env)
        for change, undo in (
            (lambda: user.write({"active": False}), lambda: user.write({"active": True})),
            (
                lambda: user.write({"group_ids": [(3, marketing.id)]}),
                lambda: user.write({"group_ids": [(4, marketing.id)]}),
            ),
            (lambda: user.write({"email": False}), lambda: user.write({"email": "m@example.com"})),
            (
                lambda: campaign.sudo().write({"user_id": elsewhere.id}),
                lambda: campaign.sudo().write({"user_id": user.id}),
            ),
            (
                lambda: campaign.sudo().write({"active": False}),
                lambda: campaign.sudo().write({"active": True}),
            ),
        ):
            change()
            self.assertFalse(self.mail_results())
            undo()
        # Who works in another company at the moment has access all the same.
        user.write({"company_ids": [(4, second.id)], "company_id": second.id})
        [mail] = self.mail_results()
        self.assertEqual(mail.email_to, '"Mara Marketing" <m@example.com>')
        self.assertIn(campaign.campaign_master_company_id.name, self.text(mail))
        self.assertNotIn("Second Company", self.text(mail))

    def test_its_link_opens_the_campaign_from_whichever_company(self):
        campaign = self.read_campaign()
        second = self.account.env["res.company"].create({"name": "Second Company"})
        self.marketer.with_env(self.account.env).company_ids += second
        elsewhere = campaign.with_context(allowed_company_ids=second.ids)
        with self.assertRaises(AccessError) as caught:
            elsewhere.read(["title"])
        # Odoo's form selects it then.
        suggested = caught.exception.context["suggested_company"]
        self.assertEqual(suggested["id"], self.account.company_id.id)

    def test_a_server_that_is_killed_mails_once(self):
        self.read_campaign()
        self.read_campaign(title="Other")
        mail_results = CampaignMasterCampaign._mail_results

        def killed(row, user):
            mail_results(row, user)
            if row.campaign_id.title != "Other":
                raise ValueError("Killed on purpose")

        # After the mail was created, before the commit; and others are mailed all the same.
        with (
            patch.object(CampaignMasterCampaign, "_mail_results", killed),
            self.assertLogs(MODULE, "ERROR"),
        ):
            self.run_cron("mail_results")
        self.assertIn("Other", self.mails().subject)
        self.assertIn("Spring offers", self.mail_results().subject)
        self.assertFalse(self.mail_results())
        self.assertEqual(len(self.mails()), 2)

    def test_it_is_switched_off_as_the_reports_of_odoos_own_mailings(self):
        self.read_campaign()
        parameters = self.account.env["ir.config_parameter"]
        parameters.set_param(SWITCH, False)
        self.assertFalse(self.mail_results())
        parameters.set_param(SWITCH, "True")
        self.assertTrue(self.mail_results())


class TestSwitchingOff(ResultsMailCase, HttpCase):
    def test_the_link_in_the_mail_switches_them_off(self):
        self.read_campaign()
        self.read_campaign(title="Second", hours=23.9)
        [mail] = self.mail_results()
        [link] = re.findall(r'"http://[^/"]+(/mailing/report/[^"]+)"', mail.body_html)
        self.assertEqual(self.url_open(link.replace("&amp;", "&")).status_code, 200)
        parameters = self.account.env["ir.config_parameter"]
        parameters.invalidate_model()
        self.assertFalse(parameters.get_param(SWITCH))
        self.time_passes(self.env["utm.campaign"].search([("title", "=", "Second")]), 1)
        self.pull()
        self.assertFalse(self.mail_results())
