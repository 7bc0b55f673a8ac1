"""The calls of Campaign Master that the add-on needs, one method each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

from . import pages, wire
from .errors import CampaignMasterResponseError
from .ledger import Ledger
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
    """Campaign Master for one login.

    Plain Python: no database, no Odoo. Use it as a context manager, or :meth:`close` it. One
    client belongs to one thread; workers share their token and their limits through the ledger.

    Every method that calls may raise any :class:`~.errors.CampaignMasterError`, and nothing else
    whatever the server answers. Ids (``ref``) are text, times are aware and in UTC.

    :param api_url: ``https://host[:port][/path]``; ``http`` for the loopback only
    :param username: of an API user
    :param password: of that user
    :param ledger: what the account's workers share, by default a :class:`~.ledger.MemoryLedger`
    :param timeout: seconds to wait for the connection, and for the next bytes of an answer
    :param retries: how often a GET or PUT is repeated after a failed connection or a 5xx
    :param seconds: that a call may take with all repetitions, pauses and a login in between
    :raise CampaignMasterConfigurationError: by the constructor, too
    """

    def __init__(
        self,
        api_url: str,
        username: str,
        password: str,
        *,
        ledger: Ledger | None = None,
        timeout: float | tuple[float, float] = (5, 30),
        retries: int = 2,
        seconds: float = 50,
    ):
        self._session = Session(
            api_url,
            username,
            password,
            ledger=ledger,
            timeout=timeout,
            retries=retries,
            seconds=seconds,
        )
        self.ledger = self._session.ledger

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
        """Log in anew, whether or not there is a token, and keep the token in the ledger."""
        self._session.login()

    # === CATALOGUE === #

    def templates(self) -> Iterator[Template]:
        """All templates, fetched page by page while they are consumed."""
        return self._pages(wire.templates, wire.read_template)

    def lists(self) -> Iterator[RecipientList]:
        """All recipient lists, fetched page by page while they are consumed."""
        return self._pages(wire.lists, wire.read_list)

    # === CAMPAIGNS === #

    def find_campaign(self, reference: str) -> Campaign | None:
        """The campaign that was created with this reference."""
        found = self._pages(
            lambda page: wire.campaigns_by_reference(reference, page), wire.read_campaign
        )
        return next((campaign for campaign in found if campaign.reference == reference), None)

    def create_campaign(self, reference: str, draft: CampaignDraft) -> Campaign:
        """Create a campaign. After an error with ``outcome_unknown``, :meth:`find_campaign` tells
        whether it was created.

        :raise CampaignMasterRefusedError: also when the reference exists already
        """
        call = wire.create_campaign(reference, draft)
        return self._session.call(call, wire.read_this_campaign(reference=reference))

    def get_campaign(self, ref: str) -> Campaign:
        """:raise CampaignMasterNotFoundError: when it was deleted in Campaign Master"""
        return self._session.call(wire.campaign(ref), wire.read_this_campaign(ref=ref))

    def update_campaign(self, ref: str, draft: CampaignDraft) -> Campaign:
        """Change a draft's texts. Neither template nor reference are sent: both are for good.

        :raise CampaignMasterRefusedError: also when the campaign is no longer a draft
        """
        call = wire.update_campaign(ref, draft)
        return self._session.call(call, wire.read_this_campaign(ref=ref))

    def add_recipients(self, list_ref: str, emails: Sequence[str]) -> list[RecipientResult]:
        """Put addresses on a list.

        An address that is given twice, letter case and outer spaces aside, is sent once.

        :param emails: :data:`~.wire.MAX_RECIPIENTS` at most
        :return: one result for each of ``emails``, in their order and spelling. ``unknown`` are
            those that the answer does not speak of; results nobody asked for are dropped
        :raise ValueError: if there are too many
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
        for result in self._session.call(call, wire.read_results):
            answered.setdefault(wire.same_address(result.email), result)
        results = []
        for key, email in zip(keys, emails, strict=True):
            _email, status, message = answered.get(key, ("", "unknown", ""))
            results.append(RecipientResult(email, status, message))
        return results

    # === FIGURES === #

    def statistics(self, ref: str) -> Statistics:
        """The campaign's figures so far."""
        return self._session.call(wire.statistics(ref), wire.read_statistics)

    def activity(
        self, ref: str, since: datetime | None = None, page: int = 1, seen: dict | None = None
    ) -> ActivityPage:
        """One page of the recipients whose figures changed.

        There may be any number of pages. Read the next one until a page is ``last``, and pass each
        page's ``seen`` to the next call, also to that of another client: it detects a server whose
        pages do not end.

        :param since: aware; changed at or after this time of the server. None: all
        :param page: from 1
        :param seen: ``seen`` of the previous page; None for the first one
        :raise CampaignMasterResponseError: ``missing_items``: there are fewer rows than announced;
            ``endless_pages``: the previous page is repeated although rows are missing, or pages
            have only addresses that this reading has had, see ``pages.py``
        """
        call = wire.activity(ref, since, page)
        result = self._session.call(call, wire.read_activity_page(page))
        if result.short:
            raise _missing(call)
        if result.last:
            return result
        emails = [wire.same_address(item.email) for item in result.items]
        checked = pages.check(seen, emails, result.total)
        if checked.endless or (checked.repeated and checked.seen["rows"] < result.total):
            raise _endless(call)
        return replace(result, seen=checked.seen, last=checked.repeated)

    # === PAGES === #

    def _pages(self, make_call, read_item):
        """The items of all pages, none twice, until ``total`` is reached: else what is missing
        would be taken for deleted. A server that announces ever more new items is stopped by the
        hour's calls only."""
        seen = set()
        for page in count(1):
            call = make_call(page)
            items, total = self._session.call(call, wire.read_page(page, read_item))
            new = {item.ref: item for item in items if item.ref not in seen}
            yield from new.values()
            seen.update(new)
            if len(seen) >= total:
                return
            if not items:
                raise _missing(call)
            if not new:
                raise _endless(call)


def _endless(call):
    return CampaignMasterResponseError(
        "endless_pages", "The pages of the answer do not come to an end.", call=str(call)
    )


def _missing(call):
    return CampaignMasterResponseError(
        "missing_items", "Fewer items came than were announced.", call=str(call)
    )
