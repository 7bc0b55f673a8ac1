"""Fixtures of the acceptance tests."""

import contextlib

import pytest

from devtools.environment import camera
from devtools.environment import odoo as odoo_command

from . import commands  # noqa: F401 (saves the environment)


@pytest.fixture(scope="session")
def odoo():
    """Odoo's command line with this checkout's add-on, and its database server in the
    environment."""
    with odoo_command.ready() as ready, pytest.MonkeyPatch.context() as patch:
        for name in ("PGHOST", "PGPORT", "PGUSER"):
            if name in ready.environ:
                patch.setenv(name, ready.environ[name])
        yield ready


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium."""
    odoo_command.need_browser()
    with camera.chromium() as browser:
        yield browser


@pytest.fixture
def page(browser):
    """A function that logs in a user and returns the page."""
    with contextlib.ExitStack() as stack:

        def log_in(url, login, password):
            return stack.enter_context(camera.logged_in(browser, url, login, password))

        yield log_in
