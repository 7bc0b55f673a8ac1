"""The matrix as a page of Markdown, ``docs/faults.md``."""

import re
import string

from .matrix import ALL_CELLS, FAULTS, GROUPS, Cell

INTRODUCTION = """\
# When something goes wrong

Each call to Campaign Master with each way in which it can go wrong, as `./dev test --faults` plays
it: through the real client over a socket, against the sandbox, on a database of its own. The fault
lasts as long as the press of a button or the run of a scheduled action. A cell says how things
stood then, and in brackets which of the sentences below the user was told.

After that the fault ended, time passed, and the next run came: who had pressed in vain pressed
again, an administrator entered a refused password again. Then Odoo and the sandbox agreed in
**every cell**: the campaign is there once, with the same texts; everybody who can be is on the
list; each recipient has the right outcome; all figures, and the totals of people, are the same;
templates and lists, too. A message that something is done was true at that moment.

This page is written by `./dev test --faults --keep`; without `--keep` the run fails when something
else came out. Of rows with the same outcomes, one is played by default; `--all` plays every row.

- *nothing changed*: a dialog told it; pressing again is enough
- *waits*: it goes on by itself, and the campaign says when
- *goes on*: the campaign is in Campaign Master; the recipients follow
- *failed*: the campaign says why; the next sync goes on from there
- *taken for deleted*: as Campaign Master said; the next sync finds it again
- *read again later*: the scheduled action comes again; nobody waits for it, and the campaign shows
  how old its figures are
- *known ones stay*: templates and lists are those of the last time
- *done*: the fault did no harm
"""


CALL = re.compile(r"`([^`]+)`, ([^|]+?) *(?=\|)")
CELL = re.compile(r"(.+?)(?: \((\d+)\))?")
SENTENCE = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)


def read(page):
    """Return the state and the message in one line of each cell on a page, by the cell's key."""
    sentences = dict(SENTENCE.findall(page))
    found, calls = {}, []
    for line in page.splitlines():
        if line.startswith("| | "):
            calls = CALL.findall(line)
        elif line.startswith("| ") and "---" not in line:
            fault, *cells = [part.strip() for part in line.strip("|").split(" | ")]
            for (name, purpose), cell in zip(calls, cells, strict=True):
                stands, number = CELL.fullmatch(cell).groups()
                if not stands.startswith("–"):
                    found[name, purpose, fault] = stands, sentences.get(number, "")
    return found


def as_read(outcome):
    """Return an `Outcome` as :func:`read` gives it."""
    return outcome.stands, _one_line(outcome.told)


def written(outcomes):
    """Return the page.

    :param dict outcomes: an `Outcome` for each cell that makes sense, by its key
    """
    sentences, reasons = [], []
    parts = [INTRODUCTION]
    for heading, calls in GROUPS.items():
        lines = [f"## {heading}", ""]
        lines.append("| | " + " | ".join(f"`{one.name}`, {one.purpose}" for one in calls) + " |")
        lines.append("| --- |" + " --- |" * len(calls))
        for fault in FAULTS:
            cells = [Cell(call, fault) for call in calls]
            shown = [_shown(cell, outcomes, sentences, reasons) for cell in cells]
            lines.append(f"| {fault.name} | " + " | ".join(shown) + " |")
        parts.append("\n".join([*lines, ""]))
    parts.append("## What was said\n")
    numbered = [f"{place}. {_one_line(one)}" for place, one in enumerate(sentences, start=1)]
    parts.append("\n".join([*numbered, ""]))
    parts.append("## Cells that make no sense\n")
    total = sum(1 for cell in ALL_CELLS if cell.senseless)
    parts.append(f"{total} of {len(ALL_CELLS)}.\n")
    lettered = [f"- ({_letter(place)}) {one}" for place, one in enumerate(reasons)]
    parts.append("\n".join([*lettered, ""]))
    return "\n".join(parts)


def _shown(cell, outcomes, sentences, reasons):
    if cell.senseless:
        return f"– ({_letter(_place(reasons, cell.senseless))})"
    outcome = outcomes[cell.key]
    if not outcome.told:
        return outcome.stands
    return f"{outcome.stands} ({_place(sentences, outcome.told) + 1})"


def _place(known, one):
    """Return where it stands among those known so far; it is added if need be."""
    if one not in known:
        known.append(one)
    return known.index(one)


def _letter(place):
    return string.ascii_lowercase[place]


def _one_line(sentence):
    return " / ".join(sentence.splitlines())
