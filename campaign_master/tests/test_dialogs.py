from unittest.mock import patch

from odoo.tests import Form, new_test_user, tagged

from ..models.utm_campaign_sync import UtmCampaign as UtmCampaignSync
from .common import BrowserCase, CampaignMasterCase


class DialogCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()

    def open_dialog(self, kind="contact", campaign=None):
        """Click Add Contacts (Leads, Companies) on the campaign."""
        action = getattr(campaign or self.campaign, f"action_campaign_master_add_{kind}")()
        return Form(self.env[action["res_model"]].with_context(**action["context"]))

    def people(self, dialog):
        """Whom the dialog adds."""
        campaign = dialog.campaign_id
        dialog.save().action_add()
        return self.lines(campaign)


class TestAddDialogs(DialogCase):
    """Add Contacts, Add Companies and Add Leads on the campaign."""

    def setUp(self):
        super().setUp()
        self.ann, self.bob = self.make_contacts("ann@example.com", "bob@example.com")
        self.ann.name = self.bob.name = "Dialog"
        self.office = self.make_contacts("office@example.com", is_company=True)
        self.office.name = "Dialog Office"
        self.filter = str([("name", "like", "Dialog")])

    def test_each_adds_its_kind_and_starts_with_an_empty_filter(self):
        lead = self.env["crm.lead"].create({"name": "Dialog", "email_from": "lea@example.com"})
        for kind, people in {
            "contact": self.ann + self.bob,
            "company": self.office,
            "lead": lead,
        }.items():
            with self.subTest(kind):
                dialog = self.open_dialog(kind)
                self.assertEqual(dialog.domain, "[]")
                dialog.domain = self.filter
                field = "lead_id" if kind == "lead" else "partner_id"
                lines = self.people(dialog).filtered(lambda line, kind=kind: line.kind == kind)
                self.assertEqual(lines[field], people)

    def test_the_dialog_says_how_many_it_will_add(self):
        dialog = self.open_dialog()
        dialog.domain = self.filter
        self.assertEqual(dialog.summary, "2 recipients will be added.")
        self.add(self.campaign, self.ann)
        dialog = self.open_dialog()
        dialog.domain = self.filter
        self.assertEqual(dialog.summary, "1 recipient will be added. 1 is already on the campaign.")
        self.add(self.campaign, self.bob)
        dialog = self.open_dialog()
        dialog.domain = self.filter
        self.assertEqual(
            dialog.summary, "0 recipients will be added. 2 are already on the campaign."
        )

    def test_leads_on_the_campaign_are_counted_as_such(self):
        leads = self.env["crm.lead"].create(
            [{"name": "Dialog", "email_from": f"{name}@example.com"} for name in ("lea", "lou")]
        )
        self.add(self.campaign, leads[0])
        dialog = self.open_dialog("lead")
        dialog.domain = self.filter
        self.assertEqual(dialog.summary, "1 recipient will be added. 1 is already on the campaign.")

    def test_colleagues_and_own_companies_are_left_out(self):
        other_company = self.env["res.company"].sudo().create({"name": "Second Company"})
        colleague = new_test_user(self.account.env, "colleague", "base.group_user").partner_id
        customer = new_test_user(self.account.env, "customer", "base.group_portal").partner_id
        own = self.env.company.partner_id
        contacts, companies = self.open_dialog(), self.open_dialog("company")
        for dialog, inside, outside in (
            (contacts, self.marketer.partner_id + colleague, self.ann + customer),
            (companies, own + other_company.partner_id, self.office),
        ):
            dialog.domain = str([("id", "in", (inside + outside).ids)])
            self.assertIn(f"{len(outside)} recipient", dialog.summary)
            dialog.include_internal = True
            self.assertIn(f"{len(inside + outside)} recipients", dialog.summary)
            dialog.include_internal = False
            self.assertLessEqual(outside, self.people(dialog).partner_id)
            self.assertFalse(inside & self.lines(self.campaign).partner_id)

    def test_leads_of_colleagues_are_left_out(self):
        people = self.marketer.partner_id, self.ann, self.env["res.partner"]
        leads = self.env["crm.lead"].create(
            [{"name": "Dialog", "partner_id": partner.id} for partner in people]
        )
        dialog = self.open_dialog("lead")
        dialog.domain = self.filter
        self.assertEqual(self.people(dialog).lead_id, leads[1:])

    def test_a_former_colleague_is_a_contact_like_others(self):
        user = new_test_user(self.account.env, "former", "base.group_user")
        user.active = False
        user.partner_id.active = True
        dialog = self.open_dialog()
        dialog.domain = str([("id", "=", user.partner_id.id)])
        self.assertEqual(dialog.summary, "1 recipient will be added.")

    def test_ticked_people_are_taken_as_given(self):
        people = self.marketer.partner_id + self.env.company.partner_id + self.ann
        wizard = (
            self.env["campaign.master.add.recipients"]
            .with_context(active_model="res.partner", active_ids=people.ids)
            .create({"campaign_id": self.campaign.id})
        )
        self.assertEqual(wizard.summary, "3 recipients will be added.")
        wizard.action_add()
        self.assertEqual(self.lines(self.campaign).partner_id, people)

    def test_other_programs_add_whom_they_name(self):
        self.add(self.campaign, self.marketer.partner_id)
        self.assertEqual(self.lines(self.campaign).partner_id, self.marketer.partner_id)

    def test_the_message_links_to_the_campaign(self):
        self.campaign.title = "100 % spring"
        wizard = (
            self.env["campaign.master.add.recipients"]
            .with_context(active_model="res.partner", active_ids=self.ann.ids)
            .create({"campaign_id": self.campaign.id})
        )
        params = wizard.action_add()["params"]
        # The web client replaces %% by % and %s by the link.
        self.assertEqual(params["message"], "1 recipient was added to “100 %% spring”. %s")
        [link] = params["links"]
        self.assertTrue(link["url"].endswith(f"/{self.campaign.id}"))


