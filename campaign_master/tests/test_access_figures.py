"""Figures, and all else that Campaign Master reports about a campaign: who can see them in which
way, and that automation rules are triggered by them."""

from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from ..models.campaign_master_engagement_mixin import NO_ENGAGEMENT, WORD
from .common import CampaignMasterCase
from .test_access import NOT_STORED, PROTECTED

MARKETING = "mass_mailing.group_mass_mailing_user"
EXPORT = "base.group_allow_export"
ALL_LEADS = "sales_team.group_sale_salesman_all_leads"
# Cannot be compared with a value.
JSON = ("campaign_master_outcome", "campaign_master_unreported")
# Can only be searched.
DELIVERED = "campaign_master_delivered"


class FiguresCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.campaign = self.sent_campaign(self.env, 3)
        self.fields = self.env["utm.campaign"]._fields

    def sent_campaign(self, env, count, **values):
        """A campaign with figures, and a lead that came from it."""
        campaign = self.make_campaign(**values).with_env(env)
        people = self.make_contacts(*(f"{campaign.id}.{n}@example.com" for n in range(count)))
        self.add(campaign, people.with_env(env))
        self.sync(campaign)
        list_ref = campaign.sudo().campaign_master_list_id.ref
        self.sandbox.send(campaign.campaign_master_ref, list_ref)
        self.pull()
        self.assertGreaterEqual(campaign.campaign_master_sent, count)
        self.account.env["crm.lead"].create(
            {"name": "Wants more", "campaign_id": campaign.id, "company_id": False}
        )
        return campaign


class TestFiguresWithoutEmailMarketing(FiguresCase):
    """An internal user without Email Marketing."""

    def setUp(self):
        super().setUp()
        user = new_test_user(self.account.env, "sally", f"base.group_user,{ALL_LEADS},{EXPORT}")
        self.env = self.env(user=user)
        self.mine = self.campaign.with_env(self.env)
        self.leads = self.env["crm.lead"]
        self.assertTrue(self.mine.title)
        self.assertTrue(self.leads.search([("campaign_id", "=", self.mine.id)]))

    def assertRefused(self, name, ways):
        for way, reach in ways.items():
            with self.subTest(f"{way} {name}"), self.assertRaises(AccessError):
                reach()

    def ways_to_read(self, name):
        mine, leads = self.mine, self.leads
        domain, from_lead = [(name, "!=", False)], [(f"campaign_id.{name}", "!=", False)]
        return {
            "read": lambda: mine.read([name]),
            "web_read": lambda: mine.web_read({name: {}}),
            "get": lambda: mine[name],
            "search_read": lambda: mine.search_read([], [name]),
            "export": lambda: mine.export_data([name]),
            "search": lambda: mine.search(domain),
            "count": lambda: mine.search_count(domain),
            "filter": lambda: mine.filtered_domain(domain),
            "search leads": lambda: leads.search(from_lead),
            "export leads": lambda: leads.search([]).export_data([f"campaign_id/{name}"]),
        }

    def ways_to_group(self, name):
        mine, leads = self.mine, self.leads
        return {
            "sort": lambda: mine.search([], order=f"{name} desc"),
            "sort by title": lambda: mine.search([], order=f"title, {name}"),
            "group": lambda: mine._read_group([], [name]),
            "group for the client": lambda: mine.formatted_read_group([], [name], ["__count"]),
            "group leads": lambda: leads._read_group([], [f"campaign_id.{name}"]),
        }

    def ways_to_aggregate(self, spec):
        mine = self.mine
        return {
            "total": lambda: mine._read_group([], [], [spec]),
            "total for the client": lambda: mine.formatted_read_group([], ["title"], [spec]),
            "having": lambda: mine._read_group([], ["title"], [], having=[(spec, ">", 0)]),
            "sort groups": lambda: mine._read_group([], ["title"], [], order=f"{spec} desc"),
        }

    def test_no_value_is_read_or_searched(self):
        for name in (*PROTECTED, *NOT_STORED):
            self.assertNotIn(name, self.mine.fields_get())
            self.assertRefused(name, self.ways_to_read(name))

    def test_no_value_is_sorted_grouped_or_summed(self):
        for name in PROTECTED:
            self.assertRefused(name, self.ways_to_group(name))
            functions = ["count_distinct", "max"]
            if self.fields[name].type in ("integer", "float"):
                functions += ["sum", "avg"]
            for function in functions:
                spec = f"{name}:{function}"
                self.assertRefused(spec, self.ways_to_aggregate(spec))

    def test_values_that_are_not_stored_are_not_grouped_either(self):
        for name in NOT_STORED:
            for group, aggregate in (([name], []), ([], [f"{name}:max"])):
                with self.subTest(f"{group} {aggregate}"):
                    try:
                        found = self.mine._read_group([], group, aggregate)
                    except (AccessError, ValueError):
                        continue
                    self.fail(found)


