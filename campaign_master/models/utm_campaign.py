from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..tools import MARKETING_GROUP, check_marketing_user

PREFIX = "campaign_master_"
# What people plan. The first of them that is filled in assigns the campaign to the account of the
# current company.
PLANNING_FIELDS = (
    PREFIX + "subject",
    PREFIX + "template_id",
    PREFIX + "list_id",
    PREFIX + "from_name",
    PREFIX + "from_email",
    PREFIX + "reply_to",
)


class UtmCampaign(models.Model):
    """A campaign as people plan it.

    The buttons of syncing are in ``utm_campaign_sync.py``, what Campaign Master reports is in
    ``utm_campaign_results.py``, and how the work stands is in ``campaign.master.campaign`` and
    ``campaign.master.sync``.
    """

    _inherit = "utm.campaign"

    description = fields.Text(
        help="Plain text about the campaign. Campaign Master stores it with the campaign; "
        "recipients do not see it."
    )
    campaign_master_account_id = fields.Many2one(
        "campaign.master.account",
        index="btree_not_null",
        ondelete="restrict",
        groups=MARKETING_GROUP,
        help="Company whose Campaign Master account sends this campaign: the one in which the "
        "Campaign Master fields were first filled in. It cannot be changed after the first sync.",
    )
    campaign_master_current_account_id = fields.Many2one(
        "campaign.master.account",
        compute="_compute_campaign_master_current_account_id",
        compute_sudo=True,
        groups=MARKETING_GROUP,
        help="Account of the campaign, or of the current company if it has none yet.",
    )
    campaign_master_enabled = fields.Boolean(
        compute="_compute_campaign_master_current_account_id",
        compute_sudo=True,
        groups=MARKETING_GROUP,
    )
    campaign_master_subject = fields.Char(
        groups=MARKETING_GROUP,
        help="Subject line of the email. Each sync updates it until the campaign is sent.",
    )
    campaign_master_template_id = fields.Many2one(
        "campaign.master.template",
        string="Template",
        ondelete="restrict",
        groups=MARKETING_GROUP,
        domain="[('account_id', '=', campaign_master_current_account_id)]",
        help="Design of the email, made in Campaign Master. The first sync creates the campaign "
        "from it. To change it afterwards, use Launch Campaign › Edit/Test in Campaign Master: its "
        "API cannot change the template.",
    )
    campaign_master_list_id = fields.Many2one(
        "campaign.master.list",
        string="List",
        copy=False,
        ondelete="restrict",
        groups=MARKETING_GROUP,
        domain="[('account_id', '=', campaign_master_current_account_id)]",
        help="List in Campaign Master that recipients are added to. Select it for the campaign in "
        "Campaign Master, too: the API cannot. Everyone on the list receives the email. To start "
        "with an empty list, add one in Campaign Master.",
    )
    campaign_master_from_name = fields.Char(
        string="From Name",
        groups=MARKETING_GROUP,
        help="Sender name of the email. If empty, the one set in Campaign Master.",
    )
    campaign_master_from_email = fields.Char(
        string="From Email",
        groups=MARKETING_GROUP,
        help="Sender address of the email. Campaign Master may accept only addresses that it knows "
        "as yours. If empty, the one set in Campaign Master.",
    )
    campaign_master_reply_to = fields.Char(
        string="Reply-To",
        groups=MARKETING_GROUP,
        help="Address for replies. If empty, the one set in Campaign Master.",
    )
    campaign_master_campaign_ids = fields.One2many(
        "campaign.master.campaign", "campaign_id", groups=fields.NO_ACCESS
    )
    campaign_master_sees_leads = fields.Boolean(
        compute="_compute_campaign_master_sees_leads", groups=MARKETING_GROUP
    )

    # === COMPUTE AND CONSTRAINTS === #

    @api.depends("campaign_master_account_id")
    @api.depends_context("company")
    def _compute_campaign_master_current_account_id(self):
        own = self.env["campaign.master.account"]._of_company(self.env.company)
        for campaign in self:
            account = campaign.campaign_master_account_id or own
            campaign.campaign_master_current_account_id = account
            campaign.campaign_master_enabled = account.enabled

    @api.depends_context("uid")
    def _compute_campaign_master_sees_leads(self):
        self.campaign_master_sees_leads = self.env["crm.lead"].has_access("read")

    @api.constrains(
        "campaign_master_account_id", "campaign_master_template_id", "campaign_master_list_id"
    )
    def _check_campaign_master_account(self):
        for campaign in self.sudo():
            account = campaign.campaign_master_account_id
            for entry in (campaign.campaign_master_template_id, campaign.campaign_master_list_id):
                if entry and entry.account_id != account:
                    raise ValidationError(
                        self.env._(
                            "“%(entry)s” belongs to the Campaign Master account of %(other)s, but "
                            "this campaign belongs to %(company)s. Nothing was saved. Select one "
                            "of %(company)s.",
                            entry=entry.name,
                            other=entry.account_id.company_id.name,
                            company=account.company_id.name or self.env.company.name,
                        )
                    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._campaign_master_refuse_reported(vals)
            self._campaign_master_assign_account(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._campaign_master_refuse_reported(vals)
        if not vals.keys() & {*PLANNING_FIELDS, PREFIX + "account_id"}:
            return super().write(vals)
        if PREFIX + "account_id" not in vals:
            unassigned = self.filtered(lambda campaign: not campaign.sudo()[PREFIX + "account_id"])
            if unassigned and unassigned != self:
                # Two writes, because only one of them sets the account.
                return unassigned.write(vals) and (self - unassigned).write(vals)
            if unassigned:
                self._campaign_master_assign_account(vals := dict(vals))
        self._campaign_master_refuse_locked(vals)
        relisted = self._campaign_master_changing(PREFIX + "list_id", vals)
        moved = self._campaign_master_changing(PREFIX + "account_id", vals)
        result = super().write(vals)
        Recipient = self.env["campaign.master.recipient"].sudo()
        if relisted:
            Recipient._reset_for_new_list(relisted)
        if moved:
            # sudo: engagement includes people whom the user may not see
            self.env["campaign.master.engagement"].sudo()._recompute_people(
                Recipient._people_of(moved), removed=True
            )
        return result

    def unlink(self):
        """Delete campaigns in Odoo. In Campaign Master they remain."""
        # sudo: engagement includes people whom the user may not see
        people = self.env["campaign.master.recipient"].sudo()._people_of(self)
        result = super().unlink()
        self.env["campaign.master.engagement"].sudo()._recompute_people(people, removed=True)
        return result

    def _campaign_master_changing(self, name, vals):
        """:return: the campaigns whose value of a many2one these values change"""
        if name not in vals:
            return self.browse()
        return self.filtered(lambda campaign: campaign.sudo()[name].id != (vals[name] or False))

    @api.model
    def _campaign_master_assign_account(self, vals):
        """Add the account of the current company to values that fill in a planning field."""
        if any(vals.get(name) for name in PLANNING_FIELDS) and not vals.get(PREFIX + "account_id"):
            account = self.env["campaign.master.account"]._of_company(self.env.company)
            if account:
                vals[PREFIX + "account_id"] = account.id

    def _campaign_master_refuse_locked(self, vals):
        """:raise UserError: values change what a sync under way uses, or what cannot be changed
        after the first sync"""
        for name in (PREFIX + "template_id", PREFIX + "list_id", PREFIX + "account_id"):
            for campaign in self._campaign_master_changing(name, vals).sudo():
                campaign._campaign_master_refuse_while_running()
                if not campaign.campaign_master_ref:
                    continue
                if name == PREFIX + "template_id":
                    raise UserError(
                        self.env._(
                            "The template of “%(campaign)s” cannot be changed in Odoo after the "
                            "first sync. Nothing was saved. To change it, use Launch Campaign › "
                            "Edit/Test in Campaign Master.",
                            campaign=campaign.title,
                        )
                    )
                if name == PREFIX + "account_id":
                    raise UserError(
                        self.env._(
                            "“%(campaign)s” was synced with the account of %(company)s and cannot "
                            "be moved. Nothing was saved. Duplicate the campaign to send it from "
                            "another company.",
                            campaign=campaign.title,
                            company=campaign.campaign_master_account_id.company_id.name,
                        )
                    )

    def _campaign_master_refuse_while_running(self):
        for campaign in self.sudo():
            if campaign.campaign_master_sync_state == "running":
                raise UserError(
                    self.env._(
                        "“%(campaign)s” is being synced. Nothing was changed. Wait until the sync "
                        "has ended, or cancel it.",
                        campaign=campaign.title,
                    )
                )

    # === RECIPIENTS === #

    def campaign_master_add_recipients(self, model, domain):
        """Add all records that the user may read and the domain finds. Adding twice is harmless.

        :param str model: ``res.partner`` or ``crm.lead``
        :param list domain: a search domain on that model
        :return: ``added``, ``existing`` (already on the campaign) and, among those added,
            ``without_email``
        :rtype: dict
        :raise UserError: another model, or the company has no enabled account
        :raise AccessError: the user has no access to Email Marketing or to the model
        """
        campaign = self._campaign_master_check_access()
        if model not in ("res.partner", "crm.lead"):
            raise UserError(
                self.env._(
                    "Only leads, contacts and companies can be recipients. No recipient was added."
                )
            )
        self._campaign_master_ensure_account()
        people = self.env[model]
        people.check_access("read")
        # The statement that adds them reads the database.
        people.flush_model()
        query = people._search(Domain(domain))
        return self.env["campaign.master.recipient"].sudo()._add(campaign, query)

    def _campaign_master_ensure_account(self):
        """Assign the campaign to the account of the current company, if it has none yet.

        :raise UserError: the account is not enabled
        """
        self.ensure_one()
        campaign = self.sudo()
        own = self.env["campaign.master.account"]._of_company(self.env.company)
        account = campaign.campaign_master_account_id or own
        account._check_enabled()
        if not campaign.campaign_master_account_id:
            campaign.campaign_master_account_id = account

    def _campaign_master_missing(self):
        """:return: a sentence for each thing that a sync requires and that is missing
        :rtype: list[str]"""
        return [
            # The wording is a requirement; do not change it.
            self.env._(
                "Unable to create the external campaign for the following reason : "
                "%(what)s is required and has not been provided",
                what=label,
            )
            for label, value in (
                (self.env._("Campaign subject"), self.campaign_master_subject),
                (self.env._("Campaign description"), self.description),
                (self.env._("Campaign template"), self.campaign_master_template_id),
                (self.env._("Campaign list"), self.campaign_master_list_id),
            )
            if not (value.strip() if isinstance(value, str) else value)
        ]

    # === ACTION METHODS === #

    def _campaign_master_check_access(self, operation="write"):
        """Check who uses a button. ``utm.campaign`` itself may be written by any internal user.

        :return: the campaign as superuser, because users cannot write what Campaign Master reports
        :raise AccessError: the user has no access to Email Marketing or to this campaign
        """
        self.ensure_one()
        check_marketing_user(self.env)
        self.check_access(operation)
        return self.sudo()

    def action_campaign_master_add_lead(self):
        return self._action_campaign_master_add("crm.lead", self.env._("Add Leads"), [])

    def action_campaign_master_add_contact(self):
        return self._action_campaign_master_add(
            "res.partner", self.env._("Add Contacts"), [("is_company", "=", False)]
        )

    def action_campaign_master_add_company(self):
        return self._action_campaign_master_add(
            "res.partner", self.env._("Add Companies"), [("is_company", "=", True)]
        )

    def _action_campaign_master_add(self, model, name, domain):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "campaign.master.add.recipients",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_campaign_id": self.id,
                "default_model": model,
                "default_domain": str(domain),
            },
        }

    def action_campaign_master_syncs(self):
        """Open the sync history of this campaign."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_sync_action"
        )
        return {**action, "domain": [("campaign_id", "=", self.id)]}

    def action_campaign_master_recipients(self):
        """Open all recipients of the campaign."""
        return self.action_campaign_master_open_outcome()

    def action_campaign_master_open_outcome(self, state=None):
        """Open the recipients with one result of the sync, or all.

        :param str state: a ``sync_state`` of recipients, or ``None``
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_recipient_action"
        )
        domain = [("campaign_id", "=", self.id)]
        if state:
            domain.append(("sync_state", "=", state))
        return {**action, "domain": domain, "context": {"create": False}}
