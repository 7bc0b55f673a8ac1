"""Odoo inside this process: transactions of a user in a database, with real commits."""

import contextlib
import threading

import psycopg2

from odoo import api, sql_db
from odoo.modules.registry import Registry
from odoo.tools import config

SUPERUSER = "__system__"


def configure():
    """Load Odoo's configuration; only warnings and errors are logged."""
    config.parse_config(["--log-level", "warn"], setup_logging=True)


class OdooDatabase:
    """A database with Odoo.

    :param str name: its name
    """

    def __init__(self, name):
        self.name = name
        self.registry = Registry(name)
        self._user_ids = {}

    @contextlib.contextmanager
    def transaction(self, login=SUPERUSER):
        """Yield a user's environment; commit at the end of the block, roll back on errors."""
        thread = threading.current_thread()
        before, thread.dbname = getattr(thread, "dbname", None), self.name
        try:
            with self.registry.cursor() as cr:
                yield self._environment(cr, login)
        finally:
            thread.dbname = before

    def _environment(self, cr, login):
        if login not in self._user_ids:
            cr.execute("SELECT id FROM res_users WHERE login = %s", [login])
            self._user_ids[login] = cr.fetchone()[0]
        user_id = self._user_ids[login]
        context = api.Environment(cr, user_id, {})["res.users"].context_get()
        return api.Environment(cr, user_id, context)

    @contextlib.contextmanager
    def cursor(self):
        """Yield a cursor without an environment; commit at the end of the block."""
        with self.registry.cursor() as cr:
            yield cr

    def sql(self, statement, *values):
        """Run one statement in a transaction; return its rows, or None if it returns none."""
        with self.cursor() as cr:
            cr.execute(statement, values or None)
            return cr.fetchall() if cr.description else None

    def vacuum(self, *tables):
        """Vacuum and analyze tables, as autovacuum would."""
        with contextlib.closing(psycopg2.connect(dbname=self.name)) as connection:
            connection.autocommit = True
            with connection.cursor() as cr:
                for table in tables:
                    cr.execute(f"VACUUM (ANALYZE) {table}")

    def close(self):
        """Close all connections, so that the database can be copied."""
        sql_db.close_db(self.name)
        Registry.delete(self.name)
