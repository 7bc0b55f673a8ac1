from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools import check_marketing_user
from .campaign_master_recipient import SENT_STATUSES
from .utm_campaign_history import HOUR
from .utm_campaign_results import DELETED

# More lines cannot be told apart.
LIMIT = 10


class UtmCampaign(models.Model):
    """Several campaigns at the same age: Reporting › Campaign Master › Comparison."""

    _inherit = "utm.campaign"

    def action_campaign_master_compare(self):
        """Compare the selected campaigns.

        :raise UserError: more than 10, or none that was sent
        """
        check_marketing_user(self.env)
        self.check_access("read")
        self._campaign_master_check_limit()
        if not self.filtered_domain(self._campaign_master_comparable_domain()):
            raise UserError(
                self.env._(
                    "Campaigns can be compared after Campaign Master has sent them. None of the "
                    "selected ones was sent."
                )
            )
        action = self.env["ir.actions.actions"]._for_xml_id(
            "campaign_master.campaign_master_comparison_action"
        )
        return {**action, "params": {"campaign_ids": self.ids}}

    def _campaign_master_check_limit(self):
        if len(self) > LIMIT:
            raise UserError(
                self.env._(
                    "Up to %(limit)s campaigns can be compared; %(count)s are selected. Select "
                    "fewer.",
                    limit=LIMIT,
                    count=len(self),
                )
            )

    @api.model
    def campaign_master_compare(self, campaign_ids=None):
        """Return how many people had opened and clicked some campaigns at which age.

        It is known from the recipients at any age (``people``). If Campaign Master does not say
        when they opened or clicked, it is known from its own numbers when Odoo read them
        (``readings``).

        :param list campaign_ids: up to 10 campaigns; ``None``: the last ones
        :return:

            - ``campaigns``: those that were sent, last sent first, each with ``id``, ``name``,
              ``sent_at`` (UTC, text), ``delivered``, ``untimed`` (see
              ``utm.campaign._campaign_master_curve``), ``source`` (``people`` or ``readings``),
              ``age`` (in hours since the sending) and, for each age, ``opened`` and ``clicked`` (in
              percent of ``delivered``, ``None`` if it is not known)
            - ``unknown``: names of those that were not sent, or of which nothing is known
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to one of the campaigns
        :raise UserError: more than 10 campaigns
        """
        check_marketing_user(self.env)
        if campaign_ids is None:
            campaigns = self.search(
                self._campaign_master_comparable_domain(),
                order="campaign_master_sent_at DESC NULLS LAST, id DESC",
                limit=LIMIT,
            )
        else:
            campaigns = self.browse(campaign_ids).exists()
            campaigns._campaign_master_check_limit()
        campaigns.check_access("read")
        # sudo: all figures are for every marketing user
        known = campaigns.sudo()._campaign_master_compared()
        return {
            "campaigns": known,
            "unknown": [
                campaign.title
                for campaign in campaigns
                if campaign.id not in {one["id"] for one in known}
            ],
        }

    @api.model
    def _campaign_master_comparable_domain(self):
        """:return: campaigns that were sent"""
        return Domain("campaign_master_remote_status", "in", SENT_STATUSES) | (
            Domain("campaign_master_remote_status", "=", DELETED)
            & Domain("campaign_master_sent", ">", 0)
        )

    def _campaign_master_compared(self):
        """:return: ``campaigns`` of :meth:`campaign_master_compare`"""
        compared, untimed = [], self.browse()
        for campaign in self:
            curve = campaign._campaign_master_curve()
            if not curve:
                continue
            if not campaign._campaign_master_reactions().is_timed:
                untimed += campaign
            compared.append((campaign, curve))
        readings = self.env["campaign.master.snapshot"].search(
            [("campaign_id", "in", untimed.ids)], order="at, id"
        )
        readings = readings.filtered(lambda reading: reading.age is not False)
        readings = readings.grouped("campaign_id")
        for campaign, curve in compared:
            if campaign in untimed:
                curve |= campaign._campaign_master_read_curve(readings.get(campaign, ()))
            curve["source"] = "readings" if campaign in untimed else "people"
        rate = self.env["campaign.master.age"]._fields["opened_rate"]
        found = [
            {
                **curve,
                "id": campaign.id,
                "name": campaign.title,
                "sent_at": fields.Datetime.to_string(campaign.campaign_master_campaign_ids.sent_at),
                **{
                    name: [rate.of(number, curve["delivered"]) for number in curve[name]]
                    for name in ("opened", "clicked")
                },
            }
            for campaign, curve in compared
        ]
        return sorted(found, key=lambda one: one["sent_at"], reverse=True)

    def _campaign_master_read_curve(self, readings):
        """:param readings: ``campaign.master.snapshot`` of the campaign, oldest first
        :return: what they add to, or replace in, ``_campaign_master_curve``"""
        return {
            "age": [round(reading.age / HOUR.total_seconds(), 2) for reading in readings],
            "opened": [reading.unique_opens for reading in readings],
            "clicked": [reading.unique_clicks for reading in readings],
            "delivered": self.campaign_master_successful or 0,
            "untimed": 0,
        }
