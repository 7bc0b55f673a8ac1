"""Rows 7 and 10: opening forms and lists, in a browser and as the calls that it makes."""

from dataclasses import dataclass, field

from . import addon, browser
from .adding import expect
from .data import WITH_ADDON, WITHOUT_ADDON
from .ingesting import activity_pages, get_addresses, ingest
from .pushing import push
from .results import Result, format_seconds
from .timing import in_turns, median
from .web import Session, repeating, server

# Recipients of each kind on the small campaign, and on the one whose tabs are just full.
SMALL, FULL = 10, addon.ROWS_OF_TAB
KINDS = ("lead", "contact", "company")
BROWSER_ROUNDS = 15
# Opening a tab takes a tenth of a second, and single times vary widely.
TABS_PER_ROUND = 3
CALL_ROUNDS = 15
# More rounds, as the target is 10 %.
ADDON_ROUNDS = 41
FORM = "/odoo/action-utm.utm_campaign_action/{}"
# It opens with the form.
FIRST_TAB = "leads"
TABS = ("contacts", "companies", FIRST_TAB)
# JavaScript conditions that something is shown.
FORM_SHOWN = "document.querySelector('.o_form_view .o_field_widget[name=title] input')?.value"
LIST_SHOWN = "document.querySelectorAll('.o_list_view .o_data_row').length == 80"
CONTACT_SHOWN = "document.querySelector('.o_form_view .o_field_widget[name=email]')"
# URL and condition by name.
PAGES = {
    "a contact": ("/odoo/action-contacts.action_contacts/{}", CONTACT_SHOWN),
    "a list of 80 contacts": ("/odoo/action-contacts.action_contacts?view_type=list", LIST_SHOWN),
    "a list of 80 leads": ("/odoo/action-crm.crm_lead_opportunities?view_type=list", LIST_SHOWN),
}


def measure(fixture, odoo):
    """Yield rows 7 and 10."""
    campaign_ids = create_campaigns(fixture)
    with server(odoo) as url, browser.running() as page:
        session = Session(url, WITH_ADDON)
        yield from measure_campaigns(fixture, page, session, campaign_ids)
        yield from measure_addon(fixture, page, session, Session(url, WITHOUT_ADDON))
    fixture.remove_recipients()


def create_campaigns(fixture):
    """Create campaigns with recipients and activity; return their ids by size."""
    fixture.remove_recipients()
    campaign_ids = {"large": fixture.create_campaign("Large")}
    fixture.add_recipients(campaign_ids["large"], fixture.size.campaign)
    for name, count in (("small", SMALL), ("full", FULL)):
        campaign_ids[name] = fixture.create_campaign(name.title())
        for kind in KINDS:
            add_recipients_of_kind(fixture, campaign_ids[name], kind, count)
    for campaign_id in campaign_ids.values():
        fixture.start_sync(campaign_id)
        push(fixture, campaign_id)
        emails = get_addresses(fixture, campaign_id)
        ingest(fixture, campaign_id, activity_pages(emails, times=2))
    fixture.database.vacuum(*addon.TABLES)
    return campaign_ids


def add_recipients_of_kind(fixture, campaign_id, kind, count):
    """Add some people of one kind to a campaign."""
    model = "crm.lead" if kind == "lead" else "res.partner"
    domain = [] if kind == "lead" else [("is_company", "=", kind == "company")]
    with fixture.campaign(campaign_id) as campaign:
        people = campaign.env[model].search(domain, order="id DESC", limit=count)
        expect(addon.add(campaign, model, [("id", "in", people.ids)]), count)


@dataclass
class Opening:
    """A form or tab that was opened several times: seconds of each, and the calls of the last."""

    seconds: list = field(default_factory=list)
    calls: list = field(default_factory=list)


