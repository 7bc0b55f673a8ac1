"""Settings, from the command line and ``POST /_sandbox/settings``."""

from dataclasses import asdict, dataclass, fields

LOGIN_REFUSALS = (200, 401, 403, 500)


@dataclass
class Settings:
    """The defaults are Campaign Master's documented values, or our model of them."""

    hourLimit: int = 5_000
    """Calls per hour and user."""
    monthLimit: int = 50_000
    """Calls per calendar month (UTC) and user."""
    hourSeconds: int = 3_600
    """Length of the "hour", in seconds; shorter in tests that wait for its end."""
    tokenMinutes: float = 480
    """Lifetime of a token, in minutes."""
    loginRefusal: int = 401
    """Status for a wrong password: 401, 403, 500 with ``InvalidLogin`` like a SOAP service, or 200
    with ``Status`` and ``StatusMessage`` like another one."""
    pageCap: int = 1_000
    """Maximum page size."""
    delay: int = 0
    """Delay of each response, in milliseconds."""
    headersOnErrors: bool = True
    """Whether error responses have the x-rate-limit-* and x-token-reset headers."""

    def change(self, values: dict) -> None:
        """Change several settings at once.

        :raise ValueError: one is invalid; none is changed
        """
        known = {field.name: field for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name}; the settings are {', '.join(known)}")
            expected = known[name].type
            numbers = (int, float) if expected is float else (int,)
            valid = isinstance(value, bool) if expected is bool else type(value) in numbers
            if not valid or (expected is not bool and value < 0):
                raise ValueError(f"{name} must be a {expected.__name__} of 0 or more")
        if values.get("loginRefusal", 401) not in LOGIN_REFUSALS:
            raise ValueError(f"loginRefusal must be one of {LOGIN_REFUSALS}")
        if values.get("pageCap", 1) < 1 or values.get("hourSeconds", 1) < 1:
            raise ValueError("pageCap and hourSeconds must be at least 1")
        for name, value in values.items():
            setattr(self, name, value)

    def as_dict(self) -> dict:
        return asdict(self)
