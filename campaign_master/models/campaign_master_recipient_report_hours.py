from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools import check_marketing_user

PERIOD = relativedelta(months=12)
# Fewer clicks say nothing about 168 hours.
ENOUGH = 200


class CampaignMasterRecipientReport(models.Model):
    """When people click: Reporting › Campaign Master › Best Hours."""

    _inherit = "campaign.master.recipient.report"

    @api.model
    def campaign_master_best_hours(self):
        """Count the first clicks of the last 12 months by weekday and hour, in the time zone of the
        context or, without one, of the user: each click in the time that was valid then.

        Each address counts once per campaign. Neither likely machines count, nor leads that the
        user may not see.

        :return:

            - ``clicks``: number of clicks, and ``enough``: how many there must be
            - ``hides_leads``: whether there may be leads that the user may not see
            - ``timezone``: name of the time zone
            - ``hours``: ``weekday`` (1 for Monday, 7 for Sunday), ``hour`` (0 to 23) and ``clicks``
              of each hour with clicks; empty if there are not enough
        :rtype: dict
        :raise AccessError: the user has no access to Email Marketing
        """
        check_marketing_user(self.env)
        timezone = str(self.env.tz)
        groups = self.with_context(tz=timezone)._read_group(
            self._best_hours_domain(),
            ["first_click:day_of_week", "first_click:hour_number"],
            ["__count"],
        )
        clicks = sum(count for _weekday, _hour, count in groups)
        return {
            "clicks": clicks,
            "enough": ENOUGH,
            "hides_leads": not self.env.user.has_group("sales_team.group_sale_salesman_all_leads"),
            "timezone": timezone,
            "hours": [
                # PostgreSQL's Sunday is 0.
                {"weekday": int(weekday) or 7, "hour": int(hour), "clicks": count}
                for weekday, hour, count in groups
            ]
            if clicks >= ENOUGH
            else [],
        }

    @api.model
    def _best_hours_domain(self):
        """:return: which first clicks count"""
        recent = Domain("first_click", ">=", fields.Datetime.now() - PERIOD)
        return recent & Domain("machine_rule", "=", False)
