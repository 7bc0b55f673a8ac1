"""Which addresses are added, and to whom a campaign was sent."""

from datetime import timedelta

from odoo import fields

from .common import CampaignMasterCase


class TestAddresses(CampaignMasterCase):
    """An address is one valid address, or is said not to be before anything is promised."""

    def outcome(self, entered):
        person = self.make_contacts(entered)
        campaign = self.make_campaign()
        self.add(campaign, person)
        added = self.lines(campaign)
        outcome = added.sync_state, added.email
        self.env["campaign.master.recipient"].sudo()._classify(campaign.sudo())
        self.assertEqual((added.sync_state, added.email), outcome, "Adding and checking differ")
        return outcome

    def test_what_cannot_be_an_address_is_invalid(self):
        for entered in (
            "a@@b.com",
            "@example.com",
            "no address",
            "john doe@example.com",
            "ann@localhost",
            "ann@-example.com",
            "ann@example-.com",
            "ann@exam..ple.com",
            "ann@example.com-",
            "ann@exam_ple.com",
            "ann@127.0.0.1",
            "ann@example.c",
            "ann.@example.com",
            ".ann@example.com",
            "an..n@example.com",
            "ann@exam ple.com",
        ):
            with self.subTest(entered):
                self.assertEqual(self.outcome(entered)[0], "invalid")

    def test_an_address_is_found_in_what_was_entered(self):
        for entered, address in (
            ("ANN@Example.COM", "ann@example.com"),
            ("  ann@example.com ", "ann@example.com"),
            ("Ann Adams <Ann@example.com>", "ann@example.com"),
            ('"Adams, Ann" <ann@example.com>', "ann@example.com"),
            ("ann@example.com, bob@example.com", "ann@example.com"),
            ("ann@example.com;bob@example.com", "ann@example.com"),
            ("ann+news@mail.example.co.uk", "ann+news@mail.example.co.uk"),
            ("José@example.com", "josé@example.com"),
            ("o'hara@example.com", "o'hara@example.com"),
        ):
            with self.subTest(entered):
                self.assertEqual(self.outcome(entered), ("pending", address))

    def test_what_the_person_has_is_shown(self):
        people = self.make_contacts("ann@example.com, bob@example.com", "a@@b.com")
        lead = self.env["crm.lead"].create({"name": "Deal", "email_from": "Cem <cem@example.com>"})
        campaign = self.make_campaign()
        self.add(campaign, people)
        self.add(campaign, lead)
        self.assertEqual(
            self.lines(campaign).mapped("entered_email"),
            ["ann@example.com, bob@example.com", "a@@b.com", "Cem <cem@example.com>"],
        )

    def test_the_number_to_be_added_is_the_number_that_is_added(self):
        people = self.make_contacts(
            "ann@example.com", "a@@b.com", "ann@example.com", "bob@example.com, eve@example.com"
        )
        self.env["mail.blacklist"].sudo()._add("gone@example.com")
        people += self.make_contacts("gone@example.com")
        campaign = self.make_campaign()
        self.add(campaign, people)
        check = self.env["campaign.master.preflight"].browse(
            self.press(campaign, "check")["res_id"]
        )
        promised = {group.code: group.count for group in check.group_ids}["add"]
        self.sync(campaign)
        self.assertEqual(
            self.sandbox.members(self.list_ref), ["ann@example.com", "bob@example.com"]
        )
        self.assertEqual(promised, 2)


