"""A PostgreSQL server of this project's own, there as long as some ./dev command needs it.

Nothing of it can be reached from elsewhere: it listens on a Unix socket only, in a directory
that is closed to other users. Whoever sets PGHOST uses a server of his own instead.
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

# Odoo refuses the name postgres.
ROLE = "odoo"

# Losing these databases in a power cut costs a minute; waiting for the disk costs it every day.
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

# What the kernel can hold as the path of a socket.
LONGEST_SOCKET = 107


@contextlib.contextmanager
def server():
    """Provide a server; yield the environment variables with which everybody finds it."""
    if os.environ.get("PGHOST"):
        if not shutil.which("psql"):
            debian.need("postgresql-client")
        yield _client_environ(os.environ)
        return
    if not _installed():
        # The two extensions that Odoo needs are part of it.
        debian.need("postgresql")
    cluster = Cluster()
    with cluster.in_use():
        yield _client_environ(
            {**os.environ, "PGHOST": str(cluster.socket), "PGPORT": "5432", "PGUSER": ROLE},
            cluster.programs,
        )


def _client_environ(environ, programs=None):
    """Return environment variables under which psql, createdb and Odoo find the server."""
    environ = dict(environ)
    if programs:
        environ["PATH"] = f"{programs}:{environ.get('PATH', '')}"
    return environ


class Cluster:
    """The directory of the databases and the server over it."""

    def __init__(self):
        self.programs = _programs()
        version = self.programs.parent.name
        self.as_root = os.geteuid() == 0
        self.link = STATE / f"postgresql-{version}"
        self.directory = self.link
        if self.as_root:
            # PostgreSQL refuses to run as root, and another user gets into no home of root's.
            name = hashlib.sha256(str(self.link).encode()).hexdigest()[:12]
            self.directory = Path("/var/lib/campaign-master-odoo") / name
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.socket = self._socket_directory()

    @contextlib.contextmanager
    def in_use(self):
        """Start the server if it is down, and stop it at the end if nobody else uses it.

        Everybody who uses it holds a shared lock; who can have the lock alone is the last one.
        """
        STATE.mkdir(parents=True, exist_ok=True)
        # The second file makes one out of looking who is there and starting or stopping.
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
            raise Problem(f"PostgreSQL did not start. The end of {self.log}:\n{log[-2000:]}")

    def _complete(self):
        """Tell whether the databases are there, made by somebody with this same home."""
        return self.link.exists() and (self.directory / "complete").exists()

    def _create(self):
        """Make the cluster, over what an earlier run or a removed home may have left."""
        say("Creating a PostgreSQL cluster ...")
        if self.data.exists():
            self._control("stop", "-m", "immediate")
        shutil.rmtree(self.directory, ignore_errors=True)
        self._make_private(self.directory)
        made = self._run(
            ["initdb", "--pgdata", self.data, "--username", ROLE, "--auth", "trust"]
            + ["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        )
        if made.returncode:
            raise Problem(f"The PostgreSQL cluster could not be made:\n{made.stdout}")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(SETTINGS.format(socket=self.socket))
        if self.as_root:
            self.link.unlink(missing_ok=True)
            self.link.symlink_to(self.directory)
        (self.directory / "complete").touch()

    def _control(self, command, *args):
        return self._run(["pg_ctl", command, "--pgdata", self.data, "--wait", "--silent", *args])

    def _run(self, command):
        """Run one of PostgreSQL's programs, never as root and out of reach of Ctrl-C."""
        program, *args = command
        other_user = ["runuser", "-u", "postgres", "--"] if self.as_root else []
        # Not a pipe: the server keeps it open for as long as it lives.
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
        """Make a directory that only the server's user gets into (and root)."""
        directory.mkdir(parents=True, exist_ok=True)
        if self.as_root:
            shutil.chown(directory, "postgres", "postgres")
        directory.chmod(0o700)

    def _socket_directory(self):
        directory = self.directory / "socket"
        if len(f"{directory}/.s.PGSQL.5432") <= LONGEST_SOCKET:
            return directory
        name = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        directory = Path("/tmp") / f"campaign-master-odoo-{name}"
        if directory.exists() and directory.stat().st_uid != self._uid():
            raise Problem(f"{directory} belongs to somebody else; it has to go.")
        return directory

    def _uid(self):
        return pwd.getpwnam("postgres").pw_uid if self.as_root else os.geteuid()


def _programs():
    """Return the directory of the newest PostgreSQL server's programs."""
    found = _installed()
    if not found:
        raise Problem("There is no PostgreSQL server under /usr/lib/postgresql.")
    return max(found, key=lambda program: int(program.parent.parent.name)).parent


def _installed():
    """Return where servers are installed, one for each major version."""
    return list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
