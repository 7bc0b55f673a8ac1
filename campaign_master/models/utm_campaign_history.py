import math
from datetime import timedelta

from odoo import fields, models

from ..tools.reactions import count_before, curve_ages
from .campaign_master_snapshot import KEPT

HOUR = timedelta(hours=1)


class UtmCampaign(models.Model):
    """How a sent campaign went over time.

    What people did comes from the recipients (``campaign.master.recipient``), exact at any age;
    what Campaign Master counted comes from ``campaign.master.snapshot``.
    """

    _inherit = "utm.campaign"

    def campaign_master_history(self):
        """Return how the campaign went over time, for the form and for RPC clients. Campaigns of
        before the first reading or sending have none of it.

        - ``sent_at``, ``read_at``: when it was sent, and when it was read last (UTC, text);
        - ``curve``: see :meth:`_campaign_master_curve`;
        - ``totals``: see :meth:`_campaign_master_totals`;
        - ``comparison``: see :meth:`_campaign_master_comparison`.

        They are numbers of all recipients, also of leads that the user may not see.

        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to the campaign
        """
        campaign = self._campaign_master_check_access("read")
        sent_at = campaign.campaign_master_campaign_ids.sent_at
        return {
            "sent_at": fields.Datetime.to_string(sent_at) or None,
            "read_at": fields.Datetime.to_string(campaign.campaign_master_statistics_at) or None,
            "curve": campaign._campaign_master_curve(),
            "totals": campaign._campaign_master_totals(),
            "comparison": campaign._campaign_master_comparison(),
        }

    def _campaign_master_curve(self):
        """Return how many people had opened and clicked by which time after the sending.

        People with the same address count once, and a click counts as an open. A point counts what
        happened before its age, the last one everything that is known.

        :return: ``None`` if the campaign was not sent, or it is not known when; else

            - ``age``: hours since the sending: 0 to 48, every sixth until 168 (7 days), then every
              24th; the last is that of the last reading, with two decimals
            - ``opened``, ``clicked``: for each age, the number of people
            - ``delivered``: number of people to whom it was delivered
            - ``untimed``: number of people who opened or clicked, but are not on the curve, because
              Campaign Master does not say when
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to the campaign
        """
        campaign = self._campaign_master_check_access("read")
        age, found = campaign._campaign_master_age(), campaign._campaign_master_reactions()
        if age is None or not found:
            return None
        ages = curve_ages(round(max(age, 0), 2))
        limits = [*ages[:-1], math.inf]
        return {
            "age": ages,
            "opened": count_before(limits, found.opened),
            "clicked": count_before(limits, found.clicked),
            "delivered": found.delivered,
            "untimed": found.untimed,
        }

    def _campaign_master_totals(self):
        """Return Campaign Master's figures over time, as far as Odoo has kept them.

        :return: for each ``campaign.master.snapshot``, oldest first: ``at`` (UTC, text), ``age``
            (hours since the sending, or ``None``), and the figures by their names in ``KEPT``,
            ``None`` for those that were not reported
        :rtype: list[dict]
        :raise AccessError: the user has no access to Email Marketing or to the campaign
        """
        campaign = self._campaign_master_check_access("read")
        snapshots = self.env["campaign.master.snapshot"].sudo()
        return [
            {
                "at": fields.Datetime.to_string(snapshot.at),
                "age": None if snapshot.age is False else snapshot.age / HOUR.total_seconds(),
                **{name: None if snapshot[name] is False else snapshot[name] for name in KEPT},
            }
            for snapshot in snapshots.search([("campaign_id", "=", campaign.id)], order="at, id")
        ]

    def _campaign_master_comparison(self):
        """Compare the campaign with others at the same age: the last of 1, 3, 6, 12, 24, 48, 96 and
        168 hours that it has reached.

        How many percent of the people that it was delivered to had opened and clicked it by then,
        against the median of the last 10 other campaigns of its account that were delivered to at
        least 50 people. With fewer than 5 such campaigns, there is no comparison.

        :return: ``opened`` and ``clicked``; each is ``None`` or has

            - ``value``: percent of this campaign
            - ``median``: percent of the others
            - ``difference``: ``value`` − ``median``, in percentage points
            - ``campaigns``: number of the others
            - ``age``: in hours
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing or to the campaign
        """
        campaign = self._campaign_master_check_access("read")
        ages = self.env["campaign.master.age"].sudo()
        return ages.search(
            [("campaign_id", "=", campaign.id)], order="age DESC", limit=1
        )._compare()

    # === KEEPING === #

    def _campaign_master_keep_history(self, changed=True):
        """A reading is complete.

        :param bool changed: whether something may have changed since the last one
        """
        if changed:
            self.env["campaign.master.snapshot"]._take(self)
        self.env["campaign.master.age"]._keep(self)

    def _campaign_master_forget_history(self):
        """The campaign will be created again, and then is another one."""
        for model in ("campaign.master.snapshot", "campaign.master.age"):
            self.env[model].search([("campaign_id", "in", self.ids)]).unlink()

    def _campaign_master_age(self):
        """:return: how many hours after its sending the campaign was last read; ``None`` if it was
            not sent or read, or it is not known when it was sent
        :rtype: float"""
        sent_at = self.campaign_master_campaign_ids.sent_at
        read_at = self.campaign_master_statistics_at
        return (read_at - sent_at) / HOUR if sent_at and read_at else None
