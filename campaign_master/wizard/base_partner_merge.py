from odoo import api, models


class MergePartnerAutomatic(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        # sudo: recipients of other companies and campaigns follow the contact, too
        Recipient = self.env["campaign.master.recipient"].sudo()
        Engagement = self.env["campaign.master.engagement"].sudo()
        # Before Odoo's own update, which handles unique constraints but not unique indexes.
        Recipient._merge_people(src_partners, dst_partner)
        Engagement.search([("partner_id", "in", src_partners.ids)]).unlink()
        result = super()._update_foreign_keys(src_partners, dst_partner)
        # Now their leads are this contact's, too.
        Engagement._recompute_totals("res.partner", dst_partner.ids, removed=True)
        return result
