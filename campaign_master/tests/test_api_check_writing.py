from unittest.mock import patch

from odoo.exceptions import UserError

from ..client import wire
from ..client.check_steps import NAME, READING
from .test_api_check import ADDRESS, CONTRACT, FEW, OLDER, ONE, ApiCheckCase


class TestWriting(ApiCheckCase):
    """The second part of Check API, after its own confirmation."""

    def test_writing_goes_through_all_calls_and_tells_what_is_left(self):
        for dialect in (CONTRACT, OLDER, FEW, ONE):
            with self.subTest(dialect):
                self.sandbox.reset()
                self.sandbox.template("Spring")
                own_list = self.make_list()
                self.speak(dialect)
                with patch.object(wire, "MAX_RECIPIENTS", dialect.get("recipients", 1_000)):
                    record = self.check_writing(self.check(), own_list)
                self.assertEqual(record.state, "done")
                self.assertFalse(record.has_problems, record.report)
                self.assertNotIn("not_tried", self.results(record)[len(READING) :])
                [remote] = self.sandbox.state()["campaigns"]
                self.assertEqual(remote["name"], NAME)
                self.assertEqual(self.sandbox.members(own_list.ref), [ADDRESS])
                self.assertIn(f"campaign “{NAME}” (id {remote['id']})", record.report)
                self.assertIn("Your own address", record.report)
                self.assertIn("cannot delete", record.report)
                self.assertNotIn(ADDRESS, record.report)

    def test_nothing_is_written_before_it_is_confirmed(self):
        record = self.check()
        wizard = self.writing_wizard(record, self.make_list(), confirmed=False)
        self.assertEqual(wizard.email, ADDRESS)
        self.assertRegex(wizard.calls_message, r"about 7 API calls. 4,9\d\d calls are left")
        with self.assertRaisesRegex(UserError, "Tick"):
            wizard.action_write()
        self.run_cron("check_api")
        self.assertFalse(record.writes)
        self.assertEqual(self.sandbox.state()["campaigns"], [])

    def test_a_second_check_finds_the_same_campaign_and_list(self):
        own_list = self.make_list()
        first = self.check_writing(self.check(), own_list)
        self.account.action_test_connection()
        self.assertEqual(own_list.recipient_count, 1)
        second = self.check_writing(self.check(), own_list)
        self.assertEqual(second.created_ref, first.created_ref)
        self.assertEqual(len(self.sandbox.state()["campaigns"]), 1)
        self.assertEqual(self.sandbox.calls("POST /campaigns"), 1)
        self.assertFalse(second.has_problems)
        self.assertIn("of an earlier check was found", " ".join(second.report.split()))
        self.assertEqual(self.sandbox.members(own_list.ref), [ADDRESS])

    def test_a_list_with_another_name_or_with_people_is_refused(self):
        record = self.check()
        for recipient_list in (
            self.make_list("Customers of old"),
            self.make_list(emails=["ann@example.com"]),
        ):
            with self.assertRaisesRegex(UserError, "Nothing was written"):
                self.writing_wizard(record, recipient_list).action_write()
        self.assertEqual(record.state, "done")

    def test_people_who_get_on_the_list_before_the_calls_stop_them(self):
        record, own_list = self.check(), self.make_list()
        self.writing_wizard(record, own_list).action_write()
        self.sandbox.control(f"lists/{own_list.ref}/members", {"emails": ["ann@example.com"]})
        self.run_cron("check_api")
        self.assertEqual(self.results(record)[len(READING) + 1 :], ["not_tried"] * 6)
        self.assertEqual(self.sandbox.members(own_list.ref), ["ann@example.com"])
        self.assertEqual(self.sandbox.state()["campaigns"], [])

    def test_another_companys_list_is_refused(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.admin.company_ids += other
        account = self.env["campaign.master.account"].create({"company_id": other.id})
        foreign = self.env["campaign.master.list"].sudo()
        foreign = foreign.create({"name": NAME, "ref": "99", "account_id": account.id})
        with self.assertRaisesRegex(UserError, "Nothing was written"):
            self.writing_wizard(self.check(), foreign).action_write()

    def test_without_an_address_of_the_user_nothing_is_written(self):
        record, own_list = self.check(), self.make_list()
        self.admin.partner_id.email = False
        with self.assertRaisesRegex(UserError, "email address"):
            self.writing_wizard(record, own_list).action_write()

    def test_writing_needs_a_finished_reading_and_is_done_once(self):
        own_list = self.make_list()
        record = self.start()
        with self.assertRaisesRegex(UserError, "cannot continue"):
            self.writing_wizard(record, own_list).action_write()
        self.run_cron("check_api")
        self.check_writing(record, own_list)
        with self.assertRaisesRegex(UserError, "cannot continue"):
            self.writing_wizard(record, own_list).action_write()

    def test_a_lost_response_says_that_something_may_be_left(self):
        self.sandbox.faults({"match": "POST /campaigns", "kind": "reset-after"})
        record = self.check_writing(self.check(), self.make_list())
        self.assertTrue(record.has_problems)
        self.assertIn("Perhaps a draft campaign", record.report)
        again = self.check_writing(
            self.check(),
            self.env["campaign.master.list"].browse(
                self.find("campaign.master.list", record.list_ref).id
            ),
        )
        self.assertEqual(len(self.sandbox.state()["campaigns"]), 1)
        self.assertTrue(again.created_ref)

    def test_nothing_is_created_if_nobody_knows_whether_it_is_there(self):
        for kind in ("500", "html", "drop:items", "reset-before"):
            with self.subTest(kind):
                record = self.check()
                self.sandbox.faults({"match": "GET /campaigns", "kind": kind})
                self.check_writing(record, self.make_list())
                self.assertEqual(self.results(record)[-5:], ["not_tried"] * 5)
                self.assertIn("Whether the campaign is there already is unknown", record.report)
                self.assertEqual(self.sandbox.state()["campaigns"], [])

    def test_killed_while_writing_it_creates_nothing_twice(self):
        record, own_list = self.check(), self.make_list()
        self.writing_wizard(record, own_list).action_write()
        for _call in range(3):  # list, reference, campaign
            self.turn(record)
        # As if the server was killed after the campaign was created, before that was stored.
        record.sudo().write({"findings": record.findings[:-1], "created_ref": False})
        self.run_cron("check_api")
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual((record.state, record.created_ref), ("done", str(remote["id"])))
        self.assertFalse(record.has_problems)
        self.assertEqual(self.sandbox.members(own_list.ref), [ADDRESS])
