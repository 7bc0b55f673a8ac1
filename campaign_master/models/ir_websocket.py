import re

from odoo import models

from ..tools import MARKETING_GROUP

CHANNEL = re.compile(r"campaign_master\.campaign/(\d{1,9})")


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Subscribe forms to the progress of campaigns that their user may read."""
        channels = list(channels)
        wanted = [match for name in channels if (match := CHANNEL.fullmatch(str(name)))]
        channels = [name for name in channels if not CHANNEL.fullmatch(str(name))]
        if wanted and self.env.user.has_group(MARKETING_GROUP):
            ids = [int(match[1]) for match in wanted]
            campaigns = self.env["utm.campaign"].with_context(active_test=False)
            campaigns = campaigns.search([("id", "in", ids)])
            channels += [(campaign, "campaign_master") for campaign in campaigns]
        return super()._build_bus_channel_list(channels)
