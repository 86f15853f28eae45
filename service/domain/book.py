"""An old appointment book, read but not yet brought in.

Names stand here where ids will stand once people and rooms exist: `Standing.id` is the key of its series,
`Standing.therapist` and `.room` are what the book calls them.

Every part has a `key`: a digest of what identifies it in the book, never of what may change later (room, status,
length). Whoever brings a book in a second time finds the keys again, and changes nothing.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from service.domain.appointment import Status
from service.domain.hours import LocalTime
from service.domain.phrase import Phrase
from service.domain.recurrence import slots
from service.domain.standing import Modality, Standing

SHORTEST, LONGEST = 5, 720
"""Minutes, as everywhere in the domain: an entry outside can't become an appointment."""


def key_of(*parts: object) -> str:
    """32 hexadecimal digits; the same parts give the same key, on every machine and in every release."""
    joined = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "replace")).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class BookEntry:
    """One dated hour of the book."""

    key: str
    line: int
    """Where it begins in the file, from 1."""
    client: str
    therapist: str
    room: str | None
    modality: Modality
    starts: LocalTime
    minutes: int
    zone: str
    status: Status = Status.SCHEDULED
    slot: LocalTime | None = None
    """What its standing expected; None while it stands alone."""

    @property
    def is_moved(self) -> bool:
        return self.slot is not None and self.starts != self.slot


@dataclass(frozen=True, kw_only=True)
class BookSeries:
    """A standing with all that the book says of its slots; a slot it does not mention takes place as agreed."""

    key: str
    line: int
    client: str
    standing: Standing
    lost: tuple[LocalTime, ...] = ()
    """Slots at which nothing takes place, in order."""
    entries: tuple[BookEntry, ...] = ()
    """Slots of which the book says more (status, another time, room, therapist), in order of slot."""

    def expected(self, *, until: LocalTime) -> Iterator[LocalTime]:
        """Every slot before `until`, lost ones included, in order."""
        return takewhile(lambda slot: slot < until, slots(self.standing, until=until))


@dataclass(frozen=True, kw_only=True)
class BookAbsence:
    """Time that the book itself marks as away."""

    key: str
    line: int
    name: str
    therapist: str
    since: LocalTime
    until: LocalTime


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """What stays out, and why, in words for the person who brings the book."""

    line: int
    reason: Phrase
    where: str = ""
    """The column or property that decided it."""


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A choice that was made in reading, at its first line."""

    line: int
    what: Phrase
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Book:
    """All of one file; `rejected` and `noted` in order of line."""

    series: tuple[BookSeries, ...] = ()
    singles: tuple[BookEntry, ...] = ()
    absences: tuple[BookAbsence, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    noted: tuple[Noted, ...] = ()
