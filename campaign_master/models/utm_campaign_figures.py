from odoo import api, fields, models

from .campaign_master_rates import Figure, Rate
from .utm_campaign_results import PREFIX, reported

# Fields that Odoo calculates, as rates call them.
CALCULATED = {
    "successful": "successful emails",
    "unique_opens_by_people": "unique opens without likely machines",
    "unique_clicks_by_people": "unique clicks without likely machines",
}
# Campaign Master's figures, and what is left of them without likely machines: the keys of
# ``PEOPLE`` whose difference are the machines.
BY_PEOPLE = {"unique_opens": "opened", "unique_clicks": "clicked"}


def _figure(string, description, **parameters):
    return reported(
        Figure,
        string=string,
        help=f"{description} Campaign Master's own count, as of “Last Statistics”; “–” if it does "
        "not report it.",
        **parameters,
    )


def _rate(string, numerator, denominator, *notes):
    """The percentage of two figures, given without prefix. The help says the same."""
    part, whole = (
        CALCULATED.get(name, name.replace("_", " ")) for name in (numerator, denominator)
    )
    return reported(
        Rate,
        string=string,
        numerator=PREFIX + numerator,
        denominator=PREFIX + denominator,
        compute="_compute_rates",
        store=True,
        digits=(16, 2),
        help=" ".join(
            [
                f"{part.capitalize()} ÷ {whole}, in percent.",
                *notes,
                "“–” until the campaign is sent, and if one of the two is not reported.",
                "For several campaigns, the sums are divided.",
            ]
        ),
    )


