import ast

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools import notification

# The web client sends so many ids of "select all" at most; beyond it, it sends the search.
ACTIVE_IDS_LIMIT = 20_000


class CampaignMasterAddRecipients(models.TransientModel):
    """Add to Campaign: from a list of people, or from a campaign with a filter."""

    _name = "campaign.master.add.recipients"
    _description = "Add to Campaign"

    campaign_id = fields.Many2one(
        "utm.campaign",
        required=True,
        domain=[("is_auto_campaign", "=", False)],
        help="The campaign that they become recipients of.",
    )
    model = fields.Selection(
        [("res.partner", "Contacts and companies"), ("crm.lead", "Leads")],
        required=True,
        readonly=True,
    )
    domain = fields.Char(string="Who", required=True, default="[]")
    chosen = fields.Boolean(help="People were ticked in a list, rather than searched for here.")
    people_count = fields.Integer(string="People", compute="_compute_people_count")

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        context = self.env.context
        if context.get("active_model") in ("res.partner", "crm.lead") and "active_ids" in context:
            values["model"] = context["active_model"]
            values["chosen"] = True
            values["domain"] = str(self._chosen_domain(context))
        return values

    @api.model
    def _chosen_domain(self, context):
        """:return: whom the list's user ticked, or all whom his search found if he chose all"""
        ids = context["active_ids"]
        limit = int(
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("web.active_ids_limit", ACTIVE_IDS_LIMIT)
        )
        # The client sends the search along with three ticked rows, too. Only where ids were cut
        # off at the limit does it stand for "select all".
        if len(ids) >= limit and context.get("active_domain") is not None:
            return context["active_domain"]
        # Who was ticked although archived is meant, too.
        return [("id", "in", ids), ("active", "in", [True, False])]

    @api.depends("model", "domain")
    def _compute_people_count(self):
        for wizard in self:
            wizard.people_count = (
                self.env[wizard.model].search_count(wizard._domain()) if wizard.model else 0
            )

    def _domain(self):
        return Domain(ast.literal_eval(self.domain or "[]"))

    def action_add(self):
        """Add them, and say how many were added, were there already, and have no e-mail.

        :return: a notification action that closes the window
        """
        self.ensure_one()
        counts = self.campaign_id.campaign_master_add_recipients(self.model, self._domain())
        parts = [
            self.env._(
                "%(count)s added to “%(campaign)s”.",
                count=counts["added"],
                campaign=self.campaign_id.title,
            )
        ]
        if counts["without_email"]:
            parts.append(
                self.env._(
                    "%(count)s of them have no e-mail address and cannot get the mail.",
                    count=counts["without_email"],
                )
            )
        if counts["existing"]:
            parts.append(self.env._("%(count)s were on it already.", count=counts["existing"]))
        return notification(
            "success" if counts["added"] else "info",
            " ".join(parts),
            then={"type": "ir.actions.act_window_close"},
        )
