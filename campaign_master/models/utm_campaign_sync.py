from odoo import models
from odoo.exceptions import UserError

from ..tools import format_count, notification
from .campaign_master_recipient import ON_LIST
from .utm_campaign_results import DELETED


class UtmCampaign(models.Model):
    """The buttons of syncing and refreshing, and what people see of it.

    A button writes a row in the user's transaction and triggers a scheduled action, which makes
    the calls.
    """

    _inherit = "utm.campaign"

    # === ACTION METHODS === #

    def action_campaign_master_sync(self):
        """Start a sync: the campaign is created or updated in Campaign Master, and its recipients
        are added to the list. The scheduled action *Add Waiting Recipients* makes the calls.

        In an automation rule or scheduled action, a refusal is not raised but stored as a failed
        sync: raising would undo the change that triggered the rule. Such a call is recognized by
        the context, where Odoo sets ``__action_done`` for automation rules and ``cron_id`` for
        scheduled actions.

        :return: a notification action: that the sync is starting, or is already running
        :rtype: dict
        :raise UserError: something required is missing; nothing was changed
        :raise AccessError: the user has no access to Email Marketing
        """
        return self._campaign_master_sync()

    def action_campaign_master_retry(self):
        """Sync, and also add recipients that Campaign Master rejected before."""
        return self._campaign_master_sync(retry_refused=True)

    def action_campaign_master_create_again(self):
        """Sync, and create a new campaign because the previous one was deleted there."""
        return self._campaign_master_sync(create_again=True)

    def _campaign_master_sync(self, create_again=False, retry_refused=False):
        """See :meth:`action_campaign_master_sync`."""
        campaign = self._campaign_master_check_access()
        if campaign.campaign_master_sync_state == "running":
            return notification(
                "info",
                self.env._(
                    "“%(campaign)s” is already being synced. Its progress is shown on the "
                    "campaign.",
                    campaign=campaign.title,
                ),
            )
        try:
            with self.env.cr.savepoint():
                if create_again:
                    campaign._campaign_master_unlink()
                campaign._campaign_master_ensure_account()
                sync = self.env["campaign.master.sync"].sudo()._start(campaign, retry_refused)
        except UserError as error:
            if not {"__action_done", "cron_id"} & self.env.context.keys():
                raise
            self.env["campaign.master.sync"].sudo()._log_refusal(campaign, str(error))
            return notification("danger", str(error))
        return notification("info", sync.message)

    def action_campaign_master_unlink(self):
        """Remove the link to a campaign that was deleted in Campaign Master."""
        self._campaign_master_check_access()._campaign_master_unlink()
        return True

    def _campaign_master_unlink(self):
        """:raise UserError: it was not deleted there, or a sync is running"""
        self._campaign_master_refuse_while_running()
        if self.campaign_master_remote_status != DELETED:
            raise UserError(
                self.env._(
                    "“%(campaign)s” still exists in Campaign Master according to the last sync. "
                    "Nothing was changed. Delete it there and sync, then try again.",
                    campaign=self.title,
                )
            )
        self._campaign_master_store_unlinked()

    def action_campaign_master_cancel(self):
        """Stop a running sync. A batch that was already sent is still stored."""
        campaign = self._campaign_master_check_access()
        message = self.env._(
            "Cancelled. Recipients already added remain on the list. Sync again to add the others."
        )
        if sync := campaign._campaign_master_running_sync():
            sync._end("cancelled", message)
        elif campaign.campaign_master_sync_state == "running":
            campaign._campaign_master_store_sync("cancelled", message)
        return True

    def action_campaign_master_check(self):
        """Preview a sync, without contacting Campaign Master.

        :return: an action that opens the preview
        :rtype: dict
        :raise UserError: the company has no enabled account
        :raise AccessError: the user has no access to Email Marketing
        """
        campaign = self._campaign_master_check_access()
        self._campaign_master_ensure_account()
        preview = self.env["campaign.master.preflight"]._check(campaign)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check Before Sync"),
            "res_model": preview._name,
            "res_id": preview.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_campaign_master_refresh_statistics(self):
        """Read the statistics now: the scheduled action *Read Statistics* starts with them.

        :return: a notification action
        :rtype: dict
        :raise UserError: the campaign was not synced yet, or its account is disabled
        :raise AccessError: the user has no access to Email Marketing
        """
        campaign = self._campaign_master_check_access("read")
        if not campaign.campaign_master_ref:
            raise UserError(
                self.env._(
                    "“%(campaign)s” is not in Campaign Master yet, so there are no statistics. "
                    "Sync it first.",
                    campaign=campaign.title,
                )
            )
        campaign.campaign_master_account_id._check_enabled()
        if not self.env["campaign.master.campaign"]._cron_read().active:
            raise UserError(
                self.env._(
                    "The statistics cannot be refreshed: the scheduled action “Campaign Master: "
                    "Read Statistics” is not active. An administrator can activate it in Settings "
                    "› Technical › Scheduled Actions."
                )
            )
        campaign.campaign_master_campaign_ids._request_reading()
        return notification("info", self.env._("The statistics are being refreshed."))

    # === PROGRESS === #

    def campaign_master_progress(self):
        """Return how the sync stands, for forms that show it live and for RPC clients.

        :return: ``id``; ``state`` and ``message`` of the sync; ``steps`` (what is left to do in
            Campaign Master after it); ``done`` and ``total`` recipients of a running sync;
            ``counts`` (recipients by result); ``refreshing`` (whether statistics were requested and
            are not there yet); ``refresh_message`` (why the last refresh failed, or an empty text)
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to the campaign
        """
        return self._campaign_master_check_access("read")._campaign_master_progress()

    def _campaign_master_progress(self):
        row = self.campaign_master_campaign_ids
        sync = self._campaign_master_running_sync()
        counts = sync.counts or self.campaign_master_outcome or {}
        return {
            "id": self.id,
            "state": self.campaign_master_sync_state,
            "message": sync._message_now() if sync else self.campaign_master_sync_message or "",
            "steps": self._campaign_master_steps(),
            "done": max(sync.total - counts.get("pending", 0), 0),
            "total": sync.total,
            "counts": counts,
            "refreshing": bool(row.requested_at),
            "refresh_message": row.read_message or "",
        }

    def _campaign_master_running_sync(self):
        """:return: the running ``campaign.master.sync``, or an empty recordset"""
        if self.campaign_master_sync_state != "running":
            return self.env["campaign.master.sync"]
        return self.env["campaign.master.sync"].search(
            [("campaign_id", "=", self.id), ("state", "=", "running")], limit=1
        )

    def _campaign_master_send_progress(self):
        """Update the forms that show this campaign, after the transaction is committed."""
        self.env["bus.bus"]._sendone(
            (self, "campaign_master"), "campaign_master/progress", self._campaign_master_progress()
        )

    # === MESSAGES === #

    def _campaign_master_summary(self, counts, problems=()):
        """:return: what a sync did and, if the campaign is no draft, its state in Campaign Master;
            one sentence per line

        :param dict counts: number of recipients by state
        :param problems: lines about recipients that are not on the list
        """
        total = sum(counts.values())
        if total:
            lines = [
                self.env._(
                    "Recipients on the list “%(list)s”: %(on_list)s of %(total)s.",
                    list=self.campaign_master_list_id.name,
                    on_list=format_count(self.env, sum(counts.get(name, 0) for name in ON_LIST)),
                    total=format_count(self.env, total),
                )
            ]
        else:
            lines = [
                self.env._(
                    "The campaign is in Campaign Master. It has no recipients yet: add leads, "
                    "contacts or companies and sync again."
                )
            ]
        if total and (late := self._campaign_master_late_count()):
            lines.append(
                self.env._("Added after sending: %(count)s.", count=format_count(self.env, late))
            )
        lines += problems
        if self.campaign_master_objection_message:
            lines.append(self.campaign_master_objection_message)
        if not self._campaign_master_is_draft():
            # The form shows the steps of a draft one by one.
            lines.append(self._campaign_master_next_step())
        return "\n".join(lines)

    def _campaign_master_late_count(self):
        return self.env["campaign.master.recipient"].search_count(
            [("campaign_id", "=", self.id), ("late", "=", True)]
        )

    def _campaign_master_is_draft(self):
        # Campaign Master may not say so.
        return (self.campaign_master_remote_status or "draft") == "draft"

    def _campaign_master_steps(self):
        """:return: what is left to do in Campaign Master after a sync. Its API does not say which
            of it was done.
        :rtype: list[str]"""
        is_synced = self.campaign_master_sync_state in ("unchanged", "complete", "partial")
        if not is_synced or not self._campaign_master_is_draft():
            return []
        return [
            self.env._(
                "Select the list “%(list)s” for the campaign",
                list=self.campaign_master_list_id.name,
            ),
            self.env._("Review it"),
            self.env._("Send it"),
        ]

    def _campaign_master_next_steps(self):
        """:return: what to do in Campaign Master after a sync, one sentence per line
        :rtype: str"""
        lines = [self.campaign_master_objection_message, self._campaign_master_next_step()]
        return "\n".join(line for line in lines if line)

    def _campaign_master_next_step(self):
        if self._campaign_master_is_draft():
            return self.env._(
                "Next steps in Campaign Master: select the list “%(list)s” for this campaign, "
                "review it and send it. Everyone on the list receives it, including people who are "
                "not recipients in Odoo.",
                list=self.campaign_master_list_id.name,
            )
        if sent_message := self._campaign_master_sent_message():
            return " ".join(
                (
                    sent_message,
                    self.env._(
                        "It can no longer be updated, and recipients added later will not receive "
                        "it."
                    ),
                )
            )
        return self.env._(
            "The campaign is “%(status)s” in Campaign Master and can no longer be updated.",
            status=self.campaign_master_remote_status,
        )
