"""Odoo behind a PgBouncer that pools connections by transaction."""

import contextlib
import copy
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from devtools.environment import machine, template
from devtools.environment.rpc import Odoo
from devtools.faults import agreement
from devtools.faults.scene import Scene

from . import pgbouncer

DATABASE = "campaign_master_pgbouncer"
PEOPLE = 2_500
# Seconds. Without notifications, Odoo looks for work once a minute.
STARTS_WITHIN = 30
TIMEOUT = 120
SECOND_LOGIN = {"username": "second", "password": "battery staple"}
MODES = {
    "threads": [],
    "workers": ["--workers", "2", "--max-cron-threads", "1"],
}


@pytest.fixture(scope="module")
def pooled(odoo):
    """Odoo's command line with a database behind PgBouncer."""
    template.make_database(odoo, DATABASE)
    with contextlib.ExitStack() as stack:
        stack.callback(odoo.drop, DATABASE)
        through = copy.copy(odoo)
        through.environ = stack.enter_context(pgbouncer.running(odoo.environ, DATABASE))
        yield through


@pytest.fixture(scope="module", params=MODES)
def scene(request, pooled, tmp_path_factory):
    """A scene with two companies and their accounts. The test's own SQL does not use PgBouncer."""
    directory = tmp_path_factory.mktemp("pgbouncer")
    options = MODES[request.param]
    if options:
        options = [*options, "--gevent-port", str(machine.free_port(8272))]
    with (
        machine.running_sandbox(directory) as (sandbox_url, _sandbox),
        machine.running_odoo(pooled, DATABASE, directory, *options) as (url, _odoo),
    ):
        scene = Scene(
            DATABASE, sandbox_url, lambda login, password: Odoo(url, DATABASE, login, password)
        )
        scene.mode = request.param
        _connect(scene)
        yield scene


def test_connections_are_pooled_by_transaction(pooled):
    """Two clients get the same connection to the server, one after the other."""
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(
                contextlib.closing(pgbouncer.connect(pooled.environ, DATABASE))
            ).cursor()
            for _number in range(2)
        ]
        processes = []
        for client in clients:
            client.execute("SELECT pg_backend_pid()")
            processes.append(client.fetchone())
    assert processes[0] == processes[1]


def _connect(scene):
    """Enable both accounts, or point them to this sandbox."""
    scene.sandbox.post("users", {"username": "demo", "password": "correct horse"})
    scene.sandbox.post("users", SECOND_LOGIN)
    scene.make_template("Spring")
    scene.make_template("Spring", account=SECOND_LOGIN["username"])
    accounts = scene.admin.find("campaign.master.account", [], ["id"])
    if accounts:
        scene.accounts = [row["id"] for row in accounts]
        for account, password in zip(
            scene.accounts, ("correct horse", SECOND_LOGIN["password"]), strict=True
        ):
            values = {"api_url": scene.url, "password": password}
            scene.admin.call("campaign.master.account", "write", [account], values)
    else:
        company = scene.make_company("Second")
        scene.accounts = [scene.connect(), scene.connect(company, **SECOND_LOGIN)]
    # Other people in each mode, as some of them unsubscribe.
    scene.make_people(PEOPLE, f"{scene.mode}.example")


def _wait(scene, campaign, *states, seconds=TIMEOUT):
    """Wait for a state of the sync; return the seconds that it took."""
    started = time.monotonic()
    while (state := scene.read(campaign, "sync_state")) not in states:
        assert time.monotonic() - started < seconds, (state, scene.read(campaign, "sync_message"))
        time.sleep(0.2)
    return time.monotonic() - started


def _expect_all_added(scene, campaign):
    members = agreement.members(scene, campaign)
    assert len(members) == len(set(members)) == PEOPLE
    assert scene.read(campaign, "outcome") == {"added": PEOPLE}
    assert not agreement.figure_differences(scene, campaign)


def test_two_accounts_log_in_and_sync_at_the_same_time(scene):
    campaigns = []
    for account, login in zip(scene.accounts, ("demo", SECOND_LOGIN["username"]), strict=True):
        mailing_list = scene.make_list(f"List of {login} with {scene.mode}", account=login)
        campaign = scene.plan(account, mailing_list, campaign_master_account_id=account)
        scene.add(campaign, [("email", "like", f"@{scene.mode}.example")])
        campaigns.append(campaign)
    # Everyone has to log in again.
    scene.sql("UPDATE campaign_master_account_state SET token = NULL")
    with ThreadPoolExecutor(6) as pool:
        presses = [pool.submit(scene.press, campaign) for campaign in campaigns]
        tests = [
            pool.submit(
                scene.admin.call, "campaign.master.account", "action_test_connection", [one]
            )
            for one in scene.accounts * 2
        ]
        for press in presses:
            assert press.result(TIMEOUT)
        for test in tests:
            assert test.result(TIMEOUT)["params"]["type"] == "success"
    for campaign in campaigns:
        _wait(scene, campaign, "complete")
        _expect_all_added(scene, campaign)


def test_a_sync_starts_at_once_and_can_be_cancelled(scene):
    campaign = scene.plan(scene.accounts[0], scene.make_list(f"Cancelled with {scene.mode}"))
    scene.add(campaign, [("email", "like", f"@{scene.mode}.example")])
    scene.faults({"match": "POST /lists/ID/recipients", "kind": "hold"})
    scene.press(campaign)
    end = time.monotonic() + STARTS_WITHIN
    while not scene.sandbox.get("state?brief=1")["held"]:
        assert time.monotonic() < end, scene.read(campaign, "sync_message")
        time.sleep(0.1)
    scene.press(campaign, "cancel")
    assert scene.read(campaign, "sync_state") == "cancelled"
    scene.sandbox.post("release", {})
    scene.faults()
    scene.press(campaign)
    _wait(scene, campaign, "complete")
    _expect_all_added(scene, campaign)


def test_statistics_are_refreshed(scene):
    mailing_list = scene.make_list(f"Sent with {scene.mode}")
    campaign = scene.plan(scene.accounts[0], mailing_list)
    scene.add(campaign, [("email", "=like", f"person1%@{scene.mode}.example")])
    scene.press(campaign)
    _wait(scene, campaign, "complete")
    scene.send(campaign, mailing_list)
    scene.press(campaign, "refresh_statistics")
    end = time.monotonic() + STARTS_WITHIN
    while agreement.figure_differences(scene, campaign):
        assert time.monotonic() < end, agreement.figure_differences(scene, campaign)[:5]
        time.sleep(0.5)
