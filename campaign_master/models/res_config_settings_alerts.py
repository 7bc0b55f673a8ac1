from odoo import api, fields, models

from .campaign_master_account_alerts import ALERT_FIELDS
from .utm_campaign_results import PREFIX


def _same(name, field_class=fields.Float, **parameters):
    """A setting that is the account's field of the same name. Not a related field: the account may
    not exist yet."""

    def default(self):
        return self.env["campaign.master.account"].default_get([name])[name]

    return field_class(default=default, **parameters)


class ResConfigSettings(models.TransientModel):
    """Beyond which limits figures of campaigns raise an alert; kept on the company's account."""

    _inherit = "res.config.settings"

    campaign_master_alerts_enabled = _same(
        "alerts_enabled",
        fields.Boolean,
        string="Alerts",
        help="Show a banner on sent campaigns with unusual results, and schedule an activity for "
        "the responsible user.",
    )
    campaign_master_alert_complaints_warning = _same("alert_complaints_warning", digits=(6, 2))
    campaign_master_alert_complaints_alarm = _same("alert_complaints_alarm", digits=(6, 2))
    campaign_master_alert_bounces_warning = _same("alert_bounces_warning", digits=(6, 2))
    campaign_master_alert_bounces_alarm = _same("alert_bounces_alarm", digits=(6, 2))
    campaign_master_alert_unsubscribes_warning = _same("alert_unsubscribes_warning", digits=(6, 2))
    campaign_master_alert_opened_warning = _same("alert_opened_warning", digits=(6, 2))

    @api.model
    def get_values(self):
        account = self._campaign_master_account(self.env.company)
        kept = {PREFIX + name: account[name] for name in ALERT_FIELDS} if account else {}
        return super().get_values() | kept

    def set_values(self):
        result = super().set_values()
        account = self._campaign_master_account(self.company_id)
        vals = {
            name: self[PREFIX + name]
            for name in ALERT_FIELDS
            if account and account[name] != self[PREFIX + name]
        }
        if vals:
            account.write(vals)
        return result
