"""What is counted for a person: over all campaigns, addresses, merged people and leads."""

from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user
from odoo.tools.safe_eval import safe_eval

from ..client import Activity
from ..models.campaign_master_engagement import TOTALS
from ..tools import to_client
from .common import CampaignMasterCase

MARKETING = "mass_mailing.group_mass_mailing_user"
TIME = fields.Datetime.to_datetime("2026-03-01 10:00:00")


class PersonTotalsCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.number = 0

    def campaign_to(self, *people, sent=True, **values):
        """A campaign that was sent to these people, each one a day after the one before."""
        campaign = self.make_campaign(**values)
        for one in people:
            self.add(campaign, one)
        if sent:
            self.send(campaign)
        return campaign

    def send(self, campaign):
        self.number += 1
        sent_at = TIME + timedelta(days=self.number)
        self.lines(campaign).sudo().write({"sync_state": "added", "on_list_at": TIME})
        self.env["campaign.master.campaign"].sudo()._get_or_create(campaign)
        campaign.sudo().write(
            {"campaign_master_remote_status": "sent", "campaign_master_sent_at": sent_at}
        )
        self.classify(campaign)
        self.env["campaign.master.recipient"].sudo()._mark_sent(campaign.sudo(), sent_at)

    def classify(self, campaign):
        self.env["campaign.master.recipient"].sudo()._classify(campaign.sudo())

    def act(self, campaign, email, opens=0, clicks=0, bounced=False, opted_out=False):
        """Campaign Master reports what an address did."""
        sent_at = to_client(campaign.sudo().campaign_master_sent_at)
        opened, clicked = opens and sent_at or None, clicks and sent_at or None
        unsubscribes = int(opted_out)
        activity = Activity(
            email,
            opens,
            clicks,
            0,
            unsubscribes,
            opened,
            opened,
            clicked,
            clicked,
            bounced,
            opted_out,
        )
        self.env["campaign.master.recipient"].sudo()._ingest(campaign.sudo(), [activity])

    def make_lead(self, email, **values):
        return self.env["crm.lead"].create({"name": "A lead", "email_from": email, **values})

    def merge(self, *people):
        """Merge contacts into the first one."""
        everyone = people[0].union(*people[1:])
        self.env["base.partner.merge.automatic.wizard"].sudo()._merge(everyone.ids, people[0])
        self.env.invalidate_all()

    def counts(self, person):
        return (
            person.campaign_master_campaign_count,
            person.campaign_master_open_count,
            person.campaign_master_click_count,
        )

    def tearDown(self):
        """Whatever happened, what is stored is what is computed from everything."""
        system = self.account.env
        system.flush_all()
        Engagement = system["campaign.master.engagement"]
        names = ["company_id", "partner_id", "lead_id", *TOTALS]

        def stored():
            rows = Engagement.search([]).read(names, load=None)
            rows = [{name: row[name] for name in names} for row in rows]
            return sorted(rows, key=lambda row: [row["partner_id"], row["lead_id"]])

        before = stored()
        for model in ("res.partner", "crm.lead"):
            everyone = system[model].with_context(active_test=False).search([])
            Engagement._recompute_totals(model, everyone.ids, removed=True)
        self.assertEqual(before, stored(), "Totals were outdated")
        super().tearDown()


class TestOptedOut(PersonTotalsCase):
    """An opt-out belongs to an address, too, whoever has it."""

    def setUp(self):
        super().setUp()
        self.ann, self.bob = self.make_contacts("ann@example.com", "bob@example.com")
        campaign = self.campaign_to(self.ann)
        self.act(campaign, "ann@example.com", opted_out=True)

    def test_another_person_with_the_address_has_opted_out_once_added(self):
        twin = self.make_contacts("ANN@example.com")
        self.assertFalse(twin.campaign_master_opted_out)
        self.campaign_to(twin, sent=False)
        self.assertTrue(twin.campaign_master_opted_out)

    def test_a_person_whose_address_is_changed_before_the_sync(self):
        campaign = self.campaign_to(self.bob, sent=False)
        self.bob.email = "ann@example.com"
        self.classify(campaign)
        self.assertTrue(self.bob.campaign_master_opted_out)
        self.bob.email = "bob@example.com"
        self.classify(campaign)
        self.assertFalse(self.bob.campaign_master_opted_out)


