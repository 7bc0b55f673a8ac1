from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import note_written
from .campaign_master_sync import STATES

GROUP = "mass_mailing.group_mass_mailing_user"
PREFIX = "campaign_master_"
# What people fill in; a change of one of them claims the campaign for their company's account.
BLOCK = (
    "subject",
    "template_id",
    "list_id",
    "from_name",
    "from_email",
    "reply_to",
)
# The figures, by the name that the client's Statistics has for them.
FIGURES = (
    "sent",
    "delivered",
    "hard_bounces",
    "soft_bounces",
    "rejected",
    "opens",
    "unique_opens",
    "clicks",
    "unique_clicks",
    "forwards",
    "unsubscribes",
    "complaints",
)
RATES = (
    "total_bounces",
    "successful",
    "open_rate",
    "click_rate",
    "click_to_open_rate",
    "bounce_rate",
    "unsubscribe_rate",
)
# What only Campaign Master, through this add-on, may change.
PROTECTED = {
    PREFIX + name
    for name in (
        *FIGURES,
        *RATES,
        "company_id",
        "recipient_count",
        "ref",
        "generation",
        "remote_status",
        "sent_at",
        "synced_at",
        "statistics_at",
        "sync_state",
        "sync_message",
        "outcome",
        "synced_by_id",
        "synced_draft",
        "activity_since",
        "activity_next_since",
        "activity_page",
        "activity_seen",
        "activity_due",
        "pull_step",
        "pull_failures",
        "fresh_at",
        "moved_at",
        "next_poll_at",
    )
}


def _figure(string, description):
    return fields.Integer(string=string, readonly=True, copy=False, groups=GROUP, help=description)


def _rate(string, description):
    return fields.Float(
        string=string,
        compute="_compute_campaign_master_rates",
        store=True,
        readonly=True,
        copy=False,
        digits=(16, 2),
        aggregator="avg",
        groups=GROUP,
        help=description,
    )


