"""What the form shows of a sent campaign, and who is behind each number."""

import json
from unittest.mock import patch

from odoo.tests import new_test_user

from ..client import Activity
from .test_history import HistoryCase

MARKETING = "mass_mailing.group_mass_mailing_user"
OWN_LEADS = "sales_team.group_sale_salesman"


class ResultsCase(HistoryCase):
    def results(self, campaign):
        self.env.flush_all()
        self.env.invalidate_all()
        return campaign.campaign_master_results()

    def stages(self, campaign):
        """Number and share of each stage."""
        return {
            stage["name"]: (stage["number"], stage["share"])
            for stage in self.results(campaign)["stages"]
        }

    def totals(self, campaign):
        """Campaign Master's number and ours of each figure."""
        return {
            total["label"]: (total["number"], total["ours"])
            for total in self.results(campaign)["totals"]
        }

    def outcomes(self, campaign):
        return {
            outcome["state"]: outcome["number"] for outcome in self.results(campaign)["outcomes"]
        }

    def open(self, campaign, name):
        """The list that a press on a number opens: its name and the addresses."""
        action = campaign.action_campaign_master_open_people(name)
        people = campaign.env[action["res_model"]].search(action["domain"])
        return action["display_name"], sorted(people.mapped("email"))

    def make_story(self):
        """Eight planned people with seven addresses, of whom five are on the list, with a stranger;
        and what they did."""
        ann, _bob, _cat, _dan = people = self.make_contacts(
            *(f"{name}@example.com" for name in ("ann", "bob", "cat", "dan"))
        )
        lead = {"name": "Oven", "email_from": "eve@example.com"}
        self.leads = self.env["crm.lead"].create([lead, {"name": "Twin", "email_from": ann.email}])
        campaign = self.make_campaign()
        self.add(campaign, people + self.make_contacts("nobody@", False))
        self.add(campaign, self.leads)
        self.sandbox.control(f"lists/{self.list_ref}/members", {"emails": ["stranger@example.com"]})
        self.sync(campaign)
        self.send(campaign)
        self.pull()
        for name, kind, times in (
            ("ann", "open", 3),
            ("ann", "click", 2),
            ("bob", "open", 1),
            ("cat", "bounce", 1),
            ("dan", "soft-bounce", 1),
            ("eve", "open", 1),
            ("eve", "unsubscribe", 1),
            ("bob", "complaint", 1),
            ("stranger", "open", 2),
            ("stranger", "click", 1),
        ):
            for _time in range(times):
                self.react(campaign, f"{name}@example.com", kind)
        self.pull()
        return campaign


