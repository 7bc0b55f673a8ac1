"""Fixtures of the acceptance tests."""

import contextlib
import os

import pytest
from playwright.sync_api import sync_playwright

from devtools.environment import odoo as odoo_command

from . import commands  # noqa: F401 (saves the environment)

CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]


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
    program = next(filter(os.path.exists, CHROMIUM))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A function that logs in a user and returns the page."""
    with contextlib.ExitStack() as stack:

        def log_in(url, login, password):
            context = stack.enter_context(
                contextlib.closing(
                    browser.new_context(base_url=url, viewport={"width": 1366, "height": 768})
                )
            )
            page = context.new_page()
            page.goto("/web/login")
            page.fill("input[name=login]", login)
            page.fill("input[name=password]", password)
            page.click("button[type=submit]")
            page.wait_for_url("**/odoo**")
            return page

        yield log_in
