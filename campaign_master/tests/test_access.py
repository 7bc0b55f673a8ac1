import re

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import CampaignMasterCase

FIGURES = (
    "campaign_master_sent",
    "campaign_master_delivered",
    "campaign_master_hard_bounces",
    "campaign_master_soft_bounces",
    "campaign_master_bounces",
    "campaign_master_rejected",
    "campaign_master_total_bounces",
    "campaign_master_sent_to",
    "campaign_master_successful",
    "campaign_master_opens",
    "campaign_master_unique_opens",
    "campaign_master_clicks",
    "campaign_master_unique_clicks",
    "campaign_master_unique_opens_by_people",
    "campaign_master_unique_clicks_by_people",
    "campaign_master_forwards",
    "campaign_master_unique_forwards",
    "campaign_master_unsubscribes",
    "campaign_master_complaints",
    "campaign_master_delivered_rate",
    "campaign_master_open_rate",
    "campaign_master_click_rate",
    "campaign_master_clicked_rate",
    "campaign_master_open_rate_by_people",
    "campaign_master_clicked_rate_by_people",
    "campaign_master_click_to_open_rate",
    "campaign_master_bounce_rate",
    "campaign_master_unsubscribe_rate",
)
# What only Campaign Master may change, with a value to try.
IMPORTABLE = {
    **dict.fromkeys(FIGURES, 7),
    "campaign_master_ref": "999",
    "campaign_master_remote_status": "sent",
    "campaign_master_sent_at": "2020-01-01 00:00:00",
    "campaign_master_synced_at": "2020-01-01 00:00:00",
    "campaign_master_statistics_at": "2020-01-01 00:00:00",
    "campaign_master_sync_state": "complete",
    "campaign_master_state": "sent",
    "campaign_master_sync_message": "All is well",
    "campaign_master_recipient_count": 7,
}
PROTECTED = {
    **IMPORTABLE,
    "campaign_master_company_id": 1,
    "campaign_master_synced_by_id": 2,
    "campaign_master_outcome": {"added": 7},
    "campaign_master_unreported": ["campaign_master_opens"],
}
# Computed when they are read.
NOT_STORED = (
    "campaign_master_has_tracked_links",
    "campaign_master_is_sent",
    "campaign_master_next_poll_at",
    "campaign_master_opted_out_count",
    "campaign_master_sync_status",
)
BLOCK = (
    "campaign_master_account_id",
    "campaign_master_subject",
    "campaign_master_template_id",
    "campaign_master_list_id",
    "campaign_master_from_name",
    "campaign_master_from_email",
    "campaign_master_reply_to",
)


