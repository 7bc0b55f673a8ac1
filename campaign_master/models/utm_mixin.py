from odoo import api, models


class UtmMixin(models.AbstractModel):
    _inherit = "utm.mixin"

    @api.model
    def _get_unique_names(self, model_name, names):
        # A campaign's identifier is unique over all companies, also those whose campaigns the
        # user may not see (campaign_master_campaign_rule_company).
        return super(UtmMixin, self.sudo())._get_unique_names(model_name, names)
