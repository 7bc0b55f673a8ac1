import time
from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..client import CampaignMasterError
from ..tools import advisory_lock, notification, to_client, to_odoo
from ..tools.account_ledger import LOCK_PULL
from .utm_campaign import FIGURES, PREFIX
from .utm_campaign_sync import DELETED

# What a change between two pages of activity, or two clocks, could let fall through is read again.
OVERLAP = timedelta(minutes=10)
# A sync that ended well; the messages of the others say what went wrong, and stay.
ENDED = ("unchanged", "complete", "partial")
# A person who presses Refresh waits for this long at most (seconds); the rest comes by itself.
PATIENCE = 10


class UtmCampaign(models.Model):
    """Reading what happened: first the campaign's figures (one call); the recipients' activity
    only if figures moved, and once more at the next poll, because figures may move first.

    Activity is read page by page. The position is stored with each page; ``since`` moves only
    after the last one, to the first page's own time less ten minutes. Figures are absolute, so
    that reading a page twice does no harm.
    """

    # One model in three rooms: what is planned and known, syncing, pulling.
    _inherit = "utm.campaign"  # pylint: disable=consider-merging-classes-inherited

    # === ACTION METHODS === #

    def action_campaign_master_refresh_statistics(self):
        """Read figures and activity now.

        :return: a notification action
        :raise UserError: not synced yet, being read at this moment, or Campaign Master could not
            be asked; then what was known stays
        :raise AccessError: the caller does not work in Email Marketing
        """
        self.ensure_one()
        self.env["campaign.master.account"]._check_marketing_user()
        self.check_access("read")
        campaign = self.sudo()
        account = campaign.campaign_master_account_id
        if not campaign.campaign_master_ref:
            raise UserError(
                self.env._(
                    "“%(campaign)s” is not in Campaign Master yet, so there are no statistics. "
                    "Sync it first.",
                    campaign=campaign.title,
                )
            )
        account._check_enabled()
        if not advisory_lock(self.env.cr, LOCK_PULL, campaign.id):
            raise UserError(
                self.env._(
                    "The statistics of “%(campaign)s” are being read at this moment. They will be "
                    "here in a minute.",
                    campaign=campaign.title,
                )
            )
        deadline = time.monotonic() + PATIENCE
        campaign.campaign_master_activity_due = True
        try:
            with account._client() as client:
                complete = campaign._campaign_master_pull(
                    client, lambda: time.monotonic() < deadline
                )
        except CampaignMasterError as error:
            if error.code == "not_found":
                return campaign._campaign_master_found_deleted()
            account._note_error(error)
            raise UserError(
                self.env._(
                    "The statistics were not refreshed; those read so far stay. %(reason)s",
                    reason=account._explain(error),
                )
            ) from error
        if complete:
            message = self.env._("The statistics are up to date.")
        else:
            campaign.campaign_master_pull_due = True
            account._cron("pull_statistics")._trigger()
            message = self.env._(
                "The campaign's figures are up to date. Those of its many recipients follow by "
                "themselves."
            )
        return notification("success", message)

    # === BUSINESS METHODS === #

    def _campaign_master_pull(self, client, may_go_on):
        """Read the figures and, if they moved lately, the activity.

        :param client: ``client.CampaignMasterClient``
        :param may_go_on: called after each page; whether to read another one
        :return: whether all was read
        :raise CampaignMasterError: what was read before it stays
        """
        self.ensure_one()
        statistics = client.statistics(self.campaign_master_ref)
        figures = {PREFIX + name: getattr(statistics, name) for name in FIGURES}
        moved = any(self[name] != value for name, value in figures.items())
        due = self.campaign_master_activity_due
        self.write(
            {
                **(figures if moved else {}),
                "campaign_master_statistics_at": fields.Datetime.now(),
                # Read now, and because figures may move before activity does, next time too.
                "campaign_master_activity_due": moved,
            }
        )
        if moved and self.campaign_master_remote_status != "sent":
            self._campaign_master_store_status(client.get_campaign(self.campaign_master_ref))
            if self.campaign_master_sync_state in ENDED:
                # What is left to do there has changed.
                self.campaign_master_sync_message = self._campaign_master_summary(
                    self.campaign_master_outcome or {}
                )
        # A position other than 0 was left by a run that was cut: it goes on.
        if moved or due or self.campaign_master_activity_page:
            return self._campaign_master_pull_activity(client, may_go_on)
        return True

    def _campaign_master_pull_activity(self, client, may_go_on):
        """Read the pages of activity from where the last run stopped."""
        Recipient = self.env["campaign.master.recipient"]
        since = self.campaign_master_activity_since
        while True:
            number = self.campaign_master_activity_page + 1
            page = client.activity(
                self.campaign_master_ref,
                since=to_client(since),
                page=number,
            )
            Recipient._ingest(self, page.items)
            if number == 1:
                self.campaign_master_activity_next_since = to_odoo(page.as_of)
            if page.last:
                self.write(
                    {
                        "campaign_master_activity_page": 0,
                        "campaign_master_activity_since": (
                            self.campaign_master_activity_next_since - OVERLAP
                        ),
                    }
                )
                return True
            self.campaign_master_activity_page = number
            if not may_go_on():
                return False

    # === CRONS === #

    @api.model
    def _cron_campaign_master_pull(self):
        """Read the figures of all synced campaigns, those that waited longest first.

        A run marks all campaigns as due, unless a former one left some: then it ends that one.
        """
        Cron = self.env["ir.cron"]
        cron = self.env["campaign.master.account"]._cron("pull_statistics")
        synced = [
            ("campaign_master_ref", "!=", False),
            ("campaign_master_remote_status", "!=", DELETED),
            ("campaign_master_account_id.enabled", "=", True),
        ]
        longest_first = "campaign_master_statistics_at NULLS FIRST, id"
        due = [*synced, ("campaign_master_pull_due", "=", True)]
        campaigns = self.search(due, order=longest_first)
        if not campaigns:
            campaigns = self.search(synced, order=longest_first)
            campaigns.campaign_master_pull_due = True
        Cron._commit_progress(remaining=len(campaigns))
        for campaign in campaigns:
            try:
                campaign._campaign_master_pull_turn()
            except SerializationFailure:
                # Somebody wrote the campaign at the same moment. It stays due.
                self.env.cr.rollback()
                cron._trigger()
            except CampaignMasterError as error:
                self.env.cr.rollback()
                campaign.campaign_master_account_id._note_error(error)
                campaign.campaign_master_pull_due = False
            if not Cron._commit_progress(1):
                # The scheduler calls again, and finds those that are still due.
                cron._trigger()
                return

    def _campaign_master_pull_turn(self):
        """Pull one campaign, committing each page.

        :raise CampaignMasterError: pages read before it stay
        """
        Cron = self.env["ir.cron"]
        if not (self.exists() and advisory_lock(self.env.cr, LOCK_PULL, self.id)):
            return
        try:
            with self.campaign_master_account_id._client(background=True) as client:
                complete = self._campaign_master_pull(
                    client,
                    # The lock ends with the page's transaction; nobody else may have taken it.
                    lambda: (
                        Cron._commit_progress() and advisory_lock(self.env.cr, LOCK_PULL, self.id)
                    ),
                )
        except CampaignMasterError as error:
            if error.code != "not_found":
                raise
            self.env.cr.rollback()
            self._campaign_master_found_deleted()
            complete = True
        self.campaign_master_pull_due = not complete
