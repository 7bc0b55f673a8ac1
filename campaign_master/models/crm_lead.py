from odoo import models

from .campaign_master_engagement_mixin import NO_ENGAGEMENT


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "campaign.master.engagement.mixin"]

    _campaign_master_field = "lead_id"

    def write(self, vals):
        result = super().write(vals)
        if "partner_id" in vals:
            # Reading the totals of contacts writes the lead first, which recomputes them.
            self.env["res.partner"].invalidate_model(NO_ENGAGEMENT, flush=False)
        return result

    def _write_multi(self, vals_list):
        """Recompute the totals of the contacts that leads become, or no longer are."""
        # sudo: nobody may read or write totals
        Engagement = self.env["campaign.master.engagement"].sudo()
        lead_ids = self._campaign_master_changing("partner_id", vals_list).ids
        before = Engagement._contacts_of(lead_ids) if lead_ids else set()
        result = super()._write_multi(vals_list)
        if lead_ids:
            contacts = before | Engagement._contacts_of(lead_ids)
            Engagement._recompute_totals("res.partner", contacts, removed=True)
        return result

    def unlink(self):
        # sudo: nobody may read or write totals
        Engagement = self.env["campaign.master.engagement"].sudo()
        self.flush_model(["partner_id"])
        contacts = Engagement._contacts_of(self.ids)
        result = super().unlink()
        Engagement._recompute_totals("res.partner", contacts, removed=True)
        return result

    def _merge_dependences(self, opportunities):
        # sudo: recipients of other companies and campaigns follow the lead, too
        self.env["campaign.master.recipient"].sudo()._merge_people(opportunities, self)
        return super()._merge_dependences(opportunities)
