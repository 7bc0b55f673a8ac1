"""Rows 8 and 12: opening forms and lists, in a browser and as the calls that it makes."""

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import requests

from devtools.environment import machine, rpc
from devtools.environment.processes import ended

from . import addon, browser
from .adding import expect
from .ingesting import addresses, ingest, pages_of_activity
from .pushing import push
from .results import Result, seconds
from .timing import in_turns, median
from .world import MARKETER, PASSWORD, WITH, WITHOUT

# How many of each kind are on the small campaign, and on one of which each tab is just full.
FEW, FULL = 10, addon.ROWS_OF_TAB
KINDS = ("lead", "contact", "company")
ROUNDS_BROWSER = 15
# How often each tab is opened in a round: single openings, of a tenth of a second, scatter.
TABS_PER_ROUND = 3
ROUNDS_CALLS = 15
# What a tenth more or less is told of.
ROUNDS_PEOPLE = 41
FORM = "/odoo/action-utm.utm_campaign_action/{}"
# The first one opens with the form.
FIRST_TAB = "leads"
TABS = ("contacts", "companies", FIRST_TAB)
# What is there when a form or list is.
FORM_SHOWN = "document.querySelector('.o_form_view .o_field_widget[name=title] input')?.value"
LIST_SHOWN = "document.querySelectorAll('.o_list_view .o_data_row').length == 80"
PERSON_SHOWN = "document.querySelector('.o_form_view .o_field_widget[name=email]')"
PLACES = {
    "a contact": ("/odoo/action-contacts.action_contacts/{}", PERSON_SHOWN),
    "a list of 80 contacts": ("/odoo/action-contacts.action_contacts?view_type=list", LIST_SHOWN),
    "a list of 80 leads": ("/odoo/action-crm.crm_lead_opportunities?view_type=list", LIST_SHOWN),
}


def measure(stage, odoo):
    """Yield rows 8 and 12."""
    made = prepare(stage)
    with server(odoo) as url, browser.running() as page:
        yield from campaigns(stage, page, Visitor(url, WITH), made)
        yield from people(stage, page, Visitor(url, WITH), Visitor(url, WITHOUT))
    stage.empty()


def prepare(stage):
    """Make the campaigns, pushed and read; return their ids by what they are."""
    stage.empty()
    campaigns = {"large": stage.make_campaign("Large")}
    stage.fill(campaigns["large"], stage.size.campaign)
    for name, count in (("small", FEW), ("full", FULL)):
        campaigns[name] = stage.make_campaign(name.title())
        for kind in KINDS:
            fill_tab(stage, campaigns[name], kind, count)
    for campaign in campaigns.values():
        stage.press(campaign)
        push(stage, campaign)
        ingest(stage, campaign, pages_of_activity(addresses(stage, campaign), times=2))
    stage.office.vacuum(*addon.TABLES)
    return campaigns


def fill_tab(stage, campaign, kind, count):
    """Put some people of one kind on a campaign."""
    model = "crm.lead" if kind == "lead" else "res.partner"
    domain = [] if kind == "lead" else [("is_company", "=", kind == "company")]
    with stage.campaign(campaign) as record:
        people = record.env[model].search(domain, order="id DESC", limit=count)
        expect(addon.add(record, model, [("id", "in", people.ids)]), count)


@contextlib.contextmanager
def server(odoo):
    """Start an Odoo that serves both databases; yield its address."""
    with tempfile.TemporaryDirectory() as directory:
        port = machine.free_port(8170)
        url = f"http://127.0.0.1:{port}"
        arguments = ["-d", f"{WITH},{WITHOUT}", "--http-port", str(port), "--workers", "0"]
        arguments += ["--max-cron-threads", "0", "--no-database-list"]
        with ended(odoo.start(*arguments, log=Path(directory) / "odoo.log")) as process:
            while not rpc.answers(f"{url}/web/health"):
                if process.poll() is not None:
                    raise AssertionError(Path(directory, "odoo.log").read_text()[-3000:])
            yield url


class Visitor:
    """The marketing user in one database."""

    def __init__(self, url, database):
        self.url = url
        self._session = requests.Session()
        answer = self._session.post(
            f"{url}/web/session/authenticate",
            json={"params": {"db": database, "login": MARKETER, "password": PASSWORD}},
        )
        self.session_id = self._session.cookies["session_id"]
        if "error" in answer.json():
            raise AssertionError(answer.json()["error"])

    def call(self, calls):
        """Make the calls that a page made, over again."""
        for path, body in calls:
            answer = self._session.post(
                self.url + path, data=body, headers={"Content-Type": "application/json"}
            )
            if "error" in answer.json():
                raise AssertionError(answer.json()["error"])


