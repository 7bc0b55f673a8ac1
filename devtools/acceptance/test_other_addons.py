"""The add-on works together with those of Odoo's apps that extend the same models."""

import os
import subprocess

import pytest

from devtools.environment import machine, template
from devtools.environment.places import ADDON, ROOT
from devtools.environment.rpc import Odoo
from devtools.faults.scene import Scene

DATABASE = "campaign_master_other_addons"
# What each adds: a company, quotations and revenues of campaigns; leads of campaigns; a search for
# everything that refers to a person.
OTHERS = ("sale", "mass_mailing_crm", "privacy_lookup")
# The tests of what others extend, too: campaigns and people with their views, access rights,
# companies and merges. Not what is said to Campaign Master and stored of it, in tables of the
# add-on's own.
TESTS = (
    "access_figures",
    "access_methods",
    "add_recipients",
    "browser",
    "companies",
    "dialogs",
    "journey",
    "person_totals",
)


@pytest.fixture(scope="module")
def warnings(odoo):
    """What is logged when all are installed, in a database that exists during the tests."""
    template.copy(odoo, DATABASE)
    try:
        yield odoo.install(DATABASE, ",".join((ADDON.name, *OTHERS)))
    finally:
        odoo.drop(DATABASE)


@pytest.fixture(scope="module")
def scene(odoo, warnings, tmp_path_factory):
    directory = tmp_path_factory.mktemp("other_addons")
    with (
        machine.running_sandbox(directory) as (sandbox_url, _sandbox),
        machine.running_odoo(odoo, DATABASE, directory, "--max-cron-threads", "0") as (url, _odoo),
    ):

        def session(login, password):
            return Odoo(url, DATABASE, login, password)

        scene = Scene(DATABASE, sandbox_url, session)
        scene.sandbox.post("users", {"username": "demo", "password": "correct horse"})
        scene.make_template("Spring")
        yield scene


def test_they_are_installed_together_without_warnings(warnings):
    assert not warnings


def test_the_tests_pass_with_them(odoo, warnings):
    names = [f"{ADDON.name}/tests/test_{name}.py" for name in TESTS]
    assert all(os.path.exists(ROOT / name) for name in names)
    options = ["-q", "-p", "devtools.environment.no_skips", "--odoo-http"]
    run = subprocess.run(
        [odoo.python, "-P", "-m", "pytest", *options, f"--odoo-database={DATABASE}", *names],
        env=odoo.environ,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not run.returncode, run.stdout[-6000:]


def test_the_campaigns_company_is_that_of_its_account(odoo, scene):
    """Also after an upgrade, for campaigns that were assigned before."""
    other = scene.make_company("Other & Sons")
    account = scene.connect(other)
    [campaign] = scene.marketer.call("utm.campaign", "create", [{"title": "Fair"}])
    first = scene.admin.reference("base.main_company")
    assert _company(scene, campaign) == first
    values = {"campaign_master_account_id": account, "campaign_master_subject": "Come!"}
    scene.marketer.call("utm.campaign", "write", [campaign], values)
    assert _company(scene, campaign) == other
    scene.sql("UPDATE utm_campaign SET company_id = NULL WHERE id = %s", campaign)
    odoo.sql(
        DATABASE,
        f"UPDATE ir_module_module SET latest_version = '19.0.1.4.0' WHERE name = '{ADDON.name}'",
    )
    assert not odoo.update(DATABASE, ADDON.name)
    assert _company(scene, campaign) == other


def _company(scene, campaign):
    [[company]] = scene.sql("SELECT company_id FROM utm_campaign WHERE id = %s", campaign)
    return company


def test_a_privacy_lookup_finds_recipients(scene):
    account = scene.connect()
    campaign = scene.plan(account, scene.make_list("Customers"))
    person = {"name": "Ann Lookup", "email": "ann@lookup.example"}
    [partner] = scene.admin.call("res.partner", "create", [person])
    scene.add(campaign, [("id", "=", partner)])
    [wizard] = scene.admin.call("privacy.lookup.wizard", "create", [person])
    scene.admin.call("privacy.lookup.wizard", "action_lookup", [wizard])
    lines = scene.admin.find(
        "privacy.lookup.wizard.line", [("wizard_id", "=", wizard)], ["res_model", "res_name"]
    )
    found = {line["res_model"]: line["res_name"] for line in lines}
    assert found["campaign.master.recipient"] == "Ann Lookup"
