from odoo import api, fields, models

from ..tools import commit_with_retry


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
        due = [("machines_due", "=", True)]
        while row := self.search(due, order="id DESC", limit=1):
            commit_with_retry(self.env, row._judge)
            if not IrCron._commit_progress(1, remaining=self.search_count(due)):
                return
        # What machines did does not count for people.
        self.env["campaign.master.account"]._cron("update_engagement")._trigger()

    def _judge(self):
        campaign = self.campaign_id
        self.env["campaign.master.recipient"]._judge(campaign)
        campaign._campaign_master_keep_sums()
        self.machines_due = False
