from odoo import SUPERUSER_ID, api, models


class IrCron(models.Model):
    """Run Manually: *Read Statistics* then also reads recent campaigns that are not due yet."""

    _inherit = "ir.cron"

    def method_direct_trigger(self):
        """Run the scheduled action now, see ``ir.cron``.

        The job cannot tell that it was started manually, so the campaigns are made due before it
        runs. That is committed in a separate transaction: the job has its own cursor, and would
        wait forever for rows that this transaction has locked.

        :raise AccessError: the user may not change scheduled actions
        :raise UserError: the job is running already; it reads these campaigns in the same run
        """
        read_statistics = self.env.ref(
            "campaign_master.ir_cron_pull_statistics", raise_if_not_found=False
        )
        if self == read_statistics:
            self.browse().check_access("write")
            with self.env.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["campaign.master.campaign"]._make_recent_due()
        return super().method_direct_trigger()
