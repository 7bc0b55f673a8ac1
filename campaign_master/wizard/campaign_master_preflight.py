from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Command, Domain
from odoo.tools import LazyTranslate

from ..models.campaign_master_recipient import ON_LIST
from ..tools import format_count, format_moment, utcnow

_lt = LazyTranslate(__name__)

# The check says how long adding recipients takes if it takes longer, or many calls.
SHORT = timedelta(hours=1)

PENDING = Domain("sync_state", "=", "pending")
PENDING_OR_ON_LIST = Domain("sync_state", "in", ("pending", *ON_LIST))


class Group(NamedTuple):
    """Recipients with the same result.

    :ivar note: what the next sync does with them
    :ivar sent_note: the same once the campaign was sent, if it differs: no sync changes who
        received it
    :ivar label: by default that of the state with the group's code
    :ivar sent_label: once the campaign was sent, if it differs
    :ivar Domain domain: by default those in the state with the group's code
    """

    note: str
    sent_note: str | None = None
    label: str | None = None
    sent_label: str | None = None
    domain: Domain | None = None


# By code. They do not overlap, except that "objection", "bounced" and "several_addresses" are parts
# of others.
GROUPS = {
    # Also recipients of other campaigns, see utm_campaign_warnings.py.
    "objection": Group(
        _lt("They will receive the email: take them off the list in Campaign Master."),
        sent_note=_lt("On the list in Campaign Master according to an earlier sync."),
        label=_lt("Blacklisted, but on the List"),
    ),
    "add": Group(
        _lt("Added to the list by the next sync."),
        sent_note=_lt("Will not receive the campaign. The next sync adds them to the list."),
        label=_lt("To Be Added"),
        sent_label=_lt("Added After Sending"),
        domain=PENDING & Domain("known_on_list", "=", False),
    ),
    "known": Group(
        _lt("On the list according to an earlier sync. Not added twice."),
        label=_lt("Already on the List"),
        domain=Domain("sync_state", "in", ON_LIST) | (PENDING & Domain("known_on_list", "=", True)),
    ),
    "bounced": Group(
        _lt("The address bounced on another campaign of this account."),
        label=_lt("Of Which Bounced Before"),
        domain=PENDING_OR_ON_LIST & Domain("bounced_before", "=", True),
    ),
    "several_addresses": Group(
        _lt("The first address is used."),
        label=_lt("Several Addresses"),
        domain=PENDING_OR_ON_LIST & Domain("has_several_addresses", "=", True),
    ),
    "no_email": Group(
        _lt("Not added. Enter an email address, then sync."),
        sent_note=_lt("Not added: there is no email address."),
    ),
    "invalid": Group(
        _lt("Not added. Correct the email address, then sync."),
        sent_note=_lt("Not added: the email address is not valid."),
    ),
    "duplicate": Group(_lt("The address is added once. Its activity is shown on each recipient.")),
    "blacklisted": Group(_lt("Not added. The address is on Odoo's blacklist.")),
    "opted_out": Group(_lt("Not added. The address unsubscribed from a campaign of this account.")),
    "refused": Group(
        _lt("Not retried automatically; use Retry Failed."),
        sent_note=_lt("Not added: Campaign Master rejected the address."),
    ),
}


