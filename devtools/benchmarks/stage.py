"""Everything that is measured on: the two databases, a sandbox, and an account between them."""

import contextlib
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from devtools.environment import machine, rpc, sandbox
from devtools.environment.processes import ended

from . import addon
from .office import Office
from .world import MARKETER, WITH

CALLS_AN_HOUR = 1_000_000


class Stage:
    """What the measurements share.

    :param str url: where the sandbox is
    :param Size size: how many people there are
    :param process: the sandbox's
    :ivar Office office: Odoo on the database with the add-on
    """

    def __init__(self, url, size=None, process=None):
        self.url = url
        self.size = size
        self.office = Office(WITH)
        self.sandbox = rpc.Sandbox(url)
        self._process = process and psutil.Process(process.pid)

    def set_up(self):
        """Make the account and a template; let nothing end because the hour's calls do."""
        self.sandbox.post("settings", {"hourLimit": CALLS_AN_HOUR})
        self.sandbox.post("templates", {"name": "Spring"})
        with self.office.transaction() as env:
            env[addon.ACCOUNT].create(
                {"company_id": env.company.id, **addon.account_values(self.url)}
            )

    def make_campaign(self, title):
        """Make a campaign with a list of its own; return its id."""
        list_ref = self.make_list(title)
        with self.office.transaction(MARKETER) as env:
            account = env[addon.ACCOUNT].search([])
            account.action_refresh_catalogue()
            mailing_list = env[addon.LIST].search([("ref", "=", str(list_ref))])
            template = env[addon.TEMPLATE].search([], limit=1)
            values = addon.campaign_values(title, template, mailing_list)
            return env["utm.campaign"].create(values).id

    def fill(self, campaign, count):
        """Put so many people on a campaign, four partners to one lead, as the world has them."""
        for model, part in (("res.partner", count - count // 5), ("crm.lead", count // 5)):
            with self.campaign(campaign) as record:
                last = record.env[model].search([], order="id", limit=1, offset=part - 1)
                added = addon.add(record, model, [("id", "<=", last.id)])
            if added != part:
                raise AssertionError(f"{added} recipients were added where {part} must be.")

    def make_list(self, name):
        """Make a list in the sandbox; return its id."""
        return self.sandbox.post("lists", {"name": name})["id"]

    @contextlib.contextmanager
    def campaign(self, campaign, login=MARKETER):
        """A campaign in a transaction of a user, committed at the end."""
        with self.office.transaction(login) as env:
            yield env["utm.campaign"].browse(campaign)

    def press(self, campaign):
        """Press the button *Sync*."""
        with self.campaign(campaign) as record:
            addon.sync(record)

    def empty(self):
        """Take everybody off all campaigns."""
        self.office.sql(f"TRUNCATE {', '.join(addon.TABLES)}")

    def calls(self):
        """How often the sandbox was called so far, by kind of call."""
        return Counter(self.sandbox.get("state?brief=1")["calls"])

    def sandbox_seconds(self):
        """Seconds of processor time that the sandbox has used so far."""
        times = self._process.cpu_times()
        return times.user + times.system


@contextlib.contextmanager
def ready(size):
    """Start a sandbox and connect the database with the add-on to it."""
    with tempfile.TemporaryDirectory() as directory:
        port = machine.free_port(8190)
        url = f"http://127.0.0.1:{port}"
        log = Path(directory) / "sandbox.log"
        with ended(sandbox.start("--port", port, log=log)) as process:
            while not rpc.answers(f"{url}/_sandbox/settings"):
                time.sleep(0.1)
            stage = Stage(url, size, process)
            stage.set_up()
            yield stage
