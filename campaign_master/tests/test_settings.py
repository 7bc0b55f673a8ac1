from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form

from ..models import campaign_master_account_catalog
from ..models.campaign_master_account import INTERACTIVE
from ..tools import utcnow
from .common import PASSWORD, USERNAME, CampaignMasterCase, Sandbox

# A password that appears in a text only if it leaked.
UNMISTAKABLE = "Rumpelstilzchen-4711"
MENU_GROUP = "mass_mailing.group_mass_mailing_campaign"


class SettingsCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.admin = self.account.env.ref("base.user_admin")
        # A company that has no account yet.
        self.company = self.account.env["res.company"].create({"name": "Newcomer"})
        self.admin.company_ids += self.company
        self.env = self.account.env(
            user=self.admin,
            su=False,
            context={**self.account.env.context, "allowed_company_ids": self.company.ids},
        )

    @contextmanager
    def refused(self, exception, because):
        """What is done inside is refused and, as after any refused request, rolled back."""
        with self.assertRaises(exception) as caught:
            yield
        self.assertRegex(str(caught.exception), because)

    def settings(self, **values):
        """The settings form of the company, filled in but not saved."""
        return self.env["res.config.settings"].create(
            {f"campaign_master_{name}": value for name, value in values.items()}
        )

    def save(self, **values):
        """Fill in the settings form and click Save."""
        settings = self.settings(**values)
        settings.execute()
        return settings

    def saved(self):
        return self.env["campaign.master.account"].search([("company_id", "=", self.company.id)])

    def set_up(self, **values):
        self.save(
            **{
                "enabled": True,
                "username": USERNAME,
                "password": PASSWORD,
                "api_url": self.sandbox.url,
                **values,
            }
        )
        return self.saved()

    def secret(self):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT secret FROM campaign_master_account WHERE company_id = %s", [self.company.id]
        )
        [row] = self.env.cr.fetchall()
        return row[0]

    def press_test(self):
        """What Test Connection says, and how."""
        settings = self.settings()
        params = settings.action_campaign_master_test_connection()["params"]
        return params["type"], params["message"]


