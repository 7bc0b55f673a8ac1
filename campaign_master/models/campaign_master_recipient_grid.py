from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.mail import email_normalize_all


class CampaignMasterRecipient(models.Model):
    """What lists and cards of recipients show about the person, and what they add up.

    Names are read from the person as they are now: three fields of one page take one statement for
    all contacts and companies and one for all leads.
    """

    _inherit = "campaign.master.recipient"

    person_name = fields.Char(
        string="Name",
        compute="_compute_person",
        search="_search_person_name",
        help="Name of the contact or company; of a lead, its contact or, without one, its title.",
    )
    company_name = fields.Char(
        string="Company", compute="_compute_person", help="Company of the contact or lead."
    )
    entered_email = fields.Char(
        string="Email of the Person",
        compute="_compute_person",
        search="_search_entered_email",
        help="The person's email as entered now. If it contains several addresses, the first one "
        "is used.",
    )
    has_several_addresses = fields.Boolean(
        string="Several Addresses",
        compute="_compute_person",
        search="_search_has_several_addresses",
        help="The person's email, as entered now, contains several addresses. The first one is "
        "used.",
    )
    shared_with_count = fields.Integer(
        string="Shares the Address With",
        compute="_compute_shared_with_count",
        help="Number of other people on the campaign with the same address. Opens and clicks of "
        "one of them are shown for all.",
    )
    contact_id = fields.Many2one(
        "res.partner",
        string="Contact of the Person",
        store=False,
        search="_search_contact_id",
        exportable=False,
        help="The contact or company, or the contact that a lead became and that has its address.",
    )

    @api.depends("partner_id", "lead_id")
    def _compute_person(self):
        for recipient in self:
            # sudo: the user may read the recipient, and so who it is
            partner, lead = recipient.sudo().partner_id, recipient.sudo().lead_id
            recipient.person_name = partner.name or lead.contact_name or recipient.display_name
            recipient.company_name = (
                lead.partner_name or not partner.is_company and partner.commercial_company_name
            )
            recipient.entered_email = partner.email or lead.email_from
            recipient.has_several_addresses = self._has_several_addresses(recipient.entered_email)

    @api.model
    def _has_several_addresses(self, entered_email):
        """:return: whether it contains different addresses, as Odoo reads it; the same one may be
        a name, too"""
        return len(set(email_normalize_all(entered_email))) > 1

    @api.depends("email", "partner_id", "lead_id")
    def _compute_display_name(self):
        for recipient in self:
            # sudo: the user may read the recipient, and so its name
            person = recipient.sudo().partner_id or recipient.sudo().lead_id
            recipient.display_name = person.display_name or recipient.email

    @api.depends("campaign_id", "email")
    def _compute_shared_with_count(self):
        # sudo: the number includes leads that the user may not see
        groups = self.sudo()._read_group(
            Domain("campaign_id", "in", self.campaign_id.ids)
            & Domain("email", "in", [email for email in self.mapped("email") if email]),
            ["campaign_id", "email"],
            ["partner_id:recordset", "lead_id:recordset"],
        )
        # A lead and the contact that it became are one person.
        counts = {
            (campaign.id, email): len(partners | leads.partner_id)
            + len(leads.filtered(lambda lead: not lead.partner_id))
            for campaign, email, partners, leads in groups
        }
        for recipient in self:
            count = counts.get((recipient.campaign_id.id, recipient.email), 0)
            recipient.shared_with_count = max(count - 1, 0)

    def _search_contact_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        contacts = self.env["res.partner"].browse(one for one in value if isinstance(one, int))
        return Domain.OR(one._campaign_master_lines_domain() for one in contacts.exists())

    def _search_person_name(self, operator, value):
        return self._search_person(
            operator, value, ["complete_name"], ["name", "contact_name", "partner_name"]
        )

    def _search_entered_email(self, operator, value):
        return self._search_person(operator, value, ["email"], ["email_from"])

    def _search_has_several_addresses(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo, archived: the user may read the recipient, and so who it is. PostgreSQL finds the
        # few people who may have several addresses; reading those is left to Odoo.
        ids = {}
        for person, name in (("partner_id", "email"), ("lead_id", "email_from")):
            people = self.env[self._fields[person].comodel_name].sudo()
            people = people.with_context(active_test=False)
            candidates = people.search_fetch([(name, "=like", "%@%@%")], [name])
            ids[person] = [one.id for one in candidates if self._has_several_addresses(one[name])]
        return Domain.OR(Domain(person, "in", found) for person, found in ids.items())

    def _search_person(self, operator, value, partner_fields, lead_fields):
        """:return: a domain: one of these fields of the contact, company or lead meets the
        condition"""
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        # any!: the user may read the recipient, and so who it is
        return Domain.OR(
            Domain(person, "any!", Domain.OR(Domain(name, operator, value) for name in names))
            for person, names in (("partner_id", partner_fields), ("lead_id", lead_fields))
        )

    def _read_group_select(self, aggregate_spec, query):
        """Sums leave out recipients that share an address: their activity is counted on another
        one."""
        sql = super()._read_group_select(aggregate_spec, query)
        if aggregate_spec.endswith((":sum", ":avg")):
            is_twin = self._field_to_sql(self._table, "is_twin", query)
            return SQL("%s FILTER (WHERE %s IS NOT TRUE)", sql, is_twin)
        return sql
