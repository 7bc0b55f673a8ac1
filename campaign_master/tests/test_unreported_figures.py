"""Figures that Campaign Master does not report: “–”, and not 0."""

from ast import literal_eval

from lxml import etree

from odoo import fields
from odoo.modules.migration import load_script
from odoo.tools import SQL

from ..client import Statistics
from ..models.utm_campaign_figures import BY_PEOPLE
from ..models.utm_campaign_results import FIGURES
from .common import CampaignMasterCase
from .test_pull import WIRE
from .test_rates import OPEN_RATE, RATES, REPORTED, RatesCase

STATUS, ACTIVITY = "GET /campaigns/ID", "GET /campaigns/ID/activity"
SENT, OPENS, DELIVERED = (f"campaign_master_{name}" for name in ("sent", "opens", "delivered"))
TOTALS = ("total_bounces", "successful")
CALCULATED = (*TOTALS, *(f"{name}_by_people" for name in BY_PEOPLE))
FIGURES_AND_RATES = (
    *(f"campaign_master_{name}" for name in (*FIGURES, *CALCULATED)),
    *RATES,
)

# They show missing figures and rates as dashes.
WIDGETS = ("campaign_master_figure", "campaign_master_rate_pie")


class UnreportedCase(CampaignMasterCase):
    def sent_campaign(self):
        """Ann opens, Bob bounces, Cem's mailbox is full, Dot's server rejects, Eve does nothing."""
        names = ("ann", "bob", "cem", "dot", "eve")
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts(*(f"{name}@example.com" for name in names)))
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        for name, kind in zip(names, ("open", "bounce", "soft-bounce", "reject"), strict=False):
            self.sandbox.control(
                f"campaigns/{campaign.campaign_master_ref}/activity",
                {"email": f"{name}@example.com", "kind": kind},
            )
        return campaign

    def report(self, figures):
        """Which figures Campaign Master reports from now on, see ``sandbox/dialect.py``."""
        self.sandbox.control("dialect", {"figures": figures})

    def withhold(self, *names):
        """Campaign Master reports all figures but these from now on."""
        self.report(" ".join(WIRE[name] for name in REPORTED if name not in names))

    def missing(self, campaign):
        return {
            name.removeprefix("campaign_master_")
            for name in campaign.campaign_master_unreported or ()
        }

    def assertMissing(self, campaign, *names):
        """Exactly these figures are missing, whichever way one looks."""
        self.assertEqual(self.missing(campaign), set(names))
        for name in (*FIGURES, *CALCULATED):
            is_missing = campaign[f"campaign_master_{name}"] is False
            self.assertEqual(is_missing, name in names, name)
        self.env.flush_all()
        columns = [SQL.identifier(f"campaign_master_{name}") for name in (*FIGURES, *CALCULATED)]
        [row] = self.env.execute_query(
            SQL("SELECT %s FROM utm_campaign WHERE id = %s", SQL(", ").join(columns), campaign.id)
        )
        found = dict(zip((*FIGURES, *CALCULATED), row, strict=True))
        self.assertEqual({name for name, value in found.items() if value is None}, set(names))

    def rates(self, campaign):
        return [campaign[name] for name in RATES]


