from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .campaign_master_rates import Figure
from .utm_campaign_figures import BY_PEOPLE
from .utm_campaign_results import FIGURES, PREFIX

# What is kept of a campaign.
KEPT = (*FIGURES, *(f"{name}_by_people" for name in BY_PEOPLE))
# All snapshots are kept for this long, then the last of each day, then none.
KEEP_ALL = timedelta(days=14)
KEEP_DAILY = relativedelta(months=13)


def _figure():
    """The campaign's figure of the same name. It is a total: adding up several is meaningless."""
    return Figure(readonly=True, aggregator="max")


class CampaignMasterSnapshot(models.Model):
    """A campaign's figures at one time: one row for each reading that changed one of them.

    The columns are the campaign's own figures (``KEPT``), which define them; one that Campaign
    Master did not report is NULL. Times and days are in UTC. A campaign that is created again
    starts a new history.
    """

    _name = "campaign.master.snapshot"
    _inherit = ["campaign.master.rates.mixin"]
    _description = "Campaign Master Figures at a Time"
    _rec_name = "at"
    _order = "at desc, id desc"
    _log_access = False

    campaign_id = fields.Many2one("utm.campaign", required=True, readonly=True, ondelete="cascade")
    at = fields.Datetime(
        string="Read On",
        required=True,
        readonly=True,
        help="When the figures were read from Campaign Master.",
    )
    age = Figure(
        compute="_compute_age",
        compute_sudo=True,
        help="Seconds from the sending of the campaign to this reading; none before it was sent.",
    )
    sent = _figure()
    delivered = _figure()
    hard_bounces = _figure()
    soft_bounces = _figure()
    bounces = _figure()
    rejected = _figure()
    opens = _figure()
    unique_opens = _figure()
    clicks = _figure()
    unique_clicks = _figure()
    forwards = _figure()
    unique_forwards = _figure()
    unsubscribes = _figure()
    complaints = _figure()
    # NULL as well in rows of before they were kept.
    unique_opens_by_people = _figure()
    unique_clicks_by_people = _figure()

    _campaign_index = models.Index("(campaign_id, at, id)")

    @api.depends("at", "campaign_id.campaign_master_campaign_ids.sent_at")
    def _compute_age(self):
        for snapshot in self:
            sent_at = snapshot.campaign_id.campaign_master_campaign_ids.sent_at
            is_sent = sent_at and sent_at <= snapshot.at
            snapshot.age = is_sent and round((snapshot.at - sent_at).total_seconds())

    @api.model
    def _take(self, campaigns):
        """Keep the figures of some campaigns, of those whose figures differ from their last
        snapshot. Taking them twice is harmless.

        One statement, because it copies columns with their NULLs within the database.

        :param campaigns: ``utm.campaign``
        """
        campaigns.flush_model()
        self.flush_model()
        columns = [SQL.identifier(name) for name in KEPT]
        figures = [SQL.identifier("campaign", PREFIX + name) for name in KEPT]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO campaign_master_snapshot (campaign_id, at, %(columns)s)
                SELECT campaign.id, campaign.campaign_master_statistics_at, %(figures)s
                  FROM utm_campaign AS campaign
                       LEFT JOIN LATERAL (
                           SELECT * FROM campaign_master_snapshot
                            WHERE campaign_id = campaign.id
                            ORDER BY at DESC, id DESC LIMIT 1
                       ) AS last ON TRUE
                 WHERE campaign.id = ANY(%(ids)s)
                   AND campaign.campaign_master_statistics_at IS NOT NULL
                   AND (last.id IS NULL OR (%(last)s) IS DISTINCT FROM (%(figures)s))
                """,
                columns=SQL(", ").join(columns),
                figures=SQL(", ").join(figures),
                last=SQL(", ").join(SQL("last.%s", column) for column in columns),
                ids=campaigns.ids,
            )
        )
        self.invalidate_model(flush=False)

    @api.autovacuum
    def _gc_snapshots(self):
        """Delete all but the last of a day after 14 days, and all after 13 months.

        In SQL: in a grouping of Odoo, a day is that of the user's time zone.
        """
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM campaign_master_snapshot AS snapshot
                 WHERE at < %(oldest)s
                    OR at < date_trunc('day', %(recent)s::timestamp) AND EXISTS (
                           SELECT FROM campaign_master_snapshot AS later
                            WHERE later.campaign_id = snapshot.campaign_id
                              AND (later.at, later.id) > (snapshot.at, snapshot.id)
                              AND later.at < date_trunc('day', snapshot.at) + interval '1 day')
                """,
                oldest=now - KEEP_DAILY,
                recent=now - KEEP_ALL,
            )
        )
        self.invalidate_model(flush=False)
