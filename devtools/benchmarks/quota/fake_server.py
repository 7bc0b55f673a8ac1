"""A Campaign Master in this process, which answers from the simulated recipients."""

from collections import Counter
from datetime import timedelta

from odoo.addons.campaign_master.client import (
    Activity,
    ActivityPage,
    Campaign,
    CampaignMasterRateLimitError,
    Limits,
    Statistics,
)
from odoo.addons.campaign_master.tools import to_client, to_odoo

PAGE = 1_000
HOUR_LIMIT, MONTH_LIMIT = 5_000, 50_000
SECONDS_PER_CALL = 0.5


class Server:
    """The campaigns in Campaign Master, and the calls it received.

    :ivar Counter hours: calls by hour, as Campaign Master counts them
    :ivar int refused: calls beyond a limit
    :ivar dict seen: by campaign's ref and place: when Odoo read each followed click
    """

    def __init__(self, world, clock):
        self.clock = clock
        self.campaigns = {campaign.ref: campaign for campaign in world.campaigns}
        self.hours = Counter()
        self.months = Counter()
        self.refused = 0
        self.seen = {}

    def take_call(self, call):
        """Count a call.

        :return: the answer's headers
        :rtype: Limits
        :raise CampaignMasterRateLimitError: as the API answers when a limit is reached
        """
        self.clock.pass_by(SECONDS_PER_CALL)
        hour = self.clock.now.replace(minute=0, second=0, microsecond=0)
        month = hour.replace(day=1, hour=0)
        reset_at = to_client(hour + timedelta(hours=1))
        for period, count, limit in (
            ("month", self.months[month], MONTH_LIMIT),
            ("hour", self.hours[hour], HOUR_LIMIT),
        ):
            if count >= limit:
                self.refused += 1
                raise CampaignMasterRateLimitError(
                    f"{period}_spent", "Used up.", period=period, retry_at=reset_at, call=call
                )
        self.hours[hour] += 1
        self.months[month] += 1
        return Limits(HOUR_LIMIT, HOUR_LIMIT - self.hours[hour], reset_at)

    def followed(self, campaign, since):
        """Note that Odoo reads the followed clicks since a time.

        :param datetime since: naive, UTC; ``None`` for all
        :return: activity of those who clicked
        """
        now = self.clock.now
        items = []
        for place, clicked_at in enumerate(campaign.clicks):
            if clicked_at <= now and (since is None or clicked_at >= since):
                self.seen.setdefault((campaign.ref, place), now)
                moment = to_client(clicked_at)
                times = (moment, moment, moment, moment)
                items.append(Activity(campaign.email(place), 1, 1, 0, 0, *times, False, False))
        return items


class Client:
    """The calls of ``client.CampaignMasterClient`` that read statistics.

    :param Server server:
    :param ledger: asked before and after each call, as by the real client
    """

    def __init__(self, server, ledger):
        self._server = server
        self.ledger = ledger

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        pass

    def call(self, name):
        """One call, counted on both sides; as in ``client/session.py``.

        :raise CampaignMasterRateLimitError: the ledger or the server refused it
        """
        self.ledger.before_call(name)
        limits, sent = Limits(), 0
        try:
            self.ledger.token()
            sent = 1
            limits = self._server.take_call(name)
        finally:
            self.ledger.after_call(name, limits, sent)

    def statistics(self, ref):
        self.call("statistics")
        return Statistics(**self._server.campaigns[ref].figures(self._server.clock.now))

    def get_campaign(self, ref):
        self.call("campaign")
        campaign = self._server.campaigns[ref]
        sent = campaign.sent_at <= self._server.clock.now
        return Campaign(
            ref=ref,
            reference=ref,
            name="",
            description="",
            subject="",
            template_ref="1",
            status="sent" if sent else "draft",
            sent_at=to_client(campaign.sent_at) if sent else None,
        )

    def activity(self, ref, since=None, page=1, seen=None):
        """All followed recipients are on the first page; the others are only counted."""
        self.call("activity")
        campaign = self._server.campaigns[ref]
        since = to_odoo(since)
        total = campaign.changed(since, self._server.clock.now)
        return ActivityPage(
            items=self._server.followed(campaign, since) if page == 1 else [],
            page=page,
            as_of=to_client(self._server.clock.now),
            last=page * PAGE >= total,
        )