class TestBlacklist(CampaignMasterCase):
    """An objection known to Odoo counts."""

    def setUp(self):
        super().setUp()
        self.blacklist = self.env["mail.blacklist"].sudo()
        self.campaign = self.make_campaign()

    def test_who_is_blacklisted_is_not_added(self):
        self.blacklist._add("ann@example.com")
        people = self.make_contacts("Ann <ANN@example.com>", "bob@example.com")
        self.add(self.campaign, people)
        self.assertEqual(self.states(self.campaign)["ann@example.com"], "blacklisted")
        self.sync(self.campaign)
        self.assertEqual(self.sandbox.members(self.list_ref), ["bob@example.com"])
        self.assertEqual(self.campaign.campaign_master_sync_state, "complete")

    def test_capital_letters_that_odoo_keeps_are_found(self):
        self.blacklist._add("José@example.com")
        self.assertEqual(self.blacklist.search([]).email, "José@example.com")
        self.add(self.campaign, self.make_contacts("José@example.com"))
        self.assertEqual(self.lines(self.campaign).sync_state, "blacklisted")

    def test_who_is_blacklisted_during_the_sync_is_not_added(self):
        self.add(self.campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.press(self.campaign)
        self.export(self.campaign)
        self.blacklist._add("ann@example.com")
        self.push()
        self.assertEqual(self.sandbox.members(self.list_ref), ["bob@example.com"])
        self.assertEqual(
            self.states(self.campaign),
            {"ann@example.com": "blacklisted", "bob@example.com": "added"},
        )

    def test_when_the_blacklisting_ends_the_next_sync_adds_the_person(self):
        self.blacklist._add("ann@example.com")
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.sync(self.campaign)
        self.assertEqual(self.sandbox.members(self.list_ref), [])
        self.blacklist._remove("ann@example.com")
        self.sync(self.campaign)
        self.assertEqual(self.sandbox.members(self.list_ref), ["ann@example.com"])

    def test_reasons_come_in_order(self):
        self.env["campaign.master.optout"].sudo().create(
            [
                {"account_id": self.account.id, "email": email}
                for email in ("both@example.com", "out@example.com")
            ]
        )
        self.blacklist._add("both@example.com")
        people = self.make_contacts("both@example.com", "out@example.com", False, "no address")
        self.add(self.campaign, people)
        self.assertEqual(
            self.lines(self.campaign).mapped("sync_state"),
            ["blacklisted", "opted_out", "no_email", "invalid"],
        )

    def test_nothing_of_ours_writes_the_blacklist(self):
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.sync(self.campaign)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            {"email": "ann@example.com", "kind": "unsubscribe"},
        )
        self.pull()
        self.assertTrue(self.lines(self.campaign).opted_out)
        self.assertFalse(self.blacklist.search([]))

    def test_opting_out_of_a_mailing_list_of_odoo_does_not_count(self):
        mailing_list = self.env["mailing.list"].sudo().create({"name": "Odoo's own"})
        self.env["mailing.contact"].sudo().create(
            {
                "email": "ann@example.com",
                "subscription_ids": [(0, 0, {"list_id": mailing_list.id, "opt_out": True})],
            }
        )
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.assertEqual(self.lines(self.campaign).sync_state, "pending")

    def test_who_objects_and_is_on_the_list_is_named_until_the_campaign_is_sent(self):
        self.add(self.campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.sync(self.campaign)
        self.assertEqual(self.campaign.campaign_master_objection_count, 0)
        self.blacklist._add("ann@example.com")
        # A second campaign with the same list does not add her, but she is on it.
        other = self.make_campaign(title="Another", campaign_master_list_id=self.list.id)
        self.add(other, self.make_contacts("ann@example.com"))
        self.sync(other)
        self.assertEqual(self.lines(other).sync_state, "blacklisted")
        for campaign in self.campaign, other:
            campaign.invalidate_recordset()
            self.assertEqual(campaign.campaign_master_objection_count, 1)
            action = campaign.action_campaign_master_open_objections()
            people = self.env["campaign.master.recipient"].search(action["domain"])
            self.assertEqual(people.mapped("email"), ["ann@example.com"])
            check = self.press(campaign, "check")
            groups = self.env["campaign.master.preflight"].browse(check["res_id"]).group_ids
            self.assertEqual({group.code: group.count for group in groups}["objection"], 1)
        self.sync(self.campaign)
        self.assertIn(
            "1 person on the list is blacklisted in Odoo",
            self.campaign.campaign_master_sync_message,
            "It is left to do after a sync, too",
        )
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.pull()
        self.campaign.invalidate_recordset()
        self.assertEqual(self.campaign.campaign_master_objection_count, 0, "It is too late")


class TestSentTo(CampaignMasterCase):
    """Who got it: the address was on the list before the campaign was sent."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_contacts("ann@example.com", "bob@example.com", False))
        self.sync(self.campaign)

    def send(self, **options):
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True, **options)

    def results(self):
        return {line.email: line.result for line in self.lines(self.campaign)}

    def test_who_was_on_the_list_got_it(self):
        self.assertEqual(
            self.results(),
            {"ann@example.com": "on_list", "bob@example.com": "on_list", False: "not_sent"},
        )
        self.send()
        self.pull()
        self.assertEqual(
            self.results(),
            {"ann@example.com": "delivered", "bob@example.com": "delivered", False: "not_sent"},
        )

    def test_who_was_added_after_sending_did_not_get_it_even_if_odoo_did_not_know(self):
        self.send()
        self.lines(self.campaign).sudo().on_list_at = fields.Datetime.now() - timedelta(hours=1)
        late = self.make_contacts("late@example.com")
        self.add(self.campaign, late)
        # Its status is read with the sync.
        self.sync(self.campaign)
        self.pull()
        line = self.lines(self.campaign).filtered(lambda line: line.partner_id == late)
        self.assertEqual(line.sync_state, "added")
        self.assertTrue(line.late)
        self.assertFalse(line.sent_to)
        self.assertEqual(line.result, "late")
        self.assertEqual(self.results()["ann@example.com"], "delivered")

    def test_a_sending_time_that_cannot_be_right_is_not_used(self):
        self.send(minutesAgo=60)
        self.pull()
        self.assertLess(
            self.campaign.campaign_master_sent_at, self.lines(self.campaign)[0].on_list_at
        )
        self.assertEqual(self.results()["ann@example.com"], "delivered")

    def test_who_reacted_got_it_whatever_odoo_thought(self):
        self.send()
        self.pull()
        ann = self.lines(self.campaign).filtered(lambda line: line.email == "ann@example.com")
        ann.sudo().write({"late": True, "sent_to": False})
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            {"email": "ann@example.com", "kind": "click"},
        )
        self.pull()
        ann.invalidate_recordset()
        self.assertEqual((ann.sent_to, ann.late, ann.delivered), (True, False, True))

    def test_who_is_added_in_odoo_after_sending_is_late_at_once(self):
        self.send()
        self.pull()
        self.add(self.campaign, self.make_contacts("late@example.com"))
        line = self.lines(self.campaign).filtered(lambda line: line.email == "late@example.com")
        self.assertTrue(line.late)
        self.assertEqual(line.result, "late")

    def test_a_bounce_is_not_delivered(self):
        self.send()
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            {"email": "ann@example.com", "kind": "bounce"},
        )
        self.pull()
        ann = self.lines(self.campaign).filtered(lambda line: line.email == "ann@example.com")
        self.assertTrue(ann.sent_to)
        self.assertFalse(ann.delivered)
        self.assertEqual(ann.result, "bounced")

    def test_another_list_was_probably_selected(self):
        other = self.sandbox.list("Others", ["eve@example.com"])
        self.sandbox.send(self.campaign.campaign_master_ref, other, quiet=True)
        self.assertFalse(self.campaign.campaign_master_missing_message)
        self.pull()
        self.assertIn(
            "sent fewer emails (1) than there were recipients on the list “Customers” (2)",
            self.campaign.campaign_master_missing_message,
        )

        action = self.campaign.action_campaign_master_recipients()
        self.assertEqual(action["name"], "Recipients (another list was probably selected)")

    def test_the_right_list_is_no_reason_to_warn(self):
        self.send()
        self.pull()
        self.assertEqual(self.campaign.campaign_master_sent_to, 2)
        self.assertFalse(self.campaign.campaign_master_missing_message)
        self.assertEqual(self.campaign.action_campaign_master_recipients()["name"], "Recipients")


class TestTwins(CampaignMasterCase):
    """Recipients with the same address: one of them counts."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.people = self.make_contacts("info@example.com", "ann@example.com", "INFO@example.com")
        self.add(self.campaign, self.people)
        self.sync(self.campaign)
        self.pair = self.lines(self.campaign).filtered(
            lambda line: line.email == "info@example.com"
        )

    def test_the_second_one_is_a_twin(self):
        self.assertEqual(self.pair.mapped("is_twin"), [False, True])
        self.assertEqual(self.pair.mapped("sync_state"), ["added", "duplicate"])

    def test_who_is_added_later_is_the_twin(self):
        later = self.make_contacts("ann@example.com")
        self.add(self.campaign, later)
        self.sync(self.campaign)
        line = self.lines(self.campaign).filtered(lambda line: line.partner_id == later)
        self.assertTrue(line.is_twin)

    def test_a_twin_got_it_and_shows_what_its_address_did(self):
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            {"email": "info@example.com", "kind": "click"},
        )
        self.pull()
        self.assertEqual(self.pair.mapped("sent_to"), [True, True])
        self.assertEqual(self.pair.mapped("result"), ["clicked", "clicked"])

    def test_its_outcome_stays_when_one_opts_out_after_sending(self):
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            {"email": "info@example.com", "kind": "unsubscribe"},
        )
        self.pull()
        self.sync(self.campaign)
        self.assertEqual(self.pair.mapped("sync_state"), ["added", "duplicate"])
        self.assertEqual(self.pair.mapped("is_twin"), [False, True])
        self.assertEqual(self.pair.mapped("opted_out"), [True, True])

    def test_a_changed_address_ends_it_before_sending_and_not_after(self):
        twin = self.pair[1]
        self.people[2].email = "own@example.com"
        self.env["campaign.master.recipient"].sudo()._classify(self.campaign.sudo())
        self.assertEqual(
            (twin.email, twin.is_twin, twin.sync_state), ("own@example.com", False, "pending")
        )
        self.people[2].email = "info@example.com"
        self.sync(self.campaign)
        self.assertEqual((twin.email, twin.is_twin), ("info@example.com", True))
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.pull()
        self.people[2].email = "own@example.com"
        self.sync(self.campaign)
        self.assertEqual(
            (twin.email, twin.is_twin, twin.sync_state), ("info@example.com", True, "duplicate")
        )

    def test_an_opt_out_of_the_first_does_not_end_the_second(self):
        # Not on the list: both are opted out, and one counts.
        campaign = self.make_campaign(title="Next")
        self.env["campaign.master.optout"].sudo().create(
            {"account_id": self.account.id, "email": "info@example.com"}
        )
        self.add(campaign, self.people)
        self.sync(campaign)
        pair = self.lines(campaign).filtered(lambda line: line.email == "info@example.com")
        self.assertEqual(pair.mapped("sync_state"), ["opted_out", "opted_out"])
        self.assertEqual(pair.mapped("is_twin"), [False, True])
