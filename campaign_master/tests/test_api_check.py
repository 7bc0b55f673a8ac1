from base64 import b64decode
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import file_open

from ..client.check_steps import NAME, READING
from ..models import campaign_master_api_check
from .common import PASSWORD, BrowserCase, CampaignMasterCase

ADDRESS = "ada@example.org"
CONTRACT = {}
OLDER = {
    "login": "headers",
    "clientId": True,
    "letterCase": "pascal",
}
FEW = {"fewMembers": True, "pages": "bare", "zone": False, "numbers": "strings"}
ONE = {"recipients": 1, "pages": "flag", "asOf": False}
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-client-secret"}


class ApiCheckCase(CampaignMasterCase):
    """An administrator who does not work with Email Marketing."""

    def setUp(self):
        super().setUp()
        self.admin = new_test_user(
            self.account.env,
            "checker",
            "base.group_system",
            email=f"Ada <{ADDRESS}>",
            company_id=self.account.company_id.id,
        )
        self.account = self.account.with_user(self.admin)
        self.env = self.account.env

    def speak(self, dialect):
        """Let the sandbox speak a dialect, and give the account what it needs for it."""
        self.sandbox.control("dialect", dialect)
        self.account.write({"password": PASSWORD, **CLIENT})

    def sent_campaign(self):
        """A campaign that was sent to two people, one of whom opened it."""
        campaign = self.make_campaign_of_marketer()
        ref = campaign.campaign_master_ref
        self.sandbox.send(ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{ref}/activity", {"email": "ann@example.com", "kind": "open"}
        )
        self.pull()
        return campaign

    def make_campaign_of_marketer(self):
        marketing = self.env(user=self.marketer)
        people = marketing["res.partner"].create(
            [{"name": name, "email": f"{name}@example.com"} for name in ("ann", "bob")]
        )
        campaign = marketing["utm.campaign"].create(
            {
                "title": "Spring offers",
                "description": "What we have for spring",
                "campaign_master_subject": "Spring is here",
                "campaign_master_template_id": self.template.id,
                "campaign_master_list_id": self.list.id,
            }
        )
        self.add(campaign, people)
        self.sync(campaign)
        return campaign

    def wizard(self, **values):
        """Click Check API on the account and fill in the form."""
        action = self.account.action_check_api()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        for name, value in values.items():
            setattr(form, name, value)
        return form.save()

    def start(self, **values):
        action = self.wizard(**values).action_check()
        return self.env[action["res_model"]].browse(action["res_id"])

    def check(self, **values):
        """Check reading, until it is done."""
        record = self.start(**values)
        self.run_cron("check_api")
        return record

    def writing_wizard(self, record, recipient_list, confirmed=True):
        action = record.action_check_writing()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        form.list_id = recipient_list
        form.confirmed = confirmed
        return form.save()

    def make_list(self, name=NAME, emails=()):
        """Create a list in Campaign Master, known in Odoo."""
        ref = self.sandbox.list(name, emails)
        self.account.action_test_connection()
        return self.env["campaign.master.list"].search([("ref", "=", ref)])

    def check_writing(self, record, recipient_list):
        self.writing_wizard(record, recipient_list).action_write()
        self.run_cron("check_api")
        return record

    def results(self, record):
        return [finding["result"] for finding in record.findings]

    def turn(self, record):
        """Make one call, as before the server is killed."""
        self.env.flush_all()
        with self.registry.cursor() as cr:
            record.with_env(api.Environment(cr, SUPERUSER_ID, {}))._turn()
        self.env.invalidate_all()


