from odoo import fields, models

from ..client import wire
from ..tools import utcnow
from ..tools.account_ledger import BACKGROUND_SHARE, HOUR_LIMIT, MONTH_LIMIT
from ..tools.polling import (
    DAY,
    OTHERS_PERIOD,
    STATISTICS_PERIOD,
    end_of_pushing,
    forecast,
    pushes_per_day,
    slowdown,
)


class CampaignMasterAccount(models.Model):
    """API calls against the limits."""

    _inherit = "campaign.master.account"

    calls_this_hour = fields.Integer(
        compute="_compute_calls",
        compute_sudo=True,
        help="Calls in the current hour as counted by Campaign Master, at the last response.",
    )
    calls_hour_limit = fields.Integer(
        string="Hourly Limit", compute="_compute_calls", compute_sudo=True
    )
    calls_this_month = fields.Integer(
        compute="_compute_calls",
        compute_sudo=True,
        help="Calls in this calendar month (UTC). Each is counted before it is sent.",
    )
    calls_month_limit = fields.Integer(
        string="Monthly Limit", compute="_compute_calls", compute_sudo=True
    )
    calls_forecast = fields.Integer(
        string="Forecast This Month",
        compute="_compute_calls",
        compute_sudo=True,
        help="Expected number of calls this month, based on the last seven days.",
    )

    def _compute_calls(self):
        now = utcnow()
        for account in self:
            state = account.state_ids
            is_current_hour = state.hour_reset_at and state.hour_reset_at > now
            account.calls_hour_limit = state.hour_limit or HOUR_LIMIT
            account.calls_this_hour = (
                state.hour_limit - state.hour_remaining
                if state.hour_limit and is_current_hour
                else 0
            )
            account.calls_month_limit = MONTH_LIMIT
            account.calls_this_month = account._calls_of_month(now)
            per_day = account._expected_calls_per_day(now)
            account.calls_forecast = forecast(now, account.calls_this_month, sum(per_day.values()))

    def _calls_of_month(self, now):
        """:return: calls counted in the calendar month of ``now`` (UTC)"""
        # sudo: marketing users may not read the state
        state = self.sudo().state_ids
        return state.month_calls if state.month == now.strftime("%Y-%m") else 0

    def _slowdown(self):
        """By how much reading statistics slows down so that the month's calls last. Compute it once
        in a run of the scheduled action.

        :return: a number for ``tools.polling.next_poll``
        :rtype: int
        """
        self.ensure_one()
        now = utcnow()
        others = self._expected_calls_per_day(now)
        others.pop("statistics", None)
        return slowdown(
            now,
            self._calls_of_month(now),
            self._calls_per_day(STATISTICS_PERIOD).get("statistics", 0),
            sum(others.values()),
            MONTH_LIMIT * BACKGROUND_SHARE,
        )

    def _expected_calls_per_day(self, now):
        """:return: calls per day by purpose until the month's end, if it goes on as before
        :rtype: dict"""
        calls = self._calls_per_day(OTHERS_PERIOD)
        if "recipients" in calls:
            calls["recipients"] = pushes_per_day(
                now,
                self._calls_of_month(now),
                calls["recipients"],
                MONTH_LIMIT * BACKGROUND_SHARE,
            )
        return calls

    def _adding(self, recipients):
        """How long adding recipients takes, if the limits alone decide.

        :param int recipients: number of recipients, one at least
        :return: number of calls, and when the last one is made (naive, UTC)
        :rtype: tuple[int, datetime]
        """
        self.ensure_one()
        now = utcnow()
        calls = -(-recipients // wire.MAX_RECIPIENTS)
        others = self._calls_per_day(OTHERS_PERIOD)
        others.pop("recipients", None)
        # sudo: marketing users may not read the state
        hour_limit = self.sudo().state_ids.hour_limit or HOUR_LIMIT
        end = end_of_pushing(
            now,
            calls,
            self._calls_of_month(now),
            sum(others.values()),
            hour_limit * BACKGROUND_SHARE,
            MONTH_LIMIT * BACKGROUND_SHARE,
        )
        return calls, end

    def _calls_per_day(self, period):
        """:return: calls per day by purpose in the last days, or since the account was created
        :rtype: dict

        :param timedelta period: the last days
        """
        now = utcnow()
        age = min(max(now - (self.create_date or now), DAY), period)
        calls = self.env["campaign.master.usage"].sudo()._since(self, now - period)
        return {purpose: count / (age / DAY) for purpose, count in calls.items()}

    def _calls_by_purpose(self):
        """:return: for each purpose its ``label`` and the calls of this ``hour`` and ``month``
        (UTC)
        :rtype: list[dict]"""
        self.ensure_one()
        Usage = self.env["campaign.master.usage"].sudo()
        hour = utcnow().replace(minute=0, second=0, microsecond=0)
        by_hour = Usage._since(self, hour)
        by_month = Usage._since(self, hour.replace(day=1, hour=0))
        return [
            {"label": label, "hour": by_hour.get(name, 0), "month": by_month.get(name, 0)}
            for name, label in Usage._fields["purpose"]._description_selection(self.env)
        ]

    def action_open_calls(self):
        """Open the account's calls by purpose."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_usage_action"
        )
        return {**action, "domain": [("account_id", "=", self.id)]}