class TestDropDowns(DialogCase):
    def drop_down(self, name="", user=None):
        campaigns = self.env["utm.campaign"].with_user(user or self.env.user)
        return campaigns.with_context(campaign_master_drop_down=True).name_search(name, limit=3)

    def test_campaigns_are_newest_first_and_sent_ones_are_marked(self):
        summer, autumn = self.make_campaign(title="Summer"), self.make_campaign(title="Autumn")
        summer.sudo().campaign_master_remote_status = "sent"
        autumn.sudo().campaign_master_remote_status = "sending"
        self.assertEqual(
            self.drop_down(),
            [
                (autumn.id, "Autumn (being sent)"),
                (summer.id, "Summer (sent)"),
                (self.campaign.id, "Spring offers"),
            ],
        )
        self.assertEqual(self.drop_down("summer"), [(summer.id, "Summer (sent)")])

    def test_elsewhere_campaigns_are_called_as_before(self):
        self.campaign.sudo().campaign_master_remote_status = "sent"
        self.assertEqual(self.campaign.display_name, "Spring offers")

    def test_others_do_not_learn_what_was_sent(self):
        self.campaign.sudo().campaign_master_remote_status = "sent"
        user = new_test_user(self.account.env, "ian", "base.group_user")
        self.assertIn((self.campaign.id, "Spring offers"), self.drop_down("Spring", user))

    def test_a_campaign_is_created_on_the_fly(self):
        ann = self.make_contacts("ann@example.com")
        campaigns = self.env["utm.campaign"].with_context(campaign_master_drop_down=True)
        new_id, _name = campaigns.name_create("Made here")
        self.env["campaign.master.add.recipients"].with_context(
            active_model="res.partner", active_ids=ann.ids
        ).create({"campaign_id": new_id}).action_add()
        campaign = self.env["utm.campaign"].browse(new_id)
        self.assertEqual(self.lines(campaign).partner_id, ann)
        self.assertEqual(campaign.sudo().campaign_master_account_id, self.account)

    def test_lists_show_how_many_people_are_on_them(self):
        ref = self.sandbox.list("Press", [f"person{number}@example.com" for number in range(3)])
        self.account.with_env(self.env).action_refresh_catalogue()
        press = self.find("campaign.master.list", ref).with_env(self.env)
        in_drop_down = press.with_context(campaign_master_drop_down=True)
        self.assertIn((press.id, "Press (3)"), in_drop_down.name_search("Pre"))
        self.assertEqual(press.display_name, "Press")

    def test_a_list_whose_number_of_people_is_not_reported_does_not_look_empty(self):
        ref = self.sandbox.list("Press", ["ann@example.com"])
        self.sandbox.control("dialect", {"fewMembers": True})
        self.account.with_env(self.env).action_refresh_catalogue()
        press = self.find("campaign.master.list", ref).with_env(self.env)
        in_drop_down = press.with_context(campaign_master_drop_down=True)
        self.assertEqual(in_drop_down.display_name, "Press")
        self.assertEqual(press.read(["recipient_count"])[0]["recipient_count"], 0)


