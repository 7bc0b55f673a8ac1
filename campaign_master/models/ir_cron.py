from odoo import SUPERUSER_ID, api, models


class IrCron(models.Model):
    """*Run Manually* on *Read Statistics* reads statistics, whether or not campaigns are due."""

    _inherit = "ir.cron"

    def method_direct_trigger(self):
        """Run the scheduled action now; see ``ir.cron``.

        The job itself cannot tell that a person started it, so campaigns are made due before it
        runs, in a committed transaction: the job has a cursor of its own and would wait for rows
        that this one has locked.
        """
        reading = self.env.ref("campaign_master.ir_cron_pull_statistics", raise_if_not_found=False)
        if self == reading:
            self.browse().check_access("write")
            with self.env.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["utm.campaign"]._campaign_master_make_due()
        return super().method_direct_trigger()
