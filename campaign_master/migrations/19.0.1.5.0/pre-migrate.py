from odoo.tools.sql import column_exists, table_exists


def migrate(cr, version):
    """*Opted Out* becomes a generated column of two facts: on this campaign, and before."""
    if not column_exists(cr, "campaign_master_recipient", "opted_out"):
        return
    cr.execute(
        """
        ALTER TABLE campaign_master_recipient
              ADD COLUMN IF NOT EXISTS opted_out_here boolean,
              ADD COLUMN IF NOT EXISTS opted_out_before boolean
        """
    )
    cr.execute(
        """
        UPDATE campaign_master_recipient
           SET opted_out_here = sync_state <> 'opted_out',
               opted_out_before = sync_state = 'opted_out'
         WHERE opted_out
        """
    )
    if table_exists(cr, "campaign_master_optout"):
        # Not on the campaign's list according to Odoo, but on it by another way.
        cr.execute(
            """
            UPDATE campaign_master_recipient AS recipient SET opted_out_here = TRUE
              FROM campaign_master_optout AS optout
             WHERE optout.campaign_id = recipient.campaign_id AND optout.email = recipient.email
               AND recipient.opted_out_before
            """
        )
