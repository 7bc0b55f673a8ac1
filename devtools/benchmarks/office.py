"""An Odoo inside this process: transactions of a user on a database, committed for real."""

import contextlib
import threading

import psycopg2

from odoo import api, sql_db
from odoo.modules.registry import Registry
from odoo.tools import config

SUPERUSER = "__system__"


def prepare():
    """Make Odoo's configuration ready; warnings alone are logged."""
    config.parse_config(["--log-level", "warn"], setup_logging=True)


class Office:
    """Odoo on one database.

    :param str database: its name
    """

    def __init__(self, database):
        self.database = database
        self.registry = Registry(database)
        self._users = {}

    @contextlib.contextmanager
    def transaction(self, login=SUPERUSER):
        """An environment of a user, committed at the end of the block, thrown away on errors."""
        thread = threading.current_thread()
        before, thread.dbname = getattr(thread, "dbname", None), self.database
        try:
            with self.registry.cursor() as cr:
                yield self._environment(cr, login)
        finally:
            thread.dbname = before

    def _environment(self, cr, login):
        if login not in self._users:
            cr.execute("SELECT id FROM res_users WHERE login = %s", [login])
            self._users[login] = cr.fetchone()[0]
        user = self._users[login]
        context = api.Environment(cr, user, {})["res.users"].context_get()
        return api.Environment(cr, user, context)

    @contextlib.contextmanager
    def bare(self):
        """A cursor of the database without anything of Odoo's, committed at the end."""
        with self.registry.cursor() as cr:
            yield cr

    def sql(self, statement, *values):
        """Run one statement in a transaction of its own; return its rows, if it gives some."""
        with self.bare() as cr:
            cr.execute(statement, values or None)
            return cr.fetchall() if cr.description else None

    def vacuum(self, *tables):
        """Bring tables into the state in which autovacuum would leave them."""
        with contextlib.closing(psycopg2.connect(dbname=self.database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cr:
                for table in tables:
                    cr.execute(f"VACUUM (ANALYZE) {table}")

    def close(self):
        """Let go of the database, so that it can be copied."""
        sql_db.close_db(self.database)
        Registry.delete(self.database)
