from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..tools import MARKETING_GROUP, to_odoo
from .campaign_master_recipient import SENT_STATUSES
from .campaign_master_sync import STATES

PREFIX = "campaign_master_"
DELETED = "deleted"
CAMPAIGN_STATES = [
    ("draft", "Draft"),
    ("syncing", "Syncing"),
    ("attention", "Needs Attention"),
    ("ready", "Ready"),
    ("sending", "Sending"),
    ("sent", "Sent"),
    (DELETED, "Deleted"),
]
# Fields for views and rules, not for people: not offered in filters, groupings and exports.
INTERNAL_FIELDS = {
    PREFIX + "alerts",
    PREFIX + "bounces",
    PREFIX + "company_id",
    PREFIX + "current_account_id",
    PREFIX + "enabled",
    PREFIX + "has_tracked_links",
    PREFIX + "is_locked",
    PREFIX + "is_sent",
    PREFIX + "missing_message",
    PREFIX + "objection_count",
    PREFIX + "objection_message",
    PREFIX + "opted_out_count",
    PREFIX + "outcome",
    PREFIX + "sees_leads",
    PREFIX + "sync_status",
    PREFIX + "unreported",
}
# The figures, by their name in client.Statistics.
FIGURES = (
    "sent",
    "delivered",
    "hard_bounces",
    "soft_bounces",
    "bounces",
    "rejected",
    "opens",
    "unique_opens",
    "clicks",
    "unique_clicks",
    "forwards",
    "unique_forwards",
    "unsubscribes",
    "complaints",
)


def reported(field_class, **parameters):
    """A stored field whose value Campaign Master reports: users can neither write nor copy it, and
    only Email Marketing users can read it."""
    return field_class(
        readonly=True,
        copy=False,
        groups=MARKETING_GROUP,
        campaign_master_reported=True,
        **parameters,
    )


