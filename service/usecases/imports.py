"""Bring an old appointment book in: say first what would become of it, then do it.

Each client's part goes in as a whole, many clients to a transaction. Whatever breaks off in between, bringing the same
book in again takes up where that stopped: every part is known by its key, and what is known is left as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.absences import AbsenceKind
from service.domain.access import Actor, Role
from service.domain.appointment import Status
from service.domain.book import Book, BookAbsence, Noted, Rejected
from service.domain.hours import Instant, instant
from service.domain.phrase import say
from service.domain.refusals import Conflict, Stale
from service.store import absences, clients, imports, standings
from service.store.courses import CourseRow
from service.store.occupancies import Kind
from service.store.people import Directory, SiteRow, directory
from service.store.standings import StandingRow
from service.store.transaction import reading, writing
from service.usecases import steps, takeover, takeover_plan
from service.usecases.standings import DEFAULT_HORIZON
from service.usecases.takeover import (
    Away,
    Here,
    Holder,
    KnownHour,
    KnownSeries,
    Progress,
    Share,
    Terms,
    ended_on,
    folded,
)
from service.usecases.takeover_plan import CannotTakeOver as CannotTakeOver
from service.usecases.takeover_rows import Run, Writer

AT_ONCE = 2000
"""So many dates make a transaction; a client with more has one alone."""
TRIES = 5
"""How often the rest of a book is looked at anew because somebody booked in between."""
Past = Literal["held", "unmarked"]

_TOLD = say(
    "When clients were told of moved and cancelled dates, a book does not say: a week before was taken, four weeks for "
    "lasting changes, and today for what is further ahead."
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a book, or would come of it."""

    is_dry: bool
    therapists: tuple[str, ...] = ()
    """New ones, by name."""
    rooms: tuple[str, ...] = ()
    clients: int = 0
    """New ones."""
    courses: int = 0
    ended: int = 0
    """Of the new courses, those of former clients."""
    standings: int = 0
    of_standings: int = 0
    """Appointments that fill a slot, those that don't take place included."""
    singles: int = 0
    absences: int = 0
    unmarked: int = 0
    """Of the appointments, those in the past without a status."""
    unchanged: int = 0
    """Parts of the book that were brought in before."""
    rejected: tuple[Rejected, ...] = ()
    noted: tuple[Noted, ...] = ()

    @property
    def appointments(self) -> int:
        return self.of_standings + self.singles


def preview(
    book: Book,
    *,
    site: str | None,
    zone: str,
    past: Past = "unmarked",
    horizon: timedelta = DEFAULT_HORIZON,
    by: Actor,
    now: datetime,
) -> Outcome:
    """What `take` would do now; nothing is written. `site` is a public id, None for one that is still to be made.

    :raises CannotTakeOver: the book as a whole can't be brought in. :raises NotFound: no such site.
    """
    here = _here(book=book, site=site, by=by) if site else Here(zone=zone)
    terms = Terms(now=now, horizon=horizon, past_was_held=past == "held")
    result = _Result(book, here, terms)
    for share in takeover_plan.shares(book, here, terms):
        result.add(share)
    result.take_absences(*takeover_plan.new_absences(book, here))
    return result.outcome(is_dry=True)


