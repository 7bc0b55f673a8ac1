"""The matrix: each call to Campaign Master, with each fault that Odoo handles differently.

A cell is one call with one fault.
"""

from dataclasses import dataclass, replace

from .dialects import DIALECTS, DOCUMENTED
from .scene import RECIPIENTS

OPTIONAL = "optional member missing"


@dataclass(frozen=True)
class Fault:
    """A fault that Odoo handles differently from the others.

    :ivar str kind: the sandbox's name
    :ivar str reaction: what is different
    :ivar str same: faults with the same reaction, and the tests that cover them
    """

    name: str
    kind: str
    reaction: str
    same: str


FAULTS = [
    Fault(
        "no connection",
        "reset-before",
        "nothing was done there; reading and updating is repeated at once, then later",
        "connection refused, unknown host, TLS error, timeout, read deadline "
        "(`test_client_network.py`)",
    ),
    Fault(
        "response lost",
        "reset-after",
        "it was done there: nothing may be created or counted twice",
        "read timeout, body cut or too slow (`test_client_network.py`)",
    ),
    Fault(
        "500",
        "500",
        "as without a connection, but with a message of its own",
        "502, 503, 504 (`test_client_outcomes.py`)",
    ),
    Fault(
        "400",
        "400",
        "the request is wrong, so it is not repeated; a batch is bisected",
        "400 with or without `errors` (`test_client_outcomes.py`)",
    ),
    Fault(
        "401",
        "401",
        "the token is renewed once; a refused login stops the account until it is corrected",
        "`InvalidLogin` of the older service (`test_client_login.py`)",
    ),
    Fault(
        "404",
        "404",
        "the campaign or list was deleted, or the API address is wrong",
        "redirects (`test_client_outcomes.py`)",
    ),
    Fault(
        "429, hour",
        "429",
        "the account waits until Campaign Master allows calls again",
        "our own count of the calls (`test_sync_log.py`)",
    ),
    Fault(
        "429, month",
        "429-month",
        "as for the hour, until next month, and an administrator is notified",
        "our own count of the calls (`test_sync_log.py`)",
    ),
    Fault(
        "unusable response",
        "html",
        "it is not stored; what was read before is kept",
        "JSON cut, wrong types, missing members, too large, unexpected status "
        "(`test_client_wire.py`, `test_client_network.py`); empty, repeated or endless pages "
        "(`test_client_pages.py`)",
    ),
    Fault(
        OPTIONAL,
        "drop",
        "Odoo continues without it",
        "each member that the contract does not require (`test_client_contract.py`)",
    ),
    Fault(
        "202",
        "202",
        "accepted: Odoo asks again after some minutes, three times; then the sync is partial",
        "missing results, and results that Odoo does not know (`test_results_come_later.py`)",
    ),
]


@dataclass(frozen=True)
class Call:
    """A call, and why it is made.

    :ivar str before: method of `Matrix` that prepares it
    :ivar str action: method of `Matrix` that makes it
    :ivar str optional: a member of the answer that Odoo can do without
    :ivar int skip: number of such calls that succeed before the fault
    """

    name: str
    purpose: str
    before: str
    action: str
    optional: str = ""
    skip: int = 0


LOGIN_CALL = "POST /authenticate"
CATALOG = ("open_form", "read_lists")  # actions
STATISTICS, ACTIVITY = "GET /campaigns/ID/statistics", "GET /campaigns/ID/activity"
# Headings of the tables, and their columns.
GROUPS = {
    "Sync: create or update the campaign": [
        Call(LOGIN_CALL, "first sync", "planned", "sync"),
        Call("GET /campaigns", "first sync", "half_made", "resume", "subject"),
        Call("POST /campaigns", "first sync", "planned", "sync", "status"),
        Call("GET /campaigns/ID", "later sync", "changed", "sync", "templateId"),
        Call("PUT /campaigns/ID", "later sync", "changed", "sync", "description"),
    ],
    "Sync: add the recipients": [
        Call(LOGIN_CALL, "next batch", "interrupted", "resume"),
        Call(RECIPIENTS, "batch", "planned", "sync", "message"),
    ],
    "Refresh Statistics": [
        Call(STATISTICS, "click", "sent", "refresh", "clicks"),
        Call("GET /campaigns/ID", "click", "sent", "refresh", "sentAt"),
        Call(ACTIVITY, "click", "sent", "refresh", "asOf", skip=1),
    ],
    "Statistics, templates and lists in the background": [
        Call(ACTIVITY, "schedule", "sent", "read", "bounceReason", skip=1),
        Call("GET /templates", "opened form", "planned", "open_form", "pageSize"),
    ],
    "Refresh templates and lists": [
        Call("GET /lists", "RPC", "planned", "read_lists", "total"),
    ],
}


@dataclass(frozen=True)
class Cell:
    """One call with one fault, in one of ``DIALECTS``."""

    call: Call
    fault: Fault
    dialect: str = DOCUMENTED

    @property
    def key(self):
        return self.call.name, self.call.purpose, self.fault.name

    @property
    def name(self):
        name = f"{self.call.name} ({self.call.purpose}) - {self.fault.name}"
        return name if self.dialect == DOCUMENTED else f"{name} - {self.dialect}"

    @property
    def kind(self):
        """The sandbox's name of the fault."""
        if self.fault.name == OPTIONAL:
            return f"{self.fault.kind}:{self.call.optional}"
        return self.fault.kind

    @property
    def exists(self):
        """Logins do not count against the limits: their 429 does not say which one is reached. Not
        every call has an optional member, and only adding recipients can be answered later."""
        if self.fault.name == OPTIONAL:
            return bool(self.call.optional)
        if self.fault.name == "202":
            return self.call.name == RECIPIENTS
        return (self.call.name, self.fault.name) != (LOGIN_CALL, "429, month")

    @property
    def is_sample(self):
        """Whether it is always played: each call in one of the other dialects, with one fault."""
        if self.dialect == DOCUMENTED:
            return True
        call, fault = CALLS.index(self.call), FAULTS.index(self.fault)
        dialect = [*DIALECTS].index(self.dialect)
        return (call + dialect) % 2 == 0 and (call + fault) % len(FAULTS) == dialect


CALLS = [call for calls in GROUPS.values() for call in calls]
CELLS = [cell for call in CALLS for fault in FAULTS if (cell := Cell(call, fault)).exists]
CELLS_OF_OTHER_DIALECTS = [
    replace(cell, dialect=dialect) for dialect in [*DIALECTS][1:] for cell in CELLS
]
