"""Rows 8, 9 and 12: a million recipients, in a separate process for each size.

``python -m devtools.benchmarks.scale URL PEOPLE`` is that process. It adds that many people to each
of four campaigns, pushes them, stores their activity, finds a word for everybody's engagement,
looks for likely machines among them, and prints times and memory as JSON.
"""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

from devtools.environment.console import say

from . import odoo_database
from .data import MARKETING_USER
from .results import Result, format_seconds
from .timing import Stopwatch, in_turns, median

CAMPAIGNS = 4
JOBS = ("add", "push", "ingest", "words", "flags")
KB_PER_MB = 1024


def measure(fixture, _odoo):
    """Yield rows 8, 9 and 12."""
    large = fixture.size.partners + fixture.size.leads
    small = large // 100
    reports = {small: [], large: []}
    # The large size, which takes minutes, runs once; the small one runs before and after it.
    for people in (small, small, large, small):
        fixture.remove_recipients()
        say(f"  ({people * CAMPAIGNS:,} recipients ...)")
        command = [sys.executable, "-P", "-m", __name__, fixture.url, str(people)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        reports[people].append(json.loads(run.stdout))
    for job in JOBS[1:]:
        peaks = {
            people: median([report["peak"][job] for report in some]) / KB_PER_MB
            for people, some in reports.items()
        }
        yield Result(
            "8",
            f"peak memory of the process, {job}",
            f"at {large * CAMPAIGNS:,} recipients: {peaks[large]:.0f} MB",
            f"at {small * CAMPAIGNS:,}: {peaks[small]:.0f} MB",
            peaks[large] - peaks[small],
            100,
            unit="MB",
        )
    for job in JOBS:
        totals = {
            people: [report["seconds"][job] for report in some] for people, some in reports.items()
        }
        per_recipient = {
            people: median(seconds) / people / CAMPAIGNS for people, seconds in totals.items()
        }
        yield Result(
            "9",
            f"time per recipient, {job}",
            f"at {large * CAMPAIGNS:,} recipients: {per_recipient[large] * 1e6:.1f} µs "
            f"({format_seconds(totals[large])} in total)",
            f"at {small * CAMPAIGNS:,}: {per_recipient[small] * 1e6:.1f} µs "
            f"({format_seconds(totals[small])} in total)",
            per_recipient[large] / per_recipient[small],
            1.2,
        )
    for job, seconds in reports[large][0]["words"].items():
        yield Result(
            "12",
            f"{job} {fixture.size.partners:,} contacts by engagement",
            f"as a marketing user: {format_seconds([seconds])}",
            "–",
            seconds * 1000,
            300,
            unit="ms",
        )
    fixture.remove_recipients()


def main(url, people):
    """Run all jobs; print the seconds and the peak memory, in kilobytes, of each."""
    odoo_database.configure()
    # They import the add-on, which is possible only once Odoo is configured.
    from . import addon
    from .fixture import Fixture
    from .pushing import push

    fixture = Fixture(url)
    watches = {job: Stopwatch() for job in JOBS}
    peak = {}
    campaign_ids = [fixture.create_campaign(f"Scale {number}") for number in range(CAMPAIGNS)]
    with peak_memory(peak, "add"):
        for campaign_id in campaign_ids:
            with watches["add"]:
                fixture.add_recipients(campaign_id, people)
    for campaign_id in campaign_ids:
        fixture.start_sync(campaign_id)
    with peak_memory(peak, "push"):
        for campaign_id in campaign_ids:
            with watches["push"]:
                push(fixture, campaign_id)
    for campaign_id in campaign_ids:
        with fixture.campaign(campaign_id, odoo_database.SUPERUSER) as campaign:
            addon.mark_sent(campaign)
    with peak_memory(peak, "ingest"):
        for campaign_id in campaign_ids:
            ingest(fixture, campaign_id, watches["ingest"])
    fixture.database.sql(addon.SQL_MARK_SENT)
    fixture.database.vacuum(*addon.TABLES)
    with peak_memory(peak, "words"), fixture.database.transaction() as env, watches["words"]:
        addon.update_words(env)
    fixture.database.sql(addon.SQL_MAKE_MACHINES)
    fixture.database.vacuum(addon.RECIPIENT_TABLE)
    with peak_memory(peak, "flags"):
        for campaign_id in campaign_ids:
            with (
                watches["flags"],
                fixture.campaign(campaign_id, odoo_database.SUPERUSER) as campaign,
            ):
                addon.judge(campaign)
    if not addon.machine_count(fixture.database):
        raise AssertionError("No likely machine was found.")
    words = look_at_words(fixture)
    seconds = {job: watch.seconds for job, watch in watches.items()}
    print(json.dumps({"seconds": seconds, "peak": peak, "words": words}))


def look_at_words(fixture):
    """Return the seconds in which a marketing user filters, and groups, contacts by the word for
    their engagement, by job."""
    from . import addon

    def looking(look):
        def variant(stopwatch):
            with fixture.database.transaction(MARKETING_USER) as env, stopwatch:
                look(env)

        return variant

    looks = {"filter": addon.filter_by_word, "group": addon.group_by_word}
    variants = {job: looking(look) for job, look in looks.items()}
    return {job: median(times) for job, times in in_turns(variants, 5, warm_up=1).items()}


def ingest(fixture, campaign_id, stopwatch):
    """Store activity of all recipients, page by page as the scheduled action does."""
    from . import addon

    with fixture.campaign(campaign_id, odoo_database.SUPERUSER) as campaign:
        last_id = 0
        while rows := fixture.database.sql(
            f"SELECT id, email FROM {addon.RECIPIENT_TABLE} WHERE campaign_id = %s AND id > %s"
            " AND sync_state = 'added' ORDER BY id LIMIT %s",
            campaign_id,
            last_id,
            addon.PAGE,
        ):
            page = [addon.activity(email, number, times=2) for number, email in rows]
            with stopwatch:
                addon.ingest(campaign, page)
                campaign.env.cr.commit()
            last_id = rows[-1][0]


@contextlib.contextmanager
def peak_memory(peak, job):
    """Store this process's peak memory in the block, in kilobytes, in ``peak[job]``."""
    # Resets the peak, see proc(5).
    Path("/proc/self/clear_refs").write_text("5")
    yield
    status = Path("/proc/self/status").read_text()
    peak[job] = int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[1])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
