import contextlib
import time

INTERVAL = 1.0  # seconds between two commits of the progress, or two notifications about a record


class CronRun(contextlib.ExitStack):
    """One run of a scheduled action: its progress, and one client per account, so that connections
    are reused. Closes them at the end.

    :param cron: ``ir.cron``
    :param str purpose: what the calls are for, a purpose of ``campaign.master.usage``
    """

    def __init__(self, cron, purpose):
        super().__init__()
        self._cron = cron
        self._purpose = purpose
        self._clients = {}
        self._times = {}
        self._done = 0

    def client(self, account, mode, purpose=None):
        """:return: the account's client; a new one after the login or the address has changed

        :param account: ``campaign.master.account``
        :param mode: ``INTERACTIVE``, ``BACKGROUND`` or ``QUICK``
        :param str purpose: what the calls are for, if not the purpose of the run
        """
        purpose = purpose or self._purpose
        key = account.id, account.login_version, mode, purpose
        if key not in self._clients:
            self._clients[key] = self.enter_context(account._client(purpose, mode))
        return self._clients[key]

    def work_off(self, next_due, turn):
        """Do what is due, one turn after the other, until nothing is due or the time is over.

        :param next_due: called without arguments, returns a record (or an empty recordset) and how
            many are due
        :param turn: called with the record, makes one call and commits; returns what was done
        """
        while True:
            record, waiting = next_due()
            if not record:
                self._commit(remaining=0)
                return
            self._done += turn(record)
            if self.is_time_for("progress") and not self._commit(waiting):
                # The time is over: Odoo calls again.
                self._cron._trigger()
                return

    def _commit(self, remaining):
        """Commit, and store the progress of the scheduled action.

        :return: seconds that are left for the run
        """
        done, self._done = self._done, 0
        return self._cron.env["ir.cron"]._commit_progress(done, remaining=remaining)

    def is_time_for(self, what):
        """:return: whether to do something now that is done once a second at most"""
        now = time.monotonic()
        if now - self._times.get(what, 0) < INTERVAL:
            return False
        self._times[what] = now
        return True