class TestBounced(PersonTotalsCase):
    """A bounce belongs to an address."""

    def test_a_person_is_bounced_if_the_latest_campaign_to_the_address_bounced(self):
        ann, bob = self.make_contacts("Ann@Example.com", "bob@example.com")
        first = self.campaign_to(ann + bob)
        self.act(first, "ann@example.com", bounced=True)
        self.assertTrue(ann.campaign_master_bounced)
        self.assertFalse(bob.campaign_master_bounced)
        second = self.campaign_to(ann + bob)
        self.assertFalse(ann.campaign_master_bounced, "A later campaign did not bounce")
        self.act(second, "ann@example.com", bounced=True)
        self.assertTrue(ann.campaign_master_bounced)
        third = self.campaign_to(ann, sent=False)
        self.assertTrue(ann.campaign_master_bounced, "It was not sent yet")
        self.send(third)
        self.act(third, "ann@example.com", opens=1)
        self.assertFalse(ann.campaign_master_bounced)
        bounced = self.env["res.partner"].search([("campaign_master_bounced", "=", True)])
        self.assertNotIn(ann, bounced)
        self.assertEqual(
            [line.bounced for line in self.lines(first) + self.lines(second)],
            [True, False, True, False],
            "What happened stays on the recipients",
        )

    def test_a_bounce_of_an_earlier_campaign_that_is_reported_late_changes_nothing(self):
        ann = self.make_contacts("ann@example.com")
        first, second = self.campaign_to(ann), self.campaign_to(ann)
        self.act(second, "ann@example.com", opens=1)
        self.act(first, "ann@example.com", bounced=True)
        self.assertFalse(ann.campaign_master_bounced)

    def test_a_campaign_whose_sending_time_is_not_told_was_sent_when_odoo_saw_it(self):
        ann = self.make_contacts("ann@example.com")
        first, second = self.campaign_to(ann), self.campaign_to(ann)
        self.work(first).seen_sent_at = first.campaign_master_sent_at
        first.sudo().campaign_master_sent_at = False
        self.act(first, "ann@example.com", bounced=True)
        self.assertFalse(ann.campaign_master_bounced, "A later campaign did not bounce")
        self.work(first).seen_sent_at = TIME + timedelta(days=self.number + 1)
        self.act(second, "ann@example.com", opens=1)
        self.assertTrue(ann.campaign_master_bounced, "Odoo saw it after the other one was sent")

    def test_a_campaign_that_odoo_did_not_see_as_sent_yet_is_the_latest(self):
        ann = self.make_contacts("ann@example.com")
        first, second = self.campaign_to(ann), self.campaign_to(ann)
        first.sudo().campaign_master_sent_at = False
        self.act(first, "ann@example.com", bounced=True)
        self.act(second, "ann@example.com", opens=1)
        self.assertTrue(ann.campaign_master_bounced)

    def test_who_opened_or_clicked_the_bounced_email_is_not_bounced(self):
        ann, bob = self.make_contacts("ann@example.com", "bob@example.com")
        campaign = self.campaign_to(ann + bob)
        self.act(campaign, "ann@example.com", bounced=True, opens=1)
        self.act(campaign, "bob@example.com", bounced=True, clicks=1)
        self.assertFalse(ann.campaign_master_bounced)
        self.assertFalse(bob.campaign_master_bounced)

    def test_another_address_ends_it_and_the_old_one_in_any_letter_case_brings_it_back(self):
        ann = self.make_contacts("ann@example.com")
        lead = self.make_lead("Lee <LEE@example.com>")
        campaign = self.campaign_to(ann, lead)
        self.act(campaign, "ann@example.com", bounced=True)
        self.act(campaign, "lee@example.com", bounced=True)
        self.assertTrue(ann.campaign_master_bounced)
        self.assertTrue(lead.campaign_master_bounced)
        ann.email = "ann@elsewhere.example"
        lead.email_from = "lee@elsewhere.example"
        self.assertFalse(ann.campaign_master_bounced)
        self.assertFalse(lead.campaign_master_bounced)
        ann.email = "Ann Example <ANN@Example.com>"
        lead.email_from = "Lee@EXAMPLE.com"
        self.assertTrue(ann.campaign_master_bounced)
        self.assertTrue(lead.campaign_master_bounced)
        ann.email = False
        self.assertFalse(ann.campaign_master_bounced)
        self.assertFalse(ann.search([("campaign_master_bounced", "=", True)]))

    def test_an_address_with_letters_that_are_not_ascii_is_the_same_in_any_case(self):
        ann = self.make_contacts("Jürgen.MÜLLER@example.com")
        campaign = self.campaign_to(ann)
        self.act(campaign, "jürgen.müller@example.com", bounced=True)
        self.assertTrue(ann.campaign_master_bounced)

    def test_an_address_that_an_opportunity_takes_from_its_contact_counts_too(self):
        ann = self.make_contacts("ann@example.com")
        lead = self.make_lead("ann@example.com", partner_id=ann.id)
        campaign = self.campaign_to(lead)
        self.act(campaign, "ann@example.com", bounced=True)
        self.assertTrue(lead.campaign_master_bounced)
        ann.email = "new@example.com"
        self.env.flush_all()
        self.assertEqual(lead.email_from, "new@example.com")
        self.assertFalse(lead.campaign_master_bounced)
        self.assertFalse(ann.campaign_master_bounced)

    def test_people_who_share_an_address_share_its_bounces(self):
        company, contact = self.make_contacts("office@example.com", "Office@Example.com")
        company.is_company = True
        campaign = self.campaign_to(company + contact)
        self.act(campaign, "office@example.com", bounced=True)
        self.assertTrue(company.campaign_master_bounced)
        self.assertTrue(contact.campaign_master_bounced)
        later = self.campaign_to(contact)
        self.assertFalse(company.campaign_master_bounced, "Sent to the contact, same address")
        self.act(later, "office@example.com", bounced=True)
        self.assertTrue(company.campaign_master_bounced)
        self.lines(later).action_remove()
        self.assertTrue(company.campaign_master_bounced)
        campaign.unlink()
        self.assertFalse(company.campaign_master_bounced)

    def test_archived_people_are_bounced_like_others(self):
        ann = self.make_contacts("ann@example.com")
        campaign = self.campaign_to(ann)
        ann.action_archive()
        self.act(campaign, "ann@example.com", bounced=True)
        self.assertTrue(ann.campaign_master_bounced)
        ann.email = "new@example.com"
        ann.action_unarchive()
        self.assertFalse(ann.campaign_master_bounced)

    def test_a_campaign_that_is_created_again_was_sent_to_nobody(self):
        ann = self.make_contacts("ann@example.com")
        campaign = self.make_campaign()
        self.add(campaign, ann)
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{campaign.campaign_master_ref}/activity",
            {"email": "ann@example.com", "kind": "bounce"},
        )
        self.pull()
        self.assertTrue(ann.campaign_master_bounced)
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.pull()
        self.assertTrue(ann.campaign_master_bounced)
        self.press(campaign, "unlink")
        self.assertFalse(ann.campaign_master_bounced)


