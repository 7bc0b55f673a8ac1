"""The report of *Check API* as plain text.

In English, whatever language the user has: it is made to be sent to whoever corrects ``wire.py``.
"""

from textwrap import fill, indent

from ..client import wire
from ..client.check_steps import READING

RESULTS = {
    "documented": "as documented",
    "modeled": "as modeled",
    "differs": "DIFFERS",
    "refused": "REFUSED",
    "no_answer": "NO RESPONSE",
    "not_tried": "not tried",
}
WIDTH = 96
LABEL_WIDTH = 14
INTRODUCTION = """\
Grades: D is documented for this API, S for a sister or an older product of the company, M is
modeled by the add-on. Corrections are made in client/wire.py; docs/api.md says how.

This report contains no password, no address and no text of Campaign Master: of texts only the
shape is left (letters as a, digits as 9). It can be sent to whoever maintains the add-on."""


def render_report(about, findings, left):
    """:return: the report
    :rtype: str

    :param dict about: values by label
    :param list findings: see ``client/check.py``
    :param list left: sentences about what the check left in Campaign Master
    """
    sections = [
        "CAMPAIGN MASTER: API CHECK",
        "\n".join(_entry(label, value) for label, value in about.items()),
        INTRODUCTION,
        _section("SUMMARY", _summary(findings)),
        *(_section(finding["call"], _details(finding)) for finding in findings),
        _section("LIMIT HEADERS", _headers(findings)),
        _section("LEFT IN CAMPAIGN MASTER", [fill(line, WIDTH) for line in left]),
    ]
    return "\n\n".join(sections) + "\n"


def _section(title, lines):
    return "\n".join([title, "-" * len(title), *lines])


def _entry(label, value):
    return fill(
        f"{label:<{LABEL_WIDTH}}{value}",
        WIDTH,
        subsequent_indent=" " * LABEL_WIDTH,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(findings):
    for number, finding in enumerate(findings):
        if number == len(READING):
            yield "After the second confirmation:"
        result = RESULTS[finding["result"]]
        if tolerated := len(finding.get("tolerated", ())):
            result += f", {tolerated} tolerated"
        yield f"{finding['call']:<32} {finding['grade']}  {result}"


def _details(finding):
    result = RESULTS[finding["result"]]
    if "status" in finding:
        result += f" (status {finding['status']}, {finding['seconds']} s)"
    yield _entry("Result", result)
    yield _entry("Used for", finding["purpose"])
    yield _entry("Correct in", f"client/wire.py: {finding['place']}")
    for label, name in (("Reason", "reason"), ("Stopped", "stop"), ("Time zone", "zone")):
        if name in finding:
            yield _entry(label, finding[name])
    for difference in finding.get("differs", ()):
        yield _entry("Differs", _difference(difference))
    for found, members in _by_found(finding.get("tolerated", ())).items():
        yield _entry("Tolerated", f"{found}: {', '.join(members)}" if members else found)
    for member in finding.get("unlisted", ()):
        yield _entry("Also there", f"{member['member']}: {member['found']}")
    if "body" in finding:
        yield "Shape of the response:"
        yield indent(finding["body"], "    ")


def _difference(difference):
    if "member" not in difference:
        return difference["found"]
    return "{member} ({grade}): {expected} expected, found {found}. Correct it in {place}.".format(
        **difference
    )


def _by_found(tolerated):
    """:return: the members by what was found; none for what is not about a member"""
    groups = {}
    for entry in tolerated:
        members = groups.setdefault(entry["found"], [])
        if "member" in entry:
            members.append(entry["member"])
    return groups


def _headers(findings):
    """Those of the last response that should have them."""
    seen = [finding["headers"] for finding in findings[1:] if finding.get("headers")]
    if not seen:
        yield "There was no response that should have them."
        return
    headers = seen[-1]
    for name in ("Date", *wire.LIMIT_HEADERS):
        yield f"{name:<32} {headers.get(name, 'MISSING')}"
    for name in headers.keys() - {"Date", "Content-Type", *wire.LIMIT_HEADERS}:
        yield f"{name:<32} {headers[name]} (unknown)"