class UtmCampaign(models.Model):
    """The figures of a campaign: what Campaign Master counts (see ``FIGURES``), and what Odoo
    calculates from it.

    Campaign Master may report any of them. One that it does not report, or that was not read yet,
    is missing (see ``OptionalNumber``), and so is what would be calculated from it.
    """

    _name = "utm.campaign"
    _inherit = ["utm.campaign", "campaign.master.rates.mixin"]

    campaign_master_sent = _figure("Sent", "Emails that Campaign Master sent.")
    campaign_master_delivered = _figure(
        "Delivered",
        "Emails that the recipients' mail servers accepted. May differ from Successful Emails, "
        "which is sent − total bounces.",
    )
    campaign_master_hard_bounces = _figure(
        "Hard Bounces", "Emails that bounced permanently (unknown address)."
    )
    campaign_master_soft_bounces = _figure(
        "Soft Bounces", "Emails that bounced temporarily (e.g. full mailbox)."
    )
    # Not offered to people: Total Bounces shows it.
    campaign_master_bounces = _figure(
        "Bounces",
        "Hard and soft bounces together, for services that do not distinguish them.",
        aggregator=None,
    )
    campaign_master_rejected = _figure(
        "Rejected", "Emails that the recipients' mail servers rejected."
    )
    campaign_master_opens = _figure("Opens", "Number of opens; a person may open several times.")
    campaign_master_unique_opens = _figure(
        "Unique Opens", "Recipients who opened the email at least once."
    )
    campaign_master_clicks = _figure(
        "Clicks", "Number of clicks; a person may click several times."
    )
    campaign_master_unique_clicks = _figure(
        "Unique Clicks", "Recipients who clicked a link at least once."
    )
    campaign_master_forwards = _figure("Forwards", "Number of times the email was forwarded.")
    campaign_master_unique_forwards = _figure(
        "Unique Forwards", "Recipients who forwarded the email at least once."
    )
    campaign_master_unsubscribes = _figure(
        "Unsubscribes", "Recipients who unsubscribed through the email."
    )
    campaign_master_complaints = _figure("Complaints", "Recipients who reported the email as spam.")
    campaign_master_total_bounces = reported(
        Figure,
        string="Total Bounces",
        compute="_compute_campaign_master_totals",
        store=True,
        help="Hard bounces + soft bounces + rejected, as of “Last Statistics”. If Campaign Master "
        "does not report hard and soft bounces, its own number of bounces.",
    )
    campaign_master_successful = reported(
        Figure,
        string="Successful Emails",
        compute="_compute_campaign_master_totals",
        store=True,
        help="Sent − total bounces, as of “Last Statistics”. May differ from Delivered, which is "
        "Campaign Master's own count.",
    )
    campaign_master_unique_opens_by_people = reported(
        Figure,
        string="Unique Opens Without Likely Machines",
        compute="_compute_campaign_master_by_people",
        store=True,
        help="Unique opens − recipients in Odoo who opened the email, but are likely machines. "
        "Each address counts once.",
    )
    campaign_master_unique_clicks_by_people = reported(
        Figure,
        string="Unique Clicks Without Likely Machines",
        compute="_compute_campaign_master_by_people",
        store=True,
        help="Unique clicks − recipients in Odoo who clicked a link, but are likely machines. "
        "Each address counts once.",
    )
    campaign_master_unreported = reported(
        fields.Json,
        string="Figures Not Reported",
        compute="_compute_campaign_master_unreported",
        store=True,
        help="Names of the figures that are missing. RPC clients read them as 0.",
    )
    campaign_master_delivered_rate = _rate("Delivered %", "successful", "sent")
    campaign_master_open_rate = _rate(
        "Open Rate %",
        "unique_opens",
        "successful",
        "Recipients who read the email without loading pictures are missing, even if they clicked.",
    )
    campaign_master_click_rate = _rate(
        "Click Rate %",
        "clicks",
        "successful",
        "All clicks count, so it can exceed 100 %.",
    )
    campaign_master_clicked_rate = _rate(
        "Clicked %", "unique_clicks", "successful", "Each recipient who clicked counts once."
    )
    campaign_master_open_rate_by_people = _rate(
        "Opened % Without Likely Machines", "unique_opens_by_people", "successful"
    )
    campaign_master_clicked_rate_by_people = _rate(
        "Clicked % Without Likely Machines", "unique_clicks_by_people", "successful"
    )
    campaign_master_click_to_open_rate = _rate(
        "Click-to-Open %",
        "unique_clicks",
        "unique_opens",
        "Clicks without loaded pictures are missing from the opens, so it can exceed 100 %.",
    )
    campaign_master_bounce_rate = _rate("Bounce %", "total_bounces", "sent")
    campaign_master_unsubscribe_rate = _rate("Unsubscribe %", "unsubscribes", "sent")

    @api.depends(
        "campaign_master_sent",
        "campaign_master_hard_bounces",
        "campaign_master_soft_bounces",
        "campaign_master_bounces",
        "campaign_master_rejected",
    )
    def _compute_campaign_master_totals(self):
        for campaign in self:
            sent = campaign.campaign_master_sent
            hard = campaign.campaign_master_hard_bounces
            soft = campaign.campaign_master_soft_bounces
            if hard is False or soft is False:
                bounces = campaign.campaign_master_bounces
            else:
                # A service that does not report rejected emails has no such kind.
                bounces = hard + soft + campaign.campaign_master_rejected
            is_known = sent is not False and bounces is not False
            campaign.campaign_master_total_bounces = bounces
            campaign.campaign_master_successful = is_known and sent - bounces

    @api.depends(*(PREFIX + name for name in BY_PEOPLE), "campaign_master_campaign_ids.sums")
    def _compute_campaign_master_by_people(self):
        for campaign in self:
            sums = campaign.campaign_master_campaign_ids.sums or {}
            for name, people in BY_PEOPLE.items():
                figure = campaign[PREFIX + name]
                machines = sums.get(people, 0) - sums.get(
                    f"{people}_by_people", sums.get(people, 0)
                )
                campaign[f"{PREFIX}{name}_by_people"] = figure is not False and max(
                    figure - machines, 0
                )

    @api.depends(lambda self: [figure.name for figure in self._figures()])
    def _compute_campaign_master_unreported(self):
        names = [figure.name for figure in self._figures()]
        for campaign in self:
            campaign.campaign_master_unreported = [
                name for name in names if campaign[name] is False
            ]
