def migrate(cr, version):
    """Let this and later upgrades bring the record rules.

    They were loaded as not to be updated, so that their domains named columns that are gone. The
    mark is in the database: taking it out of the XML file changes nothing for a rule that is there.
    """
    cr.execute(
        """
        UPDATE ir_model_data SET noupdate = FALSE
         WHERE module = 'campaign_master' AND model = 'ir.rule' AND noupdate
        """
    )
