from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..tools import MARKETING_GROUP, check_marketing_user
from .utm_campaign_results import DELETED

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
# What Campaign Master takes from Odoo while the campaign is a draft there.
DRAFT_FIELDS = (
    "description",
    *(name for name in PLANNING_FIELDS if name != PREFIX + "template_id"),
)


class UtmCampaign(models.Model):
    """A campaign as people plan it.

    Adding recipients is in ``utm_campaign_recipients.py``, the buttons of syncing are in
    ``utm_campaign_sync.py``, what Campaign Master reports is in ``utm_campaign_results.py``, and
    how the work stands is in ``campaign.master.campaign`` and ``campaign.master.sync``.
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
        help="Subject line of the email. Each sync updates it while the campaign is a draft in "
        "Campaign Master.",
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
        "with an empty list, create one in Campaign Master.",
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
    campaign_master_is_locked = fields.Boolean(
        compute="_compute_campaign_master_is_locked",
        groups=MARKETING_GROUP,
        help="The campaign is no longer a draft in Campaign Master: changes would not reach it.",
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

    @api.depends("campaign_master_remote_status")
    def _compute_campaign_master_is_locked(self):
        for campaign in self:
            status = campaign.campaign_master_remote_status
            campaign.campaign_master_is_locked = status and status not in ("draft", DELETED)

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
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._campaign_master_refuse_reported(vals)
            self._campaign_master_assign_account(vals)
            self._campaign_master_set_company(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._campaign_master_refuse_reported(vals)
        self._campaign_master_refuse_locked(vals)
        if vals.get("active"):
            restored = self.filtered(lambda campaign: not campaign.active)
            restored.sudo().campaign_master_campaign_ids._make_due()
        if not vals.keys() & {*PLANNING_FIELDS, PREFIX + "account_id"}:
            return super().write(vals)
        vals = dict(vals)
        if PREFIX + "account_id" not in vals:
            unassigned = self.filtered(lambda campaign: not campaign.sudo()[PREFIX + "account_id"])
            if unassigned and unassigned != self:
                # Two writes, because only one of them sets the account.
                return unassigned.write(vals) and (self - unassigned).write(vals)
            if unassigned:
                self._campaign_master_assign_account(vals)
        self._campaign_master_set_company(vals)
        relisted = self._campaign_master_changing(PREFIX + "list_id", vals)
        moved = self._campaign_master_changing(PREFIX + "account_id", vals)
        result = super().write(vals)
        Recipient = self.env["campaign.master.recipient"].sudo()
        if relisted:
            Recipient._reset_for_new_list(relisted)
        if moved:
            # sudo: engagement includes people whom the user may not see
            self.env["campaign.master.engagement"].sudo()._recompute_people(
                Recipient._people_of(SQL("campaign_id = ANY(%s)", moved.ids)), removed=True
            )
        return result

    def unlink(self):
        """Delete campaigns in Odoo. In Campaign Master they remain."""
        # sudo: engagement includes people whom the user may not see
        Recipient = self.env["campaign.master.recipient"].sudo()
        people = Recipient._people_of(SQL("campaign_id = ANY(%s)", self.ids))
        result = super().unlink()
        self.env["campaign.master.engagement"].sudo()._recompute_people(people, removed=True)
        return result

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if "title" not in (default or {}):
            for campaign, vals in zip(self, vals_list, strict=True):
                vals["title"] = self.env._("%s (copy)", campaign.title)
                vals.pop("name", None)  # the identifier follows the title
        return vals_list

    def copy_translations(self, new, excluded=()):
        # Otherwise, only the title in the user's language would be marked as that of a copy.
        return super().copy_translations(new, (*excluded, "title"))

    def _campaign_master_changing(self, name, vals):
        """:return: the campaigns whose value of a field these values change"""
        if name not in vals:
            return self.browse()
        field = self._fields[name]
        return self.filtered(
            lambda campaign: (
                (field.convert_to_write(campaign.sudo()[name], campaign) or False)
                != (vals[name] or False)
            )
        )

    @api.model
    def _campaign_master_assign_account(self, vals):
        """Add the account of the current company to values that fill in a planning field."""
        if any(vals.get(name) for name in PLANNING_FIELDS) and not vals.get(PREFIX + "account_id"):
            account = self.env["campaign.master.account"]._of_company(self.env.company)
            if account:
                vals[PREFIX + "account_id"] = account.id

    @api.model
    def _campaign_master_set_company(self, vals):
        """Where campaigns have a company, which Odoo's Sales app adds, it is the account's."""
        if vals.get(PREFIX + "account_id") and "company_id" in self._fields:
            account = self.env["campaign.master.account"].sudo().browse(vals[PREFIX + "account_id"])
            vals["company_id"] = account.company_id.id

    def _get_redirect_suggested_company(self):
        # With a link, people may open a campaign while another company is selected.
        return self.campaign_master_company_id or super()._get_redirect_suggested_company()

    def _campaign_master_refuse_locked(self, vals):
        """:raise UserError: values change what a sync under way uses, or what cannot be changed
        after the first sync"""
        names = vals.keys() & {*DRAFT_FIELDS, PREFIX + "template_id", PREFIX + "account_id"}
        if not names:
            return
        # Others must not learn of the campaign.
        self.check_access("write")
        for name in names:
            self._check_field_access(self._fields[name], "write")
        for name in (PREFIX + "template_id", PREFIX + "list_id", PREFIX + "account_id"):
            self._campaign_master_changing(name, vals)._campaign_master_refuse_while_running()
        for campaign in self._campaign_master_changing(PREFIX + "template_id", vals).sudo():
            if campaign.campaign_master_ref and campaign.campaign_master_remote_status != DELETED:
                raise UserError(
                    self.env._(
                        "The template of “%(campaign)s” cannot be changed in Odoo after the "
                        "first sync. Nothing was saved. To change it, use Launch Campaign › "
                        "Edit/Test in Campaign Master.",
                        campaign=campaign.title,
                    )
                )
        for campaign in self._campaign_master_changing(PREFIX + "account_id", vals).sudo():
            if campaign.campaign_master_ref:
                raise UserError(
                    self.env._(
                        "“%(campaign)s” was synced with the account of %(company)s and cannot "
                        "be moved. Nothing was saved. Duplicate the campaign to send it from "
                        "another company.",
                        campaign=campaign.title,
                        company=campaign.campaign_master_account_id.company_id.name,
                    )
                )
        for name in DRAFT_FIELDS:
            for campaign in self._campaign_master_changing(name, vals).sudo():
                if campaign.campaign_master_is_locked:
                    # The description may be written by any internal user, the status be read by
                    # few.
                    check_marketing_user(self.env)
                    raise UserError(campaign._campaign_master_locked_message(name))

    def _campaign_master_locked_message(self, name):
        """:return: why a field can no longer be changed, and what to do instead
        :rtype: str"""
        values = {
            "field": self._fields[name]._description_string(self.env),
            "campaign": self.title,
            "status": self.campaign_master_remote_status,
        }
        if self._campaign_master_is_sent():
            return self.env._(
                "%(field)s: “%(campaign)s” is “%(status)s” in Campaign Master and can no longer be "
                "updated there. Nothing was saved. Duplicate the campaign to send something else.",
                **values,
            )
        return self.env._(
            "%(field)s: “%(campaign)s” is “%(status)s” in Campaign Master and can no longer be "
            "updated there. Nothing was saved. Change it in Campaign Master, or duplicate the "
            "campaign to send something else.",
            **values,
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

    # === WHAT A SYNC REQUIRES === #

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

    # === WHO MAY SEE AND CHANGE IT === #

    def _campaign_master_check_access(self, operation="write"):
        """Check who uses a button. ``utm.campaign`` itself may be written by any internal user.

        :return: the campaign as superuser, because users cannot write what Campaign Master reports
        :raise AccessError: the user has no access to Email Marketing or to this campaign
        """
        self.ensure_one()
        check_marketing_user(self.env)
        self.check_access(operation)
        return self.sudo()

    def _campaign_master_reader(self):
        """:return: the responsible user; empty if they may not see the figures"""
        user = self.user_id
        may_see = (
            user.active
            and user.has_group(MARKETING_GROUP)
            and self.campaign_master_company_id in user.company_ids
        )
        return user if may_see else user.browse()

    # === ACTION METHODS === #

    def action_campaign_master_syncs(self):
        """Open the sync history of this campaign."""
        self._campaign_master_check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_sync_action"
        )
        return {**action, "domain": [("campaign_id", "=", self.id)]}
