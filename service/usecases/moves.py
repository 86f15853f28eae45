"""What moving one hour would do, before anybody decides: for whoever holds the phone. Nothing is written."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from service.domain import access, signals
from service.domain.access import Actor
from service.domain.appointment import Appointment, Initiator, Place, Status
from service.domain.course import Course
from service.domain.hours import LocalTime, local_time
from service.domain.phrase import Phrase
from service.domain.ranking import Ranked, rank
from service.domain.refusals import Clash
from service.domain.signals import Assessment, Level, Limits
from service.store import appointments, bookings, course_values, occupancies
from service.store.appointments import AppointmentRow
from service.store.courses import CourseRow
from service.store.people import Directory, directory
from service.store.standings import StandingRow
from service.store.transaction import reading
from service.usecases import steps
from service.usecases.appointments import Destination, destination

MOST_OFFERED = 5
FOR_BOOKING = frozenset({"gap.open", "gap.ahead", "gap.early", "next.none"})
"""What the desk needs of the rules to choose an hour; the others are for the therapist and the managers."""


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Days between the session and its neighbours; None where there is no neighbour."""

    before: float | None
    after: float | None


@dataclass(frozen=True, kw_only=True)
class Word:
    """A signal as far as a choice of hours needs it."""

    id: str
    level: Level
    text: Phrase


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A free hour, and what it would cost in points of the index and of the gaps around it. Lower is better."""

    starts: LocalTime
    score: float
    parts: Mapping[str, float]
    """Only what is not nothing."""
    index: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a move would do. `clashes` forbid it, `doubts` ask for a reason."""

    place: Place
    is_move: bool
    """False where nothing would change yet: the choice is still to be made."""
    clashes: tuple[Clash, ...]
    doubts: tuple[steps.Doubt, ...]
    gaps_now: Gaps
    gaps_then: Gaps
    index_now: Decimal | None
    """None while it is building."""
    index_then: Decimal | None
    own: Offer | None
    """The sum of the chosen place; None outside any standing, where nothing was agreed to compare with."""
    raised: tuple[Word, ...]
    cleared: tuple[Word, ...]
    offers: tuple[Offer, ...]
    """Free hours nearby, best first."""


@reading
def preview(db: Session, *, appointment_id: str, to: Destination, by: Actor, now: datetime) -> Effect:
    """:raises NotFound: not there, or not theirs. :raises CannotMove: it is not booked any more."""
    row, people = appointments.get(db, appointment_id), directory(db)
    course = db.get_one(CourseRow, row.course_id)
    steps.may_see(db, course, people, by)
    before = _value(db, row, people)
    place = destination(before, to)
    local = local_time(now, row.zone)
    is_move = place != before.place
    # Whatever the rules would make of it: the client is told now, and nobody knows yet who asked.
    after = before.move_to(place, by=Initiator.UNKNOWN, reason=None, told_at=local) if is_move else before
    draft = _draft(row, after, people, now=now)
    value = course_values.load(db, course, people)
    clashes = _clashes(db, draft, people) if is_move else ()
    offered = steps.free_near(db, draft if clashes else row, now=now)
    ranked = _ranked(value, before, place, offered, now=local)
    then = _with(value, after)
    found = signals.assess(value, limits=Limits(), now=local)
    raised, cleared = _words(found, signals.assess(then, limits=Limits(), now=local))
    shown = None if access.may_see_signals(by, steps.therapists_of(db, course, people)) else FOR_BOOKING
    own = next((one for one in ranked if one.place == place), None)
    return Effect(
        place=place,
        is_move=is_move,
        clashes=clashes,
        doubts=tuple(steps.doubts(db, draft, course, people)) if is_move else (),
        gaps_now=_gaps(value, before),
        gaps_then=_gaps(then, after),
        index_now=found.index.value,
        index_then=own.projected_index if own else None,
        own=_offer(own) if own else None,
        raised=tuple(word for word in raised if shown is None or word.id in shown),
        cleared=tuple(word for word in cleared if shown is None or word.id in shown),
        offers=_offers(ranked, offered, place),
    )


# --- steps ----------------------------------------------------------------------------------------------------------


def _value(db: Session, row: AppointmentRow, people: Directory) -> Appointment:
    standing = db.get_one(StandingRow, row.standing_id).public_id if row.standing_id else None
    changes = appointments.changes_of(db, [row.id]).get(row.id, ())
    return appointments.as_value(row, people, standing=standing, changes=changes)


def _draft(row: AppointmentRow, value: Appointment, people: Directory, *, now: datetime) -> AppointmentRow:
    """The row as it would be. It never joins the session, so nothing of it can be written."""
    draft = appointments.new_row(value, people, course_id=row.course_id, standing_id=row.standing_id, now=now)
    draft.id, draft.overlap_reason, draft.keeps_hour = row.id, row.overlap_reason, row.keeps_hour
    return draft


def _clashes(db: Session, draft: AppointmentRow, people: Directory) -> tuple[Clash, ...]:
    found = occupancies.overlaps(db, bookings.wanted(db, [draft]))
    return tuple(bookings.describe(db, found, people))


def _ranked(
    course: Course, session: Appointment, wanted: Place, offered: Sequence[LocalTime], *, now: LocalTime
) -> list[Ranked]:
    if session.slot is None:
        return []
    # An hour that is offered keeps the therapist and the room that were wished for.
    places = [wanted, *(replace(wanted, starts=start) for start in offered if start != wanted.starts)]
    return rank(course, slot=session.slot, candidates=places, told_at=now, now=now, limits=Limits())


def _with(course: Course, session: Appointment) -> Course:
    """The course with this session instead of what it has of it."""
    rest = tuple(one for one in course.appointments if one.id != session.id)
    return replace(course, appointments=(*rest, session))


def _gaps(course: Course, session: Appointment) -> Gaps:
    others = sorted(
        one.starts
        for one in course.appointments
        if one.id != session.id and one.status in {Status.HELD, Status.SCHEDULED} and not course.is_lost(one)
    )
    at = bisect_left(others, session.starts)
    return Gaps(
        before=_days(session.starts - others[at - 1]) if at else None,
        after=_days(others[at] - session.starts) if at < len(others) else None,
    )


def _days(span: timedelta) -> float:
    return round(span / timedelta(days=1), 1)


def _words(before: Assessment, after: Assessment) -> tuple[list[Word], list[Word]]:
    """What would be said anew or louder, and what would not be said any more."""
    old, new = _loudest(before), _loudest(after)
    raised = [word for id_, word in new.items() if id_ not in old or old[id_].level < word.level]
    return raised, [word for id_, word in old.items() if id_ not in new]


def _loudest(found: Assessment) -> dict[str, Word]:
    words: dict[str, Word] = {}
    for one in found.signals:
        is_louder = one.id not in words or words[one.id].level < one.level
        if one.level > Level.INFO and not one.is_settled and is_louder:
            words[one.id] = Word(id=one.id, level=one.level, text=one.text)
    return words


def _offers(ranked: Iterable[Ranked], offered: Sequence[LocalTime], wanted: Place) -> tuple[Offer, ...]:
    found = [_offer(one) for one in ranked if one.place is not None and one.place != wanted]
    plain = [Offer(starts=start, score=0, parts={}, index=None) for start in offered if start != wanted.starts]
    return tuple((found or plain)[:MOST_OFFERED])


def _offer(one: Ranked) -> Offer:
    if one.place is None:
        raise ValueError("a skipped session is no hour to offer")
    parts = {name: points for name, points in one.parts.items() if points}
    return Offer(starts=one.place.starts, score=round(one.score, 1), parts=parts, index=one.projected_index)
