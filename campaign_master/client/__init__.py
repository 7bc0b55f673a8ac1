"""A client of Campaign Master's REST API.

Plain Python on ``requests``: nothing in this folder imports Odoo or needs a database.

- ``api.py``: :class:`CampaignMasterClient`, one method for each call
- ``session.py``: login, limits, retries, and the meaning of an answer
- ``transport.py``: the addresses that may be called, and one request with its answer
- ``deadline.py``: limits the time of a whole call; all extensions of urllib3
- ``pages.py``: detects pages that do not end
- ``observation.py``: one request and its answer, for whoever watches the traffic
- ``shape.py``: what of the traffic may be stored or shown
- ``check.py``: compares the answer of each call with the contract, for *Check API*
- ``check_steps.py``: which calls those are
- ``inspection.py``: compares one answer with what ``wire.py`` reads of it
- ``wire.py``: every path, header and member name, and the data classes
- ``ledger.py``: the token and limits that all workers of one account share
- ``errors.py``: all errors, in one tree
"""

from .api import CampaignMasterClient
from .errors import (
    CampaignMasterAddressError,
    CampaignMasterAuthError,
    CampaignMasterConfigurationError,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterLedgerLimitError,
    CampaignMasterLoginDoubtError,
    CampaignMasterLoginRefusedError,
    CampaignMasterLoginRequestError,
    CampaignMasterNotAllowedError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    CampaignMasterRefusedError,
    CampaignMasterResponseError,
    CampaignMasterServerError,
    CampaignMasterTokenRefusedError,
    FieldError,
)
from .ledger import Ledger, MemoryLedger
from .observation import Observation, Observer
from .wire import (
    Activity,
    ActivityPage,
    Campaign,
    CampaignDraft,
    Limits,
    RecipientList,
    RecipientResult,
    Statistics,
    Template,
    month_end,
    month_start,
)

__all__ = [
    "Activity",
    "ActivityPage",
    "Campaign",
    "CampaignDraft",
    "CampaignMasterAddressError",
    "CampaignMasterAuthError",
    "CampaignMasterClient",
    "CampaignMasterConfigurationError",
    "CampaignMasterConnectionError",
    "CampaignMasterError",
    "CampaignMasterLedgerLimitError",
    "CampaignMasterLoginDoubtError",
    "CampaignMasterLoginRefusedError",
    "CampaignMasterLoginRequestError",
    "CampaignMasterNotAllowedError",
    "CampaignMasterNotFoundError",
    "CampaignMasterRateLimitError",
    "CampaignMasterRefusedError",
    "CampaignMasterResponseError",
    "CampaignMasterServerError",
    "CampaignMasterTokenRefusedError",
    "FieldError",
    "Ledger",
    "Limits",
    "MemoryLedger",
    "Observation",
    "Observer",
    "RecipientList",
    "RecipientResult",
    "Statistics",
    "Template",
    "month_end",
    "month_start",
]