class UtmCampaign(models.Model):
    """What Campaign Master reports about a campaign, and the results of syncing it.

    Stored on the campaign, so that it can be searched, grouped and summed with its groups and
    record rules, and automation rules on it are triggered. (A related field would ask neither
    groups nor rules in ORDER BY, GROUP BY and aggregates.) Each value is written by one method at
    the end of this file, which the scheduled actions call; the number of recipients is written
    where they are added and removed.
    """

    _inherit = "utm.campaign"

    # === SYNC === #

    # Stored: the record rule of recipients joins one table only.
    campaign_master_company_id = reported(
        fields.Many2one,
        string="Campaign Master Company",
        related="campaign_master_account_id.company_id",
        store=True,
    )
    campaign_master_ref = reported(
        fields.Char,
        string="External ID",
        index="btree_not_null",
        help="ID of the campaign in Campaign Master, set by the first sync.",
    )
    campaign_master_remote_status = reported(
        fields.Char,
        string="Status in Campaign Master",
        help="Draft, scheduled, sending, sent or deleted. Updated by each sync and with the "
        "statistics.",
    )
    campaign_master_sent_at = reported(
        fields.Datetime, string="Sent On", help="When Campaign Master sent the campaign."
    )
    campaign_master_synced_at = reported(
        fields.Datetime,
        string="Last Sync",
        help="When the campaign was last created or updated in Campaign Master.",
    )
    campaign_master_synced_by_id = reported(
        fields.Many2one,
        comodel_name="res.users",
        string="Synced By",
        ondelete="set null",
        help="User of the last sync.",
    )
    campaign_master_sync_state = reported(
        fields.Selection,
        selection=[("never", "Not Synced"), *STATES],
        string="Sync Result",
        default="never",
        help="Result of the last sync. Partial: some recipients have no valid email address, were "
        "rejected, or are not confirmed by Campaign Master yet. Otherwise, everyone who can be "
        "added is on the list. Complete: the sync changed something; Up to Date: there was nothing "
        "to change. Failed: the sync stopped; see the message, then sync again to continue.",
    )
    campaign_master_state = reported(
        fields.Selection,
        selection=CAMPAIGN_STATES,
        string="Campaign Master State",
        compute="_compute_campaign_master_state",
        store=True,
        help="Deleted, Sending, Sent: as in Campaign Master. Syncing: a sync is running. Needs "
        "Attention: not sent yet, and the last sync was partial, failed or was cancelled. Ready: "
        "synced, and can be sent in Campaign Master; may be scheduled there. Draft: not synced "
        "yet.",
    )
    campaign_master_sync_message = reported(
        fields.Text,
        string="Sync Message",
        help="What the last sync did, and the next steps in Campaign Master.",
    )
    campaign_master_outcome = reported(
        fields.Json,
        string="Recipients by Result",
        help="Number of recipients by result of the last sync.",
    )
    # Counting 100,000 recipients takes 8 ms of the 50 ms in which the form opens.
    campaign_master_recipient_count = reported(
        fields.Integer,
        string="Recipients",
        help="Number of leads, contacts and companies on this campaign.",
    )
    campaign_master_sync_status = fields.Json(
        compute="_compute_campaign_master_sync_status",
        compute_sudo=True,
        groups=MARKETING_GROUP,
        help="What the form shows of a sync, see campaign_master_progress.",
    )

    # === STATISTICS === #

    campaign_master_statistics_at = reported(
        fields.Datetime,
        string="Last Statistics",
        help="When the statistics were last read from Campaign Master.",
    )
    campaign_master_next_poll_at = fields.Datetime(
        string="Next Statistics",
        compute="_compute_campaign_master_next_poll_at",
        compute_sudo=True,
        groups=MARKETING_GROUP,
        help="Next automatic update. New campaigns are updated every 30 minutes, older ones less "
        "often.",
    )
    # === COMPUTE METHODS === #

    @api.depends("campaign_master_remote_status", "campaign_master_sync_state")
    def _compute_campaign_master_state(self):
        for campaign in self:
            status = campaign.campaign_master_remote_status
            result = campaign.campaign_master_sync_state
            if status == DELETED:
                state = "deleted"
            elif result == "running":
                state = "syncing"
            elif campaign._campaign_master_is_sent():
                state = status
            elif result in ("partial", "failed", "cancelled"):
                state = "attention"
            elif result in ("complete", "unchanged"):
                state = "ready"
            else:
                state = "draft"
            campaign.campaign_master_state = state

    @api.depends("campaign_master_campaign_ids.next_poll_at")
    def _compute_campaign_master_next_poll_at(self):
        for campaign in self:
            campaign.campaign_master_next_poll_at = (
                campaign.campaign_master_campaign_ids.next_poll_at
            )

    @api.depends(
        "campaign_master_sync_state",
        "campaign_master_sync_message",
        "campaign_master_outcome",
        "campaign_master_remote_status",
    )
    def _compute_campaign_master_sync_status(self):
        for campaign in self:
            campaign.campaign_master_sync_status = {
                **campaign._campaign_master_progress(),
                "labels": campaign._campaign_master_described_states(),
            }

    # === WHO MAY SEE AND WRITE === #

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        descriptions = super().fields_get(allfields, attributes)
        for name in INTERNAL_FIELDS & descriptions.keys():
            for attribute in ("searchable", "sortable", "groupable", "exportable"):
                if attribute in descriptions[name]:
                    descriptions[name][attribute] = False
        return descriptions

    def _valid_field_parameter(self, field, name):
        return name == "campaign_master_reported" or super()._valid_field_parameter(field, name)

    @api.model
    def _campaign_master_reported_fields(self, names):
        """:return: those of the field names that were declared by :func:`reported`
        :rtype: list[str]"""
        return [
            name
            for name in names
            if getattr(self._fields.get(name), "campaign_master_reported", False)
        ]

    @api.model
    def default_get(self, fields_list):
        """Ignore defaults of the context for values that only Campaign Master may change."""
        values = super().default_get(fields_list)
        if not self.env.su:
            for name in self._campaign_master_reported_fields(values):
                field = self._fields[name]
                if field.compute:
                    del values[name]
                else:
                    values[name] = field.default(self) if field.default else False
        return values

    @api.model
    def _campaign_master_refuse_reported(self, vals):
        """:raise AccessError: a user tries to write what Campaign Master reports"""
        names = self._campaign_master_reported_fields(vals)
        if names and not self.env.su:
            labels = sorted(self._fields[name]._description_string(self.env) for name in names)
            raise AccessError(
                self.env._(
                    "%(fields)s: these values come from Campaign Master and cannot be changed in "
                    "Odoo. Nothing was saved.",
                    fields=", ".join(labels),
                )
            )

    # === WHO WRITES WHAT === #

    def _campaign_master_for_user(self):
        """:return: the campaign in the language and time zone of the user who synced it last: the
        user reads the messages that scheduled actions store"""
        user = self.campaign_master_synced_by_id
        if not user:
            return self
        return self.with_context(lang=self.env["res.lang"]._get_code(user.lang), tz=user.tz)

    def _campaign_master_store_sync(self, state, message, counts=None):
        """A sync started, waits or ended."""
        values = {PREFIX + "sync_state": state, PREFIX + "sync_message": message}
        if counts is not None:
            values[PREFIX + "outcome"] = counts
        self.write(values)
        self._campaign_master_send_progress()

    def _campaign_master_store_export(self, remote, user):
        """The campaign was created or updated in Campaign Master.

        :param client.Campaign remote: the campaign as it is there
        :param user: ``res.users``, who synced
        """
        self.write(
            {
                PREFIX + "ref": remote.ref,
                PREFIX + "synced_at": fields.Datetime.now(),
                PREFIX + "synced_by_id": user.id,
                **self._campaign_master_status_values(remote),
            }
        )
        self._campaign_master_mark_sent()

    def _campaign_master_store_status(self, remote):
        """The status was read with the statistics: most often, the campaign was sent or sent again.

        :param client.Campaign remote: the campaign as it is in Campaign Master
        """
        values = self._campaign_master_status_values(remote)
        has_changed = any((self[name] or None) != (value or None) for name, value in values.items())
        self = self._campaign_master_for_user()
        self.write(values)
        # While a large campaign is being sent, its status is read again and again. What recipients
        # do is stored and counted with their activity.
        if has_changed or not self._campaign_master_is_sent():
            self._campaign_master_mark_sent()
        if has_changed and self.campaign_master_sync_state in ("unchanged", "complete", "partial"):
            # The next steps have changed; messages of other results say what went wrong.
            self.campaign_master_sync_message = self._campaign_master_summary(
                self.campaign_master_outcome or {}
            )

    @api.model
    def _campaign_master_status_values(self, remote):
        return {
            PREFIX + "remote_status": remote.status,
            PREFIX + "sent_at": to_odoo(remote.sent_at),
        }

    def _campaign_master_is_sent(self):
        """:return: whether Campaign Master is sending or has sent the campaign: nobody who is added
        from then on receives it"""
        # Asked for each batch of recipients: this column only, not the campaign's other sixty.
        self.fetch(["campaign_master_remote_status"])
        return self.campaign_master_remote_status in SENT_STATUSES

    def _campaign_master_mark_sent(self):
        """Tell the recipients whether the campaign was sent to them.

        They were added to the list by Odoo's clock. So if Campaign Master does not say when it was
        sent, or names a time at which Odoo saw that it was not (their clocks differ), it was sent
        when Odoo first saw it.
        """
        row, now = self.campaign_master_campaign_ids, fields.Datetime.now()
        if not self._campaign_master_is_sent():
            row.seen_unsent_at = now
            return
        if not row.seen_sent_at:
            row.write({"seen_sent_at": now, "results_mail_due": True})
        sent_at = self.campaign_master_sent_at
        if not sent_at or (row.seen_unsent_at and sent_at < row.seen_unsent_at):
            sent_at = row.seen_sent_at
        self.campaign_master_sent_to = self.env["campaign.master.recipient"]._mark_sent(
            self, sent_at
        )
        # The time of the sending may be another one than before.
        self.env["campaign.master.recipient"]._judge(self)
        self._campaign_master_keep_sums()

    def _campaign_master_store_statistics(self, statistics):
        """The figures were read. One that is not reported now is missing, even if it was reported
        before: all figures are of the same reading.

        :param client.Statistics statistics: the figures
        :return: whether one of them has changed; missing and 0 are the same for this
        """
        figures = {PREFIX + name: getattr(statistics, name) for name in FIGURES}
        changed = any(self[name] != (value or 0) for name, value in figures.items())
        self.write({PREFIX + "statistics_at": fields.Datetime.now(), **figures})
        return changed

    def _campaign_master_store_deleted(self):
        """The campaign no longer exists in Campaign Master."""
        self = self._campaign_master_for_user()
        message = self.env._(
            "“%(campaign)s” was deleted in Campaign Master. No recipients were added. Click Create "
            "Again to create a new campaign there, or Unlink to remove the link to the old one.",
            campaign=self.title,
        )
        if sync := self._campaign_master_running_sync():
            sync._end("failed", message)
        else:
            self._campaign_master_store_sync("failed", message)
        self.campaign_master_remote_status = DELETED
        self.campaign_master_campaign_ids.write(
            {"read_step": False, "next_poll_at": False, "requested_at": False}
        )

    def _campaign_master_store_unlinked(self):
        """The link to a deleted campaign is removed; the next sync creates a new one."""
        self.campaign_master_campaign_ids._replace()
        # They will receive the new campaign.
        Recipient = self.env["campaign.master.recipient"]
        Recipient._forget_sending(self)
        self.env["campaign.master.engagement"]._recompute_people(
            Recipient._people_of(SQL("campaign_id = %s", self.id)), removed=True
        )
        self._campaign_master_forget_history()
        forgotten = ("ref", "remote_status", "sent_at", "statistics_at", "sent_to", *FIGURES)
        self.write(dict.fromkeys((PREFIX + name for name in forgotten), False))
        self._campaign_master_store_sync("never", False, counts=False)