class TestMergedPeople(PersonTotalsCase):
    """What happened stays with the person."""

    def test_the_same_address_on_the_same_campaign_counts_once(self):
        ann, double = self.make_contacts("ann@example.com", "Ann@Example.com")
        campaign = self.campaign_to(ann + double)
        other = self.campaign_to(double)
        self.act(campaign, "ann@example.com", opens=2, clicks=1)
        self.act(other, "ann@example.com", opens=3)
        self.merge(ann, double)
        self.assertEqual(self.counts(ann), (2, 5, 1))
        self.assertEqual(self.lines(campaign).partner_id, ann)
        self.assertEqual(sorted(self.lines(campaign).mapped("is_merged")), [False, True])
        self.assertFalse(self.lines(other).is_merged)
        self.act(campaign, "ann@example.com", opens=7)
        self.assertEqual(self.counts(ann), (2, 10, 0))

    def test_another_address_on_the_same_campaign_counts_too(self):
        ann, old, older = self.make_contacts("ann@example.com", "ann@old.example", "a@o.example")
        campaign = self.campaign_to(ann + old + older)
        self.act(campaign, "ann@example.com", opens=2)
        self.act(campaign, "ann@old.example", opens=1, clicks=4)
        self.act(campaign, "a@o.example", bounced=True, opted_out=True)
        self.merge(ann, old, older)
        self.assertEqual(self.counts(ann), (1, 3, 4))
        self.assertTrue(ann.campaign_master_opted_out)
        self.assertFalse(ann.campaign_master_bounced, "Another address bounced")
        # Activity still arrives by address.
        self.act(campaign, "ann@old.example", opens=6, clicks=4)
        self.assertEqual(self.counts(ann), (1, 8, 4))
        ann.email = "A@O.example"
        self.assertTrue(ann.campaign_master_bounced)

    def test_people_can_be_merged_again_and_again(self):
        people = self.make_contacts(*(f"ann@{number}.example" for number in range(4)))
        campaign = self.campaign_to(people)
        for number in range(4):
            self.act(campaign, f"ann@{number}.example", opens=1)
        self.merge(people[1], people[0])
        self.merge(people[2], people[3])
        self.merge(people[1], people[2])
        self.assertEqual(self.counts(people[1]), (1, 4, 0))
        self.assertEqual(self.lines(campaign).mapped("is_merged").count(False), 1)

    def test_a_merged_person_keeps_what_the_removed_recipient_did(self):
        ann, old = self.make_contacts("ann@example.com", "ann@old.example")
        campaign = self.campaign_to(ann + old)
        self.act(campaign, "ann@old.example", opens=1)
        self.merge(ann, old)
        self.lines(campaign).filtered(lambda line: not line.is_merged).action_remove()
        self.assertEqual(self.counts(ann), (1, 1, 0))
        self.merge(ann, self.make_contacts("ann@third.example"))
        self.assertEqual(self.counts(ann), (1, 1, 0))

    def test_merged_leads_keep_their_totals(self):
        leads = self.make_lead("lee@example.com") + self.make_lead("LEE@example.com")
        leads += self.make_lead("lee@old.example")
        campaign = self.campaign_to(leads)
        self.act(campaign, "lee@example.com", opens=2)
        self.act(campaign, "lee@old.example", clicks=3)
        lead = leads.merge_opportunity()
        self.assertEqual(self.counts(lead), (1, 2, 3))
        self.assertEqual(self.lines(campaign).lead_id, lead)

    def test_contacts_of_several_companies_keep_the_totals_of_each(self):
        ann, double = self.make_contacts("ann@example.com", "ann@example.com")
        company = self.account.env["res.company"].create({"name": "Second Company"})
        mine, other = self.campaign_to(ann + double), self.campaign_to(ann + double)
        other.sudo().campaign_master_company_id = company
        self.act(mine, "ann@example.com", opens=1)
        self.act(other, "ann@example.com", opens=10, bounced=True)
        self.merge(ann, double)
        self.assertEqual(self.counts(ann), (1, 1, 0))
        self.assertFalse(ann.campaign_master_bounced)
        theirs = ann.sudo().with_context(allowed_company_ids=company.ids)
        self.assertEqual(self.counts(theirs), (1, 10, 0))
        both = ann.sudo().with_context(allowed_company_ids=(self.env.company + company).ids)
        self.assertEqual(self.counts(both), (2, 11, 0))


