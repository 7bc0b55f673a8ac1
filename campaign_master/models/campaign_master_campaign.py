from odoo import api, fields, models

from .campaign_master_recipient import SENT_STATUSES
from .utm_campaign_results import DELETED


class CampaignMasterCampaign(models.Model):
    """How syncing and reading a campaign stands: one row per campaign that was ever synced.

    Written by the scheduled actions, and when a person syncs or refreshes. What Campaign Master
    reports about the campaign is on ``utm.campaign``. Updating the campaign there is in
    ``campaign_master_campaign_export.py``, reading it in ``…_statistics.py``.
    """

    _name = "campaign.master.campaign"
    _description = "Campaign Master Campaign"
    _rec_name = "campaign_id"
    _log_access = False

    campaign_id = fields.Many2one("utm.campaign", required=True, readonly=True, ondelete="cascade")
    account_id = fields.Many2one(
        related="campaign_id.campaign_master_account_id", store=True, index=True
    )

    generation = fields.Integer(
        readonly=True,
        help="How often the campaign was created again or unlinked; part of its reference.",
    )
    synced_texts = fields.Json(
        readonly=True, help="The texts that Campaign Master has, except for the template."
    )

    next_poll_at = fields.Datetime(readonly=True, help="When the statistics are read again.")
    fresh_at = fields.Datetime(
        readonly=True,
        help="When the campaign was synced or sent last. The older, the less often it is read.",
    )
    seen_unsent_at = fields.Datetime(
        readonly=True, help="When Odoo last saw that the campaign was not sent yet."
    )
    seen_sent_at = fields.Datetime(
        readonly=True, help="When Odoo first saw that the campaign was sent."
    )
    sent_at = fields.Datetime(
        string="Sent On",
        compute="_compute_sent_at",
        store=True,
        help="From when on the campaign's age is counted; empty if it is not known.",
    )
    moved_at = fields.Datetime(readonly=True, help="When the figures changed last.")
    requested_at = fields.Datetime(
        readonly=True,
        help="A user clicked Refresh Statistics; empty when that is done or has failed.",
    )
    requested_by_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    read_message = fields.Text(readonly=True, help="Why the last refresh failed.")
    read_step = fields.Selection(
        [("status", "Status"), ("activity", "Activity")],
        readonly=True,
        help="The next call of a reading that has begun.",
    )
    read_failures = fields.Integer(
        readonly=True, help="Number of consecutive responses that could not be used."
    )
    activity_due = fields.Boolean(
        readonly=True, help="Activity is read even if the figures have not changed."
    )
    activity_since = fields.Datetime(
        readonly=True, help="Activity up to this time was read completely."
    )
    activity_next_since = fields.Datetime(
        readonly=True, help="The next value of Activity Since, once the last page was read."
    )
    activity_page = fields.Integer(readonly=True, help="The last page that was read.")
    activity_seen = fields.Json(readonly=True, help="See client/pages.py.")

    # What the form shows of the recipients. Counting 100,000 would take longer than opening it.
    sums = fields.Json(readonly=True, help="How many recipients did what, see PEOPLE and COUNTS.")
    reactions = fields.Json(readonly=True, help="How many recipients reacted when, see Reactions.")
    removed_count = fields.Integer(
        readonly=True,
        help="Number of addresses that the campaign was sent to and that were removed in Odoo.",
    )

    # See utm_campaign_alerts.py.
    is_watched = fields.Boolean(
        default=True,
        readonly=True,
        help="Unusual results raise alerts. Off for campaigns sent before alerts existed.",
    )
    alerts = fields.Json(readonly=True, help="Unusual results and their activities.")

    _unique_campaign = models.UniqueIndex("(campaign_id)")
    _queue_index = models.Index("(next_poll_at) WHERE next_poll_at IS NOT NULL")

    @api.depends(
        "campaign_id.campaign_master_remote_status",
        "campaign_id.campaign_master_sent_at",
        "seen_unsent_at",
        "seen_sent_at",
    )
    def _compute_sent_at(self):
        """When the campaign was sent as Campaign Master says, because that is the clock of opens
        and clicks, too; or when Odoo saw it, if it had seen before that it was not sent yet."""
        for row in self:
            campaign = row.campaign_id
            is_sent = campaign.campaign_master_remote_status in (*SENT_STATUSES, DELETED)
            seen_at = row.seen_unsent_at and row.seen_sent_at
            row.sent_at = is_sent and (campaign.campaign_master_sent_at or seen_at)

    @api.model
    def _get_or_create(self, campaign):
        """:return: the row of a campaign"""
        return self.search([("campaign_id", "=", campaign.id)]) or self.create(
            {"campaign_id": campaign.id}
        )

    def _alert_activities(self):
        """:return: the activities of alerts that are not done, by id
        :rtype: dict"""
        alerts = [alert for row in self for alert in (row.alerts or {}).values()]
        ids = [alert["activity_id"] for alert in alerts if alert["activity_id"]]
        activities = ids and self.env["mail.activity"].search([("id", "in", ids)])
        return {activity.id: activity for activity in activities}

    def _withdraw_alerts(self):
        """Nobody has to deal with the alerts anymore. Those that are done stay done."""
        activities = self._alert_activities()
        for row in self.filtered("alerts"):
            row.alerts = {
                kind: alert
                for kind, alert in row.alerts.items()
                if alert["activity_id"] not in activities
            } or False
        self.env["mail.activity"].browse(activities).unlink()

    def _replace(self):
        """Start over for a new campaign in Campaign Master: only the generation remains.

        :return: the new row
        """
        self.ensure_one()
        values = {"campaign_id": self.campaign_id.id, "generation": self.generation + 1}
        self._withdraw_alerts()
        self.unlink()
        return self.create(values)