class TestSaving(SettingsCase):
    """What Save does."""

    def test_enabled_without_a_username_is_refused_and_nothing_is_saved(self):
        for values in (
            {"password": PASSWORD},
            {"password": PASSWORD, "username": ""},
        ):
            with self.refused(ValidationError, "Enter the username"):
                self.save(enabled=True, api_url=self.sandbox.url, **values)
            self.assertFalse(self.saved())

    def test_enabled_without_a_password_is_refused_and_nothing_is_saved(self):
        with self.refused(ValidationError, "Enter the password"):
            self.save(enabled=True, username=USERNAME, api_url=self.sandbox.url)
        self.assertFalse(self.saved())

    def test_taking_the_username_away_is_refused_while_enabled(self):
        account = self.set_up()
        with self.refused(ValidationError, "Enter the username"):
            self.save(username="")
        self.assertEqual(account.username, USERNAME)
        self.save(username="", enabled=False)
        self.assertFalse(account.enabled)

    def test_the_first_save_creates_the_account_of_this_company(self):
        account = self.set_up()
        self.assertEqual(len(account), 1)
        self.assertTrue(account.enabled)
        self.assertEqual(account.username, USERNAME)
        self.assertEqual(account.api_url, self.sandbox.url)
        self.assertEqual(self.secret(), PASSWORD)
        self.assertEqual(account.company_id, self.company)
        self.assertEqual(account.display_name, "Newcomer")

    def test_the_form_itself_saves_and_shows_what_was_saved(self):
        with Form(self.env["res.config.settings"]) as form:
            self.assertFalse(form.campaign_master_enabled)
            self.assertEqual(form.campaign_master_api_url, "https://api.campaignmaster.co.uk")
            form.campaign_master_enabled = True
            form.campaign_master_username = USERNAME
            form.campaign_master_password = PASSWORD
            form.campaign_master_api_url = self.sandbox.url
        form.record.execute()
        self.assertEqual(self.secret(), PASSWORD)
        shown = Form(self.env["res.config.settings"])
        self.assertTrue(shown.campaign_master_enabled)
        self.assertEqual(shown.campaign_master_username, USERNAME)
        self.assertEqual(shown.campaign_master_api_url, self.sandbox.url)
        self.assertFalse(shown.campaign_master_password)

    def test_saving_other_settings_makes_no_account(self):
        self.save()
        self.assertFalse(self.saved())

    def test_saving_enabled_shows_the_campaigns_menu_though_its_box_is_not_ticked(self):
        user_group, menu_group = self.env.ref("base.group_user"), self.env.ref(MENU_GROUP)
        user_group.sudo()._remove_group(menu_group.sudo())
        self.assertNotIn(menu_group, user_group.all_implied_ids)
        settings = self.settings(
            enabled=True, username=USERNAME, password=PASSWORD, api_url=self.sandbox.url
        )
        settings.group_mass_mailing_campaign = False
        settings.execute()
        self.env.invalidate_all()
        self.assertIn(menu_group, user_group.all_implied_ids)
        self.assertTrue(self.marketer.has_group(MENU_GROUP))
        menu = self.env.ref("mass_mailing.menu_email_campaigns")
        self.assertIn(menu.id, self.env(user=self.marketer)["ir.ui.menu"]._visible_menu_ids())

    def test_the_menu_stays_at_a_later_save_with_its_box_unticked(self):
        self.set_up()
        settings = self.settings()
        self.assertTrue(settings.campaign_master_enabled)
        settings.group_mass_mailing_campaign = False
        settings.execute()
        self.env.invalidate_all()
        self.assertTrue(self.marketer.has_group(MENU_GROUP))

    def test_an_empty_password_keeps_the_saved_one(self):
        account = self.set_up()
        self.save(username="somebody", password="")
        self.assertEqual(account.username, "somebody")
        self.assertEqual(self.secret(), PASSWORD)
        self.save(username="somebody", password=False)
        account.write({"password": ""})
        self.assertEqual(self.secret(), PASSWORD)
        self.save(password="another")
        self.assertEqual(self.secret(), "another")

    def test_another_address_without_the_password_is_refused(self):
        account = self.set_up()
        with self.refused(ValidationError, "password again"):
            self.save(api_url="https://elsewhere.example.com")
        with self.refused(ValidationError, "password again"):
            account.write({"api_url": "https://elsewhere.example.com"})
        account.invalidate_recordset()
        self.assertEqual(account.api_url, self.sandbox.url)

    def client_secret(self):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT client_id, saved_client_secret FROM campaign_master_account"
            " WHERE company_id = %s",
            [self.company.id],
        )
        [row] = self.env.cr.fetchall()
        return row

    def test_a_client_id_and_its_secret_are_saved_and_the_secret_is_not_shown(self):
        account = self.set_up(client_id="client", client_secret=UNMISTAKABLE)
        self.assertEqual(self.client_secret(), ("client", UNMISTAKABLE))
        shown = Form(self.env["res.config.settings"])
        self.assertEqual(shown.campaign_master_client_id, "client")
        self.assertFalse(shown.campaign_master_client_secret)
        self.assertTrue(shown.campaign_master_has_client_secret)
        with account._client("catalog", INTERACTIVE) as client:
            login = client._session._login_call
        self.assertEqual(login.headers["client_id"], "client")
        self.assertEqual(login.headers["client_secret"], UNMISTAKABLE)

    def test_without_a_client_id_none_is_sent(self):
        account = self.set_up()
        with account._client("catalog", INTERACTIVE) as client:
            self.assertEqual({*client._session._login_call.headers}, {"username", "password"})

    def test_an_empty_client_secret_keeps_the_saved_one_until_the_client_id_is_cleared(self):
        account = self.set_up(client_id="client", client_secret="secret")
        self.save(client_id="other", client_secret="")
        account.write({"client_secret": False})
        self.assertEqual(self.client_secret(), ("other", "secret"))
        self.save(client_id="")
        self.assertEqual(self.client_secret()[1], None)
        self.assertFalse(account.has_client_secret)

    def test_another_client_id_or_secret_is_another_login(self):
        account = self.set_up()
        version = account.sudo().login_version
        for number, values in enumerate(
            ({"client_id": "client"}, {"client_secret": "secret"}, {"client_id": ""}), 1
        ):
            account.write(values)
            self.assertEqual(account.sudo().login_version, version + number, values)

    def test_another_address_asks_for_password_and_client_secret(self):
        account = self.set_up(client_id="client", client_secret="secret")
        other = "https://elsewhere.example.com"
        for values in ({}, {"password": "another"}, {"client_secret": "another"}):
            with self.refused(ValidationError, "password and the client secret again"):
                self.save(api_url=other, **values)
        account.invalidate_recordset()
        self.assertEqual(account.api_url, self.sandbox.url)
        self.save(api_url=other, password="another", client_secret="another")
        self.assertEqual(account.api_url, other)
        # Without a client ID, no client secret is sent anywhere.
        self.save(api_url=self.sandbox.url, password="another", client_id="")
        self.assertEqual(account.api_url, self.sandbox.url)

    def test_another_address_with_the_password_is_accepted(self):
        account = self.set_up()
        self.save(api_url="https://elsewhere.example.com", password="another")
        self.assertEqual(account.api_url, "https://elsewhere.example.com")
        self.assertEqual(self.secret(), "another")

    def test_an_address_that_cannot_be_used_is_refused(self):
        account = self.set_up()
        for address in (
            "http://api.example.com",
            "http://192.168.1.7:8080",
            "http://localhost.example.com",
            "https://me:secret@api.example.com",
            "ftp://api.example.com",
            "api.example.com",
        ):
            with self.subTest(address), self.refused(ValidationError, "https://"):
                self.save(api_url=address, password=PASSWORD)
        with self.refused(ValidationError, "address"):
            self.save(api_url="", password=PASSWORD)
        account.invalidate_recordset()
        self.assertEqual(account.api_url, self.sandbox.url)

    def test_one_company_has_one_account(self):
        first = self.set_up()
        self.save(username="somebody")
        self.assertEqual(self.saved(), first)
        self.assertEqual(self.account.sudo().username, USERNAME, "The other company's account")

    def test_disabling_keeps_the_login_and_stops_the_calls(self):
        account = self.set_up()
        self.save(enabled=False)
        self.assertFalse(account.enabled)
        self.assertEqual(self.secret(), PASSWORD)
        with self.refused(UserError, "not enabled"):
            account.action_refresh_catalogue()

    def test_the_form_keeps_no_password_in_the_database(self):
        self.set_up(password=UNMISTAKABLE, client_secret=UNMISTAKABLE)
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM res_config_settings")
        self.assertNotIn(UNMISTAKABLE, str(self.env.cr.fetchall()))

    def test_a_form_that_was_not_saved_yet_shows_no_password(self):
        """The web client makes the form's row first, then saves: the row is seen in between."""
        settings = self.settings(username=USERNAME, password=UNMISTAKABLE)
        self.assertNotIn(UNMISTAKABLE, str(settings.read()))
        settings.write({"campaign_master_password": UNMISTAKABLE})
        settings.write({"campaign_master_client_secret": UNMISTAKABLE})
        self.assertNotIn(UNMISTAKABLE, str(settings.read()))
        for column in (
            "campaign_master_secret",
            "campaign_master_password",
            "campaign_master_entered_client_secret",
            "campaign_master_client_secret",
        ):
            with self.subTest(column):
                try:
                    found = settings.search([(column, "=like", UNMISTAKABLE[:3] + "%")])
                    other = settings.search([(column, "=like", "nonsense%")])
                except (AccessError, ValueError, UserError, NotImplementedError):
                    continue
                self.assertEqual(found, other, "A search tells a right guess from a wrong one")

    def test_only_an_administrator_comes_to_the_settings(self):
        with self.assertRaises(AccessError):
            self.env["res.config.settings"].with_user(self.marketer).create(
                {"campaign_master_enabled": True}
            ).execute()
        with self.assertRaises(AccessError):
            self.account.with_user(self.marketer).write({"enabled": False})


