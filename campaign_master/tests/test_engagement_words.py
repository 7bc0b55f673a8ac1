"""How engaged a person is, in a word, and why."""

from datetime import timedelta
from unittest.mock import patch

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time

from ..client import Activity
from .test_person_totals import TIME, PersonTotalsCase


class WordsCase(PersonTotalsCase):
    def update(self, now=None):
        """Run the scheduled action: by default, on the day after the last campaign was sent."""
        with freeze_time(now or TIME + timedelta(days=self.number + 1)):
            self.run_cron("update_engagement")

    def history(self, history, *people, company=None):
        """Send a campaign to these people for each letter, oldest first: opened, clicked, bounced,
        or "." for nothing. They all have the same address.

        :return: these campaigns
        """
        campaigns = [self.campaign_to(*people) for _letter in history]
        if company:
            for campaign in campaigns:
                campaign.sudo().campaign_master_company_id = company
        email = people[0].email_normalized
        for campaign, letter in zip(campaigns, history, strict=True):
            if letter != ".":
                self.act(
                    campaign,
                    email,
                    opens=int(letter == "o"),
                    clicks=int(letter == "c"),
                    bounced=letter == "b",
                )
        return campaigns

    def word(self, person):
        return person.campaign_master_engagement

    def reason(self, person):
        return person.campaign_master_engagement_reason

    def assertWord(self, person, word, reason, message=None):
        self.assertEqual((self.word(person), self.reason(person)), (word, reason), message)


class TestWords(WordsCase):
    """The first that holds: new, dormant, active, warm, cold."""

    def test_each_word_has_its_reason(self):
        for history, word, reason in (
            (".", "new", "Only 1 delivered so far"),
            ("cc", "new", "Only 2 delivered so far"),
            ("...", "cold", "Opened 0 of the last 3 delivered"),
            (".........", "cold", "Opened 0 of the last 5 delivered"),
            ("..........", "dormant", "Opened none of the last 10 delivered"),
            ("o.........", "cold", "Opened 0 of the last 5 delivered"),
            ("o..........", "dormant", "Opened none of the last 10 delivered"),
            ("c..........", "dormant", "Opened none of the last 10 delivered"),
            ("cc.", "active", "Clicked in 2 of the last 3 delivered"),
            ("ccc..", "active", "Clicked in 3 of the last 5 delivered"),
            ("cc...", "active", "Clicked in 2 of the last 5 delivered"),
            ("cc....", "warm", "Clicked in 1 of the last 5 delivered"),
            ("cc.....", "cold", "Opened 0 of the last 5 delivered"),
            ("o.c", "warm", "Clicked in 1 of the last 3 delivered"),
            ("ooo..", "warm", "Opened 3 of the last 5 delivered"),
            ("oo...", "cold", "Opened 2 of the last 5 delivered"),
            ("ooo...", "cold", "Opened 2 of the last 5 delivered"),
        ):
            with self.subTest(history):
                name = f"{len(history)}{history}".replace(".", "-")
                person = self.make_contacts(f"{name}@example.com")
                self.history(history, person)
                self.update()
                self.assertWord(person, word, reason)

    def test_somebody_who_received_nothing_has_no_word(self):
        nobody, waiting = self.make_contacts("nobody@example.com", "waiting@example.com")
        self.campaign_to(waiting, sent=False)
        self.update()
        self.assertWord(nobody, False, False)
        self.assertWord(waiting, False, False)

    def test_leads_and_companies_have_words_too(self):
        lead = self.make_lead("lee@example.com")
        company = self.make_contacts("office@example.com", is_company=True)
        self.history("c.c", lead)
        self.history("...", company)
        self.update()
        self.assertWord(lead, "active", "Clicked in 2 of the last 3 delivered")
        self.assertEqual(self.word(company), "cold")

    def test_words_are_found_by_the_scheduled_action_only(self):
        ann = self.make_contacts("ann@example.com")
        first, *_others = self.history("...", ann)
        self.assertFalse(self.word(ann))
        self.update()
        self.act(first, "ann@example.com", clicks=1)
        self.assertEqual(self.word(ann), "cold")
        self.update()
        self.assertEqual(self.word(ann), "warm")

    def test_reasons_are_in_the_readers_language(self):
        self.account.env["res.lang"]._activate_lang("fr_FR")
        ann = self.make_contacts("ann@example.com")
        self.history(".", ann)
        self.update()
        self.assertTrue(self.reason(ann))
        with patch.object(type(self.env), "_", lambda env, text, **values: f"{env.lang}: {text}"):
            french = ann.with_context(lang="fr_FR")
            self.assertIn("fr_FR", self.reason(french))

    def test_the_reason_is_of_the_word_that_is_shown(self):
        ann = self.make_contacts("ann@example.com")
        self.history("c.", ann)
        self.update()
        row = ann.read(["campaign_master_engagement", "campaign_master_engagement_reason"])
        self.assertEqual(
            row,
            [
                {
                    "id": ann.id,
                    "campaign_master_engagement": "new",
                    "campaign_master_engagement_reason": "Only 2 delivered so far",
                }
            ],
        )


