from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools import MARKETING_GROUP, format_date_and_time


class UtmCampaign(models.Model):
    """Adding recipients, and choosing the campaign to which they are added."""

    _inherit = "utm.campaign"

    # === ADDING === #

    def campaign_master_add_recipients(self, model, domain):
        """Add all records that the user may read and the domain finds. Adding twice is harmless.

        :param str model: ``res.partner`` or ``crm.lead``
        :param list domain: a search domain on that model
        :return: ``added``, ``existing`` (already on the campaign) and, among those added,
            ``without_email``
        :rtype: dict
        :raise UserError: another model, or the company has no enabled account
        :raise AccessError: the user has no access to Email Marketing or to the model
        """
        campaign = self._campaign_master_check_access()
        if model not in ("res.partner", "crm.lead"):
            raise UserError(
                self.env._(
                    "Only leads, contacts and companies can be recipients. No recipient was added."
                )
            )
        self._campaign_master_ensure_account()
        people = self.env[model]
        people.check_access("read")
        # The statement that adds them reads the database.
        people.flush_model()
        query = people._search(Domain(domain))
        return self.env["campaign.master.recipient"].sudo()._add(campaign, query)

    def _campaign_master_sent_message(self):
        """:return: that the campaign was sent and when, or ``False``"""
        campaign = self.sudo()
        if not campaign._campaign_master_is_sent():
            return False
        if campaign.campaign_master_remote_status == "sending":
            return self.env._("“%(campaign)s” is being sent.", campaign=campaign.title)
        if not campaign.campaign_master_sent_at:
            return self.env._("“%(campaign)s” was sent.", campaign=campaign.title)
        return self.env._(
            "“%(campaign)s” was sent on %(date)s.",
            campaign=campaign.title,
            date=format_date_and_time(self.env, campaign.campaign_master_sent_at),
        )

    # === DROP-DOWNS === #

    @api.depends("campaign_master_remote_status")
    @api.depends_context("campaign_master_drop_down", "lang", "uid")
    def _compute_display_name(self):
        """In our drop-downs, mark campaigns that were sent."""
        super()._compute_display_name()
        if not self._campaign_master_is_drop_down():
            return
        labels = {"sent": self.env._("%s (sent)"), "sending": self.env._("%s (being sent)")}
        for campaign in self:
            if label := labels.get(campaign.sudo().campaign_master_remote_status):
                campaign.display_name = label % campaign.display_name

    @api.model
    @api.readonly
    def search_fetch(self, domain, field_names=None, offset=0, limit=None, order=None):
        """In our drop-downs, the newest campaign is first."""
        if self._campaign_master_is_drop_down():
            order = order or "id desc"
        return super().search_fetch(domain, field_names, offset, limit, order)

    @api.model
    def _campaign_master_is_drop_down(self):
        # Others must not learn what was sent.
        return "campaign_master_drop_down" in self.env.context and self.env.user.has_group(
            MARKETING_GROUP
        )

    # === ACTION METHODS === #

    def action_campaign_master_add_lead(self):
        return self._action_campaign_master_add("lead", self.env._("Add Leads"))

    def action_campaign_master_add_contact(self):
        return self._action_campaign_master_add("contact", self.env._("Add Contacts"))

    def action_campaign_master_add_company(self):
        return self._action_campaign_master_add("company", self.env._("Add Companies"))

    def _action_campaign_master_add(self, kind, name):
        self._campaign_master_check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "campaign.master.add.recipients",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_campaign_id": self.id,
                "default_model": "crm.lead" if kind == "lead" else "res.partner",
                "default_kind": kind,
            },
        }
