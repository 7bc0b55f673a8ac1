"""A browser for the acceptance tests, and README's pictures; runs in their virtual environment.

python -m devtools.environment.camera DATABASE ODOO_URL SANDBOX_URL
"""

import contextlib
import os
import shutil
import sys

from playwright.sync_api import sync_playwright

from . import demo_seed, demo_year, rpc
from .console import Problem, say
from .places import ADDON, ROOT

CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
IMAGES = ROOT / "docs" / "images"
# The add-on's page in Odoo shows this one, too.
COPIED = "campaign.png"
WIDTH = 1280
MAX_SIZE = 200_000  # bytes
# Milliseconds. Charts are drawn slowly.
TIMEOUT, ANIMATION = 60_000, 1_500

CAMPAIGNS = "/odoo/action-mass_mailing.action_view_utm_campaigns"
CONTACTS = "/odoo/action-contacts.action_contacts"
SETTINGS = "/odoo/action-mass_mailing.action_mass_mailing_configuration"


@contextlib.contextmanager
def chromium():
    """Run a headless Chromium."""
    program = next(filter(os.path.exists, CHROMIUM))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def logged_in(browser, url, login, password):
    """Log in a user; yield the page."""
    viewport = {"width": 1366, "height": 768}
    with contextlib.closing(browser.new_context(base_url=url, viewport=viewport)) as context:
        page = context.new_page()
        page.goto("/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        page.wait_for_url("**/odoo**")
        yield page


def main(database, odoo_url, sandbox_url):
    """Take all pictures."""
    session = rpc.Odoo(odoo_url, database, **demo_seed.MARKETING)
    with chromium() as browser:
        with logged_in(browser, odoo_url, *demo_seed.MARKETING.values()) as page:
            _take_campaigns(page, session)
            _take_person(page, session)
        with logged_in(browser, odoo_url, "admin", "admin") as page:
            _open(page, SETTINGS)
            _scroll_to(page.get_by_role("heading", name="External Campaign Manager"))
            _shoot(page, "settings.png", 1060)
        page = browser.new_page()
        page.goto(sandbox_url)
        _shoot(page, "sandbox.png", 900)
    shutil.copy(IMAGES / COPIED, ADDON / "static" / "description" / COPIED)


def _take_campaigns(page, session):
    _open(page, f"{CAMPAIGNS}?view_type=list")
    _shoot(page, "campaigns.png", 725)
    _open(page, f"{CAMPAIGNS}/{_campaign(session, demo_year.SENT)}")
    _shoot(page, COPIED, 930)
    page.click("a[name=campaign_master_contacts]")
    _scroll_to(page.locator("a[name=campaign_master_contacts]"))
    _shoot(page, "recipients.png", 740)
    _open(page, f"{CAMPAIGNS}/{_campaign(session, demo_seed.PLANNED)}")
    _shoot(page, "plan.png", 930)


def _take_person(page, session):
    """Take a picture of the contact with the most opens."""
    [[most]] = [
        session.call(
            "campaign.master.recipient",
            "formatted_read_group",
            [("partner_id.is_company", "=", False), ("partner_id", "!=", False)],
            ["partner_id"],
            ["open_count:sum"],
            order="open_count:sum desc",
            limit=1,
        )
    ]
    _open(page, f"{CONTACTS}/{most['partner_id'][0]}")
    page.click("a[name=campaign_master]")
    _shoot(page, "person.png", 1200)


def _campaign(session, title):
    return session.find("utm.campaign", [("title", "=", title)], ["id"])[0]["id"]


def _open(page, path):
    """Open a page of Odoo."""
    page.goto(path)
    page.wait_for_selector(".o_form_sheet, .o_data_row, .app_settings_block", timeout=TIMEOUT)


def _scroll_to(element):
    element.evaluate("element => element.scrollIntoView()")


def _shoot(page, name, height):
    """Take a picture with a height."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.mouse.move(0, 0)
    page.wait_for_selector(".o_loading_indicator", state="detached", timeout=TIMEOUT)
    page.wait_for_timeout(ANIMATION)
    file = IMAGES / name
    page.screenshot(path=file)
    size = file.stat().st_size
    say(f"  {file.relative_to(ROOT)}: {size // 1000} KB")
    if size > MAX_SIZE:
        raise Problem(f"{name} is larger than {MAX_SIZE // 1000} KB.")


if __name__ == "__main__":
    main(*sys.argv[1:])
