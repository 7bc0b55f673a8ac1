def migrate(cr, version):
    """Only campaigns that are sent from now on raise alerts."""
    cr.execute(
        """
        UPDATE campaign_master_campaign AS state SET is_watched = FALSE
          FROM utm_campaign AS campaign
         WHERE campaign.id = state.campaign_id
           AND campaign.campaign_master_remote_status IN ('sending', 'sent', 'deleted')
        """
    )
