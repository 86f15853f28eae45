"""Steps that several use-cases share: what a change means for others, and what stands in a booking's way.

None of these opens a transaction; each takes the session of the use-case it serves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import CLOCK, Actor
from service.domain.hours import Instant, LocalTime, Weekday, is_in_gap, local_time
from service.domain.nearby import Busy, Working, nearby
from service.domain.phrase import Phrase, Span, Value, YearDay, say, sentences
from service.domain.refusals import CannotBook, Conflict, Malformed, NotFound, Stale
from service.store import absences, bookings, calendars, occupancies, outbox
from service.store.absences import AbsenceRow
from service.store.appointments import AppointmentRow
from service.store.courses import CourseRow
from service.store.occupancies import OccupancyRow
from service.store.outside import busy as busy_elsewhere
from service.store.people import Directory, WorkingHoursRow
from service.store.standings import StandingRow
from service.usecases import client_hours

ASSESS = "assess.course"
LONGEST_NAME = 120
_ANY_ZONE = timedelta(hours=15)


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Something that speaks against a time without forbidding it; a person may go on, with a reason."""

    kind: str
    """`absence`, `hours`, `elsewhere` or `clock_change`."""
    text: Phrase
    absence: str | None = None


class NeedsReason(Conflict):
    """It is possible, but something speaks against it: it needs a reason."""

    title = say("That needs a reason")

    def __init__(self, doubts: Sequence[Doubt]) -> None:
        super().__init__(
            say(
                "{doubts} Give a reason to book it all the same. Nothing was changed.",
                doubts=sentences(doubt.text for doubt in doubts),
            ),
            more={"doubts": [{"kind": doubt.kind, "text": doubt.text, "absence": doubt.absence} for doubt in doubts]},
        )


class CourseHasEnded(Conflict):
    """Nothing is booked in a course from the day on which it ended."""


def therapists_of(db: Session, course: CourseRow, people: Directory) -> set[str]:
    """Public ids of everyone who holds or held a standing or an hour of this course."""
    ids = {course.therapist_id}
    ids |= set(db.scalars(select(StandingRow.therapist_id).where(StandingRow.course_id == course.id).distinct()))
    ids |= set(db.scalars(select(AppointmentRow.therapist_id).where(AppointmentRow.course_id == course.id).distinct()))
    return {people.therapist_public(therapist) for therapist in ids}


def may_book(db: Session, course: CourseRow, people: Directory, by: Actor) -> None:
    """:raises NotFound: not theirs to see. :raises Forbidden: not theirs to change."""
    access.book(by, therapists_of(db, course, people))


def may_see(db: Session, course: CourseRow, people: Directory, by: Actor) -> None:
    """:raises NotFound: not theirs to see."""
    access.see_course(by, therapists_of(db, course, people))