class TestFiguresOfAnotherCompany(FiguresCase):
    """A marketing user of another company, who works with figures of their own."""

    def setUp(self):
        super().setUp()
        first_env, values = self.work_in_second_company(
            f"{MARKETING},{ALL_LEADS},{EXPORT},base.group_partner_manager"
        )
        self.own = self.sent_campaign(self.env, 1, **values)
        self.other = self.campaign.with_env(self.env)
        self.campaigns = self.env["utm.campaign"]
        self.both = [("id", "in", (self.own + self.other).ids)]
        self.assertTrue(first_env["utm.campaign"].search(self.both), "Their own is there")

    def ways_to_read(self, name):
        return {
            "read": lambda: self.other.read([name]),
            "web_read": lambda: self.other.web_read({name: {}}),
            "export": lambda: self.other.export_data([name]),
        }

    def test_another_companys_values_are_not_read(self):
        for name in (*PROTECTED, *NOT_STORED):
            for way, reach in self.ways_to_read(name).items():
                self.other.invalidate_recordset()
                with self.subTest(f"{way} {name}"), self.assertRaises(AccessError):
                    reach()
        with self.assertRaises(AccessError):
            self.other.campaign_master_progress()

    def test_another_companys_values_are_not_found(self):
        for name in PROTECTED:
            if name in JSON:
                continue
            field = self.fields[name]
            value = self.campaign.sudo()[name]
            if field.type == "many2one":
                value = value.id
            for operator in ("=", "!=", "in", ">="):
                if operator == ">=" and field.type in ("many2one", "selection"):
                    continue
                domain = [(name, operator, [value] if operator == "in" else value)]
                with self.subTest(str(domain)):
                    self.assertNotIn(self.other, self.campaigns.search(domain))
                    self.assertNotIn(self.other, self.campaigns.search(domain, order=name))
                    leads = self.env["crm.lead"].search(
                        [("campaign_id", "any", domain), ("campaign_id", "=", self.other.id)]
                    )
                    self.assertFalse(leads)

    def test_sums_and_groups_are_those_of_the_own_company(self):
        for name in PROTECTED:
            field = self.fields[name]
            with self.subTest(name):
                own = self.own[name]
                spec = f"{name}:day" if field.type == "datetime" else name
                [[_value, count]] = self.campaigns._read_group(self.both, [spec], ["__count"])
                self.assertEqual(count, 1)
                if field.type in ("integer", "float"):
                    for function in ("sum", "avg", "max", "min"):
                        [[value]] = self.campaigns._read_group(
                            self.both, [], [f"{name}:{function}"]
                        )
                        self.assertEqual(value, own, function)
                    [group] = self.campaigns.formatted_read_group(
                        self.both, [], [f"{name}:sum", "__count"]
                    )
                    self.assertEqual((group[f"{name}:sum"], group["__count"]), (own, 1))
        self.assertLess(self.own.campaign_master_sent, self.campaign.campaign_master_sent)

    def test_leads_are_not_grouped_by_another_companys_values(self):
        """A lead without a company shows the campaign's name, but nothing of its figures."""
        leads = [("campaign_id", "in", (self.own + self.other).ids)]
        groups = self.env["crm.lead"]._read_group(
            leads, ["campaign_id.campaign_master_sent"], ["__count"]
        )
        self.assertEqual(
            {sent: count for sent, count in groups if sent},
            {self.own.campaign_master_sent: 1},
        )

    def test_the_texts_and_times_of_another_companys_campaign_are_not_read(self):
        row = self.work(self.campaign).with_env(self.env)
        self.assertTrue(row.sudo().synced_texts)
        with self.assertRaises(AccessError):
            row.read(["synced_texts"])
        with self.assertRaises(AccessError):
            row.web_read({"synced_texts": {}, "next_poll_at": {}})
        mine = self.work(self.own).with_env(self.env)
        found = self.env["campaign.master.campaign"]
        self.assertEqual(found.search([]), mine)
        self.assertEqual(found.search([("next_poll_at", "!=", False)]), mine)
        [[generation, count]] = found._read_group([], [], ["generation:max", "__count"])
        self.assertEqual((generation, count), (0, 1))
        syncs = self.env["campaign.master.sync"]
        self.assertEqual(syncs.search([]).campaign_id, self.own)
        with self.assertRaises(AccessError):
            self.syncs(self.campaign).with_env(self.env).read(["draft"])


