"""Rows 13 and 14: what a sent campaign shows, and a person with many campaigns."""

from . import addon, browser
from .data import GROUPS, PASSWORD, WITH_ADDON
from .ingesting import get_addresses, ingest
from .results import Result, format_seconds
from .timing import in_turns, median
from .web import Session, method_call, repeating, server

PAGE = 80
# Recipients of the small campaign, and of one whose lists fill a page, also of those who bounced,
# every second one.
SMALL, FULL = 10, 2 * PAGE + 10
# Of a large campaign, one recipient in so many has reacted, as soon after the sending; of these,
# some clicked, few bounced, and very few opted out, see ``addon.activity``.
RARE = 50
ROUNDS = 15
SELLER = "bench-seller"
MANY, SOME = 200, 5
CONTACT = "/odoo/action-contacts.action_contacts/{}"
CONTACT_SHOWN = "document.querySelector('.o_form_view .o_field_widget[name=email]')"


def measure(fixture, odoo):
    """Yield rows 13 and 14."""
    fixture.remove_recipients()
    sizes = {"large": fixture.size.campaign, "full": FULL, "small": SMALL}
    campaign_ids = {name: send(fixture, name.title(), count) for name, count in sizes.items()}
    people = make_readers(fixture)
    make_seller(fixture)
    fixture.database.vacuum(*addon.TABLES)
    with server(odoo) as url:
        session = Session(url, WITH_ADDON)
        seller = Session(url, WITH_ADDON, SELLER)
        yield from measure_results(fixture, session, seller, campaign_ids)
        with browser.running() as page:
            yield from measure_people(page, session, people)
    fixture.remove_recipients()


def send(fixture, title, count):
    """Create a campaign that was sent, and to which some have reacted; return its id."""
    campaign_id = fixture.create_campaign(title)
    fixture.add_recipients(campaign_id, count)
    fixture.database.sql(addon.sql_mark_added(campaign_id))
    with fixture.campaign(campaign_id, "__system__") as campaign:
        addon.mark_sent(campaign)
    emails = get_addresses(fixture, campaign_id)
    if count == fixture.size.campaign:
        rows = [addon.activity(email, number, 2) for number, email in enumerate(emails[::RARE])]
    else:
        rows = [addon.activity_of_all_kinds(email, number) for number, email in enumerate(emails)]
    pages = [rows[start : start + addon.PAGE] for start in range(0, len(rows), addon.PAGE)]
    ingest(fixture, campaign_id, pages)
    return campaign_id


def make_seller(fixture):
    """Create a marketing user who sees no leads of others."""
    with fixture.database.transaction() as env:
        groups = [env.ref(name).id for name in GROUPS if not name.endswith("all_leads")]
        groups.append(env.ref("sales_team.group_sale_salesman").id)
        env["res.users"].with_context(no_reset_password=True).create(
            {"name": SELLER, "login": SELLER, "password": PASSWORD, "group_ids": [(6, 0, groups)]}
        )
        # Every second lead is that of somebody else.
        admin = env.ref("base.user_admin").id
    fixture.database.sql("UPDATE crm_lead SET user_id = %s WHERE id %% 2 = 0", admin)


def measure_results(fixture, session, seller, campaign_ids):
    """Yield row 13.

    :param Session session: of a user who sees all leads
    :param Session seller: of one who does not
    """
    calls = {
        name: [method_call("utm.campaign", "campaign_master_results", [campaign_id])]
        for name, campaign_id in campaign_ids.items()
    }
    yield result(fixture, session, "results of a sent campaign", calls)
    with fixture.database.transaction() as env:
        specification = addon.list_specification(env)
    for user, number in [*((session, one) for one in addon.NUMBERS), (seller, addon.NUMBERS[0])]:
        calls = {}
        for name, campaign_id in campaign_ids.items():
            press = method_call(
                "utm.campaign", "action_campaign_master_open_people", [campaign_id], number
            )
            # As the web client asks for the first page.
            page = method_call(
                addon.RECIPIENT,
                "web_search_read",
                domain=user.call(press)["domain"],
                specification=specification,
                order="",
                limit=PAGE,
                count_limit=addon.COUNT_LIMIT,
            )
            calls[name] = [press, page]
        job = f"list of a number: {number}"
        if user is seller:
            job += ", without the leads of others"
        yield result(fixture, user, job, calls)


def result(fixture, session, job, calls):
    """Return a result that compares the large campaign with the one whose lists fill a page: the
    rows of a page cost more than finding them."""
    variants = {name: repeating(session, some) for name, some in calls.items()}
    times = in_turns(variants, ROUNDS, warm_up=2)
    large, full, small = (median(times[name]) for name in ("large", "full", "small"))
    return Result(
        "13",
        job,
        f"with {fixture.size.campaign:,} recipients: {format_seconds(times['large'])}",
        f"with {FULL}, whose lists fill a page: {format_seconds(times['full'])}",
        large / full,
        1.3,
        notes=[f"{job}: {large / small:.2f} × of {SMALL}: {format_seconds(times['small'])}."],
    )


def make_readers(fixture):
    """Create campaigns to three contacts; return the ids of the contacts by number of campaigns."""
    counts = (MANY, addon.ROWS_OF_TAB, SOME)
    with fixture.database.transaction() as env:
        people = env["res.partner"].create(
            [{"name": f"Reader {count}", "email": f"reader{count}@x.example"} for count in counts]
        )
        people = dict(zip(counts, people.ids, strict=True))
        addon.send_many(env, people)
    return people


def measure_people(page, session, people):
    """Yield row 14: the calls that the browser makes for a contact with its tab of campaigns."""
    page.log_in(session.url, session.session_id)
    calls = {}
    # The first time fills the browser's cache.
    for count, partner_id in [*people.items(), *people.items()]:
        page.calls()
        page.open(session.url + CONTACT.format(partner_id), CONTACT_SHOWN)
        opening = page.calls()
        rows = min(count, addon.ROWS_OF_TAB)
        page.click(addon.PERSON_TAB, addon.person_tab_shown(rows))
        calls[count] = [*opening, *page.calls()]
    variants = {count: repeating(session, some) for count, some in calls.items()}
    times = in_turns(variants, ROUNDS, warm_up=2)
    many, full, some = (median(times[count]) for count in people)
    yield Result(
        "14",
        f"open a contact and its tab of campaigns: {len(calls[MANY])} calls",
        f"with {MANY} campaigns: {format_seconds(times[MANY])}",
        f"with {SOME}: {format_seconds(times[SOME])}",
        many / some,
        1.3,
        notes=[
            f"{many / full:.2f} × of a contact with {addon.ROWS_OF_TAB}, which shows as many "
            f"rows: {format_seconds(times[addon.ROWS_OF_TAB])}."
        ],
    )