def take_turn(db: Session, which: ColumnElement[bool]) -> None:
    """Wait until nobody else is changing these courses; call it before reading what is to be changed.

    Else two changes of one hour both start from what it was, and what the second writes fits neither. In one order,
    and before any other lock. SQLite's writers took their turn when the transaction began.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(CourseRow.id).where(which).order_by(CourseRow.id).with_for_update(key_share=True))


def expect_running(course: CourseRow, starts: LocalTime) -> None:
    """:raises CourseHasEnded: there is to be no hour of it at that time any more."""
    if course.ended_on is not None and starts.date() >= course.ended_on:
        raise CourseHasEnded(
            say("This course ends on {day}. Open a new one for what comes after.", day=YearDay(course.ended_on))
        )


def on_one_line(name: str, *, otherwise: Phrase) -> str:
    """What somebody calls a thing of their own. :raises Malformed: empty, too long, or with control characters."""
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST_NAME or not plain.isprintable():
        raise Malformed(otherwise, where="name")
    return plain


def expect_version(found: int, wanted: int | None) -> None:
    """:raises Stale: the record was changed since the caller read it."""
    if wanted is not None and wanted != found:
        raise Stale(
            say("Somebody changed this in the meantime. Nothing was changed; look at it again."),
            more={"version": found},
        )


def course_changed(
    db: Session, course: CourseRow, *, therapists: Iterable[int], by: Actor | None = None, now: datetime
) -> None:
    """Tell whoever depends on this course: its assessment, its calendars, and those of these therapists (inner ids).

    `by` names whose doing it was: what follows from it is no news to them.
    """
    calendars_changed(db, therapists, courses=[course.id])
    outbox.add(db, ASSESS, {"course": course.public_id, **({"by": by.user} if by and by.user else {})}, now=now)
    client_hours.note_change(db, course, is_news=by is not None and by != CLOCK, now=now)


def calendars_changed(
    db: Session, therapists: Iterable[int] = (), *, rooms: Iterable[int | None] = (), courses: Iterable[int] = ()
) -> None:
    """Have the calendars of these built anew where they are fetched; a course stands for its clients and rooms."""
    calendars.note(db, therapists=therapists, rooms=rooms, courses=courses)


def place(db: Session, rows: Sequence[AppointmentRow], people: Directory, *, now: datetime) -> None:
    """Book them all or none; when taken, say what is free instead.

    :raises CannotBook: with `clashes`, and in `more` the `free` starts nearest to the first that is taken.
    """
    try:
        bookings.place(db, rows, people)
    except CannotBook as taken:
        first = min(taken.clashes, key=lambda clash: clash.starts)
        wanted = min(rows, key=lambda row: abs(row.starts - datetime.fromisoformat(first.starts)))
        with db.no_autoflush:
            free = free_near(db, wanted, now=now)
        raise CannotBook(
            taken.message, clashes=taken.clashes, more={"free": [start.isoformat(timespec="minutes") for start in free]}
        ) from taken


def free_near(db: Session, row: AppointmentRow, *, now: datetime) -> list[LocalTime]:
    """Starts near the row's at which everyone it needs is free and nobody is away."""
    week = timedelta(days=8)
    wanted = bookings.wanted(db, [row])[0]
    held = db.execute(
        select(OccupancyRow.starts, OccupancyRow.ends).where(
            occupancies.among(wanted.keys),
            OccupancyRow.starts < row.ends_at + week,
            OccupancyRow.ends > row.starts_at - week,
        )
    )
    busy = [Busy(since=local_time(since, row.zone), until=local_time(until, row.zone)) for since, until in held]
    course = db.get_one(CourseRow, row.course_id)
    busy += [
        Busy(since=absence.since, until=absence.until)
        for absence in absences.touching(db, row.starts - week, row.starts + week)
        if _is_in_the_way(absence, row, course)
    ]
    busy += [
        Busy(since=local_time(since, row.zone), until=local_time(until, row.zone))
        for _whose, since, until in busy_elsewhere(
            db, since=row.starts_at - week, until=row.ends_at + week, therapist_ids=[row.therapist_id]
        )
    ]
    return nearby(
        row.starts, row.minutes, working=_working(db, row.therapist_id), busy=busy, not_before=local_time(now, row.zone)
    )


