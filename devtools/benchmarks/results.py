"""Results as text: on the screen and in RESULTS.md."""

from dataclasses import dataclass, field
from pathlib import Path

from devtools.environment.console import say

from .timing import median

FILE = Path(__file__).parent / "RESULTS.md"


@dataclass
class Result:
    """One row of RESULTS.md.

    :ivar str row: number of the row in README.md
    :ivar str job: the job
    :ivar str addon: the add-on's variant and its figure
    :ivar str reference: what it is compared with, and its figure
    :ivar float value: the value that has a target, usually a ratio
    :ivar float limit: the target; None: there is none
    :ivar str unit: unit of the value, such as ``×``
    :ivar bool at_least: whether the limit is a minimum instead of a maximum
    :ivar list notes: sentences below the table
    :ivar str error: why the result is wrong, regardless of its value
    """

    row: str
    job: str
    addon: str
    reference: str
    value: float | None
    limit: float | None
    unit: str = "×"
    at_least: bool = False
    notes: list = field(default_factory=list)
    error: str = ""

    @property
    def met(self):
        """Whether the result is right and meets its target, if it has one."""
        if self.error:
            return False
        if self.limit is None or self.value is None:
            return True
        # Rounded as displayed, so that the verdict never contradicts the table.
        value = round(self.value, 2)
        return value >= self.limit if self.at_least else value <= self.limit

    @property
    def target_text(self):
        """The target with its unit."""
        if self.limit is None:
            return "–"
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}".strip()

    @property
    def value_text(self):
        """The value with its unit."""
        return "–" if self.value is None else f"{self.value:.2f} {self.unit}".strip()

    @property
    def verdict(self):
        """Whether the target is met, or what is wrong."""
        if self.error:
            return f"WRONG: {self.error}"
        if self.limit is None:
            return "–"
        return "met" if self.met else "MISSED"


def format_seconds(values):
    """Return some seconds as text: their median and, if there are several, their range."""
    text = _format_duration(median(values))
    if len(values) > 1:
        text += f" ({_format_duration(min(values))}–{_format_duration(max(values))})"
    return text


def _format_duration(value):
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def show(result):
    """Print one result."""
    say(f"  {result.row:>4} {result.job}")
    say(f"       {result.addon}")
    say(f"       {result.reference}")
    say(f"       {result.value_text}, target {result.target_text}: {result.verdict}")
    for note in result.notes:
        say(f"       {note}")


def write(results, size, machine):
    """Write RESULTS.md.

    :param list results: the results, in the order of their rows
    :param Size size: number of people
    :param list machine: sentences about the machine and the run
    """
    quick = " --quick" if size.divisor > 1 else ""
    lines = [
        f"# Results of ./dev bench{quick}",
        "",
        "Generated; [README.md](README.md) describes the benchmarks.",
        "",
        *(f"- {sentence}" for sentence in machine),
        f"- {size.partners:,} partners, {size.leads:,} leads, {size.campaign:,} recipients on a "
        "large campaign.",
        "- Times are medians, with the range in parentheses.",
        "",
        "| # | job | measured | compared with | result | target | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in results:
        lines.append(
            f"| {result.row} | {result.job} | {result.addon} | {result.reference} "
            f"| **{result.value_text}** | {result.target_text} | {result.verdict} |"
        )
    lines.append("")
    lines += [f"- Row {result.row}: {note}" for result in results for note in result.notes]
    FILE.write_text("\n".join(lines) + "\n")
