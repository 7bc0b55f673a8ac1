"""The two limits per API user: so many calls an hour, so many a calendar month (UTC)."""

from dataclasses import dataclass

from . import clock


@dataclass
class Allowance:
    """What one user may still do; what the ``x-rate-limit-*`` headers tell."""

    limit: int
    """Calls allowed in an hour."""
    remaining: int
    """Calls left in this hour."""
    reset: int
    """Unix time, in seconds, at which the hour's count starts again."""
    refused: str | None = None
    """``hour`` or ``month`` when this call went over that limit, else None."""


class Limits:
    """Counts calls per user in the store, so that a restart forgets none."""

    def __init__(self, store, settings):
        self._store = store
        self._settings = settings

    def take(self, account: str) -> Allowance:
        """Count one call, unless it goes over a limit: a refused call is not counted."""
        settings = self._settings
        used = self._used(account)
        refused = None
        if used["hour_calls"] >= settings.hourLimit:
            refused = "hour"
        elif used["month_calls"] >= settings.monthLimit:
            refused = "month"
        else:
            used["hour_calls"] += 1
            used["month_calls"] += 1
            self._store.set_usage(account, **used)
        return self._allowance(used, refused)

    def look(self, account: str) -> Allowance:
        """The same without counting."""
        return self._allowance(self._used(account))

    def set(self, account: str, hour: int | None = None, month: int | None = None) -> None:
        """Pretend that so many calls were made already."""
        used = self._used(account)
        if hour is not None:
            used["hour_calls"] = hour
        if month is not None:
            used["month_calls"] = month
        self._store.set_usage(account, **used)

    def as_dict(self, account: str) -> dict:
        """For ``/_sandbox/state``: calls used and allowed."""
        used = self._used(account)
        return {
            "hour": used["hour_calls"],
            "hourLimit": self._settings.hourLimit,
            "hourReset": self._allowance(used).reset,
            "month": used["month_calls"],
            "monthLimit": self._settings.monthLimit,
        }

    def _used(self, account):
        now = clock.now()
        length = self._settings.hourSeconds * clock.SECOND
        hour, month = now - now % length, clock.month_of(now)
        used = self._store.usage(account)
        if used["hour"] != hour:
            used.update(hour=hour, hour_calls=0)
        if used["month"] != month:
            used.update(month=month, month_calls=0)
        return used

    def _allowance(self, used, refused=None):
        settings = self._settings
        return Allowance(
            limit=settings.hourLimit,
            remaining=max(0, settings.hourLimit - used["hour_calls"]),
            reset=used["hour"] // clock.SECOND + settings.hourSeconds,
            refused=refused,
        )
