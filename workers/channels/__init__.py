"""Ways out of the house. A channel is a function that sends one mail to one person, or raises CannotSend."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.notices import Notice


class CannotSend(Exception):
    """It did not go out, or nobody knows whether it did. The message names the kind of fault, and no person."""

    def __init__(self, message: str, *, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait
        """Until the next attempt, where the channel knows better than the house's schedule."""


@dataclass(frozen=True, kw_only=True)
class CalendarFile:
    """Entries for the reader's own calendar, beside the words."""

    name: str
    body: bytes
    """iCalendar, with METHOD:PUBLISH."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One notice to one person."""

    id: str
    """The message's own, stable over attempts: a reader's mail program drops the second of two."""
    to: str
    notice: Notice
    sent_at: datetime
    calendar: CalendarFile | None = None
    settings_link: str | None = None
    """Where the reader chooses what they are sent, for their mail program's own button."""
