"""What all benchmarks share: a database with the add-on, a sandbox, and an account for it."""

import contextlib
import tempfile
from collections import Counter
from pathlib import Path

import psutil

from devtools.environment import machine, rpc

from . import addon
from .data import MARKETING_USER, WITH_ADDON
from .odoo_database import OdooDatabase

CALLS_PER_HOUR = 1_000_000


class Fixture:
    """Database, sandbox and account of the benchmarks.

    :param str url: URL of the sandbox
    :param Size size: number of people in the database
    :param process: process of the sandbox
    :ivar OdooDatabase database: the database with the add-on
    """

    def __init__(self, url, size=None, process=None):
        self.url = url
        self.size = size
        self.database = OdooDatabase(WITH_ADDON)
        self.sandbox = rpc.Sandbox(url)
        self._process = process and psutil.Process(process.pid)

    def set_up(self):
        """Create the account and a template; raise the hourly limit."""
        self.sandbox.post("settings", {"hourLimit": CALLS_PER_HOUR})
        self.sandbox.post("templates", {"name": "Spring"})
        with self.database.transaction() as env:
            env[addon.ACCOUNT].create(
                {"company_id": env.company.id, **addon.account_values(self.url)}
            )

    def create_campaign(self, title):
        """Create a campaign with a new list; return its id."""
        list_ref = self.create_list(title)
        with self.database.transaction(MARKETING_USER) as env:
            account = env[addon.ACCOUNT].search([])
            account.action_refresh_catalogue()
            mailing_list = env[addon.LIST].search([("ref", "=", str(list_ref))])
            template = env[addon.TEMPLATE].search([], limit=1)
            values = addon.campaign_values(title, template, mailing_list)
            return env["utm.campaign"].create(values).id

    def create_list(self, name):
        """Create a list in the sandbox; return its id."""
        return self.sandbox.post("lists", {"name": name})["id"]

    def add_recipients(self, campaign_id, count):
        """Add people to a campaign: four partners for each lead, as in the database."""
        for model, part in (("res.partner", count - count // 5), ("crm.lead", count // 5)):
            with self.campaign(campaign_id) as campaign:
                last = campaign.env[model].search([], order="id", limit=1, offset=part - 1)
                added = addon.add(campaign, model, [("id", "<=", last.id)])
            if added != part:
                raise AssertionError(f"{added} recipients were added; expected: {part}")

    def remove_recipients(self):
        """Remove the recipients of all campaigns, with their activity and opt-outs."""
        self.database.sql(f"TRUNCATE {', '.join(addon.TABLES)}")

    @contextlib.contextmanager
    def campaign(self, campaign_id, login=MARKETING_USER):
        """Yield a campaign in a user's transaction, which is committed at the end of the block."""
        with self.database.transaction(login) as env:
            yield env["utm.campaign"].browse(campaign_id)

    def start_sync(self, campaign_id):
        """Click *Sync*."""
        with self.campaign(campaign_id) as campaign:
            addon.sync(campaign)

    def calls(self):
        """Return the number of calls that the sandbox got so far, by kind of call."""
        return Counter(self.sandbox.get("state?brief=1")["calls"])

    def sandbox_seconds(self):
        """Return the processor time, in seconds, that the sandbox has used so far."""
        times = self._process.cpu_times()
        return times.user + times.system


@contextlib.contextmanager
def running(size):
    """Start a sandbox and create an account for it; yield a :class:`Fixture`."""
    with (
        tempfile.TemporaryDirectory() as directory,
        machine.running_sandbox(Path(directory)) as (url, process),
    ):
        fixture = Fixture(url, size, process)
        fixture.set_up()
        yield fixture
