"""How recipients react to a campaign: the stories that *Send* can play."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    """Shares of recipients; the defaults are roughly those of UK newsletters."""

    label: str
    """Its name on the page."""
    # Of those it was sent to.
    hard_bounced: float = 0.015
    soft_bounced: float = 0.012
    rejected: float = 0.004
    # Of those it was delivered to.
    opened: tuple[float, float] = (0.25, 0.35)
    """From, to: drawn for each campaign."""
    # Of those who opened.
    clicked: float = 0.18
    forwarded: float = 0.015
    unsubscribed: float = 0.012
    complained: float = 0.002

    prefetched: float = 0
    """Share of delivered emails that a mail server opens as soon as it has them."""
    scanned: bool = False
    """Whether a security gateway follows the links in all emails to the largest domain."""


STORIES = {
    "usual": Story("As usual"),
    "hit": Story("A hit", opened=(0.48, 0.54), clicked=0.42, forwarded=0.05),
    "flop": Story("A flop", opened=(0.1, 0.13), clicked=0.05, unsubscribed=0.13),
    "scanner": Story("A security scanner clicks", scanned=True),
    "prefetched": Story("Mail servers open at once", prefetched=0.3),
    "bounces": Story("Many bounces", hard_bounced=0.08, soft_bounced=0.04),
    "complaints": Story("Spam complaints", complained=0.05),
    "quiet": Story("Delivered, no activity", 0, 0, 0, opened=(0, 0)),
}
