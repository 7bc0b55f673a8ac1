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
    ("blacklisted", "Blacklisted in Odoo"),
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
    "blacklisted": "secondary",
    "refused": "danger",
}
# States of recipients that are on the campaign's list.
ON_LIST = ("added", "exists")
# Status in Campaign Master from which on nobody who is added receives the campaign.
SENT_STATUSES = ("sending", "sent")
KINDS = [("lead", "Lead"), ("contact", "Contact"), ("company", "Company")]
RESULTS = [
    ("clicked", "Clicked"),
    ("opened", "Opened"),
    ("delivered", "Delivered"),
    ("bounced", "Bounced"),
    ("opted_out", "Opted Out"),
    ("on_list", "On the List"),
    ("late", "Added After Sending"),
    ("waiting", "Not Synced Yet"),
    ("duplicate", "Duplicate Address"),
    ("not_sent", "Not Sent"),
]
# Why a recipient is a likely machine: the first that applies, see
# campaign_master_recipient_machines.py.
MACHINE_RULES = [
    ("sending", "Right After Sending"),
    ("burst", "Many Clicks at Once"),
    ("domain", "Same Minute as Colleagues"),
]


class CampaignMasterRecipient(models.Model):
    """A lead, contact or company on a campaign: what was sent to the list, and the activity since.

    Nearly all is written by set-based statements, because a campaign may have 100,000 recipients:
    ``campaign_master_recipient_bulk.py`` adds people, ``…_reasons.py`` decides who is not added to
    the list, ``…_sending.py`` stores what happens to the others, ``…_activity.py`` what they do,
    and ``…_machines.py`` who of them is a likely machine.

    =========== =========================================================================
    state       meaning
    =========== =========================================================================
    pending     not on the list yet; the next sync adds it
    added       added to the list by Odoo
    exists      was already on the list; not added twice
    no_email    the person has no email address
    invalid     the email address is not valid, for Odoo or for Campaign Master
    duplicate   another recipient of the campaign with the same address is on the list for both
    blacklisted the address is on Odoo's blacklist; never added
    opted_out   the address unsubscribed from a campaign of this account; never added
    refused     Campaign Master rejected the address; ``sync_message`` is its reason
    =========== =========================================================================
    """

    _name = "campaign.master.recipient"
    _description = "Campaign Master Recipient"
    _rec_name = "email"
    _order = "id"
    # Without create_uid and write_uid, and their foreign keys, adding people is 25 % faster.
    _log_access = False

    campaign_id = fields.Many2one("utm.campaign", required=True, readonly=True, ondelete="cascade")
    campaign_sent_at = fields.Datetime(related="campaign_id.campaign_master_sent_at")
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
    on_list_at = fields.Datetime(
        string="On the List Since",
        readonly=True,
        help="When the address was added to the list, or found on it.",
    )
    is_twin = fields.Boolean(
        string="Shares an Address",
        readonly=True,
        help="Another recipient of the campaign has the same address and is counted for both.",
    )
    late = fields.Boolean(
        string="Added After Sending",
        readonly=True,
        help="Added after the campaign was sent; will not receive it.",
    )
    sent_to = fields.Boolean(
        string="Sent",
        readonly=True,
        help="The address was on the list when the campaign was sent.",
    )
    delivered = fields.Boolean(
        readonly=True, help="The campaign was sent to the address, and it did not bounce."
    )
    result = fields.Selection(
        RESULTS,
        readonly=True,
        help="What happened so far. The first that applies: opted out, clicked, opened, bounced, "
        "delivered.",
    )
    is_merged = fields.Boolean(
        string="Merged",
        readonly=True,
        help="The recipient of a person that was merged into this one, who is on the campaign, "
        "too.",
    )
    opened = fields.Boolean(readonly=True, help="Opened the email at least once.")
    clicked = fields.Boolean(readonly=True, help="Clicked a link in the email at least once.")
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
    bounce_reason = fields.Char(
        readonly=True,
        help="Why the email could not be delivered, in the words of the recipient's mail server.",
    )
    opted_out_here = fields.Boolean(
        string="Opted Out of This Campaign",
        readonly=True,
        help="Unsubscribed through this campaign.",
    )
    opted_out_before = fields.Boolean(
        readonly=True,
        help="Unsubscribed from an earlier campaign of the same account; the address is not added "
        "to the list.",
    )
    opted_out = fields.Boolean(
        readonly=True,
        help="Unsubscribed from this campaign, or from an earlier one of the same account; then "
        "the address is not added to the list. Other emails from Odoo are not affected.",
    )

    # NULL of nearly all: it takes no room in the row, and no index.
    machine_rule = fields.Selection(
        MACHINE_RULES,
        string="Likely Machine",
        readonly=True,
        help="Security software, rather than the person, has probably opened the email or clicked "
        "its links. Right After Sending: within 10 seconds of it. Many Clicks at Once: 4 or more "
        "within 10 seconds. Same Minute as Colleagues: at least 3 addresses of a company domain "
        "clicked first within the same 60 seconds. Empty if the person opened or clicked later.",
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

    is_objection = fields.Boolean(
        string="Blacklisted, but on the List",
        store=False,
        search="_search_is_objection",
        help="The address is on Odoo's blacklist, and a sync has put it on the Campaign Master "
        "list: take it off there before a campaign is sent to the list.",
    )

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

    def _search_is_objection(self, operator, value):
        if operator != "in":
            return NotImplemented
        blacklisted = Domain.custom(
            to_sql=lambda _model, alias, _query: self._blacklisted_sql(SQL.identifier(alias))
        )
        return Domain("sync_state", "in", ON_LIST) & blacklisted

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
        people = self._people_of(SQL("id = ANY(%s)", self.ids))
        campaigns = self.campaign_id
        removed = Counter(recipient.campaign_id for recipient in self)
        # sudo: also leads that the user may not read
        twins = self.sudo().search(
            [
                ("campaign_id", "in", self.campaign_id.ids),
                ("email", "in", self.mapped("email")),
                ("is_twin", "=", True),
                ("id", "not in", self.ids),
            ]
        )
        gone = {(one.campaign_id, one.email) for one in self if one.sent_to and not one.is_twin}
        gone -= {(twin.campaign_id, twin.email) for twin in twins}
        addresses = Counter(campaign for campaign, _email in gone)
        result = super().unlink()
        # One of those who shared its address is counted now.
        for campaign, recipients in twins.grouped("campaign_id").items():
            recipients._classify(campaign, SQL("recipient.id = ANY(%s)", recipients.ids))
        # sudo: nobody may write the numbers
        for campaign, count in removed.items():
            campaign.sudo().campaign_master_recipient_count -= count
            campaign.sudo().campaign_master_campaign_ids.removed_count += addresses[campaign]
        campaigns.sudo()._campaign_master_keep_sums()
        # sudo: nobody may read or write totals, nor write what was kept
        self.env["campaign.master.engagement"].sudo()._recompute_people(people, removed=True)
        self.env["campaign.master.age"].sudo()._keep(campaigns.sudo())
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

    def action_open_campaign(self):
        """Open the campaign."""
        self.ensure_one()
        return self.campaign_id.get_formview_action() | {"target": "current"}

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