class TestTestConnection(SettingsCase):
    """What Test Connection says."""

    def test_before_anything_is_saved_it_asks_to_save(self):
        with self.refused(ValidationError, "save before testing"):
            self.press_test()

    def test_it_shows_the_user_and_the_number_of_templates_and_lists(self):
        self.sandbox.template("Autumn")
        self.set_up()
        kind, message = self.press_test()
        self.assertEqual(kind, "success")
        self.assertIn(f"Logged in to {self.sandbox.url} as {USERNAME}.", message)
        self.assertIn("Templates: 2. Lists: 1.", message)
        self.assertNotIn("Tick Enabled", message)

    def test_it_works_before_enabling_and_says_that_it_is_not_enabled(self):
        self.set_up(enabled=False)
        kind, message = self.press_test()
        self.assertEqual(kind, "success")
        self.assertIn("Tick Enabled", message)

    def test_a_wrong_password_is_shown(self):
        self.set_up(password="wrong")
        kind, message = self.press_test()
        self.assertEqual(kind, "danger")
        self.assertIn("refused the username or password", message)
        self.assertNotIn("Logged in", message)

    def test_an_account_with_a_refused_password_is_paused_until_a_test_succeeds(self):
        account = self.set_up(password="wrong")
        self.account.sudo().enabled = False
        self.press_test()
        self.env.invalidate_all()
        self.assertTrue(account.login_refused_at)
        before = self.sandbox.calls()
        self.run_cron("refresh_catalogue")
        self.assertEqual(self.sandbox.calls(), before, "It tried a password known to be wrong")
        # Campaign Master's user gets this password after all.
        self.sandbox.control("users", {"username": USERNAME, "password": "wrong"})
        kind, _message = self.press_test()
        self.assertEqual(kind, "success")
        self.env.invalidate_all()
        self.assertFalse(account.login_refused_at)

    def test_an_outage_is_shown(self):
        stopped = Sandbox()
        self.set_up(api_url=stopped.url)
        self.assertEqual(self.press_test()[0], "success")
        stopped.stop()
        kind, message = self.press_test()
        self.assertEqual(kind, "danger")
        self.assertIn("could not be reached", message)
        self.assertNotIn("Logged in", message)

    def test_a_login_that_works_is_shown_although_the_rest_fails(self):
        for fault, words in (
            ({"kind": "503", "match": "GET /templates"}, "reports a technical problem"),
            ({"kind": "reset-before", "match": "GET /templates"}, "could not be reached"),
            ({"kind": "html", "match": "GET /templates"}, "does not understand"),
            ({"kind": "badjson", "match": "GET /lists"}, "does not understand"),
            ({"kind": "429:1800", "match": "GET /lists"}, "hourly limit of API calls is reached"),
            ({"kind": "429-month", "match": "GET /lists"}, "monthly limit of API calls is reached"),
        ):
            with self.subTest(str(fault)):
                self.sandbox.reset()
                self.saved().unlink()
                self.set_up()
                self.sandbox.faults({"count": None, **fault})
                kind, message = self.press_test()
                self.assertEqual(kind, "danger")
                self.assertIn(f"Logged in to {self.sandbox.url} as {USERNAME}.", message)
                self.assertIn(words, message)

    def test_a_reached_limit_is_shown_again_without_another_call(self):
        self.set_up()
        self.sandbox.faults({"kind": "429:1800", "match": "GET /lists"})
        self.press_test()
        before = self.sandbox.calls()
        kind, message = self.press_test()
        self.assertEqual(kind, "danger")
        self.assertIn("hourly limit of API calls is reached", message)
        self.assertEqual(self.sandbox.calls("GET /templates"), before.get("GET /templates"))

    def test_a_wrong_address_is_shown(self):
        self.set_up()
        for match in ("POST /authenticate", "GET /templates"):
            with self.subTest(match):
                self.sandbox.faults({"kind": "404", "match": match})
                kind, message = self.press_test()
                self.assertEqual(kind, "danger")
                self.assertIn("API address", message)
                self.assertNotIn("deleted", message)