class TestTotalsOfPeople(CampaignMasterCase):
    """The totals of contacts and leads: as protected as figures."""

    def setUp(self):
        super().setUp()
        self.contact = self.make_contacts("ann@example.com")
        lee = self.make_contacts("lee@example.com")
        self.lead = self.env["crm.lead"].create(
            {"name": "Lee", "partner_id": lee.id, "company_id": False}
        )
        self.assertEqual(self.lead.email_from, "lee@example.com")
        campaign = self.make_campaign()
        self.add(campaign, self.contact)
        self.add(campaign, self.lead)
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        for email in ("ann@example.com", "lee@example.com"):
            for kind in ("forward", "click", "unsubscribe"):
                self.sandbox.control(
                    f"campaigns/{campaign.campaign_master_ref}/activity",
                    {"email": email, "kind": kind},
                )
        self.pull()
        # Nobody does all of this.
        engagement = self.account.env["campaign.master.engagement"].search([])
        engagement.write({"bounced": True, "open_count": 3, "first_open": "2026-03-01 10:00:00"})
        engagement.write({"last_open": "2026-03-01 10:00:00", "word": "active"})
        self.env.invalidate_all()

    def people(self, user):
        return self.contact.with_user(user), self.lead.with_user(user)

    def ways(self, person, name):
        domain = [(name, "!=", False)]
        ways = {
            "search": lambda: person.search(domain),
            "count": lambda: person.search_count(domain),
        }
        if name == DELIVERED:
            return ways
        total = f"{name}:max" if person._fields[name].type == "datetime" else f"{name}:count"
        ways |= {
            "read": lambda: person.read([name]),
            "web_read": lambda: person.web_read({name: {}}),
            "get": lambda: person[name],
            "search_read": lambda: person.search_read([("id", "=", person.id)], [name]),
            "export": lambda: person.export_data([name]),
            "filter": lambda: person.filtered_domain(domain),
            "sort": lambda: person.search([], order=f"{name} desc"),
            "group": lambda: person._read_group([], [name]),
            "group for the client": lambda: person.formatted_read_group([], [name], ["__count"]),
            "total": lambda: person._read_group([], [], [total]),
            "having": lambda: person._read_group([], ["id"], [], having=[(total, "!=", False)]),
            "sort groups": lambda: person._read_group([], ["id"], [], order=f"{total} desc"),
        }
        if person._name == "crm.lead":
            through = f"partner_id.{name}"
            ways |= {
                "search through the contact": lambda: person.search([(through, "!=", False)]),
                "group through the contact": lambda: person._read_group([], [through]),
                "export through the contact": lambda: person.export_data([f"partner_id/{name}"]),
            }
        return ways

    def test_users_without_email_marketing_do_not_get_them_in_any_way(self):
        user = new_test_user(
            self.account.env, "sally", f"base.group_user,{ALL_LEADS},base.group_partner_manager"
        )
        user.group_ids += self.env.ref(EXPORT)
        for person in self.people(user):
            for name in (*NO_ENGAGEMENT, WORD, DELIVERED):
                self.assertTrue(person.with_user(self.marketer).search([(name, "!=", False)]), name)
                for way, reach in self.ways(person, name).items():
                    person.invalidate_recordset()
                    with (
                        self.subTest(f"{way} {person._name} {name}"),
                        self.assertRaises(AccessError),
                    ):
                        reach()

    def test_users_of_another_company_do_not_get_them_in_any_sum_or_search(self):
        company = self.account.env["res.company"].create({"name": "Second Company"})
        user = new_test_user(
            self.account.env,
            "two",
            f"{MARKETING},{ALL_LEADS},base.group_partner_manager",
            company_id=company.id,
            company_ids=company.ids,
        )
        for person in self.people(user):
            same = [("id", "=", person.id)]
            self.assertEqual(person.search(same), person)
            for name in (*NO_ENGAGEMENT, WORD, DELIVERED):
                with self.subTest(f"{person._name} {name}"):
                    self.assertFalse(person.search([*same, (name, "!=", False)]))
                    if name == DELIVERED:
                        continue
                    self.assertFalse(person[name])
                    self.assertEqual(person.read([name])[0][name], person[name])
                    is_time = person._fields[name].type == "datetime"
                    [[value, _count]] = person._read_group(
                        same, [f"{name}:day" if is_time else name], ["__count"]
                    )
                    self.assertFalse(value)
                    function = "max" if is_time else "bool_or" if value is False else "sum"
                    if name == WORD:
                        function = "count"
                    [[total]] = person._read_group(same, [], [f"{name}:{function}"])
                    self.assertFalse(total)


