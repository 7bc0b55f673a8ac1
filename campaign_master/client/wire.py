"""Campaign Master's API on the wire: the only file with a path, a header or a member name. If the
API turns out to be different, correct it here.

**D**: documented on the page of this API ("CM Email Marketing API"). **S**: documented for a sister
or an older product of the company, so likely of the same kind. **M**: modeled by this project from
the needs of the integration. ``docs/api.md`` names the evidence; ``docs/openapi.yaml`` is the same
for machines.

- D: REST, JSON, the verbs; a login that returns a token; the headers ``x-rate-limit-limit``,
  ``-remaining``, ``-reset`` and ``x-token-reset`` (Unix times in seconds); 5,000 calls an hour and
  50,000 a month; the statuses 200 201 400 401 404 429 500.
- S: the login's request headers; pages by number with a last-page flag; times without a zone;
  cumulative rows of activity since a time; a campaign's figures; a caller's own reference of a
  campaign; a refused login as 500 with ``InvalidLogin``, or as an ordinary answer without a token.
- M: every path, query parameter and member name; ``Authorization: Bearer``; 1,000 recipients per
  call; how the hourly limit differs from the monthly limit; all status words.

Reading rules (M), strict about meaning, tolerant about form:

- Member names are compared without letter case. A listed member of another type makes the answer
  unusable, and the error names it; so does a missing one, if the call makes no sense without it.
  For the others, ``null`` is the same as missing. Unlisted members are ignored. Status words are
  passed on unchanged.
- Integers are from 0 to 2**31 - 1 (the range of a column). They may be strings of digits, or floats
  without a fraction; ``true`` is not 1.
- Times are ISO 8601 with ``Z``, an offset or no zone (:data:`UNZONED`), with or without a fraction,
  between the years 1970 and 2999: valid in every time zone and database. The year 0001 is null.
- Text is made storable: NUL and lone surrogates, which PostgreSQL refuses, become U+FFFD, and text
  is cut after :data:`MAX_TEXT` characters. One odd name must not hide the whole catalog. Ids are
  never repaired: an id that does not fit into a column or a path makes the answer unusable.
- Ids are opaque and ``str`` everywhere in Odoo. They are sent back in the type they came in:
  canonical decimal text as an integer, everything else as a string (:func:`ref_to_wire`).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import quote

# Addresses in one call (M); older products of the company take one (S). All of the add-on reads it
# here.
MAX_RECIPIENTS = 1000
PAGE_SIZE = 500  # templates and lists
ACTIVITY_PAGE_SIZE = 1000
MAX_INTEGER = 2**31 - 1
MAX_TEXT = 20_000
MAX_WORD = 64
MAX_REF = 128
MAX_PLAIN_TEXT = 200  # of an error's plain text
MAX_REASON = 200  # of a bounce, which the recipient's server writes
UNZONED = timezone.utc  # the zone of times that name none (M)
# Names of members that older products of the company have, too (S). The others are M.
SISTER_NAMES = frozenset({"token", "isLastPage", "clicks", "forwards", "bounced", "complained"})
LIMIT_HEADERS = (  # D
    "x-rate-limit-limit",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
    "x-token-reset",
)
LOGIN_REFUSED = b"InvalidLogin"  # in the body of a 500 (D, of the SOAP service)
BEARER = "Bearer "
CAMPAIGN_STATUSES = ("draft", "scheduled", "sending", "sent")
RESULT_STATUSES = ("added", "exists", "invalid", "suppressed")
ID_IN_PATH = re.compile(r"(?<=^/campaigns/)[^/]+|(?<=^/lists/)[^/]+")
# Headers about limits (D), and their relatives, by which a server may tell more.
LIMIT_HEADER = re.compile(
    r"x-rate-limit(-(limit|remaining|reset|used|hour|day|month|hourly|daily|monthly))+|x-token-reset"
)

_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_MISSING = object()
_NO_TIME = datetime.min.replace(tzinfo=timezone.utc)
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_TAG = re.compile(r"<[A-Za-z/!?]")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_HEADER_INTEGER = re.compile(r"[0-9]{1,12}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


# === DATA === #


@dataclass(frozen=True, slots=True)
class Template:
    ref: str
    name: str


@dataclass(frozen=True, slots=True)
class RecipientList:
    """``recipients``: the number of its recipients; None if the server does not say."""

    ref: str
    name: str
    recipients: int | None


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign's data in Odoo. Optional members that are None are not sent."""

    name: str
    description: str
    subject: str
    template_ref: str | None = None
    from_name: str | None = None
    from_email: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """``status``: ``draft``, ``scheduled``, ``sending``, ``sent``, or an unknown word; empty if
    the server does not say. Other members that it does not have are None."""

    ref: str
    reference: str | None
    name: str
    description: str | None
    subject: str | None
    template_ref: str | None
    status: str
    sent_at: datetime | None