def take(
    book: Book,
    *,
    site: str,
    source: str,
    digest: str,
    past: Past = "unmarked",
    horizon: timedelta = DEFAULT_HORIZON,
    progress: Progress | None = None,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Bring the book in at the site (a public id). What clashes stays out, with its line and reason.

    :param source: the file's name. :param digest: of its content, up to 64 characters.
    :raises CannotTakeOver: the book as a whole can't be brought in. :raises Forbidden: the desk and managers do that.
    :raises NotFound: no such site. :raises Stale: others book so fast that no attempt came through; what went in stays.
    """
    terms = Terms(now=now, horizon=horizon, past_was_held=past == "held")
    here = _here(book=book, site=site, by=by)
    taking = _Taking(
        run=Run(site=site, source=source[:120], digest=digest, by=by, now=now), result=_Result(book, here, terms)
    )
    left = book
    for _attempt in range(TRIES):
        try:
            taking.go_on(left, here, terms, progress)
            return taking.result.outcome(is_dry=False)
        except Conflict:
            # Somebody booked one of these hours, or brought the same book in, since we looked.
            left = _without(left, taking.done)
            here = _here(book=left, site=site, by=by)
    raise Stale(
        say("Others are booking these hours at the same time. What went in stays; please try again for the rest.")
    )


class _Result:
    """Adds up what becomes of a book."""

    def __init__(self, book: Book, here: Here, terms: Terms) -> None:
        self.here, self.terms = here, terms
        self.total = len(book.series) + len(book.singles)
        self.rejected = list(book.rejected)
        self.noted = list(book.noted)
        self.counts: dict[str, int] = {}
        self.therapists: dict[str, str] = {}
        self.rooms: dict[str, str] = {}

    def add(self, share: Share) -> None:
        self.rejected += share.rejected
        self.noted += share.noted
        self._count(unchanged=share.unchanged)
        if not share.count:
            return
        client = folded(share.client)
        is_new = client not in self.here.courses
        self._count(
            clients=client not in self.here.clients,
            courses=is_new,
            ended=is_new and ended_on(share, self.terms) is not None,
            standings=len(share.series),
            of_standings=share.count - len(share.singles),
            singles=len(share.singles),
            unmarked=sum(one.status is Status.SCHEDULED and one.until <= self.terms.now for one in share.hours),
        )
        self._note(share)
        for hour in share.hours:
            self._meet(hour.therapist, hour.room)
        for one in share.series:
            self._meet(one.series.standing.therapist, one.series.standing.room)

    def take_absences(self, new: Sequence[BookAbsence], rejected: Sequence[Rejected]) -> None:
        self.rejected += rejected
        self._count(absences=len(new))
        for absence in new:
            self._meet(absence.therapist, None)

    def outcome(self, *, is_dry: bool) -> Outcome:
        return Outcome(
            is_dry=is_dry,
            therapists=tuple(self.therapists.values()),
            rooms=tuple(self.rooms.values()),
            rejected=tuple(sorted(self.rejected, key=lambda one: one.line)),
            noted=takeover.merged(self.noted),
            **self.counts,
        )

    def _count(self, **counts: int) -> None:
        for name, number in counts.items():
            self.counts[name] = self.counts.get(name, 0) + int(number)

    def _meet(self, therapist: str, room: str | None) -> None:
        if folded(therapist) not in self.here.therapists:
            self.therapists.setdefault(folded(therapist), therapist)
        if room is not None and folded(room) not in self.here.rooms:
            self.rooms.setdefault(folded(room), room)

    def _note(self, share: Share) -> None:
        """What was decided for want of better knowledge, once for each date it was decided for."""
        told = [one for one in share.hours if one.told_at is not None]
        told += [hour for one in share.series for hour in one.hours if takeover.changes_of(hour, one.series.standing)]
        if told:
            self.noted.append(Noted(line=min(one.line for one in told), what=_TOLD, times=len(told)))


class _Taking:
    """One book on its way in: what is done of it."""

    def __init__(self, *, run: Run, result: _Result) -> None:
        self.run, self.result = run, result
        self.import_id: int | None = None
        self.done: set[str] = set()
        self.has_absences = False
        self.through = 0

    def go_on(self, book: Book, here: Here, terms: Terms, progress: Progress | None) -> None:
        self._absences(book, here)
        newest = here.newest_hold
        for part in _at_once(takeover_plan.shares(book, here, terms)):
            self.import_id, newest = _write(
                shares=part, here=here, terms=terms, run=self.run, import_id=self.import_id, newest_hold=newest
            )
            for share in part:
                self.done.add(folded(share.client))
                self.result.add(share)
            self.through += sum(share.parts + share.unchanged + len(share.rejected) for share in part)
            if progress:
                progress(min(self.through, self.result.total), self.result.total)

    def _absences(self, book: Book, here: Here) -> None:
        if self.has_absences:
            return
        new, rejected = takeover_plan.new_absences(book, here)
        if new:
            self.import_id = _write_absences(new=new, run=self.run, import_id=self.import_id)
        self.result.take_absences(new, rejected)
        self.has_absences = True


def _at_once(found: Iterable[Share]) -> Iterator[list[Share]]:
    part: list[Share] = []
    dates = 0
    for share in found:
        part.append(share)
        dates += share.count
        if dates >= AT_ONCE:
            yield part
            part, dates = [], 0
    if part:
        yield part


def _without(book: Book, done: set[str]) -> Book:
    return replace(
        book,
        series=tuple(one for one in book.series if folded(one.client) not in done),
        singles=tuple(one for one in book.singles if folded(one.client) not in done),
    )


# --- what is here ---------------------------------------------------------------------------------------------------


@reading
def _here(db: Session, *, book: Book, site: str, by: Actor) -> Here:
    access.require(by, Role.FRONT_DESK, Role.MANAGER)
    newest = imports.newest_hold(db)
    people = directory(db)
    at = people.site(site)
    wanted = {folded(name) for name in (*(one.client for one in book.series), *(one.client for one in book.singles))}
    ids, ambiguous = _clients(db, wanted)
    courses = imports.running_courses(db, ids.values(), site_id=at.id)
    keys = _Keys(db, book)
    since = min(_starts(book), default=None)
    return Here(
        zone=at.zone,
        therapists=frozenset(folded(row.name) for row in people.therapists.values()),
        rooms=frozenset(folded(row.name) for row in people.rooms.values() if row.site_id == at.id),
        clients=ids,
        ambiguous=ambiguous,
        courses={name: courses[number] for name, number in ids.items() if number in courses},
        busy=_busy(db, people, at, ids, since=instant(since, at.zone) - timedelta(days=2)) if since else {},
        away=_away(db, people, at, courses, ids, since=since) if since else (),
        hours=keys.hours(),
        series=keys.series(),
        others=frozenset(keys.others()),
        newest_hold=newest,
    )


def _clients(db: Session, wanted: set[str]) -> tuple[dict[str, int], frozenset[str]]:
    found: dict[str, list[int]] = {}
    for number, name in clients.names(db).items():
        if folded(name) in wanted:
            found.setdefault(folded(name), []).append(number)
    return (
        {name: numbers[0] for name, numbers in found.items()},
        frozenset(name for name, numbers in found.items() if len(numbers) > 1),
    )


def _starts(book: Book) -> Iterator[datetime]:
    yield from (one.starts for one in book.singles)
    yield from (datetime.combine(one.standing.since, datetime.min.time()) for one in book.series)
    yield from (entry.starts for one in book.series for entry in one.entries)


def _busy(
    db: Session, people: Directory, at: SiteRow, ids: Mapping[str, int], *, since: Instant
) -> dict[Holder, list[takeover.Span]]:
    names: dict[tuple[int, int], Holder] = {
        **{(Kind.THERAPIST, row.id): (Kind.THERAPIST, folded(row.name)) for row in people.therapists.values()},
        **{(Kind.ROOM, row.id): (Kind.ROOM, folded(row.name)) for row in people.rooms.values() if row.site_id == at.id},
        **{(Kind.CLIENT, number): (Kind.CLIENT, name) for name, number in ids.items()},
    }
    whom: dict[Kind, list[int]] = {}
    for kind, number in names:
        whom.setdefault(Kind(kind), []).append(number)
    found: dict[Holder, list[takeover.Span]] = {}
    for key, starts, ends in imports.held(db, whom, since=since):
        found.setdefault(names[key], []).append((starts, ends, 0))
    return found


def _away(
    db: Session, people: Directory, at: SiteRow, courses: Mapping[int, int], ids: Mapping[str, int], *, since: datetime
) -> tuple[Away, ...]:
    """Every approved absence from then on that may take an hour at this site."""
    of_course = {courses[number]: name for name, number in ids.items() if number in courses}
    found = []
    for row in absences.touching(db, since):
        is_elsewhere = row.site_id is not None and row.site_id != at.id
        if row.tentative or is_elsewhere or (row.course_id is not None and row.course_id not in of_course):
            continue
        found.append(
            Away(
                kind=AbsenceKind(row.kind),
                since=row.since,
                until=row.until,
                therapist=folded(people.therapists[row.therapist_id].name) if row.therapist_id else None,
                room=folded(people.rooms[row.room_id].name) if row.room_id else None,
                client=of_course.get(row.course_id) if row.course_id else None,
                keeps_hour=row.keeps_hour,
            )
        )
    return tuple(found)


class _Keys:
    """The parts of the book that were brought in before, and how they stand now."""

    def __init__(self, db: Session, book: Book) -> None:
        self.db = db
        keys = [one.key for one in book.series]
        keys += [one.key for one in book.singles]
        keys += [one.key for one in book.absences]
        keys += [entry.key for one in book.series for entry in one.entries]
        self.found = imports.known(db, keys)

    def hours(self) -> dict[str, KnownHour]:
        ids = {key: number for key, (_standing, number) in self.found.items() if number is not None}
        rows = imports.hours_by_id(self.db, ids.values())
        off = {"client_cancelled", "clinic_cancelled", "break"}
        return {
            key: KnownHour(
                starts=rows[number][0],
                minutes=rows[number][1],
                is_off=rows[number][2] in off or rows[number][3] is not None,
            )
            for key, number in ids.items()
        }

    def series(self) -> dict[str, KnownSeries]:
        ids = {key: standing for key, (standing, hour) in self.found.items() if standing is not None and hour is None}
        slots = imports.slots_by_standing(self.db, ids.values())
        patterns = _patterns(self.db, ids.values())
        return {
            key: KnownSeries(standing_id=number, pattern=patterns[number], slots=frozenset(slots.get(number, ())))
            for key, number in ids.items()
        }

    def others(self) -> set[str]:
        return {key for key, (standing, hour) in self.found.items() if standing is None and hour is None}


def _patterns(db: Session, ids: Iterable[int]) -> dict[int, tuple[object, ...]]:
    people, found = directory(db), {}
    for part in imports.in_parts(ids):
        for row in db.scalars(select(StandingRow).where(StandingRow.id.in_(part))):
            found[row.id] = takeover.pattern_of(standings.as_value(row, people))
    return found


# --- writing --------------------------------------------------------------------------------------------------------


@writing
def _write_absences(db: Session, *, new: Sequence[BookAbsence], run: Run, import_id: int | None) -> int:
    writer = Writer(db, run, import_id)
    writer.absences(new)
    return writer.import_id


@writing
def _write(
    db: Session,
    *,
    shares: Sequence[Share],
    here: Here,
    terms: Terms,
    run: Run,
    import_id: int | None,
    newest_hold: int,
) -> tuple[int | None, int]:
    """These clients' parts, all or none; the import's inner id, and the newest occupancy."""
    new = [share for share in shares if share.count]
    if not new:
        return import_id, newest_hold
    running = {here.courses[name] for share in new if (name := folded(share.client)) in here.courses}
    if running:
        steps.take_turn(db, CourseRow.id.in_(sorted(running)))
    writer = Writer(db, run, import_id)
    writer.courses([(share, ended_on(share, terms)) for share in new], here)
    writer.standings(new)
    writer.hours(new, newest_hold=newest_hold)
    writer.tell(new)
    writer.count(taken=sum(one.parts for one in new), rejected=sum(len(one.rejected) for one in shares))
    return writer.import_id, imports.newest_hold(db)