class TestLoginVersion(SettingsCase):
    """A token or a refusal belongs to the login that it was made with."""

    def setUp(self):
        super().setUp()
        self.login = self.set_up()
        self.press_test()
        self.env.invalidate_all()

    def changes(self):
        self.sandbox.control("users", {"username": "second", "password": PASSWORD})
        other = Sandbox()
        self.addCleanup(other.stop)
        return {
            "username": {"username": "second"},
            "password": {"password": "changed"},
            "address": {"api_url": other.url, "password": PASSWORD, "username": USERNAME},
        }

    def state(self):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.login.sudo().state_ids

    def test_the_token_of_the_previous_login_is_not_used(self):
        for changed, values in self.changes().items():
            with self.subTest(changed):
                before = self.state().token
                self.assertTrue(before)
                ledger = self.login._ledger()
                self.assertEqual(ledger.token(), before)
                self.login.write(values)
                self.assertIsNone(self.login._ledger().token())
                calls = self.sandbox.calls("POST /authenticate")
                kind, _message = self.press_test()
                if changed == "password":
                    self.assertEqual(kind, "danger", "Campaign Master has another password")
                    self.assertEqual(self.sandbox.calls("POST /authenticate"), calls + 1)
                    self.login.write({"password": PASSWORD})
                    kind, _message = self.press_test()
                self.assertEqual(kind, "success")
                self.assertNotEqual(self.state().token, before)

    def test_saving_the_same_settings_again_keeps_the_token(self):
        before = self.state().token
        self.save(username=USERNAME, api_url=self.sandbox.url, password="")
        self.login.write({"enabled": False})
        self.login.write({"enabled": True})
        self.assertEqual(self.state().token, before)
        self.assertEqual(self.login._ledger().token(), before)

    def test_a_late_refusal_of_the_previous_login_does_not_pause_the_present_one(self):
        for changed, values in self.changes().items():
            with self.subTest(changed):
                late = self.login._ledger()
                self.login.write(values)
                late._store_login(token=None, refused_at=utcnow())
                self.env.invalidate_all()
                self.assertFalse(self.login.login_refused_at)
                self.assertFalse(self.state()._is_login_refused())
                self.assertFalse(self.login._ledger(background=True)._read_refusal()[0])
                # And once the present login has a token.
                present = self.login._ledger()
                present._store_login(token="present", refused_at=None)
                late._store_login(token=None, refused_at=utcnow())
                late._store_login(token="late", refused_at=None)
                self.assertEqual(present.token(), "present")
                self.assertEqual(self.state().token, "present")
                self.env.invalidate_all()
                self.assertFalse(self.login.login_refused_at)

    def test_a_refusal_of_the_present_login_pauses_it_until_it_is_changed(self):
        self.login._ledger()._store_login(token=None, refused_at=utcnow())
        self.env.invalidate_all()
        self.assertTrue(self.login.login_refused_at)
        self.assertTrue(self.state()._is_login_refused())
        self.login.write({"password": PASSWORD})
        self.assertFalse(self.login.login_refused_at)
        self.assertFalse(self.state()._is_login_refused())

    def test_limits_and_counted_calls_belong_to_the_account(self):
        names = ("hour_limit", "hour_remaining", "hour_reset_at", "month", "month_calls")
        for changed, values in self.changes().items():
            with self.subTest(changed):
                [before] = self.state().read(names)
                self.assertTrue(all(before.values()))
                calls = self.login.calls_this_month, self.login.calls_this_hour
                self.login.write(values)
                self.login._ledger()._store_login(token=None, refused_at=utcnow())
                self.assertEqual(self.state().read(names), [before])
                self.assertEqual((self.login.calls_this_month, self.login.calls_this_hour), calls)


