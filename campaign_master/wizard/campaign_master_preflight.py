from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ..models.campaign_master_recipient import ON_LIST
from ..tools import number

_lt = LazyTranslate(__name__)

WAITING = Domain("sync_state", "=", "pending")
# What is told of the recipients: code, label, which recipients, what becomes of them. The groups
# exclude each other; only "bounced" is a part of the first two.
GROUPS = (
    (
        "add",
        _lt("Will be added"),
        WAITING & Domain("known_on_list", "=", False),
        _lt("The next sync adds them to the list."),
    ),
    (
        "known",
        _lt("On the list already"),
        Domain("sync_state", "in", ON_LIST) | (WAITING & Domain("known_on_list", "=", True)),
        _lt("Put there by an earlier sync of this or another campaign; not added twice."),
    ),
    (
        "bounced",
        _lt("Of all these: bounced before"),
        Domain("sync_state", "in", ("pending", *ON_LIST)) & Domain("bounced_before", "=", True),
        _lt("On another campaign of this account the address received no mail."),
    ),
    (
        "no_email",
        _lt("No e-mail"),
        Domain("sync_state", "=", "no_email"),
        _lt("They cannot get the mail. Enter an address, then sync."),
    ),
    (
        "invalid",
        _lt("Invalid address"),
        Domain("sync_state", "=", "invalid"),
        _lt("They cannot get the mail. Correct the address, then sync."),
    ),
    (
        "duplicate",
        _lt("Same address as another"),
        Domain("sync_state", "=", "duplicate"),
        _lt("The address is added once; what happens to it is shown on both."),
    ),
    (
        "opted_out",
        _lt("Opted out"),
        Domain("sync_state", "=", "opted_out"),
        _lt("Unsubscribed from a campaign of this account; not added."),
    ),
    (
        "refused",
        _lt("Refused before"),
        Domain("sync_state", "=", "refused"),
        _lt("Campaign Master did not take the address; not asked for again by itself."),
    ),
)


class CampaignMasterPreflight(models.TransientModel):
    """What a sync would do, from what Odoo knows: Campaign Master is not asked."""

    _name = "campaign.master.preflight"
    _description = "Check Before Sync"

    campaign_id = fields.Many2one("utm.campaign", readonly=True, required=True, ondelete="cascade")
    missing = fields.Text(readonly=True, help="What the sync needs and is not there yet.")
    left_to_do = fields.Text(readonly=True, help="What is to be done in Campaign Master.")
    group_ids = fields.One2many("campaign.master.preflight.group", "preflight_id", readonly=True)

    @api.model
    def _check(self, campaign):
        """Look at a campaign; recipients get the outcome that a sync would begin with.

        :param campaign: ``utm.campaign`` with an account, as superuser
        :return: the check
        """
        Recipient = self.env["campaign.master.recipient"].sudo()
        running = campaign.campaign_master_sync_state == "running"
        if not running:
            Recipient._classify(campaign)
        here = Domain("campaign_id", "=", campaign.id)
        return self.create(
            {
                "campaign_id": campaign.id,
                "missing": "\n".join(campaign._campaign_master_missing()),
                "left_to_do": self._left_to_do(campaign),
                "group_ids": [
                    (
                        0,
                        0,
                        {
                            "code": code,
                            "name": self.env._(label),
                            "note": self.env._(note),
                            "count": Recipient.search_count(here & domain),
                        },
                    )
                    for code, label, domain, note in GROUPS
                ],
            }
        )

    @api.model
    def _left_to_do(self, campaign):
        """:return: sentences, one a line; nothing before the first sync"""
        if not campaign.campaign_master_ref:
            return False
        lines = [campaign._campaign_master_left_to_do()]
        target = campaign.campaign_master_list_id
        brought = (
            self.env["campaign.master.recipient"]
            .sudo()
            .search_count([("campaign_id", "=", campaign.id), ("sync_state", "in", ON_LIST)])
        )
        others = target.recipient_count - brought
        if others > 0:
            lines.append(
                self.env._(
                    "The list “%(list)s” has %(all)s people. %(others)s of them were not brought "
                    "by this campaign, and get the mail too.",
                    list=target.name,
                    all=number(self.env, target.recipient_count),
                    others=number(self.env, others),
                )
            )
        return "\n".join(lines)

    def action_sync(self):
        """Go on with the sync."""
        self.ensure_one()
        return self.campaign_id.action_campaign_master_sync()


class CampaignMasterPreflightGroup(models.TransientModel):
    """Recipients that the same becomes of."""

    _name = "campaign.master.preflight.group"
    _description = "Recipients in a Check Before Sync"

    preflight_id = fields.Many2one("campaign.master.preflight", required=True, ondelete="cascade")
    code = fields.Char(readonly=True, required=True)
    name = fields.Char(string="Recipients", readonly=True)
    note = fields.Char(string="What Becomes of Them", readonly=True)
    count = fields.Integer(string="How Many", readonly=True)

    def action_open(self):
        """Open these recipients as a list: those that the reader may see."""
        self.ensure_one()
        campaign = self.preflight_id.campaign_id
        [domain] = [domain for code, _label, domain, _note in GROUPS if code == self.code]
        return campaign.action_campaign_master_recipients() | {
            "name": self.name,
            "domain": list(Domain("campaign_id", "=", campaign.id) & domain),
        }
