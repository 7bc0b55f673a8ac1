"""Rows 9 and 11: a million lines, in a process of its own for each size.

``python -m devtools.benchmarks.scale URL PEOPLE`` is that process: it adds that many people to each
of four campaigns, pushes and ingests them all, and prints what that took as JSON.
"""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

from devtools.environment.console import say

from . import office
from .results import Result, seconds
from .timing import Stopwatch, median

CAMPAIGNS = 4
JOBS = ("add", "push", "ingest")
MEGABYTE = 1024  # of the kilobytes that Linux counts memory in


def measure(stage, _odoo):
    """Yield rows 9 and 11."""
    large = stage.size.partners + stage.size.leads
    small = large // 100
    reports = {small: [], large: []}
    # The large one, which takes minutes, once; the small one before and after it.
    for people in (small, small, large, small):
        stage.empty()
        say(f"  ({people * CAMPAIGNS:,} lines ...)")
        command = [sys.executable, "-P", "-m", "devtools.benchmarks.scale", stage.url, str(people)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        reports[people].append(json.loads(run.stdout))
    for job in ("push", "ingest"):
        peaks = {
            people: median([report["peak"][job] for report in some]) / MEGABYTE
            for people, some in reports.items()
        }
        yield Result(
            "9",
            f"peak memory of the process, {job}",
            f"at {large * CAMPAIGNS:,} lines: {peaks[large]:.0f} MB",
            f"at {small * CAMPAIGNS:,}: {peaks[small]:.0f} MB",
            peaks[large] - peaks[small],
            100,
            unit="MB",
        )
    for job in JOBS:
        per_line = {
            people: [report["seconds"][job] / people / CAMPAIGNS for report in some]
            for people, some in reports.items()
        }
        totals = {
            people: [report["seconds"][job] for report in some] for people, some in reports.items()
        }
        yield Result(
            "11",
            f"time per recipient, {job}",
            f"at {large * CAMPAIGNS:,} lines: {median(per_line[large]) * 1e6:.1f} µs "
            f"({seconds(totals[large])} in all)",
            f"at {small * CAMPAIGNS:,}: {median(per_line[small]) * 1e6:.1f} µs "
            f"({seconds(totals[small])} in all)",
            median(per_line[large]) / median(per_line[small]),
            1.2,
        )
    stage.empty()


def main(url, people):
    """Do it all; print the seconds of each job, and the most memory that the process had in it."""
    # Odoo must know its add-ons before they can be imported.
    office.prepare()
    from .pushing import push
    from .stage import Stage

    stage = Stage(url)
    watches = {job: Stopwatch() for job in JOBS}
    peak = {}
    campaigns = [stage.make_campaign(f"Scale {number}") for number in range(CAMPAIGNS)]
    with highest(peak, "add"):
        for campaign in campaigns:
            with watches["add"]:
                stage.fill(campaign, people)
    for campaign in campaigns:
        stage.press(campaign)
    with highest(peak, "push"):
        for campaign in campaigns:
            with watches["push"]:
                push(stage, campaign)
    with highest(peak, "ingest"):
        for campaign in campaigns:
            ingest(stage, campaign, watches["ingest"])
    taken = {job: watch.seconds for job, watch in watches.items()}
    print(json.dumps({"seconds": taken, "peak": peak}))


def ingest(stage, campaign, stopwatch):
    """Store what everybody did, page by page as the pull does."""
    from . import addon

    with stage.campaign(campaign, office.SUPERUSER) as record:
        last = 0
        while rows := stage.office.sql(
            f"SELECT id, email FROM {addon.LINES} WHERE campaign_id = %s AND id > %s"
            " AND sync_state = 'added' ORDER BY id LIMIT %s",
            campaign,
            last,
            addon.PAGE,
        ):
            page = [addon.activity(email, number, times=2) for number, email in rows]
            with stopwatch:
                addon.ingest(record, page)
                record.env.cr.commit()
            last = rows[-1][0]


@contextlib.contextmanager
def highest(peak, job):
    """Note the most memory, in kilobytes, that this process has in the block."""
    # Linux forgets the former peak, as proc(5) says.
    Path("/proc/self/clear_refs").write_text("5")
    yield
    status = Path("/proc/self/status").read_text()
    peak[job] = int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)[1])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
