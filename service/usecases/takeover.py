"""What of an old book can stand beside what the clinic has: each part as the hours it would become, or why not.

Steps for the use-cases of imports; none of them reads or writes the database, so that a dry run says what a real one
will do. People and rooms go by name here, as in the book, and names are told apart as `folded` says.
"""

import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain, islice

from service.domain.absences import AbsenceKind
from service.domain.appointment import FREEING, Attribute, Initiator, Status
from service.domain.book import Book, BookAbsence, BookEntry, BookSeries, Noted, Rejected
from service.domain.hours import Instant, LocalTime, instant, local_time, midnight
from service.domain.recurrence import instants
from service.domain.refusals import Malformed
from service.domain.standing import Modality, Standing
from service.store.occupancies import Kind
from service.usecases import drafts

MOST_HOURS = 1_000_000
"""What one book may become: a calendar of a few lines can ask for more than any machine holds."""
LONGEST_NAME = 120
"""Of a therapist or a room."""
TOLD_BEFORE = timedelta(days=7)
"""When a client was told of a change, the book does not say. So long before counts neither as short notice nor as an
announced break."""
TOLD_OF_LASTING = timedelta(days=28)
FORMER = timedelta(days=90)
"""Whose last hour lies further back is not waiting for the next one."""
MOST_TAKEN = (1, 4)
"""A series with a greater share of its dates taken is not the one that was agreed."""
_SHOWN = 3

Holder = tuple[Kind, str]
Span = tuple[Instant, Instant, int]
"""Half-open, and the line of the book that holds it; 0 for what was booked before."""


class CannotTakeOver(Malformed):
    """The book as a whole can't be brought in."""


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

    def reject(self, line: int, reason: str, where: str = "") -> None:
        self.rejected.append(Rejected(line=line, reason=reason, where=where))

    def note(self, line: int, what: str, times: int = 1) -> None:
        self.noted.append(Noted(line=line, what=what, times=times))


def shares(book: Book, here: Here, terms: Terms) -> Iterator[Share]:
    """One for each client of the book, in the order in which the book names them first.

    Of two that want the same hour, what comes first in that order has it.

    :raises CannotTakeOver: it is on another zone's wall, or would become too much.
    """
    _check_whole(book, here, terms)
    plan = _Planner(here, terms, book.absences)
    grouped: dict[str, tuple[list[BookSeries], list[BookEntry]]] = defaultdict(lambda: ([], []))
    parts: list[BookSeries | BookEntry] = [*book.series, *book.singles]
    for part in sorted(parts, key=lambda one: one.line):
        of_client = grouped[folded(part.client)]
        if isinstance(part, BookSeries):
            of_client[0].append(part)
        else:
            of_client[1].append(part)
    for series, singles in grouped.values():
        yield plan.share(series, singles)


def new_absences(book: Book, here: Here) -> tuple[list[BookAbsence], list[Rejected]]:
    """Leave that was not brought in before; of it what can't be."""
    new, rejected = [], []
    for absence in book.absences:
        if problem := _name_problem("therapist", absence.therapist):
            rejected.append(Rejected(line=absence.line, reason=problem, where="therapist"))
        elif not here.knows(absence.key):
            new.append(absence)
    return new, rejected


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


def _check_whole(book: Book, here: Here, terms: Terms) -> None:
    zones = {one.zone for one in book.singles} | {series.standing.zone for series in book.series}
    if zones - {here.zone}:
        raise CannotTakeOver(f"The book is in {', '.join(sorted(zones))}, and the site in {here.zone}.", where="zone")
    wanted = len(book.singles)
    for series in book.series:
        standing = series.standing
        days = (drafts.horizon_end(standing, terms.horizon, terms.now) - standing.since).days
        wanted += max(days, 0) // (7 * standing.every_weeks) * len(standing.hours) + len(series.entries)
    if wanted > MOST_HOURS:
        raise CannotTakeOver(
            f"The book would become about {wanted:,} appointments; {MOST_HOURS:,} can be taken at once. "
            "Please export a shorter span."
        )


def _name_problem(what: str, name: str | None, longest: int = LONGEST_NAME) -> str | None:
    if name is None or (name.isprintable() and 0 < len(name) <= longest):
        return None
    return f"The {what}'s name has 1 to {longest} printable characters."


