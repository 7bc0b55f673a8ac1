def migrate(cr, version):
    """Let this and later upgrades update the record rules.

    Earlier versions loaded them with noupdate, so rules kept domains with fields that do not exist
    any more. The flag is stored: removing it from the XML file has no effect on existing rules.
    """
    cr.execute(
        """
        UPDATE ir_model_data SET noupdate = FALSE
         WHERE module = 'campaign_master' AND model = 'ir.rule' AND noupdate
        """
    )
