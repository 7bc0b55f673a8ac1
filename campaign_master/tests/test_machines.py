"""Likely machines: security software that opens emails and follows their links."""

from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.modules.migration import load_script
from odoo.tests import new_test_user
from odoo.tools import SQL

from ..client import Activity
from ..models import campaign_master_campaign_machines
from ..models.campaign_master_recipient_machines import CampaignMasterRecipient
from .test_history import HOUR, MARKETING, READING
from .test_pull import WIRE
from .test_rates import REPORTED
from .test_results import ResultsCase

ANN, BOB, CAT, DAN, EVE = (f"{name}@firm.example" for name in ("ann", "bob", "cat", "dan", "eve"))


class MachinesCase(ResultsCase):
    def sent_to(self, *emails, **values):
        """A campaign that was sent to these addresses, and read since."""
        campaign = self.sent_campaign(self.make_contacts(*emails), **values)
        self.pull()
        return campaign

    def act(self, campaign, kind, email, *seconds):
        """A recipient does something at each of these times, in seconds after the sending."""
        sent_at = campaign.campaign_master_sent_at or fields.Datetime.now() - 5 * HOUR
        times = [sent_at + timedelta(seconds=number) for number in seconds]
        events = [
            {"email": email, "kind": kind, "at": f"{at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"}
            for at in times
        ]
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}/activity", events)

    def click(self, campaign, email, *seconds):
        self.act(campaign, "click", email, *seconds)

    def open_at(self, campaign, email, *seconds):
        self.act(campaign, "open", email, *seconds)

    def rules(self, campaign):
        """The rule by which each likely machine is one."""
        return {line.email: line.machine_rule for line in self.lines(campaign) if line.machine_rule}

    def assertMachines(self, campaign, message=None, **rules):
        """Read the campaign; its likely machines are these people of the firm, by their rules."""
        self.pull()
        expected = {f"{name}@firm.example": rule for name, rule in rules.items()}
        self.assertEqual(self.rules(campaign), expected, message)
        self.assertKept(campaign)

    def assertKept(self, campaign):
        """What is kept is what counting and judging everybody would find."""
        kept = dict(self.work(campaign).sums)
        rules = self.rules(campaign)
        self.env["campaign.master.recipient"].sudo()._judge(campaign)
        campaign.sudo()._campaign_master_keep_sums()
        self.assertEqual(self.rules(campaign), rules)
        self.assertEqual(self.work(campaign).sums, kept)

    def switch(self, **rules):
        """An administrator changes the rules, and the scheduled action judges again."""
        values = {f"machine_rule_{rule}": is_on for rule, is_on in rules.items()}
        administrator = self.env.ref("base.user_admin")
        self.account.with_user(administrator).write(values)
        self.run_cron("find_machines")


class TestBurst(MachinesCase):
    """Four clicks or more within 10 seconds."""

    def test_four_clicks_in_ten_seconds_are_a_machines_and_no_others(self):
        campaign = self.sent_to(ANN, BOB, CAT, DAN)
        self.click(campaign, ANN, 1000, 1003, 1006, 1010)
        self.click(campaign, BOB, 2000, 2001, 2002)
        self.click(campaign, CAT, 3000, 3003, 3006, 3010.9)
        # A click without an open is not suspicious.
        self.click(campaign, DAN, 4000)
        self.assertMachines(campaign, ann="burst")
        # Nothing is lost.
        line = self.lines(campaign).filtered(lambda line: line.email == ANN)
        self.assertEqual((line.click_count, line.result), (4, "clicked"))
        self.assertEqual(campaign.campaign_master_unique_clicks, 4)

    def test_a_later_click_or_open_is_a_persons(self):
        for kind in ("click", "open"):
            campaign = self.sent_to(ANN, title=kind)
            self.click(campaign, ANN, 1000, 1001, 1002, 1003)
            self.open_at(campaign, ANN, 990, 1009)
            self.assertMachines(campaign, ann="burst")
            self.act(campaign, kind, ANN, 1011)
            self.assertMachines(campaign)

    def test_clicks_that_come_with_another_reading_complete_the_burst(self):
        campaign = self.sent_to(ANN)
        self.click(campaign, ANN, 1000, 1001, 1002)
        self.assertMachines(campaign)
        self.click(campaign, ANN, 1005)
        self.assertMachines(campaign, ann="burst")

    def test_who_shares_an_address_shares_the_flag_and_counts_once(self):
        campaign = self.sent_to(ANN, ANN, BOB)
        self.click(campaign, ANN, 1000, 1001, 1002, 1003)
        self.assertMachines(campaign, ann="burst")
        self.assertEqual(self.lines(campaign).mapped("machine_rule"), ["burst", "burst", False])
        self.assertEqual(self.work(campaign).sums["machines"], 1)
        self.click(campaign, ANN, 9000)
        self.assertMachines(campaign)
        self.assertEqual(self.work(campaign).sums["machines"], 0)