class TestLeadsThatBecomeContacts(PersonTotalsCase):
    """What a lead did shows on its contact."""

    def setUp(self):
        super().setUp()
        self.lead = self.make_lead("Lee@Example.com", type="lead")
        self.campaign = self.campaign_to(self.lead)
        self.act(self.campaign, "lee@example.com", opens=2, clicks=1)

    def test_a_converted_lead_shows_on_the_contact_that_is_created(self):
        self.lead._handle_partner_assignment(create_missing=True)
        contact = self.lead.partner_id
        self.assertEqual(contact.email_normalized, "lee@example.com")
        self.assertEqual(self.counts(contact), (1, 2, 1))
        self.assertIn(contact, contact.search([("campaign_master_open_count", "=", 2)]))
        self.assertIn(contact, contact.search([("campaign_master_campaign_count", "=", 1)]))
        self.act(self.campaign, "lee@example.com", opens=5, clicks=1)
        self.assertEqual(self.counts(contact), (1, 5, 1))
        self.assertEqual(self.counts(self.lead), (1, 5, 1))

    def test_a_contact_that_is_set_counts_until_it_is_changed_or_unset(self):
        lee, other = self.make_contacts("LEE@example.com", "lee@example.com")
        self.assertEqual(self.counts(lee), (0, 0, 0))
        self.lead.partner_id = lee
        self.assertEqual(self.counts(lee), (1, 2, 1))
        self.lead.partner_id = other
        self.assertEqual(self.counts(lee), (0, 0, 0))
        self.assertEqual(self.counts(other), (1, 2, 1))
        self.lead.partner_id = False
        self.assertEqual(self.counts(other), (0, 0, 0))
        self.assertEqual(self.counts(self.lead), (1, 2, 1))

    def test_only_a_lead_with_the_contacts_address_counts(self):
        lee = self.make_contacts("lee@work.example")
        self.lead.partner_id = lee
        self.assertEqual(self.counts(lee), (0, 0, 0))
        lee.email = "lee@EXAMPLE.com"
        self.assertEqual(self.counts(lee), (1, 2, 1))
        lee.email = "lee@work.example"
        self.assertEqual(self.counts(lee), (0, 0, 0))

    def test_a_lead_and_its_contact_on_the_same_campaign_count_once(self):
        lee = self.make_contacts("lee@example.com")
        campaign = self.campaign_to(lee, self.lead)
        self.act(campaign, "lee@example.com", opens=4, bounced=True)
        self.lead.partner_id = lee
        self.assertEqual(self.counts(lee), (2, 6, 1))

    def test_the_bounces_and_opt_outs_of_a_lead_are_the_contacts_too(self):
        lee = self.make_contacts("lee@example.com")
        self.lead.partner_id = lee
        campaign = self.campaign_to(self.lead)
        self.act(campaign, "lee@example.com", bounced=True, opted_out=True)
        self.assertTrue(lee.campaign_master_bounced)
        self.assertTrue(lee.campaign_master_opted_out)

    def test_merged_leads_and_contacts_bring_their_leads_with_them(self):
        lee, other = self.make_contacts("lee@example.com", "lee@example.com")
        second = self.make_lead("lee@example.com", partner_id=other.id, type="opportunity")
        campaign = self.campaign_to(second)
        self.act(campaign, "lee@example.com", opens=1)
        self.lead.partner_id = lee
        self.merge(lee, other)
        self.assertEqual(self.counts(lee), (2, 3, 1))
        merged = (self.lead + second).merge_opportunity()
        self.assertEqual(merged.partner_id, lee)
        self.assertEqual(self.counts(lee), (2, 3, 1))
        self.assertEqual(self.counts(merged), (2, 3, 1))

    def test_merging_leads_takes_what_they_did_from_the_contact_of_the_other(self):
        lee, other = self.make_contacts("lee@example.com", "lee@example.com")
        second = self.make_lead("lee@example.com", partner_id=other.id, type="opportunity")
        self.lead.partner_id = lee
        merged = (self.lead + second).merge_opportunity()
        self.env.flush_all()
        self.assertEqual(self.counts(merged.partner_id), (1, 2, 1))
        self.assertEqual(self.counts((lee + other) - merged.partner_id), (0, 0, 0))

    def test_a_contact_loses_what_a_lead_did_when_the_recipient_is_removed(self):
        lee = self.make_contacts("lee@example.com")
        self.lead.partner_id = lee
        second = self.campaign_to(self.lead)
        self.act(second, "lee@example.com", opens=1, opted_out=True)
        self.lines(self.campaign).action_remove()
        self.assertEqual(self.counts(lee), (1, 1, 0))
        self.assertTrue(lee.campaign_master_opted_out)
        self.lines(second).action_remove()
        self.assertEqual(self.counts(lee), (0, 0, 0))
        self.assertFalse(self.found(lee))

    def test_a_contact_loses_what_a_lead_did_when_the_campaign_is_deleted(self):
        lee = self.make_contacts("lee@example.com")
        self.lead.partner_id = lee
        self.assertEqual(self.found(lee), lee)
        self.campaign.unlink()
        self.assertFalse(self.found(lee))

    def test_merged_leads_of_two_contacts_count_for_the_one_that_is_kept(self):
        one, two = self.make_contacts("lee@example.com", "two@example.com")
        self.lead.write({"partner_id": one.id, "type": "opportunity"})
        second = self.make_lead("two@example.com", partner_id=two.id, type="opportunity")
        campaign = self.campaign_to(second)
        self.act(campaign, "two@example.com", opens=3)
        self.assertEqual(self.found(one + two), one + two)
        merged = (self.lead + second).merge_opportunity()
        self.env.flush_all()
        self.assertEqual(self.found(one + two), merged.partner_id)

    def found(self, people):
        """Those who opened something, as a list finds them."""
        domain = [("campaign_master_open_count", ">", 0), ("id", "in", people.ids)]
        return people.search(domain)

    def test_lost_and_deleted_leads(self):
        lee = self.make_contacts("lee@example.com")
        self.lead.partner_id = lee
        self.lead.action_set_lost()
        self.assertEqual(self.counts(lee), (1, 2, 1))
        self.lead.sudo().unlink()
        self.assertEqual(self.counts(lee), (0, 0, 0))

    def test_the_lead_itself_is_listed_only_to_users_who_may_read_it(self):
        lee = self.make_contacts("lee@example.com")
        self.lead.write({"partner_id": lee.id, "user_id": self.marketer.id})
        self.campaign_to(lee)
        action = lee.action_campaign_master_campaigns()
        self.assertEqual(action["res_model"], "campaign.master.recipient")
        Recipient = self.env["campaign.master.recipient"]
        self.assertEqual(
            set(Recipient.search(action["domain"]).mapped("kind")), {"contact", "lead"}
        )
        self.lead.action_set_lost()
        self.assertEqual(len(Recipient.search(action["domain"])), 2)
        for groups in (MARKETING, f"{MARKETING},sales_team.group_sale_salesman"):
            user = new_test_user(self.account.env, groups.replace(",", "-"), groups)
            action = lee.with_user(user).action_campaign_master_campaigns()
            lines = Recipient.with_user(user).search(action["domain"])
            self.assertEqual(lines.mapped("kind"), ["contact"])
            self.assertEqual(self.counts(lee.with_user(user)), (2, 2, 1), "Numbers only")
            with self.assertRaises(AccessError):
                self.lines(self.campaign).with_user(user).read(["email"])


