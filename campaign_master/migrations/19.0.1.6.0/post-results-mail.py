def migrate(cr, version):
    """Nobody is mailed the results of a campaign that was seen sent before the upgrade. The script
    of 19.0.1.5.0, which may have run just now, marks such campaigns as sent."""
    cr.execute("UPDATE campaign_master_campaign SET results_mail_due = FALSE")
