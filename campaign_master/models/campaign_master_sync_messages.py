from datetime import timedelta

from odoo import fields, models

from ..client import CampaignMasterNotFoundError
from ..tools import explain, format_count

# A sync that has not been started after this time says why.
START_TIMEOUT = timedelta(seconds=15)
# Number of reasons for rejections in a message.
TOP_REASONS = 3


class CampaignMasterSync(models.Model):
    """What a sync tells people, in the language and time zone of the user who started it."""

    _inherit = "campaign.master.sync"

    def _running_message(self):
        if self.total == 1:
            return self.env._(
                "The campaign is in Campaign Master. 1 recipient is being added to the list "
                "“%(list)s”.",
                list=self.list_name,
            )
        return self.env._(
            "The campaign is in Campaign Master. %(count)s recipients are being added to the list "
            "“%(list)s”.",
            count=format_count(self.env, self.total),
            list=self.list_name,
        )

    def _message_now(self):
        """:return: the message of a running sync; why, if it does not start or continue
        :rtype: str"""
        if not self._cron_push_recipients().active:
            return self.env._(
                "The sync is paused: the scheduled action “Campaign Master: Add Waiting "
                "Recipients” is not active. An administrator can activate it in Settings › "
                "Technical › Scheduled Actions."
            )
        if self.taken_at or fields.Datetime.now() - self.started_at < START_TIMEOUT:
            return self.message
        return self.env._(
            "The sync starts as soon as Odoo runs its scheduled actions, which are busy or "
            "switched off. If this takes more than a few minutes, contact your administrator."
        )

    def _template_message(self, template_ref):
        """:return: that Campaign Master has the campaign with another template

        :param str template_ref: the template that it has
        """
        template = self.env["campaign.master.template"].search(
            [("account_id", "=", self.account_id.id), ("ref", "=", template_ref)]
        )
        return self.env._(
            "“%(campaign)s” was not synced: an earlier sync, whose response was lost, has created "
            "it in Campaign Master with the template “%(template)s”. Select this template again, "
            "or delete the campaign in Campaign Master; then sync again.",
            campaign=self.campaign_id.title,
            template=template.name or template_ref,
        )

    def _failure_message(self, error):
        sentences = []
        if self.step == "export":
            sentences.append(
                self.env._(
                    "“%(campaign)s” was not synced; no recipients were added.",
                    campaign=self.campaign_id.title,
                )
            )
        elif self.failures:
            sentences.append(
                self.env._(
                    "The sync failed after %(tries)s attempts; some recipients were not added.",
                    tries=self.failures + 1,
                )
            )
        else:
            sentences.append(self.env._("The sync failed; some recipients were not added."))
        if isinstance(error, CampaignMasterNotFoundError):
            sentences.append(
                self.env._(
                    "The list “%(list)s” was deleted in Campaign Master. Select another list, then "
                    "sync again to continue.",
                    list=self.list_name,
                )
            )
        else:
            sentences.append(explain(self.env, error))
        return " ".join(sentences)

    def _unanswered_message(self):
        """:return: how many addresses have no result yet
        :rtype: str"""
        return self.env._(
            "Not confirmed by Campaign Master yet: %(count)s.",
            count=format_count(self.env, self._count_unanswered()),
        )

    def _summary(self, counts):
        """:return: what the sync did, and the next steps

        :param dict counts: the campaign's recipients by state
        """
        lines = []
        if reasons := self._rejection_reasons():
            lines.append(
                self.env._(
                    "Rejected by Campaign Master: %(reasons)s.",
                    reasons="; ".join(
                        f"“{reason}” ({format_count(self.env, count)})" for reason, count in reasons
                    ),
                )
            )
        if self._count_unanswered():
            advice = self.env._("It may still be adding them: sync again later.")
            lines.append(f"{self._unanswered_message()} {advice}")
        return self.campaign_id._campaign_master_summary(counts, lines)

    def _rejection_reasons(self):
        """:return: why recipients were rejected, the most frequent reasons first:
        ``[(reason, recipients)]``"""
        groups = self.env["campaign.master.recipient"]._read_group(
            [("campaign_id", "=", self.campaign_id.id), ("sync_state", "=", "refused")],
            ["sync_message"],
            ["__count"],
            order="__count DESC",
            limit=TOP_REASONS,
        )
        return [(reason, count) for reason, count in groups if reason]
