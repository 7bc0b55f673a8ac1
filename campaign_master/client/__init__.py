"""The client of Campaign Master's REST API.

Plain Python on ``requests``: nothing in this folder imports Odoo or needs a database.

- ``api.py``: :class:`CampaignMasterClient`, one method for each call
- ``session.py``: the login, limits, repetitions, and what an answer means
- ``transport.py``: which addresses may be called, and how one request becomes an answer
- ``deadline.py``: limits the time of a whole call; all extensions of urllib3
- ``pages.py``: detects that the pages of a reading do not end
- ``wire.py``: every path, header and member name, and the objects made of them
- ``ledger.py``: what all workers of one account share
- ``errors.py``: all that can be raised
"""

from .api import CampaignMasterClient
from .errors import (
    CampaignMasterAuthError,
    CampaignMasterConfigurationError,
    CampaignMasterConnectionError,
    CampaignMasterError,
    CampaignMasterNotFoundError,
    CampaignMasterRateLimitError,
    CampaignMasterRefusedError,
    CampaignMasterResponseError,
    FieldError,
)
from .ledger import Ledger, MemoryLedger
from .wire import (
    MAX_RECIPIENTS,
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
    "MAX_RECIPIENTS",
    "Activity",
    "ActivityPage",
    "Campaign",
    "CampaignDraft",
    "CampaignMasterAuthError",
    "CampaignMasterClient",
    "CampaignMasterConfigurationError",
    "CampaignMasterConnectionError",
    "CampaignMasterError",
    "CampaignMasterNotFoundError",
    "CampaignMasterRateLimitError",
    "CampaignMasterRefusedError",
    "CampaignMasterResponseError",
    "FieldError",
    "Ledger",
    "Limits",
    "MemoryLedger",
    "RecipientList",
    "RecipientResult",
    "Statistics",
    "Template",
    "month_end",
    "month_start",
]
