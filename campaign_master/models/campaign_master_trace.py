from datetime import timedelta

from odoo import api, fields, models

RECORDING_TIME = timedelta(hours=1)
RETENTION = timedelta(days=1)
# Of one account.
MAX_EXCHANGES = 1_000
MAX_SIZE = 2_000_000  # characters


class CampaignMasterTrace(models.Model):
    """One request to Campaign Master and its response, while an administrator records them.

    It shows what an account's server really answers. Written by ``tools.TrafficRecorder`` only,
    which keeps no credentials and nobody's data, see ``client/shape.py``. Deleted after a day, or
    when another recording starts.
    """

    _name = "campaign.master.trace"
    _description = "Campaign Master Traffic"
    _rec_name = "path"
    _order = "id desc"
    _log_access = False

    account_id = fields.Many2one(
        "campaign.master.account", required=True, readonly=True, index=True, ondelete="cascade"
    )
    at = fields.Datetime(string="Time", required=True, readonly=True)
    call = fields.Char(readonly=True, help="The kind of call.")
    method = fields.Char(readonly=True)
    path = fields.Char(readonly=True)
    status = fields.Char(readonly=True, help="HTTP status of the response.")
    problem = fields.Char(readonly=True, help="Why there was no complete response.")
    seconds = fields.Float(readonly=True, digits=(16, 3))
    sent = fields.Text(string="Request", readonly=True)
    received = fields.Text(string="Response", readonly=True)
    size = fields.Integer(readonly=True)

    @api.model
    def _keep(self, values):
        """Keep a request and its response, unless the recording was stopped or is full.

        :param dict values: of ``tools.traffic_recorder.trace_values``, with the account
        """
        state = self.env["campaign.master.account"].browse(values["account_id"]).state_ids
        if not state.recording_until or state.recording_until <= fields.Datetime.now():
            return
        size = sum(len(values[name] or "") for name in ("path", "sent", "received"))
        [[count, total]] = self._read_group(
            [("account_id", "=", values["account_id"])], [], ["__count", "size:sum"]
        )
        if count < MAX_EXCHANGES and (total or 0) + size <= MAX_SIZE:
            self.create({**values, "size": size})
        else:
            state.unrecorded += 1

    def _as_text(self):
        """:return: the requests and responses in the order in which they were made
        :rtype: str"""
        parts = ["In texts, 9 stands for a digit, a for a letter, ? for what is not ASCII.\n"]
        for trace in self.sorted("id"):
            result = " ".join(filter(None, (trace.status, trace.problem)))
            parts += [
                f"=== {trace.at} UTC  {trace.method} {trace.path}",
                *([f"--- request\n{trace.sent}"] if trace.sent else []),
                f"--- response: {result}, {trace.seconds:.3f} s\n{trace.received or ''}\n",
            ]
        return "\n".join(parts)

    @api.autovacuum
    def _gc_traces(self):
        self.search([("at", "<", fields.Datetime.now() - RETENTION)]).unlink()
