"""The calls to Campaign Master, one method each."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import count

from . import pages, wire
from .errors import CampaignMasterResponseError
from .ledger import Ledger
from .observation import Observer
from .session import Session
from .wire import (
    ActivityPage,
    Campaign,
    CampaignDraft,
    RecipientList,
    RecipientResult,
    Statistics,
    Template,
)


class CampaignMasterClient:
    """A client of Campaign Master for one login.

    Plain Python: no database, no Odoo. Use it as a context manager, or :meth:`close` it. A client
    belongs to one thread; workers share their token and limits through the ledger.

    Each call may raise any :class:`~.errors.CampaignMasterError`; no answer of a server makes it
    raise anything else. Ids (``ref``) are text, times are aware and in UTC.

    :param api_url: ``https://host[:port][/path]``; ``http`` for the loopback only
    :param username: of an API user
    :param password: of that user
    :param client_id: of the API module, if the account has one
    :param client_secret: for that client id
    :param ledger: shared by the account's workers, by default a :class:`~.ledger.MemoryLedger`
    :param timeout: seconds to wait for the connection, and for the next bytes of an answer
    :param retries: of a GET or PUT after a failed connection or a 5xx
    :param seconds: for a whole call, including retries, pauses and a login
    :param observer: called after each HTTP request, logins and retries included, with an
        :class:`~.observation.Observation`. While it is false, it is not called, and nothing is
        prepared for it. If it raises an error, that is logged and ignored
    :ivar list[str] body_only: ``username``, ``password``, ``client_id``, ``client_secret``: those
        that no request header can carry, so that a server that reads only headers misses them
    :raise CampaignMasterConfigurationError: the address is not allowed, or the login is missing
    """

    def __init__(
        self,
        api_url: str,
        username: str,
        password: str,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        ledger: Ledger | None = None,
        timeout: float | tuple[float, float] = (5, 30),
        retries: int = 2,
        seconds: float = 50,
        observer: Observer | None = None,
    ):
        self._session = Session(
            api_url,
            username,
            password,
            client_id=client_id,
            client_secret=client_secret,
            ledger=ledger,
            timeout=timeout,
            retries=retries,
            seconds=seconds,
            observer=observer,
        )
        self.ledger = self._session.ledger
        self.body_only = self._session.body_only

    def __repr__(self):
        return f"<{type(self).__name__} {self._session.url}>"

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._session.close()

    def authenticate(self) -> None:
        """Log in, even if the token is still valid, and keep the new token in the ledger.

        :raise CampaignMasterLoginRefusedError: the username or password is wrong
        """
        self._session.login()

    def make(self, call: wire.Call, read: Callable):
        """Make one call as it is. For *Check API*, which reads small first pages.

        :param read: makes the result from the answer's :class:`~.wire.Members`
        :return: what ``read`` returns
        """
        return self._session.call(call, read)

    # === CATALOG === #

    def templates(self) -> Iterator[Template]:
        """All templates, fetched page by page during the iteration."""
        return self._pages(wire.templates, wire.read_template)

    def lists(self) -> Iterator[RecipientList]:
        """All recipient lists, fetched page by page during the iteration."""
        return self._pages(wire.lists, wire.read_list)

    # === CAMPAIGNS === #

    def find_campaign(self, reference: str) -> Campaign | None:
        """The campaign with this reference; None if there is none."""
        found = self._pages(
            lambda page: wire.campaigns_by_reference(reference, page), wire.read_campaign
        )
        return next((campaign for campaign in found if campaign.reference == reference), None)

    def create_campaign(self, reference: str, draft: CampaignDraft) -> Campaign:
        """Create a campaign. After an error with ``outcome_unknown``, use :meth:`find_campaign` to
        see whether it was created.

        :return: the new campaign
        :raise CampaignMasterRefusedError: Campaign Master refused the data, or the reference exists
        """
        call = wire.create_campaign(reference, draft)
        return self._session.call(call, wire.read_this_campaign(reference=reference))

    def get_campaign(self, ref: str) -> Campaign:
        """The campaign with this id.

        :raise CampaignMasterNotFoundError: it was deleted in Campaign Master
        """
        return self._session.call(wire.campaign(ref), wire.read_this_campaign(ref=ref))

    def update_campaign(self, ref: str, draft: CampaignDraft) -> Campaign:
        """Change the texts of a draft. The template and reference are permanent and not sent.

        :return: the changed campaign
        :raise CampaignMasterRefusedError: Campaign Master refused the data, or the campaign is no
            longer a draft
        :raise CampaignMasterNotFoundError: it was deleted in Campaign Master
        """
        call = wire.update_campaign(ref, draft)
        return self._session.call(call, wire.read_this_campaign(ref=ref))

    def add_recipients(self, list_ref: str, emails: Sequence[str]) -> list[RecipientResult]:
        """Add addresses to a list.

        Duplicates, compared without letter case and outer spaces, are sent once.

        :param emails: at most :data:`~.wire.MAX_RECIPIENTS`
        :return: one result for each of ``emails``, in their order and spelling. The status is
            ``unknown`` if the answer does not contain the address, or the results come later: send
            it again later. Other results are dropped
        :raise ValueError: there are too many addresses
        :raise CampaignMasterRefusedError: the whole call was refused; nothing was added
        :raise CampaignMasterNotFoundError: the list was deleted in Campaign Master
        """
        if len(emails) > wire.MAX_RECIPIENTS:
            raise ValueError(f"At most {wire.MAX_RECIPIENTS} addresses fit into one call.")
        if not emails:
            return []
        keys = [wire.same_address(email) for email in emails]
        asked = {}
        for key, email in zip(keys, emails, strict=True):
            asked.setdefault(key, email.strip())
        call = wire.add_recipients(list_ref, list(asked.values()))
        answered = {}
        for result in self._session.call(call, wire.read_results) or ():
            answered.setdefault(wire.same_address(result.email), result)
        results = []
        for key, email in zip(keys, emails, strict=True):
            result = answered.get(key) or RecipientResult(email, "unknown", "")
            results.append(result if result.email == email else result._replace(email=email))
        return results

    # === FIGURES === #

    def statistics(self, ref: str) -> Statistics:
        """The campaign's figures so far.

        :raise CampaignMasterNotFoundError: it was deleted in Campaign Master
        """
        return self._session.call(wire.statistics(ref), wire.read_statistics)

    def activity(
        self, ref: str, since: datetime | None = None, page: int = 1, seen: dict | None = None
    ) -> ActivityPage:
        """One page of the recipients whose figures changed.

        There may be any number of pages. Read until a page is ``last``, and pass each page's
        ``seen`` to the next call, even if another client makes it: it detects pages that do not
        end.

        :param since: only recipients that changed at or after this time of the server (aware);
            None for all
        :param page: from 1
        :param seen: ``seen`` of the previous page; None for the first page
        :raise CampaignMasterResponseError: ``missing_items``: there are fewer rows than announced;
            ``endless_pages``: the previous page is repeated although rows are announced, or only
            known addresses come, see ``pages.py``
        :raise CampaignMasterNotFoundError: the campaign was deleted in Campaign Master
        """
        call = wire.activity(ref, since, page)
        found = self._session.call(call, wire.read_activity_page(page))
        before = seen["rows"] if seen else (page - 1) * (found.size or 0)
        missing = (found.total or 0) - before - len(found.items)
        if missing > 0 and (found.is_last or not found.items):
            raise _missing(call)
        # Later pages end *exactly* at the total: if rows were inserted, some come twice.
        complete = found.total is not None and (missing == 0 or (page == 1 and missing < 0))
        if complete or found.is_last or not found.items:
            return ActivityPage(found.items, page, found.as_of, last=True)
        emails = [wire.same_address(item.email) for item in found.items]
        checked = pages.check(seen, emails, found.total)
        if checked.endless or (checked.repeated and checked.seen["rows"] < (found.total or 0)):
            raise _endless(call)
        return ActivityPage(found.items, page, found.as_of, checked.repeated, checked.seen)

    # === PAGES === #

    def _pages(self, make_call, read_item):
        """The items of all pages, without duplicates. They must reach a ``total``, because callers
        take missing items for deleted. Only the hourly limit stops a server that gives ever more
        new items."""
        seen, previous = set(), []
        for page in count(1):
            call = make_call(page)
            found = self._session.call(call, wire.read_page(page, read_item))
            refs = [item.ref for item in found.items]
            new = {item.ref: item for item in found.items if item.ref not in seen}
            yield from new.values()
            seen.update(new)
            if found.total is not None and len(seen) >= found.total:
                return
            ends = found.is_last or not refs
            if found.total is None and (ends or refs == previous):
                return
            if ends:
                raise _missing(call)
            if not new:
                raise _endless(call)
            previous = refs


def _endless(call):
    return CampaignMasterResponseError("endless_pages", "The pages do not end.", call=str(call))


def _missing(call):
    return CampaignMasterResponseError(
        "missing_items", "There are fewer items than announced.", call=str(call)
    )
