"""Odoo with worker processes behind a proxy."""

import contextlib
import json
import time

import pytest

from devtools.environment import machine, odoo_source, rpc, template
from devtools.faults.scene import Scene

from . import commands, proxy

DATABASE = "campaign_master_workers"
PROGRESS = "campaign_master/progress"
PEOPLE = 3_000
# Seconds. A websocket process that fails is restarted several times per second.
OBSERVED = 10
TIMEOUT = 120
WEBSOCKET_STARTED = "Evented Service (longpolling) running"


@pytest.fixture(scope="module")
def company(odoo, tmp_path_factory):
    """A scene on ``./dev odoo`` with two workers and CAMPAIGN_MASTER_ODOO; the running command; and
    the proxy's URL."""
    directory = tmp_path_factory.mktemp("workers")
    http_port, gevent_port, proxy_port = (machine.free_port(port) for port in (8269, 8272, 8280))
    arguments = ["-d", DATABASE, "--db-filter", f"^{DATABASE}$", "--workers", "2"]
    arguments += ["--http-port", str(http_port), "--gevent-port", str(gevent_port)]
    own_source = {"CAMPAIGN_MASTER_ODOO": str(odoo_source.odoo_source())}
    with contextlib.ExitStack() as stack:
        template.make_database(odoo, DATABASE)
        stack.callback(odoo.drop, DATABASE)
        sandbox_url, _process = stack.enter_context(machine.running_sandbox(directory))
        command = stack.enter_context(commands.running("odoo", *arguments, **own_source))
        url = stack.enter_context(proxy.running(proxy_port, http_port, gevent_port))
        command.wait_for(WEBSOCKET_STARTED)
        end = time.monotonic() + TIMEOUT
        while not rpc.answers(f"{url}/web/login"):
            assert time.monotonic() < end, command.printed[-3000:]
            time.sleep(0.2)
        scene = Scene(
            DATABASE,
            sandbox_url,
            lambda login, password: rpc.Odoo(url, DATABASE, login, password),
        )
        yield scene, command, url
        command.interrupt()


def test_the_websocket_process_keeps_running(company):
    _scene, command, _url = company
    time.sleep(OBSERVED)
    assert command.printed.count(WEBSOCKET_STARTED) == 1
    assert "attempted relative import" not in command.printed


def test_progress_arrives_through_the_websocket(company, page):
    """The form's polling is blocked, as it would hide missing notifications."""
    scene, _command, url = company
    scene.sandbox.post("users", {"username": "demo", "password": "correct horse"})
    scene.make_template("Spring")
    account = scene.connect()
    campaign = scene.plan(account, scene.make_list("Customers"))
    scene.make_people(PEOPLE, "workers.example")
    scene.add(campaign, [("email", "like", "@workers.example")])
    # Slow enough for several notifications.
    scene.sandbox.post("settings", {"delay": 1_500})

    page = page(url, "marketing", "marketing")
    frames = []
    # Playwright does not see the websocket of a shared worker; without it, the page opens its own.
    page.add_init_script("delete window.SharedWorker")
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)),
    )
    page.route("**/utm.campaign/campaign_master_progress", lambda route: route.abort())
    page.goto(f"/odoo/action-utm.utm_campaign_action/{campaign}")
    page.click("button[name=action_campaign_master_sync]")
    status = ".o_campaign_master_sync_status"
    page.wait_for_selector(f"{status}[data-state=running]:has-text('of 3,000')", timeout=60_000)
    page.wait_for_selector(f"{status}[data-state=complete]", timeout=60_000)
    messages = [one["message"] for frame in frames for one in json.loads(frame)]
    progress = [message["payload"] for message in messages if message["type"] == PROGRESS]
    assert [one["state"] for one in progress][-1] == "complete"
    assert any(0 < one["done"] < PEOPLE for one in progress)
    assert scene.read(campaign, "sync_state") == "complete"