class TestJourney(UnreportedCase):
    """What a marketing user sees of a Campaign Master that reports other figures."""

    def test_before_the_first_reading_all_figures_are_missing(self):
        campaign = self.make_campaign()
        self.assertMissing(campaign, *FIGURES, *CALCULATED)
        self.sync(campaign)
        self.assertMissing(campaign, *FIGURES, *CALCULATED)
        self.pull()
        self.assertMissing(campaign, "bounces")
        self.assertEqual(campaign.campaign_master_sent, 0)
        self.assertEqual(self.rates(campaign), [False] * 7)

    def test_all_figures_but_one_number_of_bounces(self):
        campaign = self.sent_campaign()
        self.pull()
        self.assertMissing(campaign, "bounces")
        self.assertEqual(campaign.campaign_master_total_bounces, 3)
        self.assertEqual(campaign.campaign_master_successful, 2)

    def test_one_number_of_bounces_as_in_older_products(self):
        self.report("bounces")
        campaign = self.sent_campaign()
        self.pull()
        self.assertMissing(
            campaign, "delivered", "hard_bounces", "soft_bounces", "rejected", "complaints"
        )
        self.assertEqual(campaign.campaign_master_sent, 5)
        self.assertEqual(campaign.campaign_master_total_bounces, 3)
        self.assertEqual(campaign.campaign_master_successful, 2)
        self.assertEqual(self.rates(campaign), [40, 50, 0, 0, 0, 60, 0])
        self.assertEqual(campaign.campaign_master_state, "sent")

    def test_few_figures(self):
        self.report("few")
        campaign = self.sent_campaign()
        self.pull()
        told = ("sent", "opens", "clicks")
        self.assertMissing(campaign, *(set(FIGURES) - set(told)), *CALCULATED)
        self.assertEqual([campaign[f"campaign_master_{name}"] for name in told], [5, 1, 0])
        self.assertEqual(self.rates(campaign), [False] * 7)
        self.assertFalse(campaign.campaign_master_missing_message)

    def test_the_number_of_sent_emails_is_not_reported(self):
        self.withhold("sent")
        campaign = self.sent_campaign()
        self.pull()
        self.assertMissing(campaign, "sent", "bounces", "successful")
        self.assertEqual(campaign.campaign_master_state, "sent")
        self.assertEqual(campaign.campaign_master_total_bounces, 3)
        self.work(campaign).seen_sent_at = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        campaign.invalidate_recordset()
        self.assertFalse(campaign.campaign_master_missing_message, "Nobody knows")
        campaign.sudo().campaign_master_sent = 0
        self.assertTrue(campaign.campaign_master_missing_message, "Known: nobody received it")
        campaign.sudo().campaign_master_sent = False
        opened = self.lines(campaign).filtered("open_count")
        self.assertEqual(opened.mapped("email"), ["ann@example.com"])
        action = self.env["ir.actions.actions"]._for_xml_id(
            "campaign_master.utm_campaign_action_report"
        )
        found = self.env["utm.campaign"].search(literal_eval(action["domain"]))
        self.assertIn(campaign, found)

    def test_without_it_the_status_says_when_the_campaign_was_sent(self):
        """A quiet campaign: no other figure says so."""
        self.withhold("sent", "delivered")
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        calls = self.sandbox.calls()
        self.pull()
        self.assertEqual(campaign.campaign_master_remote_status, "draft")
        after = self.sandbox.calls()
        self.assertEqual(after[STATUS] - calls.get(STATUS, 0), 1)
        self.assertNotIn(ACTIVITY, after, "Nothing was sent yet")
        long_ago = fields.Datetime.subtract(fields.Datetime.now(), days=5)
        self.work(campaign).fresh_at = long_ago
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.pull()
        self.assertEqual(campaign.campaign_master_remote_status, "sent")
        self.assertGreater(self.work(campaign).fresh_at, long_ago, "It is read often from now on")
        calls = self.sandbox.calls()
        self.pull()
        self.assertEqual(self.sandbox.calls()[STATUS], calls[STATUS], "Known")

    def test_bounces_of_one_kind_only_are_not_the_total(self):
        campaign = self.sent_campaign()
        for name in ("soft_bounces", "hard_bounces"):
            self.withhold(name)
            self.pull()
            self.assertMissing(campaign, name, "bounces", *TOTALS)
            self.assertIs(campaign.campaign_master_bounce_rate, False)

    def test_bounces_of_one_kind_and_their_number_are(self):
        campaign = self.make_campaign()
        for soft in (None, 1):
            statistics = Statistics(sent=9, hard_bounces=2, soft_bounces=soft, bounces=4)
            campaign.sudo()._campaign_master_store_statistics(statistics)
            total = 4 if soft is None else 3  # always the sum of the kinds, if it is known
            self.assertEqual(campaign.campaign_master_total_bounces, total)
            self.assertEqual(campaign.campaign_master_successful, 9 - total)

    def test_a_service_without_rejected_emails_has_bounces_all_the_same(self):
        self.withhold("rejected")
        campaign = self.sent_campaign()
        self.pull()
        self.assertMissing(campaign, "rejected", "bounces")
        self.assertEqual(campaign.campaign_master_total_bounces, 2)
        self.assertEqual(campaign.campaign_master_successful, 3)

    def test_delivered_does_not_stand_in_for_successful(self):
        self.withhold("hard_bounces", "soft_bounces")
        campaign = self.sent_campaign()
        self.pull()
        self.assertEqual(campaign.campaign_master_delivered, 2)
        self.assertIs(campaign.campaign_master_successful, False)
        self.assertIs(campaign.campaign_master_open_rate, False)
        self.assertEqual(campaign.campaign_master_unsubscribe_rate, 0)

    def test_all_figures_are_of_the_last_reading(self):
        campaign = self.sent_campaign()
        self.pull()
        self.assertEqual(campaign.campaign_master_opens, 1)
        self.withhold("opens", "complaints")
        self.pull()
        self.assertMissing(campaign, "opens", "complaints", "bounces")
        self.withhold()
        self.pull()
        self.assertMissing(campaign, "bounces")
        self.assertEqual(campaign.campaign_master_opens, 1)

    def test_a_zero_that_is_no_longer_reported_is_no_news(self):
        """Then the activity need not be read."""
        campaign = self.sent_campaign()
        self.pull()
        self.pull()
        activity = self.sandbox.calls(ACTIVITY)
        self.withhold("complaints")
        self.pull()
        self.assertMissing(campaign, "complaints", "bounces")
        self.assertEqual(self.sandbox.calls(ACTIVITY), activity)

    def test_an_answer_without_any_figure_is_no_reading(self):
        campaign = self.sent_campaign()
        self.pull()
        self.report("")
        self.refresh(campaign)
        self.assertMissing(campaign, "bounces")
        self.assertEqual(campaign.campaign_master_opens, 1)
        self.assertIn("not refreshed", campaign.campaign_master_progress()["refresh_message"])

    def test_an_unlinked_campaign_has_no_figures(self):
        campaign = self.sent_campaign()
        self.pull()
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.sync(campaign)
        self.assertMissing(campaign, "bounces")
        self.press(campaign, "unlink")
        self.assertMissing(campaign, *FIGURES, *CALCULATED)


