from odoo import api, fields, models
from odoo.fields import Domain

from ..tools import MARKETING_GROUP, format_count
from .campaign_master_recipient import SENT_STATUSES
from .utm_campaign_results import DELETED, reported


class UtmCampaign(models.Model):
    """What the form warns about: people on the list who object, and emails that were not sent."""

    _inherit = "utm.campaign"

    campaign_master_objection_count = fields.Integer(
        string="Blacklisted, but on the List",
        compute="_compute_campaign_master_objections",
        compute_sudo=True,
        groups=MARKETING_GROUP,
        help="People on the list who are on Odoo's blacklist. Campaign Master's API cannot take "
        "them off the list.",
    )
    campaign_master_objection_message = fields.Text(
        compute="_compute_campaign_master_objections", compute_sudo=True, groups=MARKETING_GROUP
    )
    campaign_master_sent_to = reported(
        fields.Integer,
        string="On the List When Sent",
        help="Addresses of recipients in Odoo that were on the list when the campaign was sent.",
    )
    campaign_master_missing_message = fields.Text(
        compute="_compute_campaign_master_missing_message",
        compute_sudo=True,
        groups=MARKETING_GROUP,
    )

    @api.depends("campaign_master_list_id", "campaign_master_remote_status")
    @api.depends_context("lang")
    def _compute_campaign_master_objections(self):
        Recipient = self.env["campaign.master.recipient"]
        for campaign in self:
            count = 0
            if campaign.campaign_master_list_id:
                # Several campaigns may have put the same address on the list.
                [[count]] = Recipient._read_group(
                    campaign._campaign_master_objections(), [], ["email:count_distinct"]
                )
            campaign.campaign_master_objection_count = count
            campaign.campaign_master_objection_message = self._campaign_master_objection_text(count)

    def _campaign_master_objections(self):
        """:return: a domain: recipients, of any campaign, who object and are on the campaign's list
        all the same"""
        if self.campaign_master_remote_status in (*SENT_STATUSES, DELETED):
            return Domain.FALSE
        same_list = ("campaign_id.campaign_master_list_id", "=", self.campaign_master_list_id.id)
        return Domain([same_list]) & Domain("is_objection", "=", True)

    @api.model
    def _campaign_master_objection_text(self, count):
        if not count:
            return False
        if count == 1:
            return self.env._(
                "1 person on the list is blacklisted in Odoo and will receive the email unless you "
                "take them off the list in Campaign Master."
            )
        return self.env._(
            "%(count)s people on the list are blacklisted in Odoo and will receive the email "
            "unless you take them off the list in Campaign Master.",
            count=format_count(self.env, count),
        )

    def action_campaign_master_open_objections(self):
        """Open the people who object, and are on the list all the same."""
        title = self.env._("Blacklisted, but on the List")
        return self.action_campaign_master_recipients() | {
            "name": title,
            "display_name": title,
            "domain": list(
                self._campaign_master_check_access("read")._campaign_master_objections()
            ),
        }

    @api.depends("campaign_master_remote_status", "campaign_master_sent", "campaign_master_sent_to")
    @api.depends_context("lang")
    def _compute_campaign_master_missing_message(self):
        for campaign in self:
            row = campaign.campaign_master_campaign_ids
            seen_sent_at = row.seen_sent_at or fields.Datetime.now()
            is_missing = (
                campaign.campaign_master_remote_status == "sent"
                and campaign.campaign_master_sent is not False
                # Older figures do not include the sending.
                and (
                    campaign.campaign_master_sent
                    or (campaign.campaign_master_statistics_at or seen_sent_at) > seen_sent_at
                )
                and campaign.campaign_master_sent < campaign.campaign_master_sent_to
            )
            campaign.campaign_master_missing_message = is_missing and self.env._(
                "Campaign Master sent fewer emails (%(sent)s) than there were recipients on the "
                "list “%(list)s” (%(on_list)s). Another list was probably selected there: check it "
                "before you rely on who received, opened or did not open the email.",
                sent=format_count(self.env, campaign.campaign_master_sent),
                on_list=format_count(self.env, campaign.campaign_master_sent_to),
                list=campaign.campaign_master_list_id.name,
            )
