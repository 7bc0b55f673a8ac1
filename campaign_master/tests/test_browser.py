from contextlib import contextmanager
from unittest.mock import patch

from odoo.tests import new_test_user, tagged

from ..client import CampaignMasterClient
from ..models.utm_campaign_sync import UtmCampaign
from .common import BrowserCase, CampaignMasterCase


@tagged("post_install", "-at_install")
class TestBrowser(CampaignMasterCase, BrowserCase):
    """What people see and click."""

    def open(self, campaign, tour, login="marketer"):
        self.start_tour(f"/odoo/action-utm.utm_campaign_action/{campaign.id}", tour, login=login)
        self.env.invalidate_all()

    @contextmanager
    def cron_while_open(self, name):
        """Run a scheduled action while the form is open: at its third poll."""
        progress = UtmCampaign.campaign_master_progress
        polls = []

        def poll(campaign):
            polls.append(campaign)
            if len(polls) == 3:
                cron = campaign.env.ref(f"campaign_master.ir_cron_{name}").sudo()
                cron.with_user(campaign.env.ref("base.user_root")).method_direct_trigger()
                campaign.env.invalidate_all()
            return progress(campaign)

        with patch.object(UtmCampaign, "campaign_master_progress", poll):
            yield

    def make_people(self):
        people = self.make_contacts("ann@example.com", "Office@Example.com", False)
        people[1].is_company = True
        people[2].name = "Nobody Reachable"
        return people

    # === SYNC === #

    def test_the_refusal_and_the_sync_and_its_result_are_seen(self):
        campaign = self.make_campaign(campaign_master_subject=False)
        self.add(campaign, self.make_people())
        with self.cron_while_open("push_recipients"):
            self.open(campaign, "campaign_master_sync")
        self.assertEqual(campaign.campaign_master_sync_state, "partial")
        self.open(campaign, "campaign_master_result")

    def test_the_check_before_the_sync_is_seen_and_leads_to_it(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_people())
        self.open(campaign, "campaign_master_check")
        self.assertEqual(campaign.campaign_master_sync_state, "running")

    def test_the_progress_is_seen_and_can_be_cancelled(self):
        campaign = self.make_campaign()
        self.add(
            campaign, self.make_contacts("ann@example.com", "bob@example.com", "carl@example.com")
        )
        self.press(campaign)
        # As after a batch of two.
        self.syncs(campaign).write(
            {"step": "push", "total": 3, "counts": {"added": 2, "pending": 1}}
        )
        self.open(campaign, "campaign_master_cancel")
        self.assertEqual(campaign.campaign_master_sync_state, "cancelled")

    def test_a_batch_that_was_sent_before_a_cancel_is_counted(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.press(campaign)
        add_recipients = CampaignMasterClient.add_recipients

        def cancel_meanwhile(client, *args):
            results = add_recipients(client, *args)
            self.press(campaign, "cancel")
            self.env.flush_all()
            return results

        with patch.object(CampaignMasterClient, "add_recipients", cancel_meanwhile):
            self.push()
        progress = campaign.campaign_master_progress()
        self.assertEqual((progress["state"], progress["counts"]), ("cancelled", {"added": 2}))

    def test_what_a_sync_waits_for_is_seen(self):
        campaign = self.make_campaign()
        self.sandbox.faults({"match": "GET /campaigns", "kind": "500", "count": 9})
        self.sync(campaign)
        self.open(campaign, "campaign_master_waiting")

    def test_a_failure_is_seen_and_can_be_retried(self):
        # Also without recipients, whose numbers are in the same row as the button.
        campaign = self.make_campaign(campaign_master_from_email="not an address")
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "failed")
        self.open(campaign, "campaign_master_failed")
        self.assertEqual(campaign.campaign_master_sync_state, "running")

    def test_a_deleted_campaign_is_seen_and_can_be_unlinked(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.sync(campaign)
        self.open(campaign, "campaign_master_deleted")
        self.assertFalse(campaign.campaign_master_ref)

    # === STATISTICS === #

    def test_a_refresh_is_seen_and_its_figures_appear(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref)
        with self.cron_while_open("pull_statistics"):
            self.open(campaign, "campaign_master_refresh")
        self.assertEqual(campaign.campaign_master_sent, 2)

    def make_results(self):
        campaign = self.make_campaign()
        people = self.make_contacts("ann@example.com", "bob@example.com", False)
        people[0].name, people[1].name = "Ann", "Bob"
        self.add(campaign, people)
        self.sync(campaign)
        options = {"minutesAgo": 300, "quiet": True}
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, minutes=0.01, **options)
        self.sandbox.control(
            f"campaigns/{campaign.campaign_master_ref}/activity",
            [
                {"email": "ann@example.com", "kind": "open"},
                {"email": "ann@example.com", "kind": "click"},
                {"email": "bob@example.com", "kind": "open"},
            ],
        )
        self.pull()
        return campaign

    def test_results_lead_to_people(self):
        campaign = self.make_results()
        alert = {"level": "alarm", "raised": False, "activity_id": False, "is_all": False}
        alert |= {"number": 1, "sent": 2, "share": 50, "limit": 5}
        campaign.sudo().campaign_master_campaign_ids.alerts = {"bounces": alert}
        self.open(campaign, "campaign_master_results")

    def test_results_fit_on_a_phone(self):
        campaign = self.make_results()
        self.browser_size, self.touch_enabled = "375x667", True
        self.open(campaign, "campaign_master_results_phone")

    def make_failed_refresh(self):
        campaign = self.make_campaign()
        self.sync(campaign)
        self.sandbox.faults({"match": "GET /campaigns", "kind": "500", "count": 9})
        self.refresh(campaign)
        self.assertTrue(campaign.campaign_master_progress()["refresh_message"])
        self.sandbox.faults()
        return campaign

    def test_the_reason_of_a_failed_refresh_is_seen(self):
        self.open(self.make_failed_refresh(), "campaign_master_refresh_failed")

    def test_the_reason_of_a_failed_refresh_ends_with_the_next_reading(self):
        campaign = self.make_failed_refresh()
        self.pull()
        self.assertFalse(campaign.campaign_master_progress()["refresh_message"])

    # === RECIPIENTS === #

    def test_without_access_to_leads_there_is_no_leads_tab(self):
        new_test_user(self.account.env, "mailer", "mass_mailing.group_mass_mailing_user")
        self.open(self.make_campaign(), "campaign_master_no_leads", login="mailer")

    def make_reactions(self):
        campaign = self.make_campaign()
        company = self.make_contacts("office@example.com", name="Bakers", is_company=True)
        people = self.make_contacts("ann@example.com, ann@example.org", "bob@example.com")
        people.parent_id = company
        people[0].name = "Ann Sharer"
        self.add(campaign, people + self.make_contacts("ann@example.com", name="Twin Sharer"))
        self.sync(campaign)
        self.lines(campaign).sudo().write({"open_count": 2})
        return campaign

    def test_columns_can_be_shown_and_read(self):
        self.open(self.make_reactions(), "campaign_master_columns")

    def test_the_keyboard_leaves_the_search_of_recipients(self):
        self.open(self.make_reactions(), "campaign_master_tab_key")

    def test_recipients_are_cards_on_a_phone(self):
        campaign = self.make_reactions()
        self.browser_size, self.touch_enabled = "375x667", True
        self.open(campaign, "campaign_master_phone")

    def test_selected_contacts_are_added_to_a_campaign(self):
        campaign = self.make_campaign()
        self.make_contacts("tick@example.com", name="Tick Me")
        self.start_tour(
            "/odoo/action-contacts.action_contacts?view_type=list",
            "campaign_master_add_to_campaign",
            login="marketer",
        )
        self.assertEqual(self.states(campaign), {"tick@example.com": "pending"})

    # === PEOPLE === #

    def make_reader(self):
        """A contact with three campaigns, the first of which was clicked."""
        ann = self.make_contacts("ann@example.com", name="Ann Reader")
        for title in ("First news", "Second news", "Third news"):
            campaign = self.make_campaign(title=title)
            self.add(campaign, ann + self.make_contacts("Ann@example.com"))
            self.sync(campaign)
            self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
            if title == "First news":
                self.sandbox.control(
                    f"campaigns/{campaign.campaign_master_ref}/activity",
                    {"email": "ann@example.com", "kind": "click", "times": 2},
                )
            self.pull()
        self.run_cron("update_engagement")
        return ann

    def test_a_contacts_campaigns_are_seen_and_opened(self):
        ann = self.make_reader()
        url = f"/odoo/action-contacts.action_contacts/{ann.id}"
        self.start_tour(url, "campaign_master_person", login="marketer")

    def test_a_leads_campaigns_are_cards_on_a_phone(self):
        lead = self.env["crm.lead"].create({"name": "Wants more", "email_from": "ann@example.com"})
        campaign = self.make_campaign(title="First news")
        self.add(campaign, lead)
        self.sync(campaign)
        self.browser_size, self.touch_enabled = "375x667", True
        url = f"/odoo/action-crm.crm_lead_opportunities/{lead.id}"
        self.start_tour(url, "campaign_master_person_phone", login="marketer")

    def test_contacts_are_grouped_by_their_engagement(self):
        self.make_reader()
        url = "/odoo/action-contacts.action_contacts?view_type=list"
        self.start_tour(url, "campaign_master_engagement", login="marketer")
