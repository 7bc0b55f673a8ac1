"""Row 10: how many statements the jobs cost the database, whatever the size."""

import statistics

from odoo import sql_db

from . import addon
from .adding import expect
from .ingesting import addresses, ingest, pages_of_activity
from .pushing import push
from .results import Result


def measure(stage, _odoo):
    """Yield row 10."""
    # Several batches, even when it is small.
    small, large = max(stage.size.campaign // 10, 6 * addon.PAGE), stage.size.campaign
    for job, count in (
        ("add", adding),
        ("a batch of the push", pushing),
        ("a page of figures", ingesting),
        ("the pull of a quiet campaign", pulling),
    ):
        # The first time, Odoo also reads what it keeps afterwards.
        _first, few, many = (count(stage, size) for size in (small, small, large))
        stage.empty()
        yield Result(
            "10",
            f"statements of {job}",
            f"{many} with {large:,} recipients",
            f"{few} with {small:,}",
            many - few,
            0,
            unit="more",
        )
    stage.empty()


def counted(function, *args):
    """Run a function; return how many statements that took, on all cursors of this process."""
    before = sql_db.sql_counter
    function(*args)
    return sql_db.sql_counter - before


def adding(stage, size):
    """Statements that adding so many contacts in one go takes."""
    campaign = stage.make_campaign("Counting")
    with stage.campaign(campaign) as record:
        last = record.env["res.partner"].search([], order="id", limit=1, offset=size - 1)
        record.env.invalidate_all()
        return counted(addon.add, record, "res.partner", [("id", "<=", last.id)])


def pushing(stage, size):
    """Statements between one call and the next, while so many recipients are pushed."""
    campaign = stage.make_campaign("Counting")
    stage.fill(campaign, size)
    stage.press(campaign)
    moments = []
    with addon.each_batch(lambda: moments.append(sql_db.sql_counter)):
        push(stage, campaign)
    batches = [later - earlier for earlier, later in zip(moments, moments[1:], strict=False)]
    # Every now and then the scheduler begins anew; the ordinary batch is what counts.
    return statistics.median_low(batches)


def ingesting(stage, size):
    """Statements that one more page takes, on a campaign with so many recipients."""
    campaign = stage.make_campaign("Counting")
    stage.fill(campaign, size)
    stage.office.sql(addon.pretend_pushed(campaign))
    # In this order partners and leads are on each page.
    pages = pages_of_activity(sorted(addresses(stage, campaign)), times=1)
    ingest(stage, campaign, pages[:1])
    return counted(ingest, stage, campaign, pages[1:2])


def pulling(stage, size):
    """Statements of a pull that finds that nothing moved, on a campaign with so many recipients."""
    campaign = stage.make_campaign("Counting")
    stage.fill(campaign, size)
    stage.press(campaign)
    push(stage, campaign)
    with stage.campaign(campaign) as record:
        ref, list_ref = addon.ref(record), addon.list_ref(record)
    stage.sandbox.post(f"campaigns/{ref}/send", {"listId": int(list_ref), "quiet": True})

    def pull():
        stage.office.sql(addon.DUE, campaign)
        with stage.office.transaction() as env:
            addon.run(addon.pull_action(env))

    # Figures move when it is sent; the poll after the next one finds it quiet.
    for _attempt in range(3):
        pull()
    calls = stage.calls()
    number = counted(pull)
    expect(stage.calls() - calls, {"GET /campaigns/ID/statistics": 1})
    stage.office.sql(addon.NEVER_DUE, campaign)
    return number
