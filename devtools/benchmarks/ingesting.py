"""Rows 4, 5, 6 and 11: storing the recipients' activity, and the history of the campaign."""

import contextlib
import itertools

from . import addon, events
from .adding import expect
from .results import Result, format_seconds
from .timing import in_turns, median

TABLES = (addon.RECIPIENT_TABLE, addon.ENGAGEMENT_TABLE)
# Rows of a reading in which little has changed.
SMALL = 100
SQL_LABEL = "COPY, one UPDATE, one upsert for partners and one for leads"
COUNTED_LABEL = f"{SQL_LABEL}, flags and sums of all at once"


def measure(fixture, _odoo):
    """Yield rows 4, 5, 6 and 11."""
    campaign_id = fixture.create_campaign("Ingesting")
    # Some more than a large campaign has, as not everyone has an address.
    fixture.add_recipients(campaign_id, round(fixture.size.campaign * 1.12))
    fixture.database.sql(addon.sql_mark_added(campaign_id))
    with fixture.campaign(campaign_id, "__system__") as campaign:
        addon.mark_sent(campaign)
    emails = get_addresses(fixture, campaign_id, fixture.size.campaign)
    state = {"times": 1}
    cache = {}

    def get_pages(times):
        if times not in cache:
            cache.clear()
            cache[times] = activity_pages(emails, times)
        return cache[times]

    def changed_pages():
        """Return pages in which every row differs from what is stored."""
        state["times"] += 1
        fixture.database.vacuum(*TABLES)
        return get_pages(state["times"])

    def unchanged_pages():
        """Return the pages that were stored last."""
        fixture.database.vacuum(*TABLES)
        return get_pages(state["times"])

    def with_addon(make_pages):
        def variant(stopwatch):
            pages = make_pages()
            with stopwatch:
                ingest(fixture, campaign_id, pages)

        return variant

    def with_sql(make_pages, counts=False):
        def variant(stopwatch):
            pages = make_pages()
            with stopwatch:
                ingest_with_sql(fixture, campaign_id, pages)
                if counts:
                    with fixture.campaign(campaign_id, "__system__") as campaign:
                        addon.judge(campaign)

        return variant

    expect_same_activity(fixture, campaign_id, changed_pages)
    variants = {"addon": with_addon(changed_pages), "sql": with_sql(changed_pages, counts=True)}
    times = in_turns(variants, rounds=5, warm_up=1)
    yield Result(
        "4",
        f"store {len(emails):,} changed rows of activity, the totals of partners and leads, and "
        "the flags and sums of the campaign",
        f"in pages of {addon.PAGE:,}, each committed: {format_seconds(times['addon'])}",
        f"{COUNTED_LABEL}: {format_seconds(times['sql'])}",
        median(times["addon"]) / median(times["sql"]),
        2,
    )

    # Stored once more, the same pages change no opt-outs either.
    ingest(fixture, campaign_id, unchanged_pages())
    before = row_locations(fixture)
    variants = {"addon": with_addon(unchanged_pages), "sql": with_sql(unchanged_pages)}
    times = in_turns(variants, rounds=5)
    yield Result(
        "5",
        f"store {len(emails):,} rows of activity without a change",
        f"in pages of {addon.PAGE:,}, each committed: {format_seconds(times['addon'])}",
        f"{SQL_LABEL}: {format_seconds(times['sql'])}",
        median(times["addon"]) / median(times["sql"]),
        1.5,
        error="" if row_locations(fixture) == before else "rows were rewritten",
    )

    mailing = events.MailingTraces(fixture, fixture.size.campaign // 10)

    def with_core(stopwatch):
        mailing.reset()
        with stopwatch:
            mailing.record_events()

    times = in_turns({"addon": with_addon(changed_pages), "core": with_core}, rounds=3)
    mailing.remove()
    factor = len(emails) / len(mailing.traces)
    scaled = [value * factor for value in times["core"]]
    yield Result(
        "6",
        f"store the activity of {len(emails):,} recipients",
        f"in pages of {addon.PAGE:,}, each committed: {format_seconds(times['addon'])}",
        f"Odoo core, one event at a time on mailing.trace: {format_seconds(scaled)}",
        median(scaled) / median(times["addon"]),
        30,
        at_least=True,
        notes=[
            f"{len(mailing.traces):,} opens, clicks and bounces were recorded, one for each "
            f"recipient even if a row of activity has more; the time is multiplied by {factor:g}."
        ],
    )
    yield from measure_history(fixture, campaign_id, changed_pages)
    fixture.remove_recipients()


def measure_history(fixture, campaign_id, changed_pages):
    """Yield row 11."""
    opens = itertools.count(1)

    def reading(size, keeps):
        def variant(stopwatch):
            pages = changed_pages()
            if size:
                pages = [pages[0][:size]]
            judging = contextlib.nullcontext() if keeps else addon.without_judging()
            with judging, stopwatch:
                with fixture.campaign(campaign_id, "__system__") as campaign:
                    addon.store_figure(campaign, next(opens))
                ingest(fixture, campaign_id, pages[:-1])
                with fixture.campaign(campaign_id, "__system__") as campaign:
                    addon.is_read(campaign)
                    addon.ingest(campaign, pages[-1])
                    if keeps:
                        addon.keep_history(campaign)

        return variant

    for size, job, rounds in ((None, fixture.size.campaign, 5), (SMALL, SMALL, 15)):
        variants = {"with": reading(size, True), "without": reading(size, False)}
        times = in_turns(variants, rounds=rounds, warm_up=1)
        yield Result(
            "11",
            f"complete a reading with {job:,} changed rows, of {fixture.size.campaign:,}",
            f"with snapshot, ages and flags: {format_seconds(times['with'])}",
            f"without: {format_seconds(times['without'])}",
            median(times["with"]) / median(times["without"]),
            1.1,
        )
    expect(addon.machine_count(fixture.database), 0)

    def open_history(stopwatch):
        with fixture.campaign(campaign_id) as campaign, stopwatch:
            expect(addon.history(campaign)[0] >= fixture.size.campaign, True)

    times = in_turns({"open": open_history}, rounds=15, warm_up=1)
    yield Result(
        "11",
        f"history of a campaign with {fixture.size.campaign:,} recipients: curve, totals, median",
        f"as a marketing user: {format_seconds(times['open'])}",
        "–",
        median(times["open"]) * 1000,
        100,
        unit="ms",
    )


def get_addresses(fixture, campaign_id, count=None):
    """Return the addresses of a campaign without duplicates, in the order of their recipients.

    :param int count: only that many; None: all
    """
    rows = fixture.database.sql(
        f"SELECT email FROM {addon.RECIPIENT_TABLE} WHERE campaign_id = %s AND sync_state = 'added'"
        " GROUP BY email ORDER BY MIN(id) LIMIT %s",
        campaign_id,
        count,
    )
    expect(len(rows), count or len(rows))
    return [email for [email] in rows]


def activity_pages(emails, times):
    """Return the recipients' activity in pages, as Campaign Master returns them."""
    rows = [addon.activity(email, number, times) for number, email in enumerate(emails)]
    return [rows[start : start + addon.PAGE] for start in range(0, len(rows), addon.PAGE)]


def ingest(fixture, campaign_id, pages):
    """Store pages as the scheduled action does: with a commit after each."""
    with fixture.campaign(campaign_id, "__system__") as campaign:
        for page in pages:
            addon.ingest(campaign, page)
            campaign.env.cr.commit()


def ingest_with_sql(fixture, campaign_id, pages):
    """Store pages in the fastest way that PostgreSQL offers, in one transaction.

    :return: number of changed recipients
    """
    with fixture.database.cursor() as cr:
        cr.execute(addon.SQL_ACTIVITY_TABLE)
        lines = (copy_line(row) for page in pages for row in page)
        cr.copy_from(LineReader(lines), "activity", null="\\N")
        cr.execute(addon.SQL_ACTIVITY, {"campaign": campaign_id})
        changed = cr.rowcount
        for statement in addon.SQL_ENGAGEMENT:
            cr.execute(statement, {"campaign": campaign_id, "company": 1})
    return changed


def copy_line(activity):
    """Return a row of activity as a line of PostgreSQL's COPY."""
    values = [activity.email, *addon.activity_values(activity)]
    return "\t".join("\\N" if value is None else str(value) for value in values) + "\n"


class LineReader:
    """A file object that reads from an iterator of lines."""

    def __init__(self, lines):
        self._lines = lines

    def read(self, _size):
        """Return the next lines, or an empty string at the end."""
        return "".join(itertools.islice(self._lines, 200))


def row_locations(fixture):
    """Return a digest of the physical location of all rows; rewriting a row changes it."""
    return [
        fixture.database.sql(f"SELECT MD5(STRING_AGG(ctid::text, ' ' ORDER BY id)) FROM {table}")
        for table in TABLES
    ]


def expect_same_activity(fixture, campaign_id, changed_pages):
    """Check that the add-on and the bare SQL store the same activity and totals."""
    pages = changed_pages()
    activity = ", ".join(addon.ACTIVITY_COLUMNS)
    totals = ", ".join(addon.TOTALS)

    def stored():
        return [
            fixture.database.sql(f"SELECT id, {activity} FROM {addon.RECIPIENT_TABLE} ORDER BY id"),
            fixture.database.sql(
                f"SELECT partner_id, lead_id, {totals} FROM {addon.ENGAGEMENT_TABLE} ORDER BY 1, 2"
            ),
        ]

    ingest(fixture, campaign_id, pages)
    expected = stored()
    count = ingest_with_sql(fixture, campaign_id, changed_pages())
    expect(ingest_with_sql(fixture, campaign_id, pages), count)
    expect(count >= fixture.size.campaign, True)
    expect(stored() == expected, True)
