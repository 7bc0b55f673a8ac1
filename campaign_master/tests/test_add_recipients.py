import ast

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import CampaignMasterCase

CROWD = 25_000


class AddCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()

    def make_leads(self, *emails, **values):
        return self.env["crm.lead"].create(
            [{"name": f"Lead {email}", "email_from": email, **values} for email in emails]
        )

    def make_crowd(self, count, name="Crowd"):
        """Many contacts at once, as if they had been imported long ago."""
        [first] = self.make_contacts("crowd0@example.com", company_id=False)
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO res_partner
            SELECT person.*
              FROM res_partner AS first, generate_series(1, %(count)s) AS n,
                   LATERAL (SELECT nextval('res_partner_id_seq') AS id,
                                   %(name)s || ' ' || n AS name,
                                   'crowd' || n || '@example.com' AS email) AS own,
                   LATERAL jsonb_populate_record(first, jsonb_build_object(
                       'id', own.id, 'commercial_partner_id', own.id,
                       'name', own.name, 'complete_name', own.name,
                       'email', own.email, 'email_normalized', own.email)) AS person
             WHERE first.id = %(first)s
            RETURNING id
            """,
            {"name": name, "count": count, "first": first.id},
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        self.env.cr.execute("ANALYZE res_partner")
        self.env.invalidate_all()
        return self.env["res.partner"].browse(ids)

    def press_add(self, people, active_domain=None, model=None):
        """Select people in their list, click Add to Campaign, select the campaign, click Add."""
        context = {"active_model": model or people._name, "active_ids": people.ids}
        if active_domain is not None:
            context["active_domain"] = active_domain
        wizard = (
            self.env["campaign.master.add.recipients"]
            .with_context(**context)
            .create({"campaign_id": self.campaign.id})
        )
        return wizard, wizard.action_add()["params"]["message"]

    def people(self, field="partner_id"):
        return self.lines(self.campaign).mapped(field)


class TestAdding(AddCase):
    """Which people become recipients, and what the message says."""

    def test_adding_twice_changes_nothing_and_is_counted(self):
        people = self.make_contacts("ann@example.com", "bob@example.com")
        self.assertEqual(
            self.add(self.campaign, people), {"added": 2, "existing": 0, "without_email": 0}
        )
        lines = self.lines(self.campaign)
        before = lines.read()
        self.assertEqual(
            self.add(self.campaign, people), {"added": 0, "existing": 2, "without_email": 0}
        )
        cyd = self.make_contacts("cyd@example.com")
        self.assertEqual(
            self.add(self.campaign, people + cyd), {"added": 1, "existing": 2, "without_email": 0}
        )
        lines.invalidate_recordset()
        self.assertEqual(lines.read(), before)
        self.assertEqual(self.people(), people + cyd)
        self.assertEqual(self.campaign.campaign_master_recipient_count, 3)
        self.lines(self.campaign)[1:].action_remove()
        self.assertEqual(self.campaign.campaign_master_recipient_count, 1)
        self.assertEqual(self.campaign.copy().campaign_master_recipient_count, 0)

    def test_people_without_email_are_added_and_counted(self):
        people = self.make_contacts("ann@example.com", False, "", "  ")
        self.assertEqual(
            self.add(self.campaign, people), {"added": 4, "existing": 0, "without_email": 3}
        )
        states = [line.sync_state for line in self.lines(self.campaign)]
        self.assertEqual(sorted(states), ["no_email", "no_email", "no_email", "pending"])
        # Only those who are added now count.
        self.assertEqual(
            self.add(self.campaign, people), {"added": 0, "existing": 4, "without_email": 0}
        )

    def test_leads_contacts_and_companies_are_distinguished(self):
        contact = self.make_contacts("ann@example.com")
        company = self.make_contacts("firm@example.com", is_company=True)
        lead = self.make_leads("lea@example.com")
        self.add(self.campaign, contact + company)
        self.add(self.campaign, lead)
        self.assertEqual(
            {line.kind: (line.partner_id or line.lead_id) for line in self.lines(self.campaign)},
            {"contact": contact, "company": company, "lead": lead},
        )

    def test_only_leads_contacts_and_companies_can_be_added(self):
        for model in ("res.users", "mailing.contact", "crm.team", "nonsense"):
            with self.subTest(model), self.assertRaisesRegex(UserError, "No recipient was added"):
                self.campaign.campaign_master_add_recipients(model, [])
        self.assertFalse(self.lines(self.campaign))

    def test_invalid_and_opted_out_addresses_are_marked_at_once(self):
        ann = self.make_contacts("Ann@Example.com")
        earlier = self.make_campaign(title="Winter offers")
        self.add(earlier, ann)
        self.sync(earlier)
        ref = earlier.campaign_master_ref
        self.sandbox.send(ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{ref}/activity", {"email": "ann@example.com", "kind": "unsubscribe"}
        )
        self.pull()
        same_address = self.make_leads("ANN@example.com")
        others = self.make_contacts("not an address", "bob@example.com", False)
        self.add(self.campaign, ann + others)
        self.add(self.campaign, same_address)
        self.assertEqual(
            [(line.email, line.sync_state, line.opted_out) for line in self.lines(self.campaign)],
            [
                ("ann@example.com", "opted_out", True),
                ("not an address", "invalid", False),
                ("bob@example.com", "pending", False),
                (False, "no_email", False),
                ("ann@example.com", "opted_out", True),
            ],
        )

    def test_users_add_only_people_that_they_may_read(self):
        user = new_test_user(
            self.account.env,
            "somebody",
            "mass_mailing.group_mass_mailing_user,sales_team.group_sale_salesman",
        )
        own = self.make_leads("own@example.com", user_id=user.id)
        nobodys = self.make_leads("nobodys@example.com", user_id=False)
        self.make_leads("others@example.com", user_id=self.marketer.id)
        domain = [
            ("email_from", "in", ["own@example.com", "nobodys@example.com", "others@example.com"])
        ]
        counts = self.campaign.with_user(user).campaign_master_add_recipients("crm.lead", domain)
        self.assertEqual(counts, {"added": 2, "existing": 0, "without_email": 0})
        self.assertEqual(self.people("lead_id"), own + nobodys)

    def test_contacts_of_a_company_that_the_caller_does_not_work_in_are_not_added(self):
        other = self.account.env["res.company"].create({"name": "Second Company"})
        theirs = self.account.env["res.partner"].create(
            {"name": "Theirs", "email": "theirs@example.com", "company_id": other.id}
        )
        ours = self.make_contacts("ours@example.com")
        counts = self.campaign.campaign_master_add_recipients(
            "res.partner", [("id", "in", (theirs + ours).ids)]
        )
        self.assertEqual(counts["added"], 1)
        self.assertEqual(self.people(), ours)

    def test_a_domain_cannot_be_used_to_guess_unreadable_values(self):
        user = new_test_user(self.account.env, "somebody", "mass_mailing.group_mass_mailing_user")
        with self.assertRaises(AccessError):
            self.campaign.with_user(user).campaign_master_add_recipients(
                "res.partner", [("user_ids.totp_secret", "!=", False)]
            )

    def test_a_campaign_that_was_synced_takes_more_people(self):
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.sync(self.campaign)
        self.add(self.campaign, self.make_contacts("bob@example.com"))
        self.assertEqual(
            self.states(self.campaign), {"ann@example.com": "added", "bob@example.com": "pending"}
        )
        self.sync(self.campaign)
        self.assertEqual(
            self.states(self.campaign), {"ann@example.com": "added", "bob@example.com": "added"}
        )

    def test_the_campaigns_own_buttons_open_a_search_for_each_kind(self):
        ann = self.make_contacts("ann@example.com", name="Zebra Ann")
        firm = self.make_contacts("firm@example.com", name="Zebra Firm", is_company=True)
        lead = self.make_leads("lea@example.com")
        for action, search, field, expected in (
            (self.campaign.action_campaign_master_add_contact(), "Zebra", "partner_id", ann),
            (self.campaign.action_campaign_master_add_company(), "Zebra", "partner_id", ann + firm),
            (self.campaign.action_campaign_master_add_lead(), "lea@example.com", "lead_id", lead),
        ):
            wizard = self.env[action["res_model"]].with_context(**action["context"]).create({})
            self.assertFalse(wizard.from_selection)
            self.assertEqual(wizard.campaign_id, self.campaign)
            column = "email_from" if field == "lead_id" else "name"
            wizard.domain = str([*ast.literal_eval(wizard.domain), (column, "like", search)])
            self.assertEqual(wizard.people_count, 1)
            wizard.action_add()
            self.assertEqual(self.people(field), expected)


class TestTicked(AddCase):
    """Add to Campaign on a list of people."""

    def test_three_ticked_of_many_are_three_though_the_client_sends_the_search_along(self):
        crowd = self.make_crowd(50)
        wizard, message = self.press_add(crowd[:3], [("name", "like", "Crowd")])
        self.assertEqual(wizard.people_count, 3)
        self.assertEqual(self.people(), crowd[:3])
        self.assertIn("3 recipients were added to “Spring offers”", message)

    def test_existing_people_and_people_without_email_are_counted(self):
        people = self.make_contacts("ann@example.com", "bob@example.com", False)
        self.press_add(people[0])
        _wizard, message = self.press_add(people)
        self.assertIn("2 recipients were added", message)
        self.assertIn("1 recipient has no email address", message)
        self.assertIn("1 recipient was already on the campaign", message)
        _wizard, message = self.press_add(people)
        self.assertIn("No recipients were added", message)
        self.assertIn("3 recipients were already on the campaign", message)

    def test_selected_archived_people_are_added(self):
        people = self.make_contacts("ann@example.com", "bob@example.com")
        people[1].action_archive()
        wizard, _message = self.press_add(people)
        self.assertEqual(wizard.people_count, 2)
        self.assertEqual(self.people(), people)

    def test_ticked_leads_become_recipients(self):
        leads = self.make_leads("lea@example.com", "lou@example.com")
        self.press_add(leads, [])
        self.assertEqual(self.people("lead_id"), leads)

    def test_select_all_beyond_the_clients_limit_means_the_whole_search(self):
        self.account.env["ir.config_parameter"].set_param("web.active_ids_limit", 10)
        crowd = self.make_crowd(25)
        others = self.make_crowd(5, "Others")
        wizard, message = self.press_add(crowd[:10], [("name", "like", "Crowd")])
        self.assertEqual(wizard.people_count, 25)
        self.assertEqual(self.people(), crowd)
        self.assertIn("25 recipients were added", message)
        self.assertFalse(self.people() & others)

    def test_select_all_does_not_add_archived_people(self):
        self.account.env["ir.config_parameter"].set_param("web.active_ids_limit", 10)
        crowd = self.make_crowd(25)
        archived = crowd[20:]
        archived.action_archive()
        self.press_add(crowd[:10], [("name", "like", "Crowd")])
        self.assertEqual(self.people(), crowd - archived)

    def test_select_all_adds_25_000_in_one_action(self):
        crowd = self.make_crowd(CROWD)
        # The web client sends no more ids than its limit.
        wizard, message = self.press_add(crowd[:20_000], [("name", "like", "Crowd")])
        self.assertEqual(wizard.people_count, CROWD)
        self.assertIn(f"{CROWD:,} recipients were added", message)
        self.assertEqual(self.campaign.campaign_master_recipient_count, CROWD)
        lines = self.env["campaign.master.recipient"]
        mine = [("campaign_id", "=", self.campaign.id)]
        self.assertEqual(
            lines._read_group(mine, ["sync_state", "kind"], ["partner_id:count_distinct"]),
            [("pending", "contact", CROWD)],
        )
        self.assertEqual(crowd[-1].campaign_master_campaign_count, 1)
        _wizard, message = self.press_add(crowd[:20_000], [("name", "like", "Crowd")])
        self.assertIn(f"{CROWD:,} recipients were already on the campaign", message)

    def test_three_ticked_of_25_000_add_three(self):
        crowd = self.make_crowd(CROWD)
        self.press_add(crowd[:3], [("name", "like", "Crowd")])
        self.assertEqual(self.people(), crowd[:3])


class TestRemoving(AddCase):
    """Taking people off a campaign in Odoo."""

    def setUp(self):
        super().setUp()
        self.ann, self.bob = self.make_contacts("ann@example.com", "bob@example.com")
        self.add(self.campaign, self.ann + self.bob)
        self.sync(self.campaign)
        ref = self.campaign.campaign_master_ref
        self.sandbox.send(ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{ref}/activity", {"email": "ann@example.com", "kind": "click", "times": 3}
        )
        self.pull()
        self.line = self.lines(self.campaign).filtered(lambda line: line.partner_id == self.ann)

    def test_removed_recipients_stay_on_the_list_and_the_message_says_so(self):
        before = self.sandbox.calls()
        message = self.line.action_remove()["params"]["message"]
        self.assertIn("They are still on the Campaign Master list", message)
        self.assertEqual(self.people(), self.bob)
        self.assertEqual(
            sorted(self.sandbox.members(self.list_ref)), ["ann@example.com", "bob@example.com"]
        )
        self.assertEqual(self.sandbox.calls(), before)

    def test_removing_takes_the_figures_from_the_persons_totals(self):
        self.assertEqual(self.ann.campaign_master_campaign_count, 1)
        self.assertGreaterEqual(self.ann.campaign_master_click_count, 3)
        bobs = self.bob.campaign_master_click_count
        self.line.action_remove()
        self.assertEqual(self.ann.campaign_master_campaign_count, 0)
        self.assertEqual(self.ann.campaign_master_click_count, 0)
        self.assertEqual(self.bob.campaign_master_campaign_count, 1)
        self.assertEqual(self.bob.campaign_master_click_count, bobs)

    def test_removing_from_one_campaign_leaves_the_others(self):
        other = self.make_campaign(title="Summer offers")
        self.add(other, self.ann)
        clicks = self.ann.campaign_master_click_count
        self.assertEqual(self.ann.campaign_master_campaign_count, 2)
        self.lines(other).action_remove()
        self.assertEqual(self.ann.campaign_master_campaign_count, 1)
        self.assertEqual(self.ann.campaign_master_click_count, clicks)

    def test_deleting_a_campaign_takes_its_figures_from_the_persons_totals(self):
        self.assertGreaterEqual(self.ann.campaign_master_click_count, 3)
        self.campaign.unlink()
        self.assertEqual(self.ann.campaign_master_campaign_count, 0)
        self.assertEqual(self.ann.campaign_master_click_count, 0)

    def test_recipients_cannot_be_removed_while_a_sync_runs(self):
        other = self.make_campaign(title="Summer offers")
        self.add(other, self.bob)
        self.press(other)
        self.assertEqual(other.campaign_master_sync_state, "running")
        with self.assertRaisesRegex(UserError, "No recipient was removed"):
            self.lines(other).action_remove()
        self.assertEqual(len(self.lines(other)), 1)

    def test_a_recipient_removed_and_added_again_is_on_the_list_once(self):
        self.line.action_remove()
        self.add(self.campaign, self.ann)
        self.sync(self.campaign)
        self.assertEqual(self.states(self.campaign)["ann@example.com"], "exists")
        self.assertEqual(
            sorted(self.sandbox.members(self.list_ref)), ["ann@example.com", "bob@example.com"]
        )
