from datetime import timedelta

from odoo import fields

from .common import PASSWORD, USERNAME, CampaignMasterCase
from .test_settings import SettingsCase

CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-client-secret"}
BODY_ONLY = (
    "Sent in the request's body only, because headers take unaccented letters, digits and "
    "punctuation: "
)
UNDERSCORE = "because their names contain an underscore"


class TestLoginHints(SettingsCase):
    """What Test Connection says about how the login is sent."""

    def set_password(self, password):
        self.sandbox.control("users", {"username": USERNAME, "password": password})

    def test_a_password_that_no_header_can_carry_is_named_not_shown(self):
        for password in ("pässword", "пароль", "pass\tword"):
            with self.subTest(password):
                self.set_password(password)
                self.set_up(password=password)
                kind, message = self.press_test()
                self.assertEqual(kind, "success")
                self.assertIn(f"{BODY_ONLY}Password.", message)
                self.assertNotIn(password, message)

    def test_an_ordinary_login_has_no_hint(self):
        self.set_up()
        _kind, message = self.press_test()
        self.assertNotIn("header", message)

    def test_where_only_headers_are_read_the_refusal_names_it(self):
        self.sandbox.control("dialect", {"login": "headers"})
        self.set_password("pässword")
        self.set_up(password="pässword")
        kind, message = self.press_test()
        self.assertEqual(kind, "danger")
        self.assertIn("API user, with the API module switched on", message)
        self.assertIn(f"{BODY_ONLY}Password.", message)
        self.assertNotIn(UNDERSCORE, message)

    def test_all_values_are_named_that_no_header_can_carry(self):
        self.set_up(username="änn", password="pässword", client_id="cliënt", client_secret=" x ")
        _kind, message = self.press_test()
        self.assertIn(f"{BODY_ONLY}Username, Password, Client ID, Client Secret.", message)
        for value in ("pässword", "cliënt"):
            self.assertNotIn(value, message)

    def test_a_refused_client_id_names_the_proxy_that_may_drop_its_header(self):
        self.sandbox.control("dialect", {"clientId": True})
        for status in (401, 403, 500, 200):
            with self.subTest(status):
                self.sandbox.control("settings", {"loginRefusal": status})
                self.set_up(**CLIENT | {"client_secret": f"wrong {status}"})
                kind, message = self.press_test()
                self.assertEqual(kind, "danger")
                self.assertIn(UNDERSCORE, message)
                self.assertIn("API user", message)
                self.assertIn("API module", message)
        self.set_up(**CLIENT)
        kind, message = self.press_test()
        self.assertEqual(kind, "success")
        self.assertNotIn(UNDERSCORE, message)

    def test_without_a_client_id_no_header_has_an_underscore(self):
        self.set_up(password="wrong")
        self.assertNotIn(UNDERSCORE, self.press_test()[1])

    def test_an_outage_has_no_hint(self):
        self.set_up(**CLIENT)
        self.sandbox.faults({"kind": "503", "match": "POST /authenticate", "count": None})
        self.assertNotIn(UNDERSCORE, self.press_test()[1])

    def test_the_address_is_asked_for_with_its_path_at_the_support(self):
        for model, name in (
            ("campaign.master.account", "api_url"),
            ("res.config.settings", "campaign_master_api_url"),
        ):
            help_text = self.env[model].fields_get([name])[name]["help"]
            self.assertIn("with its path. Campaign Master's support can tell", help_text)
        view = self.env.ref("campaign_master.res_config_settings_view_form")
        field = view.arch.split('name="campaign_master_api_url"')[1]
        self.assertRegex(field.split("/>")[0], 'placeholder=".*path.*support')


class TestResumeAfterTheTest(CampaignMasterCase):
    """Syncs that wait because of a refused login continue as soon as a test succeeds."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_contacts("ann@example.com"))

    def refuse_logins(self, status):
        self.sandbox.control("users", {"username": USERNAME, "password": "changed there"})
        self.sandbox.control("end-tokens", {})
        self.sandbox.control("settings", {"loginRefusal": status})

    def press_test(self):
        """An administrator clicks Test Connection."""
        account = self.account.with_user(self.account.env.ref("base.user_admin"))
        kind = account.action_test_connection()["params"]["type"]
        self.env.invalidate_all()
        return kind

    def next_at(self):
        return self.syncs(self.campaign).next_at

    def test_at_once_not_at_their_hour(self):
        for status in (401, 403, 200):
            with self.subTest(status):
                self.refuse_logins(status)
                self.sync(self.campaign)
                self.assertEqual(self.campaign.campaign_master_sync_state, "running")
                self.assertGreater(self.next_at(), fields.Datetime.now())
                self.assertEqual(self.press_test(), "danger")
                self.assertGreater(self.next_at(), fields.Datetime.now())
                self.sandbox.control("users", {"username": USERNAME, "password": PASSWORD})
                self.assertEqual(self.press_test(), "success")
                self.assertLessEqual(self.next_at(), fields.Datetime.now())
                self.push()
                self.assertEqual(self.campaign.campaign_master_sync_state, "complete")
                self.campaign = self.make_campaign(title=f"After {status}")

    def test_also_if_the_login_works_and_the_rest_does_not(self):
        self.refuse_logins(403)
        self.sync(self.campaign)
        self.sandbox.control("users", {"username": USERNAME, "password": PASSWORD})
        self.sandbox.faults({"kind": "503", "match": "GET /templates", "count": None})
        self.assertEqual(self.press_test(), "danger")
        self.assertLessEqual(self.next_at(), fields.Datetime.now())

    def test_a_sync_that_waits_for_something_else_goes_on_waiting(self):
        self.sandbox.faults({"kind": "500", "match": "POST /lists"})
        self.sync(self.campaign)
        self.assertEqual(self.press_test(), "success")
        self.assertGreater(self.next_at(), fields.Datetime.now() + timedelta(seconds=30))

    def test_so_does_a_sync_that_waits_for_results(self):
        self.sandbox.control("dialect", {"later": True})
        self.sync(self.campaign)
        self.refuse_logins(401)
        self.pull()
        self.sandbox.control("users", {"username": USERNAME, "password": PASSWORD})
        self.assertEqual(self.press_test(), "success")
        self.account.sudo().password = PASSWORD
        self.assertGreater(self.next_at(), fields.Datetime.now() + timedelta(minutes=4))

    def test_statistics_are_read_soon_too(self):
        self.sync(self.campaign)
        self.refuse_logins(403)
        self.pull()
        self.sandbox.control("users", {"username": USERNAME, "password": PASSWORD})
        self.env["ir.cron.trigger"].sudo().search([]).unlink()
        self.press_test()
        crons = self.env["ir.cron.trigger"].sudo().search([]).cron_id
        self.assertIn(self.env.ref("campaign_master.ir_cron_pull_statistics"), crons)