class AccessCase(CampaignMasterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.env.ref("base.user_admin")

    def as_user(self, *groups, **values):
        return new_test_user(
            self.account.env, "somebody", ",".join(groups), name="Sam Somebody", **values
        )

    def make_leads(self, *emails, **values):
        return self.env["crm.lead"].create(
            [{"name": f"Lead {email}", "email_from": email, **values} for email in emails]
        )

    def synced_campaign(self, people=None, **values):
        campaign = self.make_campaign(**values)
        self.add(campaign, people or self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        return campaign

    def assertRefused(self, reach):
        """The function raises an AccessError, or cannot be expressed at all."""
        try:
            reach()
        except (AccessError, ValueError):
            return
        self.fail("Not refused")

    def assertNotLoaded(self, model, names, row, because):
        """The import takes nothing and says why."""
        result = model.load(list(names), [list(row)])
        self.assertFalse(result["ids"], "Something was imported")
        self.assertRegex(" ".join(message["message"] for message in result["messages"]), because)


class TestEmailMarketingAlone(AccessCase):
    """A user with Email Marketing, but without sales."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_leads("lea@example.com"))
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.user = self.as_user("mass_mailing.group_mass_mailing_user")
        self.mine = self.campaign.with_user(self.user)

    def test_somebody_without_leads_sees_no_leads_among_the_recipients(self):
        lines = self.env["campaign.master.recipient"].with_user(self.user)
        self.assertEqual(
            lines.search([("campaign_id", "=", self.campaign.id)]).mapped("email"),
            ["ann@example.com"],
        )
        self.assertFalse(self.mine.campaign_master_sees_leads)
        self.assertTrue(self.campaign.campaign_master_sees_leads)
        lead_line = self.lines(self.campaign).filtered("lead_id")
        with self.assertRaises(AccessError):
            lead_line.with_user(self.user).read(["email"])

    def test_somebody_without_leads_cannot_add_leads(self):
        lead = self.make_leads("lou@example.com")
        with self.assertRaises(AccessError):
            self.add(self.mine, lead)
        with self.assertRaises(AccessError):
            self.mine.campaign_master_add_recipients("crm.lead", [])
        self.assertEqual(len(self.lines(self.campaign)), 2)

    def test_sync_and_pull_of_somebody_without_leads_cover_the_leads(self):
        self.sync(self.mine)
        self.assertEqual(
            sorted(self.sandbox.members(self.list_ref)), ["ann@example.com", "lea@example.com"]
        )
        ref = self.campaign.campaign_master_ref
        self.sandbox.send(ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{ref}/activity", {"email": "lea@example.com", "kind": "click", "times": 3}
        )
        self.refresh(self.mine)
        self.assertEqual(self.campaign.campaign_master_sent, 2)
        lead_line = self.lines(self.campaign).filtered("lead_id")
        self.assertEqual(lead_line.sync_state, "added")
        self.assertGreaterEqual(lead_line.click_count, 3)
        self.assertEqual(
            lead_line.lead_id.campaign_master_click_count,
            lead_line.click_count,
        )


class TestSalesmanOfOwnLeads(AccessCase):
    """A user with Email Marketing who sees only their own leads in CRM."""

    def test_salespeople_see_the_recipients_of_their_own_and_of_unassigned_leads(self):
        user = self.as_user(
            "mass_mailing.group_mass_mailing_user", "sales_team.group_sale_salesman"
        )
        own = self.make_leads("own@example.com", user_id=user.id)
        nobodys = self.make_leads("nobodys@example.com", user_id=False)
        others = self.make_leads("others@example.com", user_id=self.marketer.id)
        campaign = self.make_campaign()
        self.add(campaign, own + nobodys + others)
        self.add(campaign, self.make_contacts("ann@example.com"))
        seen = self.env["campaign.master.recipient"].with_user(user)
        self.assertEqual(
            set(seen.search([("campaign_id", "=", campaign.id)]).mapped("email")),
            {"own@example.com", "nobodys@example.com", "ann@example.com"},
        )
        self.assertTrue(campaign.with_user(user).campaign_master_sees_leads)


class TestWithoutEmailMarketing(AccessCase):
    """A salesperson without Email Marketing."""

    def setUp(self):
        super().setUp()
        self.contact = self.make_contacts("ann@example.com")
        self.campaign = self.synced_campaign(self.contact)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref)
        self.pull()
        self.user = self.as_user("base.group_user", "sales_team.group_sale_salesman_all_leads")
        self.mine = self.campaign.with_user(self.user)

    def test_they_cannot_add_or_remove_recipients_nor_see_them(self):
        with self.assertRaises(AccessError):
            self.mine.campaign_master_add_recipients("res.partner", [])
        with self.assertRaises(AccessError):
            self.env["campaign.master.recipient"].with_user(self.user).search([])
        with self.assertRaises(AccessError):
            self.lines(self.campaign).with_user(self.user).action_remove()
        with self.assertRaises(AccessError):
            self.env["campaign.master.add.recipients"].with_user(self.user).create(
                {"campaign_id": self.campaign.id, "model": "res.partner"}
            )
        self.assertEqual(len(self.lines(self.campaign)), 1)

    def test_they_cannot_refresh_templates_and_lists_nor_see_them(self):
        account = self.account.with_user(self.user)
        for button in ("action_refresh_catalogue", "request_catalog", "catalog_state"):
            with self.subTest(button), self.assertRaises(AccessError):
                getattr(account, button)()
        for model in ("template", "list", "account", "optout", "engagement", "campaign", "sync"):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[f"campaign.master.{model}"].with_user(self.user).search([])

    def test_they_cannot_read_figures_or_the_block(self):
        known = self.mine.fields_get()
        for name in (*PROTECTED, *NOT_STORED, *BLOCK):
            with self.subTest(name):
                self.assertNotIn(name, known)
                with self.assertRaises(AccessError):
                    self.mine.read([name])
                with self.assertRaises(AccessError):
                    self.mine.search([(name, "!=", False)])
        with self.assertRaises(AccessError):
            self.mine.write({"campaign_master_subject": "Mine"})

    def test_they_cannot_read_or_search_the_totals_of_people(self):
        contact = self.contact.with_user(self.user)
        totals = [name for name in contact._fields if name.startswith("campaign_master_")]
        self.assertGreaterEqual(len(totals), 10)
        known = contact.fields_get()
        for name in totals:
            with self.subTest(name):
                self.assertNotIn(name, known)
                with self.assertRaises(AccessError):
                    contact.read([name])
                with self.assertRaises(AccessError):
                    contact.search([(name, "!=", False)])
        with self.assertRaises(AccessError):
            contact.search([], order="campaign_master_open_count")

    def test_they_see_the_rest_of_the_campaign_as_before(self):
        self.assertEqual(self.mine.title, "Spring offers")
        self.assertIn(self.mine, self.mine.search([("title", "=", "Spring offers")]))
        self.assertEqual(self.contact.with_user(self.user).email, "ann@example.com")


class TestProtectedFigures(AccessCase):
    """Values that come from Campaign Master cannot be entered in Odoo."""

    def people(self):
        return {"marketer": self.marketer, "administrator": self.admin}.items()

    def test_nobody_writes_figures_ids_and_states(self):
        campaign = self.synced_campaign()
        before = campaign.read(list(PROTECTED))
        for role, user in self.people():
            for name, value in PROTECTED.items():
                with self.subTest(f"{role}: {name}"), self.assertRaises(AccessError):
                    campaign.with_user(user).write({name: value})
        self.assertEqual(campaign.read(list(PROTECTED)), before)

    def test_nobody_creates_a_campaign_with_figures_ids_and_states(self):
        for role, user in self.people():
            campaigns = self.env["utm.campaign"].with_user(user)
            for name, value in PROTECTED.items():
                with self.subTest(f"{role}: {name}"), self.assertRaises(AccessError):
                    campaigns.create({"title": "Cheated", name: value})

    def test_figures_do_not_come_in_through_defaults(self):
        context = {f"default_{name}": value for name, value in PROTECTED.items()}
        for role, user in self.people():
            with self.subTest(role):
                campaigns = self.env["utm.campaign"].with_user(user)
                honest = campaigns.create({"title": "Honest"})
                try:
                    cheated = campaigns.with_context(**context).create({"title": "Cheated"})
                except AccessError:
                    continue
                self.assertEqual(
                    {name: cheated[name] for name in PROTECTED},
                    {name: honest[name] for name in PROTECTED},
                )

    def test_figures_do_not_come_in_through_saved_defaults(self):
        self.env["ir.default"].set("utm.campaign", "campaign_master_sent", 7, user_id=True)
        try:
            campaign = self.env["utm.campaign"].create({"title": "Cheated"})
        except AccessError:
            return
        self.assertEqual(campaign.campaign_master_sent, 0)

    def test_all_values_of_campaign_master_are_tried_here(self):
        campaigns = self.env["utm.campaign"]
        self.assertEqual(
            set(campaigns._campaign_master_reported_fields(campaigns._fields)), set(PROTECTED)
        )

    def test_nobody_imports_figures_ids_and_states(self):
        campaign = self.synced_campaign()
        before = campaign.read(list(PROTECTED))
        for role, user in self.people():
            campaigns = campaign.browse().with_user(user)
            for name, value in IMPORTABLE.items():
                label = self.env["utm.campaign"]._fields[name]._description_string(self.env)
                because = re.escape(label) + ".*come from Campaign Master"
                with self.subTest(f"{role}: {name}"):
                    if name == "campaign_master_sync_state":
                        value = "Complete"
                    self.assertNotLoaded(
                        campaigns, [".id", name], [str(campaign.id), str(value)], because
                    )
                    self.assertNotLoaded(
                        campaigns, ["title", name], ["Cheated", str(value)], because
                    )
        campaign.invalidate_recordset()
        self.assertEqual(campaign.read(list(PROTECTED)), before)
        self.assertFalse(self.env["utm.campaign"].search([("title", "=", "Cheated")]))

    def test_nobody_writes_recipients_templates_lists_and_optouts(self):
        campaign = self.synced_campaign()
        line = self.lines(campaign)
        for role, user in self.people():
            for record, values in (
                (line, {"open_count": 7}),
                (line, {"opted_out_here": True}),
                (line, {"sync_state": "exists"}),
                (self.template, {"name": "Mine"}),
                (self.list, {"recipient_count": 7}),
            ):
                with self.subTest(f"{role}: {values}"), self.assertRaises(AccessError):
                    record.with_user(user).write(values)
            with self.subTest(f"{role}: create"), self.assertRaises(AccessError):
                line.browse().with_user(user).create({"campaign_id": campaign.id, "kind": "lead"})
            with self.subTest(f"{role}: opt-out"), self.assertRaises(AccessError):
                self.env["campaign.master.optout"].with_user(user).create(
                    {"account_id": self.account.id, "email": "ann@example.com"}
                )

    def test_a_copy_begins_without_figures(self):
        campaign = self.synced_campaign()
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref)
        self.pull()
        self.assertEqual(campaign.campaign_master_sent, 1)
        copy = campaign.copy()
        self.assertFalse(copy.campaign_master_ref)
        self.assertEqual(copy.campaign_master_sent, 0)
        self.assertEqual(copy.campaign_master_sync_state, "never")
        self.assertFalse(self.lines(copy))


class TestLockedTemplate(AccessCase):
    """After the first sync the template cannot be changed."""

    def setUp(self):
        super().setUp()
        ref = self.sandbox.template("Autumn")
        self.account.action_refresh_catalogue()
        self.other = self.find("campaign.master.template", ref)

    def test_the_template_is_free_before_the_first_sync(self):
        campaign = self.make_campaign()
        campaign.campaign_master_template_id = self.other
        self.sync(campaign)
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual(str(remote["templateId"]), self.other.ref)

    def test_the_template_cannot_be_written_after_the_first_sync(self):
        campaign = self.synced_campaign()
        for user in (self.marketer, self.admin):
            for value in (self.other.id, False):
                with self.assertRaisesRegex(UserError, "Launch Campaign › Edit/Test"):
                    campaign.with_user(user).write({"campaign_master_template_id": value})
        self.assertEqual(campaign.campaign_master_template_id, self.template)

    def test_the_template_cannot_be_imported_after_the_first_sync(self):
        campaign = self.synced_campaign()
        for user in (self.marketer, self.admin):
            self.assertNotLoaded(
                campaign.browse().with_user(user),
                [".id", "campaign_master_template_id/.id"],
                [str(campaign.id), str(self.other.id)],
                "Launch Campaign › Edit/Test",
            )
        campaign.invalidate_recordset()
        self.assertEqual(campaign.campaign_master_template_id, self.template)

    def test_writing_the_same_template_again_does_no_harm(self):
        campaign = self.synced_campaign()
        campaign.write(
            {"campaign_master_template_id": self.template.id, "campaign_master_subject": "New"}
        )
        self.assertEqual(campaign.campaign_master_subject, "New")
