"""Who sees the words for people's engagement, and the scheduled action that finds them."""

from contextlib import suppress
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from odoo.addons.base.models import ir_cron

from ..models import campaign_master_engagement_words as words
from .test_engagement_words import WordsCase

CRON = "campaign_master.ir_cron_update_engagement"


class TestReaders(WordsCase):
    """Who sees which words, and how they are found and grouped."""

    def setUp(self):
        super().setUp()
        self.people = self.make_contacts("act@x.com", "warm@x.com", "cold@x.com", "new@x.com")
        for person, history in zip(self.people, ("cc.", "c..", "...", "."), strict=True):
            self.history(history, person)
        self.people += self.make_contacts("nothing@x.com")
        self.update()
        self.mine = [("id", "in", self.people.ids)]

    def found(self, *condition):
        domain = [*self.mine, ("campaign_master_engagement", *condition)]
        return self.people.search(domain).mapped(
            lambda person: person.campaign_master_engagement or "nothing"
        )

    def test_people_are_found_by_their_word(self):
        self.assertEqual(self.found("=", "active"), ["active"])
        self.assertEqual(set(self.found("in", ["warm", "cold"])), {"warm", "cold"})
        self.assertEqual(self.found("=", False), ["nothing"])
        self.assertEqual(set(self.found("in", ["new", False])), {"new", "nothing"})
        self.assertEqual(set(self.found("!=", "active")), {"warm", "cold", "new", "nothing"})
        self.assertEqual(self.found("=", "dormant"), [])
        self.assertEqual(set(self.found("!=", False)), {"active", "warm", "cold", "new"})

    def test_people_are_grouped_and_sorted_by_their_word(self):
        field = "campaign_master_engagement"
        self.assertTrue(self.people.fields_get([field])[field]["groupable"])
        groups = self.people._read_group(self.mine, [field], ["__count"])
        by_engagement = ["active", "warm", "cold", "new", False]
        self.assertEqual(groups, [(word, 1) for word in by_engagement])
        ordered = self.people.search(self.mine, order=f"{field}, id")
        self.assertEqual([self.word(person) for person in ordered], by_engagement)
        ordered = self.people.search(self.mine, order=f"{field} desc, id")
        self.assertEqual([self.word(person) for person in ordered], by_engagement[::-1])
        both = self.people._read_group(self.mine, ["company_id", field], ["__count"])
        self.assertEqual([word for _company, word, _count in both], by_engagement)
        two = self.people.formatted_read_group(
            self.mine, [field], ["__count"], order=f"{field} desc"
        )
        self.assertEqual([group[field] for group in two], by_engagement[::-1])
        leads = self.env["crm.lead"].create(
            [{"name": one.name, "partner_id": one.id} for one in self.people]
        )
        groups = leads._read_group([("id", "in", leads.ids)], [f"partner_id.{field}"], ["__count"])
        self.assertEqual(dict(groups)["active"], 1)

    def test_each_filter_and_the_grouping_are_in_all_search_views(self):
        for view, model in (
            ("base.view_res_partner_filter", "res.partner"),
            ("crm.view_crm_case_leads_filter", "crm.lead"),
            ("crm.view_crm_case_opportunities_filter", "crm.lead"),
        ):
            arch = self.env[model].get_view(self.env.ref(view).id, "search")["arch"]
            for word, _label in words.WORDS:
                self.assertIn(f"('campaign_master_engagement', '=', '{word}')", arch, view)
            self.assertIn("'group_by': 'campaign_master_engagement'", arch, view)

    def test_the_word_is_in_forms_and_lists(self):
        for model in ("res.partner", "crm.lead"):
            views = self.env[model].get_views([(False, "form"), (False, "list")])["views"]
            for kind, view in views.items():
                self.assertIn('name="campaign_master_engagement"', view["arch"], (model, kind))

    def test_a_reader_of_several_companies_sees_the_most_engaged_word(self):
        active, warm, cold, new, _nothing = self.people
        second = self.account.env["res.company"].create({"name": "Second Company"})
        for person, history in ((active, "..."), (cold, "cc."), (new, "..........")):
            self.history(history, person, company=second)
        self.update()
        self.assertEqual(self.words_in(self.env.company), ["active", "warm", "cold", "new"])
        self.assertEqual(self.words_in(second), ["cold", False, "active", "dormant"])
        both = self.env.company + second
        self.assertEqual(self.words_in(both), ["active", "warm", "active", "new"])
        people = self.people.sudo().with_context(allowed_company_ids=both.ids)
        self.assertEqual(self.reason(people[2]), "Clicked in 2 of the last 3 delivered")
        field = "campaign_master_engagement"
        self.assertEqual(people.search([*self.mine, (field, "=", "active")]), active + cold)
        groups = people._read_group(self.mine, [field], ["__count"])
        self.assertEqual(dict(groups), {"active": 2, "warm": 1, "new": 1, False: 1})
        self.assertFalse(people.search([*self.mine, (field, "=", "dormant")]))

    def words_in(self, companies):
        people = self.people.sudo().with_context(allowed_company_ids=companies.ids)
        return [self.word(person) for person in people[:4]]

    def test_without_email_marketing_nobody_gets_a_word_or_a_reason(self):
        user = new_test_user(
            self.account.env,
            "sally",
            "base.group_user,base.group_partner_manager,base.group_allow_export,"
            "sales_team.group_sale_salesman_all_leads",
        )
        people = self.people.with_user(user)
        for name in ("campaign_master_engagement", "campaign_master_engagement_reason"):
            self.assertNotIn(name, people.fields_get())
            for reach in (
                lambda name=name: people.read([name]),
                lambda name=name: people[0][name],
                lambda name=name: people.export_data([name]),
            ):
                with self.assertRaises(AccessError):
                    reach()
        for model in ("res.partner", "crm.lead"):
            arch = self.env[model].with_user(user).get_view(view_type="search")["arch"]
            self.assertNotIn("campaign_master_engagement", arch)