class TestDomain(MachinesCase):
    """At least three addresses of a company domain click first within the same 60 seconds."""

    def test_sixty_seconds_need_not_be_a_minute_of_the_clock(self):
        campaign = self.sent_to(ANN, BOB, CAT, DAN, EVE)
        for number, email in enumerate((ANN, BOB, CAT)):
            self.click(campaign, email, 1000 + 30 * number)
        # Within 60 seconds of Bob and Cat, not of Ann.
        self.click(campaign, DAN, 1090)
        self.click(campaign, EVE, 1151)
        self.assertMachines(campaign, ann="domain", bob="domain", cat="domain", dan="domain")

    def test_three_within_more_than_sixty_seconds_are_people(self):
        campaign = self.sent_to(ANN, BOB, CAT)
        for number, email in enumerate((ANN, BOB, CAT)):
            self.click(campaign, email, 1000 + 30.5 * number)
        self.assertMachines(campaign)

    def test_the_third_click_flags_those_who_clicked_before(self):
        campaign = self.sent_to(ANN, BOB, CAT)
        self.click(campaign, ANN, 1000)
        self.click(campaign, BOB, 1010)
        self.assertMachines(campaign)
        self.click(campaign, CAT, 1020)
        self.assertMachines(campaign, ann="domain", bob="domain", cat="domain")

    def test_a_later_open_or_click_clears_one_and_not_the_others(self):
        campaign = self.sent_to(ANN, BOB, CAT)
        for email in (ANN, BOB, CAT):
            self.click(campaign, email, 1000)
        self.open_at(campaign, ANN, 1060)
        self.assertMachines(campaign, ann="domain", bob="domain", cat="domain")
        self.open_at(campaign, ANN, 1061)
        self.assertMachines(campaign, bob="domain", cat="domain")
        self.click(campaign, BOB, 5000)
        self.assertMachines(campaign, cat="domain")

    def test_two_people_with_one_address_are_one_and_get_the_flag_of_the_others(self):
        campaign = self.sent_to(ANN, ANN, BOB, CAT)
        self.click(campaign, ANN, 1000)
        self.click(campaign, BOB, 1010)
        self.assertMachines(campaign)
        self.click(campaign, CAT, 1020)
        self.assertMachines(campaign, ann="domain", bob="domain", cat="domain")
        self.assertEqual(len(self.lines(campaign).filtered("machine_rule")), 4)
        self.assertEqual(self.work(campaign).sums["machines"], 3)

    def test_letter_case_does_not_count(self):
        campaign = self.sent_to("Ann@Firm.Example", "bob@FIRM.example", CAT)
        for email in (ANN, BOB, CAT):
            self.click(campaign, email, 1000)
        self.assertMachines(campaign, ann="domain", bob="domain", cat="domain")

    def test_free_mail_other_domains_and_other_campaigns_do_not_count(self):
        free = [f"{name}@{domain}" for domain in ("gmail.com", "virginmedia.com") for name in "abc"]
        campaign = self.sent_to(ANN, BOB, "ann@other.example", "cat@mail.firm.example", *free)
        other = self.sent_to(CAT, title="Other")
        for email in (ANN, BOB, "ann@other.example", "cat@mail.firm.example", *free):
            self.click(campaign, email, 1000)
        self.click(other, CAT, 1000)
        self.assertMachines(campaign)
        self.assertMachines(other)

    def test_a_scanner_is_found_whatever_else_it_did(self):
        """All that a gateway did is judged alike, in whatever pages it comes."""
        emails = [f"person{number}@firm.example" for number in range(24)]
        others = [f"reader{number}@other{number % 40}.example" for number in range(80)]
        for cap in (1000, 7):
            campaign = self.synced_campaign(
                self.make_contacts(*emails, *others), title=f"Pages of {cap}"
            )
            self.sandbox.control("settings", {"pageCap": cap})
            options = {"minutesAgo": 30 * 1440, "seed": 3, "story": "scanner"}
            self.sandbox.send(campaign.campaign_master_ref, self.list_ref, **options)
            self.pull()
            self.assertKept(campaign)
            lines = {line.email: line for line in self.lines(campaign)}
            for email in emails:
                line = lines[email]
                if not line.first_click:
                    self.assertFalse(line.machine_rule)
                    continue
                last = max(filter(None, (line.last_open, line.last_click)))
                is_later = last - line.first_click > timedelta(seconds=60)
                self.assertEqual(bool(line.machine_rule), not is_later, line.read())
            self.assertEqual({*self.rules(campaign).values()}, {"burst", "domain"})


