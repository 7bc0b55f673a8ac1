from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from .campaign_master_recipient import ON_LIST

# Who is behind a number of a campaign. For lists and sums alike, so that they cannot differ. The
# sums are kept (``campaign.master.campaign.sums``): a new key needs a migration that counts again.
_ONCE = Domain("is_twin", "!=", True)  # people with the same address count once
PEOPLE = {
    "planned": Domain.TRUE,
    "on_list": Domain("sync_state", "in", ON_LIST),
    "sent": _ONCE & Domain("sent_to", "=", True),
    "delivered": _ONCE & Domain("delivered", "=", True),
    "opened": _ONCE & Domain("opened", "=", True),
    "clicked": _ONCE & Domain("clicked", "=", True),
    "machines": _ONCE & Domain("machine_rule", "!=", False),
    "bounced": _ONCE & Domain("bounced", "=", True),
    "unsubscribed": _ONCE & Domain("unsubscribe_count", ">", 0),
    # Also those who reported the email as spam. The second condition says nothing new, except to
    # PostgreSQL: there is an index for it.
    "opted_out": _ONCE & Domain("opted_out_here", "=", True) & Domain("opted_out", "=", True),
}
# Not likely machines.
_PERSON = Domain("machine_rule", "=", False)
PEOPLE |= {f"{name}_by_people": PEOPLE[name] & _PERSON for name in ("opened", "clicked")}
# How often they did something.
COUNTS = {"opens": "open_count", "clicks": "click_count", "forwards": "forward_count"}
# What is read of recipients to count them: all columns would take half as long again.
COUNTED_COLUMNS = sorted(
    {condition.field_expr for group in PEOPLE.values() for condition in group.iter_conditions()}
    | {"first_open", "first_click", *COUNTS.values()}
)


class CampaignMasterRecipient(models.Model):
    """How many recipients are behind the numbers of a campaign, and how fast they reacted."""

    _inherit = "campaign.master.recipient"

    @api.model
    def _count(self, campaign):
        """Count all recipients of a campaign, also leads that the user may not see.

        :param campaign: ``utm.campaign``
        :return: see :meth:`_count_sql`
        :rtype: list[dict]
        """
        self.flush_model()
        self.env.cr.execute(
            self._count_sql(
                campaign,
                SQL(
                    "SELECT 1 AS sign, recipient.* FROM campaign_master_recipient AS recipient"
                    " WHERE campaign_id = %s",
                    campaign.id,
                ),
            )
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _count_sql(self, campaign, recipients):
        """Count recipients with one statement that reads each of them once: counting each group of
        ``PEOPLE`` in a search of its own would read them a dozen times.

        :param campaign: ``utm.campaign``
        :param SQL recipients: a SELECT of the campaign's recipients and their ``sign``: 1 if they
            are counted, −1 if they are no longer
        :return: a SELECT of some hundred rows. ``open_hour`` is when people opened first, or
            clicked first if that was earlier, ``click_hour`` when they clicked first: full hours
            since the sending, ``NULL`` if it is not known. ``people`` are those, each address
            once, ``reacted`` those who opened or clicked; then the names of ``PEOPLE`` and
            ``COUNTS``.
        """

        return SQL(
            """
            SELECT open_hour, click_hour, %(columns)s
              FROM (
                  SELECT *,
                         FLOOR(DATE_PART('epoch', LEAST(first_open, first_click) - %(sent_at)s)
                               / 3600)::integer AS open_hour,
                         FLOOR(DATE_PART('epoch', first_click - %(sent_at)s) / 3600)::integer
                         AS click_hour
                    FROM (%(recipients)s) AS recipient
              ) AS counted
             GROUP BY open_hour, click_hour
            """,
            columns=self._counted_sql(),
            sent_at=SQL(
                "%s::timestamp", campaign.sudo().campaign_master_campaign_ids.sent_at or None
            ),
            recipients=recipients,
        )

    @api.model
    @ormcache()
    def _counted_sql(self):
        """:return: the numbers of :meth:`_count_sql`. Building them takes as long as counting 1,000
        recipients"""

        def number(group, column=None):
            value = SQL("sign * %s", SQL.identifier(column)) if column else SQL("sign")
            condition = group.optimize_full(self)._to_sql(self, "counted", None)
            return SQL("COALESCE(SUM(%s) FILTER (WHERE %s), 0)", value, condition)

        columns = {
            "people": number(_ONCE),
            "reacted": number(_ONCE & (PEOPLE["opened"] | PEOPLE["clicked"])),
            **{name: number(group) for name, group in PEOPLE.items()},
            **{name: number(_ONCE, column) for name, column in COUNTS.items()},
        }
        return SQL(", ").join(
            SQL("%s AS %s", column, SQL.identifier(name)) for name, column in columns.items()
        )
