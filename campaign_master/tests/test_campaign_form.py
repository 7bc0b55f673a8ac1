"""What a marketing user sees of a campaign in each phase of its life."""

from lxml import etree

from odoo.tests import new_test_user
from odoo.tools.safe_eval import safe_eval

from .test_history import HistoryCase

SYNC = "//button[@name='action_campaign_master_sync']"
PLAN = "//group[@name='campaign_master_plan']"
RESULTS = "//widget[@name='campaign_master_results']"
STATS = "//div[@name='button_box']//button//field"
TABS = "//notebook/page"


class FormCase(HistoryCase):
    def shown(self, campaign, xpath):
        """The nodes of the form that are shown to the user."""
        view = campaign.get_view(view_type="form")
        arch = etree.fromstring(view["arch"])
        names = {*view["models"]["utm.campaign"]} & {*campaign.fields_get()}
        [values] = campaign.web_read({name: {} for name in names})
        values = {"uid": campaign.env.uid, "context": {}, "active_id": campaign.id, **values}

        def is_hidden(node):
            return any(
                safe_eval(one.get("invisible") or "False", dict(values))
                for one in (node, *node.iterancestors())
            )

        return [node for node in arch.xpath(xpath) if not is_hidden(node)]

    def stats(self, campaign):
        """The labels of the buttons with numbers."""
        return [node.get("string") for node in self.shown(campaign, STATS)]

    def tabs(self, campaign):
        return [node.get("string") for node in self.shown(campaign, TABS)]

    def highlighted(self, campaign):
        """The labels of the highlighted buttons above the form."""
        buttons = self.shown(campaign, "//header/button")
        return [one.get("string") for one in buttons if "oe_highlight" in (one.get("class") or "")]

    def buttons(self, campaign):
        return [node.get("string") for node in self.shown(campaign, "//header/button")]

    def make_links(self, campaign):
        self.account.env["link.tracker"].create(
            {"url": "https://example.com", "campaign_id": campaign.id}
        )


class TestPhases(FormCase):
    def setUp(self):
        super().setUp()
        # Odoo's own mailings are offered on campaigns.
        group = self.account.env.ref("mass_mailing.group_mass_mailing_campaign")
        self.marketer.sudo().group_ids += group
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_contacts("ann@example.com", "bob@example.com", False))

    def test_a_plan_is_first_and_the_sync_is_the_next_step(self):
        self.assertEqual(self.highlighted(self.campaign), ["Sync with Campaign Master"])
        self.assertIn("Send Mailing", self.buttons(self.campaign))
        self.assertTrue(self.shown(self.campaign, PLAN))
        self.assertFalse(self.shown(self.campaign, RESULTS))
        self.assertNotIn("Plan", self.tabs(self.campaign))
        self.assertIn("Recipients", self.stats(self.campaign))
        self.assertNotIn("Opened", self.stats(self.campaign))

    def test_a_synced_campaign_says_what_is_left_to_do(self):
        self.sync(self.campaign)
        progress = self.campaign.campaign_master_progress()
        self.assertEqual(progress["message"], "Recipients on the list “Customers”: 2 of 3.")
        self.assertEqual(
            progress["steps"],
            ["Select the list “Customers” for the campaign", "Review it", "Send it"],
        )
        self.assertTrue(self.shown(self.campaign, PLAN))
        self.assertFalse(self.shown(self.campaign, RESULTS))

    def test_while_a_sync_runs_or_after_it_failed_nothing_is_left_to_do_there(self):
        self.press(self.campaign)
        self.assertEqual(self.campaign.campaign_master_progress()["steps"], [])
        self.press(self.campaign, "cancel")
        self.assertEqual(self.campaign.campaign_master_progress()["steps"], [])

    def test_a_sent_campaign_shows_its_results_and_the_plan_is_a_tab(self):
        self.sync(self.campaign)
        self.send(self.campaign)
        self.pull()
        self.assertEqual(self.campaign.campaign_master_progress()["steps"], [])
        self.assertTrue(self.shown(self.campaign, RESULTS))
        self.assertFalse(self.shown(self.campaign, PLAN))
        self.assertEqual(
            self.tabs(self.campaign), ["Leads", "Contacts", "Companies", "Statistics", "Plan"]
        )
        plan = "//page[@name='campaign_master_sent_plan']//field/@name"
        self.assertIn("campaign_master_subject", self.shown_names(plan))
        self.assertIn("campaign_master_ref", self.shown_names(plan))
        self.assertEqual(self.highlighted(self.campaign), [])
        for button in ("Sync with Campaign Master", "Refresh Statistics", "Send Mailing"):
            self.assertEqual(self.buttons(self.campaign).count(button), 1, button)

    def shown_names(self, xpath):
        view = self.campaign.get_view(view_type="form")
        return etree.fromstring(view["arch"]).xpath(xpath)

    def test_each_field_is_on_the_form_once_in_each_phase(self):
        names = ("subject", "template_id", "list_id", "from_name", "from_email", "reply_to", "ref")
        for phase in ("draft", "synced", "sent"):
            if phase == "synced":
                self.sync(self.campaign)
            elif phase == "sent":
                self.send(self.campaign)
                self.pull()
            for name in ("description", *(f"campaign_master_{name}" for name in names)):
                count = 0 if (phase, name) == ("draft", "campaign_master_ref") else 1
                with self.subTest(phase, name=name):
                    self.assertEqual(
                        len(self.shown(self.campaign, f"//field[@name='{name}']")), count
                    )

    def test_the_numbers_are_those_of_the_campaign(self):
        self.sync(self.campaign)
        self.send(self.campaign)
        self.react(self.campaign, "ann@example.com", "click")
        self.pull()
        ours = ["Recipients", "Delivered", "Opened", "Clicked", "Bounced", "Opted Out"]
        self.assertEqual([one for one in self.stats(self.campaign) if one in ours], ours)
        values = {
            node.get("string"): self.campaign[node.get("name")]
            for node in self.shown(self.campaign, STATS)
        }
        self.assertEqual([values[name] for name in ours], [3, 100, 0, 50, 0, 0])

    def test_a_deleted_campaign_can_be_planned_again(self):
        self.sync(self.campaign)
        self.sandbox.control(f"campaigns/{self.campaign.campaign_master_ref}", method="DELETE")
        self.sync(self.campaign)
        self.assertEqual(self.highlighted(self.campaign), ["Create Again"])
        self.assertTrue(self.shown(self.campaign, PLAN))
        self.assertFalse(self.shown(self.campaign, RESULTS))


