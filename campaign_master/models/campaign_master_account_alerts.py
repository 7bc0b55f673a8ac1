from odoo import api, fields, models
from odoo.exceptions import ValidationError

WARNING, ALARM = "warning", "alarm"
# What is watched, and its limits in percent: two levels, or a warning only.
KINDS = {
    "complaints": (WARNING, ALARM),
    "bounces": (WARNING, ALARM),
    "unsubscribes": (WARNING,),
    "opened": (WARNING,),
}


def limit_name(kind, level):
    """:return: the name of the account's field with this limit"""
    return f"alert_{kind}_{level}"


# Settings that accounts and the settings form share.
ALERT_FIELDS = (
    "alerts_enabled",
    *(limit_name(kind, level) for kind, levels in KINDS.items() for level in levels),
)


def _limit(string, default, description):
    return fields.Float(
        string, default=default, digits=(6, 2), help=f"{description} 0 or empty turns it off."
    )


class CampaignMasterAccount(models.Model):
    """Beyond which limits figures of the account's campaigns raise an alert, see
    ``utm_campaign_alerts.py``."""

    _inherit = "campaign.master.account"

    alerts_enabled = fields.Boolean(
        string="Alerts",
        default=True,
        help="Show a banner on sent campaigns with unusual results, and schedule an activity for "
        "the responsible user.",
    )
    # Google asks senders to stay below 0.1 % and never to reach 0.3 %.
    alert_complaints_warning = _limit(
        "Complaints: Warning", 0.1, "Warn if spam complaints exceed this percentage of sent emails."
    )
    alert_complaints_alarm = _limit(
        "Complaints: Alarm", 0.3, "Alarm if spam complaints exceed this percentage of sent emails."
    )
    alert_bounces_warning = _limit(
        "Bounces: Warning", 2, "Warn if permanent bounces exceed this percentage of sent emails."
    )
    alert_bounces_alarm = _limit(
        "Bounces: Alarm", 5, "Alarm if permanent bounces exceed this percentage of sent emails."
    )
    alert_unsubscribes_warning = _limit(
        "Unsubscribes: Warning", 1, "Warn if unsubscribes exceed this percentage of sent emails."
    )
    alert_opened_warning = _limit(
        "Opened: Warning",
        50,
        "Warn if, after 24 hours, the percentage of people who opened is below this percentage of "
        "the median of the account's last campaigns.",
    )

    @api.constrains(*ALERT_FIELDS)
    def _check_alert_limits(self):
        for account in self:
            for kind, levels in KINDS.items():
                limits = {level: account[limit_name(kind, level)] for level in levels}
                for level, limit in limits.items():
                    label = account._fields[limit_name(kind, level)]._description_string(self.env)
                    if not 0 <= limit <= 100:
                        raise ValidationError(
                            self.env._(
                                "%(limit)s must be between 0 and 100 percent; 0 turns it off. "
                                "Nothing was saved.",
                                limit=label,
                            )
                        )
                if limits.get(ALARM) and limits[ALARM] < limits[WARNING]:
                    raise ValidationError(
                        self.env._(
                            "%(limit)s must not be below the warning; 0 turns it off. Nothing was "
                            "saved.",
                            limit=label,
                        )
                    )

    def write(self, vals):
        result = super().write(vals)
        if not vals.get("alerts_enabled", True):
            # sudo: administrators may not write what is kept
            rows = self.env["campaign.master.campaign"].sudo()
            rows.search([("account_id", "in", self.ids)])._withdraw_alerts()
        return result

    def _alert_limits(self, kind):
        """:return: the limits that are on, by level, the highest level first
        :rtype: dict[str, float]"""
        self.ensure_one()
        if not self.alerts_enabled:
            return {}
        limits = {level: self[limit_name(kind, level)] for level in reversed(KINDS[kind])}
        return {level: limit for level, limit in limits.items() if limit}