class TestWhatCounts(WordsCase):
    """Only what was delivered counts, once per campaign."""

    def test_bounces_do_not_count(self):
        ann = self.make_contacts("ann@example.com")
        self.history("bb..b", ann)
        self.update()
        self.assertWord(ann, "new", "Only 2 delivered so far")

    def test_a_bounce_that_is_reported_later_no_longer_counts(self):
        ann = self.make_contacts("ann@example.com")
        campaigns = self.history("...", ann)
        self.update()
        self.assertEqual(self.word(ann), "cold")
        for campaign in campaigns:
            self.act(campaign, "ann@example.com", bounced=True)
        self.update()
        self.assertWord(ann, False, False)

    def test_what_bounced_but_was_clicked_was_delivered(self):
        ann = self.make_contacts("ann@example.com")
        campaign, *_others = self.history("...", ann)
        self.act(campaign, "ann@example.com", clicks=1, bounced=True)
        self.update()
        self.assertWord(ann, "warm", "Clicked in 1 of the last 3 delivered")

    def test_campaigns_that_are_not_sent_or_that_one_was_added_to_later_do_not_count(self):
        ann, bob = self.make_contacts("ann@example.com", "bob@example.com")
        self.history("...", ann)
        self.campaign_to(ann, sent=False)
        self.add(self.campaign_to(bob), ann)
        self.update()
        self.assertWord(ann, "cold", "Opened 0 of the last 3 delivered")

    def test_what_was_done_with_a_test_email_does_not_count(self):
        ann = self.make_contacts("ann@example.com")
        self.history("...", ann)
        campaign = self.campaign_to(ann, sent=False)
        self.act(campaign, "ann@example.com", clicks=1)
        self.update()
        self.assertEqual(self.word(ann), "cold")

    def test_people_who_share_an_address_share_what_was_done_with_it(self):
        company, contact = self.make_contacts("office@example.com", "Office@Example.com")
        company.is_company = True
        campaigns = self.history("cc.", company, contact)
        self.assertTrue(any(line.is_twin for line in self.lines(campaigns[0])))
        self.update()
        for person in (company, contact):
            self.assertWord(person, "active", "Clicked in 2 of the last 3 delivered")

    def test_a_merged_person_has_each_campaign_once(self):
        ann, old = self.make_contacts("ann@example.com", "ann@old.example")
        both = [self.campaign_to(ann + old) for _number in range(2)]
        self.act(both[0], "ann@old.example", clicks=1)
        self.act(both[1], "ann@example.com", clicks=1)
        self.merge(ann, old)
        self.update()
        self.assertWord(ann, "new", "Only 2 delivered so far")
        self.campaign_to(ann)
        self.update()
        self.assertWord(ann, "active", "Clicked in 2 of the last 3 delivered")

    def test_what_a_lead_did_counts_for_the_contact_that_it_becomes(self):
        lead = self.make_lead("lee@example.com")
        self.history("c.", lead)
        lead._handle_partner_assignment(create_missing=True)
        contact = lead.partner_id
        self.history("c", contact)
        self.update()
        self.assertWord(contact, "active", "Clicked in 2 of the last 3 delivered")
        self.assertWord(lead, "new", "Only 2 delivered so far")
        contact.email = "lee@elsewhere.example"
        self.update()
        self.assertWord(contact, "new", "Only 1 delivered so far")

    def test_a_lead_and_its_contact_on_the_same_campaign_count_once(self):
        lee = self.make_contacts("lee@example.com")
        lead = self.make_lead("lee@example.com", partner_id=lee.id)
        self.history("cc", lee, lead)
        self.update()
        self.assertWord(lee, "new", "Only 2 delivered so far")

    def test_somebody_who_is_removed_from_all_campaigns_has_no_word(self):
        ann, bob = self.make_contacts("ann@example.com", "bob@example.com")
        removed = self.history("...", ann)
        deleted = self.history("c..", bob)
        self.update()
        for campaign in removed:
            self.lines(campaign).action_remove()
        for campaign in deleted:
            campaign.unlink()
        self.update()
        self.assertWord(ann, False, False)
        self.assertWord(bob, False, False)
        people = [("partner_id", "in", (ann + bob).ids)]
        self.assertFalse(self.account.env["campaign.master.engagement"].search(people))

    def test_somebody_who_no_longer_has_activity_keeps_the_word(self):
        ann = self.make_contacts("ann@example.com")
        campaign, *_others = self.history("c...", ann)
        self.update()
        self.lines(campaign).action_remove()
        self.assertEqual(self.counts(ann), (3, 0, 0))
        self.assertEqual(self.word(ann), "warm", "Until the scheduled action runs again")
        self.assertFalse(ann.search([("campaign_master_click_count", ">", 0)]) & ann)
        self.update()
        self.assertWord(ann, "cold", "Opened 0 of the last 3 delivered")

    def test_archived_people_have_words(self):
        ann = self.make_contacts("ann@example.com")
        self.history("...", ann)
        ann.action_archive()
        self.update()
        self.assertEqual(self.word(ann), "cold")


