from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools import MARKETING_GROUP, to_odoo
from .campaign_master_recipient import STATE_COLORS
from .campaign_master_sync import STATES

PREFIX = "campaign_master_"
DELETED = "deleted"
# The figures, by their name in client.Statistics.
FIGURES = (
    "sent",
    "delivered",
    "hard_bounces",
    "soft_bounces",
    "rejected",
    "opens",
    "unique_opens",
    "clicks",
    "unique_clicks",
    "forwards",
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


def _figure(string, description):
    return reported(fields.Integer, string=string, help=description)


def _rate(string, description):
    return reported(
        fields.Float,
        string=string,
        compute="_compute_campaign_master_rates",
        store=True,
        digits=(16, 2),
        aggregator="avg",
        help=description,
    )


class UtmCampaign(models.Model):
    """What Campaign Master reports about a campaign, and the results of syncing it.

    Stored on the campaign, so that it can be searched, grouped and summed with its groups and
    record rules, and automation rules on it are triggered. (A related field would ask neither
    groups nor rules in ORDER BY, GROUP BY and aggregates.) Each value is written by one method at
    the end of this file, which the scheduled actions call.
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
        help="Draft, scheduled, sending, sent or deleted. Updated by each sync and, after sending, "
        "with the statistics.",
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
        help="Result of the last sync. Complete: everyone who can be added is on the list. "
        "Partial: some recipients have no valid email address or were rejected. Failed: the sync "
        "stopped; see the message, then sync again to continue.",
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
    campaign_master_sent = _figure("Sent", "Emails that Campaign Master sent.")
    campaign_master_delivered = _figure(
        "Delivered", "Emails that the recipients' mail servers accepted."
    )
    campaign_master_hard_bounces = _figure(
        "Hard Bounces", "Emails that bounced permanently (unknown address)."
    )
    campaign_master_soft_bounces = _figure(
        "Soft Bounces", "Emails that bounced temporarily (e.g. full mailbox)."
    )
    campaign_master_rejected = _figure(
        "Rejected", "Emails that the recipients' mail servers rejected."
    )
    campaign_master_opens = _figure("Opens", "Number of opens; a person may open several times.")
    campaign_master_unique_opens = _figure(
        "Unique Opens", "Recipients who opened the email at least once."
    )
    campaign_master_clicks = _figure(
        "Clicks", "Number of clicks; a person may click several times."
    )
    campaign_master_unique_clicks = _figure(
        "Unique Clicks", "Recipients who clicked a link at least once."
    )
    campaign_master_forwards = _figure("Forwards", "Number of times the email was forwarded.")
    campaign_master_unsubscribes = _figure(
        "Unsubscribes", "Recipients who unsubscribed through the email."
    )
    campaign_master_complaints = _figure("Complaints", "Recipients who reported the email as spam.")
    campaign_master_total_bounces = reported(
        fields.Integer,
        string="Total Bounces",
        compute="_compute_campaign_master_rates",
        store=True,
        help="Hard bounces + soft bounces + rejected.",
    )
    campaign_master_successful = reported(
        fields.Integer,
        string="Successful Emails",
        compute="_compute_campaign_master_rates",
        store=True,
        help="Sent − total bounces.",
    )
    campaign_master_open_rate = _rate(
        "Open Rate %", "Unique opens ÷ successful emails, in percent."
    )
    campaign_master_click_rate = _rate(
        "Click Rate %",
        "Clicks ÷ successful emails, in percent. All clicks count, so it can exceed 100 %.",
    )
    campaign_master_click_to_open_rate = _rate(
        "Click-to-Open %", "Unique clicks ÷ unique opens, in percent."
    )
    campaign_master_bounce_rate = _rate("Bounce %", "Total bounces ÷ sent, in percent.")
    campaign_master_unsubscribe_rate = _rate("Unsubscribe %", "Unsubscribes ÷ sent, in percent.")

    # === COMPUTE METHODS === #

    @api.depends(*(PREFIX + name for name in FIGURES))
    def _compute_campaign_master_rates(self):
        for campaign in self:
            sent = campaign.campaign_master_sent
            bounces = (
                campaign.campaign_master_hard_bounces
                + campaign.campaign_master_soft_bounces
                + campaign.campaign_master_rejected
            )
            successful = sent - bounces
            campaign.campaign_master_total_bounces = bounces
            campaign.campaign_master_successful = successful
            campaign.campaign_master_open_rate = _percent(
                campaign.campaign_master_unique_opens, successful
            )
            campaign.campaign_master_click_rate = _percent(
                campaign.campaign_master_clicks, successful
            )
            campaign.campaign_master_click_to_open_rate = _percent(
                campaign.campaign_master_unique_clicks, campaign.campaign_master_unique_opens
            )
            campaign.campaign_master_bounce_rate = _percent(bounces, sent)
            campaign.campaign_master_unsubscribe_rate = _percent(
                campaign.campaign_master_unsubscribes, sent
            )

    @api.depends("campaign_master_campaign_ids.next_poll_at")
    def _compute_campaign_master_next_poll_at(self):
        for campaign in self:
            campaign.campaign_master_next_poll_at = (
                campaign.campaign_master_campaign_ids.next_poll_at
            )

    @api.depends(
        "campaign_master_sync_state", "campaign_master_sync_message", "campaign_master_outcome"
    )
    def _compute_campaign_master_sync_status(self):
        states = self.env["campaign.master.recipient"]._fields["sync_state"]
        labels = [
            {"state": state, "label": label, "color": STATE_COLORS[state]}
            for state, label in states._description_selection(self.env)
        ]
        for campaign in self:
            campaign.campaign_master_sync_status = {
                **campaign._campaign_master_progress(),
                "labels": labels,
            }

    # === WHO MAY WRITE === #

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
                default = self._fields[name].default
                values[name] = default(self) if default else False
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

    def _campaign_master_store_status(self, remote):
        """The campaign was sent, or sent again.

        :param client.Campaign remote: the campaign as it is in Campaign Master
        """
        has_changed = self.campaign_master_remote_status != remote.status
        self = self._campaign_master_for_user()
        self.write(self._campaign_master_status_values(remote))
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

    def _campaign_master_store_statistics(self, statistics):
        """The figures were read.

        :param client.Statistics statistics: the figures
        :return: whether one of them has changed
        """
        figures = {PREFIX + name: getattr(statistics, name) for name in FIGURES}
        changed = any(self[name] != value for name, value in figures.items())
        self.write(
            {
                PREFIX + "statistics_at": fields.Datetime.now(),
                **(figures if changed else {}),
            }
        )
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
        self.env["campaign.master.recipient"].search(
            [("campaign_id", "=", self.id), ("late", "=", True)]
        ).late = False
        self.write(
            dict.fromkeys((PREFIX + "ref", PREFIX + "remote_status", PREFIX + "sent_at"), False)
        )
        self._campaign_master_store_sync("never", False, counts=False)


def _percent(part, whole):
    """:return: ``part`` as a percentage of ``whole``; 0 if ``whole`` is 0"""
    return 100.0 * part / whole if whole > 0 else 0.0