class TestListAndCards(FormCase):
    def names(self, view, attributes=""):
        arch = etree.fromstring(self.env["utm.campaign"].get_view(view_type=view)["arch"])
        names = arch.xpath(f"//field{attributes}/@name")
        return [name.removeprefix("campaign_master_") for name in names]

    def test_the_list_shows_what_came_of_campaigns(self):
        shown = self.names("list", "[@optional='show']")
        self.assertEqual(shown[-5:], ["sent_at", "sent", "successful", "open_rate", "clicked_rate"])

    def test_a_card_has_a_bar_for_each_rate(self):
        bars = self.names("kanban", "[@widget='campaign_master_rate_bar']")
        self.assertEqual(bars, ["delivered_rate", "open_rate", "clicked_rate"])
        self.assertIn("sent_at", self.names("kanban"))


class TestTrackedClicks(FormCase):
    """Odoo's own clicks are not Campaign Master's."""

    def clicks(self, campaign):
        return [label for label in self.stats(campaign) if label and "Clicks" in label]

    def test_they_are_shown_only_with_tracked_links_and_are_called_so(self):
        campaign = self.make_campaign()
        self.assertEqual(self.clicks(campaign), [])
        self.make_links(campaign)
        campaign.invalidate_recordset()
        self.assertEqual(self.clicks(campaign), ["Tracked Clicks"])

    def test_without_campaign_master_the_form_is_as_before(self):
        self.account.sudo().enabled = False
        campaign = self.env["utm.campaign"].create({"title": "By Odoo"})
        self.assertEqual(self.clicks(campaign), ["Clicks"])
        names = {node.get("name") or "" for node in self.shown(campaign, "//sheet//*")}
        self.assertFalse(
            [
                name
                for name in names
                if name.startswith("campaign_master") or name.startswith("action_campaign_master")
            ]
        )

    def test_without_email_marketing_the_form_is_as_before(self):
        groups = "base.group_user,sales_team.group_sale_salesman_all_leads"
        user = new_test_user(self.account.env, "sally", groups)
        arch = self.make_campaign().with_user(user).get_view(view_type="form")["arch"]
        self.assertNotIn("campaign_master_", arch)
        [clicks] = etree.fromstring(arch).xpath("//field[@name='click_count']")
        self.assertEqual(clicks.get("string"), "Clicks")
        self.assertFalse(clicks.getparent().get("invisible"))
