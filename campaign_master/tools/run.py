"""What one run of a scheduled action keeps between its turns."""

import contextlib
import time

from odoo.tools import SQL

TELL_EVERY = 1.0  # seconds between two pieces of news of one record


class Run(contextlib.ExitStack):
    """A context that keeps one client, and so one connection, for each account.

    :param str purpose: what the calls are for, a purpose of ``campaign.master.usage``
    """

    def __init__(self, purpose):
        super().__init__()
        self._purpose = purpose
        self._clients = {}
        self._told = {}

    def client(self, account):
        """:return: the account's client; another one once somebody has changed the account"""
        # Not by the ORM, which reads the whole account again after each commit.
        account.env.cr.execute(
            SQL("SELECT write_date FROM campaign_master_account WHERE id = %s", account.id)
        )
        key = account.id, account.env.cr.fetchone()
        if key not in self._clients:
            client = account._client(self._purpose, background=True)
            self._clients[key] = self.enter_context(client)
        return self._clients[key]

    def is_time_to_tell(self, record):
        """Keep news of a record apart, so that telling does not cost more than doing.

        :return: whether to tell now; then not again within a second
        """
        now = time.monotonic()
        if now - self._told.get(record.id, 0) < TELL_EVERY:
            return False
        self._told[record.id] = now
        return True
