import logging
import re

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import file_open

from .common import PASSWORD, CampaignMasterCase

FIGURES = (
    "campaign_master_sent",
    "campaign_master_delivered",
    "campaign_master_hard_bounces",
    "campaign_master_soft_bounces",
    "campaign_master_bounces",
    "campaign_master_rejected",
    "campaign_master_total_bounces",
    "campaign_master_sent_to",
    "campaign_master_successful",
    "campaign_master_opens",
    "campaign_master_unique_opens",
    "campaign_master_clicks",
    "campaign_master_unique_clicks",
    "campaign_master_unique_opens_by_people",
    "campaign_master_unique_clicks_by_people",
    "campaign_master_forwards",
    "campaign_master_unique_forwards",
    "campaign_master_unsubscribes",
    "campaign_master_complaints",
    "campaign_master_delivered_rate",
    "campaign_master_open_rate",
    "campaign_master_click_rate",
    "campaign_master_clicked_rate",
    "campaign_master_open_rate_by_people",
    "campaign_master_clicked_rate_by_people",
    "campaign_master_click_to_open_rate",
    "campaign_master_bounce_rate",
    "campaign_master_unsubscribe_rate",
)
# What only Campaign Master may change, with a value to try.
IMPORTABLE = {
    **dict.fromkeys(FIGURES, 7),
    "campaign_master_ref": "999",
    "campaign_master_remote_status": "sent",
    "campaign_master_sent_at": "2020-01-01 00:00:00",
    "campaign_master_synced_at": "2020-01-01 00:00:00",
    "campaign_master_statistics_at": "2020-01-01 00:00:00",
    "campaign_master_sync_state": "complete",
    "campaign_master_state": "sent",
    "campaign_master_sync_message": "All is well",
    "campaign_master_recipient_count": 7,
}
PROTECTED = {
    **IMPORTABLE,
    "campaign_master_company_id": 1,
    "campaign_master_synced_by_id": 2,
    "campaign_master_outcome": {"added": 7},
    "campaign_master_unreported": ["campaign_master_opens"],
}
# Computed when they are read.
NOT_STORED = (
    "campaign_master_has_tracked_links",
    "campaign_master_is_sent",
    "campaign_master_next_poll_at",
    "campaign_master_opted_out_count",
    "campaign_master_sync_status",
)
BLOCK = (
    "campaign_master_account_id",
    "campaign_master_subject",
    "campaign_master_template_id",
    "campaign_master_list_id",
    "campaign_master_from_name",
    "campaign_master_from_email",
    "campaign_master_reply_to",
)
# By model.
SECRETS = {
    "campaign.master.account": ("secret", "saved_client_secret", "login_version"),
    "campaign.master.account.state": ("token", "token_reset_at"),
}
# A password that appears in a text only if it leaked.
UNMISTAKABLE = "Rumpelstilzchen-4711"


class AccessCase(CampaignMasterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.env.ref("base.user_admin")

    def as_user(self, *groups, **values):
        return new_test_user(
            self.account.env, "somebody", ",".join(groups), name="Sam Somebody", **values
        )

    def make_leads(self, *emails, **values):
        return self.env["crm.lead"].create(
            [{"name": f"Lead {email}", "email_from": email, **values} for email in emails]
        )

    def synced_campaign(self, people=None, **values):
        campaign = self.make_campaign(**values)
        self.add(campaign, people or self.make_contacts("ann@example.com"))
        self.sync(campaign)
        self.assertEqual(campaign.campaign_master_sync_state, "complete")
        return campaign

    def assertRefused(self, reach):
        """The function raises an AccessError, or cannot be expressed at all."""
        try:
            reach()
        except (AccessError, ValueError):
            return
        self.fail("Not refused")

    def assertNotLoaded(self, model, names, row, because):
        """The import takes nothing and says why."""
        result = model.load(list(names), [list(row)])
        self.assertFalse(result["ids"], "Something was imported")
        self.assertRegex(" ".join(message["message"] for message in result["messages"]), because)


class TestEmailMarketingAlone(AccessCase):
    """A user with Email Marketing, but without sales."""

    def setUp(self):
        super().setUp()
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.make_leads("lea@example.com"))
        self.add(self.campaign, self.make_contacts("ann@example.com"))
        self.user = self.as_user("mass_mailing.group_mass_mailing_user")
        self.mine = self.campaign.with_user(self.user)

    def test_somebody_without_leads_sees_no_leads_among_the_recipients(self):
        lines = self.env["campaign.master.recipient"].with_user(self.user)
        self.assertEqual(
            lines.search([("campaign_id", "=", self.campaign.id)]).mapped("email"),
            ["ann@example.com"],
        )
        self.assertFalse(self.mine.campaign_master_sees_leads)
        self.assertTrue(self.campaign.campaign_master_sees_leads)
        lead_line = self.lines(self.campaign).filtered("lead_id")
        with self.assertRaises(AccessError):
            lead_line.with_user(self.user).read(["email"])

    def test_somebody_without_leads_cannot_add_leads(self):
        lead = self.make_leads("lou@example.com")
        with self.assertRaises(AccessError):
            self.add(self.mine, lead)
        with self.assertRaises(AccessError):
            self.mine.campaign_master_add_recipients("crm.lead", [])
        self.assertEqual(len(self.lines(self.campaign)), 2)

    def test_sync_and_pull_of_somebody_without_leads_cover_the_leads(self):
        self.sync(self.mine)
        self.assertEqual(
            sorted(self.sandbox.members(self.list_ref)), ["ann@example.com", "lea@example.com"]
        )
        ref = self.campaign.campaign_master_ref
        self.sandbox.send(ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{ref}/activity", {"email": "lea@example.com", "kind": "click", "times": 3}
        )
        self.refresh(self.mine)
        self.assertEqual(self.campaign.campaign_master_sent, 2)
        lead_line = self.lines(self.campaign).filtered("lead_id")
        self.assertEqual(lead_line.sync_state, "added")
        self.assertGreaterEqual(lead_line.click_count, 3)
        self.assertEqual(
            lead_line.lead_id.campaign_master_click_count,
            lead_line.click_count,
        )


