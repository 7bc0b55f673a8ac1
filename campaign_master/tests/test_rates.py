"""Rates: of one campaign, and of several."""

from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from ..models.utm_campaign_results import FIGURES
from .common import CampaignMasterCase

OPEN_RATE = "campaign_master_open_rate"
RATES = (
    "campaign_master_delivered_rate",
    OPEN_RATE,
    "campaign_master_click_rate",
    "campaign_master_clicked_rate",
    "campaign_master_click_to_open_rate",
    "campaign_master_bounce_rate",
    "campaign_master_unsubscribe_rate",
)


# As a service reports them that distinguishes bounces.
REPORTED = [name for name in FIGURES if name != "bounces"]


class RatesCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.campaigns = self.env["utm.campaign"]
        self.small = self.make_sent(10, unique_opens=10, title="Small")
        self.large = self.make_sent(990, title="Large")
        self.draft = self.make_campaign(title="Draft")
        self.all = self.small + self.large + self.draft
        self.domain = [("id", "in", self.all.ids)]

    def make_sent(self, sent, title="Sent", **figures):
        """A campaign with figures as if they had been read, 0 by default."""
        campaign = self.make_campaign(title=title)
        self.store(campaign, **dict.fromkeys(REPORTED, 0) | {"sent": sent} | figures)
        return campaign

    def store(self, campaign, **figures):
        values = {f"campaign_master_{name}": value for name, value in figures.items()}
        campaign.sudo().write({"campaign_master_remote_status": "sent", **values})

    def rate_of(self, campaigns, name=OPEN_RATE):
        [[rate]] = self.campaigns._read_group([("id", "in", campaigns.ids)], [], [f"{name}:avg"])
        return rate


