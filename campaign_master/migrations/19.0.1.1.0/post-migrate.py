def migrate(cr, version):
    """Syncs have a log with their position now. The position of running ones is not known: they
    are cancelled, and another sync adds the remaining recipients."""
    cr.execute(
        """
        UPDATE utm_campaign
           SET campaign_master_sync_state = 'cancelled',
               campaign_master_sync_message =
                   'Interrupted by an upgrade of the add-on. Sync again to continue.'
         WHERE campaign_master_sync_state = 'running'
        """
    )
