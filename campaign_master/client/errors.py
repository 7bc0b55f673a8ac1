"""Errors of the Campaign Master client, in one tree.

::

    CampaignMasterError
      CampaignMasterConfigurationError    the account is not set up correctly
        CampaignMasterAddressError        the API address is wrong
      CampaignMasterAuthError             no access
        CampaignMasterLoginRefusedError   the username or password is wrong
        CampaignMasterLoginDoubtError     the login was refused, but perhaps by a proxy
        CampaignMasterTokenRefusedError   the login works, the token does not
        CampaignMasterNotAllowedError     403: the API module or the API user's rights
      CampaignMasterRateLimitError        the hourly or monthly limit is reached
        CampaignMasterLedgerLimitError    ... according to the ledger: nothing was sent
      CampaignMasterConnectionError       no connection or no complete answer
        CampaignMasterServerError         5xx
      CampaignMasterResponseError         an unusable answer
        CampaignMasterLoginRequestError   400 to the login: the call itself was not carried out
        CampaignMasterRefusedError        400 to the call: it says what is wrong with the request
        CampaignMasterNotFoundError       404: the campaign or list was deleted

Callers decide by class, ``retryable`` and ``retry_at``, and choose a text by ``key``. No error
contains a password or a token. Campaign Master's own reasons may name anything else; people see
them, logs do not contain them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FieldError:
    """Campaign Master's message about one member of a refused request."""

    field: str
    message: str


class CampaignMasterError(Exception):
    """Base class of all errors of the client.

    :ivar bool retryable: the same call may succeed later without any change. First look at
        ``outcome_unknown``
    :ivar datetime retry_at: when a retry makes sense (aware, UTC); None if unknown
    :ivar str key: a stable key for messages
    :ivar str code: a finer word for logs
    :ivar str message: an English sentence
    :ivar str call: the failed call, such as ``POST /lists/7/recipients``; None if there was none
    :ivar int status: of the answer; None if there was none, or several
    :ivar bool outcome_unknown: the call writes, and the server may have carried it out
    """

    key = "error"
    retryable = False
    retry_at: datetime | None = None

    def __init__(
        self,
        code: str,
        message: str,
        *,
        call: str | None = None,
        status: int | None = None,
        outcome_unknown: bool = False,
    ):
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.call = call
        self.status = status
        self.outcome_unknown = outcome_unknown

    def __str__(self):
        return f"{self.call}: {self.message}" if self.call else self.message


class CampaignMasterConfigurationError(CampaignMasterError):
    """The account is not set up correctly: an administrator must change it.

    Codes: ``bad_address``, ``no_login``.
    """

    key = "configuration"


class CampaignMasterAddressError(CampaignMasterConfigurationError):
    """404 or a redirect, for a path that names no campaign or list: the API address is wrong.

    Codes: ``wrong_address`` (404), ``redirect``.
    """

    key = "wrong_address"


class CampaignMasterAuthError(CampaignMasterError):
    """Campaign Master refused access. Always one of the subclasses.

    :ivar str reason: what the answer says; may be empty
    """

    def __init__(self, code: str, message: str, *, reason: str = "", **options):
        super().__init__(code, message, **options)
        self.reason = reason


class CampaignMasterLoginRefusedError(CampaignMasterAuthError):
    """The username or password is wrong: an administrator must correct it.

    Codes: ``login_refused``.
    """

    key = "login_refused"


class CampaignMasterLoginDoubtError(CampaignMasterAuthError):
    """The login was refused, but not clearly by Campaign Master: a 403, or a 200 without a token.

    Codes: ``login_doubt``.
    """

    key = "login_doubt"
    retryable = True

    def __init__(self, code: str, message: str, *, retry_at: datetime | None = None, **options):
        super().__init__(code, message, **options)
        self.retry_at = retry_at


class CampaignMasterTokenRefusedError(CampaignMasterAuthError):
    """The login works, but the call was refused with the new token.

    Codes: ``token_refused``.
    """

    key = "token_refused"
    retryable = True


class CampaignMasterNotAllowedError(CampaignMasterAuthError):
    """403: the API module is not switched on, or the API user lacks rights. The login works.

    Codes: ``not_allowed``.
    """

    key = "not_allowed"


class CampaignMasterRateLimitError(CampaignMasterError):
    """A limit of the API user is reached. The call was not carried out.

    Codes: ``hour_spent``, ``month_spent`` (according to Campaign Master).

    :ivar str period: ``hour`` or ``month``; ``day`` if the ledger divides the month
    :ivar datetime retry_at: when calls are possible again (aware, UTC); None if unknown
    """

    retryable = True

    def __init__(
        self,
        code: str,
        message: str,
        *,
        period: str = "hour",
        retry_at: datetime | None = None,
        **options,
    ):
        super().__init__(code, message, **options)
        self.period = period
        self.retry_at = retry_at

    @property
    def key(self) -> str:
        return f"{self.period}_limit"


class CampaignMasterLedgerLimitError(CampaignMasterRateLimitError):
    """The ledger refused the call. Nothing was sent.

    Codes: ``hour_counted``, ``month_counted``, and ``day_counted`` for its own limit of a day.
    """


class CampaignMasterConnectionError(CampaignMasterError):
    """No connection, or no complete answer in time.

    Codes: ``unreachable``, ``tls``, ``timeout``, ``connection_lost``.
    """

    key = "connection"
    retryable = True


class CampaignMasterServerError(CampaignMasterConnectionError):
    """5xx: Campaign Master has a problem. Codes: ``server_error``."""

    key = "server_error"


class CampaignMasterResponseError(CampaignMasterError):
    """An unusable answer.

    Codes: ``not_json``, ``bad_member``, ``too_large``, ``redirect`` (for a path that names a
    campaign or list), ``unexpected_status``, ``endless_pages``, ``missing_items``.
    """

    key = "bad_response"
    retryable = True


class CampaignMasterLoginRequestError(CampaignMasterResponseError):
    """400 to the login request: the call it was for was not sent, or not carried out.

    Codes: ``login_request_refused``.

    :ivar list[FieldError] errors: one for each member that Campaign Master complains about
    """

    key = "login_request_refused"

    def __init__(self, code: str, message: str, *, errors: Iterable[FieldError] = (), **options):
        super().__init__(code, message, **options)
        self.errors = list(errors)


class CampaignMasterRefusedError(CampaignMasterResponseError):
    """400: Campaign Master refused this very call. ``message`` is its own, if it gave one.

    Codes: ``refused``.

    :ivar list[FieldError] errors: one for each member that Campaign Master complains about
    :ivar str about: what the call's path names, ``campaign`` or ``list``; else None
    """

    key = "refused"
    retryable = False

    def __init__(
        self,
        code: str,
        message: str,
        *,
        errors: Iterable[FieldError] = (),
        about: str | None = None,
        **options,
    ):
        super().__init__(code, message, **options)
        self.errors = list(errors)
        self.about = about


class CampaignMasterNotFoundError(CampaignMasterResponseError):
    """404: the campaign or list no longer exists in Campaign Master.

    Codes: ``not_found``.

    :ivar str about: ``campaign`` or ``list``
    """

    retryable = False

    def __init__(self, code: str, message: str, *, about: str = "campaign", **options):
        super().__init__(code, message, **options)
        self.about = about

    @property
    def key(self) -> str:
        return f"{self.about}_not_found"
