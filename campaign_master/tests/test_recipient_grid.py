import ast

from lxml import etree

from odoo.tests import new_test_user

from ..client import Activity
from .common import CampaignMasterCase


class GridCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.recipients = self.env["campaign.master.recipient"]

    def react(self, campaign, **counts):
        """Store what recipients did: ``(opens, clicks)`` by the first part of their address."""
        self.recipients.sudo()._ingest(
            campaign.sudo(),
            [
                Activity(
                    f"{name}@example.com", opens, clicks, 0, 0, None, None, None, None, False, False
                )
                for name, (opens, clicks) in counts.items()
            ],
        )

    def send(self):
        self.sync(self.campaign)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.pull()
        self.assertEqual(self.campaign.campaign_master_remote_status, "sent")


class TestNames(GridCase):
    """Who the recipients are, as the lists show it to a marketing user."""

    def shown(self, field):
        return [line[field] for line in self.lines(self.campaign).read([field])]

    def test_a_contact_and_its_company_are_two_columns(self):
        company = self.make_contacts("office@example.com", name="Bakers", is_company=True)
        self.add(self.campaign, company)
        contact = self.make_contacts("ann@example.com", name="Ann", parent_id=company.id)
        self.add(self.campaign, contact)
        self.assertEqual(self.shown("person_name"), ["Bakers", "Ann"])
        self.assertEqual(self.shown("company_name"), [False, "Bakers"])

    def test_a_lead_is_shown_by_its_contact_or_else_its_title(self):
        leads = self.env["crm.lead"].create(
            [
                {"name": "New oven", "contact_name": "Ann", "partner_name": "Bakers"},
                {"name": "Old oven"},
            ]
        )
        self.add(self.campaign, leads)
        self.assertEqual(self.shown("person_name"), ["Ann", "Old oven"])
        self.assertEqual(self.shown("company_name"), ["Bakers", False])

    def test_a_nameless_address_is_shown_with_its_company(self):
        company = self.make_contacts(False, name="Bakers", is_company=True)
        self.add(
            self.campaign,
            self.make_contacts("i@example.com", name=False, parent_id=company.id, type="invoice"),
        )
        self.assertIn("Bakers", self.shown("person_name")[0])

    def test_a_deleted_person_is_shown_by_the_address(self):
        person = self.make_contacts("ann@example.com")
        self.add(self.campaign, person)
        person.sudo().unlink()
        self.env.invalidate_all()
        self.assertEqual(self.shown("person_name"), ["ann@example.com"])
        self.assertEqual(self.shown("company_name"), [False])

    def test_recipients_are_found_by_name_company_and_title(self):
        company = self.make_contacts(False, name="Bakers", is_company=True)
        contact = self.make_contacts("ann@example.com", name="Ann", parent_id=company.id)
        lead = self.env["crm.lead"].create(
            {"name": "New oven", "contact_name": "Carl", "partner_name": "Millers"}
        )
        self.add(self.campaign, contact)
        self.add(self.campaign, lead)
        for text, person in {
            "ann": contact,
            "baker": contact,
            "oven": lead,
            "carl": lead,
            "miller": lead,
        }.items():
            found = self.recipients.search([("person_name", "ilike", text)])
            self.assertEqual(found.partner_id or found.lead_id, person, text)

    def test_somebody_without_access_to_leads_can_search(self):
        user = new_test_user(self.account.env, "mailer", "mass_mailing.group_mass_mailing_user")
        contact = self.make_contacts("ann@example.com", name="Ann")
        self.add(self.campaign, contact)
        self.add(self.campaign, self.env["crm.lead"].create({"name": "Ann's oven"}))
        found = self.recipients.with_user(user).search([("person_name", "ilike", "ann")])
        self.assertEqual(found.partner_id, contact)


