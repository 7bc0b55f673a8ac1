from odoo import api, fields, models
from odoo.tools import SQL


class CampaignMasterOptout(models.Model):
    """An address that asked one account not to be mailed, and through which campaign it did.

    Kept apart from the recipients, so that removing a recipient or a campaign in Odoo does not
    make Odoo forget it.
    """

    _name = "campaign.master.optout"
    _description = "Campaign Master Opt-Out"
    _rec_name = "email"
    _order = "id desc"

    account_id = fields.Many2one(
        "campaign.master.account", required=True, readonly=True, ondelete="cascade"
    )
    email = fields.Char(required=True, readonly=True, help="In small letters.")
    campaign_id = fields.Many2one(
        "utm.campaign",
        readonly=True,
        index=True,
        ondelete="set null",
        help="The campaign that the person unsubscribed from.",
    )
    create_date = fields.Datetime(string="Known Since", readonly=True)

    _unique_optout = models.UniqueIndex("(email, account_id, campaign_id)")

    @api.model
    def _follow(self, campaign, addresses):
        """Make the table say what the campaign's activity says.

        :param campaign: ``utm.campaign``
        :param dict addresses: whether it is opted out, by address in small letters
        :return: the addresses for which that is news
        :rtype: set
        """
        self.flush_model()
        out = [address for address, opted_out in addresses.items() if opted_out]
        back = [address for address, opted_out in addresses.items() if not opted_out]
        changed = self.env.execute_query(
            SQL(
                """
                INSERT INTO campaign_master_optout (account_id, campaign_id, email,
                                                    create_uid, create_date)
                SELECT %(account)s, %(campaign)s, email, %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM unnest(%(out)s::text[]) AS email
                 ORDER BY email
                ON CONFLICT (email, account_id, campaign_id) DO NOTHING
                RETURNING email
                """,
                account=campaign.campaign_master_account_id.id,
                campaign=campaign.id,
                uid=self.env.uid,
                out=out,
            )
        ) + self.env.execute_query(
            SQL(
                """
                DELETE FROM campaign_master_optout
                 WHERE account_id = %(account)s AND campaign_id = %(campaign)s
                   AND email = ANY(%(back)s::text[])
                RETURNING email
                """,
                account=campaign.campaign_master_account_id.id,
                campaign=campaign.id,
                back=back,
            )
        )
        self.invalidate_model()
        return {email for [email] in changed}
