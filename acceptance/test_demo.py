"""README's first command, for somebody who has nothing yet, and again the next day."""

import contextlib
import re
import shutil

import pytest

from environment import demo_seed, rpc
from environment.demo import DATABASE

from . import commands

READY = "Ctrl-C stops everything."
# Whoever stops it does not want to wait.
SOON = 15


@pytest.fixture
def state(tmp_path):
    """An empty directory for databases; what PostgreSQL keeps elsewhere is removed afterwards."""
    directory = tmp_path / "state"
    directory.mkdir()
    yield directory
    for cluster in directory.glob("campaign-master-odoo/postgresql-*"):
        shutil.rmtree(cluster.resolve(), ignore_errors=True)


def _sent_figures(odoo_url):
    """The figures of the sent campaign, and its id, for the marketing user."""
    marketing = rpc.Odoo(odoo_url, DATABASE, **demo_seed.MARKETING)
    names = [f"campaign_master_{name}" for name in ("sent", "delivered", "opens", "clicks")]
    [campaign] = marketing.find("utm.campaign", [("title", "=", demo_seed.SENT)], names)
    return campaign


def _see_in_browser(page, odoo_url, campaign):
    page = page(odoo_url, *demo_seed.MARKETING.values())
    page.goto(f"/odoo/action-utm.utm_campaign_action/{campaign['id']}")
    page.click("a[name=campaign_master_statistics]")
    sent = page.locator("[name=campaign_master_sent]").first
    sent.wait_for()
    assert sent.inner_text() == str(campaign["campaign_master_sent"])


def test_the_demo_comes_up_filled_stops_at_once_and_comes_up_again(state, page):
    environ = {"XDG_STATE_HOME": str(state)}
    seen = []
    for time in ("first", "second"):
        with commands.running("demo", **environ) as demo:
            seconds = demo.wait_for(READY)
            print(f"The {time} start of ./dev demo took {seconds:.0f} seconds.")
            odoo_url = re.search(r"Odoo +(http\S+)", demo.printed)[1]
            campaign = _sent_figures(odoo_url)
            assert campaign["campaign_master_sent"]
            assert campaign["campaign_master_opens"]
            _see_in_browser(page, odoo_url, campaign)
            seconds, code = demo.interrupt()
            print(f"It stopped after {seconds:.1f} seconds.")
        assert code == 0
        assert seconds < SOON
        assert "Stopping" in demo.printed
        assert not commands.processes_with(f"XDG_STATE_HOME={state}")
        seen.append(campaign)
    first, second = seen
    assert second["id"] == first["id"]
    assert second["campaign_master_sent"] == first["campaign_master_sent"]
    with contextlib.suppress(FileNotFoundError):
        assert "ERROR" not in (state / "campaign-master-odoo/demo/sandbox.log").read_text()
