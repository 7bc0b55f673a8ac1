"""The list of a person's campaigns, in a tab of the form and behind the button."""

from lxml import etree

from odoo.tests import new_test_user

from .test_engagement_words import WordsCase
from .test_person_totals import MARKETING


class TestPersonCampaigns(WordsCase):
    """Which campaigns are listed, and what is said about them."""

    def listed(self, person, user=None):
        field = "lead_id" if person._name == "crm.lead" else "contact_id"
        Recipient = self.env["campaign.master.recipient"].with_user(user or self.marketer)
        domain = [(field, "=", person.id)]
        lines = Recipient.search(domain, order="campaign_sent_at desc, id desc")
        action = person.with_user(user or self.marketer).action_campaign_master_campaigns()
        self.assertEqual(set(Recipient.search(action["domain"])), set(lines))
        return lines

    def test_campaigns_are_listed_newest_first(self):
        ann = self.make_contacts("ann@example.com")
        drafted = self.campaign_to(ann, sent=False)
        first, second = self.history("co", ann)
        self.send(drafted)
        unsent = self.campaign_to(ann, sent=False)
        lines = self.listed(ann)
        self.assertEqual(lines.campaign_id, unsent + drafted + second + first)
        self.assertEqual(lines.mapped("result")[1:], ["delivered", "opened", "clicked"])

    def test_a_contact_has_the_campaigns_of_the_lead_that_it_was(self):
        lee = self.make_contacts("LEE@example.com")
        lead = self.make_lead("lee@example.com")
        elsewhere = self.make_lead("lee@elsewhere.example")
        was_lead, own = self.campaign_to(lead), self.campaign_to(lee)
        self.campaign_to(elsewhere)
        (lead + elsewhere).partner_id = lee
        self.assertEqual(self.listed(lee).campaign_id, own + was_lead)
        self.assertEqual(self.listed(lead).campaign_id, was_lead)
        mailer = new_test_user(
            self.account.env, "mailer", f"{MARKETING},base.group_partner_manager"
        )
        self.assertEqual(self.listed(lee, mailer).campaign_id, own)

    def test_campaigns_of_another_company_are_not_listed(self):
        ann = self.make_contacts("ann@example.com")
        mine, theirs = self.history("..", ann)
        company = self.account.env["res.company"].create({"name": "Second Company"})
        theirs.sudo().campaign_master_company_id = company
        self.assertEqual(self.listed(ann).campaign_id, mine)

    def test_it_says_with_how_many_others_the_address_is_shared(self):
        ann, company, old = self.make_contacts("a@x.com", "A@x.com", "old@x.com")
        company.is_company = True
        other = self.make_lead("a@x.com")
        campaign = self.campaign_to(ann + company + old, other)
        alone = self.campaign_to(ann)
        shared = {line.campaign_id: line.shared_with_count for line in self.listed(ann)}
        self.assertEqual(shared, {campaign: 2, alone: 0})
        self.assertEqual(self.listed(old).shared_with_count, 0)
        self.assertEqual(self.listed(other).shared_with_count, 2)
        mailer = new_test_user(
            self.account.env, "mailer", f"{MARKETING},base.group_partner_manager"
        )
        self.assertIn(2, self.listed(ann, mailer).mapped("shared_with_count"))

    def test_a_person_does_not_share_the_address_with_himself(self):
        lee, double = self.make_contacts("lee@x.com", "Lee@x.com")
        lead = self.make_lead("lee@x.com")
        self.campaign_to(lee + double, lead)
        lead.partner_id = lee
        self.merge(lee, double)
        self.assertEqual(set(self.listed(lee).mapped("shared_with_count")), {0})
        nobody = self.make_contacts(False, False)
        self.campaign_to(nobody)
        self.assertEqual(self.listed(nobody[0]).shared_with_count, 0)

    def test_the_number_of_statements_does_not_depend_on_the_number_of_campaigns(self):
        view = self.env.ref("campaign_master.campaign_master_recipient_view_list_person").sudo()
        fields = {node.get("name"): {} for node in etree.fromstring(view.arch).iter("field")}
        fields["campaign_id"] = {"fields": {"display_name": {}}}
        counts = []
        for number in (2, 2, 12):
            person = self.make_contacts(f"{number}.{len(counts)}@example.com")
            for _time in range(number):
                self.campaign_to(person)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.env["campaign.master.recipient"].web_search_read(
                [("contact_id", "=", person.id)],
                fields,
                order="campaign_sent_at desc, id desc",
                limit=20,
            )
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])
