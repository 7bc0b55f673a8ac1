from odoo import api, models


class MergePartnerAutomatic(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        # Before Odoo's own update, which handles unique constraints but not unique indexes.
        self.env["campaign.master.recipient"].sudo()._merge_people(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)
