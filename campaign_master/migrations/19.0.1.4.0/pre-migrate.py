from odoo.tools.sql import table_exists


def migrate(cr, version):
    """End all but the last of several running syncs of a campaign: a unique index now allows only
    one."""
    if table_exists(cr, "campaign_master_sync"):
        cr.execute(
            """
            UPDATE campaign_master_sync AS sync
               SET state = 'cancelled', ended_at = now() AT TIME ZONE 'UTC',
                   message = 'Interrupted by an upgrade of the add-on. Sync again to continue.'
             WHERE state = 'running' AND EXISTS (
                       SELECT FROM campaign_master_sync AS later
                        WHERE later.campaign_id = sync.campaign_id
                          AND later.state = 'running' AND later.id > sync.id)
            """
        )
