from datetime import timedelta

from odoo import api, fields, models

KEEP = timedelta(days=400)


class CampaignMasterUsage(models.Model):
    """How many calls an account made in an hour, and what for: the meter behind the limits.

    Written by ``tools.AccountLedger`` only, with each call, so that it survives what the caller's
    transaction does not. Hours and months are UTC, as Campaign Master's are.
    """

    _name = "campaign.master.usage"
    _description = "Campaign Master Calls"
    _rec_name = "hour"
    _order = "hour desc, purpose"
    _log_access = False

    account_id = fields.Many2one(
        "campaign.master.account", required=True, readonly=True, ondelete="cascade"
    )
    hour = fields.Datetime(required=True, readonly=True, help="When the hour began.")
    purpose = fields.Selection(
        [
            ("campaigns", "Syncing campaigns"),
            ("recipients", "Adding recipients"),
            ("statistics", "Reading statistics"),
            ("catalogue", "Reading templates and lists"),
        ],
        required=True,
        readonly=True,
        help="What the calls were made for.",
    )
    calls = fields.Integer(readonly=True, help="Requests that count against the limits.")

    _unique_hour = models.UniqueIndex("(account_id, hour, purpose)")

    @api.model
    def _since(self, account, moment):
        """:return: calls by purpose since a time (naive, UTC); purposes without are left out"""
        groups = self._read_group(
            [("account_id", "=", account.id), ("hour", ">=", moment)], ["purpose"], ["calls:sum"]
        )
        return dict(groups)

    @api.autovacuum
    def _gc_usage(self):
        self.search([("hour", "<", fields.Datetime.now() - KEEP)]).unlink()