class UtmCampaign(models.Model):
    """The Campaign Master block of a campaign: what is planned, what was synced, what came back.

    Syncing is in ``utm_campaign_sync.py``, reading figures in ``utm_campaign_pull.py``.
    """

    _inherit = "utm.campaign"

    description = fields.Text(
        help="What the campaign is about, as plain text. Campaign Master keeps it with the "
        "campaign; the people who get the mail do not see it."
    )

    # === WHAT IS PLANNED === #

    campaign_master_account_id = fields.Many2one(
        "campaign.master.account",
        index="btree_not_null",
        ondelete="restrict",
        groups=GROUP,
        help="The company whose Campaign Master account sends this campaign: that in which its "
        "Campaign Master fields were filled in first. It cannot change after the first sync.",
    )
    # Stored, so that the rule of recipients joins one table: with two, of which PostgreSQL may know
    # nothing yet, it read and sorted all 100,000 lines of a campaign to show the first forty.
    campaign_master_company_id = fields.Many2one(
        string="Campaign Master Company",
        related="campaign_master_account_id.company_id",
        store=True,
        groups=GROUP,
    )
    campaign_master_current_account_id = fields.Many2one(
        "campaign.master.account",
        compute="_compute_campaign_master_current_account_id",
        compute_sudo=True,
        groups=GROUP,
        help="The campaign's account, or the one it will get when its block is filled in now.",
    )
    campaign_master_enabled = fields.Boolean(
        compute="_compute_campaign_master_current_account_id", compute_sudo=True, groups=GROUP
    )
    campaign_master_subject = fields.Char(
        groups=GROUP,
        help="The subject line of the mail. Campaign Master sends it as it is; each sync updates "
        "it there until the campaign is sent.",
    )
    campaign_master_template_id = fields.Many2one(
        "campaign.master.template",
        string="Template",
        ondelete="restrict",
        groups=GROUP,
        domain="[('account_id', '=', campaign_master_current_account_id)]",
        help="What the mail looks like: a template that was made in Campaign Master. The first "
        "sync creates the campaign there from it. After that the template cannot be changed "
        "here, because Campaign Master's API cannot change it: do it in Campaign Master, Launch "
        "Campaign › Edit/Test.",
    )
    campaign_master_list_id = fields.Many2one(
        "campaign.master.list",
        string="List",
        copy=False,
        ondelete="restrict",
        groups=GROUP,
        domain="[('account_id', '=', campaign_master_current_account_id)]",
        help="The list in Campaign Master that a sync adds the recipients to. It must be chosen "
        "for the campaign there, too: the API cannot do it. Whoever else is on this list gets the "
        "mail as well. To start afresh, add a list in Campaign Master.",
    )
    campaign_master_from_name = fields.Char(
        string="From Name",
        groups=GROUP,
        help="The name that the mail comes from. Empty: as set in Campaign Master.",
    )
    campaign_master_from_email = fields.Char(
        string="From E-mail",
        groups=GROUP,
        help="The address that the mail comes from. Campaign Master may accept only addresses "
        "that it knows as yours. Empty: as set in Campaign Master.",
    )
    campaign_master_reply_to = fields.Char(
        string="Reply-To",
        groups=GROUP,
        help="The address that answers go to. Empty: as set in Campaign Master.",
    )

    # === WHAT WAS SYNCED === #

    campaign_master_ref = fields.Char(
        string="External ID",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups=GROUP,
        help="The campaign's id in Campaign Master; there from the first sync on.",
    )
    campaign_master_generation = fields.Integer(
        readonly=True,
        copy=False,
        groups=GROUP,
        help="How often this campaign was created again or unlinked; part of its reference.",
    )
    campaign_master_remote_status = fields.Char(
        string="Status in Campaign Master",
        readonly=True,
        copy=False,
        groups=GROUP,
        help="What Campaign Master says the campaign is: draft, scheduled, sending or sent; "
        "deleted, if it is not there any more. Read at each sync and, once mails went out, by "
        "the statistics.",
    )
    campaign_master_sent_at = fields.Datetime(
        string="Sent On",
        readonly=True,
        copy=False,
        groups=GROUP,
        help="When Campaign Master sent the campaign.",
    )
    campaign_master_synced_at = fields.Datetime(
        string="Last Sync",
        readonly=True,
        copy=False,
        groups=GROUP,
        help="When this campaign was last synced with Campaign Master.",
    )
    campaign_master_synced_by_id = fields.Many2one(
        "res.users",
        string="Synced By",
        readonly=True,
        copy=False,
        ondelete="set null",
        groups=GROUP,
        help="Who pressed Sync with Campaign Master last.",
    )
    campaign_master_synced_draft = fields.Json(readonly=True, copy=False, groups=GROUP)
    campaign_master_sync_state = fields.Selection(
        [
            ("never", "Never synced"),
            *STATES,
        ],
        string="Sync Outcome",
        readonly=True,
        copy=False,
        default="never",
        groups=GROUP,
        help="How the last sync ended. Complete: everybody who can be is on the list. Partly: "
        "some recipients have no or an invalid address, or were refused. Failed: it stopped; "
        "the message says why, and another sync goes on from there.",
    )
    campaign_master_sync_message = fields.Text(
        string="Sync Message",
        readonly=True,
        copy=False,
        groups=GROUP,
        help="What the last sync did, and what is left to do.",
    )
    campaign_master_outcome = fields.Json(
        string="Recipients by Outcome",
        readonly=True,
        copy=False,
        groups=GROUP,
        help="How many recipients had which outcome at the last sync.",
    )
    # === WHAT CAME BACK === #

    campaign_master_statistics_at = fields.Datetime(
        string="Last Statistics",
        readonly=True,
        copy=False,
        groups=GROUP,
        help="When the figures were last read from Campaign Master.",
    )
    campaign_master_next_poll_at = fields.Datetime(
        string="Next Statistics",
        readonly=True,
        copy=False,
        groups=GROUP,
        help="When the figures are read again by themselves, or shortly after: every half hour "
        "while the campaign is fresh, then less and less, and sooner again when something "
        "happens. Refresh statistics now reads them at once.",
    )
    campaign_master_fresh_at = fields.Datetime(
        readonly=True,
        copy=False,
        groups=GROUP,
        help="When the campaign was synced, sent or sent again last. The older, the less often "
        "its figures are read.",
    )
    campaign_master_moved_at = fields.Datetime(
        readonly=True,
        copy=False,
        groups=GROUP,
        help="When a change of the figures was seen last.",
    )
    # Where reading the figures stands: see utm_campaign_pull.
    campaign_master_pull_step = fields.Char(readonly=True, copy=False, groups=GROUP)
    campaign_master_pull_failures = fields.Integer(readonly=True, copy=False, groups=GROUP)
    campaign_master_activity_since = fields.Datetime(readonly=True, copy=False, groups=GROUP)
    campaign_master_activity_next_since = fields.Datetime(readonly=True, copy=False, groups=GROUP)
    campaign_master_activity_page = fields.Integer(readonly=True, copy=False, groups=GROUP)
    campaign_master_activity_seen = fields.Json(readonly=True, copy=False, groups=GROUP)
    campaign_master_activity_due = fields.Boolean(readonly=True, copy=False, groups=GROUP)
    _campaign_master_queue_index = models.Index(
        "(campaign_master_next_poll_at) WHERE campaign_master_ref IS NOT NULL"
    )

    campaign_master_sent = _figure("Sent", "Mails that Campaign Master sent.")
    campaign_master_delivered = _figure(
        "Delivered", "Mails that the recipients' mail servers accepted."
    )
    campaign_master_hard_bounces = _figure(
        "Hard Bounces", "Mails that came back for good: the address does not exist."
    )
    campaign_master_soft_bounces = _figure(
        "Soft Bounces", "Mails that came back for a passing reason, as a full mailbox."
    )
    campaign_master_rejected = _figure(
        "Rejected", "Mails that the recipients' mail servers refused to take."
    )
    campaign_master_opens = _figure(
        "Opens", "How often the mail was opened; somebody who opens it twice counts twice."
    )
    campaign_master_unique_opens = _figure(
        "Unique Opens", "How many recipients opened the mail at least once."
    )
    campaign_master_clicks = _figure(
        "Clicks", "How often links were clicked; somebody who clicks twice counts twice."
    )
    campaign_master_unique_clicks = _figure(
        "Unique Clicks", "How many recipients clicked a link at least once."
    )
    campaign_master_forwards = _figure("Forwards", "How often the mail was forwarded.")
    campaign_master_unsubscribes = _figure(
        "Unsubscribes", "How many recipients unsubscribed through the mail."
    )
    campaign_master_complaints = _figure(
        "Complaints", "How many recipients reported the mail as spam."
    )
    campaign_master_total_bounces = fields.Integer(
        string="Total Bounces",
        compute="_compute_campaign_master_rates",
        store=True,
        readonly=True,
        copy=False,
        groups=GROUP,
        help="Hard bounces + soft bounces + rejected.",
    )
    campaign_master_successful = fields.Integer(
        string="Successful Emails",
        compute="_compute_campaign_master_rates",
        store=True,
        readonly=True,
        copy=False,
        groups=GROUP,
        help="Sent − total bounces.",
    )
    campaign_master_open_rate = _rate(
        "Open Rate %", "Unique opens ÷ successful emails, in percent."
    )
    campaign_master_click_rate = _rate(
        "Click Rate %",
        "Clicks ÷ successful emails, in percent. All clicks count, so that it can exceed 100 %.",
    )
    campaign_master_click_to_open_rate = _rate(
        "Click-to-Open %", "Unique clicks ÷ unique opens, in percent."
    )
    campaign_master_bounce_rate = _rate("Bounce %", "Total bounces ÷ sent, in percent.")
    campaign_master_unsubscribe_rate = _rate("Unsubscribe %", "Unsubscribes ÷ sent, in percent.")
    # Kept by those who add and remove recipients: counting 100,000 of them takes 8 ms of the 50 in
    # which the form opens.
    campaign_master_recipient_count = fields.Integer(
        string="Recipients",
        readonly=True,
        copy=False,
        groups=GROUP,
        help="How many leads, contacts and companies are on this campaign.",
    )
    campaign_master_sees_leads = fields.Boolean(
        compute="_compute_campaign_master_sees_leads", groups=GROUP
    )

    # === COMPUTE METHODS === #

    @api.depends("campaign_master_account_id")
    @api.depends_context("company")
    def _compute_campaign_master_current_account_id(self):
        own = self.env["campaign.master.account"]._of_company(self.env.company)
        for campaign in self:
            account = campaign.campaign_master_account_id or own
            campaign.campaign_master_current_account_id = account
            campaign.campaign_master_enabled = account.enabled

    @api.depends(*(PREFIX + name for name in FIGURES))
    def _compute_campaign_master_rates(self):
        for campaign in self:
            sent = campaign.campaign_master_sent
            bounces = (
                campaign.campaign_master_hard_bounces
                + campaign.campaign_master_soft_bounces
                + campaign.campaign_master_rejected
            )
            successful = sent - bounces
            campaign.campaign_master_total_bounces = bounces
            campaign.campaign_master_successful = successful
            campaign.campaign_master_open_rate = _percent(
                campaign.campaign_master_unique_opens, successful
            )
            campaign.campaign_master_click_rate = _percent(
                campaign.campaign_master_clicks, successful
            )
            campaign.campaign_master_click_to_open_rate = _percent(
                campaign.campaign_master_unique_clicks, campaign.campaign_master_unique_opens
            )
            campaign.campaign_master_bounce_rate = _percent(bounces, sent)
            campaign.campaign_master_unsubscribe_rate = _percent(
                campaign.campaign_master_unsubscribes, sent
            )

    @api.depends_context("uid")
    def _compute_campaign_master_sees_leads(self):
        self.campaign_master_sees_leads = self.env["crm.lead"].has_access("read")

    # === CONSTRAINTS === #

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
                            "“%(entry)s” belongs to the Campaign Master account of "
                            "%(other)s, but this campaign is one of %(company)s. Nothing was "
                            "saved. Choose one of %(company)s.",
                            entry=entry.name,
                            other=entry.account_id.company_id.name,
                            company=account.company_id.name or self.env.company.name,
                        )
                    )

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields_list):
        """Take no default from the caller for what only Campaign Master may change."""
        values = super().default_get(fields_list)
        if not self.env.su:
            for name in PROTECTED & values.keys():
                default = self._fields[name].default
                values[name] = default(self) if default else False
        return values

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._refuse_protected(vals)
            self._claim_account(vals)
        note_written(self.env)
        return super().create(vals_list)

    def write(self, vals):
        self._refuse_protected(vals)
        names = vals.keys()
        if PREFIX + "template_id" in names or PREFIX + "account_id" in names:
            self._refuse_locked(vals)
        if any(PREFIX + name in names for name in BLOCK) and PREFIX + "account_id" not in names:
            unclaimed = self.filtered(lambda campaign: not campaign._campaign_master_account())
            if unclaimed and unclaimed != self:
                # Two writes, since only one of them names an account.
                return unclaimed.write(vals) and (self - unclaimed).write(vals)
            if unclaimed:
                self._claim_account(vals := dict(vals))
        relisted = self._campaign_master_changing("list_id", vals)
        relisted._refuse_while_running()
        moved = self._campaign_master_changing("account_id", vals)
        note_written(self.env)
        result = super().write(vals)
        relisted._campaign_master_start_list_afresh()
        if moved:
            # sudo: totals cover people whom the user may not see
            people = self.env["campaign.master.recipient"].sudo()._people_of(moved)
            self.env["campaign.master.total"].sudo()._forget_people(people)
        return result

    def unlink(self):
        """Delete the campaigns here; in Campaign Master they stay as they are."""
        # sudo: totals cover people whom the user may not see
        people = self.env["campaign.master.recipient"].sudo()._people_of(self)
        result = super().unlink()
        self.env["campaign.master.total"].sudo()._forget_people(people)
        return result

    def _campaign_master_changing(self, name, vals):
        """:return: the campaigns whose value of the field these values change"""
        name = PREFIX + name
        if name not in vals:
            return self.browse()
        return self.filtered(lambda campaign: campaign.sudo()[name].id != (vals[name] or False))

    def _campaign_master_account(self):
        """:return: the campaign's account, readable whoever asks"""
        return self.sudo().campaign_master_account_id

    @api.model
    def _claim_account(self, vals):
        """A campaign belongs to the company in which its block is filled in first."""
        if any(vals.get(PREFIX + name) for name in BLOCK) and not vals.get(PREFIX + "account_id"):
            account = self.env["campaign.master.account"]._of_company(self.env.company)
            if account:
                vals[PREFIX + "account_id"] = account.id

    def _refuse_protected(self, vals):
        """:raise AccessError: somebody wants to write what only Campaign Master may"""
        protected = PROTECTED & vals.keys()
        if protected and not self.env.su:
            labels = sorted(self._fields[name]._description_string(self.env) for name in protected)
            raise AccessError(
                self.env._(
                    "%(fields)s: this comes from Campaign Master and cannot be entered in Odoo. "
                    "Nothing was saved.",
                    fields=", ".join(labels),
                )
            )

    def _refuse_locked(self, vals):
        """:raise UserError: the template or account of a synced campaign would change"""
        for campaign in self.sudo().filtered("campaign_master_ref"):
            for name, message in (
                (
                    "campaign_master_template_id",
                    self.env._(
                        "The template of “%(campaign)s” cannot be changed in Odoo after the "
                        "first sync, because Campaign Master's API cannot change it. Nothing was "
                        "saved. Change it in Campaign Master: Launch Campaign › Edit/Test.",
                        campaign=campaign.title,
                    ),
                ),
                (
                    "campaign_master_account_id",
                    self.env._(
                        "“%(campaign)s” was synced with the account of %(company)s and stays "
                        "there. Nothing was saved. Duplicate the campaign to send it from "
                        "another company.",
                        campaign=campaign.title,
                        company=campaign.campaign_master_account_id.company_id.name,
                    ),
                ),
            ):
                if name in vals and campaign[name].id != (vals[name] or False):
                    raise UserError(message)

    def _refuse_while_running(self):
        for campaign in self.sudo():
            if campaign.campaign_master_sync_state == "running":
                raise UserError(
                    self.env._(
                        "“%(campaign)s” is being synced. Nothing was changed. Wait until that "
                        "has ended, or cancel it.",
                        campaign=campaign.title,
                    )
                )

    def _campaign_master_start_list_afresh(self):
        """Another list was chosen: everybody is a candidate for it."""
        if self.ids:
            self.env["campaign.master.recipient"].flush_model()
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE campaign_master_recipient
                       SET sync_state = 'pending', sync_message = NULL, late = FALSE
                     WHERE campaign_id = ANY(%s) AND sync_state IN ('added', 'exists', 'refused')
                    """,
                    self.ids,
                )
            )
            self.env["campaign.master.recipient"].invalidate_model()

    # === RECIPIENTS === #

    def campaign_master_add_recipients(self, model, domain):
        """Add everybody whom the caller may read and the domain finds. Adding twice is harmless.

        :param str model: ``res.partner`` or ``crm.lead``
        :param list domain: a search domain on that model
        :return: ``added``, ``existing`` (were there already) and, among those added,
            ``without_email``
        :rtype: dict
        :raise UserError: another model, or the company has no enabled account
        :raise AccessError: the caller does not work in Email Marketing, or may not read the model
        """
        self.ensure_one()
        Account = self.env["campaign.master.account"]
        Account._check_marketing_user()
        self.check_access("write")
        if model not in ("res.partner", "crm.lead"):
            raise UserError(
                self.env._(
                    "Only leads, contacts and companies can be recipients. Nobody was added."
                )
            )
        self._campaign_master_ensure_account()
        people = self.env[model]
        people.check_access("read")
        # What the statement reads must be in the database, and not only in the cache.
        people.flush_model(
            ["email", "email_normalized", "is_company"]
            if model == "res.partner"
            else ["email_from", "email_normalized"]
        )
        query = people._search(Domain(domain))
        note_written(self.env)
        return self.env["campaign.master.recipient"].sudo()._add(self.sudo(), query)

    def _campaign_master_ensure_account(self):
        """Claim the campaign for the company's account, if it has none yet.

        :raise UserError: the company has no enabled account
        """
        self.ensure_one()
        account = self._campaign_master_account()
        if not account:
            account = self.env["campaign.master.account"]._of_company(self.env.company)
            if not account:
                raise UserError(
                    self.env._(
                        "Campaign Master is not enabled for %(company)s. Nothing was done. An "
                        "administrator enables it in Settings › Email Marketing › External "
                        "Campaign Manager.",
                        company=self.env.company.name,
                    )
                )
            self.sudo().campaign_master_account_id = account
        account._check_enabled()

    # === ACTION METHODS === #

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

    def action_campaign_master_recipients(self):
        """Open all recipients of the campaign."""
        return self.action_campaign_master_open_outcome()

    def action_campaign_master_open_outcome(self, state=None):
        """Open the recipients with one outcome of the sync, or all.

        :param str state: a ``sync_state`` of recipients, or ``None``
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "campaign_master.campaign_master_recipient_action"
        )
        domain = [("campaign_id", "=", self.id)]
        if state:
            domain.append(("sync_state", "=", state))
        return {**action, "domain": domain, "context": {"create": False}}


def _percent(part, whole):
    """:return: ``part`` in percent of ``whole``; 0 when there is nothing to divide by"""
    return 100.0 * part / whole if whole > 0 else 0.0
