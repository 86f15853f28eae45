"""Ways out of the house. A channel is a function that sends one mail to one person, or raises CannotSend."""

from dataclasses import dataclass
from datetime import datetime

from service.notices import Notice


class CannotSend(Exception):
    """It did not go out, or nobody knows whether it did. The message names the kind of fault, and no person."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One notice to one person."""

    id: str
    """The message's own, stable over attempts: a reader's mail program drops the second of two."""
    to: str
    notice: Notice
    sent_at: datetime
