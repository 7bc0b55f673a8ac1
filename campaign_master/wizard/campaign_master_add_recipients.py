import ast

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools import format_count, notification

# For "select all", the web client sends at most this number of ids, and the search.
ACTIVE_IDS_LIMIT = 20_000


class CampaignMasterAddRecipients(models.TransientModel):
    """Adds recipients to a campaign: selected records of a list, or those that match a filter."""

    _name = "campaign.master.add.recipients"
    _description = "Add to Campaign"

    campaign_id = fields.Many2one(
        "utm.campaign",
        required=True,
        domain=[("is_auto_campaign", "=", False)],
        help="Campaign to add the recipients to.",
    )
    model = fields.Selection(
        [("res.partner", "Contacts and Companies"), ("crm.lead", "Leads")],
        required=True,
        readonly=True,
    )
    domain = fields.Char(string="Filter", required=True, default="[]")
    from_selection = fields.Boolean(help="The wizard was opened for selected records of a list.")
    people_count = fields.Integer(string="Selected People", compute="_compute_people_count")

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        context = self.env.context
        if context.get("active_model") in ("res.partner", "crm.lead") and "active_ids" in context:
            values["model"] = context["active_model"]
            values["from_selection"] = True
            values["domain"] = str(self._selection_domain(context))
        return values

    @api.model
    def _selection_domain(self, context):
        """:return: the domain of the selected records; with "select all", of the whole search
        :rtype: list"""
        ids = context["active_ids"]
        limit = int(
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("web.active_ids_limit", ACTIVE_IDS_LIMIT)
        )
        # The web client always sends the search. It is the selection only if the ids were cut off
        # at the limit.
        if len(ids) >= limit and context.get("active_domain") is not None:
            return context["active_domain"]
        # Archived records can be selected, too.
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
        """Add the recipients.

        :return: a notification action that closes the window
        :rtype: dict
        """
        self.ensure_one()
        counts = self.campaign_id.campaign_master_add_recipients(self.model, self._domain())
        return notification(
            "success" if counts["added"] else "info",
            " ".join(self._messages(counts)),
            then={"type": "ir.actions.act_window_close"},
        )

    def _messages(self, counts):
        """:return: sentences about the added recipients
        :rtype: list[str]

        :param dict counts: see ``campaign_master_add_recipients`` of ``utm.campaign``
        """
        added, existing, without_email = (
            counts[name] for name in ("added", "existing", "without_email")
        )
        campaign = self.campaign_id.title
        if not added:
            messages = [
                self.env._("No recipients were added to “%(campaign)s”.", campaign=campaign)
            ]
        elif added == 1:
            messages = [self.env._("1 recipient was added to “%(campaign)s”.", campaign=campaign)]
        else:
            messages = [
                self.env._(
                    "%(count)s recipients were added to “%(campaign)s”.",
                    count=format_count(self.env, added),
                    campaign=campaign,
                )
            ]
        if without_email == 1:
            messages.append(
                self.env._("1 recipient has no email address and will not receive the email.")
            )
        elif without_email:
            messages.append(
                self.env._(
                    "%(count)s recipients have no email address and will not receive the email.",
                    count=format_count(self.env, without_email),
                )
            )
        if existing == 1:
            messages.append(self.env._("1 recipient was already on the campaign."))
        elif existing:
            messages.append(
                self.env._(
                    "%(count)s recipients were already on the campaign.",
                    count=format_count(self.env, existing),
                )
            )
        return messages
