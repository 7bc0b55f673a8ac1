from statistics import median

from odoo import api, fields, models

from ..tools.reactions import count_before
from .campaign_master_rates import Figure, Rate

# In hours since the sending.
AGES = (1, 3, 6, 12, 24, 48, 96, 168)
# A campaign is compared with the last ones of its account that are large enough, if there are
# enough of them.
LAST, ENOUGH, LARGE_ENOUGH = 10, 5, 50


def _rate(string, numerator):
    return Rate(
        string=string,
        numerator=numerator,
        denominator="delivered",
        compute="_compute_rates",
        store=True,
        digits=(16, 2),
        help=f"{numerator.capitalize()} ÷ delivered, in percent.",
    )


class CampaignMasterAge(models.Model):
    """How many people had opened and clicked a campaign when it had reached an age, so that
    campaigns can be compared at the same age.

    There is a row once the campaign was read at that age or later. Computed from the recipients
    alone; people with the same address count once. Kept as long as the campaign: eight narrow rows.
    """

    _name = "campaign.master.age"
    _inherit = ["campaign.master.rates.mixin"]
    _description = "Campaign Master Reactions at an Age"
    _rec_name = "age"
    _order = "campaign_id, age"
    _log_access = False

    campaign_id = fields.Many2one("utm.campaign", required=True, readonly=True, ondelete="cascade")
    account_id = fields.Many2one(related="campaign_id.campaign_master_account_id", store=True)
    age = fields.Integer(
        required=True, readonly=True, aggregator=None, help="Hours since the campaign was sent."
    )
    sent_at = fields.Datetime(
        string="Sent On", required=True, readonly=True, help="From when on the age is counted."
    )
    delivered = fields.Integer(
        readonly=True,
        help="Recipients to whom the campaign was delivered, as far as is known today: when an "
        "address bounced is not known.",
    )
    opened = Figure(
        readonly=True,
        help="Recipients who had opened the email by then. A click counts as an open.",
    )
    clicked = Figure(readonly=True, help="Recipients who had clicked a link in the email by then.")
    opened_rate = _rate("Opened %", "opened")
    clicked_rate = _rate("Clicked %", "clicked")

    _unique_age = models.UniqueIndex("(campaign_id, age)")
    _account_index = models.Index("(account_id, age, sent_at)")

    @api.model
    def _keep(self, campaigns):
        """Keep what people had done at the ages that some campaigns have reached.

        :param campaigns: ``utm.campaign``
        """
        ages = {
            campaign: [age for age in AGES if age <= hours]
            for campaign in campaigns
            if (hours := campaign._campaign_master_age()) is not None
        }
        if not ages:
            return
        kept = {
            (row.campaign_id, row.age): row
            for row in self.search_fetch(
                [("campaign_id", "in", [campaign.id for campaign in ages])],
                ["campaign_id", "age", "sent_at", "delivered", "opened", "clicked"],
            )
        }
        created = []
        for campaign, reached in ages.items():
            found = campaign._campaign_master_reactions()
            if not found:
                continue
            opened = count_before(reached, found.opened)
            clicked = count_before(reached, found.clicked)
            for number, age in enumerate(reached):
                values = {
                    "sent_at": campaign.campaign_master_campaign_ids.sent_at,
                    "delivered": found.delivered,
                    "opened": opened[number] if found.is_timed else None,
                    "clicked": clicked[number] if found.is_timed else None,
                }
                if row := kept.pop((campaign, age), None):
                    # What had been done by an early age seldom changes.
                    known = {name: None if row[name] is False else row[name] for name in values}
                    row.write(
                        {name: values[name] for name in values if values[name] != known[name]}
                    )
                else:
                    created.append({"campaign_id": campaign.id, "age": age, **values})
        self.create(created)
        # The campaign was sent later than it had seemed.
        self.concat(*kept.values()).unlink()

    def _compare(self):
        """Compare the campaign with the last ones of its account at the same age.

        :return: see ``utm.campaign._campaign_master_comparison``
        :rtype: dict
        """
        return {name: self._compare_rate(f"{name}_rate") for name in ("opened", "clicked")}

    def _compare_rate(self, name):
        if self[name] is False:
            return None
        others = self.search(
            [
                ("account_id", "=", self.account_id.id),
                ("age", "=", self.age),
                ("campaign_id", "!=", self.campaign_id.id),
                ("delivered", ">=", LARGE_ENOUGH),
                (name, "!=", False),
            ],
            order="sent_at DESC, id DESC",
            limit=LAST,
        )
        if len(others) < ENOUGH:
            return None
        middle = median(others.mapped(name))
        return {
            "value": self[name],
            "median": middle,
            "difference": self[name] - middle,
            "campaigns": len(others),
            "age": self.age,
        }
