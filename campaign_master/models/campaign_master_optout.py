from odoo import api, fields, models
from odoo.tools import SQL

SOURCES = [("unsubscribe", "Unsubscribed"), ("complaint", "Spam Complaint")]


class CampaignMasterOptout(models.Model):
    """An email address that unsubscribed from an account's campaigns, and through which campaign.

    Independent of the recipients: it remains when a recipient or campaign is deleted in Odoo.
    """

    _name = "campaign.master.optout"
    _description = "Campaign Master Opt-Out"
    _rec_name = "email"
    _order = "id desc"

    account_id = fields.Many2one(
        "campaign.master.account", required=True, readonly=True, ondelete="cascade"
    )
    email = fields.Char(required=True, readonly=True, help="In lower case.")
    campaign_id = fields.Many2one(
        "utm.campaign",
        readonly=True,
        index=True,
        ondelete="set null",
        help="The campaign that the person unsubscribed from.",
    )
    source = fields.Selection(
        SOURCES,
        readonly=True,
        help="Spam Complaint: the person reported the email as spam. Empty for opt-outs that were "
        "stored before Odoo kept the source.",
    )
    create_date = fields.Datetime(string="Known Since", readonly=True)

    _unique_optout = models.UniqueIndex("(email, account_id, campaign_id)")

    @api.model
    def _update_from_activity(self, campaign, sources):
        """Store who has unsubscribed through a campaign or complained, and who no longer has.

        :param campaign: ``utm.campaign``
        :param dict sources: how the address opted out, or ``False``, by address in lower case
        :return: the addresses that changed
        :rtype: set
        """
        self.flush_model()
        account = campaign.campaign_master_account_id
        rows = self.env.execute_query(
            SQL(
                "SELECT email, source FROM campaign_master_optout"
                " WHERE campaign_id = %s AND account_id = %s",
                campaign.id,
                account.id,
            )
        )
        known = dict(rows)
        opted_out = sorted(
            (address, source)
            for address, source in sources.items()
            if source and known.get(address) != source
        )
        opted_in = sorted(address for address in known if sources.get(address) is False)
        if not opted_out and not opted_in:
            return set()
        changed = self.env.execute_query(
            SQL(
                """
                INSERT INTO campaign_master_optout (account_id, campaign_id, email, source,
                                                    create_uid, create_date)
                SELECT %(account)s, %(campaign)s, email, source, %(uid)s,
                       now() AT TIME ZONE 'UTC'
                  FROM unnest(%(emails)s::text[], %(sources)s::text[]) AS optout(email, source)
                 ORDER BY email
                ON CONFLICT (email, account_id, campaign_id)
                DO UPDATE SET source = EXCLUDED.source
                RETURNING email
                """,
                account=account.id,
                campaign=campaign.id,
                uid=self.env.uid,
                emails=[address for address, _source in opted_out],
                sources=[source for _address, source in opted_out],
            )
        ) + self.env.execute_query(
            SQL(
                """
                DELETE FROM campaign_master_optout
                 WHERE account_id = %(account)s AND campaign_id = %(campaign)s
                   AND email = ANY(%(opted_in)s::text[])
                RETURNING email
                """,
                account=account.id,
                campaign=campaign.id,
                opted_in=opted_in,
            )
        )
        self.invalidate_model()
        return {email for [email] in changed}