class TestSending(MachinesCase):
    """The first open or click within 10 seconds of the sending."""

    def test_it_is_off_until_an_administrator_turns_it_on(self):
        campaign = self.sent_to(ANN, BOB, CAT)
        self.open_at(campaign, ANN, 9)
        self.click(campaign, BOB, 9)
        self.open_at(campaign, CAT, 11.5)
        self.assertMachines(campaign)
        self.account.machine_rule_sending = True
        # Not within the button.
        self.assertFalse(self.rules(campaign))
        self.run_cron("find_machines")
        self.assertMachines(campaign, ann="sending", bob="sending")

    def test_a_later_open_or_click_is_a_persons(self):
        self.switch(sending=True)
        campaign = self.sent_to(ANN, BOB)
        self.open_at(campaign, ANN, 2, 8)
        self.click(campaign, BOB, 2)
        self.assertMachines(campaign, ann="sending", bob="sending")
        self.click(campaign, ANN, 12)
        self.open_at(campaign, BOB, 12)
        self.assertMachines(campaign)

    def test_mail_servers_that_open_at_once_are_found(self):
        # In two minutes, people are as fast as machines.
        self.switch(sending=True, burst=False)
        emails = [f"person{number}@firm{number}.example" for number in range(150)]
        campaign = self.synced_campaign(self.make_contacts(*emails))
        options = {"minutesAgo": 60, "seed": 2, "story": "prefetched"}
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref, minutes=2, **options)
        self.pull()
        self.assertKept(campaign)
        by = campaign.campaign_master_sent_at + timedelta(seconds=10)
        at_once = self.lines(campaign).filtered(
            lambda line: line.first_open and line.first_open <= by
        )
        people = at_once.filtered(lambda line: max(line.last_open, line.last_click or by) > by)
        self.assertTrue(people, "Some opened again, which a person did")
        self.assertEqual(
            self.rules(campaign), dict.fromkeys((at_once - people).mapped("email"), "sending")
        )

    def test_without_the_time_of_the_sending_nobody_can_tell(self):
        self.switch(sending=True)
        campaign = self.sent_to(ANN)
        self.open_at(campaign, ANN, 2)
        self.assertMachines(campaign, ann="sending")
        # What Odoo saw is not the time of the sending.
        campaign.sudo().campaign_master_sent_at = False
        campaign.sudo()._campaign_master_mark_sent()
        self.assertFalse(self.rules(campaign))
        self.open_at(campaign, ANN, 3)
        self.assertMachines(campaign)

    def test_the_time_zone_of_people_does_not_matter(self):
        for tz in ("Pacific/Auckland", "America/Los_Angeles"):
            self.env.ref("base.user_root").sudo().tz = self.account.env.user.tz = tz
            self.switch(sending=True)
            campaign = self.sent_to(ANN, BOB, title=tz)
            self.open_at(campaign, ANN, 9)
            self.open_at(campaign, BOB, 3600)
            self.assertMachines(campaign, ann="sending")