class TestValues(RatesCase):
    """What clients, searches, reports and emails get. Small and Large are reported completely, of
    Partial only sent emails and clicks, and of the draft nothing."""

    def setUp(self):
        super().setUp()
        self.partial = self.make_campaign(title="Partial")
        statistics = Statistics(sent=1000, clicks=0)
        self.partial.sudo()._campaign_master_store_statistics(statistics)
        self.all += self.partial
        self.domain = [("id", "in", self.all.ids)]

    def test_rpc_clients_read_0_and_the_names_of_what_is_missing(self):
        names = [SENT, OPENS, DELIVERED, OPEN_RATE, "campaign_master_unreported"]
        for values in (
            self.partial.read(names)[0],
            self.partial.web_read(dict.fromkeys(names, {}))[0],
        ):
            self.assertEqual([type(values[name]) for name in (SENT, OPENS, DELIVERED)], [int] * 3)
            self.assertEqual([values[name] for name in (SENT, OPENS, DELIVERED)], [1000, 0, 0])
            self.assertIs(values[OPEN_RATE], False)
            unreported = values["campaign_master_unreported"]
            self.assertIn(DELIVERED, unreported)
            self.assertNotIn(SENT, unreported)
        [values] = self.campaigns.search_read(
            [("campaign_master_delivered", "=", False), ("id", "=", self.partial.id)], [DELIVERED]
        )
        self.assertEqual(values[DELIVERED], 0)

    def test_searches_do_not_take_a_missing_figure_for_0(self):
        clicks, rate = "campaign_master_clicks", "campaign_master_click_rate"
        reported = self.small + self.large
        for condition, found in (
            ((clicks, "=", 0), reported + self.partial),
            ((DELIVERED, "=", 0), reported),
            ((DELIVERED, "in", [0, 5]), reported),
            ((DELIVERED, "<", 5), reported),
            ((DELIVERED, "<=", 0), reported),
            ((DELIVERED, ">=", 0), reported),
            ((DELIVERED, "=", False), self.partial + self.draft),
            ((DELIVERED, "!=", False), reported),
            ((DELIVERED, "!=", 0), self.partial + self.draft),
            ((SENT, "in", [False, 10]), self.small + self.draft),
            ((SENT, ">", 0), reported + self.partial),
            ((rate, "=", 0), reported),
            ((rate, "=", False), self.partial + self.draft),
        ):
            for domain in ([condition], ["!", condition]):
                expected = found if domain == [condition] else self.all - found
                with self.subTest(domain):
                    self.assertEqual(self.campaigns.search([*self.domain, *domain]), expected)
                    self.assertEqual(self.all.filtered_domain(domain), expected)

    def test_missing_figures_are_sorted_last(self):
        for order in (f"{SENT} desc, id", f"{SENT}, id"):
            with self.subTest(order):
                found = self.campaigns.search(self.domain, order=order)
                self.assertEqual(found[-1], self.draft)

    def test_groups_sum_what_is_reported(self):
        tags = self.env["utm.tag"].create([{"name": "Some"}, {"name": "None"}])
        (self.small + self.partial).tag_ids = tags[0]
        self.draft.tag_ids = tags[1]
        specs = [f"{SENT}:sum", f"{SENT}:avg", f"{OPENS}:sum"]
        groups = dict(
            (tag.name, values)
            for tag, *values in self.campaigns._read_group(self.domain, ["tag_ids"], specs)
        )
        self.assertEqual(groups["Some"], [1010, 505, 0])
        self.assertEqual(groups["None"], [False, False, False])
        self.assertIs(groups["None"][0], False)
        for direction in ("DESC", "ASC"):
            groups = self.campaigns._read_group(
                self.domain, ["tag_ids"], [f"{SENT}:sum"], order=f"{SENT}:sum {direction}"
            )
            self.assertEqual(groups[-1], (tags[1], False))

    def test_the_group_of_a_missing_figure_is_not_the_group_of_0(self):
        delivered = "campaign_master_delivered"
        groups = self.campaigns.formatted_read_group(self.domain, [delivered], ["__count"])
        found = {
            group[delivered]: self.campaigns.search([*self.domain, *group["__extra_domain"]])
            for group in groups
        }
        self.assertEqual(found, {0: self.small + self.large, "–": self.partial + self.draft})

    def test_a_rate_of_several_campaigns_leaves_out_those_without_it(self):
        """Otherwise the 1,000 emails of Partial would make the rate half as high."""
        for opens, rate, own in ((None, 1, False), (0, 0.5, 0)):
            statistics = Statistics(sent=1000, bounces=0, unique_opens=opens)
            self.partial.sudo()._campaign_master_store_statistics(statistics)
            self.assertEqual(self.partial.campaign_master_successful, 1000)
            self.assertEqual(self.rate_of(self.all), rate)
            self.assertIs(self.rate_of(self.partial) is False, own is False)

    def test_the_part_without_its_whole_does_not_count_either(self):
        self.partial.sudo()._campaign_master_store_statistics(Statistics(unique_opens=500))
        self.assertEqual(self.rate_of(self.all), 1)
        total, by_title = self.campaigns.formatted_read_grouping_sets(
            self.domain, [[], ["title"]], [f"{OPEN_RATE}:avg"]
        )
        self.assertEqual(total[0][f"{OPEN_RATE}:avg"], 1)
        self.assertEqual(
            {group["title"]: group[f"{OPEN_RATE}:avg"] for group in by_title},
            {"Small": 100, "Large": 0, "Draft": False, "Partial": False},
        )

    def test_exported_figures_are_empty_or_numbers(self):
        self.env.user.sudo().group_ids += self.env.ref("base.group_allow_export")
        rows = (self.small + self.partial + self.draft).export_data([SENT, OPENS])["datas"]
        self.assertEqual(rows, [[10, 0], [1000, ""], ["", ""]])

    def test_emails_and_reports_of_people_do_not_show_0(self):
        """With templates of their own."""
        template = f'<p>(<t t-out="object.{SENT}"/>, <t t-out="object.{OPENS}"/>)</p>'
        field = f'<p><span t-field="object.{SENT}"/>, <span t-field="object.{OPENS}"/></p>'
        for campaign, sent, opens in ((self.small, "10", "0"), (self.partial, "1000", "")):
            render = self.env["mail.render.mixin"].sudo()._render_template
            found = render(template, "utm.campaign", campaign.ids, engine="qweb")
            self.assertIn(f"({sent}, {opens})", found[campaign.id])
            html = self.env["ir.qweb"]._render(etree.fromstring(field), {"object": campaign})
            text = "".join(etree.fromstring(html).itertext()).replace(",", "")
            self.assertEqual(text.split(), f"{sent} {opens}".split())

    def test_all_figures_and_rates_of_the_views_can_be_dashes(self):
        """In forms by the widget, in lists by the view itself. On cards are rates only."""
        numbers = {f"campaign_master_{name}" for name in (*FIGURES, *CALCULATED)} | set(RATES)
        shown = {}
        for view in ("form", "kanban", "list"):
            arch = etree.fromstring(self.campaigns.get_view(view_type=view)["arch"])
            shown[view] = [node for node in arch.iter("field") if node.get("name") in numbers]
            if view == "list":
                self.assertEqual(arch.get("js_class"), "campaign_master_rates_list")
                self.assertTrue(arch.xpath("//field[@name='campaign_master_unreported']"))
        for node in shown["form"]:
            self.assertIn(node.get("widget"), WIDGETS, node.get("name"))
        self.assertLess({node.get("name") for node in shown["kanban"]}, set(RATES))
        names = {node.get("name") for node in shown["form"]}
        self.assertEqual(numbers - names, {"campaign_master_bounces"})


