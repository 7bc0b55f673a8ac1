"""How the sandbox behaves: set on the command line, changed by ``POST /_sandbox/settings``."""

from dataclasses import asdict, dataclass, fields


@dataclass
class Settings:
    """The knobs, with what Campaign Master documents (or we model) as default."""

    hourLimit: int = 5_000
    """Calls allowed in an hour, per user."""
    monthLimit: int = 50_000
    """Calls allowed in a calendar month (UTC), per user."""
    hourSeconds: int = 3_600
    """Length of the "hour", in seconds: shorter when a test really wants to wait for its end."""
    tokenMinutes: float = 480
    """How long a token is good, in minutes."""
    loginRefusal: int = 401
    """How a wrong password is refused: 401, or 500 with ``InvalidLogin`` as SOAP did."""
    pageCap: int = 1_000
    """The largest page given, whatever was asked for."""
    delay: int = 0
    """Milliseconds by which each answer is late."""
    headersOnErrors: bool = True
    """Whether answers of 400 and above carry the x-rate-limit-* and x-token-reset headers."""

    def change(self, values: dict) -> None:
        """Set several at once, or none: ValueError says what is wrong."""
        known = {field.name: field for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no setting is called {name}: there are {', '.join(known)}")
            wanted = known[name].type
            numbers = (int, float) if wanted is float else (int,)
            fits = isinstance(value, bool) if wanted is bool else type(value) in numbers
            if not fits or (wanted is not bool and value < 0):
                raise ValueError(f"{name} must be a {wanted.__name__} of 0 or more")
        if values.get("loginRefusal", 401) not in (401, 500):
            raise ValueError("loginRefusal must be 401 or 500")
        if values.get("pageCap", 1) < 1 or values.get("hourSeconds", 1) < 1:
            raise ValueError("pageCap and hourSeconds must be at least 1")
        for name, value in values.items():
            setattr(self, name, value)

    def as_dict(self) -> dict:
        return asdict(self)
