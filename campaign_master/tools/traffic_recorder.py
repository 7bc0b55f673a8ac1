import json

from odoo import SUPERUSER_ID, api
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..client.shape import shape_body, shape_params, shape_path


class TrafficRecorder:
    """The client's observer while an administrator records the traffic of an account.

    Nothing leaves this file but the shape of what was sent and received. Like the ledger, it writes
    in short transactions of its own: a failed call, whose caller is rolled back, is the one to look
    at. While nothing is recorded it is false, so that the client prepares nothing for it.

    :param account: ``campaign.master.account``, one record
    :param AccountLedger ledger: of the client; it knows whether traffic is recorded
    :param other: another observer, which sees everything
    """

    def __init__(self, account, ledger, other=None):
        self._registry = account.env.registry
        self._account_id = account.id
        self._ledger = ledger
        self._other = other

    def __bool__(self):
        return bool(self._other or self._ledger.is_recording)

    def __call__(self, seen):
        if self._ledger.is_recording:
            self._keep(trace_values(seen))
        if self._other:
            self._other(seen)

    def _keep(self, values):
        while True:
            try:
                with self._registry.cursor() as cr:
                    traces = api.Environment(cr, SUPERUSER_ID, {})["campaign.master.trace"]
                    return traces._keep({"account_id": self._account_id, **values})
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                continue  # the ledger has counted a call at the same time


def trace_values(seen):
    """:return: values for ``campaign.master.trace``, without credentials and people's data
    :rtype: dict

    :param client.Observation seen: one request and its answer
    """
    query = "&".join(f"{name}={value}" for name, value in shape_params(seen.params).items())
    headers = "".join(f"{name}: {value}\n" for name, value in seen.headers.items())
    received = shape_body(seen.body or b"", seen.headers.get("Content-Type", ""))
    return {
        "at": seen.at.replace(tzinfo=None, microsecond=0),
        "call": seen.call,
        "method": seen.method,
        "path": shape_path(seen.path) + (f"?{query}" if query else ""),
        "status": str(seen.status or ""),
        "problem": seen.error.code if seen.error else False,
        "seconds": seen.seconds,
        "sent": shape_body(json.dumps(seen.sent).encode()) if seen.sent else False,
        "received": f"{headers}\n{received}".strip(),
    }