class TestSalesmanOfOwnLeads(AccessCase):
    """A user with Email Marketing who sees only their own leads in CRM."""

    def test_salespeople_see_the_recipients_of_their_own_and_of_unassigned_leads(self):
        user = self.as_user(
            "mass_mailing.group_mass_mailing_user", "sales_team.group_sale_salesman"
        )
        own = self.make_leads("own@example.com", user_id=user.id)
        nobodys = self.make_leads("nobodys@example.com", user_id=False)
        others = self.make_leads("others@example.com", user_id=self.marketer.id)
        campaign = self.make_campaign()
        self.add(campaign, own + nobodys + others)
        self.add(campaign, self.make_contacts("ann@example.com"))
        seen = self.env["campaign.master.recipient"].with_user(user)
        self.assertEqual(
            set(seen.search([("campaign_id", "=", campaign.id)]).mapped("email")),
            {"own@example.com", "nobodys@example.com", "ann@example.com"},
        )
        self.assertTrue(campaign.with_user(user).campaign_master_sees_leads)


class TestWithoutEmailMarketing(AccessCase):
    """A salesperson without Email Marketing."""

    def setUp(self):
        super().setUp()
        self.contact = self.make_contacts("ann@example.com")
        self.campaign = self.synced_campaign(self.contact)
        self.sandbox.send(self.campaign.campaign_master_ref, self.list_ref)
        self.pull()
        self.user = self.as_user("base.group_user", "sales_team.group_sale_salesman_all_leads")
        self.mine = self.campaign.with_user(self.user)

    def test_they_cannot_add_or_remove_recipients_nor_see_them(self):
        with self.assertRaises(AccessError):
            self.mine.campaign_master_add_recipients("res.partner", [])
        with self.assertRaises(AccessError):
            self.env["campaign.master.recipient"].with_user(self.user).search([])
        with self.assertRaises(AccessError):
            self.lines(self.campaign).with_user(self.user).action_remove()
        with self.assertRaises(AccessError):
            self.env["campaign.master.add.recipients"].with_user(self.user).create(
                {"campaign_id": self.campaign.id, "model": "res.partner"}
            )
        self.assertEqual(len(self.lines(self.campaign)), 1)

    def test_they_cannot_refresh_templates_and_lists_nor_see_them(self):
        account = self.account.with_user(self.user)
        for button in ("action_refresh_catalogue", "request_catalog", "catalog_state"):
            with self.subTest(button), self.assertRaises(AccessError):
                getattr(account, button)()
        for model in ("template", "list", "account", "optout", "engagement", "campaign", "sync"):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[f"campaign.master.{model}"].with_user(self.user).search([])

    def test_they_cannot_read_figures_or_the_block(self):
        known = self.mine.fields_get()
        for name in (*PROTECTED, *NOT_STORED, *BLOCK):
            with self.subTest(name):
                self.assertNotIn(name, known)
                with self.assertRaises(AccessError):
                    self.mine.read([name])
                with self.assertRaises(AccessError):
                    self.mine.search([(name, "!=", False)])
        with self.assertRaises(AccessError):
            self.mine.write({"campaign_master_subject": "Mine"})

    def test_they_cannot_read_or_search_the_totals_of_people(self):
        contact = self.contact.with_user(self.user)
        totals = [name for name in contact._fields if name.startswith("campaign_master_")]
        self.assertGreaterEqual(len(totals), 10)
        known = contact.fields_get()
        for name in totals:
            with self.subTest(name):
                self.assertNotIn(name, known)
                with self.assertRaises(AccessError):
                    contact.read([name])
                with self.assertRaises(AccessError):
                    contact.search([(name, "!=", False)])
        with self.assertRaises(AccessError):
            contact.search([], order="campaign_master_open_count")

    def test_they_see_the_rest_of_the_campaign_as_before(self):
        self.assertEqual(self.mine.title, "Spring offers")
        self.assertIn(self.mine, self.mine.search([("title", "=", "Spring offers")]))
        self.assertEqual(self.contact.with_user(self.user).email, "ann@example.com")


