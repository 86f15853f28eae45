"""When somebody is told, and how often: an alert that is right and comes at a bad moment is still noise.

What needs a person goes out by itself, gathered, with a few messages a day at most; all else waits for the day's
digest. What somebody did themselves is no news to them. Times are the reader's own wall time.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from service.domain.hours import LocalTime, Weekday
from service.domain.phrase import say
from service.domain.refusals import Malformed
from service.domain.signals.signal import Level

INTERVAL = timedelta(minutes=15)
"""From one message to the same person to the next: what comes in between is gathered. A convention."""
MOST_PUSHES = 10
TOO_LATE = timedelta(hours=6)
"""A digest that could not be written by then is left to the next day."""
UNANSWERED_DAYS = 2
"""Working days after which managers hear of what needs somebody, and nobody has acknowledged."""
WORKDAYS = (Weekday.MO, Weekday.TU, Weekday.WE, Weekday.TH, Weekday.FR)


class CannotPrefer(Malformed):
    """A number or a time of the preferences makes no sense."""


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """How one person wants to be told."""

    is_pushed: bool = True
    """What needs a person now comes by itself; else everything waits for the digest."""
    push_from: Level = Level.ACT
    pushes_a_day: int = 3
    """Each further reminder is heeded less (CONSISTENCY §6: at most three)."""
    quiet_since: time = time(20)
    quiet_until: time = time(7)
    """In between nothing goes out. Equal: never quiet."""
    digest_at: time = time(7, 30)
    digest_days: tuple[Weekday, ...] = WORKDAYS
    """None of them: no digest."""
    away_until: LocalTime | None = None
    deputy: str | None = None
    """Public id of the user who is told instead while they are away."""

    def __post_init__(self) -> None:
        if not 0 <= self.pushes_a_day <= MOST_PUSHES:
            raise CannotPrefer(say("Choose from 0 to {most} messages a day.", most=MOST_PUSHES), where="pushes_a_day")
        if self.push_from is Level.INFO:
            raise CannotPrefer(say("What is for the timeline only is never sent."), where="push_from")

    def is_quiet(self, at: LocalTime) -> bool:
        """True within the quiet hours, which may span midnight."""
        since, until, now = self.quiet_since, self.quiet_until, at.time()
        return since <= now < until if since <= until else now >= since or now < until

    def after_quiet(self, at: LocalTime) -> LocalTime:
        """That time, or the end of the quiet hours it falls into."""
        if not self.is_quiet(at):
            return at
        ends = datetime.combine(at.date(), self.quiet_until)
        return ends if ends > at else ends + timedelta(days=1)


def next_push(of: Preferences, *, level: Level, earliest: LocalTime, sent: Iterable[LocalTime]) -> LocalTime | None:
    """When a message about something of that level may go out; None where it waits for the digest.

    `sent` holds when the person's messages went out, or are to. What is over the day's few goes with the next message
    or with the next morning's digest, whichever leaves first; where no digest comes then, a message goes out instead.
    """
    if not of.is_pushed or of.pushes_a_day == 0 or level < of.push_from:
        return None
    known = sorted(sent)
    at = of.after_quiet(max([earliest, *(one + INTERVAL for one in known[-1:])]))
    while sum(one.date() == at.date() for one in known) >= of.pushes_a_day:
        morning = datetime.combine(at.date() + timedelta(days=1), of.digest_at)
        if Weekday.of(morning.date()) in of.digest_days:
            return None
        at = of.after_quiet(morning)
    return at


def is_digest_due(of: Preferences, now: LocalTime) -> bool:
    """True on one of the person's days, from their hour on; after that, not so late that it is about yesterday."""
    hour = datetime.combine(now.date(), of.digest_at)
    return Weekday.of(now.date()) in of.digest_days and hour <= now < hour + TOO_LATE


def working_days_later(since: LocalTime, days: int, free: Container[date] = ()) -> LocalTime:
    """The same hour so many working days later; weekends and `free` (holidays, closures) do not count."""
    day = since.date()
    while days > 0:
        day += timedelta(days=1)
        days -= Weekday.of(day) in WORKDAYS and day not in free
    return datetime.combine(day, since.time())
