def migrate(cr, version):
    """Let each upgrade restore the record rules.

    Versions before 19.0.1.3.0 loaded them with noupdate, so rules kept domains with fields that do
    not exist anymore. The flag is stored: removing it from the XML file has no effect on existing
    rules.
    """
    cr.execute(
        """
        UPDATE ir_model_data SET noupdate = FALSE
         WHERE module = 'campaign_master' AND model = 'ir.rule' AND noupdate
        """
    )
    # What the file does not set has its default again.
    cr.execute(
        """
        UPDATE ir_rule
           SET perm_read = TRUE, perm_write = TRUE, perm_create = TRUE, perm_unlink = TRUE
         WHERE id IN (SELECT res_id FROM ir_model_data
                       WHERE module = 'campaign_master' AND model = 'ir.rule')
        """
    )
    cr.execute(
        """
        DELETE FROM rule_group_rel
         WHERE rule_group_id IN (SELECT res_id FROM ir_model_data
                                  WHERE module = 'campaign_master' AND model = 'ir.rule')
        """
    )
