from datetime import timedelta

from odoo import api, fields, models

RETENTION = timedelta(days=400)


class CampaignMasterUsage(models.Model):
    """Number of API calls of an account in one hour, by purpose.

    Written by ``tools.AccountLedger`` only, with each call, so that it survives a rollback of the
    caller. Hours and months are in UTC, like Campaign Master's.
    """

    _name = "campaign.master.usage"
    _description = "Campaign Master Calls"
    _rec_name = "hour"
    _order = "hour desc, purpose"
    _log_access = False

    account_id = fields.Many2one(
        "campaign.master.account", required=True, readonly=True, ondelete="cascade"
    )
    hour = fields.Datetime(required=True, readonly=True, help="Start of the hour.")
    purpose = fields.Selection(
        [
            ("campaigns", "Syncing campaigns"),
            ("recipients", "Adding recipients"),
            ("statistics", "Reading statistics"),
            ("catalog", "Reading templates and lists"),
            ("check", "Checking the API"),
        ],
        required=True,
        readonly=True,
        help="Purpose of the calls.",
    )
    calls = fields.Integer(readonly=True, help="Requests that count against the limits.")

    _unique_hour = models.UniqueIndex("(account_id, hour, purpose)")

    @api.model
    def _since(self, account, moment):
        """:return: number of calls by purpose since a time (naive, UTC); purposes without calls are
        left out
        :rtype: dict"""
        groups = self._read_group(
            [("account_id", "=", account.id), ("hour", ">=", moment)], ["purpose"], ["calls:sum"]
        )
        return dict(groups)

    @api.autovacuum
    def _gc_usage(self):
        self.search([("hour", "<", fields.Datetime.now() - RETENTION)]).unlink()