class TestProtectedFigures(AccessCase):
    """Values that come from Campaign Master cannot be entered in Odoo."""

    def people(self):
        return {"marketer": self.marketer, "administrator": self.admin}.items()

    def test_nobody_writes_figures_ids_and_states(self):
        campaign = self.synced_campaign()
        before = campaign.read(list(PROTECTED))
        for role, user in self.people():
            for name, value in PROTECTED.items():
                with self.subTest(f"{role}: {name}"), self.assertRaises(AccessError):
                    campaign.with_user(user).write({name: value})
        self.assertEqual(campaign.read(list(PROTECTED)), before)

    def test_nobody_creates_a_campaign_with_figures_ids_and_states(self):
        for role, user in self.people():
            campaigns = self.env["utm.campaign"].with_user(user)
            for name, value in PROTECTED.items():
                with self.subTest(f"{role}: {name}"), self.assertRaises(AccessError):
                    campaigns.create({"title": "Cheated", name: value})

    def test_figures_do_not_come_in_through_defaults(self):
        context = {f"default_{name}": value for name, value in PROTECTED.items()}
        for role, user in self.people():
            with self.subTest(role):
                campaigns = self.env["utm.campaign"].with_user(user)
                honest = campaigns.create({"title": "Honest"})
                try:
                    cheated = campaigns.with_context(**context).create({"title": "Cheated"})
                except AccessError:
                    continue
                self.assertEqual(
                    {name: cheated[name] for name in PROTECTED},
                    {name: honest[name] for name in PROTECTED},
                )

    def test_figures_do_not_come_in_through_saved_defaults(self):
        self.env["ir.default"].set("utm.campaign", "campaign_master_sent", 7, user_id=True)
        try:
            campaign = self.env["utm.campaign"].create({"title": "Cheated"})
        except AccessError:
            return
        self.assertEqual(campaign.campaign_master_sent, 0)

    def test_all_values_of_campaign_master_are_tried_here(self):
        campaigns = self.env["utm.campaign"]
        self.assertEqual(
            set(campaigns._campaign_master_reported_fields(campaigns._fields)), set(PROTECTED)
        )

    def test_nobody_imports_figures_ids_and_states(self):
        campaign = self.synced_campaign()
        before = campaign.read(list(PROTECTED))
        for role, user in self.people():
            campaigns = campaign.browse().with_user(user)
            for name, value in IMPORTABLE.items():
                label = self.env["utm.campaign"]._fields[name]._description_string(self.env)
                because = re.escape(label) + ".*come from Campaign Master"
                with self.subTest(f"{role}: {name}"):
                    if name == "campaign_master_sync_state":
                        value = "Complete"
                    self.assertNotLoaded(
                        campaigns, [".id", name], [str(campaign.id), str(value)], because
                    )
                    self.assertNotLoaded(
                        campaigns, ["title", name], ["Cheated", str(value)], because
                    )
        campaign.invalidate_recordset()
        self.assertEqual(campaign.read(list(PROTECTED)), before)
        self.assertFalse(self.env["utm.campaign"].search([("title", "=", "Cheated")]))

    def test_nobody_writes_recipients_templates_lists_and_optouts(self):
        campaign = self.synced_campaign()
        line = self.lines(campaign)
        for role, user in self.people():
            for record, values in (
                (line, {"open_count": 7}),
                (line, {"opted_out_here": True}),
                (line, {"sync_state": "exists"}),
                (self.template, {"name": "Mine"}),
                (self.list, {"recipient_count": 7}),
            ):
                with self.subTest(f"{role}: {values}"), self.assertRaises(AccessError):
                    record.with_user(user).write(values)
            with self.subTest(f"{role}: create"), self.assertRaises(AccessError):
                line.browse().with_user(user).create({"campaign_id": campaign.id, "kind": "lead"})
            with self.subTest(f"{role}: opt-out"), self.assertRaises(AccessError):
                self.env["campaign.master.optout"].with_user(user).create(
                    {"account_id": self.account.id, "email": "ann@example.com"}
                )

    def test_a_copy_begins_without_figures(self):
        campaign = self.synced_campaign()
        self.sandbox.send(campaign.campaign_master_ref, self.list_ref)
        self.pull()
        self.assertEqual(campaign.campaign_master_sent, 1)
        copy = campaign.copy()
        self.assertFalse(copy.campaign_master_ref)
        self.assertEqual(copy.campaign_master_sent, 0)
        self.assertEqual(copy.campaign_master_sync_state, "never")
        self.assertFalse(self.lines(copy))


