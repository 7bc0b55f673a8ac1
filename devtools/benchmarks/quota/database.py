"""An Odoo in which the simulated time passes, with nothing replaced but Campaign Master.

Each run of the scheduled action, each press of a button and each count of a call is committed to a
real database, so that a whole year would take hours.
"""

import contextlib
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry

from odoo.addons.campaign_master.client import CampaignMasterRateLimitError
from odoo.addons.campaign_master.models.campaign_master_account import CampaignMasterAccount

from .double import Client


class Office:
    """The account and its campaigns in a database that has the add-on, and neither of them yet."""

    def __init__(self, database, server):
        self.clock = server.clock
        self._server = server
        self._registry = Registry(database)
        self._ids = {}  # of utm.campaign, by ref
        with self._env() as env:
            account = env["campaign.master.account"].create(
                {
                    "company_id": env.company.id,
                    "enabled": True,
                    "username": "simulated",
                    "password": "simulated",
                }
            )
            self._account = account.id
            self._cron = env.ref("campaign_master.ir_cron_pull_statistics").id
        # What enabling the account has triggered is not of the simulated time.
        self._sql("DELETE FROM ir_cron_trigger")

    @contextlib.contextmanager
    def in_place(self):
        """Let the add-on talk to the simulated Campaign Master, and know no other time."""

        def client(account, purpose, background=False, **_options):
            return Client(self._server, account._ledger(purpose, background))

        with self.clock.everywhere(), patch.object(CampaignMasterAccount, "_client", client):
            yield

    def client(self, purpose, background):
        with self._env() as env:
            account = env["campaign.master.account"].browse(self._account)
            return account._client(purpose, background)

    def pull(self):
        """The scheduled action runs."""
        self._sql(
            "DELETE FROM ir_cron_trigger WHERE cron_id = %s AND call_at <= %s",
            self._cron,
            self.clock.now,
        )
        with self._env() as env:
            env["utm.campaign"]._cron_campaign_master_pull()

    def triggers(self):
        """When the scheduled action is to run, besides every half hour."""
        rows = self._sql("SELECT call_at FROM ir_cron_trigger WHERE cron_id = %s", self._cron)
        return [max(at, self.clock.now) for [at] in rows]

    def synced(self, campaign):
        """The button made the campaign in Campaign Master, or has updated it."""
        with self._env() as env:
            if campaign.ref not in self._ids:
                self._ids[campaign.ref] = self._create(env, campaign).id
            env["utm.campaign"].browse(self._ids[campaign.ref])._campaign_master_wake()

    def _create(self, env, campaign):
        record = env["utm.campaign"].create(
            {
                "title": f"Campaign {campaign.number}",
                "campaign_master_account_id": self._account,
                "campaign_master_ref": campaign.ref,
                "campaign_master_remote_status": "draft",
            }
        )
        record.flush_recordset()
        env.cr.execute(
            """
            INSERT INTO campaign_master_recipient (
                campaign_id, kind, email, sync_state, open_count, click_count, forward_count,
                unsubscribe_count, bounced, opted_out, late)
            SELECT %s, 'contact', email, 'added', 0, 0, 0, 0, FALSE, FALSE, FALSE
              FROM unnest(%s) AS email
            """,
            [record.id, [campaign.email(place) for place in range(len(campaign.clicks))]],
        )
        return record

    def refresh(self, campaign):
        """Somebody presses *Refresh statistics now*.

        :raise CampaignMasterRateLimitError: the calls are spent
        """
        try:
            with self._env() as env:
                record = env["utm.campaign"].browse(self._ids[campaign.ref])
                record.action_campaign_master_refresh_statistics()
        except UserError as error:
            if isinstance(error.__cause__, CampaignMasterRateLimitError):
                raise error.__cause__ from None
            raise

    def usage(self):
        """The add-on's meter: ``{(hour, purpose): calls}``."""
        rows = self._sql("SELECT hour, purpose, calls FROM campaign_master_usage")
        return {(hour, purpose): calls for hour, purpose, calls in rows}

    def clicked(self):
        """The addresses whose line in Odoo has their click."""
        rows = self._sql("SELECT email FROM campaign_master_recipient WHERE click_count = 1")
        return {email for [email] in rows}

    @contextlib.contextmanager
    def _env(self):
        with self._registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    def _sql(self, statement, *values):
        with self._registry.cursor() as cr:
            cr.execute(statement, values or None)
            return cr.fetchall() if cr.description else None
