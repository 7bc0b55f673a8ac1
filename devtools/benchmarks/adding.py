"""Rows 1 and 2: adding people to a campaign."""

import contextlib

from . import addon
from .data import CITY, MARKETING_USER
from .results import Result, format_seconds
from .timing import in_turns, median

DOMAIN = [("city", "=", CITY)]
BATCH = 1_000  # mailing contacts created per call


def measure(fixture, _odoo):
    """Yield rows 1 and 2."""
    campaign_id = fixture.create_campaign("Adding")
    count = fixture.size.partners // 2
    core_count = count // 10

    def add_with_addon(stopwatch):
        fixture.remove_recipients()
        with stopwatch, fixture.campaign(campaign_id) as campaign:
            added = addon.add(campaign, "res.partner", DOMAIN)
        expect(added, count)

    def add_with_sql(stopwatch):
        fixture.remove_recipients()
        with stopwatch, fixture.database.cursor() as cr:
            cr.execute(addon.SQL_ADD, {"campaign": campaign_id, "city": CITY})
            added = cr.rowcount
        expect(added, count)

    def add_mailing_contacts(stopwatch):
        with fixture.database.transaction() as env:
            people = env["res.partner"].search(DOMAIN, limit=core_count)
            people = [(person.name, person.email) for person in people]
        with fixture.database.transaction(MARKETING_USER) as env:
            mailing_list = env["mailing.list"].create({"name": "Adding"}).id
        with stopwatch, fixture.database.transaction(MARKETING_USER) as env:
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
        with fixture.database.transaction() as env:
            env["mailing.list"].browse(mailing_list).contact_ids.unlink()
            env["mailing.list"].browse(mailing_list).unlink()

    expect_same_recipients(fixture, add_with_addon, add_with_sql)
    times = in_turns({"addon": add_with_addon, "sql": add_with_sql}, rounds=5, warm_up=1)
    yield Result(
        "1",
        f"add {count:,} partners by domain",
        f"as a marketing user: {format_seconds(times['addon'])}",
        f"one INSERT … SELECT: {format_seconds(times['sql'])}",
        median(times["addon"]) / median(times["sql"]),
        1.5,
    )
    times = in_turns({"addon": add_with_addon, "core": add_mailing_contacts}, rounds=3)
    scaled = [value * count / core_count for value in times["core"]]
    yield Result(
        "2",
        f"add {count:,} partners by domain",
        f"as a marketing user: {format_seconds(times['addon'])}",
        f"as mailing contacts with a subscription: {format_seconds(scaled)}",
        median(scaled) / median(times["addon"]),
        30,
        at_least=True,
        notes=[
            f"{core_count:,} mailing contacts were created, {BATCH:,} per call, in the marketing "
            f"user's default context; the time is multiplied by {count // core_count}."
        ],
    )
    fixture.remove_recipients()


def expect_same_recipients(fixture, add_with_addon, add_with_sql):
    """Check that both functions create the same recipients."""
    results = []
    for add in (add_with_addon, add_with_sql):
        add(contextlib.nullcontext())
        results.append(
            fixture.database.sql(
                f"SELECT {addon.RECIPIENT_COLUMNS} FROM {addon.RECIPIENT_TABLE} ORDER BY partner_id"
            )
        )
    for one, other in zip(*results, strict=True):
        expect(one, other)


def expect(actual, expected):
    """Stop if a job does not have the expected result.

    :raise AssertionError: the values differ
    """
    if actual != expected:
        raise AssertionError(f"{actual!r}; expected: {expected!r}")
