"""The shape of traffic: what may be stored or shown of requests and answers.

By an allowlist, because nobody knows what a server sends. Kept are numbers, booleans, null and the
contract's status words. Any other text becomes its shape: ``aaa@aaaaaaa.aaa`` is an address,
``9999-99-99T99:99:99`` a time. A name of a member is kept if it looks like a name, because
an unknown name is what a report is for.

What was shaped can be shaped again: it stays the same.
"""

import json
import re
from collections.abc import Mapping

from . import wire

MAX_TEXT = 80  # characters of one text
MAX_BODY = 8_000  # characters of one body
MAX_ITEMS = 5  # of each list in a body
MAX_DEPTH = 20
MAX_NUMBER = 10**18
MAX_CODE = 9_999  # a status or the like

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"[0-9]{1,12}")
_WORDS = {*wire.CAMPAIGN_STATUSES, *wire.RESULT_STATUSES, wire.LOGIN_REFUSED.decode().lower()}
_MEDIA_TYPE = re.compile(
    r"(application/(problem\+|hal\+)?(json|xml)|application/octet-stream|text/(html|plain|xml|json))"
    r"(; ?charset=\"?(utf-8|us-ascii|iso-8859-1|windows-1252)\"?)?",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)
_HEADERS = {"Date": _DATE, "Content-Type": _MEDIA_TYPE}


def shape(value, *, numbers: bool = True):
    """JSON data with the same structure, without what is not allowed.

    Members whose names have the same shape become one.

    :param value: as ``json.loads`` makes it
    :param numbers: whether numbers are kept; if not, the digits of those above :data:`MAX_CODE`
        become 9, because they may be a secret
    """
    return _shape(value, numbers, None, 0)


def _shape(value, numbers, max_items, depth):
    if isinstance(value, (dict, list)) and depth == MAX_DEPTH:
        return "..."
    if isinstance(value, dict):
        return {
            shape_name(name): _shape(item, numbers, max_items, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list):
        items = [_shape(item, numbers, max_items, depth + 1) for item in value[:max_items]]
        left_out = len(value) - len(items)
        return [*items, f"... {left_out} more"] if left_out else items
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return _shape_number(value, numbers)
    if value.lower() in _WORDS:
        return value
    return shape_text(value)


def _shape_number(value, keep):
    size = abs(value)
    if not size < MAX_NUMBER:  # Infinity and NaN, too
        return "9" * len(str(MAX_NUMBER))
    if keep or size <= MAX_CODE:
        return value
    return type(value)("9" * len(str(int(size))))


def shape_text(text: str) -> str:
    """``Ann's 2nd`` as ``aaa'a 9aa``: ASCII digits become 9, letters a (except the T and Z of a
    time), all that is not printable ASCII a question mark. At most :data:`MAX_TEXT` characters."""
    text = re.sub(r"[0-9]", "9", text[:MAX_TEXT])
    return text if _TIME.fullmatch(text) else re.sub(r"[A-Za-z]", "a", re.sub(r"[^ -~]", "?", text))


def shape_name(name: str) -> str:
    """The name of a member as it is, if it looks like one; else its shape."""
    return name if _NAME.fullmatch(name) else shape_text(name)


def shape_body(body: bytes, content_type: str = "", limit: int = MAX_BODY) -> str:
    """A body as text for people, ASCII: JSON by :func:`shape`, indented, with the first items of
    each list; of anything else the shape of its first characters.

    :param content_type: the value of the header
    :param limit: in characters; the rest is cut
    """
    if not body:
        return ""
    try:
        data = wire.parse_json(body)
    except ValueError:
        kind = _if_like(_MEDIA_TYPE, content_type) or "no content type"
        start = shape_text(body[:MAX_TEXT].decode("ascii", "replace"))
        return f"Not JSON ({kind}, {len(body)} bytes): {start}"[:limit]
    text = json.dumps(_shape(data, True, MAX_ITEMS, 0), indent=2)
    return text if len(text) <= limit else f"{text[: limit - 4]}\n..."


def shape_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Only ``Date``, ``Content-Type`` and, in lower case, the headers about limits. Their values
    are kept if they look as they should, otherwise they become their shape."""
    shaped = {}
    for name, value in headers.items():
        if pattern := _HEADERS.get(name.title()):
            shaped[name.title()] = _if_like(pattern, value)
        elif wire.LIMIT_HEADER.fullmatch(name.lower()):
            shaped[name.lower()] = _if_like(_PLAIN_NUMBER, value)
    return shaped


def shape_path(path: str) -> str:
    """A path of :class:`~.wire.Call` with its id if that is a number, else with the shape of it."""
    return wire.ID_IN_PATH.sub(lambda match: _if_like(_PLAIN_NUMBER, match[0]), path)


def shape_params(params: Mapping[str, str]) -> dict[str, str]:
    """The query of a :class:`~.wire.Call`: page numbers are kept, all else becomes its shape."""
    return {name: _if_like(_PLAIN_NUMBER, value) for name, value in params.items()}


def _if_like(pattern, text):
    return text if pattern.fullmatch(text) else shape_text(text)
