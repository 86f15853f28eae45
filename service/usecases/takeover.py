"""An old book on its way in: what the clinic has, and what each client's part of the book would become beside it.

Values for the use-cases of imports. People and rooms go by name here, as in the book, told apart as `folded` says.
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain

from service.domain.absences import AbsenceKind
from service.domain.appointment import FREEING, Attribute, Initiator, Status
from service.domain.book import BookSeries, Noted, Rejected
from service.domain.hours import Instant, LocalTime, instant
from service.domain.phrase import Phrase, Value, say
from service.domain.standing import Modality, Standing
from service.store.occupancies import Kind

TOLD_BEFORE = timedelta(days=7)
"""When a client was told of a change, the book does not say. So long before counts neither as short notice nor as an
announced break."""


TOLD_OF_LASTING = timedelta(days=28)


FORMER = timedelta(days=90)
"""Whose last hour lies further back is not waiting for the next one."""


Holder = tuple[Kind, str]


Span = tuple[Instant, Instant, int]
"""Half-open, and the line of the book that holds it; 0 for what was booked before."""


@lru_cache(maxsize=65536)
def folded(name: str) -> str:
    """What two ways of writing one name have in common: case, blanks, and how an accent is encoded, don't count."""
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


class Busy:
    """Who is held when; the spans of one holder never overlap."""

    def __init__(self, spans: Mapping[Holder, list[Span]]) -> None:
        self._spans = {holder: sorted(of_one) for holder, of_one in spans.items()}

    def in_the_way(self, holder: Holder, since: Instant, until: Instant) -> Span | None:
        spans = self._spans.get(holder)
        if not spans:
            return None
        at = bisect_left(spans, (until,))
        return spans[at - 1] if at and spans[at - 1][1] > since else None

    def hold(self, holder: Holder, span: Span) -> None:
        spans = self._spans.setdefault(holder, [])
        spans.insert(bisect_left(spans, span), span)


@dataclass(frozen=True, kw_only=True)
class Away:
    """An approved absence, by names; None where it does not depend on that."""

    kind: AbsenceKind
    since: LocalTime
    until: LocalTime
    therapist: str | None = None
    room: str | None = None
    client: str | None = None
    keeps_hour: bool = False

    def concerns(self, *, therapist: str, room: str | None, modality: Modality, client: str) -> bool:
        if self.kind is AbsenceKind.PAUSE:
            return self.client == client
        if self.kind is AbsenceKind.LEAVE:
            return self.therapist == therapist
        # By video nobody needs the building: a closed room or site does not touch it, a public holiday does.
        if self.kind is AbsenceKind.CLOSURE and modality is Modality.VIDEO:
            return False
        return self.room is None or self.room == room


@dataclass(frozen=True, kw_only=True)
class KnownHour:
    """A date that was brought in before, as it stands now."""

    starts: LocalTime
    minutes: int
    is_off: bool


@dataclass(frozen=True, kw_only=True)
class KnownSeries:
    """A series that was brought in before, as its standing is now, with the slots that have a row."""

    standing_id: int
    pattern: tuple[object, ...]
    slots: frozenset[LocalTime]


