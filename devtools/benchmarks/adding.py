"""Rows 1 and 2: putting people on a campaign."""

from . import addon
from .results import Result, seconds
from .timing import in_turns, median
from .world import CITY, MARKETER

DOMAIN = [("city", "=", CITY)]
BATCH = 1_000  # people a call that makes mailing contacts is given


def measure(stage, _odoo):
    """Yield rows 1 and 2."""
    campaign = stage.make_campaign("Adding")
    wanted = stage.size.partners // 2
    peer_count = wanted // 10

    def ours(stopwatch):
        stage.empty()
        with stopwatch, stage.campaign(campaign) as record:
            added = addon.add(record, "res.partner", DOMAIN)
        expect(added, wanted)

    def floor(stopwatch):
        stage.empty()
        with stopwatch, stage.office.bare() as cr:
            cr.execute(addon.BARE_ADD, {"campaign": campaign, "city": CITY})
            added = cr.rowcount
        expect(added, wanted)

    def peer(stopwatch):
        with stage.office.transaction() as env:
            people = env["res.partner"].search(DOMAIN, limit=peer_count)
            people = [(person.name, person.email) for person in people]
        with stage.office.transaction(MARKETER) as env:
            mailing_list = env["mailing.list"].create({"name": "Adding"}).id
        with stopwatch, stage.office.transaction(MARKETER) as env:
            for start in range(0, len(people), BATCH):
                env["mailing.contact"].create(
                    [
                        {
                            "name": name,
                            "email": email,
                            "subscription_ids": [(0, 0, {"list_id": mailing_list})],
                        }
                        for name, email in people[start : start + BATCH]
                    ]
                )
        with stage.office.transaction() as env:
            env["mailing.list"].browse(mailing_list).contact_ids.unlink()
            env["mailing.list"].browse(mailing_list).unlink()

    expect_same_lines(stage, ours, floor)
    ways = {"ours": ours, "floor": floor}
    taken = in_turns(ways, rounds=5, warm_up=1)
    taken |= in_turns({"ours again": ours, "peer": peer}, rounds=3)
    scaled = [value * wanted / peer_count for value in taken["peer"]]
    yield Result(
        "1",
        f"add {wanted:,} partners by domain",
        f"as a marketing user: {seconds(taken['ours'])}",
        f"one INSERT … SELECT: {seconds(taken['floor'])}",
        median(taken["ours"]) / median(taken["floor"]),
        1.5,
    )
    yield Result(
        "2",
        f"add {wanted:,} partners by domain",
        f"as a marketing user: {seconds(taken['ours again'])}",
        f"as mailing contacts with a subscription: {seconds(scaled)}",
        median(scaled) / median(taken["ours again"]),
        30,
        at_least=True,
        notes=[
            f"{peer_count:,} mailing contacts were made, {BATCH:,} a call, in the marketing user's "
            f"default context; their seconds are multiplied by {wanted // peer_count}."
        ],
    )
    stage.empty()


def expect_same_lines(stage, ours, floor):
    """See that both ways leave the same lines: the floor does not get away with less."""

    class Unwatched:
        def __enter__(self):
            pass

        def __exit__(self, *exc_info):
            pass

    lines = []
    for way in (ours, floor):
        way(Unwatched())
        lines.append(
            stage.office.sql(f"SELECT {addon.LINE_COLUMNS} FROM {addon.LINES} ORDER BY partner_id")
        )
    for one, other in zip(*lines, strict=True):
        expect(one, other)


def expect(actual, wanted):
    """Stop when a way does not do what it shall."""
    if actual != wanted:
        raise AssertionError(f"There is {actual!r} where {wanted!r} must be.")
