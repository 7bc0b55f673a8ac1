"""What was measured, said to the reader: lines on the screen, and RESULTS.md."""

from dataclasses import dataclass, field
from pathlib import Path

from devtools.environment.console import say

from .timing import median

FILE = Path(__file__).parent / "RESULTS.md"


@dataclass
class Result:
    """One line of the table: something measured, and what it is held against.

    :ivar str row: the row of README.md's table that it belongs to
    :ivar str job: what was done
    :ivar str ours: how it was done here, with its figure
    :ivar str other: what it is held against, with its figure
    :ivar float value: what the target speaks of, mostly a ratio
    :ivar str unit: what stands behind the value, such as ``×``
    :ivar float limit: the target; None where there is none
    :ivar bool at_least: whether the value must reach the limit, rather than stay below it
    :ivar list notes: sentences that a reader must know
    :ivar str broken: what is wrong with it, whatever its value
    """

    row: str
    job: str
    ours: str
    other: str
    value: float | None
    limit: float | None
    unit: str = "×"
    at_least: bool = False
    notes: list = field(default_factory=list)
    broken: str = ""

    @property
    def met(self):
        if self.broken:
            return False
        if self.limit is None or self.value is None:
            return True
        # As it is shown: nobody misses a target by what is not seen.
        value = round(self.value, 2)
        return value >= self.limit if self.at_least else value <= self.limit

    @property
    def target(self):
        if self.limit is None:
            return "–"
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}".strip()

    @property
    def shown(self):
        return "–" if self.value is None else f"{self.value:.2f} {self.unit}".strip()

    @property
    def verdict(self):
        if self.broken:
            return f"WRONG: {self.broken}"
        if self.limit is None:
            return "–"
        return "met" if self.met else "MISSED"


def seconds(values):
    """Some seconds as text: the median and, where there are several, from the least to the most."""
    text = _duration(median(values))
    if len(values) > 1:
        text += f" ({_duration(min(values))}–{_duration(max(values))})"
    return text


def _duration(value):
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def tell(result):
    """Print one result."""
    say(f"  {result.row:>4} {result.job}")
    say(f"       {result.ours}")
    say(f"       {result.other}")
    say(f"       {result.shown}, target {result.target}: {result.verdict}")
    for note in result.notes:
        say(f"       {note}")


def write(results, size, machine):
    """Write RESULTS.md.

    :param list machine: what `here.describe` says, and whatever else is to be known first
    """
    quick = " --quick" if size.divisor > 1 else ""
    lines = [
        f"# Results of ./dev bench{quick}",
        "",
        "Written by the run itself; [README.md](README.md) says what is measured and how.",
        "",
        *(f"- {sentence}" for sentence in machine),
        f"- {size.partners:,} partners, {size.leads:,} leads, {size.campaign:,} recipients on a "
        "large campaign.",
        "- Times are medians, in brackets from the least to the most.",
        "",
        "| # | measured | | against | | target | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in results:
        lines.append(
            f"| {one.row} | {one.job} | {one.ours} | {one.other} | **{one.shown}** "
            f"| {one.target} | {one.verdict} |"
        )
    lines.append("")
    lines += [f"- Row {one.row}: {note}" for one in results for note in one.notes]
    FILE.write_text("\n".join(lines) + "\n")
