def migrate(cr, version):
    """Compute the number of recipients, which the first commits of 19.0.1.2.0 left empty, and drop
    the log columns of recipients, which 19.0.1.0.0 had and which make adding people slower."""
    cr.execute(
        """
        UPDATE utm_campaign AS campaign SET campaign_master_recipient_count = line.count
          FROM (SELECT campaign_id, COUNT(*) FROM campaign_master_recipient
                 GROUP BY campaign_id) AS line
         WHERE line.campaign_id = campaign.id
           AND campaign.campaign_master_recipient_count IS DISTINCT FROM line.count
        """
    )
    cr.execute(
        """
        ALTER TABLE campaign_master_recipient
              DROP COLUMN IF EXISTS create_uid, DROP COLUMN IF EXISTS create_date,
              DROP COLUMN IF EXISTS write_uid, DROP COLUMN IF EXISTS write_date
        """
    )