class TestTime(WordsCase):
    """Words change by time alone."""

    def test_after_12_months_without_a_reaction_a_person_is_dormant(self):
        ann = self.make_contacts("ann@example.com")
        *_others, last = self.history("cc.c", ann)
        clicked_at = last.campaign_master_sent_at
        self.update(clicked_at + relativedelta(months=12))
        self.assertEqual(self.word(ann), "active")
        self.update(clicked_at + relativedelta(months=12, seconds=1))
        self.assertWord(ann, "dormant", "Not opened or clicked for 12 months")

    def test_somebody_who_never_reacts_is_dormant_12_months_after_the_first_campaign(self):
        ann = self.make_contacts("ann@example.com")
        first, *_others = self.history("...", ann)
        sent_at = first.campaign_master_sent_at
        self.update(sent_at + relativedelta(months=12))
        self.assertEqual(self.word(ann), "cold")
        self.update(sent_at + relativedelta(months=12, seconds=1))
        self.assertWord(ann, "dormant", "Not opened or clicked for 12 months")

    def test_who_received_fewer_than_3_is_new_however_long_ago(self):
        ann = self.make_contacts("ann@example.com")
        self.history("..", ann)
        self.update(TIME + relativedelta(years=3))
        self.assertEqual(self.word(ann), "new")

    def test_a_late_reaction_to_an_old_campaign_counts_when_it_happened(self):
        ann = self.make_contacts("ann@example.com")
        first, *_others = self.history("...", ann)
        later = TIME + relativedelta(months=14)
        opened = Activity("ann@example.com", 1, 0, 0, 0, later, later, None, None, False, False)
        self.env["campaign.master.recipient"].sudo()._ingest(first.sudo(), [opened])
        self.update(later)
        self.assertWord(ann, "cold", "Opened 1 of the last 3 delivered")

    def test_a_reaction_whose_time_is_not_told_was_when_the_campaign_was_sent(self):
        ann = self.make_contacts("ann@example.com")
        *_others, last = self.history("...", ann)
        clicked = Activity("ann@example.com", 0, 1, 0, 0, None, None, None, None, False, False)
        self.env["campaign.master.recipient"].sudo()._ingest(last.sudo(), [clicked])
        sent_at = last.campaign_master_sent_at
        self.update(sent_at + relativedelta(months=12))
        self.assertEqual(self.word(ann), "warm")
        self.update(sent_at + relativedelta(months=12, seconds=1))
        self.assertEqual(self.word(ann), "dormant")

    def test_the_last_campaigns_are_those_that_were_sent_last(self):
        ann = self.make_contacts("ann@example.com")
        drafted_first = self.campaign_to(ann, sent=False)
        self.history(".....", ann)
        self.send(drafted_first)
        self.act(drafted_first, "ann@example.com", clicks=1)
        self.update()
        self.assertWord(ann, "warm", "Clicked in 1 of the last 5 delivered")

    def test_a_campaign_whose_sending_time_is_not_told_was_sent_when_odoo_saw_it(self):
        ann = self.make_contacts("ann@example.com")
        first, *_others = self.history("c.....", ann)
        self.update()
        self.assertEqual(self.word(ann), "cold")
        self.work(first).seen_sent_at = TIME + timedelta(days=self.number + 1)
        first.sudo().campaign_master_sent_at = False
        self.update()
        self.assertEqual(self.word(ann), "warm")
        self.work(first).seen_sent_at = False
        self.update()
        self.assertEqual(self.word(ann), "warm", "It is taken for the latest")