class TestOneCampaign(RatesCase):
    def test_each_rate_is_the_percentage_that_its_help_says(self):
        campaign = self.make_sent(
            100,
            hard_bounces=10,
            soft_bounces=6,
            rejected=4,
            unique_opens=40,
            clicks=100,
            unique_clicks=20,
            unsubscribes=2,
        )
        for name, value in zip(RATES, (80, 50, 125, 25, 50, 20, 2), strict=True):
            self.assertEqual(campaign[name], value, name)
        helps = {name: self.campaigns.fields_get([name])[name]["help"] for name in RATES}
        for name, definition in zip(
            RATES,
            (
                "Successful emails ÷ sent, in percent.",
                "Unique opens ÷ successful emails, in percent.",
                "Clicks ÷ successful emails, in percent.",
                "Unique clicks ÷ successful emails, in percent.",
                "Unique clicks ÷ unique opens, in percent.",
                "Total bounces ÷ sent, in percent.",
                "Unsubscribes ÷ sent, in percent.",
            ),
            strict=True,
        ):
            self.assertIn(definition, helps[name])
        self.assertIn("without loading pictures", helps[OPEN_RATE])
        self.assertIn("can exceed 100 %", helps["campaign_master_click_to_open_rate"])

    def test_delivered_and_successful_emails_name_their_difference(self):
        helps = self.campaigns.fields_get(
            ["campaign_master_delivered", "campaign_master_successful"]
        )
        self.assertIn("Successful Emails", helps["campaign_master_delivered"]["help"])
        self.assertIn("Delivered", helps["campaign_master_successful"]["help"])

    def test_every_figure_says_when_it_was_read(self):
        for name in (*FIGURES, "total_bounces", "successful"):
            name = f"campaign_master_{name}"
            self.assertIn("Last Statistics", self.campaigns.fields_get([name])[name]["help"], name)

    def test_a_campaign_that_was_not_sent_has_no_rate(self):
        for name in RATES:
            self.assertIs(self.draft[name], False, name)
        [values] = self.draft.web_read({name: {} for name in RATES})
        self.assertEqual([values[name] for name in RATES], [False] * len(RATES))
        self.assertEqual(self.draft.read([OPEN_RATE])[0][OPEN_RATE], False)
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT campaign_master_open_rate FROM utm_campaign WHERE id = %s", [self.draft.id]
        )
        self.assertEqual(self.env.cr.fetchall(), [(None,)])

    def test_a_sent_campaign_that_nobody_opened_has_a_rate_of_zero(self):
        self.assertEqual(self.large[OPEN_RATE], 0)
        self.assertIsNot(self.large[OPEN_RATE], False)
        self.assertIs(self.large["campaign_master_click_to_open_rate"], False, "Nobody opened it")

    def test_a_campaign_that_reached_nobody_has_no_rate_of_successful_emails(self):
        campaign = self.make_sent(5, hard_bounces=5)
        self.assertIs(campaign[OPEN_RATE], False)
        self.assertEqual(campaign.campaign_master_bounce_rate, 100)
        self.store(campaign, hard_bounces=7)  # whatever Campaign Master means by it
        self.assertIs(campaign[OPEN_RATE], False)
        self.assertIs(self.rate_of(campaign), False)

    def test_rates_appear_with_the_figures_and_disappear_with_the_link(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.pull()
        self.assertIs(campaign[OPEN_RATE], False, "Read, but not sent")
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.pull()
        self.assertEqual(campaign[OPEN_RATE], 0)
        self.assertIsNot(campaign[OPEN_RATE], False)
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.sync(campaign)
        self.assertIsNot(campaign[OPEN_RATE], False, "What happened remains")
        self.press(campaign, "unlink")
        self.assertIs(campaign[OPEN_RATE], False, "The next one was not sent yet")

    def test_exported_rates_are_empty_or_numbers(self):
        user = self.env.user
        user.sudo().group_ids += self.env.ref("base.group_allow_export")
        rows = self.all.export_data([OPEN_RATE])["datas"]
        self.assertEqual(rows, [[100.0], [0.0], [""]])

    def test_search_and_sorting_leave_out_campaigns_without_a_rate(self):
        def search(*condition, **parameters):
            return self.campaigns.search([*self.domain, (OPEN_RATE, *condition)], **parameters)

        self.assertEqual(search("<", 50), self.large)
        self.assertEqual(search(">=", 50), self.small)
        self.assertEqual(search("=", 0), self.large)
        self.assertEqual(search("=", False), self.draft)
        self.assertEqual(search("!=", False), self.small + self.large)
        for condition in (("<", 50), (">=", 50), ("=", 0), ("!=", 0), ("=", False), ("!=", False)):
            self.assertEqual(
                self.all.filtered_domain([(OPEN_RATE, *condition)]), search(*condition), condition
            )
        either = [(OPEN_RATE, "in", [False, 100])]
        self.assertEqual(self.all.filtered_domain(either), self.small + self.draft)
        by_rate = [*self.small, *self.large, *self.draft]
        ordered = self.campaigns.search(self.domain, order=f"{OPEN_RATE} desc")
        self.assertEqual([*ordered], by_rate)
        ordered = self.campaigns.search(self.domain, order=OPEN_RATE)
        self.assertEqual([*ordered], [*self.large, *self.small, *self.draft])
        ordered = self.campaigns.search(self.domain, order=f"{OPEN_RATE} desc nulls first")
        self.assertEqual([*ordered], [*self.draft, *self.small, *self.large])


class TestSeveralCampaigns(RatesCase):
    def test_ten_of_ten_and_none_of_990_are_one_percent(self):
        self.assertEqual(self.rate_of(self.small + self.large), 1)
        self.assertEqual(self.rate_of(self.all), 1, "The draft does not count")

    def test_campaigns_that_were_not_sent_have_no_rate_together_either(self):
        self.assertIs(self.rate_of(self.draft), False)

    def test_each_rate_of_a_single_campaign_is_its_own(self):
        campaign = self.make_sent(
            97,
            hard_bounces=3,
            soft_bounces=5,
            rejected=2,
            unique_opens=41,
            clicks=61,
            unique_clicks=17,
            unsubscribes=3,
        )
        for name in RATES:
            self.assertAlmostEqual(self.rate_of(campaign, name), campaign[name], 2, name)

    def test_groups_are_weighted(self):
        tag = self.env["utm.tag"].create({"name": "Both"})
        (self.small + self.large).tag_ids = tag
        spec = f"{OPEN_RATE}:avg"
        groups = self.campaigns.formatted_read_group(self.domain, ["tag_ids"], [spec])
        self.assertEqual([group[spec] for group in groups], [1.0, False])
        result = self.campaigns.web_read_group(self.domain, ["title"], [spec])
        self.assertEqual(
            {group["title"]: group[spec] for group in result["groups"]},
            {"Small": 100.0, "Large": 0.0, "Draft": False},
        )

    def test_the_pivot_is_weighted_in_each_of_its_totals(self):
        self.small.user_id = self.large.user_id = self.marketer
        spec = f"{OPEN_RATE}:avg"
        total, by_user, by_both = self.campaigns.formatted_read_grouping_sets(
            self.domain, [[], ["user_id"], ["user_id", "title"]], [spec]
        )
        self.assertEqual([group[spec] for group in total], [1.0])
        self.assertEqual({group["user_id"] and group[spec] for group in by_user}, {1.0})
        self.assertEqual(
            {group["title"]: group[spec] for group in by_both},
            {"Small": 100.0, "Large": 0.0, "Draft": False},
        )

    def test_groups_are_sorted_by_their_weighted_rate(self):
        spec = f"{OPEN_RATE}:avg"
        for order, titles in (
            (f"{spec} DESC", ["Small", "Large", "Draft"]),
            (f"{spec} ASC, title", ["Large", "Small", "Draft"]),
            (f"{spec} DESC NULLS FIRST", ["Draft", "Small", "Large"]),
        ):
            groups = self.campaigns._read_group(self.domain, ["title"], [spec], order=order)
            self.assertEqual([title for title, _rate in groups], titles, order)
        groups = self.campaigns._read_group(
            self.domain, ["title"], [], having=[(spec, ">", 0)], order=spec
        )
        self.assertEqual(groups, [("Small",)])

    def test_other_aggregates_are_those_of_the_values(self):
        [[lowest, highest]] = self.campaigns._read_group(
            self.domain, [], [f"{OPEN_RATE}:min", f"{OPEN_RATE}:max"]
        )
        self.assertEqual((lowest, highest), (0, 100))

    def test_the_web_client_gets_the_two_figures_for_the_footers_of_lists(self):
        models = self.campaigns.get_views([(False, "list")])["models"]
        description = models["utm.campaign"]["fields"][OPEN_RATE]
        self.assertEqual(
            description["ratio"], ["campaign_master_unique_opens", "campaign_master_successful"]
        )
        self.assertNotIn("ratio", models["utm.campaign"]["fields"]["title"])

    def test_somebody_without_email_marketing_gets_no_weighted_rate(self):
        user = new_test_user(self.account.env, "sally", "base.group_user")
        mine = self.campaigns.with_user(user)
        spec = f"{OPEN_RATE}:avg"
        for reach in (
            lambda: mine._read_group([], [], [spec]),
            lambda: mine._read_group([], ["title"], [], having=[(spec, ">", 0)]),
            lambda: mine._read_group([], ["title"], [], order=spec),
            lambda: mine.formatted_read_grouping_sets([], [["title"]], [spec]),
        ):
            with self.assertRaises(AccessError):
                reach()

    def test_somebody_of_another_company_gets_no_weighted_rate(self):
        company = self.account.env["res.company"].create({"name": "Second Company"})
        user = new_test_user(
            self.account.env,
            "two",
            "mass_mailing.group_mass_mailing_user",
            company_id=company.id,
            company_ids=company.ids,
        )
        [[rate, count]] = self.campaigns.with_user(user)._read_group(
            self.domain, [], [f"{OPEN_RATE}:avg", "__count"]
        )
        self.assertEqual((rate, count), (False, 0))


class TestOffered(RatesCase):
    """What the web client offers in custom filters, groupings, measures and exports."""

    def test_internal_values_are_not_offered(self):
        fields = self.campaigns.fields_get(
            attributes=["searchable", "sortable", "groupable", "exportable", "aggregator"]
        )
        internal = "bounces company_id current_account_id enabled outcome sync_status unreported"
        for name in internal.split():
            self.assertFalse(any(fields[f"campaign_master_{name}"].values()), name)

    def test_all_others_are_what_people_know(self):
        """A new technical field belongs to the internal ones."""
        offered = {
            name.removeprefix("campaign_master_")
            for name, field in self.campaigns.fields_get().items()
            if name.startswith("campaign_master_")
            and (field["searchable"] or field["groupable"] or field["exportable"])
        }
        known = """
            account_id subject template_id list_id from_name from_email reply_to
            ref remote_status sent_at synced_at synced_by_id sync_state sync_message state
            recipient_count sent_to statistics_at next_poll_at total_bounces successful
            delivered_rate open_rate click_rate clicked_rate click_to_open_rate bounce_rate
            unsubscribe_rate unique_opens_by_people unique_clicks_by_people
            open_rate_by_people clicked_rate_by_people
        """
        self.assertEqual(offered, {*known.split(), *REPORTED})
