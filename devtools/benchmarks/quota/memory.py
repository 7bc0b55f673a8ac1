"""An office without a database, in which a year passes in a minute.

The add-on's own functions decide everything, as in ``database.py``: what a turn asks for, what
follows from an answer, when it is read again, what a run does next. They are given records that
live in memory. What is SQL there is said again here, in Python: whose turn it is, the ledger,
and which lines an answer changes. ``check.py`` runs both over the same time and compares.
"""

import contextlib
import heapq
from collections import Counter
from unittest.mock import patch

from odoo.addons.campaign_master.client import CampaignMasterRateLimitError
from odoo.addons.campaign_master.models import utm_campaign_pull
from odoo.addons.campaign_master.models.campaign_master_account import CampaignMasterAccount
from odoo.addons.campaign_master.models.utm_campaign import FIGURES, PREFIX
from odoo.addons.campaign_master.models.utm_campaign_pull import UtmCampaign as Pull
from odoo.addons.campaign_master.models.utm_campaign_sync import UtmCampaign as Sync
from odoo.addons.campaign_master.tools import account_ledger, to_client, to_odoo
from odoo.addons.campaign_master.tools.polling import DAY, QUIET, SENT, ZERO, month_end

from .double import Client


class Office:
    """The account and its campaigns."""

    def __init__(self, server):
        self.clock = server.clock
        self.server = server
        self.env = Env(self)
        self.account = Account(self)
        self._campaigns = {}
        self._queue = []  # (next poll, id, campaign); what a campaign says now is what counts
        self._triggers = []
        self._usage = Counter()
        self._clicked = set()

    @contextlib.contextmanager
    def in_place(self):
        """Let the add-on's functions work on these records, and know no other time."""
        with (
            self.clock.everywhere(),
            patch.object(
                utm_campaign_pull, "session_lock", lambda *_: contextlib.nullcontext(True)
            ),
            patch.object(utm_campaign_pull, "retrying", lambda function, _env: function()),
        ):
            yield

    def client(self, purpose, background):
        return self.account._client(purpose, background)

    def pull(self):
        """The scheduled action runs."""
        self._triggers = [at for at in self._triggers if at > self.clock.now]
        Pull._cron_campaign_master_pull(self)

    def triggers(self):
        """When the scheduled action is to run, besides every half hour."""
        return [max(at, self.clock.now) for at in self._triggers]

    def trigger(self, at):
        self._triggers.append(at)

    def synced(self, campaign):
        """The button made the campaign in Campaign Master, or has updated it."""
        if campaign.ref not in self._campaigns:
            self._campaigns[campaign.ref] = Campaign(self, len(self._campaigns) + 1, campaign.ref)
        self._campaigns[campaign.ref]._campaign_master_wake()

    def refresh(self, campaign):
        """Somebody presses *Refresh statistics now*.

        :raise CampaignMasterRateLimitError: the calls are spent
        """
        if not self._campaigns[campaign.ref]._campaign_master_pull_now():
            self.trigger(self.clock.now)

    def usage(self):
        """Calls by ``(hour, purpose)``."""
        return dict(self._usage)

    def clicked(self):
        """The addresses whose line has their click."""
        return self._clicked

    # === WHAT THE FUNCTIONS ASK THE MODEL AND ITS ENVIRONMENT === #

    def queue(self, campaign):
        heapq.heappush(self._queue, (campaign.campaign_master_next_poll_at, campaign.id, campaign))

    def _campaign_master_next(self, run):
        if self.account.id in run.left_accounts:
            return None, 0
        now = self.clock.now.replace(microsecond=0)
        while self._queue and self._queue[0][0] <= now:
            at, _id, campaign = self._queue[0]
            if campaign.campaign_master_next_poll_at == at:
                return campaign, 1
            heapq.heappop(self._queue)
        return None, 0

    def campaigns_by_age(self, moment):
        ages = {}
        for campaign in self._campaigns.values():
            fresh_at = campaign.campaign_master_fresh_at
            moved_at = campaign.campaign_master_moved_at or fresh_at
            age = max(moment - fresh_at, ZERO)
            group = (
                campaign.campaign_master_sent > 0,
                max(fresh_at, moved_at) <= moment - QUIET,
                min(age // DAY, SENT[-1][0] // DAY),
            )
            ages.setdefault(group, []).append(age)
        return [
            (sent, quiet, sum(all_ages, ZERO) / len(all_ages), len(all_ages))
            for (sent, quiet, _days), all_ages in sorted(ages.items())
        ]

    def sudo(self):
        return self

    def _since(self, _account, moment):
        """The meter. It is asked for some days, and the newest hours are last."""
        calls = Counter()
        for (hour, purpose), count in reversed(self._usage.items()):
            if hour < moment:
                break
            calls[purpose] += count
        return calls

    def count(self, purpose):
        hour = self.clock.now.replace(minute=0, second=0, microsecond=0)
        self._usage[hour, purpose] += 1

    def _ingest(self, _campaign, items):
        self._clicked.update(item.email for item in items if item.clicks)

    def _commit_progress(self, *_args, **_options):
        return float("inf")

    def commit(self):
        """Before each call."""

    def rollback(self):
        """After a call that failed; nothing was written since the commit before it."""

    def execute(self, _query):
        """``Run.client`` looks whether the account was changed: never."""

    def fetchone(self):
        return None


class Env:
    """Stands where functions write ``self.env``: the office is its models and its cursor."""

    def __init__(self, office):
        self.cr = self._office = office

    def __getitem__(self, name):
        return self._office.account if name == "campaign.master.account" else self._office


class Campaign:
    """A ``utm.campaign`` that has been synced, as far as reading it goes."""

    def __init__(self, office, number, ref):
        self._office = office
        self.env = office.env
        self.id = number
        self.campaign_master_account_id = office.account
        self.campaign_master_ref = ref
        self.campaign_master_remote_status = "draft"
        self.campaign_master_sync_state = "never"
        self.campaign_master_synced_at = False
        self.campaign_master_sent_at = False
        self.campaign_master_statistics_at = False
        self.campaign_master_fresh_at = False
        self.campaign_master_moved_at = False
        self.campaign_master_next_poll_at = False
        self.campaign_master_pull_step = False
        self.campaign_master_pull_failures = 0
        self.campaign_master_activity_since = False
        self.campaign_master_activity_next_since = False
        self.campaign_master_activity_page = 0
        self.campaign_master_activity_seen = None
        self.campaign_master_activity_due = False
        for name in FIGURES:
            setattr(self, PREFIX + name, 0)

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "campaign_master_next_poll_at" and value:
            self._office.queue(self)

    def __getattr__(self, name):
        """Whatever else it is asked for is the add-on's: a method, with this as ``self``."""
        room = Pull if hasattr(Pull, name) else Sync
        return getattr(room, name).__get__(self)

    def __getitem__(self, name):
        return getattr(self, name)

    def write(self, values):
        for name, value in values.items():
            setattr(self, name, value)

    def exists(self):
        return self

    def try_lock_for_update(self, **_options):
        return True


class Account:
    """The account's row: what the ledger and ``_stretch`` read of it, and its SQL in Python."""

    id = 1
    _stretch = CampaignMasterAccount._stretch

    def __init__(self, office):
        self._office = office
        self.env = office.env
        self.month = None
        self.month_calls = 0
        self.hour_limit = None
        self.hour_remaining = None
        self.hour_reset_at = None
        self._stretches = {}

    def _stretch_at(self, moment):
        """Odoo's cache and this one forget nothing within a half hour."""
        if moment not in self._stretches:
            reckon = CampaignMasterAccount._stretch_at.__wrapped__
            self._stretches = {moment: reckon(self, moment)}
        return self._stretches[moment]

    def _campaigns_by_age(self, moment):
        return self._office.campaigns_by_age(moment)

    def ensure_one(self):
        pass

    def invalidate_recordset(self, _names):
        pass

    def _client(self, purpose, background=False):
        return Client(self._office.server, Ledger(self._office, self, purpose, background))

    def _note_error(self, error):
        pass

    def _cron(self, _name):
        return self

    def _trigger(self, at=None):
        self._office.trigger(at or self._office.clock.now)


class Ledger:
    """``tools.AccountLedger``, in Python instead of SQL."""

    def __init__(self, office, account, purpose, background):
        self._office = office
        self._account = account
        self._purpose = purpose
        self._share = account_ledger.BACKGROUND_SHARE if background else 1

    def token(self):
        return None

    def before_call(self, call):
        account, now = self._account, self._office.clock.now
        month = now.strftime("%Y-%m")
        calls = account.month_calls if account.month == month else 0
        if calls >= int(account_ledger.MONTH_LIMIT * self._share):
            raise CampaignMasterRateLimitError(
                "month_counted",
                "The calls of this month are used up.",
                period="month",
                reset_at=to_client(month_end(now)),
                call=call,
            )
        reserve = (account.hour_limit or 0) * (1 - self._share)
        if account.hour_reset_at and account.hour_reset_at > now:
            if account.hour_remaining <= reserve:
                raise CampaignMasterRateLimitError(
                    "hour_counted",
                    "The calls of this hour are used up.",
                    period="hour",
                    reset_at=to_client(account.hour_reset_at),
                    call=call,
                )
        account.month, account.month_calls = month, calls + 1
        self._office.count(self._purpose)

    def after_call(self, _call, limits, _sent):
        if limits.reset_at:
            self._account.hour_limit = limits.limit
            self._account.hour_remaining = limits.remaining
            self._account.hour_reset_at = to_odoo(limits.reset_at)


def _free(*_args):
    """Nobody else is there to hold a lock."""
    return contextlib.nullcontext(True)
