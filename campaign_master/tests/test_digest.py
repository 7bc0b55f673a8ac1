"""Figures of Campaign Master in Odoo's digest emails."""

import ast
import re
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .test_history import MARKETING, HistoryCase

DAY = timedelta(days=1)
SENT, CLICKED, OPTED_OUT = (
    f"kpi_campaign_master_{name}" for name in ("sent", "clicked", "optouts")
)
KPIS = (SENT, CLICKED, OPTED_OUT)


class TestDigest(HistoryCase):
    def setUp(self):
        super().setUp()
        self.company = self.account.company_id
        self.digest = self.make_digest(self.company)

    def make_digest(self, company):
        values = {"name": "News", "company_id": company.id, **dict.fromkeys(KPIS, True)}
        return self.account.env["digest.digest"].create(values)

    def figures(self, digest=None, user=None, until=0, days=7):
        """What a reader's digest shows of a period that ended some days ago."""
        now = fields.Datetime.now() + timedelta(seconds=1)
        period = {"start_datetime": now - (until + days) * DAY, "end_datetime": now - until * DAY}
        digest = (digest or self.digest).with_user(user or self.marketer).with_context(**period)
        digest.invalidate_recordset()
        return tuple(digest[f"{name}_value"] for name in KPIS)

    def mail(self, digest, user):
        """The digest as it is mailed to a user."""
        mails = self.account.env["mail.mail"]
        before = mails.search([])
        digest.sudo()._action_send_to_user(user)
        self.env.flush_all()
        return (mails.search([]) - before).body_html

    def test_it_counts_what_happened_in_the_period(self):
        office = self.make_contacts("ann@x.com", "office@x.com", "Office@x.com", "bob@x.com")
        old = self.sent_campaign(office, hours=10 * 24, title="Old")
        self.react(old, "ann@x.com", "click", after=1, hours=10 * 24)
        self.react(old, "ann@x.com", "click", after=9 * 24, hours=10 * 24)
        self.react(old, "bob@x.com", "click", after=8 * 24, hours=10 * 24)
        new = self.sent_campaign(office, hours=24, title="New")
        self.react(new, "ann@x.com", "click", after=1, hours=24)
        self.react(new, "office@x.com", "click", after=2, hours=24)
        self.react(new, "bob@x.com", "open", after=2, hours=24)
        self.react(new, "bob@x.com", "unsubscribe", after=3, hours=24)
        waiting = self.synced_campaign(title="Waiting")
        self.pull()
        # Bob's click on the old campaign, and Ann's and the office's on the new one.
        self.assertEqual(self.figures(), (1, 3, 1))
        # Ann's first click was on the day of the sending; Odoo did not know of an opt-out.
        self.assertEqual(self.figures(until=7), (1, 1, 0))
        self.assertEqual(self.figures(until=14), (0, 0, 0))
        # A machine follows links, too.
        clicks = self.lines(new).filtered(lambda line: line.email == "office@x.com").sudo()
        clicks.machine_rule = "burst"
        self.assertEqual(self.figures(), (1, 2, 1))
        clicks.machine_rule = False
        # It was sent, whatever became of it.
        (new + waiting).active = False
        self.assertEqual(self.figures(), (1, 3, 1))
        self.sandbox.control(f"campaigns/{new.campaign_master_ref}", method="DELETE")
        self.pull()
        self.assertEqual(new.campaign_master_remote_status, "deleted")
        self.assertEqual(self.figures(), (1, 3, 1))
        # If Campaign Master does not say when, it was sent when Odoo saw it.
        new.sudo().campaign_master_sent_at = False
        self.assertEqual(self.figures()[0], 1)
        self.work(new).seen_sent_at -= 8 * DAY
        self.assertEqual(self.figures()[0], 0)

    def test_leads_that_the_reader_may_not_see_count(self):
        lead = self.env["crm.lead"].create({"name": "Lea", "email_from": "lea@example.com"})
        campaign = self.sent_campaign(lead)
        self.react(campaign, "lea@example.com", "click")
        self.pull()
        user = new_test_user(self.account.env, "nolead", MARKETING)
        self.assertEqual(self.figures(user=user), self.figures())
        self.assertEqual(self.figures(user=user)[1], 1)

    def test_it_shows_the_figures_of_its_company_to_whoever_may_see_them(self):
        own = self.sent_campaign()
        self.react(own, "ann@example.com", "click")
        self.pull()
        system = self.account.env
        _first_env, values = self.work_in_second_company(f"{MARKETING},base.group_partner_manager")
        second = self.env.user
        other = self.synced_campaign(**values)
        self.send(other, list_ref=other.campaign_master_list_id.ref)
        self.pull()
        both = new_test_user(
            system,
            "both",
            MARKETING,
            company_id=second.company_id.id,
            company_ids=(second.company_id + self.company).ids,
        )
        second_digest = self.make_digest(second.company_id)
        self.assertEqual(self.figures(user=both), (1, 1, 0))
        self.assertEqual(self.figures(second_digest, user=both), (1, 0, 0))
        self.assertEqual(self.figures(second_digest, user=second), (1, 0, 0))
        with self.assertRaises(AccessError):
            self.figures(user=second)
        # Without a company, it is the reader's.
        no_company = self.make_digest(system["res.company"])
        self.assertEqual(self.figures(no_company, user=self.marketer)[1], 1)
        self.assertEqual(self.figures(no_company, user=second)[1], 0)

    def test_the_email_leaves_out_what_its_reader_may_not_see(self):
        campaign = self.sent_campaign()
        self.react(campaign, "ann@example.com", "click")
        self.pull()
        html = self.mail(self.digest, self.marketer)
        for name in KPIS:
            self.assertIn(f'data-field="{name}"', html)
        actions = re.findall(r"/odoo/action-(campaign_master\.\w+)\?menu_id=\d+", html)
        for action in actions:
            action = self.env["ir.actions.act_window"]._for_xml_id(action)
            self.assertTrue(self.env[action["res_model"]].has_access("read"))
        self.assertEqual(len(actions), 3)
        for groups in ("base.group_user", "base.group_user,sales_team.group_sale_manager"):
            user = new_test_user(self.account.env, f"user{len(groups)}", groups)
            self.assertNotIn("kpi_campaign_master", self.mail(self.digest, user))
            with self.assertRaises(AccessError):
                self.figures(user=user)

    def test_the_list_behind_the_clicks_shows_them_newest_first(self):
        people = self.make_contacts("ann@x.com", "bob@x.com", "Bob@x.com")
        campaign = self.sent_campaign(people, hours=40 * 24)
        for email, days in (("ann@x.com", 1), ("bob@x.com", 35), ("ann@x.com", 36)):
            self.react(campaign, email, "click", after=days * 24, hours=40 * 24)
        self.pull()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_recipient_action_clicked"
        )
        domain = fields.Domain(ast.literal_eval(action["domain"]))
        found = self.env["campaign.master.recipient"].search(domain)
        self.assertEqual(found.mapped("email"), ["bob@x.com"])
        view = self.env["campaign.master.recipient"].get_view(action["view_id"][0], "list")
        self.assertIn('default_order="first_click desc, id desc"', view["arch"])

    def test_nobody_gets_them_unasked(self):
        system = self.account.env
        default = system.ref("digest.digest_digest_default")
        self.assertEqual([default[name] for name in KPIS], [False, False, False])
        for groups, is_offered in (
            (f"base.group_erp_manager,{MARKETING}", True),
            ("base.group_erp_manager", False),
        ):
            user = new_test_user(system, f"manager{is_offered}", groups)
            arch = system["digest.digest"].with_user(user).get_view(view_type="form")["arch"]
            self.assertEqual([name in arch for name in KPIS], 3 * [is_offered])