def doubts(
    db: Session, row: AppointmentRow, course: CourseRow, people: Directory, *, known: "Known | None" = None
) -> list[Doubt]:
    """What speaks against the row's time, therapist and room, other than a clash."""
    known = known or Known.of(db, row.therapist_id, since=row.starts, until=row.starts + timedelta(minutes=row.minutes))
    found = [
        Doubt(kind="absence", text=_absence_text(absence, people), absence=absence.public_id)
        for absence in known.absences
        if is_touched_by(absence, row, course)
    ]
    if known.working and not any(_works(hours, row) for hours in known.working):
        found.append(
            Doubt(
                kind="hours",
                text=say("{who} does not usually work then.", who=people.therapists[row.therapist_id].name),
            )
        )
    if any(since < row.ends_at and row.starts_at < until for since, until in known.elsewhere):
        found.append(
            Doubt(
                kind="elsewhere",
                text=say("{who} is busy elsewhere then.", who=people.therapists[row.therapist_id].name),
            )
        )
    if is_in_gap(row.starts, row.zone):
        found.append(
            Doubt(kind="clock_change", text=say("The clocks skip that hour; the session would begin an hour later."))
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Known:
    """What `doubts` needs to know about a span, read once for a whole series."""

    absences: tuple[AbsenceRow, ...]
    working: tuple[Working, ...]
    elsewhere: tuple[tuple[Instant, Instant], ...] = ()
    """Since and until when the therapist's own calendars say that they are busy."""

    @staticmethod
    def of(db: Session, therapist_id: int, *, since: LocalTime, until: LocalTime) -> "Known":
        return Known(
            absences=tuple(absences.touching(db, since, until)),
            working=tuple(_working(db, therapist_id)),
            elsewhere=_elsewhere(db, therapist_id, since, until),
        )


def lost_to(row: AppointmentRow, course: CourseRow, known: Known) -> AbsenceRow | None:
    """The approved absence because of which the row's hour can't take place, if there is one."""
    for absence in known.absences:
        if not absence.tentative and is_touched_by(absence, row, course):
            return absence
    return None


def is_touched_by(absence: AbsenceRow, row: AppointmentRow, course: CourseRow) -> bool:
    """True where the row's hour lies in the absence and depends on whoever or whatever is away."""
    return _is_in_the_way(absence, row, course) and _touches(absence, row)


def _touches(absence: AbsenceRow, row: AppointmentRow) -> bool:
    return absence.since < row.starts + timedelta(minutes=row.minutes) and row.starts < absence.until


def _is_in_the_way(absence: AbsenceRow, row: AppointmentRow, course: CourseRow) -> bool:
    # By video nobody needs the building: a closed room or site does not touch it, a public holiday does.
    if row.modality == "video" and absence.kind == "closure":
        return False
    return absences.concerns(
        absence, therapist_id=row.therapist_id, room_id=row.room_id, site_id=course.site_id, course_id=course.id
    )


def _absence_text(absence: AbsenceRow, people: Directory) -> Phrase:
    who = people.therapists[absence.therapist_id].name if absence.therapist_id else ""
    values: dict[str, Value] = {"days": Span(absence.since, absence.until), "name": absence.name or "", "who": who}
    kinds = {
        "leave": (say("{who} is away, {days}.", **values), say("{who} is away ({name}), {days}.", **values)),
        "closure": (say("Closed, {days}.", **values), say("Closed ({name}), {days}.", **values)),
        "holiday": (say("Public holiday, {days}.", **values), say("Public holiday ({name}), {days}.", **values)),
        "pause": (
            say("The course is paused, {days}.", **values),
            say("The course is paused ({name}), {days}.", **values),
        ),
    }
    plain, named = kinds[absence.kind]
    return named if absence.name else plain


def _working(db: Session, therapist_id: int) -> list[Working]:
    query = select(WorkingHoursRow).where(WorkingHoursRow.therapist_id == therapist_id)
    return [
        Working(day=Weekday(row.weekday), begins=row.begins, ends=row.ends)
        for row in db.scalars(query.order_by(WorkingHoursRow.weekday, WorkingHoursRow.begins))
    ]


def _elsewhere(
    db: Session, therapist_id: int, since: LocalTime, until: LocalTime
) -> tuple[tuple[Instant, Instant], ...]:
    # No zone is further from UTC than that.
    first, last = (at.replace(tzinfo=UTC) + away for at, away in ((since, -_ANY_ZONE), (until, _ANY_ZONE)))
    found = busy_elsewhere(db, since=first, until=last, therapist_ids=[therapist_id])
    return tuple((begins, ends) for _whose, begins, ends in found)


def _works(hours: Working, row: AppointmentRow) -> bool:
    ends = row.starts + timedelta(minutes=row.minutes)
    return (
        hours.day == Weekday.of(row.starts)
        and hours.begins <= row.starts.time()
        and ends.date() == row.starts.date()
        and ends.time() <= hours.ends
    )


def courses_of_therapist(db: Session, therapist_id: int) -> set[int]:
    """Inner ids of every course that this therapist holds or held anything of."""
    found = set(db.scalars(select(CourseRow.id).where(CourseRow.therapist_id == therapist_id)))
    found |= set(db.scalars(select(StandingRow.course_id).where(StandingRow.therapist_id == therapist_id).distinct()))
    found |= set(
        db.scalars(select(AppointmentRow.course_id).where(AppointmentRow.therapist_id == therapist_id).distinct())
    )
    return found


def no_such(noun: str) -> NotFound:
    return NotFound(_NO_SUCH[noun])


_NO_SUCH = {
    "absence": say("There is no such absence."),
    "client": say("There is no such client."),
    "course": say("There is no such course."),
    "standing appointment": say("There is no such standing appointment."),
    "therapist": say("There is no such therapist."),
}