def measure_campaigns(fixture, page, session, campaign_ids):
    """Yield row 7."""
    page.log_in(session.url, session.session_id)
    openings = open_all(fixture, page, session, campaign_ids)
    for target in ("form", *TABS):
        job = f"open the campaign form with its tab {FIRST_TAB}"
        if target != "form":
            job = f"open its tab {target}"
        calls = {
            name: [
                call for call in openings[name][target].calls if addon.CATALOG_CALL not in call[0]
            ]
            for name in campaign_ids
        }
        call_times = in_turns(
            {name: repeating(session, calls[name]) for name in campaign_ids},
            CALL_ROUNDS,
            warm_up=2,
        )
        browser_times = {name: openings[name][target].seconds for name in campaign_ids}
        yield campaign_result(fixture, f"{job}, browser", browser_times)
        yield campaign_result(fixture, f"{job}, its calls ({len(calls['large'])})", call_times)


def open_all(fixture, page, session, campaign_ids):
    """Open the form and each tab of each campaign several times, in turns.

    :return: :class:`Opening` by campaign and by form or tab
    """
    openings = {name: {target: Opening() for target in ("form", *TABS)} for name in campaign_ids}
    conditions = {
        name: shown_conditions(fixture, campaign_id) for name, campaign_id in campaign_ids.items()
    }
    # The first round fills the browser's cache.
    for number in range(-1, BROWSER_ROUNDS):
        for name in list(campaign_ids) if number % 2 else reversed(campaign_ids):
            for target in ("form", *TABS * TABS_PER_ROUND):
                opening, condition = openings[name][target], conditions[name][target]
                page.calls()
                if target == "form":
                    seconds = page.open(session.url + FORM.format(campaign_ids[name]), condition)
                else:
                    seconds = page.click(addon.TAB.format(target), condition)
                opening.calls = page.calls()
                if number >= 0:
                    opening.seconds.append(seconds)
    return openings


def shown_conditions(fixture, campaign_id):
    """Return the JavaScript conditions that the form, or a tab, is shown."""
    rows = dict(
        fixture.database.sql(
            f"SELECT kind, LEAST(COUNT(*), {addon.ROWS_OF_TAB}) FROM {addon.RECIPIENT_TABLE}"
            " WHERE campaign_id = %s GROUP BY kind",
            campaign_id,
        )
    )
    tabs = {name: addon.tab_shown(name, rows[addon.KIND_OF_TAB[name]]) for name in TABS}
    return {"form": f"{FORM_SHOWN} && {tabs[FIRST_TAB]}", **tabs}


def campaign_result(fixture, job, times):
    """Return a result that compares the large campaign with the small one."""
    return Result(
        "7",
        job,
        f"with {fixture.size.campaign:,} recipients: {format_seconds(times['large'])}",
        f"with {SMALL} of each kind: {format_seconds(times['small'])}",
        median(times["large"]) / median(times["small"]),
        1.3,
        notes=[
            f"{job}: {median(times['large']) / median(times['full']):.2f} × of {FULL} of each "
            f"kind, which shows as many rows: {format_seconds(times['full'])}."
        ],
    )


def measure_addon(fixture, page, session, other):
    """Yield row 10.

    :param Session session: in the database with the add-on
    :param Session other: in the database without it
    """
    [[partner_id]] = fixture.database.sql(
        f"SELECT MIN(partner_id) FROM {addon.RECIPIENT_TABLE} WHERE kind = 'contact'"
    )
    for name, (path, condition) in PAGES.items():
        calls = {}
        for one in (session, other):
            page.log_in(one.url, one.session_id)
            # Twice, as the browser caches some responses of the first time.
            for _time in range(2):
                page.calls()
                page.open(one.url + path.format(partner_id), condition)
            calls[one] = page.calls()
        times = in_turns(
            {
                "with": repeating(session, calls[session]),
                "without": repeating(other, calls[other]),
            },
            ADDON_ROUNDS,
            warm_up=2,
        )
        yield Result(
            "10",
            f"open {name}: {len(calls[session])} calls",
            f"with the add-on: {format_seconds(times['with'])}",
            f"without it ({len(calls[other])} calls): {format_seconds(times['without'])}",
            median(times["with"]) / median(times["without"]),
            1.1,
        )
