import logging

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tools import file_open

from .common import PASSWORD
from .test_access import AccessCase
from .test_settings import UNMISTAKABLE

# By model.
SECRETS = {
    "campaign.master.account": ("secret", "saved_client_secret", "login_version"),
    "campaign.master.account.state": ("token", "token_reset_at"),
}


class TestSecrets(AccessCase):
    """The password is write-only, and the token stays in the database."""

    def setUp(self):
        super().setUp()
        self.env.flush_all()
        self.ours = self.account.with_user(self.admin)
        self.states = self.account.sudo().state_ids
        # There is something to steal.
        self.assertTrue(self.secret())
        self.assertTrue(self.token())

    def secret(self):
        self.account.env.flush_all()
        self.env.cr.execute(
            "SELECT secret FROM campaign_master_account WHERE id = %s", [self.account.id]
        )
        return self.env.cr.fetchone()[0]

    def token(self):
        self.env.cr.execute(
            "SELECT token FROM campaign_master_account_state WHERE account_id = %s",
            [self.account.id],
        )
        return self.env.cr.fetchone()[0]

    def record(self, model):
        """The account or its state."""
        return self.account if model == self.account._name else self.states

    def assertOutOfReach(self, record, name, start):
        """The user of the record cannot read the field in any way.

        :param str start: what the field's value starts with
        """
        ways = {
            "read": lambda: record.read([name]),
            "web_read": lambda: record.web_read({name: {}}),
            "search_read": lambda: record.search_read([], [name]),
            "web_search_read": lambda: record.web_search_read([], {name: {}}),
            "export": lambda: record.export_data([name]),
            "mapped": lambda: record.mapped(name),
            "search": lambda: record.search([(name, "!=", False)]),
            "count": lambda: record.search_count([(name, "!=", False)]),
            "search by prefix": lambda: record.search([(name, "=like", f"{start}%")]),
            "filter": lambda: record.filtered_domain([(name, "=like", f"{start}%")]),
            "sort": lambda: record.search([], order=name),
            "group": lambda: record.formatted_read_group([], [name], []),
            "group by range": lambda: record._read_group([], [name]),
            "aggregate": lambda: record.formatted_read_group([], [], [f"{name}:count_distinct"]),
            "write": lambda: record.write({name: False}),
        }
        for way, reach in ways.items():
            with self.subTest(f"{record.env.user.login}: {way} {name}"):
                with self.assertRaises(AccessError):
                    reach()

    def test_the_password_reads_as_nothing(self):
        self.assertEqual(
            self.ours.read(["password", "has_password"]),
            [{"id": self.ours.id, "password": False, "has_password": True}],
        )
        self.assertFalse(self.ours.password)
        self.assertEqual(self.ours.export_data(["password"])["datas"], [[""]])
        self.assertFalse(self.ours.copy_data()[0].get("password"))
        everything = str(self.ours.read(list(self.ours.fields_get())))
        self.assertNotIn(self.token(), everything)

    def test_the_password_reads_as_nothing_after_it_was_written(self):
        self.ours.write({"password": UNMISTAKABLE})
        self.assertFalse(self.ours.password)
        self.assertEqual(self.secret(), UNMISTAKABLE)
        created = self.ours.web_save({"password": UNMISTAKABLE + "2"}, {"password": {}})
        self.assertNotIn(UNMISTAKABLE, str(created))

    def test_the_client_secret_reads_as_nothing(self):
        self.ours.write({"client_id": "client", "client_secret": UNMISTAKABLE})
        self.assertFalse(self.ours.client_secret)
        self.assertEqual(
            self.ours.read(["client_id", "client_secret", "has_client_secret"]),
            [
                {
                    "id": self.ours.id,
                    "client_id": "client",
                    "client_secret": False,
                    "has_client_secret": True,
                }
            ],
        )
        self.assertEqual(self.ours.export_data(["client_secret"])["datas"], [[""]])
        self.assertFalse(self.ours.copy_data()[0].get("client_secret"))
        everything = str(self.ours.read(list(self.ours.fields_get())))
        self.assertNotIn(UNMISTAKABLE, everything)
        again = {"client_secret": UNMISTAKABLE + "2"}
        self.assertNotIn(UNMISTAKABLE, str(self.ours.web_save(again, {"client_secret": {}})))

    def test_a_marketing_user_sees_nothing_of_the_login(self):
        account = self.account.with_user(self.marketer)
        for name in (
            *("username", "password", "has_password", "api_url", "state_ids"),
            *("client_id", "client_secret", "has_client_secret"),
        ):
            with self.subTest(name):
                self.assertNotIn(name, account.fields_get())
                with self.assertRaises(AccessError):
                    account.read([name])

    def test_nobody_reads_secret_and_token_in_any_way(self):
        internal = self.as_user("base.group_user", "sales_team.group_sale_manager")
        for user in (internal, self.marketer, self.admin):
            user.sudo().group_ids += self.env.ref("base.group_allow_export").sudo()
            for model, names in SECRETS.items():
                record = self.record(model).with_user(user)
                for name in names:
                    self.assertOutOfReach(record, name, "d")
                    if user == self.admin:
                        self.assertNotIn(name, record.fields_get())

    def ways_through_others(self, user, path):
        """Ways from campaigns and templates to a field of the account."""
        user.sudo().group_ids += self.env.ref("base.group_allow_export").sudo()
        campaigns = self.env["utm.campaign"].with_user(user)
        template = self.template.with_user(user)
        from_campaign = f"campaign_master_account_id.{path}"
        return {
            "search campaigns": lambda: campaigns.search([(from_campaign, "!=", False)]),
            "group campaigns": lambda: campaigns._read_group([], [from_campaign]),
            "export templates": lambda: template.export_data(
                [f"account_id/{path.replace('.', '/')}"]
            ),
            "read templates": lambda: template.web_read(
                {"account_id": {"fields": {path.split(".")[0]: {}}}}
            ),
        }

    def test_nobody_reads_secret_and_token_through_other_records(self):
        for user in (self.marketer, self.admin):
            for path in ("secret", "saved_client_secret", "state_ids.token", "login_version"):
                for way, reach in self.ways_through_others(user, path).items():
                    with self.subTest(f"{user.login}: {way} {path}"):
                        self.assertRefused(reach)

    def test_nobody_changes_what_the_ledger_and_the_scheduled_actions_write(self):
        campaign = self.synced_campaign()
        internal = self.as_user("base.group_user", "sales_team.group_sale_manager")
        rows = (
            (self.states, {"account_id": self.account.id}, {"month_calls": 0}),
            (self.work(campaign), {"campaign_id": campaign.id}, {"next_poll_at": False}),
            (self.syncs(campaign), {"campaign_id": campaign.id}, {"state": "failed"}),
        )
        for user in (internal, self.marketer, self.admin):
            for row, key, values in rows:
                self.assertEqual(len(row), 1)
                row = row.with_user(user)
                with self.subTest(f"{user.login}: write {row._name}"):
                    with self.assertRaises(AccessError):
                        row.write(values)
                with self.subTest(f"{user.login}: create {row._name}"):
                    with self.assertRaises(AccessError):
                        row.create({**key, **values})
                with self.subTest(f"{user.login}: delete {row._name}"):
                    with self.assertRaises(AccessError):
                        row.unlink()
            with self.subTest(f"{user.login}: by way of the account"):
                with self.assertRaises(AccessError):
                    self.account.with_user(user).write(
                        {"state_ids": [Command.update(self.states.id, {"month_calls": 0})]}
                    )
            with self.subTest(f"{user.login}: by way of the campaign"):
                with self.assertRaises(AccessError):
                    campaign.with_user(user).write(
                        {
                            "campaign_master_campaign_ids": [
                                Command.update(self.work(campaign).id, {"next_poll_at": False})
                            ]
                        }
                    )

    def test_the_version_of_the_login_cannot_be_turned_back(self):
        """The token of the first server would be sent to the second one."""
        before = self.account.sudo().login_version
        self.ours.write({"api_url": "https://elsewhere.example.com", "password": "another"})
        with self.assertRaises(AccessError):
            self.ours.write({"login_version": before})
        self.assertIsNone(self.account._ledger().token())

    def test_the_password_cannot_be_searched_for(self):
        for operator in ("=", "=like"):
            with self.subTest(operator):
                try:
                    found = self.ours.search([("password", operator, PASSWORD)])
                    other = self.ours.search([("password", operator, "nonsense")])
                except (AccessError, ValueError, UserError, NotImplementedError):
                    continue
                self.assertEqual(found, other, "A search tells a right guess from a wrong one")

    def test_no_log_line_has_the_password_or_the_token(self):
        self.sandbox.control("users", {"username": "demo", "password": UNMISTAKABLE})
        self.account.password = UNMISTAKABLE
        lines = []

        class Keep(logging.Handler):
            def emit(self, record):
                lines.append(logging.Formatter().format(record))

        logger = logging.getLogger("odoo.addons.campaign_master")
        keep, level = Keep(logging.DEBUG), logger.level
        logger.addHandler(keep)
        self.addCleanup(logger.setLevel, level)
        self.addCleanup(logger.removeHandler, keep)
        logger.setLevel(logging.DEBUG)

        self.account.action_test_connection()
        campaign = self.synced_campaign()
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref)
        self.pull()
        tokens = {self.token()}
        self.sandbox.control("end-tokens", {})
        self.pull()
        tokens.add(self.token())
        self.assertEqual(len(tokens), 2)
        self.sandbox.control("end-tokens", {})
        self.sandbox.control("users", {"username": "demo", "password": "another"})
        self.refresh(campaign)
        activities = self.account.activity_ids
        self.assertTrue(activities)
        said = [
            self.account.with_user(self.admin).action_test_connection()["params"]["message"],
            campaign.campaign_master_progress()["refresh_message"],
            campaign.campaign_master_sync_message,
            *activities.mapped("note"),
        ]
        self.assertRegex(said[0], "refused the username or password")
        self.assertRegex(said[1], "refused the username or password")
        self.assertGreater(len(lines), 10, "Nothing was logged, so this test shows nothing")
        for text in [*lines, *said]:
            for secret in (UNMISTAKABLE, *tokens):
                self.assertNotIn(secret, text)


class TestNeutralized(AccessCase):
    """A copy of the database never calls Campaign Master."""

    def test_a_neutralized_copy_has_no_login_and_calls_nobody(self):
        campaign = self.synced_campaign()
        self.account.sudo().write({"client_id": "client", "client_secret": "secret"})
        self.env.flush_all()
        with file_open("campaign_master/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.env.cr.execute(
            "SELECT enabled, secret, client_id, saved_client_secret FROM campaign_master_account"
        )
        self.assertEqual(set(self.env.cr.fetchall()), {(False, None, None, None)})
        self.env.cr.execute("SELECT token, token_reset_at FROM campaign_master_account_state")
        self.assertEqual(set(self.env.cr.fetchall()), {(None, None)})
        before = self.sandbox.calls()
        with self.assertRaisesRegex(UserError, "not enabled"):
            self.press(campaign)
        with self.assertRaisesRegex(UserError, "not enabled"):
            self.press(campaign, "refresh_statistics")
        self.push()
        self.pull()
        self.run_cron("refresh_catalogue")
        self.assertEqual(self.sandbox.calls(), before)
