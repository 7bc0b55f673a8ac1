import logging
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import file_open, mute_logger

from ..client import CampaignMasterError
from ..client.transport import Transport
from ..models import campaign_master_trace
from ..models.campaign_master_account import QUICK
from .common import CampaignMasterCase

# It appears in a text only if it leaked, and looks like the name of a member.
PASSWORD = "Rumpelstilzchen_4711"


class TrafficCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.admin = self.env.ref("base.user_admin")
        self.ours = self.account.with_user(self.admin)

    def traces(self, user=None):
        """What was recorded, in this order, as an administrator sees it."""
        self.env.invalidate_all()
        return self.env["campaign.master.trace"].with_user(user or self.admin).search([])[::-1]

    def in_all_companies(self):
        self.env.invalidate_all()
        return self.env["campaign.master.trace"].sudo().search([])

    def recorded(self):
        return [f"{trace.method} {trace.path} {trace.status}" for trace in self.traces()]

    def read_templates(self):
        """As the scheduled action does."""
        with self.account._client("catalog", QUICK) as client:
            return list(client.templates())

    def fail_to_read_templates(self):
        try:  # not assertRaises, which rolls back what the recorder has written
            self.read_templates()
        except CampaignMasterError:
            return
        self.fail("No error")

    def text(self):
        self.env.invalidate_all()
        return self.ours.traffic_file and self.ours._traffic_text()


