"""Some simulated time in the life of an account: pushes, forms, refreshes and scheduled actions."""

import random
from collections import Counter
from datetime import timedelta

from odoo.addons.campaign_master.client import CampaignMasterRateLimitError

CRON = timedelta(minutes=30)
SCHEDULER_DELAY = 60  # seconds at most between a time and Odoo's scheduler noticing it
# The calls of one push of 5,000 recipients: find or get the campaign and create or update it; a
# thousand recipients a call; the lists again, which have grown, and the templates with them.
PRESS_CALLS, RECIPIENT_CALLS, CATALOG_CALLS = 2, 5, 2


class Year:
    """One run over the simulated time.

    The scheduled action runs every half hour and when it was triggered, up to a minute late. A
    push makes its calls through the ledger, but sends no recipients.

    :param account: ``database.RealAccount`` or ``simulation.SimulatedAccount``
    :param people.World world: what happens
    :ivar Counter waited: how often no calls were left: for the buttons *Sync* (``push``) and
        *Refresh Statistics* (``refresh``), for forms (``form``) and for the scheduled action that
        adds recipients (``recipients``)
    :ivar timedelta longest_wait: of a push for the calls of its recipients
    """

    def __init__(self, account, world):
        self.account = account
        self.world = world
        self.clock = account.clock
        self.waited = Counter()
        self.longest_wait = timedelta()
        self._random = random.Random(1)  # noqa: S311 (not a secret)
        self._pushes = []  # pressed at; their recipients are still to be added

    def run(self):
        """Simulate the whole time."""
        actions = iter(self.world.actions)
        action = next(actions, None)
        tick = self.world.size.start
        run_at = tick + self._delay()
        while run_at < self.world.size.end:
            while action and action[0] <= run_at:
                self.clock.wait_until(action[0])
                self._do(*action[1:])
                action = next(actions, None)
            self.clock.wait_until(run_at)
            self._add_recipients()
            self.account.pull()
            while tick <= self.clock.now:
                tick += CRON
            run_at = min([tick, *self.account.triggers()]) + self._delay()
        self.waited["refresh"] += self.account.refused_refreshes

    def _delay(self):
        return timedelta(seconds=self._random.uniform(0, SCHEDULER_DELAY))

    def _do(self, kind, campaign):
        try:
            getattr(self, f"_{kind}")(campaign)
        except CampaignMasterRateLimitError:
            self.waited[kind] += 1

    def _push(self, campaign):
        self._call("campaigns", PRESS_CALLS, background=False)
        self.account.synced(campaign)
        self._pushes.append(self.clock.now)
        self._add_recipients()

    def _refresh(self, campaign):
        self.account.refresh(campaign)

    def _form(self, _campaign):
        self._call("catalog", CATALOG_CALLS, background=True)

    def _add_recipients(self):
        while self._pushes:
            try:
                self._call("recipients", RECIPIENT_CALLS, background=True)
                self._call("catalog", CATALOG_CALLS, background=True)
            except CampaignMasterRateLimitError:
                self.waited["recipients"] += 1
                return
            self.longest_wait = max(self.longest_wait, self.clock.now - self._pushes.pop(0))

    def _call(self, purpose, count, background):
        client = self.account.client(purpose, background)
        for _number in range(count):
            client.call(purpose)
