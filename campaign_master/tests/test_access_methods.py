"""What can be called and read from outside is found here, not listed: nobody can forget to say who
may."""

import inspect
from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user

from .common import CampaignMasterCase

MODULE = "odoo.addons.campaign_master."
MARKETING = "mass_mailing.group_mass_mailing_user"
ALL_LEADS = "sales_team.group_sale_salesman_all_leads"
# Parameters of methods that need some.
ARGUMENTS = {
    "campaign_master_add_recipients": ["res.partner", []],
    "action_campaign_master_open_alert": ["bounces"],
    "action_campaign_master_complete_alert": ["bounces"],
}
# Contacts and leads are those of all companies. What this opens is of the user's own.
SHARED = {
    ("res.partner", "action_campaign_master_campaigns"),
    ("crm.lead", "action_campaign_master_campaigns"),
}
# Without a record: of the user's own companies.
OWN = {
    ("utm.campaign", "campaign_master_compare"),
    ("campaign.master.recipient.report", "campaign_master_best_hours"),
}


def public_methods(env):
    """The model and name of each method of the add-on that clients can call, without those of Odoo
    that it extends."""
    found = set()
    for model, cls in env.registry.items():
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            definitions = [vars(one)[name] for one in cls.__mro__ if name in vars(one)]
            if (
                not (name.startswith("_") or env[model]._abstract)
                and all(one.__module__.startswith(MODULE) for one in definitions)
                and not getattr(method, "_api_private", False)
            ):
                found.add((model, name))
    return found


def buttons(env):
    """The model and method of each button in the add-on's views."""
    found = set()

    def search(node, model):
        if node.tag == "field" and len(node):
            model = env[model]._fields[node.get("name")].comodel_name
        if node.get("type") == "object" and node.tag != "field":
            found.add((model, node.get("name") or node.get("action")))
        for child in node.iterchildren(etree.Element):
            search(child, model)

    domain = [("module", "=", "campaign_master"), ("model", "=", "ir.ui.view")]
    ids = env["ir.model.data"].sudo().search(domain).mapped("res_id")
    for view in env["ir.ui.view"].sudo().browse(ids):
        # Of views that extend another one, too.
        if view.model:
            root = etree.fromstring(view.arch)
            for node in root if root.tag in ("data", "xpath") else [root]:
                search(node, view.model)
    return found


class MethodsCase(CampaignMasterCase):
    def setUp(self):
        super().setUp()
        self.contact = self.make_contacts("ann@example.com")
        self.lead = self.env["crm.lead"].create(
            {"name": "Lea", "email_from": "lea@example.com", "company_id": False}
        )
        self.campaign = self.make_campaign()
        self.add(self.campaign, self.contact)
        self.add(self.campaign, self.lead)
        self.sync(self.campaign)
        self.sandbox.send(
            self.campaign.campaign_master_ref, self.list_ref, minutesAgo=300, quiet=True
        )
        self.sandbox.control(
            f"campaigns/{self.campaign.campaign_master_ref}/activity",
            [{"email": email, "kind": "unsubscribe"} for email in ("ann@example.com",)],
        )
        self.pull()
        self.admin = self.account.env.ref("base.user_admin")

    def strangers(self):
        """Who may not see anything of the campaign."""
        system = self.account.env
        company = system["res.company"].create({"name": "Second Company"})
        elsewhere = {"company_id": company.id, "company_ids": [(6, 0, company.ids)]}
        return {
            "an internal user": new_test_user(system, "internal", "base.group_user"),
            "a salesperson": new_test_user(
                system, "sally", f"base.group_user,{ALL_LEADS},base.group_partner_manager"
            ),
            "a marketing user of another company": new_test_user(
                system,
                "second",
                f"{MARKETING},{ALL_LEADS},base.group_partner_manager",
                **elsewhere,
            ),
            "an administrator of another company": new_test_user(
                system, "second.admin", f"base.group_system,{MARKETING},{ALL_LEADS}", **elsewhere
            ),
        }


