from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import commit_with_retry
from .campaign_master_engagement import SENT_AT

# The most engaged first: that is what a reader of several companies sees.
WORDS = [
    ("active", "Active"),
    ("warm", "Warm"),
    ("cold", "Cold"),
    ("new", "New"),
    ("dormant", "Dormant"),
]
# With fewer delivered campaigns, a person is new.
MIN_DELIVERED = 3
# The last delivered campaigns, and how many of them an active person clicked in, or a warm one
# opened.
RECENT, ACTIVE_CLICKS, WARM_OPENS = 5, 2, 3
# Without a reaction to so many delivered campaigns, or for so long, a person is dormant.
QUIET_DELIVERED, QUIET_PERIOD = 10, relativedelta(months=12)
# What counts as a reaction to a recipient's email: what a person did, not a likely machine.
OPENED = SQL("((line.open_count > 0 OR line.click_count > 0) AND line.machine_rule IS NULL)")
CLICKED = SQL("(line.click_count > 0 AND line.machine_rule IS NULL)")
# What a word is based on: the person opened and clicked so many of the last delivered campaigns.
BASIS = ("word_delivered", "word_opened", "word_clicked")
# In one transaction, which takes a tenth of a second.
PEOPLE_AT_ONCE = 5_000
# Where the next run continues: model and id of the last person.
POSITION = "campaign_master.engagement_position"
MODELS = ("res.partner", "crm.lead")