class CampaignMasterPreflight(models.TransientModel):
    """A preview of a sync, based on data in Odoo. Campaign Master is not contacted."""

    _name = "campaign.master.preflight"
    _description = "Check Before Sync"

    campaign_id = fields.Many2one("utm.campaign", readonly=True, required=True, ondelete="cascade")
    missing = fields.Text(readonly=True, help="Why the sync cannot start.")
    next_steps = fields.Text(readonly=True, help="What to do in Campaign Master.")
    quota_message = fields.Text(readonly=True, help="How long adding the recipients takes.")
    group_ids = fields.One2many("campaign.master.preflight.group", "preflight_id", readonly=True)

    @api.model
    def _check(self, campaign):
        """Classify the recipients as a sync does, and count them.

        :param campaign: ``utm.campaign`` with an account, as superuser
        :return: the new preview
        """
        Recipient = self.env["campaign.master.recipient"].sudo()
        if campaign.campaign_master_sync_state != "running":
            Recipient._classify(campaign)
        own = Domain("campaign_id", "=", campaign.id)
        return self.create(
            {
                "campaign_id": campaign.id,
                "missing": "\n".join(campaign._campaign_master_missing()),
                "next_steps": self._next_steps_message(campaign),
                "quota_message": self._quota_message(
                    campaign.campaign_master_account_id,
                    Recipient.search_count(own & PENDING),
                ),
                "group_ids": [
                    Command.create(
                        {
                            **self._described(code, campaign._campaign_master_is_sent()),
                            "count": campaign.campaign_master_objection_count
                            if code == "objection"
                            else Recipient.search_count(own & _domain(code)),
                        }
                    )
                    for code in GROUPS
                ],
            }
        )

    @api.model
    def _described(self, code, is_sent):
        """:return: ``code``, ``name`` and ``note`` of a group
        :rtype: dict"""
        group = GROUPS[code]
        label, note = group.label, group.note
        if is_sent:
            label, note = group.sent_label or label, group.sent_note or note
        states = self.env["campaign.master.recipient"]._fields["sync_state"]
        name = self.env._(label) if label else dict(states._description_selection(self.env))[code]
        return {"code": code, "name": name, "note": self.env._(note)}

    @api.model
    def _next_steps_message(self, campaign):
        """:return: sentences, one per line; ``False`` before the first sync"""
        if not campaign.campaign_master_ref:
            return False
        if campaign._campaign_master_is_sent():
            # Others who are on the list now may have been added to it since.
            return campaign._campaign_master_next_steps()
        lines = [campaign._campaign_master_next_steps()]
        selected_list = campaign.campaign_master_list_id
        recipient_count = (
            self.env["campaign.master.recipient"]
            .sudo()
            .search_count([("campaign_id", "=", campaign.id), ("sync_state", "in", ON_LIST)])
        )
        others = selected_list.recipient_count - recipient_count
        if others == 1:
            lines.append(
                self.env._(
                    "1 other person is on the list “%(list)s” and will also receive the email.",
                    list=selected_list.name,
                )
            )
        elif others > 1:
            lines.append(
                self.env._(
                    "%(count)s other people are on the list “%(list)s” and will also receive the "
                    "email.",
                    count=format_count(self.env, others),
                    list=selected_list.name,
                )
            )
        return "\n".join(lines)

    @api.model
    def _quota_message(self, account, recipients):
        """:return: how many calls adding so many recipients takes, and until when; ``False`` if
        that is soon"""
        if not recipients:
            return False
        calls, end = account._adding(recipients)
        is_one_each = calls == recipients > 1
        if not is_one_each and end - utcnow() < SHORT:
            return False
        values = {
            "recipients": format_count(self.env, recipients),
            "calls": format_count(self.env, calls),
            "end": format_moment(self.env, end),
        }
        if is_one_each:
            return self.env._(
                "Recipients to add: %(recipients)s, one API call each. Because of the API limits, "
                "this takes until %(end)s.",
                **values,
            )
        return self.env._(
            "Recipients to add: %(recipients)s. API calls: %(calls)s. Because of the API limits, "
            "this takes until %(end)s.",
            **values,
        )

    def action_sync(self):
        """Start the sync."""
        self.ensure_one()
        return self.campaign_id.action_campaign_master_sync()


class CampaignMasterPreflightGroup(models.TransientModel):
    """Recipients with the same result."""

    _name = "campaign.master.preflight.group"
    _description = "Check Before Sync: Recipients with the Same Result"

    preflight_id = fields.Many2one("campaign.master.preflight", required=True, ondelete="cascade")
    code = fields.Char(readonly=True, required=True)
    name = fields.Char(string="Recipients", readonly=True)
    note = fields.Char(string="Result", readonly=True)
    count = fields.Integer(readonly=True)

    def action_open(self):
        """Open these recipients, as far as the user may read them."""
        self.ensure_one()
        campaign = self.preflight_id.campaign_id
        if self.code == "objection":
            return campaign.action_campaign_master_open_objections()
        return campaign.action_campaign_master_recipients() | {
            "name": self.name,
            "domain": list(Domain("campaign_id", "=", campaign.id) & _domain(self.code)),
        }


def _domain(code):
    """:return: the domain of a group's recipients"""
    domain = GROUPS[code].domain
    return Domain("sync_state", "=", code) if domain is None else domain
