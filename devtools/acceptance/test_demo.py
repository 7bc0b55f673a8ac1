"""README's first command without existing data, and a second start."""

import re
import shutil

import pytest

from devtools.environment import demo_seed, demo_year, rpc
from devtools.environment.demo import DATABASE

from . import commands

READY = "Press Ctrl-C to stop."
# Seconds.
STOPS_WITHIN = 15
STARTS_AGAIN_WITHIN = 60


@pytest.fixture
def state(tmp_path):
    """An empty state directory. PostgreSQL's files outside of it are removed at the end."""
    directory = tmp_path / "state"
    directory.mkdir()
    yield directory
    for cluster in directory.glob("campaign-master-odoo/postgresql-*"):
        shutil.rmtree(cluster.resolve(), ignore_errors=True)


def test_the_demo_starts_with_figures_and_starts_again(state, page):
    first, _seconds = _start_and_stop(state, page)
    second, seconds = _start_and_stop(state, page)
    assert seconds < STARTS_AGAIN_WITHIN
    assert second["id"] == first["id"]
    assert second["campaign_master_sent"] == first["campaign_master_sent"]


def _start_and_stop(state, page):
    """Start the demo, look at the sent campaign's figures, and press Ctrl-C.

    :return: the figures, and the seconds until the demo was ready
    """
    # A private database server, even if the developer sets PGHOST.
    with commands.running("demo", XDG_STATE_HOME=str(state), PGHOST="") as demo:
        ready_after = demo.wait_for(READY)
        print(f"./dev demo was ready after {ready_after:.0f} seconds.")
        odoo_url = re.search(r"Odoo +(http\S+)", demo.printed)[1]
        campaign = _sent_campaign(odoo_url)
        assert campaign["campaign_master_sent"]
        assert campaign["campaign_master_opens"]
        _check_in_browser(page, odoo_url, campaign)
        seconds, code = demo.interrupt()
        print(f"It stopped after {seconds:.1f} seconds.")
    assert code == 0
    assert seconds < STOPS_WITHIN
    assert "Stopping" in demo.printed
    assert not commands.processes_with(f"XDG_STATE_HOME={state}")
    return campaign, ready_after


def _sent_campaign(odoo_url):
    """Read the sent campaign's figures as the marketing user."""
    marketing = rpc.Odoo(odoo_url, DATABASE, **demo_seed.MARKETING)
    names = [f"campaign_master_{name}" for name in ("sent", "delivered", "opens", "clicks")]
    [campaign] = marketing.find("utm.campaign", [("title", "=", demo_year.SENT)], names)
    return campaign


def _check_in_browser(page, odoo_url, campaign):
    page = page(odoo_url, *demo_seed.MARKETING.values())
    page.goto(f"/odoo/action-utm.utm_campaign_action/{campaign['id']}")
    page.click("a[name=campaign_master_statistics]")
    sent = page.locator("[name=campaign_master_sent]").first
    sent.wait_for()
    assert sent.inner_text() == str(campaign["campaign_master_sent"])