class TestSchedule(SettingsCase):
    """The settings say what runs when."""

    def test_the_schedule_names_each_scheduled_action_and_when_it_runs(self):
        self.set_up()
        schedule = str(self.settings().campaign_master_schedule)
        for name in ("pull_statistics", "push_recipients", "refresh_catalogue"):
            cron = self.env.ref(f"campaign_master.ir_cron_{name}")
            self.assertIn(cron.name.removeprefix("Campaign Master: "), schedule)
        cron = self.env.ref("campaign_master.ir_cron_pull_statistics")
        self.assertEqual((cron.interval_number, cron.interval_type), (30, "minutes"))
        cron.active = False
        self.assertIn("Inactive", str(self.settings().campaign_master_schedule))

    def test_the_schedule_changes_when_a_scheduled_action_ran(self):
        self.set_up()
        crons = self.env["ir.cron"].browse(
            self.env.ref(f"campaign_master.ir_cron_{name}").id
            for name in ("pull_statistics", "push_recipients", "refresh_catalogue")
        )
        crons.lastcall = False
        before = str(self.settings().campaign_master_schedule)
        self.assertEqual(before.count("Never"), 3)
        crons[0].lastcall = "2031-05-06 07:08:09"
        after = str(self.settings().campaign_master_schedule)
        self.assertEqual(after.count("Never"), 2)
        self.assertIn("2031", after)


class TestNotice(CampaignMasterCase):
    """The form shows that templates and lists may be outdated, only when they may be."""

    def open_form(self):
        """Open a form, run the scheduled action, and return the notice a minute later."""
        account = self.account.with_env(self.env)
        account.sudo().state_ids.catalog_requested_at = False
        self.env.flush_all()
        self.assertTrue(account.request_catalog()["requested"])
        self.run_cron("refresh_catalogue")
        with patch.object(
            campaign_master_account_catalog, "REFRESH_TIMEOUT", -timedelta(minutes=1)
        ):
            return account.catalog_state()["notice"]

    def test_no_notice_is_shown_after_a_response(self):
        self.assertEqual([self.open_form() for _time in range(6)], [False] * 6)

    def test_a_notice_is_shown_without_a_response(self):
        self.sandbox.faults({"match": "GET /templates", "kind": "500", "count": None})
        self.assertIn("could not be reached", self.open_form())
