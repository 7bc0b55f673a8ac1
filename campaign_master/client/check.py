"""*Check API*: makes one call after the other and compares the answers with the contract.

Each call gives a *finding*: JSON data without anybody's data.
"""

from datetime import timedelta

from . import wire
from .check_steps import ADDED, CREATED, EXISTS, FOUND_AGAIN, LOGIN, PAGE_SIZE, Step, Target
from .errors import (
    CampaignMasterAuthError,
    CampaignMasterError,
    CampaignMasterLedgerLimitError,
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    CampaignMasterLoginRequestError,
    CampaignMasterRateLimitError,
)
from .inspection import DIFFERS, FINE, LIST, MISSING, TOLERATED, Inspection, describe, has_zone
from .observation import Observation
from .shape import shape_body

MAX_BODY = 1_500  # characters of an answer's shape
# The results of a call.
DOCUMENTED, MODELED, DIFFERENT = "documented", "modeled", "differs"
REFUSED, NO_ANSWER, NOT_TRIED = "refused", "no_answer", "not_tried"
_QUARTER = timedelta(minutes=15)
_CLOCKS = timedelta(minutes=2)  # by which they may differ
_MAX_OFFSET = timedelta(hours=14)


# === FINDINGS === #


def check(client, step: Step, target: Target, observations: list[Observation]):
    """Make one call.

    :param client: its observer adds to ``observations``
    :return: the finding, and what the call returned (None if it failed)
    """
    result = error = None
    try:
        if step.make:
            result = step.make(client, target)
        else:
            result = client.make(step.call(target), step.read(target))
    except CampaignMasterError as failure:
        error = failure
    return examine(step, target, observations, error), result


def not_tried(step: Step, reason: str, stop: str = "") -> dict:
    """The finding of a call that was not made."""
    return _finding(step, NOT_TRIED, reason=reason, stop=stop)


def _finding(step, result, **details):
    """:return: JSON data

    - ``call``, ``grade``, ``purpose`` and ``place`` of the step, ``result``
    - ``reason``: what went wrong, a sentence
    - ``stop``: why no further call can be made, a sentence
    - ``status``, ``seconds`` and ``headers`` of the answer, and its shape (``body``) if it is not
      as it should be
    - ``differs``, ``tolerated``, ``unlisted``: members, each with ``member``, ``place``, ``grade``,
      ``expected`` type and what was ``found``
    - ``zone``: what is known of times without a zone
    """
    return {
        "call": step.kind,
        "grade": step.grade,
        "purpose": step.purpose,
        "place": step.place(),
        "result": result,
        **{name: value for name, value in details.items() if value not in ("", None, [])},
    }


def examine(
    step: Step, target: Target, observations: list[Observation], error: CampaignMasterError | None
) -> dict:
    """Compare the answer of one call with the contract.

    :param error: what the client raised
    """
    own = [one for one in observations if one.call == step.kind]
    # Of several pages the first; of a call that was repeated with a new token the last.
    own = [one for one in own if one.params.get("page", "1") == "1"]
    stop = _why_stop(step, error)
    if not own:
        is_local = isinstance(error, CampaignMasterLedgerLimitError)
        reason = error.message if is_local else "The login before this call failed."
        return not_tried(step, reason, stop)
    seen = own[-1]
    details = {
        "stop": stop,
        "status": seen.status,
        "seconds": round(seen.seconds, 2),
        "headers": seen.headers,
    }
    if seen.status is None or seen.body is None:
        return _finding(step, NO_ANSWER, reason=error and error.message, **details)
    body = shape_body(seen.body, seen.headers.get("Content-Type", ""), MAX_BODY)
    if step is CREATED and seen.status == 400 and not error:
        return not_tried(step, EXISTS)  # created by a call whose answer was not stored
    if not 200 <= seen.status < 300 or isinstance(error, CampaignMasterAuthError):
        return _finding(step, REFUSED, reason=_hint(step, seen.status), body=body, **details)
    if seen.status == 202 and step is ADDED:
        details["tolerated"] = [{"found": "202: the result comes later"}]
        return _finding(step, MODELED, **details)
    compared = compare(step, target, seen)
    if compared["differs"]:
        return _finding(step, DIFFERENT, body=body, **details, **compared)
    if error:
        return _finding(step, DIFFERENT, reason=error.message, body=body, **details, **compared)
    result = MODELED if step.grade == "M" else DOCUMENTED
    return _finding(step, result, **details, **compared)


def _why_stop(step, error):
    if isinstance(error, CampaignMasterRateLimitError):
        return error.message
    if isinstance(
        error,
        CampaignMasterLoginRefusedError
        | CampaignMasterLoginDoubtError
        | CampaignMasterLoginRequestError,
    ):
        return "The login was refused."
    if step is LOGIN and error:
        return "The login failed."
    return ""


