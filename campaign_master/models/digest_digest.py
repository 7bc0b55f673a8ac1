from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..tools import check_marketing_user
from .campaign_master_recipient_sums import PEOPLE

KPI = "kpi_campaign_master_"


class DigestDigest(models.Model):
    """Figures of Campaign Master in Odoo's digest emails: those of the digest's company.

    Odoo leaves out what its reader may not see: computing it raises ``AccessError``.
    """

    _inherit = "digest.digest"

    kpi_campaign_master_sent = fields.Boolean(
        "Campaigns Sent",
        help="Campaigns that Campaign Master sent in the period, including those archived since.",
    )
    kpi_campaign_master_sent_value = fields.Integer(
        compute="_compute_kpi_campaign_master_sent_value"
    )
    kpi_campaign_master_clicked = fields.Boolean(
        "Recipients Who Clicked",
        help="Recipients whose first click in a campaign was in the period: once for each campaign "
        "and address. Likely machines do not count.",
    )
    kpi_campaign_master_clicked_value = fields.Integer(
        compute="_compute_kpi_campaign_master_clicked_value"
    )
    kpi_campaign_master_optouts = fields.Boolean(
        "New Opt-Outs",
        help="Addresses that unsubscribed through a campaign or reported it as spam: once for each "
        "campaign and address, when Odoo learned of it.",
    )
    kpi_campaign_master_optouts_value = fields.Integer(
        compute="_compute_kpi_campaign_master_optouts_value"
    )

    def _compute_kpi_campaign_master_sent_value(self):
        start, end, _companies = self._get_kpi_compute_parameters()
        self._campaign_master_count(
            "sent",
            self.env["campaign.master.campaign"],
            "account_id.company_id",
            Domain("sent_at", ">=", start) & Domain("sent_at", "<", end),
        )

    def _compute_kpi_campaign_master_clicked_value(self):
        start, end, _companies = self._get_kpi_compute_parameters()
        self._campaign_master_count(
            "clicked",
            self.env["campaign.master.recipient"],
            "campaign_id.campaign_master_company_id",
            PEOPLE["clicked_by_people"]
            & Domain("first_click", ">=", start)
            & Domain("first_click", "<", end),
        )

    def _compute_kpi_campaign_master_optouts_value(self):
        start, end, _companies = self._get_kpi_compute_parameters()
        self._campaign_master_count(
            "optouts",
            self.env["campaign.master.optout"],
            "account_id.company_id",
            Domain("create_date", ">=", start) & Domain("create_date", "<", end),
        )

    def _campaign_master_count(self, name, records, company_field, domain):
        """Compute a figure, for all readers the same: also of leads that they may not see, and
        whichever companies they have selected.

        :param str name: the field, without ``kpi_campaign_master_`` and ``_value``
        :param records: an empty recordset of what is counted
        :param str company_field: where the company is
        :param Domain domain: which ones
        :raise AccessError: the user may not see the company's figures
        """
        check_marketing_user(self.env)
        records = records.sudo().with_context(active_test=False)
        for company, digests in self.grouped(
            lambda digest: digest.company_id or self.env.company
        ).items():
            if not self.env.su and company not in self.env.user.company_ids:
                raise AccessError(
                    self.env._("You have no access to the company whose figures these are.")
                )
            digests[f"{KPI}{name}_value"] = records.search_count(
                domain & Domain(company_field, "=", company.id)
            )

    def _compute_kpis_actions(self, company, user):
        menu = self.env.ref("mass_mailing.mass_mailing_menu_root").id
        actions = {
            "sent": "utm_campaign_action_report",
            "clicked": "campaign_master_recipient_action_clicked",
            "optouts": "campaign_master_optout_action",
        }
        return super()._compute_kpis_actions(company, user) | {
            KPI + name: f"campaign_master.{action}?menu_id={menu}"
            for name, action in actions.items()
        }
