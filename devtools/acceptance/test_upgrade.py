"""Databases of every released version are filled with data, upgraded and used."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from devtools.environment import machine, template
from devtools.environment import odoo as odoo_command
from devtools.environment.console import Problem
from devtools.faults import agreement

from . import moved, snapshot, views
from .releases import UPGRADES, V1_0, V1_6
from .sample_data import INTERVAL, USERS, SampleData

# Scheduled actions run only when a test runs them.
WITHOUT_CRONS = ["--max-cron-threads", "0"]
# Messages of syncs that the upgrade cancels, by this version and by 19.0.1.1.0.
CANCELLED = "Interrupted by an upgrade of the add-on. Sync again to continue."
CANCELLED_BEFORE = (
    "Interrupted by an update of the add-on. Sync again: it goes on where it stopped."
)


@dataclass
class Upgraded:
    """An upgraded database.

    :ivar SampleData data: its data, on a running server
    :ivar dict before: snapshots before the upgrade, by login
    :ivar list moved: differences of the columns that moved to other tables
    """

    data: SampleData
    before: dict
    moved: list


@pytest.fixture(scope="session")
def preparing(request, odoo, tmp_path_factory):
    """Futures of the tested databases, two of which are prepared at a time."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    tested = {spec.params["upgraded"] for spec in specs if spec and "upgraded" in spec.params}
    pool = ThreadPoolExecutor(2)
    futures = {
        upgrade: pool.submit(_prepare, odoo, upgrade, tmp_path_factory.mktemp("upgrade"))
        for upgrade in UPGRADES
        if upgrade in tested
    }
    yield futures
    pool.shutdown(cancel_futures=True)
    for future in futures.values():
        if not (future.cancelled() or future.exception()):
            # Stacks can be closed twice.
            stack, _upgraded = future.result()
            stack.close()


@pytest.fixture(scope="session")
def new(odoo):
    """A database with a new installation of this version."""
    name = "campaign_master_new"
    template.make_database(odoo, name)
    yield name
    odoo.drop(name)


def _name(upgrade):
    return " to ".join(release.name for release in upgrade)


@pytest.fixture(scope="module", params=UPGRADES, ids=_name)
def upgraded(request, preparing):
    """An upgraded database with a running Odoo and the sandbox of its data."""
    stack, upgraded = preparing[request.param].result()
    with stack:
        yield upgraded


def _prepare(odoo, upgrade, directory):
    """Install the first release, fill it with data, and upgrade it step by step.

    :return: a stack to close, and an `Upgraded`
    """
    first, *others = upgrade
    database = f"campaign_master_{directory.name}"
    with contextlib.ExitStack() as stack:
        root = first.unpack(directory)
        sandbox_url, _process = stack.enter_context(machine.running_sandbox(directory, root=root))
        template.copy(odoo, database)
        stack.callback(odoo.drop, database)
        with odoo_command.ready(root) as old:
            if warnings := old.install(database, "campaign_master"):
                raise Problem(f"The installation of {first.name} logs warnings:\n{warnings}")
            with machine.running_odoo(old, database, directory, *WITHOUT_CRONS) as (url, process):
                data = SampleData(database, url, sandbox_url)
                data.create()
                data.start_sync()
                before, old_rows = _read(data), moved.old_rows(data)
                data.change_settings()
                process.kill()
        data.scene.sandbox.post("release", {"drop": True})
        for release in others:
            with odoo_command.ready(release.unpack(directory)) as between:
                between.update(database, "campaign_master")
        if warnings := odoo.update(database, "campaign_master"):
            raise Problem(f"The upgrade of {first.name} logs warnings:\n{warnings}")
        differences = moved.differences(old_rows, moved.new_rows(data))
        url, _process = stack.enter_context(
            machine.running_odoo(odoo, database, directory, *WITHOUT_CRONS)
        )
        data.use_server(url)
        _expect_changes(data, before, upgrade)
        return stack.pop_all(), Upgraded(data, before, differences)


def _read(data):
    """Take a snapshot for each user."""
    names = snapshot.models(data.scene.admin)
    return {login: snapshot.take(data.session(login), names) for login in USERS}


# Of a person.
TOTALS = {"campaign_master_campaign_count", *(f"campaign_master_{name}" for name in moved.TOTALS)}


