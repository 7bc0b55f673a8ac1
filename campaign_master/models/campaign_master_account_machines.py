from odoo import fields, models

from .campaign_master_recipient import MACHINE_RULES

PREFIX = "machine_rule_"


class CampaignMasterAccount(models.Model):
    """Which rules for likely machines apply, see ``campaign_master_recipient_machines.py``."""

    _inherit = "campaign.master.account"

    # Off: mail programs load pictures for people who read at once, too.
    machine_rule_sending = fields.Boolean(
        string="Right After Sending",
        groups="base.group_system",
        help="The first open or click was within 10 seconds after the sending, if Campaign Master "
        "reports its time. Large campaigns take minutes to send, so this finds only the first "
        "emails.",
    )
    machine_rule_burst = fields.Boolean(
        string="Many Clicks at Once",
        default=True,
        groups="base.group_system",
        help="4 or more clicks within 10 seconds.",
    )
    machine_rule_domain = fields.Boolean(
        string="Same Minute as Colleagues",
        default=True,
        groups="base.group_system",
        help="At least 3 addresses of a company domain clicked first within the same 60 seconds. "
        "Free-mail domains are exempt.",
    )

    def write(self, vals):
        result = super().write(vals)
        if any(PREFIX + rule in vals for rule, _label in MACHINE_RULES):
            # sudo: nobody may write how campaigns stand
            rows = self.env["campaign.master.campaign"].sudo()
            rows.search([("account_id", "in", self.ids)]).machines_due = True
            self._cron("find_machines")._trigger()
        return result

    def _machine_rules(self):
        """:return: the rules that apply; those that an administrator has turned off do not
        :rtype: set[str]"""
        return {rule for rule, _label in MACHINE_RULES if self[PREFIX + rule]}