@dataclass(frozen=True, kw_only=True)
class Here:
    """What the clinic has, as far as the book may touch it; all names folded."""

    zone: str
    therapists: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    """Of the site."""
    clients: Mapping[str, int] = field(default_factory=dict)
    """Inner ids."""
    ambiguous: frozenset[str] = frozenset()
    """Names that several clients bear."""
    courses: Mapping[str, int] = field(default_factory=dict)
    """By client, the running course at the site; inner ids."""
    busy: Mapping[Holder, list[Span]] = field(default_factory=dict)
    away: tuple[Away, ...] = ()
    hours: Mapping[str, KnownHour] = field(default_factory=dict)
    """By key in the book, as `series` and `others`."""
    series: Mapping[str, KnownSeries] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    newest_hold: int = 0
    """Inner id of the newest occupancy seen."""

    def knows(self, key: str) -> bool:
        return key in self.hours or key in self.series or key in self.others


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How the book is to be brought in, and when."""

    now: Instant
    horizon: timedelta
    past_was_held: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class NewHour:
    """One appointment to be written."""

    key: str | None
    """In the book; None for a slot that it does not mention by itself."""
    line: int
    slot: LocalTime | None
    starts: LocalTime
    minutes: int
    therapist: str
    room: str | None
    modality: Modality
    status: Status
    by: Initiator | None
    reason: str | None
    told_at: Instant | None
    keeps_hour: bool
    since: Instant

    @property
    def until(self) -> Instant:
        return self.since + timedelta(minutes=self.minutes)

    @property
    def is_off(self) -> bool:
        return self.status in FREEING

    @property
    def holds(self) -> bool:
        """Whether anybody is held by it: also by an hour that rests and is kept."""
        return self.keeps_hour or not self.is_off


@dataclass(frozen=True, kw_only=True)
class NewSeries:
    """A standing to be written, with every slot up to `extended_to` and what the book says of later ones."""

    series: BookSeries
    hours: tuple[NewHour, ...]
    extended_to: date
    told_at: Instant | None
    replaces_id: int | None
    """Inner id of the standing it replaces, where that was brought in before."""


@dataclass(kw_only=True)
class Share:
    """All that the book brings of one client."""

    client: str
    series: list[NewSeries] = field(default_factory=list)
    singles: list[NewHour] = field(default_factory=list)
    unchanged: int = 0
    """Parts that were brought in before."""
    rejected: list[Rejected] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)

    @property
    def hours(self) -> Iterator[NewHour]:
        return chain(chain.from_iterable(one.hours for one in self.series), self.singles)

    @property
    def count(self) -> int:
        return sum(len(one.hours) for one in self.series) + len(self.singles)

    @property
    def parts(self) -> int:
        """Standings and single appointments."""
        return len(self.series) + len(self.singles)

    def therapist(self) -> str:
        """Who has the course now: whoever is agreed or booked last."""
        ends = [(one.series.standing.until or date.max, one.series.standing.therapist) for one in self.series]
        ends += [(one.starts.date(), one.therapist) for one in self.singles]
        return max(ends, key=lambda end: end[0])[1]

    def last_day(self) -> date:
        return max(hour.starts.date() for hour in self.hours)

    def reject(self, line: int, reason: Phrase, where: str = "") -> None:
        self.rejected.append(Rejected(line=line, reason=reason, where=where))

    def note(self, line: int, what: Phrase, times: int = 1) -> None:
        self.noted.append(Noted(line=line, what=what, times=times))


def ended_on(share: Share, terms: Terms) -> date | None:
    """The day from which the course of a former client has ended; None for one that goes on."""
    if any(one.series.standing.until is None for one in share.series):
        return None
    last = share.last_day()
    return last + timedelta(days=1) if last < (terms.now - FORMER).date() else None


def told_at(at: LocalTime, here_zone: str, now: Instant, before: timedelta = TOLD_BEFORE) -> Instant:
    """When the client is taken to have been told of a change at that time."""
    return min(now, instant(at, here_zone) - before)


def changes_of(hour: NewHour, standing: Standing) -> list[tuple[Attribute, str | None, str | None]]:
    """What of a slot the client lived through otherwise than agreed: what, was, is; names where there are names."""
    if hour.slot is None or hour.is_off:
        return []
    minute = "minutes"
    pairs = [
        (Attribute.TIME, hour.slot.isoformat(timespec=minute), hour.starts.isoformat(timespec=minute)),
        (Attribute.THERAPIST, standing.therapist, hour.therapist),
        (Attribute.ROOM, standing.room, hour.room),
        (Attribute.MODALITY, standing.modality.value, hour.modality.value),
    ]
    return [(what, was, now) for what, was, now in pairs if folded(was or "") != folded(now or "")]


def pattern_of(standing: Standing) -> tuple[object, ...]:
    """What two readings of one series are compared by."""
    return (standing.hours, standing.every_weeks, standing.minutes, standing.since, standing.until)


def holders_of(hour: NewHour, client: str) -> list[tuple[Holder, Value]]:
    """Everyone the hour holds, with what they are called in a sentence."""
    found: list[tuple[Holder, Value]] = [((Kind.THERAPIST, folded(hour.therapist)), hour.therapist)]
    if hour.room is not None:
        found.append(((Kind.ROOM, folded(hour.room)), hour.room))
    found.append(((Kind.CLIENT, folded(client)), say("The client")))
    return found


def merged(noted: Iterable[Noted]) -> tuple[Noted, ...]:
    """Equal choices once, at their first line, with how often they were made."""
    found: dict[Phrase, Noted] = {}
    for one in noted:
        other = found.get(one.what)
        if other is None:
            found[one.what] = one
        else:
            found[one.what] = Noted(line=min(other.line, one.line), what=one.what, times=other.times + one.times)
    return tuple(sorted(found.values(), key=lambda one: one.line))


Progress = Callable[[int, int], None]
"""Told how many of how many dates are through."""