@dataclass
class Opening:
    """Something that was opened: its seconds in the browser, and the calls that it made."""

    seconds: list
    calls: list


def campaigns(stage, page, visitor, made):
    """Yield row 8."""
    page.log_in(visitor.url, visitor.session_id)
    openings = open_all(stage, page, visitor, made)
    for what in ("form", *TABS):
        job = f"open the campaign form with its tab {FIRST_TAB}"
        if what != "form":
            job = f"open its tab {what}"
        calls = {
            name: [call for call in openings[name][what].calls if addon.SELDOM not in call[0]]
            for name in made
        }
        taken = in_turns(
            {name: timed(visitor, calls[name]) for name in made}, ROUNDS_CALLS, warm_up=2
        )
        shown = {name: openings[name][what].seconds for name in made}
        yield compared(stage, f"{job}, browser", shown)
        yield compared(stage, f"{job}, its calls ({len(calls['large'])})", taken)


def open_all(stage, page, visitor, made):
    """Open the form and each tab of each campaign several times, in turns.

    :return: :class:`Opening` by campaign and by what was opened
    """
    openings = {name: {what: Opening([], []) for what in ("form", *TABS)} for name in made}
    shown = {name: conditions(stage, campaign) for name, campaign in made.items()}
    # The first round fills the browser's cache.
    for number in range(-1, ROUNDS_BROWSER):
        for name in list(made) if number % 2 else reversed(made):
            for what in ("form", *TABS * TABS_PER_ROUND):
                opening = openings[name][what]
                page.calls()
                if what == "form":
                    address = visitor.url + FORM.format(made[name])
                    taken = page.open(address, shown[name][what])
                else:
                    taken = page.click(addon.TAB.format(what), shown[name][what])
                opening.calls = page.calls()
                if number >= 0:
                    opening.seconds.append(taken)
    return openings


def compared(stage, job, taken):
    """A result that compares the large campaign with the small one."""
    return Result(
        "8",
        job,
        f"with {stage.size.campaign:,} recipients: {seconds(taken['large'])}",
        f"with {FEW} of each kind: {seconds(taken['small'])}",
        median(taken["large"]) / median(taken["small"]),
        1.3,
        notes=[
            f"{job}: {median(taken['large']) / median(taken['full']):.2f} × of {FULL} of each, "
            f"where as many rows are shown: {seconds(taken['full'])}."
        ],
    )


def conditions(stage, campaign):
    """What is there when the form, and when each tab is, as JavaScript conditions."""
    rows = dict(
        stage.office.sql(
            f"SELECT kind, LEAST(COUNT(*), {addon.ROWS_OF_TAB}) FROM {addon.LINES}"
            " WHERE campaign_id = %s GROUP BY kind",
            campaign,
        )
    )
    tabs = {name: addon.tab_shown(name, rows[addon.KIND_OF_TAB[name]]) for name in TABS}
    return {"form": f"{FORM_SHOWN} && {tabs[FIRST_TAB]}", **tabs}


def people(stage, page, visitor, other):
    """Yield row 12."""
    [[person]] = stage.office.sql(
        f"SELECT MIN(partner_id) FROM {addon.LINES} WHERE kind = 'contact'"
    )
    for what, (path, shown) in PLACES.items():
        calls = {}
        for one in (visitor, other):
            page.log_in(one.url, one.session_id)
            # Twice, since the first time also asks for what is kept afterwards.
            for _time in range(2):
                page.calls()
                page.open(one.url + path.format(person), shown)
            calls[one] = page.calls()
        taken = in_turns(
            {
                "with": timed(visitor, calls[visitor]),
                "without": timed(other, calls[other]),
            },
            ROUNDS_PEOPLE,
            warm_up=2,
        )
        yield Result(
            "12",
            f"open {what}: {len(calls[visitor])} calls",
            f"with the add-on: {seconds(taken['with'])}",
            f"without it ({len(calls[other])} calls): {seconds(taken['without'])}",
            median(taken["with"]) / median(taken["without"]),
            1.1,
        )


def timed(visitor, calls):
    """A way of measuring some calls."""

    def way(stopwatch):
        with stopwatch:
            visitor.call(calls)

    return way
