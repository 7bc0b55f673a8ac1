"""Fixtures and options: each kind of test has a database, copied from one with the add-on."""

import contextlib
import time

import pytest

from devtools.environment import odoo as odoo_command
from sandbox.server import serve

from . import inside, report
from .scene import LOGIN, Scene


def pytest_addoption(parser):
    parser.addoption("--faults-database", help="a database with the add-on, to copy")
    parser.addoption(
        "--all",
        action="store_true",
        dest="everything",
        help="run every case instead of the representative ones",
    )
    parser.addoption(
        "--keep",
        action="store_true",
        help="rewrite docs/faults.md instead of comparing it",
    )


def pytest_configure(config):
    config.addinivalue_line("markers", "thorough: run with --all only; another one represents it")
    config.stash[report.STARTED] = time.monotonic()
    inside.prepare()


def pytest_collection_modifyitems(config, items):
    """Deselect tests that another test represents, unless tests are named."""
    is_named = any("::" in argument for argument in config.args)
    if not config.option.everything and not is_named:
        deselected = [item for item in items if item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if item not in deselected]


def pytest_terminal_summary(terminalreporter, config):
    """Print what was tested."""
    seconds = time.monotonic() - config.stash[report.STARTED]
    for line in report.lines(seconds):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def odoo():
    """Odoo's command line, with everything that it needs."""
    with odoo_command.ready() as ready:
        yield ready


@pytest.fixture(scope="session")
def copied(odoo, pytestconfig):
    """A context manager that creates a database with the add-on, for a purpose."""
    original = pytestconfig.getoption("faults_database")
    assert original, "./dev test --faults runs these tests, and creates the database."

    @contextlib.contextmanager
    def copy(purpose):
        name = f"{original}_{purpose}"
        odoo.drop(name)
        odoo.sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
        try:
            yield name
        finally:
            odoo.drop(name)

    return copy


@pytest.fixture(scope="module")
def campaign_master():
    """A sandbox in a thread of this process, with one user."""
    with serve(users={LOGIN["username"]: LOGIN["password"]}) as running:
        yield running


@pytest.fixture(scope="session")
def matrix(copied):
    """The matrix, on a database of its own."""
    # It imports the add-on, which is not importable before `inside.prepare`.
    from .matrix import Matrix

    with (
        copied("matrix") as database,
        serve(users={LOGIN["username"]: LOGIN["password"]}) as running,
    ):
        scene = Scene(database, running.url, lambda login, password: inside.Inside(database, login))
        matrix = Matrix(scene)
        with matrix.ready():
            yield matrix
        inside.close(database)