class TestUpgrade(UnreportedCase):
    """Figures of databases that were made by an earlier version."""

    def upgrade(self, campaign, **columns):
        """As in a database of an earlier version, with these values."""
        self.env.flush_all()
        values = SQL(", ").join(
            SQL("%s = %s", SQL.identifier(f"campaign_master_{name}"), value)
            for name, value in columns.items()
        )
        self.env.cr.execute(SQL("UPDATE utm_campaign SET %s WHERE id = %s", values, campaign.id))
        self.env.invalidate_all()
        script = load_script(
            "campaign_master/migrations/19.0.1.5.0/post-migrate.py", "post-migrate"
        )
        script._settle_figures(self.env.cr)
        script._recompute_states_and_rates(self.account.env)

    def test_figures_that_were_read_keep_their_values(self):
        campaign = self.sent_campaign()
        self.pull()
        before = campaign.read(list(FIGURES_AND_RATES))
        self.upgrade(campaign, unreported=None)
        self.assertMissing(campaign, "bounces")
        self.assertEqual(campaign.read(list(FIGURES_AND_RATES)), before)
        self.assertEqual(campaign.campaign_master_complaints, 0)

    def test_zeros_that_were_read_and_not_stored_are_zeros(self):
        """Earlier versions stored figures only if one of them was not 0."""
        campaign = self.make_campaign()
        self.upgrade(campaign, statistics_at=fields.Datetime.now())
        self.assertMissing(campaign, "bounces", "unique_forwards")

    def test_zeros_of_campaigns_that_were_not_read_are_missing(self):
        """Earlier versions stored zeros when a campaign was unlinked, and sums at all times."""
        campaign = self.make_campaign()
        old = set(REPORTED) - {"unique_forwards"}
        self.upgrade(campaign, **dict.fromkeys((*old, *CALCULATED), 0), unreported=None)
        self.assertMissing(campaign, *FIGURES, *CALCULATED)