class RecipientResult(NamedTuple):
    """``status``: ``added``, ``exists``, ``invalid``, ``suppressed``, an unknown word, or
    ``unknown`` if there is no result for this address yet: send it again later."""

    email: str
    status: str
    message: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """A campaign's figures so far; corrections in Campaign Master may lower them. A figure that
    the server does not report is None, which is not 0.

    :ivar bounces: all bounces, as a server may report them instead of hard and soft ones
    """

    sent: int | None = None
    delivered: int | None = None
    hard_bounces: int | None = None
    soft_bounces: int | None = None
    bounces: int | None = None
    rejected: int | None = None
    opens: int | None = None
    unique_opens: int | None = None
    clicks: int | None = None
    unique_clicks: int | None = None
    forwards: int | None = None
    unique_forwards: int | None = None
    unsubscribes: int | None = None
    complaints: int | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """One recipient's figures so far. Times are aware and in UTC, or None; ``bounced`` and
    ``opted_out`` may become false again.

    :ivar opted_out: also if the recipient complained
    :ivar complained: the recipient reported the email as spam
    :ivar bounce_reason: one line of plain text, written by a stranger's server; None if unknown
    """

    email: str
    opens: int
    clicks: int
    forwards: int
    unsubscribes: int
    first_open: datetime | None
    last_open: datetime | None
    first_click: datetime | None
    last_click: datetime | None
    bounced: bool
    opted_out: bool
    complained: bool = False
    bounce_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """One page of a campaign's activity.

    :ivar as_of: the server's time (aware, UTC); that of the *first* page is the next ``since``
    :ivar last: this is the last page
    :ivar seen: what is known of the pages so far (JSON data), for the call of the next page
    """

    items: list[Activity]
    page: int
    as_of: datetime
    last: bool
    seen: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """One page as the server describes it.

    :ivar size: the server's page size; None if it does not say
    :ivar total: the number of items on all pages; None if it does not say
    :ivar is_last: it says that this is the last page
    :ivar as_of: the server's time (aware, UTC), of activity only
    """

    items: list
    size: int | None
    total: int | None
    is_last: bool
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in an answer's headers; None if missing or invalid."""

    limit: int | None = None
    remaining: int | None = None
    reset_at: datetime | None = None
    token_reset_at: datetime | None = None


# === CALLS === #