class TestReading(ApiCheckCase):
    def test_all_calls_are_as_documented_or_modeled(self):
        campaign = self.sent_campaign()
        record = self.check(campaign_id=campaign)
        self.assertEqual(record.state, "done")
        self.assertEqual(
            self.results(record),
            ["documented", "modeled", "modeled", "documented", "modeled", *["documented"] * 2],
        )
        self.assertFalse(record.has_problems)
        self.assertIn("As documented: 4", record.summary)
        self.assertNotIn("DIFFERS", record.report)
        self.assertIn("GET /campaigns/ID/activity", record.report)
        self.assertIn("x-token-reset", record.report)
        self.assertNotIn("MISSING", record.report)
        self.assertIn("Nothing.", record.report)

    def test_the_calls_are_announced_and_counted(self):
        campaign = self.sent_campaign()
        before = self.sandbox.calls()
        wizard = self.wizard(campaign_id=campaign)
        self.assertIn("makes 6 API calls", wizard.calls_message)
        self.assertIn("makes 3 API calls", self.wizard().calls_message)
        self.assertRegex(wizard.calls_message, r"4,9\d\d calls are left this hour, 49,9\d\d")
        wizard.action_check()
        self.assertEqual(self.sandbox.calls(), before, "Nothing is called before the action runs")
        self.run_cron("check_api")
        usage = self.env["campaign.master.usage"].search([("purpose", "=", "check")])
        self.assertEqual(sum(usage.mapped("calls")), 6)

    def test_without_a_campaign_three_calls_are_not_tried(self):
        record = self.check()
        self.assertEqual(self.results(record)[4:], ["not_tried"] * 3)
        self.assertIn("No sent campaign was selected", record.report)
        self.assertFalse(record.has_problems)

    def test_a_campaign_that_odoo_does_not_know_can_be_named_by_its_id(self):
        ref = self.sent_campaign().campaign_master_ref
        record = self.check(campaign_ref=ref)
        self.assertNotIn("not_tried", self.results(record))
        with self.assertRaises(ValidationError):
            self.wizard(campaign_ref="..")

    def test_a_campaign_that_does_not_exist_is_refused_and_the_others_go_on(self):
        record = self.check(campaign_ref="4711")
        self.assertEqual(self.results(record)[4:], ["refused"] * 3)
        self.assertTrue(record.has_problems)
        self.assertIn("REFUSED (status 404", record.report)

    def test_each_dialect_is_understood_and_what_is_tolerated_is_named(self):
        for dialect, tolerated in (
            (OLDER, "in another letter case: page, items"),
            (FEW, "text “9”"),
            (FEW, "missing: page, pageSize, total"),
            (ONE, "Nothing."),
        ):
            with self.subTest(dialect, tolerated=tolerated):
                self.sandbox.reset()
                self.template_ref = self.sandbox.template("Spring")
                self.list_ref = self.sandbox.list("Customers")
                self.account.action_test_connection()
                self.template = self.find("campaign.master.template", self.template_ref)
                self.list = self.find("campaign.master.list", self.list_ref)
                campaign = self.sent_campaign()
                self.speak(dialect)
                record = self.check(campaign_id=campaign)
                self.assertFalse(record.has_problems, record.report)
                self.assertIn(tolerated, record.report)

    def test_times_without_a_zone_are_compared_with_the_date(self):
        campaign = self.sent_campaign()
        self.speak({"zone": False})
        record = self.check(campaign_id=campaign)
        self.assertIn("in UTC, as assumed", " ".join(record.report.split()))

    def test_what_differs_is_told_with_what_depends_on_it_and_where_to_correct_it(self):
        self.sandbox.faults({"match": "GET /lists", "kind": "drop:name"})
        record = self.check()
        self.assertEqual(self.results(record)[2], "differs")
        self.assertTrue(record.has_problems)
        report = " ".join(record.report.split())
        self.assertIn("items[].name (M): text expected, found missing", report)
        self.assertIn("Correct it in read_list", report)
        self.assertIn("The lists that users can select", report)

    def test_a_server_that_fails_is_told_and_the_next_call_is_made(self):
        self.sandbox.faults(
            {"match": "GET /templates", "kind": "reset-before"},
            {"match": "GET /lists", "kind": "html"},
            {"match": "GET /campaigns", "kind": "500"},
        )
        record = self.check()
        self.assertEqual(self.results(record)[1:4], ["no_answer", "differs", "refused"])
        self.assertEqual(record.state, "done")

    def test_a_refused_login_ends_the_check_and_is_told(self):
        self.account.password = "wrong"
        record = self.check()
        self.assertEqual(self.results(record), ["refused", *["not_tried"] * 6])
        self.assertFalse(record.can_write)
        self.assertEqual(self.sandbox.calls("GET /templates"), 1, "Read when the account was made")

    def test_an_account_without_login_is_not_checked(self):
        other = self.env["res.company"].create({"name": "Newcomer"})
        self.admin.company_ids += other
        account = self.env["campaign.master.account"].create({"company_id": other.id})
        with self.assertRaisesRegex(UserError, "Enter username and password"):
            account.action_check_api()

    def test_a_login_that_is_deleted_before_the_calls_ends_the_check(self):
        record = self.start()
        self.account.write({"enabled": False, "username": False})
        self.run_cron("check_api")
        self.assertEqual(record.state, "done")
        self.assertEqual({*self.results(record)}, {"not_tried"})

    def test_an_account_that_is_not_enabled_yet_can_be_checked(self):
        self.account.enabled = False
        self.assertEqual(self.results(self.check())[:2], ["documented", "modeled"])

    def test_the_hours_limit_in_the_middle_ends_the_check_and_is_told(self):
        self.sandbox.control("usage", {"hour": 4998})
        record = self.check()
        self.assertEqual(self.results(record), ["documented", *["modeled"] * 2, *["not_tried"] * 4])
        self.assertIn("calls of this hour are used up", record.report)
        self.assertFalse(record.can_write)

    def test_the_servers_own_limit_ends_the_check(self):
        self.sandbox.faults({"match": "GET /lists", "kind": "429"})
        record = self.check()
        self.assertEqual(self.results(record)[2:], ["refused", *["not_tried"] * 4])

    def test_killed_between_two_calls_it_goes_on_where_it_stopped(self):
        record = self.start()
        before = self.sandbox.calls()
        for done in (1, 2):
            self.turn(record)
            self.assertEqual(len(record.findings), done)
        self.run_cron("check_api")
        self.assertEqual(len(record.findings), len(READING))
        for call in ("POST /authenticate", "GET /templates", "GET /lists", "GET /campaigns"):
            self.assertEqual(self.sandbox.calls(call) - before.get(call, 0), 1, call)

    def test_cancelled_no_further_call_is_made(self):
        record = self.start()
        self.turn(record)
        record.action_cancel()
        self.run_cron("check_api")
        self.assertEqual((record.state, len(record.findings)), ("cancelled", 1))
        self.assertTrue(record.ended_at)

    def test_one_check_at_a_time(self):
        self.start()
        with self.assertRaisesRegex(UserError, "is running"):
            self.start()

    def test_an_unexpected_error_ends_one_check_and_no_other(self):
        first, second = self.start(), None
        with (
            patch.object(campaign_master_api_check, "check", side_effect=KeyError("planned")),
            self.assertLogs(campaign_master_api_check.__name__, "ERROR"),
        ):
            self.run_cron("check_api")
        self.assertEqual(first.state, "failed")
        second = self.check()
        self.assertEqual(second.state, "done")

    def test_the_report_is_kept_and_can_be_downloaded(self):
        record = self.check()
        self.assertEqual(self.account.api_check_ids, record)
        self.assertEqual(b64decode(record.report_file).decode(), record.report)
        self.assertRegex(
            record.action_download()["url"], rf"/{record.id}/report_file/[\w.]+\.txt\?download"
        )

    def test_neutralized_it_calls_nobody(self):
        record = self.start()
        before = self.sandbox.calls()
        self.env.flush_all()
        with file_open("campaign_master/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.run_cron("check_api")
        self.assertEqual(record.state, "cancelled")
        self.assertEqual(self.sandbox.calls(), before)


class TestAccess(ApiCheckCase):
    def test_marketing_and_internal_users_neither_press_nor_read(self):
        record = self.check()
        internal = new_test_user(self.account.sudo().env, "internal", "base.group_user")
        for user in (self.marketer, internal):
            with self.subTest(user.login):
                with self.assertRaises(AccessError):
                    self.account.with_user(user).action_check_api()
                for name in ("action_cancel", "action_check_writing", "action_download", "read"):
                    with self.assertRaises(AccessError):
                        getattr(record.with_user(user), name)()
                for model in ("reading", "writing"):
                    with self.assertRaises(AccessError):
                        self.env[f"campaign.master.check.{model}"].with_user(user).create(
                            {"account_id": self.account.id, "check_id": record.id}
                        )
                self.assertNotIn(
                    "api_check_ids", self.account.with_user(user).fields_get(), user.login
                )

    def test_an_administrator_of_another_company_starts_and_continues_no_check(self):
        record, own_list = self.check(), self.make_list()
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.account.sudo().env,
            "stranger",
            "base.group_system",
            email="stranger@example.org",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        env = self.env(user=stranger)
        with self.assertRaises(AccessError):
            env["campaign.master.check.reading"].create(
                {"account_id": self.account.id}
            ).action_check()
        with self.assertRaises(AccessError):
            env["campaign.master.check.writing"].create(
                {"check_id": record.id, "list_id": own_list.id, "confirmed": True}
            ).action_write()

    def test_nobody_changes_a_check(self):
        record = self.check()
        for change in (
            lambda: record.write({"findings": []}),
            record.unlink,
            lambda: record.copy(),
        ):
            with self.assertRaises(AccessError):
                change()

    def test_nothing_that_campaign_master_says_gets_into_the_report(self):
        secrets = ("hunter2", "Ann.Archer@example.com", "sesame key", PASSWORD * 2)
        for secret in secrets:
            self.sandbox.template(secret)
            self.sandbox.list(secret)
        campaign = self.sent_campaign()
        own_list = self.make_list()
        self.sandbox.faults(
            {"match": "GET /campaigns/ID$", "kind": 'set:status="hunter2 Ann.Archer@example.com"'},
            {"match": "GET /campaigns/ID/statistics", "kind": "400:hunter2"},
        )
        record = self.check_writing(self.check(campaign_id=campaign), own_list)
        text = f"{record.report}{record.findings}"
        for secret in (*secrets, "ann@example.com", ADDRESS, "Spring", "Archer"):
            self.assertNotIn(secret, text)


@tagged("post_install", "-at_install")
class TestInBrowser(ApiCheckCase, BrowserCase):
    def test_an_administrator_checks_the_api_and_sees_the_report(self):
        self.admin.group_ids += self.env.ref("mass_mailing.group_mass_mailing_user")
        Check = type(self.env["campaign.master.api.check"])
        web_read, reads, runs = Check.web_read, [], []

        def run_while_open(records, *args, **options):
            """The scheduled action runs before the form is read again."""
            reads.append(records)
            if len(reads) > 1 and not runs:  # the first try is in a read-only transaction
                cron = records.env.ref("campaign_master.ir_cron_check_api").sudo()
                cron.with_user(records.env.ref("base.user_root")).method_direct_trigger()
                runs.append(cron)
                records.env.invalidate_all()
            return web_read(records, *args, **options)

        with patch.object(Check, "web_read", run_while_open):
            self.start_tour(
                f"/odoo/action-campaign_master.campaign_master_account_action/{self.account.id}",
                "campaign_master_check_api",
                login="checker",
            )
        self.env.invalidate_all()
        self.assertEqual(self.account.api_check_ids.state, "done")

    def test_the_report_is_downloaded_by_administrators_only(self):
        record = self.check()
        url = record.action_download()["url"]
        self.authenticate("checker", "checker")
        response = self.url_open(url)
        self.assertEqual(response.text, record.report)
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.authenticate("marketer", "marketer")
        self.assertNotIn("CAMPAIGN MASTER", self.url_open(url).text)