class _Planner:
    """Goes through the book once, and remembers who is held by what went before."""

    def __init__(self, here: Here, terms: Terms, absences: Iterable[BookAbsence]) -> None:
        self.here, self.terms = here, terms
        self.now = local_time(terms.now, here.zone)
        self.busy = Busy(here.busy)
        self.seen: set[str] = set()
        self.away = [*here.away, *(_away(absence) for absence in absences)]

    def share(self, series: Sequence[BookSeries], singles: Sequence[BookEntry]) -> Share:
        share = Share(client=(series[0] if series else singles[0]).client)
        if problem := self._client_problem(share.client):
            for line in (*(one.line for one in series), *(one.line for one in singles)):
                share.reject(line, problem, "client")
            return share
        loose = [entry for one in self._in_order(series) for entry in self._take_series(one, share)]
        for entry in sorted((*singles, *loose), key=lambda one: (one.starts, one.line)):
            self._take_single(entry, share)
        return share

    def _client_problem(self, client: str) -> str | None:
        if folded(client) in self.here.ambiguous:
            return "Several clients have that name. Tell them apart in the file and here, and try again."
        return _name_problem("client", client, 200)

    @staticmethod
    def _in_order(series: Sequence[BookSeries]) -> list[BookSeries]:
        """What is replaced before what replaces it."""
        return sorted(series, key=lambda one: (one.standing.since, one.line))

    # -- series

    def _take_series(self, series: BookSeries, share: Share) -> list[BookEntry]:
        """Take it, or say why not; the entries to be looked at as single appointments."""
        if known := self.here.series.get(series.key):
            return self._known_series(series, known, share)
        problems = [_name_problem("therapist", series.standing.therapist), _name_problem("room", series.standing.room)]
        if problem := next(filter(None, problems), None):
            share.reject(series.line, problem)
            return []
        reach = midnight(drafts.horizon_end(series.standing, self.terms.horizon, self.terms.now))
        hours = self._hours_of(series, reach, share)
        before = [entry for entry in series.entries if self._is_known(entry.key)]
        if not hours:
            share.reject(series.line, "It ends before its first date.")
        elif len(before) * 4 > len(hours):
            share.note(series.line, "Dates that follow others, brought in before, were taken one by one.")
            return list(series.entries)
        elif not (taken := self._taken(hours, series.client)) or not _is_too_much(len(taken), hours):
            self._place(series, hours, taken, reach.date(), share)
        elif all(hour.key is not None or hour.is_off for hour in hours):
            share.note(series.line, "A series with too many dates that are taken was taken one by one.")
            return list(series.entries)
        else:
            share.reject(
                series.line,
                f"{len(taken)} of its {len(hours)} dates are taken, so that it was left out as a whole. "
                f"The first: {taken[min(taken)]}",
            )
        return []

    def _known_series(self, series: BookSeries, known: KnownSeries, share: Share) -> list[BookEntry]:
        share.unchanged += 1
        if known.pattern != pattern_of(series.standing):
            share.note(series.line, _OTHERWISE)
        loose = []
        for entry in series.entries:
            if self._is_known(entry.key):
                self._compare(entry, share)
            elif entry.slot in known.slots:
                share.note(entry.line, _OTHERWISE)
            else:
                loose.append(entry)
        return loose

    def _hours_of(self, series: BookSeries, reach: LocalTime, share: Share) -> list[NewHour]:
        standing, entries = series.standing, {entry.slot: entry for entry in series.entries}
        lost = set(series.lost)
        away = self._away_from(series)
        hours = []
        for slot, since in self._slots(series, reach):
            entry = entries.get(slot)
            if entry is not None and not self._is_known(entry.key):
                hours.append(self._of_entry(entry, share))
            elif entry is not None or slot in lost:
                hours.append(self._off(series, slot, since))
            else:
                reason = next((one for one in away if _covers(one, slot, standing.minutes)), None)
                hours.append(self._plain(series, slot, since) if reason is None else self._away(series, slot, reason))
        return hours

    def _slots(self, series: BookSeries, reach: LocalTime) -> Iterator[tuple[LocalTime, Instant]]:
        """All until the horizon, and beyond it those of which the book says something."""
        yield from instants(series.standing, until=reach)
        later = {slot for slot in (*series.lost, *(entry.slot for entry in series.entries)) if slot and slot >= reach}
        yield from ((slot, instant(slot, series.standing.zone)) for slot in sorted(later))

    def _place(
        self, series: BookSeries, hours: list[NewHour], taken: Mapping[int, str], reach: date, share: Share
    ) -> None:
        """Hold everyone for it; the dates that are taken are left out, by name."""
        self._say_taken(series, hours, taken, share)
        kept = [self._given_up(hour) if at in taken else hour for at, hour in enumerate(hours)]
        for hour in kept:
            self._hold(hour, series.client)
        self.seen.update((series.key, *(hour.key for hour in kept if hour.key)))
        replaced = self.here.series.get(series.standing.replaces or "")
        is_change = series.standing.replaces is not None
        share.series.append(
            NewSeries(
                series=series,
                hours=tuple(kept),
                extended_to=reach,
                told_at=self._told(midnight(series.standing.since), TOLD_OF_LASTING) if is_change else None,
                replaces_id=replaced.standing_id if replaced else None,
            )
        )

    def _say_taken(self, series: BookSeries, hours: list[NewHour], taken: Mapping[int, str], share: Share) -> None:
        mentioned = [at for at in taken if hours[at].key is not None]
        for at in mentioned:
            share.reject(hours[at].line, taken[at])
        plain = [at for at in taken if hours[at].key is None]
        if plain:
            days = ", ".join(f"{hours[at].starts:%Y-%m-%d}" for at in islice(plain, _SHOWN))
            more = f" and {len(plain) - _SHOWN} more" if len(plain) > _SHOWN else ""
            share.reject(series.line, f"Its dates {days}{more} were left out of the series. {taken[plain[0]]}")

    def _taken(self, hours: Sequence[NewHour], client: str) -> dict[int, str]:
        """The places of hours that can't be, each with the reason."""
        found: dict[int, str] = {}
        free_from: Instant | None = None
        for at in sorted(range(len(hours)), key=lambda at: hours[at].since):
            hour = hours[at]
            if not hour.holds:
                continue
            if free_from is not None and hour.since < free_from:
                found[at] = "It lies over another date of the same series."
            elif (reason := self._reason(hour, client)) is not None:
                found[at] = reason
            else:
                free_from = hour.until
        return found

    # -- single appointments

    def _take_single(self, entry: BookEntry, share: Share) -> None:
        if self._is_known(entry.key):
            self._compare(entry, share)
            return
        problems = [_name_problem("therapist", entry.therapist), _name_problem("room", entry.room)]
        hour = self._of_entry(entry, share, is_single=True)
        reason = next(filter(None, problems), None) or (None if hour.is_off else self._reason(hour, entry.client))
        if reason:
            share.reject(entry.line, reason)
            return
        self._hold(hour, entry.client)
        self.seen.add(entry.key)
        share.singles.append(hour)

    def _compare(self, entry: BookEntry, share: Share) -> None:
        share.unchanged += 1
        known = self.here.hours.get(entry.key)
        said = (entry.starts, entry.minutes, entry.status in FREEING)
        if known is not None and said != (known.starts, known.minutes, known.is_off):
            share.note(entry.line, _OTHERWISE)

    def _is_known(self, key: str) -> bool:
        return key in self.seen or self.here.knows(key)

    # -- hours

    def _of_entry(self, entry: BookEntry, share: Share, *, is_single: bool = False) -> NewHour:
        since = instant(entry.starts, entry.zone)
        status = entry.status
        if since > self.terms.now and status not in FREEING and status is not Status.SCHEDULED:
            share.note(entry.line, "A date to come that carries a mark already was taken as booked.")
            status = Status.SCHEDULED
        slot = None if is_single else entry.slot
        return NewHour(
            key=entry.key,
            line=entry.line,
            slot=slot,
            starts=entry.starts,
            minutes=entry.minutes,
            therapist=entry.therapist,
            room=entry.room,
            modality=entry.modality,
            status=self._marked(status, since, entry.minutes),
            by=_BY.get(status),
            reason="other" if status in FREEING else None,
            told_at=self._told(min(entry.starts, slot or entry.starts)) if status in FREEING else None,
            keeps_hour=False,
            since=since,
        )

    def _plain(self, series: BookSeries, slot: LocalTime, since: Instant) -> NewHour:
        status = self._marked(Status.SCHEDULED, since, series.standing.minutes)
        return self._at(series, slot, since, status=status)

    def _off(self, series: BookSeries, slot: LocalTime, since: Instant) -> NewHour:
        """A date that the book leaves out: nobody knows by whom."""
        told = self._told(slot)
        return self._at(series, slot, since, status=Status.BREAK, by=Initiator.UNKNOWN, reason="other", told_at=told)

    def _away(self, series: BookSeries, slot: LocalTime, away: Away) -> NewHour:
        """A date that an absence takes, as the horizon would find it: whether the client knows is still to be said."""
        since = instant(slot, series.standing.zone)
        is_pause = away.kind is AbsenceKind.PAUSE
        reason = "holiday" if away.kind is AbsenceKind.HOLIDAY else "other"
        return self._at(
            series,
            slot,
            since,
            status=Status.BREAK,
            by=Initiator.MUTUAL if is_pause else Initiator.CLINIC,
            reason=drafts.PAUSE if is_pause else reason,
            told_at=self._told(slot) if since <= self.terms.now or is_pause else None,
            keeps_hour=is_pause and away.keeps_hour,
        )

    def _given_up(self, hour: NewHour) -> NewHour:
        """What its slot becomes where somebody else has the hour: to come, somebody has to tell the client."""
        is_past = hour.since <= self.terms.now
        return NewHour(
            key=hour.key,
            line=hour.line,
            slot=hour.slot,
            starts=hour.starts,
            minutes=hour.minutes,
            therapist=hour.therapist,
            room=hour.room,
            modality=hour.modality,
            status=Status.BREAK if is_past else Status.CLINIC_CANCELLED,
            by=Initiator.UNKNOWN if is_past else Initiator.CLINIC,
            reason="other",
            told_at=self._told(hour.starts) if is_past else None,
            keeps_hour=False,
            since=hour.since,
        )

    @staticmethod
    def _at(
        series: BookSeries,
        slot: LocalTime,
        since: Instant,
        *,
        status: Status,
        by: Initiator | None = None,
        reason: str | None = None,
        told_at: Instant | None = None,
        keeps_hour: bool = False,
    ) -> NewHour:
        standing = series.standing
        return NewHour(
            key=None,
            line=series.line,
            slot=slot,
            starts=slot,
            minutes=standing.minutes,
            therapist=standing.therapist,
            room=standing.room,
            modality=standing.modality,
            status=status,
            by=by,
            reason=reason,
            told_at=told_at,
            keeps_hour=keeps_hour,
            since=since,
        )

    def _marked(self, status: Status, since: Instant, minutes: int) -> Status:
        is_over = since + timedelta(minutes=minutes) <= self.terms.now
        return Status.HELD if status is Status.SCHEDULED and is_over and self.terms.past_was_held else status

    def _told(self, at: LocalTime, before: timedelta = TOLD_BEFORE) -> Instant:
        return told_at(at, self.here.zone, self.terms.now, before)

    # -- who is held

    def _reason(self, hour: NewHour, client: str) -> str | None:
        for holder, name in _holders(hour, client):
            if span := self.busy.in_the_way(holder, hour.since, hour.until):
                since, until = (local_time(at, self.here.zone) for at in span[:2])
                where = f" (line {span[2]})" if span[2] else ""
                return f"{name} is already booked on {since:%Y-%m-%d} from {since:%H:%M} to {until:%H:%M}{where}."
        return None

    def _hold(self, hour: NewHour, client: str) -> None:
        if hour.holds:
            for holder, _name in _holders(hour, client):
                self.busy.hold(holder, (hour.since, hour.until, hour.line))

    def _away_from(self, series: BookSeries) -> list[Away]:
        standing = series.standing
        names = {
            "therapist": folded(standing.therapist),
            "room": folded(standing.room) if standing.room else None,
            "client": folded(series.client),
        }
        return [one for one in self.away if one.concerns(modality=standing.modality, **names)]  # type: ignore[arg-type]


