"""The add-on is uninstalled from a database with data, and installed again."""

import ast

import pytest

from devtools.environment import machine, template
from devtools.environment.rpc import Odoo
from devtools.faults import agreement
from devtools.faults.scene import Scene

DATABASE = "campaign_master_uninstall"
MODULE = "campaign_master"
# What is left of the add-on: each query returns one text column.
LEFT = {
    "tables": """
        SELECT relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'campaign_master%'
    """,
    "columns": """
        SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = 'public'
           AND (column_name LIKE 'campaign_master%'
                OR table_name = 'utm_campaign' AND column_name = 'description')
    """,
    "indexes": "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%campaign_master%'",
    "constraints": """
        SELECT conname FROM pg_constraint
         WHERE conname LIKE 'campaign_master%'
            OR pg_get_constraintdef(oid) LIKE '%campaign_master%'
    """,
    "functions": "SELECT proname FROM pg_proc WHERE proname LIKE 'campaign_master%'",
    "external ids": "SELECT name FROM ir_model_data WHERE module = 'campaign_master'",
    "models": "SELECT model FROM ir_model WHERE model LIKE 'campaign.master%'",
    "fields": """
        SELECT model || '.' || name FROM ir_model_fields
         WHERE name LIKE 'campaign_master%' OR model LIKE 'campaign.master%'
            OR relation LIKE 'campaign.master%'
    """,
    "constraints in Odoo": """
        SELECT name FROM ir_model_constraint WHERE name LIKE 'campaign_master%'
    """,
    "record rules": "SELECT name FROM ir_rule WHERE name LIKE '%Campaign Master%'",
    "access rights": "SELECT name FROM ir_model_access WHERE name LIKE 'campaign.master%'",
    "scheduled actions": "SELECT cron_name FROM ir_cron WHERE cron_name LIKE 'Campaign Master%'",
    "actions": """
        SELECT name->>'en_US' FROM ir_actions
         WHERE name->>'en_US' LIKE '%Campaign Master%'
         UNION ALL
        SELECT res_model FROM ir_act_window WHERE res_model LIKE 'campaign.master%'
         UNION ALL
        SELECT code FROM ir_act_server WHERE code LIKE '%campaign_master%'
    """,
    "views": """
        SELECT name FROM ir_ui_view
         WHERE model LIKE 'campaign.master%' OR arch_db->>'en_US' LIKE '%campaign_master%'
    """,
    "menus": "SELECT name->>'en_US' FROM ir_ui_menu WHERE name->>'en_US' LIKE '%Campaign Master%'",
    "parameters": "SELECT key FROM ir_config_parameter WHERE key LIKE 'campaign_master%'",
    "activities": """
        SELECT res_model FROM mail_activity
         WHERE res_model LIKE 'campaign.master%' OR res_model = 'utm.campaign'
    """,
    "activity types": """
        SELECT name->>'en_US' FROM mail_activity_type WHERE res_model = 'utm.campaign'
    """,
    "messages": """
        SELECT model FROM mail_message WHERE model LIKE 'campaign.master%' OR model = 'utm.campaign'
    """,
    "followers": """
        SELECT res_model FROM mail_followers
         WHERE res_model LIKE 'campaign.master%' OR res_model = 'utm.campaign'
    """,
    "fields of activities": """
        SELECT name FROM ir_model_fields
         WHERE model = 'utm.campaign' AND (name LIKE '%activity_%' OR name LIKE '%message_%')
    """,
    "models with activities": """
        SELECT model FROM ir_model
         WHERE model = 'utm.campaign' AND (is_mail_thread OR is_mail_activity)
    """,
    "attachments": """
        SELECT name FROM ir_attachment
         WHERE res_model LIKE 'campaign.master%' OR res_field LIKE 'campaign_master%'
    """,
    "defaults": """
        SELECT field.name FROM ir_default JOIN ir_model_fields AS field ON field.id = field_id
         WHERE field.name LIKE 'campaign_master%'
    """,
    "favorite filters": """
        SELECT name FROM ir_filters
         WHERE model_id LIKE 'campaign.master%' OR domain LIKE '%campaign_master%'
    """,
}


@pytest.fixture(scope="module")
def company(odoo, tmp_path_factory):
    """A scene, and its campaign with figures."""
    directory = tmp_path_factory.mktemp("uninstall")
    template.make_database(odoo, DATABASE)
    try:
        with (
            machine.running_sandbox(directory) as (sandbox_url, _sandbox),
            machine.running_odoo(odoo, DATABASE, directory, "--max-cron-threads", "0") as (
                url,
                _odoo,
            ),
        ):

            def session(login, password):
                return Odoo(url, DATABASE, login, password)

            scene = Scene(DATABASE, sandbox_url, session)
            scene.sandbox.post("users", {"username": "demo", "password": "correct horse"})
            scene.make_template("Spring")
            yield scene, _use(scene, "Before"), session
    finally:
        odoo.drop(DATABASE)


