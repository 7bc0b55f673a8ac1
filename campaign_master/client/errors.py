"""What can go wrong with a call to Campaign Master: one tree, which one ``except`` catches.

::

    CampaignMasterError
      CampaignMasterConfigurationError    the account cannot work as it is set up
      CampaignMasterAuthError             the login, or a token just issued, was refused
      CampaignMasterRateLimitError        the hour's or the month's calls are spent
      CampaignMasterConnectionError       no answer, or a server in trouble: try again later
      CampaignMasterResponseError         an answer that cannot be used
        CampaignMasterRefusedError        400: Campaign Master says what is wrong with the request
        CampaignMasterNotFoundError       404: deleted in Campaign Master, or a wrong API address

No text in here holds a password, a token or a recipient's address.
"""

from dataclasses import dataclass
from datetime import datetime


class CampaignMasterError(Exception):
    """Base of all errors of the client.

    :param str code: a word for programs
    :param str message: an English sentence for people
    :param str call: the call it happened in, as ``POST /lists/7/recipients``, if there was one
    """

    def __init__(self, code, message, *, call=None):
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.call = call

    def __str__(self):
        return f"{self.call}: {self.message}" if self.call else self.message


class CampaignMasterConfigurationError(CampaignMasterError):
    """The account cannot work as it is set up; nothing was sent.

    Codes: ``bad_address``, ``no_login``.
    """


class CampaignMasterAuthError(CampaignMasterError):
    """The account is not let in.

    Codes: ``login_refused`` (username or password are wrong), ``token_refused`` (the login works,
    but not the token that it has just given).
    """


class CampaignMasterRateLimitError(CampaignMasterError):
    """A limit of the API user is reached; the call was not carried out.

    Codes: ``hour_spent``, ``month_spent`` (Campaign Master says so); ``hour_counted``,
    ``month_counted`` (the ledger says so, and nothing was sent).

    :param str period: ``hour`` or ``month``
    :param datetime reset_at: when calls are possible again (aware, UTC), None if not known
    """

    def __init__(
        self, code, message, *, period="hour", reset_at: datetime | None = None, call=None
    ):
        super().__init__(code, message, call=call)
        self.period = period
        self.reset_at = reset_at


class CampaignMasterConnectionError(CampaignMasterError):
    """No connection, no answer in time, or a 5xx: the same call may work later.

    Codes: ``unreachable``, ``tls``, ``timeout``, ``connection_lost``, ``server_error``.

    :param bool outcome_unknown: the call writes, and the server may have carried it out
    """

    def __init__(self, code, message, *, outcome_unknown=False, call=None):
        super().__init__(code, message, call=call)
        self.outcome_unknown = outcome_unknown


class CampaignMasterResponseError(CampaignMasterError):
    """Campaign Master answered, with something that cannot be used.

    Codes: ``not_json``, ``bad_member``, ``too_large``, ``redirect``, ``unexpected_status``,
    ``endless_pages``, ``missing_items``, and those of the two subclasses.

    :param bool outcome_unknown: the call writes, and the server may have carried it out
    :param int status: of the answer, None if it is about several answers
    """

    def __init__(self, code, message, *, outcome_unknown=False, status=None, call=None):
        super().__init__(code, message, call=call)
        self.outcome_unknown = outcome_unknown
        self.status = status


@dataclass(frozen=True, slots=True)
class FieldError:
    """What Campaign Master says about one member of a refused request."""

    field: str
    message: str


class CampaignMasterRefusedError(CampaignMasterResponseError):
    """400: Campaign Master did not accept the request; ``message`` is its own, where it gave one.

    Codes: ``refused``.

    :param list errors: :class:`FieldError`, one for each member that it complains of
    :param str about: what the call was about (``campaign``, ``list``), None for others: a login
        that is renewed on the way may be refused, too
    """

    def __init__(self, code, message, *, errors=(), about=None, status=400, call=None):
        super().__init__(code, message, status=status, call=call)
        self.errors = list(errors)
        self.about = about


class CampaignMasterNotFoundError(CampaignMasterResponseError):
    """404. Codes: ``not_found`` (the campaign or list of the call is not, or no longer, there),
    ``wrong_address`` (a path that names neither is not there: the API address is wrong)."""

    def __init__(self, code, message, *, status=404, call=None):
        super().__init__(code, message, status=status, call=call)
