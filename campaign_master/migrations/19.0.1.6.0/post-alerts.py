def migrate(cr, version):
    """Only campaigns that are sent from now on raise alerts."""
    cr.execute(
        """
        UPDATE campaign_master_campaign AS state
           SET is_watched = COALESCE(campaign.campaign_master_remote_status, '')
                            NOT IN ('sending', 'sent', 'deleted')
          FROM utm_campaign AS campaign WHERE campaign.id = state.campaign_id
        """
    )
