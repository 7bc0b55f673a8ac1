"""A private PostgreSQL server that runs while a ./dev command needs it.

It listens only on a Unix socket in a directory that other users cannot access. If PGHOST is set,
that server is used instead.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import debian
from .console import Problem, say
from .places import STATE

# Odoo refuses the user postgres.
ROLE = "odoo"

# Fast, but not safe in a power failure; these databases can be created again.
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
fsync = off
full_page_writes = off
synchronous_commit = off
jit = off
shared_buffers = 256MB
"""

# The kernel's limit.
MAX_SOCKET_PATH = 107


@contextlib.contextmanager
def server():
    """Provide a server; yield the environment variables for its clients."""
    if os.environ.get("PGHOST"):
        if not shutil.which("psql"):
            debian.need("postgresql-client")
        yield _client_environ(os.environ)
        return
    if not _installed():
        # Includes the two extensions that Odoo needs.
        debian.need("postgresql")
    cluster = Cluster()
    with cluster.in_use():
        yield _client_environ(
            {**os.environ, "PGHOST": str(cluster.socket), "PGPORT": "5432", "PGUSER": ROLE},
            cluster.programs,
        )


def _client_environ(environ, programs=None):
    """Return the environment variables for psql, createdb and Odoo."""
    environ = dict(environ)
    if programs:
        environ["PATH"] = f"{programs}:{environ.get('PATH', '')}"
    return environ


class Cluster:
    """A PostgreSQL cluster and its server."""

    def __init__(self):
        self.programs = _programs()
        version = self.programs.parent.name
        self.as_root = os.geteuid() == 0
        self.link = STATE / f"postgresql-{version}"
        self.directory = self.link
        if self.as_root:
            # PostgreSQL refuses to run as root, and other users cannot access root's home.
            name = hashlib.sha256(str(self.link).encode()).hexdigest()[:12]
            self.directory = Path("/var/lib/campaign-master-odoo") / name
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.socket = self._socket_directory()

    @contextlib.contextmanager
    def in_use(self):
        """Start the server if needed, and stop it at the end if no other process uses it.

        Each process holds a shared lock on `users`; the one that gets it exclusively is the last.
        """
        STATE.mkdir(parents=True, exist_ok=True)
        # The lock on `change` makes checking and starting or stopping atomic.
        with (
            open(STATE / "postgresql.users", "w", encoding="utf-8") as users,
            open(STATE / "postgresql.change", "w", encoding="utf-8") as change,
        ):
            fcntl.flock(change, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            self._start()
            fcntl.flock(change, fcntl.LOCK_UN)
            try:
                yield
            finally:
                fcntl.flock(change, fcntl.LOCK_EX)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._control("stop", "-m", "fast")

    def _start(self):
        if not self._complete():
            self._create()
        if self._control("status").returncode == 0:
            return
        self._make_private(self.socket)
        if self._control("start", "-l", self.log).returncode:
            log = self.log.read_text(errors="replace") if self.log.exists() else ""
            raise Problem(f"PostgreSQL did not start. Last lines of {self.log}:\n{log[-2000:]}")

    def _complete(self):
        """Return whether the cluster exists and belongs to this home."""
        return self.link.exists() and (self.directory / "complete").exists()

    def _create(self):
        """Create the cluster, replacing an incomplete one or that of a removed home."""
        say("Creating a PostgreSQL cluster ...")
        if self.data.exists():
            self._control("stop", "-m", "immediate")
        shutil.rmtree(self.directory, ignore_errors=True)
        self._make_private(self.directory)
        run = self._run(
            ["initdb", "--pgdata", self.data, "--username", ROLE, "--auth", "trust"]
            + ["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        )
        if run.returncode:
            raise Problem(f"The PostgreSQL cluster could not be created:\n{run.stdout}")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(SETTINGS.format(socket=self.socket))
        if self.as_root:
            self.link.unlink(missing_ok=True)
            self.link.symlink_to(self.directory)
        (self.directory / "complete").touch()

    def _control(self, command, *args):
        return self._run(["pg_ctl", command, "--pgdata", self.data, "--wait", "--silent", *args])

    def _run(self, command):
        """Run one of PostgreSQL's programs, never as root and not interrupted by Ctrl-C."""
        program, *args = command
        other_user = ["runuser", "-u", "postgres", "--"] if self.as_root else []
        # Not a pipe, as the server would keep it open.
        with tempfile.TemporaryFile("w+") as output:
            run = subprocess.run(
                [*other_user, self.programs / program, *args],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
            )
            output.seek(0)
            run.stdout = output.read()
        return run

    def _make_private(self, directory):
        """Create a directory that only the server's user can access."""
        directory.mkdir(parents=True, exist_ok=True)
        if self.as_root:
            shutil.chown(directory, "postgres", "postgres")
        directory.chmod(0o700)

    def _socket_directory(self):
        directory = self.directory / "socket"
        if len(f"{directory}/.s.PGSQL.5432") <= MAX_SOCKET_PATH:
            return directory
        name = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        directory = Path("/tmp") / f"campaign-master-odoo-{name}"
        if directory.exists() and directory.stat().st_uid != self._uid():
            raise Problem(f"{directory} belongs to another user. Remove it.")
        return directory

    def _uid(self):
        return pwd.getpwnam("postgres").pw_uid if self.as_root else os.geteuid()


def _programs():
    """Return the directory of the newest PostgreSQL server's programs."""
    found = _installed()
    if not found:
        raise Problem("No PostgreSQL server found in /usr/lib/postgresql.")
    return max(found, key=lambda program: int(program.parent.parent.name)).parent


def _installed():
    """Return the initdb of each installed major version."""
    return list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