class CampaignMasterEngagement(models.Model):
    """How engaged a person is, in a word: the first that applies.

    ======= ====================================================================================
    word    meaning
    ======= ====================================================================================
    new     fewer than 3 campaigns were delivered
    dormant no open or click in the last 10 that were delivered, or for 12 months: since the last
            one or, if there was none, since the first campaign was delivered
    active  clicked in at least 2 of the last 5 delivered
    warm    clicked in one of the last 5 delivered, or opened at least 3 of them
    cold    neither
    ======= ====================================================================================

    A campaign counts once, even if the person is several recipients of it. It was delivered if it
    was sent to the person and did not bounce, or was opened or clicked although it bounced.

    Words change by time alone. A scheduled action finds them, daily and after a campaign was sent.
    """

    _inherit = "campaign.master.engagement"

    word = fields.Selection(WORDS, help="Empty as long as nothing was delivered to the person.")
    word_delivered = fields.Integer(
        help="Number of the last delivered campaigns that the word is about; none if it is about a "
        "period."
    )
    word_opened = fields.Integer(help="Number of them that the person opened.")
    word_clicked = fields.Integer(help="Number of them that the person clicked in.")

    @api.model
    def _cron_update_words(self):
        """Find everybody's words, some thousand people at a time. Commits after each.

        If the time is over, the next run continues. After a kill, it may find some words again,
        which is harmless.
        """
        IrCron = self.env["ir.cron"]
        position = self.env["ir.config_parameter"].get_param(POSITION) or f"{MODELS[0]},0"
        while position:
            done, position = commit_with_retry(self.env, self._update_words_after, position)
            # How many are left is not counted.
            if position and not IrCron._commit_progress(done, remaining=1):
                self.env["ir.config_parameter"].set_param(POSITION, position)
                return
        commit_with_retry(self.env, self._end_update)
        IrCron._commit_progress(done, remaining=0)

    @api.model
    def _end_update(self):
        """The next run starts again. People who were removed from all campaigns have no row."""
        self.env["ir.config_parameter"].set_param(POSITION, False)
        self.env.cr.execute(
            SQL("DELETE FROM campaign_master_engagement WHERE word IS NULL AND open_count IS NULL")
        )
        self.invalidate_model(flush=False)

    @api.model
    def _update_words_after(self, position):
        """Find the words of the next people.

        :param str position: model and id of the last person
        :return: their number, and the next position, or ``None`` if there are no more people
        """
        model, last_id = position.split(",")
        after = [("id", ">", int(last_id))]
        people = self.env[model].with_context(active_test=False)
        ids = people.search(after, order="id", limit=PEOPLE_AT_ONCE).ids
        if ids:
            self._update_words(model, range(ids[0], ids[-1] + 1))
            return len(ids), f"{model},{ids[-1]}"
        following = dict(zip(MODELS, MODELS[1:], strict=False)).get(model)
        return 0, following and f"{following},0"

    @api.model
    def _update_words(self, model, ids):
        """Find the words of some people, and write those that changed, in one statement.

        :param str model: ``res.partner`` or ``crm.lead``
        :param range ids: ids of these people: a list of 5,000 takes as long as half of the rest
        """
        self.env.flush_all()
        People = self.env[model]
        person = SQL.identifier(People._campaign_master_field)
        now = fields.Datetime.now()
        columns = [SQL.identifier(name) for name in ("word", *BASIS)]
        self.env.cr.execute(
            SQL(
                """
                WITH line AS (
                    %(lines)s
                ), received AS (
                    -- People who were merged may be several recipients of a campaign.
                    SELECT line.person_id, campaign.id AS campaign_id,
                           campaign.campaign_master_company_id AS company_id,
                           COALESCE(%(sent_at)s, %(now)s) AS sent_at,
                           BOOL_OR(%(opened)s) AS is_opened, BOOL_OR(%(clicked)s) AS is_clicked,
                           MAX(GREATEST(line.last_open, line.last_click)) FILTER (WHERE %(opened)s)
                               AS reacted_at
                      FROM line
                      JOIN utm_campaign AS campaign ON campaign.id = line.campaign_id
                           LEFT JOIN campaign_master_campaign AS work
                               ON work.campaign_id = campaign.id
                     WHERE campaign.campaign_master_company_id IS NOT NULL
                       AND line.sent_to AND (line.delivered OR %(opened)s)
                     GROUP BY line.person_id, campaign.id, work.id
                ), ranked AS (
                    SELECT *, ROW_NUMBER() OVER (
                               PARTITION BY person_id, company_id
                                   ORDER BY sent_at DESC, campaign_id DESC) AS place
                      FROM received
                ), counted AS (
                    SELECT person_id, company_id, COUNT(*) AS delivered,
                           COUNT(*) FILTER (WHERE is_opened AND place <= %(recent)s) AS opened,
                           COUNT(*) FILTER (WHERE is_clicked AND place <= %(recent)s) AS clicked,
                           COUNT(*) >= %(quiet)s
                           AND COUNT(*) FILTER (WHERE is_opened AND place <= %(quiet)s) = 0
                               AS is_quiet,
                           COALESCE(MAX(CASE WHEN is_opened THEN COALESCE(reacted_at, sent_at) END),
                                    MIN(sent_at)) < %(quiet_since)s AS is_long_quiet
                      FROM ranked
                     GROUP BY person_id, company_id
                ), found AS (
                    SELECT person_id, company_id,
                           CASE WHEN delivered < %(minimum)s THEN 'new'
                                WHEN is_quiet OR is_long_quiet THEN 'dormant'
                                WHEN clicked >= %(active_clicks)s THEN 'active'
                                WHEN clicked > 0 OR opened >= %(warm_opens)s THEN 'warm'
                                ELSE 'cold' END AS word,
                           CASE WHEN is_quiet THEN %(quiet)s
                                WHEN delivered >= %(minimum)s AND is_long_quiet THEN NULL
                                ELSE LEAST(delivered, %(recent)s) END AS word_delivered,
                           opened AS word_opened, clicked AS word_clicked
                      FROM counted
                ), cleared AS (
                    UPDATE campaign_master_engagement AS engagement SET word = NULL
                     WHERE %(people)s AND word IS NOT NULL
                       AND NOT EXISTS (SELECT FROM found
                                        WHERE person_id = engagement.%(person)s
                                          AND company_id = engagement.company_id)
                )
                INSERT INTO campaign_master_engagement AS engagement
                            (%(person)s, company_id, %(columns)s)
                SELECT person_id, company_id, %(columns)s FROM found ORDER BY person_id, company_id
                ON CONFLICT (%(person)s, company_id) WHERE %(person)s IS NOT NULL DO UPDATE
                   SET (%(columns)s) = (%(new)s)
                 WHERE (%(old)s) IS DISTINCT FROM (%(new)s)
                """,
                lines=People._campaign_master_lines_sql(ids),
                sent_at=SENT_AT,
                opened=OPENED,
                clicked=CLICKED,
                now=now,
                quiet_since=now - QUIET_PERIOD,
                minimum=MIN_DELIVERED,
                recent=RECENT,
                active_clicks=ACTIVE_CLICKS,
                warm_opens=WARM_OPENS,
                quiet=QUIET_DELIVERED,
                person=person,
                people=People._campaign_master_people_sql(person, ids),
                columns=SQL(", ").join(columns),
                old=SQL(", ").join(SQL("engagement.%s", column) for column in columns),
                new=SQL(", ").join(SQL("EXCLUDED.%s", column) for column in columns),
            )
        )
        self.invalidate_model(flush=False)
        People.invalidate_model(["campaign_master_engagement"], flush=False)
