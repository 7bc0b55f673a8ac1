"""Rows 5, 6 and 7: storing what recipients did."""

import itertools

from . import addon, events
from .adding import expect
from .results import Result, seconds
from .timing import in_turns, median

TABLES = (addon.LINES, addon.TOTALS)


def measure(stage, _odoo):
    """Yield rows 5, 6 and 7."""
    campaign = stage.make_campaign("Ingesting")
    # Some more than a large campaign has, because not all have an address.
    stage.fill(campaign, round(stage.size.campaign * 1.12))
    stage.office.sql(addon.pretend_pushed(campaign))
    emails = addresses(stage, campaign, stage.size.campaign)
    state = {"times": 1}
    pages = {}

    def pages_of(times):
        if times not in pages:
            pages.clear()
            pages[times] = pages_of_activity(emails, times)
        return pages[times]

    def next_pages():
        """Pages in which every figure differs from what is stored."""
        state["times"] += 1
        stage.office.vacuum(*TABLES)
        return pages_of(state["times"])

    def same_pages():
        """The pages that were stored last, over again."""
        stage.office.vacuum(*TABLES)
        return pages_of(state["times"])

    def ours(make_pages):
        def way(stopwatch):
            activity = make_pages()
            with stopwatch:
                ingest(stage, campaign, activity)

        return way

    def floor(make_pages):
        def way(stopwatch):
            activity = make_pages()
            with stopwatch:
                ingest_barely(stage, campaign, activity)

        return way

    expect_same_figures(stage, campaign, next_pages)
    taken = in_turns({"ours": ours(next_pages), "floor": floor(next_pages)}, 5, warm_up=1)
    yield Result(
        "5",
        f"store {len(emails):,} changed figures, and the totals of partners and leads",
        f"in pages of {addon.PAGE:,}, each committed: {seconds(taken['ours'])}",
        f"COPY, one UPDATE, one upsert for partners and one for leads: {seconds(taken['floor'])}",
        median(taken["ours"]) / median(taken["floor"]),
        2,
    )

    # The counters of opt-outs and the like stand still, too, once the same pages were stored.
    ingest(stage, campaign, same_pages())
    before = places(stage)
    taken = in_turns({"ours": ours(same_pages), "floor": floor(same_pages)}, 5)
    yield Result(
        "6",
        f"store {len(emails):,} figures of which none changed",
        f"in pages of {addon.PAGE:,}, each committed: {seconds(taken['ours'])}",
        f"COPY, one UPDATE, one upsert for partners and one for leads: {seconds(taken['floor'])}",
        median(taken["ours"]) / median(taken["floor"]),
        1.5,
        broken="" if places(stage) == before else "rows were rewritten",
    )

    traces = events.Traces(stage, stage.size.campaign // 10)

    def peer(stopwatch):
        traces.restore()
        with stopwatch:
            traces.hear()

    taken = in_turns({"ours": ours(next_pages), "peer": peer}, 3)
    traces.remove()
    scale = len(emails) / len(traces.traces)
    scaled = [value * scale for value in taken["peer"]]
    yield Result(
        "7",
        f"store what {len(emails):,} recipients did",
        f"in pages of {addon.PAGE:,}, each committed: {seconds(taken['ours'])}",
        f"Odoo core, an event at a time on mailing.trace: {seconds(scaled)}",
        median(scaled) / median(taken["ours"]),
        30,
        at_least=True,
        notes=[
            f"{len(traces.traces):,} opens, clicks and bounces were heard, one of each recipient "
            f"though he may have done more; their seconds are multiplied by {scale:g}."
        ],
    )
    stage.empty()


def addresses(stage, campaign, count=None):
    """The addresses of a campaign, or the first so many, each once, in the order of their lines."""
    rows = stage.office.sql(
        f"SELECT email FROM {addon.LINES} WHERE campaign_id = %s AND sync_state = 'added'"
        " GROUP BY email ORDER BY MIN(id) LIMIT %s",
        campaign,
        count,
    )
    expect(len(rows), count or len(rows))
    return [email for [email] in rows]


def pages_of_activity(emails, times):
    """What the recipients did, in pages as they come from Campaign Master."""
    activity = [addon.activity(email, number, times) for number, email in enumerate(emails)]
    return [activity[start : start + addon.PAGE] for start in range(0, len(activity), addon.PAGE)]


def ingest(stage, campaign, pages):
    """Store pages as the scheduled action does: it commits each."""
    with stage.campaign(campaign, "__system__") as record:
        for page in pages:
            addon.ingest(record, page)
            record.env.cr.commit()


def ingest_barely(stage, campaign, pages):
    """Store the same with what PostgreSQL is fastest at, in one transaction.

    :return: how many lines changed
    """
    with stage.office.bare() as cr:
        cr.execute(addon.BARE_FIGURES_TABLE)
        cr.copy_from(Lines(line_of(one) for page in pages for one in page), "figures", null="\\N")
        cr.execute(addon.BARE_FIGURES, {"campaign": campaign})
        changed = cr.rowcount
        for statement in addon.BARE_TOTALS:
            cr.execute(statement, {"campaign": campaign, "company": 1})
    return changed


def line_of(one):
    """An activity as a line of PostgreSQL's COPY."""
    values = [one.email, *addon.figures_of(one)]
    return "\t".join("\\N" if value is None else str(value) for value in values) + "\n"


class Lines:
    """A file of lines that are made while they are read."""

    def __init__(self, lines):
        self._lines = lines

    def read(self, _size):
        """Return some more lines."""
        return "".join(itertools.islice(self._lines, 200))


def places(stage):
    """Where each row lies: a row that is rewritten lies elsewhere."""
    return [
        stage.office.sql(f"SELECT MD5(STRING_AGG(ctid::text, ' ' ORDER BY id)) FROM {table}")
        for table in TABLES
    ]


def expect_same_figures(stage, campaign, next_pages):
    """See that both ways leave the same lines and totals: the floor does not get away with less."""
    pages = next_pages()
    names = ", ".join(addon.FIGURES)

    def figures():
        return [
            stage.office.sql(f"SELECT id, {names} FROM {addon.LINES} ORDER BY id"),
            stage.office.sql(
                f"SELECT partner_id, lead_id, {names} FROM {addon.TOTALS} ORDER BY 1, 2"
            ),
        ]

    ingest(stage, campaign, pages)
    ours = figures()
    count = ingest_barely(stage, campaign, next_pages())
    expect(ingest_barely(stage, campaign, pages), count)
    expect(count >= stage.size.campaign, True)
    expect(figures() == ours, True)
