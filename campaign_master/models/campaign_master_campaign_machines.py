import logging

from odoo import api, fields, models

from ..tools import commit_with_retry

_logger = logging.getLogger(__name__)


class CampaignMasterCampaign(models.Model):
    """Judging all recipients of a campaign again, after an administrator has changed the rules."""

    _inherit = "campaign.master.campaign"

    machines_due = fields.Boolean(
        readonly=True, help="The rules for likely machines have changed since they were applied."
    )

    @api.model
    def _cron_judge(self):
        """Judge the recipients of the campaigns that are due. Commits after each campaign."""
        IrCron = self.env["ir.cron"]
        rows = self.search([("machines_due", "=", True)], order="id DESC")
        IrCron._commit_progress(remaining=len(rows))
        for row in rows:
            try:
                commit_with_retry(self.env, row._judge)
            except Exception:
                # One campaign must not stop the others. It is tried again.
                _logger.exception("The machines of campaign %s could not be found", row.id)
            if not IrCron._commit_progress(1):
                return
        # What machines did does not count for people.
        self.env["campaign.master.account"]._cron("update_engagement")._trigger()

    def _judge(self):
        if not self.exists():  # created again meanwhile
            return
        campaign = self.campaign_id
        self.env["campaign.master.recipient"]._judge(campaign)
        campaign._campaign_master_keep_sums()
        self.machines_due = False