def _hint(step, status):
    """What a refusal may mean."""
    if step is LOGIN:
        return (
            "The username and password must be those of an API user, with the API module switched "
            "on. If they are, the login must be sent in another way."
        )
    return {
        400: "The request must have another form.",
        401: "The login works, but its token does not: it may be sent in another way (BEARER).",
        403: "The API module is not switched on, or the API user lacks rights.",
        404: "The path or the API address is wrong, or this does not exist.",
        429: "A limit of calls is reached.",
    }.get(status, "")


def compare(step: Step, target: Target, seen: Observation) -> dict:
    """Compare the members of an answer.

    :return: ``differs``, ``tolerated``, ``unlisted`` and ``zone``, see :func:`_finding`
    """
    answered_at = wire.read_date(seen.headers) or seen.at
    try:
        inspection = Inspection(wire.parse_json(seen.body), answered_at=answered_at)
    except wire.UnusableError as problem:
        return {"differs": [{"found": str(problem)}]}
    except ValueError:
        return {"differs": [{"found": "The answer is not JSON."}]}
    differs, result = [], None
    try:
        result = step.read(target)(inspection)
    except wire.UnusableError as problem:
        differs.append({"found": str(problem)})
    noted = inspection.deviations(DIFFERS)
    if noted:  # an error of a reader is a consequence
        differs = [_member(step, member, note) for member, note in noted.items()]
    zone, is_other_zone = _zone(step, inspection, result, answered_at)
    if is_other_zone:
        differs.append({"found": zone})
    tolerated = [
        _member(step, member, note)
        for member, note in inspection.deviations(TOLERATED, MISSING).items()
    ]
    differs += [{"found": text} for text in _not_found(step, target, result)]
    tolerated += [
        {"found": text} for text in (*_empty(inspection), *_ignored(step, target, result))
    ]
    return {
        "differs": differs,
        "tolerated": tolerated,
        "unlisted": [
            {"member": member, "found": describe(value)}
            for member, value in inspection.unlisted().items()
        ],
        "zone": zone,
    }


def _member(step, member, note):
    name = member.rpartition(".")[2]
    return {
        "member": member,
        "place": step.place(member),
        "grade": "S" if name in wire.SISTER_NAMES else "M",
        "expected": note["expected"],
        "found": note["found"],
    }


def _not_found(step, target, result):
    """:return: that the campaign that was just created is not found"""
    items = getattr(result, "items", ())
    if step is not FOUND_AGAIN or any(one.reference == target.reference for one in items):
        return []
    return ["the campaign that was created is not found by its reference"]


def _ignored(step, target, result):
    """:return: which parameters of a page seem to be ignored"""
    items = getattr(result, "items", ())
    if step.build is wire.campaigns_by_reference:
        is_ignored = any(one.reference != target.reference for one in items)
        return ["reference is ignored: other campaigns came, too"] if is_ignored else []
    return [f"pageSize is ignored: {len(items)} items came"] if len(items) > PAGE_SIZE else []


def _empty(inspection):
    """:return: which lists had no item to compare"""
    return [
        f"{member} is empty: the members of its items could not be compared"
        for member, note in inspection.deviations(FINE, TOLERATED).items()
        if note["expected"] == LIST
        and not any(other.startswith(f"{member}[]") for other in inspection.notes)
    ]


def _zone(step, inspection, result, answered_at):
    """Compare a time without a zone that says "now" with the answer's ``Date``.

    That is the time of a page of activity and, as nobody knows its name, any unlisted time of a
    campaign that was just created.

    :return: a sentence, empty if all times have a zone; and whether the zone is another than
        ``wire.UNZONED``
    """
    unzoned = {wire.time_from_wire(text) for text in inspection.unzoned.values()}
    nows = {getattr(result, "as_of", None)} & unzoned
    if step is CREATED:
        texts = [text for text in inspection.unlisted().values() if isinstance(text, str)]
        nows |= {wire.time_from_wire(text) for text in texts if not has_zone(text)} - {None}
    offsets = {_offset(now, answered_at) for now in nows} - {None}
    if len(offsets) == 1:
        [offset] = offsets
        if not offset:
            return (
                "Times have no zone. Compared with the HTTP date they are in UTC, as assumed; from "
                "November to March that is British time, too.",
                False,
            )
        sign, minutes = "+-"[offset < timedelta()], abs(offset) // timedelta(minutes=1)
        zone = f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}"
        british = " (British summer time)" if zone == "UTC+01:00" else ""
        return (
            f"Times have no zone. Compared with the HTTP date they are in {zone}{british}: correct "
            "UNZONED in client/wire.py.",
            True,
        )
    if unzoned or nows:
        return (
            "Times have no zone, and none of them can be compared with the HTTP date. UTC is "
            "assumed: UNZONED in client/wire.py.",
            False,
        )
    return "", False


def _offset(now, answered_at):
    """:return: by how much a zone is ahead of :data:`wire.UNZONED`, in quarters of an hour; None if
    it cannot be that"""
    ahead = now - answered_at
    offset = round(ahead / _QUARTER) * _QUARTER
    return offset if abs(ahead - offset) <= _CLOCKS and abs(offset) <= _MAX_OFFSET else None