class TestDuplicate(DialogCase):
    def test_a_duplicate_is_called_a_copy(self):
        copy = self.campaign.copy()
        self.assertEqual((copy.title, copy.name), ("Spring offers (copy)",) * 2)
        self.assertEqual(self.campaign.copy({"title": "Summer offers"}).title, "Summer offers")

    def test_in_every_language(self):
        self.env["res.lang"].sudo()._activate_lang("fr_FR")
        self.campaign.with_context(lang="fr_FR").title = "Offres de printemps"
        copy = self.campaign.copy().with_context(lang="fr_FR")
        self.assertEqual(copy.title, "Spring offers (copy)")


@tagged("post_install", "-at_install")
class TestInBrowser(DialogCase, BrowserCase):
    def open(self, tour):
        path = f"/odoo/action-utm.utm_campaign_action/{self.campaign.id}"
        self.start_tour(path, tour, login="marketer")
        self.env.invalidate_all()

    def leave_only(self, people):
        """Archive everyone else but internal users."""
        others = self.env["res.partner"].sudo().search([("id", "not in", people.ids)])
        others.filtered("partner_share").active = False

    def test_contacts_are_added_with_a_filter(self):
        people = self.make_contacts("ann@example.com", "bob@example.com")
        self.leave_only(people)
        users = self.env["res.partner"].sudo().search([("partner_share", "=", False)])
        (users - self.marketer.partner_id).is_company = True
        self.open("campaign_master_add_contacts")
        self.assertEqual(self.lines(self.campaign).partner_id, people)

    def test_a_sent_campaign_is_locked_and_offers_a_new_one(self):
        ann, _bob = self.make_contacts("ann@example.com", "bob@example.com")
        self.add(self.campaign, ann)
        self.sync(self.campaign)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref)
        self.sync(self.campaign)
        self.open("campaign_master_sent")
        self.assertEqual(self.lines(self.campaign).partner_id, ann)

    def test_a_campaign_is_created_while_people_are_added(self):
        self.make_campaign(title="Summer offers").sudo().campaign_master_remote_status = "sent"
        self.make_contacts("tick@example.com").name = "Tick Me"
        path = "/odoo/action-contacts.action_contacts?view_type=list"
        self.start_tour(path, "campaign_master_create_on_the_fly", login="marketer")
        campaign = self.env["utm.campaign"].search([("title", "=", "Made here")])
        self.assertEqual(self.states(campaign), {"tick@example.com": "pending"})

    def test_a_second_tab_gets_information_instead_of_an_error(self):
        is_running = UtmCampaignSync._campaign_master_sync

        def start_elsewhere(campaign, **options):
            is_running(campaign, **options)  # the first tab
            return is_running(campaign, **options)

        with patch.object(UtmCampaignSync, "_campaign_master_sync", start_elsewhere):
            self.open("campaign_master_second_tab")
        self.assertEqual(len(self.syncs(self.campaign)), 1)
