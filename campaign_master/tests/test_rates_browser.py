from odoo.tests import tagged

from ..client import Statistics
from .common import BrowserCase
from .test_rates import RatesCase


@tagged("post_install", "-at_install")
class TestRatesInBrowser(RatesCase, BrowserCase):
    """What people see of rates and states in lists and on cards."""

    def open(self, view, tour, campaign=None):
        # Nothing else in the list.
        others = self.campaigns.sudo().search([("id", "not in", self.all.ids)])
        others.active = False
        path = f"/{campaign.id}" if campaign else f"?view_type={view}"
        self.start_tour(f"/odoo/action-utm.utm_campaign_action{path}", tour, login="marketer")

    def test_the_footer_of_a_list_divides_the_sums(self):
        self.open("list", "campaign_master_rates_list")

    def make_partly_reported(self):
        """A sent campaign of which Campaign Master reports some figures only."""
        partial = self.make_campaign(title="Partial")
        partial.sudo().write(
            {"campaign_master_remote_status": "sent", "campaign_master_ref": "4711"}
        )
        partial.sudo()._campaign_master_store_statistics(Statistics(sent=1000, opens=0, bounces=3))
        self.all += partial
        return partial

    def test_missing_figures_are_dashes_in_lists_and_in_no_footer(self):
        self.make_partly_reported()
        self.open("list", "campaign_master_unreported_list")

    def test_missing_figures_are_dashes_on_cards(self):
        self.make_partly_reported()
        self.open("kanban", "campaign_master_unreported_cards")

    def test_missing_figures_are_dashes_in_the_form(self):
        self.open("form", "campaign_master_unreported_form", self.make_partly_reported())

    def test_cards_show_state_and_rates(self):
        waiting = self.make_campaign(title="Waits")
        waiting.sudo().write(
            {
                "campaign_master_remote_status": "scheduled",
                "campaign_master_sync_state": "complete",
            }
        )
        self.all += waiting + self.campaigns.create({"title": "Not Ours"})
        self.open("kanban", "campaign_master_state")

    def test_internal_fields_are_not_offered(self):
        self.open("list", "campaign_master_custom_filter")

    def test_nobody_can_be_assigned_as_the_user_who_synced(self):
        self.sync(self.draft)
        self.open("form", "campaign_master_command_palette", self.draft)
