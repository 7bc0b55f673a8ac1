"""Some simulated time in the life of an account: who does what when."""

import random
from collections import Counter
from datetime import timedelta

from odoo.addons.campaign_master.client import CampaignMasterRateLimitError

CRON = timedelta(minutes=30)
SCHEDULER_LATE = 60  # seconds, at most: how often Odoo's scheduler looks
# The calls of one push of 5,000 recipients: find or get the campaign and create or update it; a
# thousand recipients a call; the lists again, which have grown, and the templates with them.
PRESS_CALLS, RECIPIENT_CALLS, CATALOGUE_CALLS = 2, 5, 2


class Year:
    """One run over the simulated time.

    The scheduled action comes every half hour, and when it was triggered, up to a minute late. A
    push makes its calls through the ledger, but moves no recipients.

    :param office: ``database.Office`` or ``memory.Office``
    :param world: ``people.World``
    :ivar Counter waited: how many found the calls spent: of the buttons *Sync* (``push``) and
        *Refresh* (``refresh``), of the forms, and how often the scheduled action that adds
        recipients (``recipients``)
    :ivar timedelta longest_wait: of a push for the calls of its recipients
    """

    def __init__(self, office, world):
        self.office = office
        self.world = world
        self.clock = office.clock
        self.waited = Counter()
        self.longest_wait = timedelta()
        self._random = random.Random(1)  # noqa: S311 (not a secret)
        self._pushes = []  # when those were pressed whose recipients are to be added yet

    def run(self):
        """Live through it."""
        deeds = iter(self.world.deeds)
        deed = next(deeds, None)
        tick = self.world.size.start
        run_at = tick + self._late()
        while run_at < self.world.size.end:
            while deed and deed[0] <= run_at:
                self.clock.wait_until(deed[0])
                self._do(*deed[1:])
                deed = next(deeds, None)
            self.clock.wait_until(run_at)
            self._add_recipients()
            self.office.pull()
            while tick <= self.clock.now:
                tick += CRON
            run_at = min([tick, *self.office.triggers()]) + self._late()

    def _late(self):
        return timedelta(seconds=self._random.uniform(0, SCHEDULER_LATE))

    def _do(self, kind, campaign):
        try:
            getattr(self, f"_{kind}")(campaign)
        except CampaignMasterRateLimitError:
            self.waited[kind] += 1

    def _push(self, campaign):
        self._call("campaigns", PRESS_CALLS, background=False)
        self.office.synced(campaign)
        self._pushes.append(self.clock.now)
        self._add_recipients()

    def _refresh(self, campaign):
        self.office.refresh(campaign)

    def _form(self, _campaign):
        self._call("catalogue", CATALOGUE_CALLS, background=True)

    def _add_recipients(self):
        while self._pushes:
            try:
                self._call("recipients", RECIPIENT_CALLS, background=True)
                self._call("catalogue", CATALOGUE_CALLS, background=True)
            except CampaignMasterRateLimitError:
                self.waited["recipients"] += 1
                return
            self.longest_wait = max(self.longest_wait, self.clock.now - self._pushes.pop(0))

    def _call(self, purpose, count, background):
        client = self.office.client(purpose, background)
        for _number in range(count):
            client.call(purpose)
