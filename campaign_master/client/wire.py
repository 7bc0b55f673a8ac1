"""Campaign Master's API on the wire: the only file with a path, a header or a member name. If the
API turns out to be different, correct it here.

**D**: documented by Campaign Master ("CM Email Marketing API"). **M**: modeled by this project
from the needs of the integration. ``docs/openapi.yaml`` is the same for machines.

- D: REST, JSON, the verbs; a login with username and password that returns a token; the headers
  ``x-rate-limit-limit``, ``-remaining``, ``-reset`` and ``x-token-reset`` (Unix times in seconds);
  5,000 calls an hour and 50,000 a month; the statuses 200 201 400 401 404 429 500. Its older SOAP
  service answered a failed login with 500 and ``InvalidLogin``.
- M: every path, query parameter and member name; ``Authorization: Bearer``; pages; times as
  ISO-8601 in UTC with a ``Z``; 1,000 recipients per call; how the hourly limit differs from the
  monthly limit; all status words.

Reading rules (M, and deliberately narrow):

- A listed member that is missing or has another type makes the answer unusable; the error names
  it. Unlisted members are ignored. Status words are passed on unchanged.
- Integers are JSON integers from 0 to 2**31 - 1 (the range of a column); ``true`` is not 1.
- Times must be between the years 1970 and 2999, valid in every time zone and database.
- Text is made storable: NUL and lone surrogates, which PostgreSQL refuses, become U+FFFD, and text
  is cut after :data:`MAX_TEXT` characters. One odd name must not hide the whole catalog. Ids are
  never repaired: an id that does not fit into a column or a path makes the answer unusable.
- Ids are opaque and ``str`` everywhere in Odoo. They are sent back in the type they came in:
  canonical decimal text as an integer, everything else as a string (:func:`ref_to_wire`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from urllib.parse import quote

MAX_RECIPIENTS = 1000  # addresses in one call (M)
PAGE_SIZE = 500  # templates and lists
ACTIVITY_PAGE_SIZE = 1000
MAX_INTEGER = 2**31 - 1
MAX_TEXT = 20_000
MAX_WORD = 64
MAX_REF = 128
LOGIN_REFUSED = b"InvalidLogin"  # in the body of a 500 (D, of the SOAP service)
BEARER = "Bearer "

_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
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
    """``recipients``: the number of its recipients."""

    ref: str
    name: str
    recipients: int


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
    """``status``: ``draft``, ``scheduled``, ``sending``, ``sent``, or an unknown word."""

    ref: str
    reference: str
    name: str
    description: str
    subject: str
    template_ref: str
    status: str
    sent_at: datetime | None


class RecipientResult(NamedTuple):
    """``status``: ``added``, ``exists``, ``invalid``, ``suppressed``, an unknown word, or
    ``unknown`` if the answer does not contain this address: send it again."""

    email: str
    status: str
    message: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """A campaign's figures so far; corrections in Campaign Master may lower them."""

    sent: int
    delivered: int
    hard_bounces: int
    soft_bounces: int
    rejected: int
    opens: int
    unique_opens: int
    clicks: int
    unique_clicks: int
    forwards: int
    unsubscribes: int
    complaints: int


@dataclass(frozen=True, slots=True)
class Activity:
    """One recipient's figures so far. Times are aware and in UTC, or None; ``bounced`` and
    ``opted_out`` may become false again."""

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


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """One page of a campaign's activity.

    :ivar as_of: the server's time (aware, UTC); that of the *first* page is the next ``since``
    :ivar last: this is the last page
    :ivar short: the pages end before ``total`` rows
    :ivar seen: what is known of the pages so far (JSON data), for the call of the next page
    """

    items: list[Activity]
    page: int
    page_size: int
    total: int
    as_of: datetime
    last: bool
    short: bool
    seen: dict = field(default_factory=dict, repr=False)


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

    :ivar about: what the path names: ``campaign``, ``list`` or None
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping | None = field(default=None, repr=False)
    about: str | None = None

    def __str__(self):
        """``POST /lists/7/recipients``: safe to log, without query and body."""
        return f"{self.method} {self.path}"

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


def login(username: str, password: str) -> Call:
    return Call("POST", "/authenticate", body={"username": username, "password": password})


def templates(page: int) -> Call:
    return Call("GET", "/templates", params=_page_params(page, PAGE_SIZE))


def lists(page: int) -> Call:
    return Call("GET", "/lists", params=_page_params(page, PAGE_SIZE))