_OTHERWISE = "It says something else than what stands here since it was brought in; that was left as it is."
_BY: Mapping[Status, Initiator] = {
    Status.CLIENT_CANCELLED: Initiator.CLIENT,
    Status.CLINIC_CANCELLED: Initiator.CLINIC,
    Status.BREAK: Initiator.UNKNOWN,
}


def _is_too_much(taken: int, hours: Iterable[NewHour]) -> bool:
    part, whole = MOST_TAKEN
    return taken * whole > sum(hour.holds for hour in hours) * part


def pattern_of(standing: Standing) -> tuple[object, ...]:
    """What two readings of one series are compared by."""
    return (standing.hours, standing.every_weeks, standing.minutes, standing.since, standing.until)


def holders_of(hour: NewHour, client: str) -> list[Holder]:
    """Everyone the hour holds."""
    return [holder for holder, _name in _holders(hour, client)]


def _holders(hour: NewHour, client: str) -> list[tuple[Holder, str]]:
    found = [((Kind.THERAPIST, folded(hour.therapist)), hour.therapist)]
    if hour.room is not None:
        found.append(((Kind.ROOM, folded(hour.room)), hour.room))
    found.append(((Kind.CLIENT, folded(client)), "The client"))
    return found


def _away(absence: BookAbsence) -> Away:
    return Away(kind=AbsenceKind.LEAVE, since=absence.since, until=absence.until, therapist=folded(absence.therapist))


def _covers(away: Away, slot: LocalTime, minutes: int) -> bool:
    return away.since < slot + timedelta(minutes=minutes) and slot < away.until


def merged(noted: Iterable[Noted]) -> tuple[Noted, ...]:
    """Equal choices once, at their first line, with how often they were made."""
    found: dict[str, Noted] = {}
    for one in noted:
        other = found.get(one.what)
        if other is None:
            found[one.what] = one
        else:
            found[one.what] = Noted(line=min(other.line, one.line), what=one.what, times=other.times + one.times)
    return tuple(sorted(found.values(), key=lambda one: one.line))


Progress = Callable[[int, int], None]
"""Told how many of how many dates are through."""
