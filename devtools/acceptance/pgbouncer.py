"""A PgBouncer in front of the database server.

It pools the connections to one database by transaction. Those to the database ``postgres`` keep
their session, as Odoo waits there for notifications (LISTEN).
"""

import contextlib
import os
import pwd
import shutil
import tempfile
import time
from pathlib import Path

import psycopg2

from devtools.environment import debian
from devtools.environment.console import Problem
from devtools.environment.processes import background, ended

PORT = 6432  # names the socket only
TIMEOUT = 20  # seconds
CONFIGURATION = """
[databases]
postgres = {server} pool_mode=session
{database} = {server} pool_mode=transaction

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {directory}
auth_type = any
max_client_conn = 500
query_wait_timeout = 60
"""


@contextlib.contextmanager
def running(environ, database):
    """Run PgBouncer.

    :param dict environ: the environment variables of the database server's clients
    :param str database: the database whose connections are pooled by transaction
    :return: the environment variables of PgBouncer's clients
    """
    if not shutil.which("pgbouncer"):
        debian.need("pgbouncer")
    # Not in pytest's directory, which other users cannot access.
    with tempfile.TemporaryDirectory(prefix="campaign-master-") as name:
        directory = Path(name)
        configuration = directory / "pgbouncer.ini"
        configuration.write_text(
            CONFIGURATION.format(
                server=_server(environ),
                database=database,
                directory=directory,
                port=PORT,
            )
        )
        command, log = ["pgbouncer", configuration], directory / "log"
        if os.geteuid() == 0:
            # PgBouncer refuses to run as root.
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)
            options = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
            command = ["setpriv", *options, "--pdeathsig", "TERM", "--", *command]
        with ended(background(command, environ, log)) as process:
            clients = {**environ, "PGHOST": str(directory), "PGPORT": str(PORT)}
            end = time.monotonic() + TIMEOUT
            while not _answers(clients, database):
                if process.poll() is not None or time.monotonic() > end:
                    raise Problem(f"PgBouncer did not start: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield clients


def _server(environ):
    """Return the server's address and login for the configuration."""
    parts = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    return " ".join(f"{key}={environ[name]}" for key, name in parts.items() if environ.get(name))


def connect(environ, database):
    """Connect to a database; ``environ`` is what :func:`running` returns."""
    address = {"host": environ["PGHOST"], "port": environ["PGPORT"], "user": environ.get("PGUSER")}
    connection = psycopg2.connect(dbname=database, **address)
    connection.autocommit = True
    return connection


def _answers(environ, database):
    try:
        connect(environ, database).close()
    except psycopg2.OperationalError:
        return False
    return True