def campaigns_by_reference(reference: str, page: int) -> Call:
    params = {"reference": reference}
    if page > 1:
        params["page"] = str(page)
    return Call("GET", "/campaigns", params=params)


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
    return Call("POST", _path("/lists/%s/recipients", list_ref), body=body, about="list")


def statistics(ref: str) -> Call:
    return Call("GET", _path("/campaigns/%s/statistics", ref), about="campaign")


def activity(ref: str, since: datetime | None, page: int) -> Call:
    params = _page_params(page, ACTIVITY_PAGE_SIZE)
    if since is not None:
        params["since"] = time_to_wire(since)
    return Call("GET", _path("/campaigns/%s/activity", ref), params=params, about="campaign")


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

    :param data: the result of ``json.loads``
    :param str where: its position in the answer, such as ``items[3].``
    :raise UnusableError: it is not an object; also raised by each method
    """

    def __init__(self, data, where=""):
        if not isinstance(data, dict):
            raise UnusableError(f"{where.rstrip('.') or 'the answer'} is not an object")
        self._data = data
        self._where = where

    def unusable(self, name: str, problem: str) -> UnusableError:
        return UnusableError(f"“{self._where}{name}” {problem}")

    def _get(self, name, *types):
        if name not in self._data:
            raise self.unusable(name, "is missing")
        value = self._data[name]
        if type(value) not in types:  # not isinstance: True is an int to Python
            raise self.unusable(name, "has the wrong type")
        return value

    def text(self, name: str, limit: int = MAX_TEXT) -> str:
        return storable(self._get(name, str))[:limit]

    def flag(self, name: str) -> bool:
        return self._get(name, bool)

    def count(self, name: str) -> int:
        value = self._get(name, int)
        if not 0 <= value <= MAX_INTEGER:
            raise self.unusable(name, "is out of range")
        return value

    def ref(self, name: str) -> str:
        value = str(self._get(name, int, str))
        if not is_ref(value):
            raise self.unusable(name, "cannot be an id")
        return value

    def time(self, name: str) -> datetime:
        moment = time_from_wire(self._get(name, str))
        if moment is None:
            raise self.unusable(name, "is not a time in UTC")
        return moment

    def time_or_none(self, name: str) -> datetime | None:
        return None if self._get(name, str, type(None)) is None else self.time(name)

    def items(self, name: str) -> list:
        return self._get(name, list)

    def objects(self, name: str) -> list["Members"]:
        items = self.items(name)
        return [Members(item, f"{self._where}{name}[{i}].") for i, item in enumerate(items)]

    def has(self, name: str) -> bool:
        return self._data.get(name) is not None


def read_token(members: Members) -> str:
    token = members.text("token")
    if not _TOKEN.fullmatch(token):  # otherwise it could inject a header
        raise members.unusable("token", "cannot be sent in a header")
    return token


def read_template(members: Members) -> Template:
    return Template(ref=members.ref("id"), name=members.text("name"))


def read_list(members: Members) -> RecipientList:
    return RecipientList(
        ref=members.ref("id"), name=members.text("name"), recipients=members.count("recipients")
    )


def read_campaign(members: Members) -> Campaign:
    return Campaign(
        ref=members.ref("id"),
        reference=members.text("reference"),
        name=members.text("name"),
        description=members.text("description"),
        subject=members.text("subject"),
        template_ref=members.ref("templateId"),
        status=members.text("status", MAX_WORD),
        sent_at=members.time("sentAt") if members.has("sentAt") else None,
    )


def read_this_campaign(*, ref: str | None = None, reference: str | None = None):
    """A reader of the requested campaign. Another campaign makes the answer unusable."""

    def read(members: Members) -> Campaign:
        found = read_campaign(members)
        if ref not in (None, found.ref):
            raise members.unusable("id", "is another campaign's")
        if reference not in (None, found.reference):
            raise members.unusable("reference", "is another campaign's")
        return found

    return read


def read_results(members: Members) -> list[RecipientResult]:
    return [_read_result(number, item) for number, item in enumerate(members.items("results"))]


def _read_result(number, item):
    """One of a thousand results. For speed, a valid one is read without :class:`Members`."""
    if type(item) is dict:
        email, status, message = item.get("email"), item.get("status"), item.get("message")
        if type(email) is type(status) is type(message) is str:
            return RecipientResult(
                storable(email)[:MAX_TEXT],
                storable(status)[:MAX_WORD],
                storable(message)[:MAX_TEXT],
            )
    result = Members(item, f"results[{number}].")
    return RecipientResult(
        result.text("email"), result.text("status", MAX_WORD), result.text("message")
    )


def read_statistics(members: Members) -> Statistics:
    return Statistics(
        sent=members.count("sent"),
        delivered=members.count("delivered"),
        hard_bounces=members.count("hardBounces"),
        soft_bounces=members.count("softBounces"),
        rejected=members.count("rejected"),
        opens=members.count("opens"),
        unique_opens=members.count("uniqueOpens"),
        clicks=members.count("clicks"),
        unique_clicks=members.count("uniqueClicks"),
        forwards=members.count("forwards"),
        unsubscribes=members.count("unsubscribes"),
        complaints=members.count("complaints"),
    )


def read_activity(members: Members) -> Activity:
    return Activity(
        email=members.text("email"),
        opens=members.count("opens"),
        clicks=members.count("clicks"),
        forwards=members.count("forwards"),
        unsubscribes=members.count("unsubscribes"),
        first_open=members.time_or_none("firstOpen"),
        last_open=members.time_or_none("lastOpen"),
        first_click=members.time_or_none("firstClick"),
        last_click=members.time_or_none("lastClick"),
        bounced=members.flag("bounced"),
        opted_out=members.flag("optedOut"),
    )


def read_page(asked: int, read_item: Callable) -> Callable[[Members], tuple[list, int]]:
    """A reader of one page of a catalog: its items, and the number of items on all pages.

    :param int asked: the number of the requested page, from 1
    """

    def read(members: Members):
        _check_page(members, asked)
        return [read_item(item) for item in members.objects("items")], members.count("total")

    return read


def read_activity_page(asked: int) -> Callable[[Members], ActivityPage]:
    """A reader of one page of activity.

    The last page is empty or ends *exactly* at ``total``. "At or after" would lose rows if the
    server returns smaller pages than ``pageSize`` says (M).
    """

    def read(members: Members):
        page_size = _check_page(members, asked)
        items = [read_activity(item) for item in members.objects("items")]
        total = members.count("total")
        before = (asked - 1) * page_size
        complete = len(items) >= total if asked == 1 else before + len(items) == total
        return ActivityPage(
            items=items,
            page=asked,
            page_size=page_size,
            total=total,
            as_of=members.time("asOf"),
            last=not items or complete,
            short=not items and before < total,
        )

    return read


def _check_page(members, asked):
    if members.count("page") != asked:
        raise members.unusable("page", "is not the requested page")
    return members.count("pageSize")


def read_refusal(data) -> tuple[str, list[tuple[str, str]]]:
    """The content of a 400: a message, and (member, message) pairs. Both may be empty.

    Never raises: the status alone means that the request was refused.
    """
    if not isinstance(data, dict):
        return "", []
    message = data.get("message")
    errors = data.get("errors")
    pairs = [
        (storable(error["field"])[:MAX_REF], storable(error["message"])[:MAX_TEXT])
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
        and isinstance(error.get("field"), str)
        and isinstance(error.get("message"), str)
    ]
    return storable(message)[:MAX_TEXT] if isinstance(message, str) else "", pairs


def read_limits(headers: Mapping[str, str], now: datetime) -> Limits:
    """The limits in an answer's headers (D).

    :param headers: of the answer, without regard to letter case
    :param datetime now: aware. An ``x-token-reset`` before this time is ignored, because the token
        was just accepted; otherwise every call would log in first
    """
    token_reset_at = _header_time(headers, "x-token-reset")
    return Limits(
        limit=_header_integer(headers, "x-rate-limit-limit"),
        remaining=_header_integer(headers, "x-rate-limit-remaining"),
        reset_at=_header_time(headers, "x-rate-limit-reset"),
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
    """``2025-01-31T09:30:00Z``, or with a fraction, as an aware time in UTC; else None.

    Fractions of a microsecond are dropped.
    """
    match = _TIME.fullmatch(text)
    if not match:
        return None
    *numbers, fraction = match.groups()
    microsecond = int((fraction or "0").ljust(6, "0")[:6])
    try:
        moment = datetime(*map(int, numbers), microsecond, tzinfo=timezone.utc)
    except ValueError:
        return None
    return moment if 1970 <= moment.year <= 2999 else None


def storable(text: str) -> str:
    """The text without characters that PostgreSQL refuses (see above)."""
    return text if text.isprintable() else _UNSTORABLE.sub("\ufffd", text)
