from odoo import api, models

from ..tools import MARKETING_GROUP


class UtmCampaign(models.Model):
    """Activities on campaigns, so that alerts (``utm_campaign_alerts.py``) reach the responsible;
    and who reads them.

    An activity subscribes and notifies through ``mail.thread``, so campaigns have one. There is no
    chatter on their form: creating a campaign writes neither a message nor a follower.
    """

    _name = "utm.campaign"
    _inherit = ["utm.campaign", "mail.thread", "mail.activity.mixin"]

    @api.model_create_multi
    def create(self, vals_list):
        quiet = self.with_context(tracking_disable=True)
        return super(UtmCampaign, quiet).create(vals_list).with_env(self.env)

    @api.model
    def _has_field_access(self, field, operation):
        # Computed from activities, which only Email Marketing users may read, see the record rules.
        if field.name.startswith(("activity_", "my_activity_")) and not self.env.su:
            return self.env.user.has_group(MARKETING_GROUP)
        return super()._has_field_access(field, operation)

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        """Only Email Marketing users read and change messages and activities of campaigns that may
        have figures: what was done about an alert is a message. Authors and assignees may see
        theirs."""
        if not self.env.su and not self.env.user.has_group(MARKETING_GROUP):
            self = self.exists().filtered(
                lambda campaign: not campaign.sudo().campaign_master_account_id
            )
        return super()._mail_get_operation_for_mail_message_operation(message_operation)