@dataclass(frozen=True, slots=True)
class Call:
    """One call, without the address and the token.

    :ivar grade: of what the call does: ``D``, ``S`` or ``M``, see above
    :ivar about: what the path names: ``campaign``, ``list`` or None
    :ivar deferrable: the answer may be 202: it was accepted, and its result comes later
    """

    method: str
    path: str
    grade: str = field(default="M", kw_only=True)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping | None = field(default=None, repr=False)
    about: str | None = None
    deferrable: bool = False

    def __str__(self):
        """``POST /lists/7/recipients``: safe to log, without query and body."""
        return f"{self.method} {self.path}"

    @property
    def kind(self) -> str:
        """``POST /lists/ID/recipients``"""
        return f"{self.method} {ID_IN_PATH.sub('ID', self.path)}"

    @property
    def is_login(self) -> bool:
        return self.path == "/authenticate"

    @property
    def writes(self) -> bool:
        """Whether the call changes data, so that a lost answer matters."""
        return self.method != "GET" and not self.is_login

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice has the same effect as sending it once."""
        return self.method in ("GET", "PUT")


def login(username: str, password: str, client_id: str = "", client_secret: str = "") -> Call:
    """The login, in request headers (S), and username and password in the body as well (M), so
    that either kind of server finds them.

    A header carries only visible ASCII without outer spaces. Any other value must not reach
    ``requests``, whose errors would contain it; it is sent in the body alone.

    :param client_id: and ``client_secret``: not sent if empty
    """
    body = {"username": username, "password": password}
    values = body | {"client_id": client_id, "client_secret": client_secret}
    headers = {name: value for name, value in values.items() if _HEADER_VALUE.fullmatch(value)}
    body |= {name: value for name, value in values.items() if value and name not in headers}
    return Call("POST", "/authenticate", headers=headers, body=body, grade="S")


def templates(page: int, page_size: int = PAGE_SIZE) -> Call:
    return Call("GET", "/templates", params=_page_params(page, page_size))


def lists(page: int, page_size: int = PAGE_SIZE) -> Call:
    return Call("GET", "/lists", params=_page_params(page, page_size))


def campaigns_by_reference(reference: str, page: int) -> Call:
    params = {"reference": reference}
    if page > 1:
        params["page"] = str(page)
    return Call("GET", "/campaigns", params=params, grade="S")


def create_campaign(reference: str, draft: CampaignDraft) -> Call:
    body = {"reference": reference, **_draft_members(draft)}
    if draft.template_ref is not None:
        body["templateId"] = ref_to_wire(draft.template_ref)
    return Call("POST", "/campaigns", body=body)


def campaign(ref: str) -> Call:
    return Call("GET", _path("/campaigns/%s", ref), about="campaign")


def update_campaign(ref: str, draft: CampaignDraft) -> Call:
    path = _path("/campaigns/%s", ref)
    return Call("PUT", path, body=_draft_members(draft), about="campaign")


def add_recipients(list_ref: str, emails: list[str]) -> Call:
    body = {"recipients": [{"email": email} for email in emails]}
    path = _path("/lists/%s/recipients", list_ref)
    return Call("POST", path, body=body, about="list", deferrable=True)


def statistics(ref: str) -> Call:
    path = _path("/campaigns/%s/statistics", ref)
    return Call("GET", path, about="campaign", grade="S")


def activity(
    ref: str, since: datetime | None, page: int, page_size: int = ACTIVITY_PAGE_SIZE
) -> Call:
    params = _page_params(page, page_size)
    if since is not None:
        params["since"] = time_to_wire(since)
    path = _path("/campaigns/%s/activity", ref)
    return Call("GET", path, params=params, about="campaign", grade="S")


def _page_params(page, page_size):
    return {"page": str(page), "pageSize": str(page_size)}


def _draft_members(draft):
    members = {"name": draft.name, "description": draft.description, "subject": draft.subject}
    optional = {
        "fromName": draft.from_name,
        "fromEmail": draft.from_email,
        "replyToEmail": draft.reply_to,
    }
    return members | {name: value for name, value in optional.items() if value is not None}


def _path(pattern, ref):
    if not is_ref(ref):
        raise ValueError("Not an id of Campaign Master.")
    return pattern % quote(ref, safe="")


def is_ref(text: str) -> bool:
    """Whether the text can be stored as an id and be one segment of a path."""
    return 0 < len(text) <= MAX_REF and text not in (".", "..") and not _UNSTORABLE.search(text)


def ref_to_wire(ref: str) -> int | str:
    """An id in the type it came in (see above)."""
    return int(ref) if _CANONICAL_INTEGER.fullmatch(ref) else ref


def time_to_wire(moment: datetime) -> str:
    """An aware time as ``2025-01-31T09:30:00Z``: whole seconds, rounded down, so that
    "changed at or after" never starts later than requested.

    :raise ValueError: the time has no time zone
    """
    if moment.tzinfo is None:
        raise ValueError("A time for Campaign Master needs a time zone.")
    moment = moment.astimezone(timezone.utc)
    return f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}Z"


def same_address(email: str) -> str:
    """The normal form of an address, for comparisons."""
    return email.strip().lower()


# === ANSWERS === #


class UnusableError(ValueError):
    """A member is missing or invalid. The message names the member, never its value."""


class Members:
    """One JSON object of an answer, read member by member.

    :param data: the result of :func:`parse_json`
    :param str where: its position in the answer, such as ``items[3].``
    :param datetime answered_at: when the answer was made (aware, UTC)
    :raise UnusableError: it is not an object; also raised by each method, if a member without a
        ``default`` is missing
    """

    def __init__(self, data, where="", answered_at=None, spellings=None):
        if not isinstance(data, dict):
            raise UnusableError(f"{where.rstrip('.') or 'the answer'} is not an object")
        self.answered_at = answered_at
        self._data = data
        self._where = where
        self._spellings = {} if spellings is None else spellings

    def unusable(self, name: str, problem: str) -> UnusableError:
        return UnusableError(f"“{self._where}{name}” {problem}")

    def value(self, name: str, default=None):
        """The value as it is, of the member with this name in any letter case."""
        if name in self._data:
            return self._data[name]
        # A thousand rows have the same names.
        names = tuple(self._data)
        spelled = self._spellings.get(names)
        if spelled is None:
            spelled = self._spellings[names] = {other.lower(): other for other in names}
        return self._data.get(spelled.get(name.lower()), default)

    def _get(self, name, types, default):
        value = self.value(name, _MISSING)
        if type(value) in types:  # not isinstance: True is an int to Python
            return value
        if default is not _MISSING and (value is None or value is _MISSING):
            return default
        raise self.unusable(name, "is missing" if value is _MISSING else "has the wrong type")

    def text(self, name: str, limit: int = MAX_TEXT, default=_MISSING) -> str:
        value = self._get(name, (str,), default)
        return value if value is default else storable(value)[:limit]

    def line(self, name: str, limit: int) -> str | None:
        """One line without control and other invisible characters; None if it is missing or
        blank."""
        text = self.text(name, default=None) or ""
        text = "".join(one if one.isprintable() else " " for one in text)
        return " ".join(text.split())[:limit] or None

    def flag(self, name: str, default=_MISSING) -> bool:
        return self._get(name, (bool,), default)

    def count(self, name: str, default=_MISSING) -> int:
        value = self._get(name, (int, float, str), default)
        if value is default:
            return value
        value = self._integer(name, value)
        if not 0 <= value <= MAX_INTEGER:
            raise self.unusable(name, "is out of range")
        return value

    def _integer(self, name, value):
        if type(value) is int:
            return value
        if _INTEGER.fullmatch(value) if type(value) is str else value.is_integer():
            return int(value)
        raise self.unusable(name, "is not a whole number")

    def ref(self, name: str, default=_MISSING) -> str:
        value = self._get(name, (int, float, str), default)
        if value is default:
            return value
        value = value if type(value) is str else str(self._integer(name, value))
        if not is_ref(value):
            raise self.unusable(name, "cannot be an id")
        return value

    def time(self, name: str) -> datetime | None:
        """None if it is missing, or known nonsense."""
        value = self._get(name, (str,), None)
        if value is None:
            return None
        moment = time_from_wire(value)
        if moment is None:
            raise self.unusable(name, "is not a time")
        return None if moment is _NO_TIME else moment

    def items(self, name: str) -> list:
        return self._get(name, (list,), _MISSING)

    def objects(self, name: str) -> list["Members"]:
        where, spellings = f"{self._where}{name}", {}
        return [
            Members(item, f"{where}[{number}].", spellings=spellings)
            for number, item in enumerate(self.items(name))
        ]


def read_token(members: Members) -> str:
    token = members.text("token")
    if not _TOKEN.fullmatch(token):  # otherwise it could inject a header
        raise members.unusable("token", "cannot be sent in a header")
    return token


def read_login_refusal(
    status: int, body: bytes, mask: Callable[[str], str]
) -> tuple[bool, str] | None:
    """Whether an answer refuses the login (S): 401, 403, 500 with :data:`LOGIN_REFUSED`, or 200
    without a token but with a status or a message.

    :param mask: see :func:`read_error`
    :return: None if it does not; else whether it is sure, because a 200 or 403 may also come from a
        proxy, and what it says
    """
    text, _pairs = read_error(body, mask)
    if status == 401 or (status == 500 and LOGIN_REFUSED in body):
        return True, text
    if status == 403:
        return False, text
    if status in (200, 201):
        try:
            members = Members(parse_json(body))
        except ValueError:
            return None
        word = members.value("status")
        if not text and type(word) in (str, int):
            text = storable(mask(f"Status {word}"))[:MAX_WORD]
        if text and members.value("token") is None:
            return False, text
    return None


def read_template(members: Members) -> Template:
    return Template(ref=members.ref("id"), name=members.text("name"))


def read_list(members: Members) -> RecipientList:
    return RecipientList(
        ref=members.ref("id"),
        name=members.text("name"),
        recipients=members.count("recipients", default=None),
    )


def read_campaign(members: Members) -> Campaign:
    return Campaign(
        ref=members.ref("id"),
        reference=members.text("reference", default=None),
        name=members.text("name"),
        description=members.text("description", default=None),
        subject=members.text("subject", default=None),
        template_ref=members.ref("templateId", default=None),
        status=members.text("status", MAX_WORD, default=""),
        sent_at=members.time("sentAt"),
    )


def read_this_campaign(*, ref: str | None = None, reference: str | None = None):
    """A reader of the requested campaign. Another campaign makes the answer unusable."""

    def read(members: Members) -> Campaign:
        found = read_campaign(members)
        if ref not in (None, found.ref):
            raise members.unusable("id", "is another campaign's")
        if reference and found.reference not in (None, reference):
            raise members.unusable("reference", "is another campaign's")
        return found

    return read


def read_results(members: Members) -> list[RecipientResult]:
    return [_read_result(number, item) for number, item in enumerate(members.items("results"))]


def _read_result(number, item):
    """One of a thousand results. For speed, a valid one is read without :class:`Members`."""
    if type(item) is dict:
        email, status = item.get("email"), item.get("status")
        message = item.get("message", "" if len(item) == 2 else None)
        if type(email) is type(status) is type(message) is str:
            return RecipientResult(
                storable(email)[:MAX_TEXT],
                storable(status)[:MAX_WORD],
                storable(message)[:MAX_TEXT],
            )
    return read_result(Members(item, f"results[{number}]."))


def read_each_result(members: Members) -> list[RecipientResult]:
    """The same as :func:`read_results`, slower: each member is read by ``members``."""
    return [read_result(result) for result in members.objects("results")]


def read_result(result: Members) -> RecipientResult:
    return RecipientResult(
        result.text("email"),
        result.text("status", MAX_WORD),
        result.text("message", default=""),
    )


def read_statistics(members: Members) -> Statistics:
    """Any of the figures; an answer with none of them is something else than statistics."""
    found = Statistics(
        sent=members.count("sent", default=None),
        delivered=members.count("delivered", default=None),
        hard_bounces=members.count("hardBounces", default=None),
        soft_bounces=members.count("softBounces", default=None),
        bounces=members.count("bounces", default=None),
        rejected=members.count("rejected", default=None),
        opens=members.count("opens", default=None),
        unique_opens=members.count("uniqueOpens", default=None),
        clicks=members.count("clicks", default=None),
        unique_clicks=members.count("uniqueClicks", default=None),
        forwards=members.count("forwards", default=None),
        unique_forwards=members.count("uniqueForwards", default=None),
        unsubscribes=members.count("unsubscribes", default=None),
        complaints=members.count("complaints", default=None),
    )
    if found == Statistics():
        raise members.unusable("sent", "and all other figures are missing")
    return found


def read_activity(members: Members) -> Activity:
    complained = members.flag("complained", default=False)
    unsubscribes = members.count("unsubscribes", default=0)
    return Activity(
        email=members.text("email"),
        opens=members.count("opens", default=0),
        clicks=members.count("clicks", default=0),
        forwards=members.count("forwards", default=0),
        unsubscribes=unsubscribes,
        first_open=members.time("firstOpen"),
        last_open=members.time("lastOpen"),
        first_click=members.time("firstClick"),
        last_click=members.time("lastClick"),
        bounced=members.flag("bounced", default=False),
        # Where it is not told, whoever unsubscribed is out: who objected is not mailed again.
        opted_out=members.flag("optedOut", default=unsubscribes > 0) or complained,
        complained=complained,
        bounce_reason=members.line("bounceReason", MAX_REASON),
    )


def read_page(asked: int, read_item: Callable) -> Callable[[Members], Page]:
    """A reader of one page.

    :param int asked: the number of the requested page, from 1
    """

    def read(members: Members) -> Page:
        if members.count("page", default=asked) != asked:
            raise members.unusable("page", "is not the requested page")
        return Page(
            items=[read_item(item) for item in members.objects("items")],
            size=members.count("pageSize", default=None),
            total=members.count("total", default=None),
            is_last=members.flag("isLastPage", default=False),
        )

    return read


def read_activity_page(asked: int) -> Callable[[Members], Page]:
    """A reader of one page of activity, with the time it is of."""
    read_rows = read_page(asked, read_activity)

    def read(members: Members) -> Page:
        as_of = members.time("asOf") or members.answered_at
        return replace(read_rows(members), as_of=as_of)

    return read


def parse_json(body: bytes):
    """:raise ValueError: it is not JSON"""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("It is nested too deeply.") from None


def _refuse_constant(word):
    """Python accepts NaN and Infinity, which are not JSON."""
    raise ValueError(word)


def read_error(body: bytes, mask: Callable[[str], str]) -> tuple[str, list[tuple[str, str]]]:
    """What an answer says about an error: a message, and (member, message) pairs of a 400.

    Both may be empty. Never raises: the status alone means that the request was refused.

    :param mask: hides secrets in a text, before it is cut in the middle of one
    """
    try:
        data = parse_json(body)
    except ValueError:
        return _plain_text(body, mask), []
    if isinstance(data, str):
        return _plain_text(data.encode(errors="replace"), mask), []
    if not isinstance(data, dict):
        return "", []
    members = Members(data)
    texts = (members.value(name) for name in ("message", "StatusMessage", "error"))
    message = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    errors = members.value("errors")
    pairs = []
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            name, text = (Members(error).value(part) for part in ("field", "message"))
            if isinstance(name, str) and isinstance(text, str):
                pairs.append((storable(mask(name))[:MAX_REF], storable(mask(text))[:MAX_TEXT]))
    return ("" if _TAG.search(message) else storable(mask(message))[:MAX_TEXT]), pairs


def _plain_text(body, mask):
    """The start of a text for people; empty if it is a web page, data or anything else."""
    try:
        text = mask(body.decode("utf-8-sig")).strip()
    except UnicodeDecodeError:
        return ""
    if _TAG.search(text) or text.startswith(("{", "[")):
        return ""
    text = " ".join(text.split())[:MAX_PLAIN_TEXT]
    return text if text.isprintable() else ""


def read_date(headers: Mapping[str, str]) -> datetime | None:
    """The ``Date`` of an answer (aware, UTC); None if there is none."""
    try:
        moment = parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return _in_range(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))


def read_limits(headers: Mapping[str, str], now: datetime) -> Limits:
    """The limits in an answer's headers (D).

    :param headers: of the answer, without regard to letter case
    :param datetime now: aware. An ``x-token-reset`` before this time is ignored, because the token
        was just accepted; otherwise every call would log in first
    """
    limit, remaining, reset, token_reset = LIMIT_HEADERS
    token_reset_at = _header_time(headers, token_reset)
    return Limits(
        limit=_header_integer(headers, limit),
        remaining=_header_integer(headers, remaining),
        reset_at=_header_time(headers, reset),
        token_reset_at=token_reset_at if token_reset_at and token_reset_at > now else None,
    )


def spent_period(limits: Limits, now: datetime) -> tuple[str, datetime]:
    """Which limit a 429 is about, and when it ends (M).

    The hour if none of its calls are left and it has not ended yet, else the calendar month in UTC.
    The clocks may differ by a minute: taking the hour for the month would stop all calls for weeks.

    :param datetime now: aware, UTC
    :return: ``hour`` or ``month``, and an aware time, UTC
    """
    if limits.remaining == 0 and limits.reset_at and limits.reset_at > now - timedelta(minutes=1):
        return "hour", limits.reset_at
    return "month", month_end(now)


def month_start(now: datetime) -> datetime:
    """The start of the calendar month of ``now``, in UTC."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_end(now: datetime) -> datetime:
    """The end of the calendar month of ``now``, in UTC: the start of the next month."""
    return (month_start(now) + timedelta(days=32)).replace(day=1)