class TestSwitching(MachinesCase):
    def test_each_rule_can_be_turned_off_and_on_again(self):
        campaign = self.sent_to(*(f"{name}@firm.example" for name in ("ann", "bob", "cat", "dan")))
        self.click(campaign, ANN, 1000, 1001, 1002, 1003)
        for email in (BOB, CAT):
            self.click(campaign, email, 1010)
        self.open_at(campaign, DAN, 5)
        self.assertMachines(campaign, ann="burst", bob="domain", cat="domain")
        self.switch(burst=False)
        self.assertMachines(campaign, ann="domain", bob="domain", cat="domain")
        self.switch(domain=False, sending=True)
        self.assertMachines(campaign, dan="sending")
        self.switch(sending=False)
        self.click(campaign, BOB, 1011, 1012, 1013)
        self.assertMachines(campaign)
        self.assertFalse(self.work(campaign).machines_due)
        self.switch(burst=True, domain=True)
        self.assertMachines(campaign, ann="burst", bob="burst", cat="domain")

    def test_a_campaign_that_cannot_be_judged_stops_no_other(self):
        campaign, broken = self.sent_to(ANN), self.sent_to(BOB, title="Broken")
        self.click(campaign, ANN, 1000, 1001, 1002, 1003)
        self.assertMachines(campaign, ann="burst")
        judge = CampaignMasterRecipient._judge

        def fail(recipients, judged, *args):
            if judged == broken:
                raise ZeroDivisionError
            return judge(recipients, judged, *args)

        with (
            patch.object(CampaignMasterRecipient, "_judge", fail),
            self.assertLogs(campaign_master_campaign_machines.__name__, "ERROR"),
        ):
            self.switch(burst=False)
        self.assertMachines(campaign)
        self.assertTrue(self.work(broken).machines_due)

    def test_a_campaign_that_is_created_again_meanwhile_stops_no_other(self):
        work = self.work(self.sent_to(ANN))
        work._replace()
        work._judge()

    def test_other_companies_have_their_own_rules(self):
        campaign = self.sent_to(ANN)
        self.click(campaign, ANN, 1000, 1001, 1002, 1003)
        self.assertMachines(campaign, ann="burst")
        self.work_in_second_company(f"{MARKETING},base.group_partner_manager")
        other = self.account.search([("id", "!=", self.account.id)])
        other.sudo().machine_rule_burst = False
        self.run_cron("find_machines")
        self.assertEqual(campaign.sudo().campaign_master_clicked_rate_by_people, 0)

    def test_only_administrators_may(self):
        for user in (self.marketer, new_test_user(self.account.env, "plain")):
            account = self.account.with_user(user)
            with self.assertRaises(AccessError):
                account.machine_rule_burst = False
            with self.assertRaises(AccessError):
                account.read(["machine_rule_burst"])
        self.assertTrue(self.account.machine_rule_burst)


