"""Odoo in this process, used like a server over JSON-RPC.

Each call is a transaction of its own, committed or rolled back as the web server does it, and not
nested in a test's: what the add-on commits before an API call must survive a rollback.
"""

import json

from odoo import api, sql_db
from odoo.exceptions import UserError
from odoo.modules import module
from odoo.modules.registry import Registry
from odoo.service.model import execute_cr
from odoo.tools import config
from odoo.tools.json import json_default

from devtools.environment import rpc


def prepare():
    """Configure Odoo in this process, and make its add-ons importable."""
    config.parse_config(["--no-http"], setup_logging=False)
    module.initialize_sys_path()


class Inside(rpc.Odoo):
    """A user's session, like ``devtools.environment.rpc.Odoo``, but without a socket.

    :param str database: its name
    :param str login: of the user
    """

    def __init__(self, database, login):
        self.registry = Registry(database)
        with self.registry.cursor() as cr:
            users = api.Environment(cr, api.SUPERUSER_ID, {})["res.users"]
            self.user = users.search([("login", "=", login)]).id

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model.

        :raise rpc.OdooError: with the user's message; any other error is a crash
        """
        with self.registry.cursor() as cr:
            try:
                answer = execute_cr(cr, self.user, model, method, list(args), kwargs)
            except UserError as error:
                raise rpc.OdooError(str(error)) from error
        return json.loads(json.dumps(answer, default=json_default))


def close(database):
    """Disconnect from a database, so that it can be dropped."""
    sql_db.close_db(database)
    Registry.delete(database)
