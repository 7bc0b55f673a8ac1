"""The real add-on on a real database, at the simulated time and with the fake Campaign Master.

Each run of the scheduled action, each press of a button and each counted call is committed, so a
whole year would take hours.
"""

import contextlib
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from odoo.addons.campaign_master.models.campaign_master_account import (
    BACKGROUND,
    INTERACTIVE,
    CampaignMasterAccount,
)

from .fake_server import Client


class RealAccount:
    """The account and its campaigns in a database that has the add-on and no account yet.

    :param str database: its name
    :param fake_server.Server server: what the add-on calls
    """

    def __init__(self, database, server):
        self.clock = server.clock
        self.server = server
        self._registry = Registry(database)
        self._ids = {}  # of utm.campaign, by ref
        self.refused_refreshes = 0
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
        # Enabling the account has triggered the action at the real time.
        self._sql("DELETE FROM ir_cron_trigger")

    @contextlib.contextmanager
    def in_place(self):
        """For the length of the block the add-on calls the fake server and sees its time."""

        def client(account, purpose, mode):
            return Client(self.server, account._ledger(purpose, mode.background))

        with self.clock.everywhere(), patch.object(CampaignMasterAccount, "_client", client):
            yield

    def client(self, purpose, background):
        with self._env() as env:
            account = env["campaign.master.account"].browse(self._account)
            return account._client(purpose, BACKGROUND if background else INTERACTIVE)

    def pull(self):
        """The scheduled action runs."""
        self._sql(
            "DELETE FROM ir_cron_trigger WHERE cron_id = %s AND call_at <= %s",
            self._cron,
            self.clock.now,
        )
        with self._env() as env:
            env["campaign.master.campaign"]._cron_read_statistics()
        refused = self._sql(
            "UPDATE campaign_master_campaign SET read_message = NULL"
            " WHERE read_message IS NOT NULL RETURNING id"
        )
        self.refused_refreshes += len(refused)

    def triggers(self):
        """When the scheduled action is to run, besides every half hour."""
        rows = self._sql("SELECT call_at FROM ir_cron_trigger WHERE cron_id = %s", self._cron)
        return [max(at, self.clock.now) for [at] in rows]

    def synced(self, campaign):
        """A sync has created or updated the campaign in Campaign Master."""
        with self._env() as env:
            if campaign.ref not in self._ids:
                self._ids[campaign.ref] = self._create(env, campaign).id
            record = env["utm.campaign"].browse(self._ids[campaign.ref])
            row = env["campaign.master.campaign"]._get_or_create(record)
            row._schedule_frequent_reading()

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
                unsubscribe_count, bounced, opted_out_here, late)
            SELECT %s, 'contact', email, 'added', 0, 0, 0, 0, FALSE, FALSE, FALSE
              FROM unnest(%s) AS email
            """,
            [record.id, [campaign.email(place) for place in range(len(campaign.clicks))]],
        )
        return record

    def refresh(self, campaign):
        """A user clicks *Refresh Statistics*: the scheduled action starts with this campaign."""
        with self._env() as env:
            record = env["utm.campaign"].browse(self._ids[campaign.ref])
            record.action_campaign_master_refresh_statistics()

    def usage(self):
        """The add-on's meter.

        :return: calls by ``(hour, purpose)``
        """
        rows = self._sql("SELECT hour, purpose, calls FROM campaign_master_usage")
        return {(hour, purpose): calls for hour, purpose, calls in rows}

    def clicked(self):
        """:return: the addresses of the recipients with a click in Odoo"""
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
