from odoo import api, fields, models
from odoo.tools import SQL


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
    create_date = fields.Datetime(string="Known Since", readonly=True)

    _unique_optout = models.UniqueIndex("(email, account_id, campaign_id)")

    @api.model
    def _update_from_activity(self, campaign, addresses):
        """Store who has unsubscribed through a campaign, and who no longer has.

        :param campaign: ``utm.campaign``
        :param dict addresses: whether the address is opted out, by address in lower case
        :return: the addresses that changed
        :rtype: set
        """
        self.flush_model()
        account = campaign.campaign_master_account_id
        rows = self.env.execute_query(
            SQL(
                "SELECT email FROM campaign_master_optout"
                " WHERE campaign_id = %s AND account_id = %s",
                campaign.id,
                account.id,
            )
        )
        known = {email for [email] in rows}
        opted_out = [address for address, is_out in addresses.items() if is_out]
        opted_out = sorted(set(opted_out) - known)
        opted_in = sorted(address for address in known if addresses.get(address) is False)
        if not opted_out and not opted_in:
            return set()
        changed = self.env.execute_query(
            SQL(
                """
                INSERT INTO campaign_master_optout (account_id, campaign_id, email,
                                                    create_uid, create_date)
                SELECT %(account)s, %(campaign)s, email, %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM unnest(%(opted_out)s::text[]) AS email
                 ORDER BY email
                ON CONFLICT (email, account_id, campaign_id) DO NOTHING
                RETURNING email
                """,
                account=account.id,
                campaign=campaign.id,
                uid=self.env.uid,
                opted_out=opted_out,
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
