from dataclasses import replace

from odoo.tests import new_test_user

from ..client import Activity
from .common import CampaignMasterCase


class TestComplaintsAndBounces(CampaignMasterCase):
    """How people opted out, and why an email did not arrive."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        emails = [f"{name}@example.com" for name in ("ann", "bob", "cem")]
        self.add(self.campaign, self.make_contacts(*emails))
        self.sync(self.campaign)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)

    def act(self, name, kind):
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            {"email": f"{name}@example.com", "kind": kind},
        )

    def optouts(self):
        found = self.env["campaign.master.optout"].search([("campaign_id", "=", self.campaign.id)])
        return {optout.email.split("@")[0]: optout.source for optout in found}

    def line(self, name):
        return self.lines(self.campaign).filtered(lambda line: line.email.startswith(name))

    def ingest(self, **values):
        """A row of Ann's activity comes."""
        nothing = Activity("ann@example.com", 0, 0, 0, 0, *[None] * 4, False, False)
        rows = [replace(nothing, **values)]
        self.env["campaign.master.recipient"].sudo()._ingest(self.campaign.sudo(), rows)
        self.env.invalidate_all()

    def test_a_complaint_is_an_opt_out_with_its_source(self):
        self.act("ann", "complaint")
        self.act("bob", "unsubscribe")
        self.pull()
        self.assertEqual(self.optouts(), {"ann": "complaint", "bob": "unsubscribe"})
        self.assertTrue(self.line("ann").opted_out)
        self.assertEqual(self.line("ann").result, "opted_out")
        following = self.make_campaign(title="Next")
        self.add(following, self.line("ann").partner_id)
        self.assertEqual(self.states(following), {"ann@example.com": "opted_out"})

    def test_who_complains_after_unsubscribing_has_complained(self):
        self.act("ann", "unsubscribe")
        self.pull()
        known_since = self.env["campaign.master.optout"].search([]).create_date
        self.act("ann", "complaint")
        self.pull()
        self.assertEqual(self.optouts(), {"ann": "complaint"})
        self.assertEqual(self.env["campaign.master.optout"].search([]).create_date, known_since)

    def test_an_opt_out_of_an_earlier_version_has_no_source_until_it_is_read_again(self):
        self.act("ann", "complaint")
        self.pull()
        self.cr.execute("UPDATE campaign_master_optout SET source = NULL")
        self.env.invalidate_all()
        self.assertEqual(self.optouts(), {"ann": False})
        self.ingest(opted_out=True, complained=True)
        self.assertEqual(self.optouts(), {"ann": "complaint"})
        self.ingest()
        self.assertEqual(self.optouts(), {})

    def test_the_list_of_opt_outs_shows_and_filters_the_source(self):
        self.act("ann", "complaint")
        self.act("bob", "unsubscribe")
        self.pull()
        menu = self.env.ref("campaign_master.campaign_master_optout_menu").sudo()
        self.assertIn(menu.id, self.env["ir.ui.menu"]._visible_menu_ids())
        action = menu.action
        view = self.env[action.res_model].get_view(view_type="list")
        self.assertIn('name="source"', view["arch"])
        Optout = self.env[action.res_model]
        self.assertEqual(Optout.search([("source", "=", "complaint")]).email, "ann@example.com")
        groups = Optout.formatted_read_group([], ["source"], ["__count"])
        self.assertEqual(len(groups), 2)

    def test_opt_outs_of_another_company_are_not_shown(self):
        self.act("ann", "complaint")
        self.pull()
        company = self.account.env["res.company"].create({"name": "Other"})
        other = new_test_user(
            self.account.env,
            "other",
            "mass_mailing.group_mass_mailing_user",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        optouts = self.env["campaign.master.optout"].with_user(other)
        self.assertFalse(optouts.with_company(company).search([]))

    def test_the_reason_of_a_bounce_is_on_the_recipient(self):
        self.act("cem", "bounce")
        self.pull()
        self.assertEqual(self.line("cem").result, "bounced")
        self.assertEqual(self.line("cem").bounce_reason, "The mailbox does not exist.")
        self.assertFalse(self.line("ann").bounce_reason)
        for name in ("", "_person"):
            view = self.env.ref(f"campaign_master.campaign_master_recipient_view_list{name}")
            arch = view.sudo().get_combined_arch()
            self.assertIn('name="bounce_reason"', arch)
            self.assertIn('optional="hide"', arch.split('name="bounce_reason"')[1].split("/>")[0])

    def test_it_changes_and_goes_with_the_bounce(self):
        self.ingest(bounced=True, bounce_reason="Full.")
        self.assertEqual(self.line("ann").bounce_reason, "Full.")
        self.ingest(bounced=True, bounce_reason="Gone.")
        self.assertEqual(self.line("ann").bounce_reason, "Gone.")
        self.ingest()
        self.assertFalse(self.line("ann").bounce_reason)

    def test_html_of_a_stranger_stays_text(self):
        self.ingest(bounced=True, bounce_reason="<img src=x onerror=alert(1)>")
        self.assertEqual(self.line("ann").bounce_reason, "<img src=x onerror=alert(1)>")
        field = self.env["campaign.master.recipient"]._fields["bounce_reason"]
        self.assertEqual(field.type, "char")  # shown as text, never as HTML

    def test_a_new_campaign_forgets_the_reason(self):
        self.act("cem", "bounce")
        self.pull()
        self.sandbox.control(f"campaigns/{self.campaign.campaign_master_ref}", method="DELETE")
        self.sync(self.campaign)
        self.sync(self.campaign, "create_again")
        self.assertFalse(self.line("cem").bounce_reason)


class TestUnsubscribed(CampaignMasterCase):
    """People who unsubscribed in Campaign Master still receive ordinary emails."""

    def setUp(self):
        super().setUp()
        self.contact, self.other = self.make_contacts("ann@example.com", "bob@example.com")
        self.lead = self.env["crm.lead"].create({"name": "Ann", "email_from": "ann@example.com"})
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.contact + self.other)
        self.add(self.campaign, self.lead)
        self.sync(self.campaign)
        ref = self.campaign.campaign_master_ref
        self.sandbox.send(ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{ref}/activity", {"email": "ann@example.com", "kind": "unsubscribe"}
        )
        self.pull()

    def test_an_unsubscribed_person_is_not_blacklisted_in_odoo(self):
        lines = self.lines(self.campaign).filtered(lambda line: line.email == "ann@example.com")
        self.assertEqual(lines.mapped("opted_out"), [True, True])
        blacklist = self.account.env["mail.blacklist"].with_context(active_test=False)
        self.assertFalse(blacklist.search([("email", "=", "ann@example.com")]))
        self.assertFalse(self.contact.is_blacklisted)
        self.assertFalse(self.lead.is_blacklisted)
        self.assertTrue(self.contact.active)

    def test_ordinary_emails_to_an_unsubscribed_person_are_sent(self):
        for composition_mode in ("comment", "mass_mail"):
            with self.subTest(composition_mode):
                composer = self.env["mail.compose.message"].create(
                    {
                        "composition_mode": composition_mode,
                        "model": "res.partner",
                        "res_ids": str(self.contact.ids),
                        "partner_ids": self.contact.ids,
                        "subject": f"Hello {composition_mode}",
                        "body": "<p>How are you?</p>",
                    }
                )
                composer.action_send_mail()
                mails = self.account.env["mail.mail"].search(
                    [("subject", "=", f"Hello {composition_mode}")]
                )
                notes = self.account.env["mail.notification"].search(
                    [("mail_message_id.subject", "=", f"Hello {composition_mode}")]
                )
                self.assertTrue(mails or notes, "No email was created")
                self.assertFalse(set(mails.mapped("state")) & {"cancel", "exception"})
                self.assertFalse(
                    set(notes.mapped("notification_status")) & {"canceled", "exception", "bounce"}
                )