def _expect_changes(data, before, upgrade):
    """Change snapshots to what users read after the upgrade.

    19.0.1.0.0 did not store the position of running syncs: they are cancelled. Later versions could
    run several syncs of a campaign: only the last one remains. Campaigns that were deleted are not
    read anymore. What a lead did counts for the contact that it has become (19.0.1.5.0). A reading
    has no age before the sending, also if that was in the same second (19.0.1.7.0).
    """
    lead, contact = data.converted_lead()
    reactions = before["admin"]["crm.lead"][lead]
    for login, of_user in before.items():
        # The campaigns are not in the company of "other".
        if login != "other" and of_user["res.partner"] != snapshot.NOT_ALLOWED:
            totals = of_user["res.partner"].get(contact, {})
            totals.update({name: reactions[name] for name in totals if name in TOTALS})
        campaigns, syncs = of_user["utm.campaign"], of_user.get("campaign.master.sync")
        running = campaigns.get(data.campaigns["running"], {})
        if upgrade[0] is V1_0 and "campaign_master_sync_state" in running:
            running["campaign_master_sync_state"] = "cancelled"
            running["campaign_master_sync_message"] = (
                CANCELLED if upgrade == (V1_0,) else CANCELLED_BEFORE
            )
        if syncs not in (None, snapshot.NOT_ALLOWED) and data.surplus_sync in syncs:
            surplus = syncs[data.surplus_sync]
            surplus.update(state="cancelled", message=CANCELLED)
            del surplus["ended_at"]
        readings = of_user.get("campaign.master.snapshot", snapshot.NOT_ALLOWED)
        if readings != snapshot.NOT_ALLOWED:
            for reading in readings.values():
                reading["age"] = max(reading["age"], 0)
        deleted = campaigns.get(data.campaigns["deleted"], {})
        if "campaign_master_next_poll_at" in deleted:
            deleted["campaign_master_next_poll_at"] = False


def test_moved_columns_keep_their_values(upgraded):
    assert not upgraded.moved