class TestScheduledAction(WordsCase):
    """Cut anywhere, run again."""

    def triggers(self):
        """Requests to run the scheduled action soon."""
        return self.env["ir.cron.trigger"].sudo().search([("cron_id", "=", self.env.ref(CRON).id)])

    def setUp(self):
        super().setUp()
        self.people = self.make_contacts(*(f"person{number}@x.com" for number in range(6)))
        self.leads = self.make_lead("lee@x.com") + self.make_lead("lou@x.com")
        for _number in range(3):
            self.campaign_to(self.people, self.leads)

    def words(self):
        self.env.invalidate_all()
        return [self.word(one) for some in (self.people, self.leads) for one in some]

    def test_a_run_that_is_killed_is_repeated(self):
        update = type(self.env["campaign.master.engagement"])._update_words
        self.env.flush_all()

        def killed(engagement, model, ids):
            if self.people[3].id in ids:
                raise KeyboardInterrupt
            return update(engagement, model, ids)

        with (
            patch.object(words, "PEOPLE_AT_ONCE", 2),
            patch.object(type(self.env["campaign.master.engagement"]), "_update_words", killed),
            # Not assertRaises, which rolls everything back.
            suppress(KeyboardInterrupt),
            self.registry.cursor() as cr,
        ):
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["campaign.master.engagement"]._cron_update_words()
        self.assertIn("cold", self.words(), "What was found is stored")
        self.assertIn(False, self.words())
        self.update()
        self.assertEqual(self.words(), ["cold"] * 8)

    def test_a_run_whose_time_is_over_continues_where_it_stopped(self):
        update = type(self.env["campaign.master.engagement"])._update_words
        seen = []

        def spy(engagement, model, ids):
            seen.append((model, ids))
            return update(engagement, model, ids)

        with (
            patch.object(words, "PEOPLE_AT_ONCE", 2),
            patch.multiple(ir_cron, MIN_TIME_PER_JOB=0, MIN_RUNS_PER_JOB=1),
            patch.object(type(self.env["campaign.master.engagement"]), "_update_words", spy),
        ):
            self.update()
            self.assertEqual(len(seen), 1)
            self.assertTrue(self.triggers(), "It is called again")
            parameters = self.env["ir.config_parameter"].sudo()
            while parameters.get_param(words.POSITION):
                self.update()
        self.assertEqual(self.words(), ["cold"] * 8)
        self.assertGreater(len(seen), 4)
        self.assertEqual(len(seen), len(set(seen)), "Nobody was looked at twice")

    def test_a_second_run_writes_nothing(self):
        self.update()
        version = self.row_versions()
        self.assertEqual(len(version), 8)
        self.update()
        self.assertEqual(self.row_versions(), version)

    def row_versions(self):
        self.env.cr.execute(
            "SELECT id, ctid::text FROM campaign_master_engagement WHERE word IS NOT NULL"
        )
        return self.env.cr.fetchall()

    def test_the_number_of_statements_depends_on_the_people_at_once_only(self):
        Engagement = self.account.env["campaign.master.engagement"]
        self.env.flush_all()
        counts = []
        for people in (self.people[:1], self.people):
            before = self.cr.sql_log_count
            Engagement._update_words("res.partner", range(people[0].id, people[-1].id + 1))
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts, [1, 1])

    def test_a_campaign_that_was_sent_triggers_it(self):
        campaign = self.make_campaign()
        self.add(campaign, self.people)
        self.sync(campaign)
        self.triggers().unlink()
        self.pull()
        self.assertFalse(self.triggers(), "Not sent yet")
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, quiet=True)
        self.pull()
        self.assertEqual(campaign.campaign_master_remote_status, "sent")
        self.assertTrue(self.triggers())
        self.triggers().unlink()
        self.pull()
        self.assertFalse(self.triggers(), "Once")

    def test_it_runs_daily(self):
        cron = self.env.ref(CRON).sudo()
        self.assertEqual((cron.interval_number, cron.interval_type), (1, "days"))
        self.assertTrue(cron.active)
