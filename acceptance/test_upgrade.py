"""Databases of every released version are filled, upgraded, and used by the people in them."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from environment import machine, template
from environment import odoo as odoo_command
from environment.console import Problem
from faults import agreement

from . import reading, views
from .filling import USERS, Filling
from .released import UPGRADES, V1_0

# Scheduled actions run when a test says so.
QUIET = ["--max-cron-threads", "0"]


@dataclass
class Upgraded:
    """A database of a former version after its upgrade.

    :ivar Filling filling: what is in it, with Odoo running
    :ivar dict before: what each user could read before, by login
    """

    filling: Filling
    before: dict


@pytest.fixture(scope="session")
def preparing(odoo, tmp_path_factory):
    """The upgraded databases in the making, two at a time, as futures of what is to be closed and
    of what a test needs."""
    with ThreadPoolExecutor(2) as pool:
        yield {
            upgrade: pool.submit(_prepare, odoo, upgrade, tmp_path_factory.mktemp("upgrade"))
            for upgrade in UPGRADES
        }


def _named(upgrade):
    return " to ".join(release.name for release in upgrade)


@pytest.fixture(scope="module", params=UPGRADES, ids=_named)
def upgraded(request, preparing):
    """The upgraded database, with Odoo running on it, and the sandbox that its data came from."""
    stack, upgraded = preparing[request.param].result()
    with stack:
        yield upgraded


def _prepare(odoo, upgrade, directory):
    """Install the first release, fill it, and upgrade it to the others and to this checkout."""
    first, *others = upgrade
    database = f"campaign_master_{directory.name}"
    with contextlib.ExitStack() as stack:
        root = first.unpack(_made(directory / first.name))
        sandbox_url, _process = stack.enter_context(machine.running_sandbox(directory, root=root))
        template.copy(odoo, database)
        stack.callback(odoo.drop, database)
        with odoo_command.ready(root) as old:
            if complaints := old.install(database, "campaign_master"):
                raise Problem(f"{first.name} cannot be installed:\n{complaints}")
            with machine.running_odoo(old, database, directory, *QUIET) as (url, process):
                filling = Filling(database, url, sandbox_url)
                filling.fill()
                filling.begin()
                before = _read(filling)
                process.kill()
        filling.scene.sandbox.post("release", {"drop": True})
        for release in others:
            root = release.unpack(_made(directory / release.name))
            with odoo_command.ready(root) as between:
                between.update(database, "campaign_master")
        if complaints := odoo.update(database, "campaign_master"):
            raise Problem(f"The upgrade of {first.name} is not without complaints:\n{complaints}")
        url, _process = stack.enter_context(machine.running_odoo(odoo, database, directory, *QUIET))
        filling.moves_to(url)
        if first is V1_0:
            _expect_cancelled(filling, before)
        return stack.pop_all(), Upgraded(filling, before)


def _made(directory):
    directory.mkdir()
    return directory


def _read(filling):
    """Read everything as each user."""
    names = reading.models(filling.scene.admin)
    return {login: reading.everything(filling.session(login), names) for login in USERS}


def _expect_cancelled(filling, before):
    """Version 19.0.1.0.0 did not keep where a running sync stood."""
    running = filling.campaigns["running"]
    for of_user in before.values():
        values = of_user["utm.campaign"].get(running, {})
        if "campaign_master_sync_state" in values:
            values["campaign_master_sync_state"] = "cancelled"
            values["campaign_master_sync_message"] = (
                "Interrupted by an update of the add-on. Sync again: it goes on where it stopped."
            )


def test_everybody_reads_what_was_there_before(upgraded):
    after = _read(upgraded.filling)
    found = [
        f"{login}: {difference}"
        for login, before in upgraded.before.items()
        for difference in reading.differences(before, after[login])
    ]
    assert not found


@pytest.mark.parametrize("login", USERS)
def test_every_view_opens(upgraded, login):
    filling = upgraded.filling
    shown = views.shown(filling.scene.admin)
    assert views.open_all(filling.session(login), shown)


def test_a_cut_sync_goes_on(upgraded):
    filling = upgraded.filling
    campaign = filling.campaigns["running"]
    if filling.scene.read(campaign, "sync_state") == "cancelled":
        filling.scene.press(campaign)
    filling.scene.time_passes()
    filling.scene.run("push_recipients")
    filling.expect(campaign, "complete")
    lines = filling.scene.marketer.find(
        "campaign.master.recipient", [("campaign_id", "=", campaign)], ["email", "sync_state"]
    )
    added = {line["email"] for line in lines if line["sync_state"] == "added"}
    assert added
    # Nobody is missing there, and who unsubscribed from another campaign is not there.
    assert set(agreement.members(filling.scene, campaign)) == added
    assert "cem@example.com" not in added


def test_figures_go_on(upgraded):
    filling = upgraded.filling
    campaign = filling.campaigns["sent"]
    ref = filling.scene.read(campaign, "ref")
    event = {"email": "dee@example.com", "kind": "click", "times": 3}
    filling.scene.sandbox.post(f"campaigns/{ref}/activity", event)
    filling.scene.time_passes()
    for _time in range(2):
        filling.scene.run("pull_statistics")
    assert not agreement.figure_differences(filling.scene, campaign)


@pytest.mark.parametrize("login", ["marketing", "seller"])
def test_people_are_added_to_a_new_campaign_and_synced(upgraded, login):
    filling = upgraded.filling
    filling.scene.marketer = filling.session(login)
    try:
        campaign, _list = filling.plan(f"after the upgrade by {login}")
        filling.scene.add(campaign, [], "crm.lead")
        assert filling.sync(campaign) in ("complete", "partial")
        counts = filling.scene.read(campaign, "outcome")
        # Who unsubscribed before the upgrade is known to have done so.
        assert counts["opted_out"]
        assert counts["added"]
    finally:
        filling.scene.log_in(filling.session)


def test_the_other_company_goes_on_by_itself(upgraded):
    filling = upgraded.filling
    stranger = filling.session("stranger")
    campaigns = stranger.find("utm.campaign", [("campaign_master_ref", "!=", False)], ["id"])
    assert [row["id"] for row in campaigns] == [filling.campaigns["of others"]]
    lines = stranger.find("campaign.master.recipient", [], ["campaign_id", "open_count"])
    assert {row["campaign_id"][0] for row in lines} == {filling.campaigns["of others"]}
    stranger.call("utm.campaign", "action_campaign_master_sync", [filling.campaigns["of others"]])


# The longest ways; each makes Odoo pack its web client anew.
@pytest.mark.parametrize("upgraded", [UPGRADES[0], UPGRADES[-1]], indirect=True, ids=_named)
def test_the_form_and_its_tabs_are_seen_in_a_browser(upgraded, page):
    filling = upgraded.filling
    page = page(filling.url, "marketing", "marketing")
    page.goto(f"/odoo/action-utm.utm_campaign_action/{filling.campaigns['sent']}")
    page.click("a[name=campaign_master_contacts]")
    page.wait_for_selector(".o_list_view .o_data_row:has-text('ann@example.com')")
    page.click("a[name=campaign_master_companies]")
    page.wait_for_selector(".o_list_view .o_data_row:has-text('office@example.com')")
    assert not page.locator(".o_error_dialog").count()
