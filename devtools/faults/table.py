"""The matrix as a page of Markdown, ``docs/faults.md``."""

import re

from .cells import CELLS, FAULTS, GROUPS, Cell

INTRODUCTION = """\
# When something goes wrong

Each call to Campaign Master, with each fault that Odoo handles differently. `./dev test --faults`
plays every cell with the real client against the sandbox. A cell shows how things stand after a
click or a run of the scheduled action during which all such calls failed, and in parentheses the
key of the error that the user sees. The test fails if something else results.

The cells are the same in three dialects of the API: the documented one, that of the company's
older products, and one with the other forms that Odoo understands. `--all` plays all of them;
without it, each call is played in one of the other two, with one fault.

Then the fault ends and the scheduled actions run again. A user syncs what had failed or was taken
for deleted, an administrator corrects a refused login; everything else continues automatically. In
**every cell**, Odoo and the sandbox agree in the end: there is one campaign with the right texts,
everyone who can be added is on the list, and results, statistics, templates and lists are the same.

`./dev test --faults devtools/faults/test_matrix.py --keep` writes this page.

- *waits*: the sync resumes automatically; the campaign says when
- *failed*: the campaign says why; the next sync continues
- *done*: Odoo continues, and nothing is missing
- *partial*: the sync ended; rejected recipients are added by *Retry Failed*
- *deleted*: Campaign Master says that the campaign was deleted; the next sync finds it again
- *not refreshed*: the form says why; the last figures are kept, and read again later
- *read later*: the same without a click, so that nobody sees a message
- *saved ones kept*: templates and lists are those of the last time
- *–*: a login's 429 does not say whether it is for the hour or the month; only some calls have an
  optional member, or an answer that may come later
"""

CALL = re.compile(r"`([^`]+)`, ([^|]+?) *(?=\|)")
CELL = re.compile(r"(.+?)(?: \(`(\w+)`\))?")


def read(page):
    """:return: state and key of each cell on a page, by the cell's key"""
    found, calls = {}, []
    for line in page.splitlines():
        if line.startswith("| fault | `"):
            calls = CALL.findall(line)
        elif not line:
            calls = []
        elif calls and not line.startswith("| ---"):
            fault, *cells = [part.strip() for part in line.strip("|").split(" | ")]
            for (name, purpose), cell in zip(calls, cells, strict=True):
                if cell != "–":
                    state, key = CELL.fullmatch(cell).groups("")
                    found[name, purpose, fault] = state, key
    return found


def write(outcomes):
    """:return: the page

    :param dict outcomes: an `Outcome` for each cell, by the cell's key
    """
    parts = [INTRODUCTION]
    for heading, calls in GROUPS.items():
        rows = [
            [fault.name, *(_shown(Cell(call, fault), outcomes) for call in calls)]
            for fault in FAULTS
        ]
        columns = ["fault", *(f"`{call.name}`, {call.purpose}" for call in calls)]
        parts += [f"## {heading}\n", _table(columns, rows)]
    rows = [[fault.name, fault.reaction, fault.same] for fault in FAULTS]
    parts += [
        "## Faults\n\nOther faults lead to the same reaction; unit tests cover them.\n",
        _table(["fault", "reaction", "the same for"], rows),
    ]
    examples = {}
    for cell in CELLS:
        outcome = outcomes[cell.key]
        if outcome.key:
            examples.setdefault(outcome.key, outcome.message)
    rows = [[f"`{key}`", _one_line(one)] for key, one in sorted(examples.items())]
    parts += ["## Messages\n", _table(["key", "example"], rows)]
    return "\n".join(parts)


def _table(columns, rows):
    lines = ["| --- " * len(columns) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(columns) + " |", *lines, ""])


def _shown(cell, outcomes):
    if not cell.exists:
        return "–"
    outcome = outcomes[cell.key]
    return f"{outcome.state} (`{outcome.key}`)" if outcome.key else outcome.state


def _one_line(message):
    return message.replace("\n", " ")