class TestWithoutMachines(MachinesCase):
    """The raw rates stay; beside them are those without likely machines."""

    def make_scanned(self):
        """Four people opened and three clicked, of whom two clickers are machines, one of which has
        opened."""
        campaign = self.sent_to(ANN, BOB, CAT, DAN)
        for email in (ANN, CAT, DAN):
            self.open_at(campaign, email, 1000)
        for email in (ANN, BOB):
            self.click(campaign, email, 1000, 1001, 1002, 1003)
        self.click(campaign, CAT, 2000)
        self.assertMachines(campaign, ann="burst", bob="burst")
        return campaign

    def figures(self, campaign):
        return [
            campaign[f"campaign_master_{name}"]
            for name in (
                "open_rate",
                "open_rate_by_people",
                "clicked_rate",
                "clicked_rate_by_people",
            )
        ]

    def test_rates_without_machines_are_beside_the_raw_ones(self):
        campaign = self.make_scanned()
        self.assertEqual(self.figures(campaign), [75, 50, 75, 25])
        results = self.results(campaign)
        stages = {stage["name"]: stage for stage in results["stages"]}
        self.assertEqual((stages["clicked"]["number"], stages["clicked"]["share"]), (3, 75))
        by_people = stages["clicked"]["by_people"]
        self.assertEqual((by_people["number"], by_people["share"]), (1, 25))
        self.assertIn("Unique clicks without likely machines ÷ successful", by_people["help"])
        self.assertEqual(stages["opened"]["by_people"]["number"], 2)
        self.assertEqual(results["machines"], 2)

    def test_a_press_opens_the_machines(self):
        campaign = self.make_scanned()
        self.assertEqual(self.open(campaign, "machines"), ("Likely Machines", [ANN, BOB]))
        action = campaign.action_campaign_master_open_people("machines")
        self.assertTrue(action["context"]["campaign_master_machines"], "The list shows the rules")
        self.assertEqual(self.open(campaign, "clicked")[1], [ANN, BOB, CAT])
        self.assertEqual(self.open(campaign, "clicked_by_people")[1], [CAT])

    def test_without_machines_nothing_is_said(self):
        campaign = self.sent_to(ANN)
        self.click(campaign, ANN, 1000)
        self.pull()
        results = self.results(campaign)
        self.assertEqual(results["machines"], 0)
        self.assertFalse([one for one in results["stages"] if one.get("by_people")])
        self.assertEqual(self.figures(campaign), [0, 0, 100, 100])

    def test_snapshots_keep_them(self):
        campaign = self.make_scanned()
        self.click(campaign, BOB, 9000)
        self.pull()
        history = [
            (snapshot.unique_clicks, snapshot.unique_clicks_by_people)
            for snapshot in self.snapshots(campaign)
        ]
        self.assertEqual(history, [(0, 0), (3, 1), (3, 2)])
        totals = campaign.campaign_master_history()["totals"]
        self.assertEqual([one["unique_opens_by_people"] for one in totals], [0, 2, 2])

    def test_they_are_never_below_zero_and_missing_if_not_reported(self):
        campaign = self.make_scanned()
        self.correct(campaign, uniqueClicks=-2, uniqueOpens=-3)
        self.pull()
        self.assertEqual(self.figures(campaign)[1::2], [0, 0])
        reported = " ".join(WIRE[name] for name in REPORTED if name != "unique_clicks")
        self.sandbox.control("dialect", {"figures": reported})
        self.pull()
        self.assertEqual(self.figures(campaign)[2:], [False, False])
        self.assertIn(
            "campaign_master_unique_clicks_by_people", campaign.campaign_master_unreported
        )
        [stored] = self.env.execute_query_dict(
            SQL(
                "SELECT unique_clicks_by_people AS clicks, unique_opens_by_people AS opens"
                " FROM campaign_master_snapshot ORDER BY id DESC LIMIT 1"
            )
        )
        self.assertEqual(stored, {"clicks": None, "opens": 0})

    def test_a_removed_machine_leaves_the_sums(self):
        campaign = self.make_scanned()
        self.lines(campaign).filtered(lambda line: line.email == BOB).unlink()
        self.assertEqual(self.results(campaign)["machines"], 1)
        self.assertKept(campaign)

    def test_created_again_nobody_is_a_machine(self):
        campaign = self.make_scanned()
        self.sandbox.control(f"campaigns/{campaign.campaign_master_ref}", method="DELETE")
        self.pull()
        self.sync(campaign, "create_again")
        self.assertFalse(self.rules(campaign))

    def test_a_word_is_about_the_person(self):
        people = self.make_contacts(ANN, BOB)
        for number in range(3):
            campaign = self.sent_campaign(people, title=f"Campaign {number}")
            self.pull()
            self.click(campaign, ANN, *range(1000, 1004))
            self.click(campaign, BOB, 2000)
            self.pull()
        self.run_cron("update_engagement")
        self.assertEqual(people.mapped("campaign_master_engagement"), ["cold", "active"])

    def test_a_reading_that_is_interrupted_forgets_no_machine(self):
        campaign = self.sent_to(ANN)
        self.click(campaign, ANN, 1000, 1001, 1002, 1003)
        killed = patch.object(
            CampaignMasterRecipient, "_judge_activity", side_effect=ValueError("Killed on purpose")
        )
        with killed, self.assertLogs(READING, "ERROR"):
            self.pull()
        self.assertFalse(self.lines(campaign).click_count)
        self.assertMachines(campaign, ann="burst")

    def test_an_upgrade_finds_the_machines_of_earlier_campaigns(self):
        campaign = self.make_scanned()
        sums, figures = dict(self.work(campaign).sums), self.figures(campaign)
        archived = self.sent_to(ANN, title="Archived")
        archived.active = False
        draft = self.make_campaign(title="Draft")
        self.env.flush_all()
        for table, values in (
            ("campaign_master_recipient", "machine_rule = NULL"),
            (
                "campaign_master_campaign",
                "sums = (sums::jsonb - 'machines' - 'opened_by_people' - 'clicked_by_people')",
            ),
            (
                "utm_campaign",
                "campaign_master_unique_opens_by_people = NULL,"
                " campaign_master_clicked_rate_by_people = NULL",
            ),
        ):
            self.env.cr.execute(SQL("UPDATE %s SET %s", SQL.identifier(table), SQL(values)))
        self.env.invalidate_all()
        path = "campaign_master/migrations/19.0.1.6.0/post-machines.py"
        for _time in range(2):
            load_script(path, "post-machines").migrate(self.env.cr, "19.0.1.5.0")
            self.env.invalidate_all()
            self.assertEqual(self.rules(campaign), {ANN: "burst", BOB: "burst"})
            self.assertEqual(self.work(campaign).sums, sums)
            self.assertEqual(self.figures(campaign), figures)
            self.assertEqual(archived.campaign_master_unique_opens_by_people, 0)
            self.assertIs(draft.campaign_master_unique_opens_by_people, False)

    def test_before_it_is_sent_there_are_only_test_emails(self):
        campaign = self.synced_campaign(self.make_contacts(ANN))
        now = datetime.now(timezone.utc)
        activity = Activity(ANN, 0, 4, 0, 0, None, None, now, now, False, False)
        self.env["campaign.master.recipient"].sudo()._ingest(campaign.sudo(), [activity])
        self.assertEqual(self.lines(campaign).click_count, 4)
        self.assertFalse(self.rules(campaign))

    def test_without_email_marketing_nobody_sees_who_is_one(self):
        campaign = self.make_scanned()
        for groups in ("base.group_user", "base.group_user,sales_team.group_sale_manager"):
            user = new_test_user(self.account.env, f"user.{len(groups)}", groups)
            mine, lines = campaign.with_user(user), self.lines(campaign).with_user(user)
            for forbidden in (
                lambda lines=lines: lines.read(["machine_rule"]),
                lambda lines=lines: lines._read_group([], ["machine_rule"], ["__count"]),
                lambda mine=mine: mine.action_campaign_master_open_people("machines"),
                lambda mine=mine: mine.read(["campaign_master_clicked_rate_by_people"]),
                lambda mine=mine: mine._read_group(
                    [], [], ["campaign_master_unique_clicks_by_people:sum"]
                ),
                lambda mine=mine: mine.search([("campaign_master_open_rate_by_people", ">", 0)]),
            ):
                with self.assertRaises(AccessError):
                    forbidden()
        with self.assertRaises(AccessError):
            self.lines(campaign).write({"machine_rule": False})
