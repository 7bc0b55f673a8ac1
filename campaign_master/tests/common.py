"""What the tests of the add-on share: a Campaign Master to talk to, and people."""

import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import requests

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.tests import HttpCase, TransactionCase, get_db_name, new_test_user, tagged

from ..tools import CronRun

ROOT = Path(__file__).resolve().parents[2]
USERNAME, PASSWORD = "demo", "demo"


class Sandbox:
    """A local Campaign Master in a process of its own, and its controls."""

    def __init__(self, runner=()):
        """:param runner: a command that runs the sandbox's"""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [*runner, sys.executable, "-m", "sandbox", "--port", str(port)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._session = requests.Session()
        for _attempt in range(200):
            try:
                self.reset()
                return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("The sandbox did not start.")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def control(self, path, data=None, method="POST"):
        response = self._session.request(method, f"{self.url}/_sandbox/{path}", json=data)
        response.raise_for_status()
        return response.json()

    def reset(self):
        self.control("reset")

    def template(self, name):
        return str(self.control("templates", {"name": name})["id"])

    def list(self, name, emails=()):
        return str(self.control("lists", {"name": name, "emails": list(emails)})["id"])

    def members(self, list_ref):
        return self.control(f"lists/{list_ref}/members", method="GET")["emails"]

    def send(self, campaign_ref, list_ref, minutes=0, **options):
        return self.control(
            f"campaigns/{campaign_ref}/send",
            {"listId": int(list_ref), "minutes": minutes, **options},
        )

    def faults(self, *faults):
        self.control("faults", list(faults))

    def state(self):
        return self.control("state", method="GET")

    def calls(self, kind=None):
        calls = self.state()["calls"]
        return calls.get(kind, 0) if kind else calls


# Not a child of this process, as Odoo ends those after each class. It ends together with this
# process, however that ends: the pipe is closed.
DETACHED = 'exec 3<&0; ("$@" & cat <&3; kill $!) &'


@cache
def shared_sandbox():
    """The sandbox of all tests, as it takes half a second to start: each test resets it."""
    return Sandbox(["sh", "-c", DETACHED, "sh"])


@cache
def bundle_assets(database):
    """Bundle Odoo's web client once, for all tests that use a browser: what a test bundles is
    rolled back with it."""
    with Registry(database).cursor() as cr:
        views = api.Environment(cr, SUPERUSER_ID, {})["ir.qweb"]
        for name in ("web.assets_frontend", "web.assets_tests", "web.assets_web"):
            bundle = views._get_asset_bundle(name, assets_params={})
            bundle.js()
            bundle.css()


class BrowserCase(HttpCase):
    """Tests that use a browser; derive them from this class and another one."""

    @classmethod
    def setUpClass(cls):
        bundle_assets(get_db_name())
        super().setUpClass()


@tagged("post_install", "-at_install")
class CampaignMasterCase(TransactionCase):
    """A company with an enabled account at the sandbox, a marketing user, a list and a template."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox = shared_sandbox()
        cls.marketer = new_test_user(
            cls.env,
            "marketer",
            "mass_mailing.group_mass_mailing_user,sales_team.group_sale_salesman_all_leads,"
            "base.group_partner_manager",
            name="Mara Marketing",
        )

    def setUp(self):
        super().setUp()
        # The token and the counted calls are kept in transactions of their own.
        if not self._registry_patched:  # HttpCase has done so
            self.registry_enter_test_mode()
        self.sandbox.reset()
        self.template_ref = self.sandbox.template("Spring")
        self.list_ref = self.sandbox.list("Customers")
        self.account = self.make_account(self.env.company)
        self.template = self.find("campaign.master.template", self.template_ref)
        self.list = self.find("campaign.master.list", self.list_ref)
        self.env = self.env(user=self.marketer)

    def make_account(self, company, username=USERNAME, password=PASSWORD):
        account = self.env["campaign.master.account"].create(
            {
                "company_id": company.id,
                "enabled": True,
                "username": username,
                "password": password,
                "api_url": self.sandbox.url,
            }
        )
        account.action_refresh_catalogue()
        return account

    def work_in_second_company(self, groups):
        """From now on, ``self.env`` is that of a user of another company, which has an account with
        a template and a list of its own.

        :param str groups: of the user, separated by commas
        :return: the environment before, and the values of a campaign with the template and list
        """
        before, self.env = self.env, self.account.env
        company = self.env["res.company"].create({"name": "Second Company"})
        self.sandbox.control("users", {"username": "two", "password": "secret"})
        template_ref, list_ref = (
            str(self.sandbox.control(things, {"name": "Second", "account": "two"})["id"])
            for things in ("templates", "lists")
        )
        self.make_account(company, "two", "secret")
        user = new_test_user(
            self.env, "two", groups, company_id=company.id, company_ids=company.ids
        )
        self.env = self.env(user=user)
        return before, {
            "campaign_master_template_id": self.find("campaign.master.template", template_ref).id,
            "campaign_master_list_id": self.find("campaign.master.list", list_ref).id,
        }

    def find(self, model, ref):
        return self.env[model].sudo().search([("ref", "=", ref)])

    def make_campaign(self, **values):
        return self.env["utm.campaign"].create(
            {
                "title": "Spring offers",
                "description": "What we have for spring",
                "campaign_master_subject": "Spring is here",
                "campaign_master_template_id": self.template.id,
                "campaign_master_list_id": self.list.id,
                **values,
            }
        )

    def make_contacts(self, *emails, **values):
        return self.env["res.partner"].create(
            [
                {"name": f"Person {number}", "email": email, **values}
                for number, email in enumerate(emails)
            ]
        )

    def add(self, campaign, people):
        return campaign.campaign_master_add_recipients(people._name, [("id", "in", people.ids)])

    def run_cron(self, name, manually=False):
        """Run a scheduled action as the scheduler does, or as *Run Manually* does."""
        cron = self.env.ref(f"campaign_master.ir_cron_{name}").sudo()
        cron = cron.with_user(self.env.ref("base.user_root"))
        self.env.flush_all()
        # A crash comes back as an action that shows it; at pytest's log level it may not.
        logger = "odoo.addons.base.models.ir_cron"
        with self.assertNoLogs(logger, "ERROR"):
            if manually:
                cron.method_direct_trigger()
            else:
                job = cron._acquire_one_job(self.env.cr, cron.id, include_not_ready=True)
                cron._process_job(self.env.cr, job)
        self.env.invalidate_all()
        self.assertEqual(cron.failure_count, 0, "The scheduled action crashed")

    def syncs(self, campaign):
        """The log of the campaign's syncs, newest first."""
        return self.env["campaign.master.sync"].sudo().search([("campaign_id", "=", campaign.id)])

    def wait_is_over(self, campaign):
        """A sync that waits may continue now."""
        self.syncs(campaign)[0].next_at = fields.Datetime.now()

    def push(self):
        self.run_cron("push_recipients")

    def pull(self):
        """Read all campaigns, however recently they were read."""
        rows = self.env["campaign.master.campaign"].sudo().search([("next_poll_at", "!=", False)])
        rows.next_poll_at = fields.Datetime.now()
        self.run_cron("pull_statistics")

    def sync(self, campaign, button="sync"):
        """Click a button of the campaign and let the scheduled action do the rest."""
        self.press(campaign, button)
        self.push()

    def press(self, campaign, button="sync"):
        """Click a button of the campaign.

        :return: the action that it returns
        """
        return getattr(campaign, f"action_campaign_master_{button}")()

    def export(self, campaign):
        """Carry out the first step of a started sync only: the campaign is in Campaign Master, and
        its recipients are to be added next.

        :return: the sync
        """
        sync = self.syncs(campaign)[0]
        self.env.flush_all()
        with (
            self.registry.cursor() as cr,
            CronRun(self.env["campaign.master.sync"]._cron_push_recipients(), "recipients") as run,
        ):
            sync.with_env(api.Environment(cr, SUPERUSER_ID, {}))._turn(run)
        self.env.invalidate_all()
        return sync

    def refresh(self, campaign):
        """Click Refresh Statistics and let the scheduled action do the rest."""
        self.press(campaign, "refresh_statistics")
        self.run_cron("pull_statistics")

    def work(self, campaign):
        """How syncing and reading the campaign stands."""
        return campaign.sudo().campaign_master_campaign_ids

    def lines(self, campaign):
        return self.env["campaign.master.recipient"].search([("campaign_id", "=", campaign.id)])

    def states(self, campaign):
        """The outcome of each address of the campaign."""
        return {line.email: line.sync_state for line in self.lines(campaign)}
