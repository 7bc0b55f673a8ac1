import ast

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.campaign_master_recipient import KINDS
from ..tools import format_count, notification

# For "select all", the web client sends at most this number of ids, and the search.
ACTIVE_IDS_LIMIT = 20_000
KIND_DOMAINS = {
    "contact": Domain("is_company", "=", False),
    "company": Domain("is_company", "=", True),
}


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
    kind = fields.Selection(KINDS, help="Only recipients of this kind are added.")
    domain = fields.Char(string="Filter", required=True, default="[]")
    include_internal = fields.Boolean(
        string="Include Internal Users and Own Companies",
        help="Also add Odoo's internal users and your own companies, if they match the filter.",
    )
    from_selection = fields.Boolean(help="The wizard was opened for selected records of a list.")
    fixed_domain = fields.Char(
        compute="_compute_fixed_domain", help="Applies in addition to the filter."
    )
    people_count = fields.Integer(string="Selected People", compute="_compute_people_count")
    summary = fields.Char(compute="_compute_people_count", help="How many will be added.")
    sent_message = fields.Char(compute="_compute_sent_message")
    unsent_message = fields.Char(
        compute="_compute_sent_message", help="How many could be added to a new campaign."
    )

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

    # === COMPUTE METHODS === #

    @api.depends("model", "kind", "from_selection", "include_internal")
    def _compute_fixed_domain(self):
        for wizard in self:
            # Selected people are taken as given.
            domain = Domain.TRUE
            if not wizard.from_selection:
                domain &= KIND_DOMAINS.get(wizard.kind, Domain.TRUE)
                if not wizard.include_internal:
                    domain &= wizard._external_domain()
            wizard.fixed_domain = str(list(domain))

    def _external_domain(self):
        """:return: the domain of everyone but internal users and own companies"""
        # sudo: companies in which the user does not work are own companies, too
        companies = self.env["res.company"].sudo().search([("active", "in", (True, False))])
        internal = Domain("partner_share", "=", False) | Domain(
            "id", "in", companies.partner_id.ids
        )
        if self.model == "crm.lead":
            return Domain("partner_id", "not any", internal)
        return ~internal

    @api.depends("campaign_id", "model", "domain", "fixed_domain")
    def _compute_people_count(self):
        for wizard in self:
            people, new = 0, 0
            if wizard.model:
                domain = wizard._domain()
                people = self.env[wizard.model].search_count(domain)
                new = self.env[wizard.model].search_count(domain & wizard._absent_domain())
            wizard.people_count = people
            wizard.summary = " ".join(wizard._summary(new, people - new))

    def _absent_domain(self, condition=None):
        """:return: the domain of everyone who is not on the campaign

        :param SQL condition: which of its recipients (``existing``) count; by default all
        """
        self.campaign_id.check_access("read")  # the statement asks no rules
        self.env["campaign.master.recipient"].flush_model()
        campaign = self.campaign_id.id or None
        person_field = SQL("lead_id" if self.model == "crm.lead" else "partner_id")
        # NOT EXISTS: joins 100,000 people with 100,000 recipients in any amount of memory.
        return Domain.custom(
            to_sql=lambda _model, alias, _query: SQL(
                "NOT EXISTS (SELECT FROM campaign_master_recipient AS existing"
                " WHERE existing.campaign_id = %s AND existing.%s = %s.id AND %s)",
                campaign,
                person_field,
                SQL.identifier(alias),
                condition or SQL("TRUE"),
            )
        )

    def _summary(self, new, existing):
        if new == 1:
            sentences = [self.env._("1 recipient will be added.")]
        else:
            sentences = [
                self.env._("%(count)s recipients will be added.", count=format_count(self.env, new))
            ]
        if existing == 1:
            sentences.append(self.env._("1 is already on the campaign."))
        elif existing:
            sentences.append(
                self.env._(
                    "%(count)s are already on the campaign.",
                    count=format_count(self.env, existing),
                )
            )
        return sentences

    @api.depends("campaign_id", "model", "domain", "fixed_domain")
    def _compute_sent_message(self):
        for wizard in self:
            wizard.campaign_id.check_access("read")
            was_sent = wizard.campaign_id._campaign_master_sent_message()
            wizard.sent_message = was_sent and self.env._(
                "%(was_sent)s Recipients added now will not receive it.", was_sent=was_sent
            )
            unsent = was_sent and self.env[wizard.model].search_count(wizard._unsent_domain())
            if unsent == 1:
                wizard.unsent_message = self.env._(
                    "1 of those selected did not receive it: add them to a new campaign with the "
                    "same texts and template."
                )
            elif unsent:
                wizard.unsent_message = self.env._(
                    "%(count)s of those selected did not receive it: add them to a new campaign "
                    "with the same texts and template.",
                    count=format_count(self.env, unsent),
                )
            else:
                wizard.unsent_message = False

    def _unsent_domain(self):
        """:return: the domain of those selected to whom the campaign was not sent"""
        return self._domain() & self._absent_domain(SQL("existing.sent_to"))

    def _domain(self):
        return Domain(ast.literal_eval(self.domain or "[]")) & Domain(
            ast.literal_eval(self.fixed_domain)
        )

    # === ACTION METHODS === #

    def action_add(self):
        """Add the recipients.

        :return: a notification action that closes the window
        :rtype: dict
        """
        self.ensure_one()
        link = None
        if self.from_selection:
            url = f"/odoo/action-utm.utm_campaign_action/{self.campaign_id.id}"
            link = self.env._("Open Campaign"), url
        close = {"type": "ir.actions.act_window_close"}
        return self._add(self.campaign_id, self._domain(), close, link)

    def action_add_to_new_campaign(self):
        """Add the recipients to a copy of the campaign, except those to whom it was sent.

        :return: a notification action that opens the new campaign
        :rtype: dict
        :raise UserError: it was sent to all of them
        """
        self.ensure_one()
        domain = self._unsent_domain()
        if not self.env[self.model].search_count(domain, limit=1):
            raise UserError(
                self.env._(
                    "“%(campaign)s” was sent to everyone selected. No campaign was created.",
                    campaign=self.campaign_id.title,
                )
            )
        campaign = self.campaign_id.copy()
        form = {
            "type": "ir.actions.act_window",
            "res_model": campaign._name,
            "res_id": campaign.id,
            "views": [(False, "form")],
        }
        return self._add(campaign, domain, form)

    def _add(self, campaign, domain, then, link=None):
        counts = campaign.campaign_master_add_recipients(self.model, domain)
        return notification(
            "success" if counts["added"] else "info",
            " ".join(self._messages(campaign, counts)),
            then=then,
            link=link,
        )

    def _messages(self, campaign, counts):
        """:return: sentences about the added recipients
        :rtype: list[str]

        :param campaign: ``utm.campaign``
        :param dict counts: see ``campaign_master_add_recipients`` of ``utm.campaign``
        """
        added, existing, without_email = (
            counts[name] for name in ("added", "existing", "without_email")
        )
        title = campaign.title
        if not added:
            messages = [self.env._("No recipients were added to “%(campaign)s”.", campaign=title)]
        elif added == 1:
            messages = [self.env._("1 recipient was added to “%(campaign)s”.", campaign=title)]
        else:
            messages = [
                self.env._(
                    "%(count)s recipients were added to “%(campaign)s”.",
                    count=format_count(self.env, added),
                    campaign=title,
                )
            ]
        if added and campaign._campaign_master_sent_message():
            messages.append(self.env._("Added after sending: they will not receive it."))
        elif without_email == 1:
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
