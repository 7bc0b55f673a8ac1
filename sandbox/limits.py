"""Rate limits per user: API calls per hour and per calendar month (UTC)."""

from dataclasses import dataclass

from . import clock


@dataclass
class RateLimit:
    """A user's current limits, as in the ``x-rate-limit-*`` headers."""

    limit: int
    """Calls allowed per hour."""
    remaining: int
    """Calls left this hour."""
    reset: int
    """Unix time, in seconds, when the next hour starts."""
    refused: str | None = None
    """``hour`` or ``month`` if this call exceeds that limit."""


class Limits:
    """Counts calls per user in the store, so that the counts survive a restart."""

    def __init__(self, store, settings):
        self._store = store
        self._settings = settings

    def count_call(self, account: str) -> RateLimit:
        """Count a call, unless it exceeds a limit."""
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
        return self._rate_limit(used, refused)

    def current(self, account: str) -> RateLimit:
        """The limits without counting a call."""
        return self._rate_limit(self._used(account))

    def set_usage(self, account: str, hour: int | None = None, month: int | None = None) -> None:
        """Set the number of calls made in this hour and month."""
        used = self._used(account)
        if hour is not None:
            used["hour_calls"] = hour
        if month is not None:
            used["month_calls"] = month
        self._store.set_usage(account, **used)

    def as_dict(self, account: str) -> dict:
        """Usage and limits for ``/_sandbox/state``."""
        used = self._used(account)
        return {
            "hour": used["hour_calls"],
            "hourLimit": self._settings.hourLimit,
            "hourReset": self._rate_limit(used).reset,
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

    def _rate_limit(self, used, refused=None):
        settings = self._settings
        return RateLimit(
            limit=settings.hourLimit,
            remaining=max(0, settings.hourLimit - used["hour_calls"]),
            reset=used["hour"] // clock.SECOND + settings.hourSeconds,
            refused=refused,
        )
