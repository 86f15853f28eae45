"""What a calendar feed is made of, as plain values: the use-case fills them in, `service/feeds/ics` writes them down.

Every entry says when its data last changed and how often (`changed_at`, `sequence`): the feed never says "now", so that
the same facts are the same bytes. Neither may ever go down, and taking a moved hour back raises the standing's own.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

from service.domain.hours import Instant, LocalTime
from service.domain.standing import Standing


@dataclass(frozen=True, kw_only=True)
class FeedAlarm:
    """What a calendar program says before an hour begins."""

    minutes: int
    text: str


@dataclass(frozen=True, kw_only=True)
class FeedOverride:
    """One slot of a standing that takes place otherwise: at another time, elsewhere, longer, with other words."""

    slot: LocalTime
    starts: LocalTime
    minutes: int
    summary: str
    changed_at: Instant
    sequence: int
    location: str = ""
    description: str = ""
    alarm: FeedAlarm | None = None


@dataclass(frozen=True, kw_only=True)
class FeedStanding:
    """A standing with everything that is known to differ from its pattern."""

    uid: str
    """A random UUID of this standing's own, used for nothing else."""
    standing: Standing
    """Only its pattern is told: hours, cadence, length, zone, since, until."""
    summary: str
    changed_at: Instant
    sequence: int
    location: str = ""
    description: str = ""
    lost: tuple[LocalTime, ...] = ()
    """Slots that do not take place."""
    overrides: tuple[FeedOverride, ...] = ()
    alarm: FeedAlarm | None = None
    """Its overrides have the same."""

    def __post_init__(self) -> None:
        slots = [override.slot for override in self.overrides]
        if len({*slots, *self.lost}) < len(slots) + len(set(self.lost)):
            # Of a slot that is both excluded and overridden, seven programs show the hour and four hide it.
            raise ValueError("A slot is lost or takes place otherwise, once: one is given twice.")


@dataclass(frozen=True, kw_only=True)
class FeedEvent:
    """A single hour: ad hoc, or one that was cancelled and is shown as such."""

    uid: str
    """A random UUID; for a slot of a standing `uid_of_slot`, so that one hour is one event however it is shown."""
    zone: str
    starts: LocalTime
    minutes: int
    summary: str
    changed_at: Instant
    sequence: int
    location: str = ""
    description: str = ""
    is_cancelled: bool = False
    cancelled_as: str = ""
    """What it is called where it is cancelled; empty: the summary marked as such, in English."""
    alarm: FeedAlarm | None = None
    """None where it is cancelled."""


@dataclass(frozen=True, kw_only=True)
class FeedLeave:
    """Time away, half-open, in local time. From midnight to midnight it is shown as whole days."""

    uid: str
    zone: str
    since: LocalTime
    until: LocalTime
    summary: str
    changed_at: Instant
    sequence: int
    location: str = ""
    description: str = ""

    @property
    def is_whole_days(self) -> bool:
        return self.since.time() == self.until.time() == self.since.time().min


FeedEntry = FeedStanding | FeedEvent | FeedLeave


@dataclass(frozen=True, kw_only=True)
class FeedHeader:
    """What is said of the calendar as a whole."""

    name: str
    zone: str
    """The person's site: an empty calendar still describes its zone, since it needs one component."""
    since: date
    """The first day that the feed tells of."""
    color: str = ""
    """A CSS colour name, as RFC 7986 §5.9 asks; empty for none."""


@dataclass(frozen=True, kw_only=True)
class FeedCalendar:
    header: FeedHeader
    entries: tuple[FeedEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FeedPiece:
    """One entry, written down: to be stored with the entry's version, and joined with the others."""

    zone: str
    since: date
    """The first local day that it names: its zone must be described from then on."""
    events: int
    body: bytes
    """So many VEVENTs, each line with its line end."""


def uid_of_slot(uid: str, slot: LocalTime) -> str:
    """The UID that an hour has when it can't be part of its standing's series.

    Derived from the standing's random one, it needs no storing, never changes, and says nothing.
    """
    return str(uuid5(UUID(uid), slot.isoformat(timespec="minutes")))