class TestStages(ResultsCase):
    """From planned to clicked."""

    def test_each_stage_is_what_happened(self):
        campaign = self.make_story()
        # 6 emails were sent, 4 of them successfully.
        self.assertEqual(
            self.stages(campaign),
            {
                "planned": (8, None),
                "on_list": (5, 62.5),
                "sent": (6, 120),
                "delivered": (4, 66.67),
                "opened": (4, 100),
                "clicked": (2, 50),
            },
        )

    def test_shares_are_the_rates_of_the_campaign(self):
        campaign = self.make_story()
        stages = self.stages(campaign)
        self.assertEqual(stages["delivered"][1], campaign.campaign_master_delivered_rate)
        self.assertEqual(stages["opened"][1], campaign.campaign_master_open_rate)
        self.assertEqual(stages["clicked"][1], campaign.campaign_master_clicked_rate)

    def test_each_number_says_how_it_is_defined(self):
        results = self.results(self.make_story())
        helps = {stage["name"]: stage["help"] for stage in results["stages"]}
        self.assertIn("Successful emails ÷ sent", helps["delivered"])
        self.assertIn("Unique opens ÷ successful emails", helps["opened"])
        self.assertIn("Unique clicks ÷ successful emails", helps["clicked"])
        for described in (*results["stages"], *results["besides"], *results["totals"]):
            self.assertTrue(described["label"] and described["help"])

    def test_how_often_comes_besides(self):
        besides = self.results(self.make_story())["besides"]
        self.assertEqual(
            {figure["label"]: figure["number"] for figure in besides},
            {"Opens": 7, "Clicks": 3, "Forwards": 0, "Unsubscribes": 1, "Complaints": 1},
        )

    def test_what_is_not_reported_is_unknown(self):
        self.sandbox.control("dialect", {"figures": "few"})
        campaign = self.sent_campaign()
        self.react(campaign, "ann@example.com")
        self.pull()
        stages = self.stages(campaign)
        self.assertEqual(stages["sent"], (2, 100))
        self.assertEqual(stages["delivered"], (None, None))
        self.assertEqual(stages["opened"], (None, None))
        self.assertEqual(self.totals(campaign)["Unique Opens"], (None, 1))
        self.assertEqual(self.totals(campaign)["Opens"], (1, 1))

    def test_before_the_sending_there_are_no_results(self):
        campaign = self.make_campaign()
        self.assertEqual(self.results(campaign), {})
        self.add(campaign, self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.pull()
        self.assertEqual(self.results(campaign), {})

    def test_the_curve_and_the_comparison_are_part_of_it(self):
        campaign = self.make_story()
        self.assertEqual(self.results(campaign)["history"], campaign.campaign_master_history())

    def test_the_browser_can_read_all_of_it(self):
        results = self.results(self.make_story())
        self.assertEqual(json.loads(json.dumps(results)), results)


class TestKeptSums(ResultsCase):
    """What is kept is what counting all recipients would find."""

    def kept(self, campaign):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.work(campaign).read(["sums", "reactions"])

    def assert_right(self, campaign):
        kept = self.kept(campaign)
        campaign.sudo()._campaign_master_keep_sums()
        self.assertEqual(self.kept(campaign), kept)

    def test_activity_adjusts_them(self):
        campaign = self.make_story()
        self.assert_right(campaign)
        for name, kind, after in (
            ("ann", "open", 1.5),
            ("bob", "click", 2.5),
            ("dan", "open", 0.5),
            ("dan", "bounce", None),
            ("eve", "forward", None),
        ):
            self.react(campaign, f"{name}@example.com", kind, after)
            self.pull()
            self.assert_right(campaign)

    def test_corrections_adjust_them(self):
        campaign = self.make_story()
        nothing = Activity("ann@example.com", 0, 0, 0, 0, None, None, None, None, False, False)
        self.env["campaign.master.recipient"].sudo()._ingest(campaign.sudo(), [nothing])
        self.assert_right(campaign)
        self.assertEqual(self.totals(campaign)["Unique Opens"], (4, 2))

    def test_removing_and_adding_people_adjusts_them(self):
        campaign = self.make_story()
        self.lines(campaign)[:2].unlink()
        self.assert_right(campaign)
        self.add(campaign, self.make_contacts("late@example.com", "bob@example.com"))
        self.assert_right(campaign)
        self.sync(campaign)
        self.assert_right(campaign)
        # Whoever is not on the list objects.
        self.add(campaign, self.make_contacts("later@example.com"))
        self.env["mail.blacklist"].sudo()._add("later@example.com")
        self.sync(campaign)
        self.assert_right(campaign)
        self.assertEqual(self.outcomes(campaign)["blacklisted"], 1)


class TestReconcile(ResultsCase):
    """Numbers add up."""

    def test_the_outcomes_add_up_to_the_planned(self):
        campaign = self.make_story()
        expected = {"added": 5, "no_email": 1, "invalid": 1, "duplicate": 1}
        self.assertEqual(self.outcomes(campaign), expected)
        self.assertEqual(sum(expected.values()), self.stages(campaign)["planned"][0])

    def test_the_rest_of_a_total_is_of_strangers(self):
        self.assertEqual(
            self.totals(self.make_story()),
            {
                "Sent": (6, 5),
                "Hard Bounces": (1, 1),
                "Unique Opens": (4, 3),
                "Opens": (7, 5),
                "Unique Clicks": (2, 1),
                "Clicks": (3, 2),
                "Forwards": (0, 0),
                "Unsubscribes": (1, 1),
            },
        )

    def test_a_correction_is_taken_over(self):
        campaign = self.make_story()
        self.correct(campaign, opens=-4)
        self.pull()
        self.assertEqual(self.totals(campaign)["Opens"], (3, 5))

    def test_whoever_is_removed_is_counted_and_leaves_our_sums(self):
        campaign = self.make_story()
        self.lines(campaign).filtered(lambda line: line.email == "bob@example.com").unlink()
        results = self.results(campaign)
        self.assertEqual(results["removed"], 1)
        self.assertEqual(self.totals(campaign)["Unique Opens"], (4, 2))
        self.assertEqual(self.stages(campaign)["planned"], (7, None))
        self.assertEqual(sum(self.outcomes(campaign).values()), 7)

    def test_an_address_that_somebody_else_has_too_is_not_removed(self):
        campaign = self.make_story()
        ann = self.lines(campaign).filtered(lambda line: line.email == "ann@example.com")
        ann[0].unlink()
        self.assertEqual(self.results(campaign)["removed"], 0)
        self.assertEqual(self.totals(campaign)["Unique Opens"], (4, 3))
        ann[1].unlink()
        self.assertEqual(self.results(campaign)["removed"], 1)

    def test_whoever_did_not_get_it_is_not_missed(self):
        campaign = self.make_story()
        self.lines(campaign).filtered(lambda line: line.sync_state == "no_email").unlink()
        self.assertEqual(self.results(campaign)["removed"], 0)

    def test_people_who_are_added_later_are_among_the_planned(self):
        campaign = self.make_story()
        self.add(campaign, self.make_contacts("late@example.com"))
        self.assertEqual(self.stages(campaign)["planned"][0], 9)
        self.assertEqual(self.outcomes(campaign)["pending"], 1)
        [late] = [one for one in self.results(campaign)["outcomes"] if one["state"] == "pending"]
        self.assertEqual(late["label"], "Added After Sending")
        self.sync(campaign)
        self.assertEqual(self.outcomes(campaign)["added"], 6)
        self.assertEqual(self.totals(campaign)["Sent"], (6, 5))

    def test_a_campaign_created_again_starts_anew(self):
        campaign = self.make_story()
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.sync(campaign)
        self.sync(campaign, "create_again")
        self.assertEqual(self.results(campaign), {})


class TestPeople(ResultsCase):
    """A press on a number opens the people behind it, each address once."""

    def test_each_number_opens_its_people(self):
        campaign = self.make_story()
        for name, label, people in (
            ("sent", "Sent", "ann bob cat dan eve"),
            ("delivered", "Delivered", "ann bob dan eve"),
            ("opened", "Opened", "ann bob eve"),
            ("clicked", "Clicked", "ann"),
            ("bounced", "Bounced", "cat"),
            ("unsubscribed", "Unsubscribed", "eve"),
            ("opted_out", "Opted Out", "bob eve"),
            ("on_list", "On the List", "ann bob cat dan eve"),
        ):
            emails = [f"{person}@example.com" for person in people.split()]
            with self.subTest(name):
                self.assertEqual(self.open(campaign, name), (label, emails))
        action = campaign.action_campaign_master_open_people("planned")
        self.assertEqual(self.env[action["res_model"]].search_count(action["domain"]), 8)

    def test_the_lists_are_as_long_as_the_sums_say(self):
        campaign = self.make_story()
        sums = self.work(campaign).sums
        for name in ("planned", "on_list", "sent", "delivered", "opened", "clicked"):
            action = campaign.action_campaign_master_open_people(name)
            with self.subTest(name):
                found = self.env[action["res_model"]].search_count(action["domain"])
                self.assertEqual(found, sums[name])

    def test_the_number_of_opt_outs_is_that_of_the_people(self):
        campaign = self.make_story()
        self.assertEqual(campaign.campaign_master_opted_out_count, 2)
        self.assertEqual(campaign.campaign_master_unsubscribes, 1, "The other one complained")

    def test_leads_that_the_user_may_not_see_are_counted(self):
        campaign = self.make_story()
        self.leads.user_id = self.account.env.ref("base.user_admin")
        mailer = new_test_user(self.account.env, "mailer", MARKETING)
        seller = new_test_user(self.account.env, "seller", f"{MARKETING},{OWN_LEADS}")
        one = "Opened (and 1 lead that you may not see)"
        people = ["ann@example.com", "bob@example.com"]
        for user in (mailer, seller):
            mine = campaign.with_user(user)
            self.assertEqual(self.open(mine, "opened"), (one, people))
            self.assertEqual(self.open(mine, "clicked"), ("Clicked", people[:1]))
            name = mine.action_campaign_master_recipients()["display_name"]
            self.assertEqual(name, "Recipients (and 2 leads that you may not see)")
            # The numbers are those of the campaign.
            self.assertEqual(self.stages(mine), self.stages(campaign))
            self.assertEqual(self.totals(mine), self.totals(campaign))
        self.leads.user_id = seller
        people.append("eve@example.com")
        self.assertEqual(self.open(campaign.with_user(seller), "opened"), ("Opened", people))
        self.assertEqual(self.open(campaign.with_user(mailer), "opened")[0], one)

    def test_a_list_says_if_another_one_was_probably_selected(self):
        campaign = self.synced_campaign()
        other = self.sandbox.list("Others", ["stranger@example.com"])
        self.send(campaign, list_ref=other)
        self.pull()
        name, _people = self.open(campaign, "delivered")
        self.assertEqual(name, "Delivered (another list was probably selected)")


class TestCost(ResultsCase):
    """Results cost the same with 3 recipients and with 60."""

    def test_no_recipient_is_counted_when_they_are_shown(self):
        campaign = self.make_story()
        Recipient = type(self.env["campaign.master.recipient"])
        with (
            patch.object(Recipient, "_count", side_effect=AssertionError),
            patch.object(Recipient, "_search", side_effect=AssertionError),
        ):
            self.assertEqual(self.stages(campaign)["planned"], (8, None))

    def test_the_number_of_statements_is_constant(self):
        counts = []
        # The first campaign fills caches.
        for number in (1, 3, 60):
            emails = [f"person{place}.of{number}@example.com" for place in range(number)]
            campaign = self.sent_campaign(self.make_contacts(*emails), title=str(number))
            self.pull()
            for email in emails[: number // 3]:
                self.react(campaign, email, "click")
            self.pull()
            for show in (
                campaign.campaign_master_results,
                campaign.action_campaign_master_open_people,
                campaign.action_campaign_master_recipients,
            ):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.cr.sql_log_count
                show()
                counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[3:6], counts[6:])