class TestLockedTemplate(AccessCase):
    """After the first sync the template cannot be changed."""

    def setUp(self):
        super().setUp()
        ref = self.sandbox.template("Autumn")
        self.account.action_refresh_catalogue()
        self.other = self.find("campaign.master.template", ref)

    def test_the_template_is_free_before_the_first_sync(self):
        campaign = self.make_campaign()
        campaign.campaign_master_template_id = self.other
        self.sync(campaign)
        [remote] = self.sandbox.state()["campaigns"]
        self.assertEqual(str(remote["templateId"]), self.other.ref)

    def test_the_template_cannot_be_written_after_the_first_sync(self):
        campaign = self.synced_campaign()
        for user in (self.marketer, self.admin):
            for value in (self.other.id, False):
                with self.assertRaisesRegex(UserError, "Launch Campaign › Edit/Test"):
                    campaign.with_user(user).write({"campaign_master_template_id": value})
        self.assertEqual(campaign.campaign_master_template_id, self.template)

    def test_the_template_cannot_be_imported_after_the_first_sync(self):
        campaign = self.synced_campaign()
        for user in (self.marketer, self.admin):
            self.assertNotLoaded(
                campaign.browse().with_user(user),
                [".id", "campaign_master_template_id/.id"],
                [str(campaign.id), str(self.other.id)],
                "Launch Campaign › Edit/Test",
            )
        campaign.invalidate_recordset()
        self.assertEqual(campaign.campaign_master_template_id, self.template)

    def test_writing_the_same_template_again_does_no_harm(self):
        campaign = self.synced_campaign()
        campaign.write(
            {"campaign_master_template_id": self.template.id, "campaign_master_subject": "New"}
        )
        self.assertEqual(campaign.campaign_master_subject, "New")


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


class TestUnsubscribed(AccessCase):
    """People who unsubscribed in Campaign Master still receive ordinary emails."""

    def setUp(self):
        super().setUp()
        self.contact, self.other = self.make_contacts("ann@example.com", "bob@example.com")
        self.lead = self.make_leads("ann@example.com")
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.contact + self.other)
        self.add(self.campaign, self.lead)
        self.sync(self.campaign)
        ref = self.campaign.campaign_master_ref
        self.sandbox.send(ref, self.list_ref, quiet=True)
        self.sandbox.control(
            f"campaigns/{ref}/activity", {"email": "ann@example.com", "kind": "unsubscribe"}
        )
        self.pull()

    def test_an_unsubscribed_person_is_not_blacklisted_in_odoo(self):
        lines = self.lines(self.campaign).filtered(lambda line: line.email == "ann@example.com")
        self.assertEqual(lines.mapped("opted_out"), [True, True])
        blacklist = self.account.env["mail.blacklist"].with_context(active_test=False)
        self.assertFalse(blacklist.search([("email", "=", "ann@example.com")]))
        self.assertFalse(self.contact.is_blacklisted)
        self.assertFalse(self.lead.is_blacklisted)
        self.assertTrue(self.contact.active)

    def test_ordinary_emails_to_an_unsubscribed_person_are_sent(self):
        for composition_mode in ("comment", "mass_mail"):
            with self.subTest(composition_mode):
                composer = self.env["mail.compose.message"].create(
                    {
                        "composition_mode": composition_mode,
                        "model": "res.partner",
                        "res_ids": str(self.contact.ids),
                        "partner_ids": self.contact.ids,
                        "subject": f"Hello {composition_mode}",
                        "body": "<p>How are you?</p>",
                    }
                )
                composer.action_send_mail()
                mails = self.account.env["mail.mail"].search(
                    [("subject", "=", f"Hello {composition_mode}")]
                )
                notes = self.account.env["mail.notification"].search(
                    [("mail_message_id.subject", "=", f"Hello {composition_mode}")]
                )
                self.assertTrue(mails or notes, "No email was created")
                self.assertFalse(set(mails.mapped("state")) & {"cancel", "exception"})
                self.assertFalse(
                    set(notes.mapped("notification_status")) & {"canceled", "exception", "bounce"}
                )


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