class TestTrafficTrace(TrafficCase):
    def test_an_administrator_records_requests_and_responses(self):
        self.ours.action_record_traffic()
        self.ours.action_test_connection()
        self.assertEqual(
            self.recorded(),
            [
                "POST /authenticate 200",
                "GET /templates?page=1&pageSize=500 200",
                "GET /lists?page=1&pageSize=500 200",
            ],
        )
        login, templates, _lists = self.traces()
        self.assertEqual(login.sent, '{\n  "username": "***",\n  "password": "***"\n}')
        self.assertRegex(login.received, r'"token": "[a9_-]+"')
        self.assertFalse(templates.sent)
        self.assertRegex(templates.received, r"x-rate-limit-remaining: \d{4}\n")
        self.assertRegex(templates.received, r'"id": \d+,\n *"name": "aaaaaa"')
        self.assertEqual(templates.call, "GET /templates")
        self.assertEqual(self.ours.trace_count, 3)

    def test_a_whole_campaign_is_recorded_without_anybodys_data(self):
        self.sandbox.control("users", {"username": "demo", "password": PASSWORD})
        self.ours.password = PASSWORD
        self.ours.action_record_traffic()
        campaign = self.make_campaign()
        self.add(campaign, self.make_contacts("zoe@secret.example"))
        self.sync(campaign)
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref)
        self.refresh(campaign)
        self.pull()
        text = self.text()
        for call in (
            "POST /authenticate",
            "GET /campaigns?reference=aaaa-",
            "POST /campaigns\n",
            f"POST /lists/{self.list_ref}/recipients",
            f"GET /campaigns/{campaign.campaign_master_ref}/statistics",
            f"GET /campaigns/{campaign.campaign_master_ref}/activity?page=1&pageSize=1000",
            "since=9999-99-99T99:99:99Z",
        ):
            self.assertIn(call, text)
        self.assertIn('"email": "aaa@aaaaaa.aaaaaaa"', text)
        self.assertIn('"status": "added"', text)
        self.env.cr.execute("SELECT token FROM campaign_master_account_state")
        secrets = [PASSWORD, "zoe", "Spring", "Customers", *sum(self.env.cr.fetchall(), ())]
        for secret in secrets:
            self.assertNotIn(secret, text)
        self.env.cr.execute("SELECT campaign_master_trace::text FROM campaign_master_trace")
        for [row] in self.env.cr.fetchall():
            for secret in secrets:
                self.assertNotIn(secret, row)

    def test_without_a_recording_nothing_is_kept_or_prepared(self):
        with patch("odoo.addons.campaign_master.client.session.observe") as observe:
            self.read_templates()
            self.ours.action_test_connection()
        observe.assert_not_called()
        self.assertFalse(self.traces())
        self.assertFalse(self.ours.recording_until)

    def test_it_stops_by_itself_after_an_hour(self):
        before = fields.Datetime.now()
        self.ours.action_record_traffic()
        self.assertGreaterEqual(self.ours.recording_until, before + timedelta(hours=1))
        state = self.account.sudo().state_ids
        state.recording_until = before - timedelta(seconds=1)
        self.read_templates()
        self.assertFalse(self.traces())
        self.assertFalse(self.ours.recording_until)

    def test_it_can_be_stopped_and_keeps_what_it_has(self):
        self.ours.action_record_traffic()
        self.read_templates()
        self.ours.action_stop_recording()
        self.assertFalse(self.ours.recording_until)
        self.read_templates()
        self.assertEqual(len(self.traces()), 1)

    def test_it_stops_at_once_even_for_a_call_under_way(self):
        self.ours.action_record_traffic()
        send = Transport.send

        def stop_and_send(*args):
            self.ours.action_stop_recording()
            return send(*args)

        with patch.object(Transport, "send", stop_and_send):
            self.read_templates()
        self.assertFalse(self.traces())

    def test_another_recording_deletes_the_earlier_one(self):
        self.ours.action_record_traffic()
        self.read_templates()
        self.read_templates()
        self.ours.action_record_traffic()
        self.read_templates()
        self.assertEqual(len(self.traces()), 1)

    def test_failures_are_recorded(self):
        self.ours.action_record_traffic()
        self.sandbox.faults(
            {"kind": "500", "match": "GET /templates"},
            {"kind": "html", "match": "GET /templates"},
            {"kind": "reset-before", "match": "GET /templates"},
        )
        for _failure in range(3):
            self.fail_to_read_templates()
        error, html, lost = self.traces()
        self.assertEqual((error.status, error.problem), ("500", False))
        self.assertIn("Not JSON (text/html", html.received)
        self.assertEqual((lost.status, lost.problem), ("", "connection_lost"))
        self.assertIn("response: connection_lost", self.text())

    def test_a_refused_login_is_recorded(self):
        self.ours.password = "wrong"
        self.ours.action_record_traffic()
        self.ours.action_test_connection()
        self.assertEqual(self.recorded(), ["POST /authenticate 401"])

    def test_it_is_written_in_a_transaction_of_its_own(self):
        """So that it outlives the rollback of a caller whose call failed."""
        self.ours.action_record_traffic()
        cursors = []
        Trace = self.registry["campaign.master.trace"]
        keep = Trace._keep

        def spy(traces, values):
            cursors.append(traces.env.cr)
            return keep(traces, values)

        with patch.object(Trace, "_keep", spy):
            self.read_templates()
        [cursor] = cursors
        self.assertIsNot(cursor, self.env.cr)

    def test_a_recorder_that_fails_breaks_no_call(self):
        self.ours.action_record_traffic()
        Trace = self.registry["campaign.master.trace"]
        with (
            patch.object(Trace, "_keep", side_effect=ValueError(PASSWORD)),
            self.assertLogs("odoo.addons.campaign_master.client", logging.ERROR) as log,
        ):
            self.assertTrue(self.read_templates())
        self.assertNotIn(PASSWORD, "\n".join(log.output))

    def test_a_full_recording_counts_the_rest(self):
        for limit, value in (("MAX_EXCHANGES", 2), ("MAX_SIZE", 1_000)):
            with self.subTest(limit), patch.object(campaign_master_trace, limit, value):
                self.ours.action_record_traffic()
                for _call in range(5):
                    self.read_templates()
                kept = len(self.traces())
                self.assertTrue(0 < kept < 5, kept)
                self.assertLessEqual(sum(self.traces().mapped("size")), 1_000_000)
                self.assertIn(f"=== {5 - kept} more requests", self.text())

    def test_it_is_gone_after_a_day(self):
        self.ours.action_record_traffic()
        self.read_templates()
        self.read_templates()
        self.traces().sudo()[0].at = fields.Datetime.now() - timedelta(days=1, seconds=1)
        self.env["campaign.master.trace"].sudo()._gc_traces()
        self.assertEqual(len(self.traces()), 1)

    def test_it_is_deleted_with_its_account(self):
        self.ours.action_record_traffic()
        self.read_templates()
        self.account.sudo().unlink()
        self.assertFalse(self.in_all_companies())

    def test_a_neutralized_copy_has_no_traffic_and_records_none(self):
        self.ours.action_record_traffic()
        self.read_templates()
        with file_open("campaign_master/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.assertFalse(self.traces())
        self.assertFalse(self.ours.recording_until)

    def test_the_traffic_of_one_account_only_is_recorded(self):
        company = self.account.env["res.company"].create({"name": "Second Company"})
        self.sandbox.control("users", {"username": "two", "password": "secret"})
        self.env = self.account.env
        second = self.make_account(company, "two", "secret")
        self.ours.action_record_traffic()
        second.action_refresh_catalogue()
        with second._client("catalog", QUICK) as client:
            list(client.templates())
        self.assertFalse(self.in_all_companies())


class TestTrafficAccess(TrafficCase):
    """Traffic is for administrators of the account's company."""

    def setUp(self):
        super().setUp()
        self.ours.action_record_traffic()
        self.read_templates()
        self.trace = self.traces().sudo()
        self.assertEqual(len(self.trace), 1)

    def other_administrator(self):
        company = self.account.env["res.company"].create({"name": "Second Company"})
        return new_test_user(
            self.account.env,
            "other",
            "base.group_system",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )

    def test_nobody_else_reads_it(self):
        internal = new_test_user(self.account.env, "internal", "base.group_user")
        elsewhere = self.other_administrator()
        for user in (internal, self.marketer, elsewhere):
            with self.subTest(user.login):
                with self.assertRaises(AccessError):
                    self.trace.with_user(user).read(["received"])
        for user in (internal, self.marketer):
            with self.subTest(user.login):
                with self.assertRaises(AccessError):
                    self.traces(user)
        self.assertFalse(self.traces(elsewhere))

    def test_nobody_else_starts_stops_or_downloads_it(self):
        internal = new_test_user(self.account.env, "internal", "base.group_user")
        for user in (internal, self.marketer, self.other_administrator()):
            account = self.account.with_user(user)
            for action in ("record_traffic", "stop_recording", "download_traffic"):
                with self.subTest(f"{user.login}: {action}"):
                    with self.assertRaises(AccessError):
                        getattr(account, f"action_{action}")()
            for name in ("trace_ids", "trace_count", "recording_until", "traffic_file"):
                with self.subTest(f"{user.login}: {name}"):
                    with self.assertRaises(AccessError):
                        account.read([name])
        self.assertTrue(self.ours.recording_until)

    def test_nobody_changes_it(self):
        for user in (self.marketer, self.admin):
            trace = self.trace.with_user(user)
            for way in (
                lambda trace=trace: trace.write({"received": "?"}),
                lambda trace=trace: trace.copy(),
                lambda trace=trace: trace.create(
                    {"account_id": self.account.id, "at": "2026-01-01"}
                ),
                lambda trace=trace: trace.unlink(),
            ):
                with self.assertRaises(AccessError):
                    way()


@tagged("post_install", "-at_install")
class TestTrafficFile(TrafficCase, HttpCase):
    def test_an_administrator_downloads_one_text_file(self):
        self.ours.action_record_traffic()
        self.read_templates()
        self.authenticate("admin", "admin")
        url = self.ours.action_download_traffic()["url"]
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertIn("campaign_master_traffic.txt", response.headers["Content-Disposition"])
        self.assertIn("GET /templates?page=1&pageSize=500", response.text)

    @mute_logger("odoo.http")
    def test_nobody_else_downloads_it(self):
        self.ours.action_record_traffic()
        self.read_templates()
        url = self.ours.action_download_traffic()["url"]
        for login in ("marketer", None):
            self.authenticate(login, login)
            response = self.url_open(url)
            self.assertIn(response.status_code, (403, 404))
            self.assertNotIn("/templates", response.text)