def _use(scene, name):
    """Enable an account, sync and send a campaign, and read its statistics; return its id."""
    mailing_list = scene.make_list(name)
    account = scene.connect()
    campaign = scene.plan(account, mailing_list, title=name)
    scene.make_people(30, f"{name.lower()}.example")
    scene.add(campaign, [("email", "like", f"@{name.lower()}.example")])
    lead = {"name": f"Lead {name}", "email_from": f"lead@{name.lower()}.example"}
    leads = scene.admin.call("crm.lead", "create", [lead])
    scene.add(campaign, [("id", "in", leads)], "crm.lead")
    scene.press(campaign)
    scene.run("push_recipients")
    scene.send(campaign, mailing_list)
    scene.press(campaign, "refresh_statistics")
    scene.run("pull_statistics")
    assert not agreement.differences(scene, campaign)
    return campaign


def _press_in_apps(scene, button):
    """Press a button of the add-on in Odoo's Apps, as the administrator."""
    [module] = scene.admin.find("ir.module.module", [("name", "=", MODULE)], ["id"])
    scene.admin.call("ir.module.module", f"button_immediate_{button}", [module["id"]])


def _open_views(session, model):
    """Open a model's views with the values of their fields, as far as there are records."""
    views = [[False, kind] for kind in ("list", "form", "search")]
    found = session.call(model, "get_views", views)
    for kind in ("list", "form"):
        names = found["models"][model]["fields"]
        assert not [name for name in names if name.startswith(MODULE)]
        assert MODULE not in found["views"][kind]["arch"]
    # Favorite filters of the search view that the list opens with.
    filters = session.call("ir.filters", "get_filters", model)
    domains = [ast.literal_eval(one["domain"]) for one in filters if one["is_default"]]
    for domain in domains:
        session.call(model, "search_count", domain)
    return session.call(model, "search_read", [], fields=["display_name"], limit=200)


def test_uninstalling_leaves_nothing_and_calls_nobody(company):
    scene, campaign, _session = company
    # One alert is done, and another one is not.
    [sent] = scene.admin.find("utm.campaign", [("id", "=", campaign)], ["campaign_master_ref"])
    correction = {"sent": 500, "hardBounces": 50, "complaints": 5}
    scene.sandbox.post(f"campaigns/{sent['campaign_master_ref']}/correct", correction)
    scene.press(campaign, "refresh_statistics")
    scene.run("pull_statistics")
    scene.marketer.call(
        "utm.campaign", "action_campaign_master_complete_alert", [campaign], "complaints"
    )
    [[activities]] = scene.sql("SELECT COUNT(*) FROM mail_activity WHERE res_model='utm.campaign'")
    assert activities == 2
    # An activity for the administrator, favorite filters and a default.
    scene.admin.call("campaign.master.account", "activity_schedule", [1], summary="Look")
    favorites = [
        {"name": "Mine", "model_id": "campaign.master.recipient"},
        {
            "name": "Sent",
            "model_id": "utm.campaign",
            "domain": "[('campaign_master_sent', '>', 0)]",
            "is_default": True,
        },
    ]
    scene.admin.call("ir.filters", "create", favorites)
    scene.admin.call("ir.default", "set", "utm.campaign", "campaign_master_reply_to", "a@b.example")
    campaigns = len(scene.sandbox.get("state")["campaigns"])
    calls = scene.sandbox.get("state?brief=1")["calls"]

    _press_in_apps(scene, "uninstall")

    left = {kind: [name for [name] in scene.sql(query)] for kind, query in LEFT.items()}
    assert {kind: names for kind, names in left.items() if names} == {}
    assert scene.sandbox.get("state?brief=1")["calls"] == calls
    assert len(scene.sandbox.get("state")["campaigns"]) == campaigns
    titles = scene.admin.find("utm.campaign", [("id", "=", campaign)], ["title"])
    assert titles[0]["title"] == "Before"


@pytest.mark.parametrize("model", ["utm.campaign", "res.partner", "crm.lead"])
def test_odoo_opens_its_own_records_afterwards(company, model):
    scene, _campaign, session = company
    scene.log_in(session)
    for user in (scene.admin, scene.marketer):
        assert _open_views(user, model)
    scene.admin.call("res.config.settings", "get_views", [[False, "form"]])


def test_it_can_be_installed_and_used_again(company):
    scene, _campaign, session = company
    _press_in_apps(scene, "install")
    scene = Scene(DATABASE, scene.url, session)
    _use(scene, "After")