def test_every_user_reads_the_same_values_as_before(upgraded):
    after = _read(upgraded.data)
    found = [
        f"{login}: {difference}"
        for login, before in upgraded.before.items()
        for difference in snapshot.differences(before, after[login])
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("login", USERS)
def test_every_view_opens(upgraded, login):
    data = upgraded.data
    assert views.open_all(data.session(login), views.displayed(data.scene.admin))


def test_an_interrupted_sync_resumes(upgraded):
    data = upgraded.data
    campaign = data.campaigns["running"]
    if data.scene.read(campaign, "sync_state") == "cancelled":
        data.scene.press(campaign)
    data.scene.time_passes()
    data.scene.run("push_recipients")
    data.expect(campaign, "complete")
    lines = data.scene.marketer.find(
        "campaign.master.recipient", [("campaign_id", "=", campaign)], ["email", "sync_state"]
    )
    added = {line["email"] for line in lines if line["sync_state"] == "added"}
    assert added
    assert set(agreement.members(data.scene, campaign)) == added
    # Unsubscribed from another campaign.
    assert "cem@example.com" not in added


def test_an_unlinked_campaign_is_created_again(upgraded):
    data = upgraded.data
    campaign = data.campaigns["unlinked"]
    before = {remote["id"] for remote in data.scene.sandbox.get("state")["campaigns"]}
    assert data.sync(campaign) == "complete"
    assert int(data.scene.read(campaign, "ref")) not in before


@pytest.mark.parametrize("state", ["sent", "half-read"])
def test_statistics_are_read(upgraded, state):
    data = upgraded.data
    campaign = data.campaigns[state]
    ref = data.scene.read(campaign, "ref")
    event = {"email": "dee@example.com", "kind": "click", "times": 3}
    data.scene.sandbox.post(f"campaigns/{ref}/activity", event)
    data.scene.time_passes()
    for _time in range(2):
        data.scene.run("pull_statistics")
    assert not agreement.figure_differences(data.scene, campaign)


@pytest.mark.parametrize("login", ["marketing", "seller"])
def test_people_are_added_to_a_new_campaign_and_synced(upgraded, login):
    data = upgraded.data
    data.scene.marketer = data.session(login)
    try:
        campaign, _list = data.plan(f"after the upgrade by {login}")
        data.scene.add(campaign, [], "crm.lead")
        assert data.sync(campaign) in ("complete", "partial")
        counts = data.scene.read(campaign, "outcome")
        assert counts["opted_out"]
        assert counts["added"]
    finally:
        data.scene.log_in(data.session)


def test_the_other_company_sees_its_own_campaign_only(upgraded):
    data = upgraded.data
    campaign = data.campaigns["other company"]
    session = data.session("other")
    campaigns = session.find("utm.campaign", [("campaign_master_ref", "!=", False)], ["id"])
    assert campaign in {row["id"] for row in campaigns}
    assert not {row["id"] for row in campaigns} & (set(data.campaigns.values()) - {campaign})
    lines = session.find("campaign.master.recipient", [], ["campaign_id"])
    assert {row["campaign_id"][0] for row in lines} <= {row["id"] for row in campaigns}


def test_the_other_company_adds_and_syncs(upgraded):
    data = upgraded.data
    data.scene.marketer = data.session("other")
    try:
        mailing_list = data.make_list_of_other_company()
        campaign = data.plan_in_other_company("After the upgrade", mailing_list)
        assert data.sync(campaign) == "complete"
        assert agreement.members(data.scene, campaign)
    finally:
        data.scene.log_in(data.session)


def test_scheduled_actions_keep_their_settings_and_get_their_code(upgraded):
    scene = upgraded.data.scene
    names = ["interval_number", "active"]
    values = scene.admin.read("ir.cron", scene.crons["pull_statistics"], *names)
    assert [values[name] for name in names] == [INTERVAL, False]
    for cron in scene.crons:
        scene.run(cron)


# Of before there were alerts.
@pytest.mark.parametrize(
    "upgraded", [one for one in UPGRADES if one[0] is not V1_6], indirect=True, ids=_name
)
@pytest.mark.parametrize(("state", "is_watched"), [("sent", False), ("running", True)])
def test_only_campaigns_that_are_sent_after_the_upgrade_raise_alerts(upgraded, state, is_watched):
    data = upgraded.data
    query = "SELECT is_watched FROM campaign_master_campaign WHERE campaign_id = %s"
    assert data.scene.sql(query, data.campaigns[state]) == [(is_watched,)]


def test_the_engagement_of_people_is_found_once_after_the_upgrade(upgraded):
    scene = upgraded.data.scene
    cron = scene.admin.reference("campaign_master.ir_cron_update_engagement")
    assert scene.sql("SELECT call_at FROM ir_cron_trigger WHERE cron_id = %s", cron)
    assert scene.admin.call("ir.cron", "method_direct_trigger", [cron]) is True
    [[words]] = scene.sql("SELECT COUNT(word) FROM campaign_master_engagement")
    assert words


RULES = """
    SELECT data.name, data.noupdate, rule.domain_force, rule.active, rule.perm_read,
           rule.perm_write, rule.perm_create, rule.perm_unlink,
           ARRAY(SELECT group_id FROM rule_group_rel WHERE rule_group_id = rule.id ORDER BY 1)
      FROM ir_rule AS rule
      JOIN ir_model_data AS data ON data.res_id = rule.id AND data.model = 'ir.rule'
     WHERE data.module = 'campaign_master'
     ORDER BY data.name
"""
# With the target of PostgreSQL's statistics.
COLUMNS = """
    SELECT class.relname, attname, format_type(atttypid, atttypmod), attnotnull,
           CASE WHEN attstattarget >= 0 THEN attstattarget END,
           pg_get_expr(adbin, adrelid)
      FROM pg_attribute AS attribute
      JOIN pg_class AS class ON class.oid = attrelid AND relkind = 'r'
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
       AND (relname LIKE 'campaign_master%' OR attname LIKE 'campaign_master%')
     ORDER BY class.relname, attname
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) AS definition
      FROM pg_constraint
     WHERE conrelid::regclass::text LIKE 'campaign_master%' OR conname LIKE '%campaign_master%'
        OR pg_get_constraintdef(oid) LIKE '%campaign_master%'
     ORDER BY 1, 2
"""
RECORDS = """
    SELECT model, name FROM ir_model_data WHERE module = 'campaign_master' ORDER BY model, name
"""
INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
     WHERE schemaname = 'public'
       AND (tablename LIKE 'campaign_master%' OR indexname LIKE '%campaign_master%')
     ORDER BY tablename, indexname
"""


QUERIES = {
    "rules": RULES,
    "columns": COLUMNS,
    "indexes": INDEXES,
    "constraints": CONSTRAINTS,
    "records": RECORDS,
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_the_database_equals_a_new_installation(upgraded, odoo, new, query):
    """Including rules that were changed before the upgrade."""
    expected = odoo.sql(new, query).splitlines()
    assert expected
    assert odoo.sql(upgraded.data.database, query).splitlines() == expected


def test_marketing_users_can_read_everything_that_is_not_internal(upgraded):
    names = snapshot.models(upgraded.data.scene.admin)
    for login in ("marketing", "seller", "other"):
        records = snapshot.take(upgraded.data.session(login), names)
        refused = {name for name in records if records[name] == snapshot.NOT_ALLOWED}
        # They are read through fields of accounts, contacts and leads.
        assert refused == {
            "campaign.master.account.state",
            "campaign.master.api.check",
            "campaign.master.engagement",
            "campaign.master.trace",
        }


# The first and the longest upgrade only, as each bundles Odoo's web client again.
@pytest.mark.parametrize("upgraded", [UPGRADES[0], UPGRADES[-1]], indirect=True, ids=_name)
def test_a_marketing_user_sees_recipients_in_a_browser(upgraded, page):
    data = upgraded.data
    page = page(data.url, "marketing", "marketing")
    page.goto(f"/odoo/action-utm.utm_campaign_action/{data.campaigns['sent']}")
    page.click("a[name=campaign_master_contacts]")
    page.wait_for_selector(".o_list_view .o_data_row:has-text('Ann')")
    page.click("a[name=campaign_master_companies]")
    page.wait_for_selector(".o_list_view .o_data_row:has-text('Office')")
    assert not page.locator(".o_error_dialog").count()