def _header_integer(headers, name):
    text = headers.get(name, "")
    value = int(text) if _HEADER_INTEGER.fullmatch(text) else None
    return value if value is not None and value <= MAX_INTEGER else None


def _header_time(headers, name):
    text = headers.get(name, "")
    if not _HEADER_INTEGER.fullmatch(text):
        return None
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc)
    seconds = int(text)
    # 2999-12-31: later times are milliseconds or invalid
    return moment + timedelta(seconds=seconds) if seconds < 32_503_680_000 else None


def time_from_wire(text: str) -> datetime | None:
    """``2025-01-31T09:30:00Z`` as an aware time in UTC; None if it is no time.

    Fractions of a microsecond are dropped.

    :return: :data:`_NO_TIME` for the year 0001
    """
    match = _TIME.fullmatch(text)
    if not match:
        return None
    *numbers, fraction, zone = match.groups()
    microsecond = int((fraction or "0").ljust(6, "0")[:6])
    try:
        moment = datetime(*map(int, numbers), microsecond, timezone.utc)
    except ValueError:
        return None
    if moment.year == 1:
        return _NO_TIME
    if zone == "Z":
        return _in_range(moment)
    moment = moment.replace(tzinfo=UNZONED)
    if zone:
        sign, hours, minutes = zone[0], int(zone[1:3]), int(zone[-2:])
        if hours > 23 or minutes > 59:
            return None
        offset = timedelta(hours=hours, minutes=minutes)
        moment = moment.replace(tzinfo=timezone(-offset if sign == "-" else offset))
    return _in_range(moment)


def _in_range(moment):
    """The time in UTC; None unless it is valid in every time zone and database."""
    if moment.tzinfo is not timezone.utc:
        try:
            moment = moment.astimezone(timezone.utc)
        except OverflowError:
            return None
    return moment if 1970 <= moment.year <= 2999 else None


def storable(text: str) -> str:
    """The text without characters that PostgreSQL refuses (see above)."""
    return text if text.isprintable() else _UNSTORABLE.sub("\ufffd", text)