class TestFilters(GridCase):
    """The filters of the recipients' search."""

    def setUp(self):
        super().setUp()
        arch = self.recipients.get_views([(False, "search")])["views"]["search"]["arch"]
        self.filters = {node.get("name"): node for node in etree.fromstring(arch).iter("filter")}

    def domain(self, name):
        return ast.literal_eval(self.filters[name].get("domain"))

    def found(self, name):
        return self.recipients.search(self.domain(name)).mapped("partner_id.name")

    def make_people(self, **emails):
        return self.env["res.partner"].create(
            [{"name": name, "email": email} for name, email in emails.items()]
        )

    def make_sent_campaign(self):
        self.add(
            self.campaign,
            self.make_people(
                silent="silent@example.com",
                opener="opener@example.com",
                clicker="clicker@example.com",
                bouncing="bouncing@example.com",
                shared="shared@example.com",
                twin="shared@example.com",
                unreachable=False,
            ),
        )
        self.send()
        self.react(self.campaign, opener=(1, 0), clicker=(0, 1), shared=(2, 1))
        self.lines(self.campaign).filtered(
            lambda line: line.email == "bouncing@example.com"
        ).sudo().bounced = True
        self.env.flush_all()
        self.env.invalidate_all()

    def test_who_clicked_has_opened(self):
        self.make_sent_campaign()
        self.assertEqual(self.found("opened"), ["opener", "clicker", "shared", "twin"])
        self.assertEqual(self.found("clicked"), ["clicker", "shared", "twin"])

    def test_not_opened_starts_from_who_got_it(self):
        self.make_sent_campaign()
        self.add(self.campaign, self.make_people(late="late@example.com"))
        self.assertEqual(self.found("not_opened"), ["silent"])

    def test_nobody_has_not_opened_a_campaign_that_was_not_sent(self):
        self.add(self.campaign, self.make_people(silent="silent@example.com"))
        self.sync(self.campaign)
        self.assertEqual(self.found("not_opened"), [])

    def test_a_silent_address_of_two_people_is_not_opened_once(self):
        self.add(
            self.campaign, self.make_people(one="shared@example.com", two="shared@example.com")
        )
        self.send()
        self.assertEqual(self.found("not_opened"), ["one"])

    def test_blacklisted_people_have_a_filter(self):
        self.add(self.campaign, self.make_people(ann="ann@example.com", bob="bob@example.com"))
        self.env["mail.blacklist"].sudo()._add("bob@example.com")
        self.sync(self.campaign)
        self.assertEqual(self.found("blacklisted"), ["bob"])
        self.assertEqual(self.found("problems"), [])

    def test_people_with_several_addresses_have_a_filter(self):
        two = "ann@example.com, office@example.com"
        people = self.make_people(
            two=two,
            lines="eva@example.com\nEva Two <eva@example.org>",
            archived="a@example.com;b@example.com",
            one="bob@example.com",
            named="C <c@example.com>",
            twice='"F@example.com" <f@example.com>',
            same="g@example.com, G@Example.com",
            wrong="d@@example.com",
            half="h@example.com, @example.com",
            none=False,
        )
        self.add(self.campaign, people)
        people[2].active = False
        lead = {"name": "Oven", "email_from": "i@example.com, j@example.com"}
        self.add(self.campaign, self.env["crm.lead"].create(lead))
        several = self.recipients.search(self.domain("several_addresses"))
        self.assertEqual(several.mapped("person_name"), ["two", "lines", "archived", "Oven"])
        lines = self.lines(self.campaign)
        self.assertEqual(several, lines.filtered("has_several_addresses"), "As it is shown")
        others = self.recipients.search([("has_several_addresses", "=", False)])
        self.assertEqual(others, lines - several)

    def test_the_first_of_several_addresses_is_used(self):
        two = "ann@example.com, office@example.com"
        self.add(self.campaign, self.make_people(two=two))
        line = self.lines(self.campaign)
        self.assertEqual((line.email, line.entered_email), ("ann@example.com", two))

    def test_labels_fit_in_the_menu(self):
        for node in self.filters.values():
            self.assertLessEqual(len(node.get("string")), 20)

    def test_recipients_can_be_grouped_by_result(self):
        self.make_sent_campaign()
        groups = self.recipients._read_group(
            [("campaign_id", "=", self.campaign.id)], ["result"], ["__count"]
        )
        self.assertEqual(
            dict(groups),
            {"delivered": 1, "opened": 1, "clicked": 3, "bounced": 1, "not_sent": 1},
        )


class TestTotals(GridCase):
    """What an address did is counted once, however many recipients share it."""

    def setUp(self):
        super().setUp()
        self.add(
            self.campaign,
            self.make_contacts("shared@example.com", "shared@example.com", "ann@example.com"),
        )
        self.sync(self.campaign)
        self.react(self.campaign, shared=(3, 2), ann=(1, 0))
        self.domain = [("campaign_id", "=", self.campaign.id)]

    def test_sums_leave_out_who_shares_an_address(self):
        self.assertEqual(self.lines(self.campaign).mapped("open_count"), [3, 3, 1])
        [[opens, clicks, people]] = self.recipients._read_group(
            self.domain, [], ["open_count:sum", "click_count:sum", "__count"]
        )
        self.assertEqual((opens, clicks, people), (4, 2, 3))

    def test_a_pivot_and_its_subtotals_leave_them_out(self):
        [total, by_result] = self.recipients.formatted_read_grouping_sets(
            self.domain, [[], ["result"]], ["open_count:sum"]
        )
        self.assertEqual(total[0]["open_count:sum"], 4)
        self.assertEqual(sum(group["open_count:sum"] for group in by_result), 4)

    def test_a_group_of_nothing_but_such_recipients_adds_up_to_nothing(self):
        twin = self.lines(self.campaign).filtered("is_twin")
        self.assertEqual(len(twin), 1)
        [[opens]] = self.recipients._read_group([("id", "=", twin.id)], [], ["open_count:sum"])
        self.assertFalse(opens)

    def test_sums_follow_a_recipient_that_no_longer_shares_its_address(self):
        first, _twin, _ann = self.lines(self.campaign)
        first.unlink()
        [[opens]] = self.recipients._read_group(self.domain, [], ["open_count:sum"])
        self.assertEqual(opens, 4)