class TestMethods(MethodsCase):
    """Buttons, and what clients can call."""

    def setUp(self):
        super().setUp()
        env = self.env(user=self.admin)
        account, campaign = self.account.with_env(env), self.campaign.with_env(env)
        check = env["campaign.master.api.check"].sudo()._start(account, False).sudo(False)
        preflight = campaign.action_campaign_master_check()
        preflight = env[preflight["res_model"]].browse(preflight["res_id"])
        wizards = {
            "campaign.master.add.recipients": {"campaign_id": campaign.id, "model": "res.partner"},
            "campaign.master.change.list": {"campaign_id": campaign.id, "list_id": self.list.id},
            "campaign.master.check.reading": {"account_id": account.id},
            "campaign.master.check.writing": {"check_id": check.id, "list_id": self.list.id},
            "campaign.master.preflight.group": {
                "preflight_id": preflight.id,
                "code": "objection",
            },
            "res.config.settings": {},
        }
        line = self.lines(campaign)[0]
        report = env["campaign.master.recipient.report"].browse(line.id)
        records = [account, campaign, check, preflight, line, report]
        records += [self.contact, self.lead]
        records += [env[model].create(values) for model, values in wizards.items()]
        self.records = {record._name: record for record in records}

    def call(self, user, model, method):
        """Call a method as clients do."""
        self.env.invalidate_all()
        record = self.records[model]
        arguments = [*ARGUMENTS.get(method, [])]
        if (model, method) not in OWN:
            arguments = [record.ids, *arguments]
        return call_kw(record.browse().with_user(user), method, arguments, {})

    def test_strangers_call_none_of_them(self):
        before = self.sandbox.calls()
        for who, user in self.strangers().items():
            for model, method in sorted(public_methods(self.env)):
                if "another company" in who and (model, method) in SHARED | OWN:
                    continue
                if "administrator" in who and model == "res.config.settings":
                    continue  # it tests the account of the own company
                with self.subTest(f"{who}: {model}.{method}"), self.assertRaises(AccessError):
                    self.call(user, model, method)
        self.assertEqual(self.sandbox.calls(), before)

    def test_what_strangers_open_of_shared_people_is_their_own(self):
        user = self.strangers()["a marketing user of another company"]
        for model, method in SHARED:
            action = self.call(user, model, method)
            lines = self.env[action["res_model"]].with_user(user)
            self.assertFalse(lines.search(action["domain"]))

    def test_what_strangers_compare_is_their_own(self):
        user = self.strangers()["a marketing user of another company"]
        self.assertFalse(self.call(user, "utm.campaign", "campaign_master_compare")["campaigns"])
        hours = self.call(user, "campaign.master.recipient.report", "campaign_master_best_hours")
        self.assertFalse(hours["clicks"])

    def test_administrators_who_work_with_campaigns_may_call_all_of_them(self):
        """Otherwise, a refusal may say nothing about access."""
        for model, method in sorted(public_methods(self.env)):
            with self.subTest(f"{model}.{method}"), self.cr.savepoint() as savepoint:
                try:
                    self.call(self.admin, model, method)
                except UserError as error:
                    self.assertNotIsInstance(error, AccessError)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_only_administrators_call_what_concerns_the_login(self):
        for method in (
            "action_test_connection",
            "action_check_api",
            "action_open_api_checks",
            "action_record_traffic",
            "action_stop_recording",
            "action_open_traffic",
            "action_download_traffic",
        ):
            with self.subTest(method), self.assertRaises(AccessError):
                self.call(self.marketer, "campaign.master.account", method)

    def test_every_button_is_among_them(self):
        found = buttons(self.env)
        self.assertGreater(len(found), 30)
        self.assertEqual(found - public_methods(self.env), set())


class TestModels(MethodsCase):
    """Each model of the add-on: figures, snapshots, ages, kept sums, recipients, calls, …"""

    def setUp(self):
        super().setUp()
        account = self.account.sudo()
        account._record_until(fields.Datetime.now() + timedelta(hours=1))
        account.action_refresh_catalogue()
        self.env["campaign.master.api.check"].sudo()._start(account, False)
        # All rows of each model that is stored.
        self.rows = [
            self.env[name].sudo().search([])
            for name in self.env.registry
            if name.startswith("campaign.master.")
            and not (self.env[name]._abstract or self.env[name]._transient)
        ]
        for rows in self.rows:
            self.assertTrue(rows, f"{rows._name}: make one, so that the tests say something")

    def summed(self, model):
        """What could be summed, counted or compared of a model."""
        return [
            f"{name}:{function}"
            for name, field in model._fields.items()
            if field.store and field.column_type and name != "id"
            for function in (
                ("sum", "max") if field.type in ("integer", "float") else ("count_distinct",)
            )
        ]

    def test_without_email_marketing_none_of_them_is_read_found_grouped_or_summed(self):
        strangers = self.strangers()
        for who in ("an internal user", "a salesperson"):
            for rows in self.rows:
                records = rows.with_user(strangers[who])
                names = [name for name, field in records._fields.items() if field.store]
                ways = {
                    "read": lambda r=records: r.read(["id"]),
                    "search": lambda r=records: r.search([]),
                    "count": lambda r=records: r.search_count([]),
                    "web_search_read": lambda r=records: r.web_search_read([], {"id": {}}),
                    **{
                        f"group by {name}": lambda r=records, n=name: r._read_group([], [n])
                        for name in names
                    },
                    **{
                        spec: lambda r=records, s=spec: r.formatted_read_group([], [], [s])
                        for spec in self.summed(records)
                    },
                }
                for way, reach in ways.items():
                    with self.subTest(f"{who}: {rows._name}: {way}"):
                        with self.assertRaises(AccessError):
                            reach()

    def test_without_email_marketing_no_way_leads_to_them(self):
        """From Odoo's own models, by a relation."""
        strangers = self.strangers()
        found = 0
        for name in self.env.registry:
            if name.startswith("campaign.master.") or self.env[name]._abstract:
                continue
            for field in self.env[name]._fields.values():
                if (field.comodel_name or "").startswith("campaign.master."):
                    found += 1
                    for who in ("an internal user", "a salesperson"):
                        model = self.env[name].with_user(strangers[who])
                        with self.subTest(f"{who}: {field}"), self.assertRaises(AccessError):
                            model.search([(field.name, "!=", False)])
        self.assertGreater(found, 4)

    def test_nobody_of_another_company_finds_or_sums_them(self):
        """Not even an administrator of it."""
        strangers = self.strangers()
        for rows in self.rows:
            for who in ("a marketing user", "an administrator"):
                user = strangers[f"{who} of another company"]
                mine = rows.browse().with_user(user)
                with self.subTest(f"{user.login}: {rows._name}"):
                    with self.assertRaises(AccessError):
                        rows.with_user(user).read(["id"])
                    if not mine.has_access("read"):
                        continue
                    self.assertFalse(mine.search([]))
                    [[count, *sums]] = mine._read_group([], [], ["__count", *self.summed_by(mine)])
                    self.assertEqual((count, any(sums)), (0, False))

    def summed_by(self, model):
        readable = model.fields_get(attributes=["type"])
        return [spec for spec in self.summed(model) if spec.partition(":")[0] in readable]
