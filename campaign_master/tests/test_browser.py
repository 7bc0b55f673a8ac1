from odoo.tests import HttpCase, new_test_user, tagged

from .common import CampaignMasterCase


@tagged("post_install", "-at_install")
class TestBrowser(CampaignMasterCase, HttpCase):
    """What people see and press."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Bundled here once; what a test bundles is rolled back with it.
        for name in ("web.assets_frontend", "web.assets_tests", "web.assets_web"):
            bundle = cls.env["ir.qweb"]._get_asset_bundle(name, assets_params={})
            bundle.js()
            bundle.css()

    def open(self, campaign, tour, login="marketer"):
        self.start_tour(f"/odoo/action-utm.utm_campaign_action/{campaign.id}", tour, login=login)

    def test_the_refusal_the_sync_and_its_outcome_are_seen(self):
        campaign = self.make_campaign(campaign_master_subject=False)
        people = self.make_contacts("ann@example.com", "Office@Example.com", False)
        people[1].is_company = True
        people[2].name = "Nobody Reachable"
        self.add(campaign, people)
        self.open(campaign, "campaign_master_sync")
        self.env.invalidate_all()
        self.assertEqual(campaign.campaign_master_sync_state, "running")
        self.push()
        self.assertEqual(campaign.campaign_master_sync_state, "partial")
        self.open(campaign, "campaign_master_outcome")

    def test_the_check_before_the_sync_is_seen_and_leads_to_it(self):
        campaign = self.make_campaign()
        people = self.make_contacts("ann@example.com", "bob@example.com", False)
        people[2].name = "Nobody Reachable"
        self.add(campaign, people)
        self.open(campaign, "campaign_master_check")
        self.env.invalidate_all()
        self.assertEqual(campaign.campaign_master_sync_state, "running")

    def test_without_access_to_leads_there_is_no_leads_tab(self):
        new_test_user(self.account.env, "mailer", "mass_mailing.group_mass_mailing_user")
        self.open(self.make_campaign(), "campaign_master_no_leads", login="mailer")

    def test_ticked_contacts_are_added_to_a_campaign(self):
        campaign = self.make_campaign()
        self.make_contacts("tick@example.com", name="Tick Me")
        self.start_tour(
            "/odoo/action-contacts.action_contacts?view_type=list",
            "campaign_master_add_to_campaign",
            login="marketer",
        )
        self.assertEqual(self.states(campaign), {"tick@example.com": "pending"})
