from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user

from ..models import campaign_master_account_catalog
from .common import CampaignMasterCase

GROUPS = (
    "mass_mailing.group_mass_mailing_user,sales_team.group_sale_salesman_all_leads,"
    "base.group_partner_manager"
)


class TestCompanies(CampaignMasterCase):
    """Two companies with their own logins, and a user of both."""

    def setUp(self):
        super().setUp()
        system = self.account.env
        self.first = system.company
        self.second = system["res.company"].create({"name": "Second Company"})
        # The first company uses the sandbox's first login, with an account of its own.
        self.sandbox.control("users", {"username": "two", "password": "secret"})
        self.second_template_ref = self.in_second("templates", "Second template")
        self.second_list_ref = self.in_second("lists", "Second list")
        self.env = system
        self.second_account = self.make_account(self.second, "two", "secret")
        self.second_template = self.find("campaign.master.template", self.second_template_ref)
        self.second_list = self.find("campaign.master.list", self.second_list_ref)
        self.one = self.make_user("one", self.first)
        self.two = self.make_user("two", self.second)
        self.both = self.make_user("both", self.first, self.first + self.second)
        self.env = self.env(user=self.one)
        self.env_two = self.env(user=self.two)

    def in_second(self, things, name):
        return str(self.sandbox.control(things, {"name": name, "account": "two"})["id"])

    def make_user(self, login, company, companies=None):
        return new_test_user(
            self.env,
            login,
            GROUPS,
            company_id=company.id,
            company_ids=[(6, 0, (companies or company).ids)],
        )

    def as_both(self, record, *companies):
        """The record as a user of both sees it with these companies selected."""
        return record.with_user(self.both).with_context(
            allowed_company_ids=[company.id for company in companies]
        )

    def second_campaign(self, **values):
        return self.env_two["utm.campaign"].create(
            {
                "title": "Spring offers",
                "description": "What we have for spring",
                "campaign_master_subject": "Spring is here",
                "campaign_master_template_id": self.second_template.id,
                "campaign_master_list_id": self.second_list.id,
                **values,
            }
        )

    def click(self, campaign, email, times):
        self.sandbox.control(
            f"campaigns/{campaign.sudo().campaign_master_ref}/activity",
            {"email": email, "kind": "click", "times": times},
        )

    # === EACH ONLY ITS OWN === #

    def test_each_company_has_the_templates_and_lists_of_its_own_login(self):
        for env, account, template, recipient_list in (
            (self.env, self.account, self.template, self.list),
            (self.env_two, self.second_account, self.second_template, self.second_list),
        ):
            self.assertEqual(env["campaign.master.account"].search([]).ids, account.ids)
            self.assertEqual(env["campaign.master.template"].search([]).ids, template.ids)
            self.assertEqual(env["campaign.master.list"].search([]).ids, recipient_list.ids)

    def test_nobody_reads_what_belongs_to_another_company(self):
        for record in (self.second_account, self.second_template, self.second_list):
            with self.subTest(record._name), self.assertRaises(AccessError):
                record.with_user(self.one).read(["display_name"])

    def test_dialogs_tell_nothing_of_another_companys_campaign(self):
        campaign = self.second_campaign()
        add = self.env["campaign.master.add.recipients"].create(
            {"campaign_id": campaign.id, "model": "res.partner"}
        )
        change = self.env["campaign.master.change.list"].create(
            {"campaign_id": campaign.id, "list_id": self.list.id}
        )
        for dialog, name in (
            (add, "summary"),
            (add, "sent_message"),
            (change, "account_id"),
            (change, "current_list_id"),
        ):
            with self.subTest(name), self.assertRaises(AccessError):
                dialog.read([name])

    def test_an_account_is_called_by_its_company(self):
        self.assertEqual(self.account.display_name, self.first.name)
        self.assertEqual(self.second_account.display_name, "Second Company")

    def test_each_company_sees_only_its_own_campaigns_recipients_and_optouts(self):
        first, second = self.make_campaign(), self.second_campaign()
        ann = self.make_contacts("ann@example.com")
        for campaign, list_ref in ((first, self.list_ref), (second, self.second_list_ref)):
            self.add(campaign, ann.with_env(campaign.env))
            self.sync(campaign)
            ref = campaign.campaign_master_ref
            self.sandbox.send(ref, list_ref, quiet=True)
            self.sandbox.control(
                f"campaigns/{ref}/activity", {"email": "ann@example.com", "kind": "unsubscribe"}
            )
        self.pull()
        for env, mine, others in ((self.env, first, second), (self.env_two, second, first)):
            for model, field in (
                ("utm.campaign", "id"),
                ("campaign.master.recipient", "campaign_id"),
                ("campaign.master.optout", "campaign_id"),
            ):
                with self.subTest(f"{env.user.login}: {model}"):
                    self.assertTrue(env[model].search([(field, "=", mine.id)]))
                    self.assertFalse(env[model].search([(field, "=", others.id)]))
            with self.assertRaises(AccessError):
                others.with_env(env).read(["campaign_master_sent"])
            with self.assertRaises(AccessError):
                others.with_env(env).action_campaign_master_sync()
            with self.assertRaises(AccessError):
                others.with_env(env).action_campaign_master_refresh_statistics()

    def test_each_company_syncs_with_its_own_login(self):
        first, second = self.make_campaign(), self.second_campaign()
        self.add(first, self.make_contacts("ann@example.com"))
        self.add(second, self.make_contacts("bob@example.com").with_env(self.env_two))
        self.sync(first)
        self.sync(second)
        self.assertEqual(
            {str(c["id"]): c["account"] for c in self.sandbox.state()["campaigns"]},
            {first.campaign_master_ref: "demo", second.campaign_master_ref: "two"},
        )
        self.assertEqual(self.sandbox.members(self.list_ref), ["ann@example.com"])
        self.assertEqual(self.sandbox.members(self.second_list_ref), ["bob@example.com"])

    def test_one_companys_wrong_password_does_not_stop_the_other(self):
        first, second = self.make_campaign(), self.second_campaign()
        self.add(first, self.make_contacts("ann@example.com"))
        self.add(second, self.make_contacts("bob@example.com").with_env(self.env_two))
        for campaign, list_ref in ((first, self.list_ref), (second, self.second_list_ref)):
            self.sync(campaign)
            self.sandbox.send(campaign.campaign_master_ref, list_ref)
        self.sandbox.control("users", {"username": "demo", "password": "changed"})
        self.sandbox.control("end-tokens", {"account": "demo"})
        self.pull()
        self.pull()
        self.assertEqual(second.campaign_master_sent, 1)
        self.assertEqual(first.campaign_master_sent, 0)

    def test_what_happens_to_one_companys_templates_does_not_stop_the_others(self):
        self.in_second("templates", "New")
        failure = {"match": "GET /templates", "kind": "500", "account": "demo", "count": None}
        self.sandbox.faults(failure)
        with (
            patch.object(
                self.env.registry["campaign.master.account"],
                "_handle_error",
                side_effect=ValueError("Broken on purpose"),
            ),
            self.assertLogs(campaign_master_account_catalog.__name__, "ERROR"),
        ):
            self.run_cron("refresh_catalogue")
        names = self.env_two["campaign.master.template"].search([]).mapped("name")
        self.assertEqual(names, ["New", "Second template"])

    def test_an_optout_of_one_company_is_not_one_of_the_other(self):
        first, second = self.make_campaign(), self.second_campaign()
        ann = self.make_contacts("ann@example.com")
        self.add(first, ann)
        self.sync(first)
        self.sandbox.send(first.campaign_master_ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{first.campaign_master_ref}/activity",
            {"email": "ann@example.com", "kind": "unsubscribe"},
        )
        self.pull()
        self.add(second, ann.with_env(self.env_two))
        self.sync(second)
        [line] = self.env_two["campaign.master.recipient"].search([("campaign_id", "=", second.id)])
        self.assertEqual(line.sync_state, "added")
        self.assertFalse(line.opted_out)
        self.assertEqual(self.sandbox.members(self.second_list_ref), ["ann@example.com"])

    # === A SHARED CONTACT === #

    def test_a_shared_contact_shows_each_company_its_own_totals_and_a_user_of_both_the_sum(self):
        ann = self.make_contacts("ann@example.com")
        first, second, third = (
            self.make_campaign(),
            self.second_campaign(),
            self.second_campaign(title="Summer offers"),
        )
        for campaign, list_ref, times in (
            (first, self.list_ref, 2),
            (second, self.second_list_ref, 5),
            (third, self.second_list_ref, 11),
        ):
            self.add(campaign, ann.with_env(campaign.env))
            self.sync(campaign)
            self.sandbox.send(campaign.campaign_master_ref, list_ref, quiet=True)
            self.click(campaign, "ann@example.com", times)
        self.pull()
        clicks = {campaign: campaign.campaign_master_clicks for campaign in (first, second, third)}
        own, others = clicks[first], clicks[second] + clicks[third]
        self.assertGreaterEqual(own, 2)
        self.assertGreaterEqual(others, 16)

        seen_by_one = ann
        seen_by_two = ann.with_env(self.env_two)
        seen_by_both = self.as_both(ann, self.first, self.second)
        self.assertEqual(seen_by_one.campaign_master_campaign_count, 1)
        self.assertEqual(seen_by_one.campaign_master_click_count, own)
        self.assertEqual(seen_by_two.campaign_master_campaign_count, 2)
        self.assertEqual(seen_by_two.campaign_master_click_count, others)
        self.assertEqual(seen_by_both.campaign_master_campaign_count, 3)
        self.assertEqual(seen_by_both.campaign_master_click_count, own + others)
        # Of both, but only one company ticked.
        self.assertEqual(
            self.as_both(ann, self.second).campaign_master_click_count,
            others,
        )
        # What is searched is what is seen.
        is_sum = [("id", "=", ann.id), ("campaign_master_click_count", "=", own + others)]
        self.assertTrue(self.as_both(ann.browse(), self.first, self.second).search(is_sum))
        self.assertFalse(self.as_both(ann.browse(), self.first).search(is_sum))
        self.assertFalse(ann.search(is_sum))

    # === WHICH COMPANY A CAMPAIGN BELONGS TO === #

    def test_the_template_or_list_of_another_company_is_refused(self):
        for values in (
            {"campaign_master_template_id": self.second_template.id},
            {"campaign_master_list_id": self.second_list.id},
        ):
            with self.subTest(str(values)):
                with self.assertRaises(UserError):
                    self.make_campaign(**values)
                campaign = self.make_campaign()
                with self.assertRaises(UserError):
                    campaign.write(values)
                with self.assertRaisesRegex(ValidationError, "Second Company"):
                    self.as_both(campaign, self.first, self.second).write(values)

    def test_a_campaign_belongs_to_the_company_in_which_its_block_was_filled_in_first(self):
        bare = self.env["utm.campaign"].create({"title": "Bare"})
        self.assertFalse(bare.campaign_master_account_id)
        self.as_both(bare, self.second, self.first).campaign_master_subject = "Ours"
        self.assertEqual(
            self.as_both(bare, self.second, self.first).campaign_master_account_id.id,
            self.second_account.id,
        )
        # Editing it from the other company does not move it there.
        seen = self.as_both(bare, self.first, self.second)
        seen.campaign_master_subject = "Still theirs"
        self.assertEqual(seen.campaign_master_account_id.id, self.second_account.id)
        self.assertEqual(seen.campaign_master_current_account_id.id, self.second_account.id)
        seen.campaign_master_template_id = self.second_template.id
        with self.assertRaisesRegex(ValidationError, "Second Company"):
            seen.campaign_master_template_id = self.template.id

    def test_the_same_values_make_a_campaign_of_each_company(self):
        """A program creates several campaigns from one dictionary."""
        values = {"title": "Spring offers", "campaign_master_subject": "Spring is here"}
        for env, account in ((self.env, self.account), (self.env_two, self.second_account)):
            campaign = env["utm.campaign"].create(values)
            self.assertEqual(campaign.sudo().campaign_master_account_id, account)

    def test_a_campaign_cannot_change_its_company_after_the_first_sync(self):
        campaign = self.make_campaign()
        seen = self.as_both(campaign, self.first, self.second)
        self.sync(campaign)
        with self.assertRaisesRegex(UserError, "cannot be moved"):
            seen.campaign_master_account_id = self.second_account.id
        with self.assertRaisesRegex(UserError, "cannot be moved"):
            seen.campaign_master_account_id = False
        with self.assertRaises(UserError):
            seen.write(
                {
                    "campaign_master_account_id": self.second_account.id,
                    "campaign_master_template_id": self.second_template.id,
                    "campaign_master_list_id": self.second_list.id,
                }
            )
        self.assertEqual(campaign.campaign_master_account_id.id, self.account.id)

    def test_before_the_first_sync_a_campaign_can_move_to_the_other_company_with_its_people(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        seen = self.as_both(campaign, self.second, self.first)
        seen.write(
            {
                "campaign_master_account_id": self.second_account.id,
                "campaign_master_template_id": self.second_template.id,
                "campaign_master_list_id": self.second_list.id,
            }
        )
        self.sync(seen)
        self.assertEqual(self.sandbox.members(self.second_list_ref), ["ann@example.com"])
        lines = self.env_two["campaign.master.recipient"].search(
            [("campaign_id", "=", campaign.id)]
        )
        self.assertEqual(lines.campaign_id.campaign_master_account_id.id, self.second_account.id)
        self.assertFalse(self.lines(campaign), "The first company sees the second one's people")

    def test_a_company_without_an_account_has_no_block(self):
        third = self.account.env["res.company"].create({"name": "Third Company"})
        campaign = self.env["utm.campaign"].create({"title": "Bare"})
        user = self.make_user_of(third)
        self.assertFalse(campaign.with_user(user).campaign_master_enabled)
        with self.assertRaisesRegex(UserError, "not enabled for Third Company"):
            campaign.with_user(user).campaign_master_add_recipients("res.partner", [])
        self.assertTrue(campaign.campaign_master_enabled)

    def make_user_of(self, company):
        return new_test_user(
            self.account.env, "three", GROUPS, company_id=company.id, company_ids=company.ids
        )

    # === ONE NAME IN BOTH === #

    def test_campaigns_of_one_title_in_both_companies_get_identifiers_of_their_own(self):
        first = self.make_campaign()
        second = self.second_campaign()
        third = self.make_campaign()
        self.env.flush_all()
        names = [campaign.sudo().name for campaign in (first, second, third)]
        self.assertEqual(len(set(names)), 3, names)
        self.assertEqual({c.sudo().title for c in (first, second, third)}, {"Spring offers"})
        with self.subTest("renaming"):
            other = self.second_campaign(title="Summer offers")
            other.title = "Spring offers"
            self.env.flush_all()
            self.assertNotIn(other.name, names)