class TestFilters(PersonTotalsCase):
    """The filters of contacts, leads and opportunities."""

    SEARCHES = {
        "base.view_res_partner_filter": "res.partner",
        "crm.view_crm_case_leads_filter": "crm.lead",
        "crm.view_crm_case_opportunities_filter": "crm.lead",
    }
    FILTERS = {
        "campaign_master_opened": "Opened",
        "campaign_master_clicked": "Clicked",
        "campaign_master_bounced": "Bounced",
        "campaign_master_opted_out": "Opted Out",
        "campaign_master_never_engaged": "Never Engaged",
    }
    WORDS = {
        f"campaign_master_{word.lower()}": f"Engagement: {word}"
        for word in ("Active", "Warm", "Cold", "New", "Dormant")
    }

    def filters(self, view, model):
        """The domains of our filters in a search view, by label."""
        view = self.env.ref(view)
        arch = self.env[model].with_user(self.marketer).get_view(view.id, "search")["arch"]
        nodes = etree.fromstring(arch).xpath("//filter[starts-with(@name, 'campaign_master_')]")
        labels = {node.get("name"): node.get("string") for node in nodes}
        self.assertEqual(labels, self.FILTERS | self.WORDS)
        return {
            node.get("string"): safe_eval(node.get("domain"))
            for node in nodes
            if node.get("name") in self.FILTERS
        }

    def make_people(self, model, *emails):
        if model == "res.partner":
            return self.make_contacts(*emails)
        return self.env["crm.lead"].create([{"name": e, "email_from": e} for e in emails])

    def test_each_filter_finds_the_people_that_its_name_says(self):
        names = ["opened", "clicked", "bounced", "out", "quiet", "late", "double", "unsent"]
        for view, model in self.SEARCHES.items():
            with self.subTest(view):
                tag = view.replace(".", "-")
                emails = [f"{name}@{tag}.example" for name in names]
                emails[6] = emails[4].upper()
                people = self.make_people(model, *emails)
                by_name = dict(zip(names, people, strict=True))
                sent_to = people - by_name["late"] - by_name["unsent"]
                campaign = self.campaign_to(sent_to)
                self.add(campaign, by_name["late"])
                self.campaign_to(by_name["unsent"], sent=False)
                self.act(campaign, emails[0], opens=1)
                self.act(campaign, emails[1], clicks=1)
                self.act(campaign, emails[2], bounced=True)
                self.act(campaign, emails[3], opted_out=True)
                expected = {
                    "Opened": {"opened", "clicked"},
                    "Clicked": {"clicked"},
                    "Bounced": {"bounced"},
                    "Opted Out": {"out"},
                    "Never Engaged": {"out", "quiet"},
                }
                for label, domain in self.filters(view, model).items():
                    found = people.search([("id", "in", people.ids), *domain])
                    self.assertEqual(
                        {name for name, one in by_name.items() if one in found},
                        expected[label],
                        label,
                    )

    def test_who_reacted_once_is_not_found_as_never_engaged_later(self):
        ann = self.make_contacts("ann@example.com")
        never = [
            ("id", "=", ann.id),
            *self.filters("base.view_res_partner_filter", "res.partner")["Never Engaged"],
        ]
        first = self.campaign_to(ann)
        self.assertTrue(ann.search(never))
        self.act(first, "ann@example.com", clicks=1)
        self.assertFalse(ann.search(never))
        self.campaign_to(ann)
        self.assertFalse(ann.search(never))

    def test_a_campaign_of_another_company_was_not_delivered_for_this_one(self):
        ann = self.make_contacts("ann@example.com")
        campaign = self.campaign_to(ann)
        received = [("id", "=", ann.id), ("campaign_master_delivered", "=", True)]
        self.assertTrue(ann.search(received))
        company = self.account.env["res.company"].create({"name": "Second Company"})
        campaign.sudo().campaign_master_company_id = company
        self.assertFalse(ann.search(received))
        self.assertTrue(
            ann.search([("id", "=", ann.id), ("campaign_master_delivered", "=", False)])
        )

    def test_a_lead_that_was_delivered_counts_for_its_contact(self):
        lee = self.make_contacts("lee@example.com")
        lead = self.make_lead("lee@example.com", partner_id=lee.id)
        campaign = self.campaign_to(lead)
        domain = self.filters("base.view_res_partner_filter", "res.partner")["Never Engaged"]
        self.assertIn(lee, lee.search(domain))
        self.act(campaign, "lee@example.com", opens=1)
        self.assertNotIn(lee, lee.search(domain))

    def test_opted_out_is_shown_in_forms_and_lists(self):
        for model in ("res.partner", "crm.lead"):
            views = self.env[model].get_views([(False, "form"), (False, "list")])["views"]
            for kind, view in views.items():
                self.assertIn('name="campaign_master_opted_out"', view["arch"], (model, kind))
