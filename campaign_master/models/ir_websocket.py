import re

from odoo import models

CHANNEL = re.compile(r"campaign_master\.campaign/(\d{1,9})")


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Let a form listen to the progress of a campaign that its user may see."""
        channels = list(channels)
        wanted = [match for name in channels if (match := CHANNEL.fullmatch(str(name)))]
        channels = [name for name in channels if not CHANNEL.fullmatch(str(name))]
        if wanted and self.env.user.has_group("mass_mailing.group_mass_mailing_user"):
            ids = [int(match[1]) for match in wanted]
            campaigns = self.env["utm.campaign"].search([("id", "in", ids)])
            channels += [(campaign, "campaign_master") for campaign in campaigns]
        return super()._build_bus_channel_list(channels)
