from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import check_marketing_user, notification

STATES = [
    ("pending", "Not Synced Yet"),
    ("added", "Added"),
    ("exists", "Already on the List"),
    ("no_email", "No Email"),
    ("invalid", "Invalid Address"),
    ("duplicate", "Duplicate Address"),
    ("opted_out", "Opted Out"),
    ("refused", "Rejected"),
]
# How the form shows each state: a Bootstrap color.
STATE_COLORS = {
    "pending": "secondary",
    "added": "success",
    "exists": "info",
    "no_email": "warning",
    "invalid": "warning",
    "duplicate": "secondary",
    "opted_out": "secondary",
    "refused": "danger",
}
# States of recipients that are on the campaign's list.
ON_LIST = ("added", "exists")
KINDS = [("lead", "Lead"), ("contact", "Contact"), ("company", "Company")]


class CampaignMasterRecipient(models.Model):
    """A lead, contact or company on a campaign: what was sent to the list, and the activity since.

    Written by set-based statements only (``campaign_master_recipient_bulk.py``), because a campaign
    may have 100,000 recipients.

    ========== =========================================================================
    state      meaning
    ========== =========================================================================
    pending    not on the list yet; the next sync adds it
    added      added to the list by Odoo
    exists     was already on the list; not added twice
    no_email   the person has no email address
    invalid    the email address is not valid, for Odoo or for Campaign Master
    duplicate  another recipient of the campaign with the same address is on the list for both
    opted_out  the address unsubscribed from a campaign of this account; never added
    refused    Campaign Master rejected the address; ``sync_message`` is its reason
    ========== =========================================================================
    """

    _name = "campaign.master.recipient"
    _description = "Campaign Master Recipient"
    _rec_name = "email"
    _order = "id"
    # Without create_uid and write_uid, and their foreign keys, adding people is 25 % faster.
    _log_access = False

    campaign_id = fields.Many2one("utm.campaign", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", readonly=True, ondelete="set null")
    lead_id = fields.Many2one("crm.lead", readonly=True, ondelete="set null")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    email = fields.Char(
        readonly=True,
        help="Address used on the Campaign Master list, taken from the person when syncing. Later "
        "changes to the person do not affect it.",
    )
    sync_state = fields.Selection(
        STATES,
        string="Sync Result",
        required=True,
        readonly=True,
        default="pending",
        help="Result of the last sync for this recipient.",
    )
    sync_message = fields.Char(
        string="Reason", readonly=True, help="Campaign Master's reason for rejecting the address."
    )
    late = fields.Boolean(
        string="Added After Sending",
        readonly=True,
        help="Added to the list after the campaign was sent; will not receive it.",
    )
    open_count = fields.Integer(string="Total Opens", readonly=True, help="Number of opens.")
    click_count = fields.Integer(
        string="Total Clicks", readonly=True, help="Number of clicks on links in the email."
    )
    forward_count = fields.Integer(
        string="Total Forwards", readonly=True, help="Number of times the email was forwarded."
    )
    unsubscribe_count = fields.Integer(
        string="Total Unsubscribes",
        readonly=True,
        help="Number of times this person unsubscribed through the email.",
    )
    first_open = fields.Datetime(readonly=True, help="Time of the first open.")
    last_open = fields.Datetime(readonly=True, help="Time of the last open.")
    first_click = fields.Datetime(readonly=True, help="Time of the first click.")
    last_click = fields.Datetime(readonly=True, help="Time of the last click.")
    bounced = fields.Boolean(
        readonly=True, help="The address is invalid and does not receive emails."
    )
    opted_out = fields.Boolean(
        readonly=True,
        help="Unsubscribed from this campaign, or from an earlier one of the same account; then "
        "the address is not added to the list. Other emails from Odoo are not affected.",
    )

    known_on_list = fields.Boolean(
        string="Known to Be on the List",
        store=False,
        search="_search_known_on_list",
        help="An earlier sync of another campaign added the address to the same list.",
    )
    bounced_before = fields.Boolean(
        store=False,
        search="_search_bounced_before",
        help="The address bounced on another campaign of the same account.",
    )

    # No index contains a column that a sync or a reading updates, so that updates are HOT.
    _unique_partner = models.UniqueIndex(
        "(partner_id, campaign_id) WHERE partner_id IS NOT NULL",
        "This contact is already on the campaign.",
    )
    _unique_lead = models.UniqueIndex(
        "(lead_id, campaign_id) WHERE lead_id IS NOT NULL",
        "This lead is already on the campaign.",
    )
    _one_person = models.Constraint(
        "CHECK (partner_id IS NULL OR lead_id IS NULL)",
        "A recipient is either a lead or a contact or company.",
    )
    _email_index = models.Index("(email, campaign_id) WHERE email IS NOT NULL")
    _campaign_index = models.Index("(campaign_id, id)")
    # For the pages of the tabs: without them, the first page of a tab reads all lines of the
    # campaign up to its first lead.
    _lead_index = models.Index("(campaign_id, id) WHERE kind = 'lead'")
    _contact_index = models.Index("(campaign_id, id) WHERE kind = 'contact'")
    _company_index = models.Index("(campaign_id, id) WHERE kind = 'company'")

    def init(self):
        # Room for updates on the same page, which then touch no index: 7 ms instead of 23 ms for
        # 1,000 recipients.
        self.env.cr.execute(SQL("ALTER TABLE campaign_master_recipient SET (fillfactor = 50)"))

    def _search_known_on_list(self, operator, value):
        return self._search_same_address(
            operator,
            SQL(
                "other.sync_state IN %s"
                " AND earlier.campaign_master_list_id = own.campaign_master_list_id",
                ON_LIST,
            ),
        )

    def _search_bounced_before(self, operator, value):
        return self._search_same_address(operator, SQL("other.bounced"))

    def _search_same_address(self, operator, condition):
        """:return: a domain: an ``other`` recipient with the same address, on an ``earlier``
        campaign of the ``own`` campaign's account, meets the condition"""
        if operator != "in":
            return NotImplemented
        return Domain.custom(
            to_sql=lambda _model, alias, _query: SQL(
                """
                EXISTS (
                    SELECT FROM campaign_master_recipient AS other
                      JOIN utm_campaign AS earlier ON earlier.id = other.campaign_id
                      JOIN utm_campaign AS own ON own.id = %(recipient)s.campaign_id
                     WHERE other.email = %(recipient)s.email AND earlier.id <> own.id
                       AND earlier.campaign_master_account_id = own.campaign_master_account_id
                       AND %(condition)s)
                """,
                recipient=SQL.identifier(alias),
                condition=condition,
            )
        )

    @api.depends("email", "partner_id", "lead_id")
    def _compute_display_name(self):
        for recipient in self:
            # sudo: the user may read the recipient, and so its name
            person = recipient.sudo().partner_id or recipient.sudo().lead_id
            recipient.display_name = person.display_name or recipient.email

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_running(self):
        for campaign in self.campaign_id:
            if campaign.campaign_master_sync_state == "running":
                raise UserError(
                    self.env._(
                        "“%(campaign)s” is being synced. No recipient was removed. Wait until the "
                        "sync has ended, or cancel it.",
                        campaign=campaign.title,
                    )
                )

    def unlink(self):
        """Remove recipients in Odoo. They remain on the list in Campaign Master."""
        people = [(recipient.partner_id.id, recipient.lead_id.id) for recipient in self]
        removed = Counter(recipient.campaign_id for recipient in self)
        result = super().unlink()
        for campaign, count in removed.items():
            # sudo: nobody may write the number
            campaign.sudo().campaign_master_recipient_count -= count
        # sudo: nobody may read or write totals
        self.env["campaign.master.engagement"].sudo()._recompute_people(people, removed=True)
        return result

    # === ACTION METHODS === #

    def action_open_person(self):
        """Open the lead, contact or company."""
        self.ensure_one()
        person = self.partner_id or self.lead_id
        if not person:
            raise UserError(
                self.env._("This person was deleted in Odoo. Only their activity is kept here.")
            )
        return person.get_formview_action() | {"target": "current"}

    def action_remove(self):
        """Remove the selected recipients from their campaign, in Odoo only.

        :return: a notification action
        """
        check_marketing_user(self.env)
        self.unlink()
        return notification(
            "info",
            self.env._(
                "Removed in Odoo. They are still on the Campaign Master list; remove them there as "
                "well if they should not receive the email."
            ),
        )
