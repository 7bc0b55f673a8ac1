import json
from datetime import datetime

from odoo import api, models
from odoo.tools import SQL

from .campaign_master_recipient import ON_LIST
from .campaign_master_recipient_sums import COUNTED_COLUMNS

# The columns that come from Campaign Master's activity, with their PostgreSQL types.
ACTIVITY_COLUMNS = {
    "open_count": "integer",
    "click_count": "integer",
    "forward_count": "integer",
    "unsubscribe_count": "integer",
    "first_open": "timestamp",
    "last_open": "timestamp",
    "first_click": "timestamp",
    "last_click": "timestamp",
    "bounced": "boolean",
    "bounce_reason": "varchar",
    "opted_out_here": "boolean",
}


class CampaignMasterRecipient(models.Model):
    """Storing what recipients did, with set-based statements."""

    _inherit = "campaign.master.recipient"

    @api.model
    def _ingest(self, campaign, activities):
        """Store recipients' activity. Counts are absolute, so that storing them twice is harmless.

        All recipients with the address get it: a company and its contact may share one.

        :param campaign: ``utm.campaign``
        :param activities: ``client.Activity`` objects; their times are UTC, as in the table, where
            PostgreSQL drops the zone
        :return: number of recipients that changed
        :rtype: int
        """
        rows, optout_sources = {}, {}
        for activity in activities:
            email = activity.email.strip().lower()
            source = "complaint" if activity.complained else "unsubscribe"
            optout_sources[email] = activity.opted_out and source
            rows[email] = {
                "email": email,
                "open_count": activity.opens,
                "click_count": activity.clicks,
                "forward_count": activity.forwards,
                "unsubscribe_count": activity.unsubscribes,
                "first_open": activity.first_open,
                "last_open": activity.last_open,
                "first_click": activity.first_click,
                "last_click": activity.last_click,
                "bounced": activity.bounced,
                "bounce_reason": activity.bounce_reason,
                "opted_out_here": activity.opted_out,
            }
        if not rows:
            return 0
        self.flush_model()
        columns = [SQL.identifier(name) for name in ACTIVITY_COLUMNS]
        counted_columns = [SQL.identifier(name) for name in COUNTED_COLUMNS]
        found = self.env.execute_query(
            SQL(
                """
                WITH changed AS (
                    UPDATE campaign_master_recipient AS recipient
                       SET (%(columns)s) = (%(new)s),
                           sent_to = recipient.sent_to IS TRUE OR %(reacted)s,
                           late = recipient.late IS TRUE AND NOT %(reacted)s
                      FROM json_to_recordset(%(rows)s) AS activity(email text, %(types)s)
                     WHERE recipient.campaign_id = %(campaign)s
                       AND recipient.email = activity.email
                       AND (%(old)s) IS DISTINCT FROM (%(new)s)
                    RETURNING id, partner_id, lead_id, recipient.email, %(counted_columns)s
                ), counted AS (%(counted)s)
                SELECT TRUE AS is_changed, partner_id, lead_id, NULL::json FROM changed
                 UNION ALL
                SELECT FALSE, sharing.*, NULL FROM (%(sharing)s) AS sharing
                 UNION ALL
                SELECT FALSE, NULL, NULL, row_to_json(counted) FROM counted
                """,
                columns=SQL(", ").join(columns),
                # People who reacted got it, whatever we thought; before the sending, a test email.
                reacted=SQL(
                    "(%s AND (activity.open_count > 0 OR activity.click_count > 0"
                    " OR activity.bounced OR activity.opted_out_here))",
                    campaign._campaign_master_is_sent(),
                ),
                new=SQL(", ").join(SQL("activity.%s", column) for column in columns),
                old=SQL(", ").join(SQL("recipient.%s", column) for column in columns),
                types=SQL(", ").join(
                    SQL("%s %s", column, SQL(kind))
                    for column, kind in zip(columns, ACTIVITY_COLUMNS.values(), strict=True)
                ),
                rows=json.dumps(list(rows.values()), default=datetime.isoformat),
                campaign=campaign.id,
                sharing=self._sharing_bounced_sql(),
                counted_columns=SQL(", ").join(SQL("recipient.%s", c) for c in counted_columns),
                # The table is still as it was before this statement. OFFSET: PostgreSQL looks up
                # each line, whatever it expects to find.
                counted=self._count_sql(
                    campaign,
                    SQL(
                        """
                        SELECT 1 AS sign, %(columns)s FROM changed
                         UNION ALL
                        SELECT -1, before.*
                          FROM changed
                               CROSS JOIN LATERAL (
                                   SELECT %(columns)s FROM campaign_master_recipient
                                    WHERE id = changed.id OFFSET 0
                               ) AS before
                        """,
                        columns=SQL(", ").join(counted_columns),
                    ),
                ),
            )
        )
        campaign._campaign_master_adjust_sums([counted for *_person, counted in found if counted])
        if found:
            self._judge_activity(campaign, rows)
        changed_addresses = self.env["campaign.master.optout"]._update_from_activity(
            campaign, optout_sources
        )
        reclassified = self._apply_optouts(campaign.campaign_master_account_id, changed_addresses)
        self.invalidate_model()
        people = [person for _is_changed, *person, counted in found if not counted]
        self.env["campaign.master.engagement"]._recompute_people(people)
        return sum(is_changed for is_changed, *_others in found) + reclassified

    @api.model
    def _apply_optouts(self, account, addresses):
        """Classify the account's recipients whose address unsubscribed or withdrew its opt-out, on
        the campaigns where they are not on the list yet.

        :return: number of these recipients
        :rtype: int
        """
        if not addresses:
            return 0
        recipients = self.search(
            [
                ("email", "in", sorted(addresses)),
                ("campaign_id.campaign_master_account_id", "=", account.id),
                ("sync_state", "not in", ON_LIST),
            ]
        )
        for campaign, on_campaign in recipients.grouped("campaign_id").items():
            self._classify(campaign, SQL("recipient.id = ANY(%s)", on_campaign.ids))
            campaign._campaign_master_keep_states()
        return len(recipients)