class TestAutomation(CampaignMasterCase):
    """Automation rules patch ``write`` and ``_compute_field_value`` of the model, so what Campaign
    Master reports must be written through them."""

    @contextmanager
    def written(self):
        """:return: a dict that contains, at the end of the block, the values of each field of
        campaigns in the order in which they were written"""
        values = {}
        Campaign = self.env.registry["utm.campaign"]
        write, compute = Campaign.write, Campaign._compute_field_value

        def spy(campaigns, vals, **kwargs):
            for name, value in vals.items():
                values.setdefault(name, []).append(value)
            return write(campaigns, vals, **kwargs)

        def spy_compute(campaigns, field):
            result = compute(campaigns, field)
            if field.store:
                for one in campaigns.pool.field_computed[field]:
                    values.setdefault(one.name, []).extend(campaigns.mapped(one.name))
            return result

        with (
            patch.object(Campaign, "write", spy),
            patch.object(Campaign, "_compute_field_value", spy_compute),
        ):
            yield values
            self.env.flush_all()

    def assertWritten(self, values, **expected):
        """The last value of each of these fields that was written is the expected one."""
        for name, value in expected.items():
            name = f"campaign_master_{name}"
            with self.subTest(name):
                self.assertIn(name, values)
                self.assertEqual(values[name][-1], value)

    def test_the_start_of_a_sync_is_written(self):
        campaign = self.make_campaign()
        with self.written() as values:
            self.press(campaign)
        self.assertWritten(
            values, sync_state="running", sync_message=campaign.campaign_master_sync_message
        )

    def test_the_end_of_a_sync_is_written(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com", False))
        self.press(campaign)
        with self.written() as values:
            self.push()
        self.assertWritten(
            values,
            ref=campaign.campaign_master_ref,
            synced_at=campaign.campaign_master_synced_at,
            synced_by_id=self.marketer.id,
            remote_status="draft",
            sync_state="partial",
            sync_message=campaign.campaign_master_sync_message,
            outcome={"added": 1, "no_email": 1},
        )

    def test_a_sync_that_waits_fails_or_is_cancelled_is_written(self):
        campaign = self.make_campaign()
        self.press(campaign)
        self.sandbox.faults({"match": "GET /campaigns", "kind": "503", "count": None})
        with self.written() as values:
            self.push()
        self.assertWritten(values, sync_message=campaign.campaign_master_sync_message)
        with self.written() as values:
            self.press(campaign, "cancel")
        self.assertWritten(values, sync_state="cancelled")
        self.sandbox.faults({"match": "POST /campaigns", "kind": "400", "count": None})
        self.press(campaign)
        with self.written() as values:
            self.push()
        self.assertWritten(values, sync_state="failed")

    def test_a_change_of_status_is_written(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref)
        with self.written() as values:
            self.pull()
        self.assertWritten(
            values,
            remote_status="sent",
            sent_at=campaign.campaign_master_sent_at,
            sync_message=campaign.campaign_master_sync_message,
        )
        self.assertTrue(campaign.campaign_master_sent_at)
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        with self.written() as values:
            self.pull()
        self.assertWritten(values, remote_status="deleted", sync_state="failed")
        with self.written() as values:
            self.press(campaign, "unlink")
        self.assertWritten(
            values, ref=False, remote_status=False, sent_at=False, sync_state="never", outcome=False
        )

    def test_figures_and_rates_are_written(self):
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{campaign.campaign_master_ref}/activity",
            {"email": "ann@example.com", "kind": "click", "times": 3},
        )
        with self.written() as values:
            self.pull()
        self.assertWritten(
            values,
            statistics_at=campaign.campaign_master_statistics_at,
            sent=2,
            delivered=2,
            clicks=3,
            unique_clicks=1,
            successful=2,
            total_bounces=0,
            click_rate=150.0,
            clicked_rate=50.0,
            state="sent",
            unreported=["campaign_master_bounces"],
            **{
                name: campaign[f"campaign_master_{name}"]
                for name in (
                    "opens",
                    "unique_opens",
                    "hard_bounces",
                    "soft_bounces",
                    "rejected",
                    "forwards",
                    "unsubscribes",
                    "complaints",
                    "open_rate",
                    "click_to_open_rate",
                    "bounce_rate",
                    "unsubscribe_rate",
                )
            },
        )

    def test_the_number_of_recipients_is_written(self):
        campaign = self.make_campaign()
        with self.written() as values:
            self.add(campaign, self.make_contacts("ann@example.com", "bob@example.com"))
        self.assertWritten(values, recipient_count=2)
        with self.written() as values:
            self.lines(campaign)[0].action_remove()
        self.assertWritten(values, recipient_count=1)
