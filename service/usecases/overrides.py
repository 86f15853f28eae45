"""Exceptions from the rules: set, lifted and listed; for the clinic, for one therapist's courses, or for one course.

Managers decide for the clinic and for a therapist; for a course its therapist may, too. Each has a reason, an author
and a day on which it ends, and is shown on every alert that it concerns. Of one name, the narrowest holds.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, delete, select, true, update
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.course import CourseStatus, Override
from service.domain.hours import local_time
from service.domain.limits import CannotSetLimits, Limits, check_override
from service.domain.phrase import Phrase, YearDay, say
from service.domain.refusals import Conflict, Forbidden, Malformed
from service.store import audit, courses, overrides
from service.store.alerts import AssessmentRow
from service.store.courses import CourseRow
from service.store.overrides import Layer, OverrideRow
from service.store.people import Directory, directory
from service.store.transaction import reading, writing
from service.usecases import steps

LONGEST_REASON = 500
MANY = 50
"""The most numbers that are set at once."""


class CannotLift(Conflict):
    """What stays would make no sense without it."""


class Scope(enum.StrEnum):
    """For whom an exception holds; the later, the narrower."""

    CLINIC = "clinic"
    THERAPIST = "therapist"
    COURSE = "course"


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """One exception, as people read it."""

    id: str
    scope: Scope
    course: str | None
    therapist: str | None
    therapist_name: str
    """Empty unless it is a therapist's."""
    name: str
    """A parameter, a rule's id, `preset` or `when_away`."""
    value: float | str
    reason: str
    author: str
    until: date
    """The first day that it no longer holds."""
    made_at: datetime
    is_in_force: bool


@writing
def set(  # noqa: A001  the word of the trade
    db: Session,
    *,
    values: Mapping[str, float | str],
    reason: str,
    until: date,
    therapist: str | None = None,
    course: str | None = None,
    by: Actor,
    now: datetime,
) -> list[Agreed]:
    """Agree on these together, for the course, or for the therapist's courses, or (neither) for the clinic.

    What the same one had agreed under the same name is replaced.

    :raises CannotSetLimits: no such name, a value that does not fit, or one that contradicts others; `where` is the
        name. :raises Malformed: no reason, no day to come, nothing set. :raises NotFound: not there, or not theirs to
        see. :raises Forbidden: not theirs to decide.
    """
    whose = _whose(db, therapist=therapist, course=course, by=by)
    _check(values, reason, until, whose.today(now))
    _take_turns(db, whose)
    db.execute(delete(OverrideRow).where(whose.which, OverrideRow.name.in_(sorted(values))))
    new = [
        overrides.new_row(
            name=name,
            value=value,
            reason=reason.strip(),
            until=until,
            course_id=whose.course.id if whose.course else None,
            therapist_id=whose.therapist_id,
            made_by=by.name,
            now=now,
        )
        for name, value in values.items()
    ]
    db.add_all(new)
    db.flush()
    _expect_sense(db, whose, whose.today(now))
    for row in new:
        _record(db, "set", row, whose, by=by, now=now)
    _call(db, whose, by=by, now=now)
    return [_view(row, whose.people, whose.course, whose.today(now)) for row in new]


@writing
def lift(db: Session, *, override: str, by: Actor, now: datetime) -> None:
    """It holds no more, from now on.

    :raises CannotLift: see there. :raises NotFound, Forbidden: see `set`.
    """
    row = overrides.get(db, override)
    people = directory(db)
    whose = _whose(
        db,
        therapist=people.therapist_public(row.therapist_id) if row.therapist_id else None,
        course=db.get_one(CourseRow, row.course_id).public_id if row.course_id else None,
        by=by,
    )
    _take_turns(db, whose)
    db.delete(row)
    db.flush()
    try:
        _expect_sense(db, whose, whose.today(now))
    except CannotSetLimits as refusal:
        raise CannotLift(
            say("{why} Lift or change the other one first.", why=refusal.message), where=refusal.where
        ) from refusal
    _record(db, "lift", row, whose, by=by, now=now)
    _call(db, whose, by=by, now=now)


@reading
def listed(
    db: Session, *, course: str | None = None, therapist: str | None = None, by: Actor, now: datetime
) -> list[Agreed]:
    """What holds for the course (its own, its therapist's, the clinic's), or for the therapist's, or for the clinic;
    the broadest first. Those that have ended are in it, until they are lifted.

    :raises NotFound: no such course or therapist, or not theirs to see. :raises Forbidden: neither a therapist nor a
        manager.
    """
    access.require(by, Role.THERAPIST, Role.MANAGER, to_change=False)
    people = directory(db)
    which = [overrides.of()]
    row = courses.get(db, course) if course else None
    if row is not None:
        if not access.may_see_signals(by, steps.therapists_of(db, row, people)):
            raise steps.no_such("course")
        which += [overrides.of(therapist_id=row.therapist_id), overrides.of(course_id=row.id)]
    elif therapist is not None:
        its_id = people.therapist(therapist).id
        if not by.has(Role.MANAGER) and by.therapist != therapist:
            raise steps.no_such("therapist")
        which.append(overrides.of(therapist_id=its_id))
    today = _today(people, row, now)
    return [_view(one, people, row, today) for some in which for one in overrides.rows(db, some)]


@reading
def of_therapists(db: Session, *, by: Actor, now: datetime) -> list[Agreed]:
    """Every therapist's, by name; for managers."""
    access.require(by, Role.MANAGER, to_change=False)
    people = directory(db)
    found = overrides.rows(db, OverrideRow.therapist_id.is_not(None))
    views = [_view(one, people, None, _today(people, None, now)) for one in found]
    return sorted(views, key=lambda one: (one.therapist_name, one.name))


# --- steps ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Whose:
    """Whom an exception is for, once it is clear that this person may decide it."""

    people: Directory
    course: CourseRow | None
    therapist_id: int | None
    which: ColumnElement[bool]
    """The exceptions of exactly these."""
    touches: ColumnElement[bool]
    """The courses that it concerns."""

    def today(self, now: datetime) -> date:
        return _today(self.people, self.course, now)

    @property
    def subject(self) -> tuple[str, str]:
        """Kind and public id, for the audit; the clinic has no id of its own."""
        if self.course is not None:
            return "course", self.course.public_id
        if self.therapist_id is not None:
            return "therapist", self.people.therapist_public(self.therapist_id)
        return "clinic", "clinic"


def _whose(db: Session, *, therapist: str | None, course: str | None, by: Actor) -> _Whose:
    people = directory(db)
    if course is not None and therapist is not None:
        raise Malformed(say("Name the course, or the therapist, or neither for the clinic."), where="therapist")
    if course is None:
        access.require(by, Role.MANAGER)
        its_id = people.therapist(therapist).id if therapist else None
        touches = CourseRow.therapist_id == its_id if its_id is not None else true()
        return _Whose(
            people=people,
            course=None,
            therapist_id=its_id,
            which=overrides.of(therapist_id=its_id),
            touches=touches & (CourseRow.status != CourseStatus.ENDED.value),
        )
    row = courses.get(db, course)
    steps.may_see(db, row, people, by)
    access.require(by, Role.THERAPIST, Role.MANAGER)
    if not by.has(Role.MANAGER) and by.therapist != people.therapist_public(row.therapist_id):
        raise Forbidden(say("This is for the therapist who holds the course, or a manager, to agree."))
    return _Whose(
        people=people,
        course=row,
        therapist_id=None,
        which=overrides.of(course_id=row.id),
        touches=CourseRow.id == row.id,
    )


def _today(people: Directory, course: CourseRow | None, now: datetime) -> date:
    site = people.sites[course.site_id] if course else next(iter(people.sites.values()), None)
    return local_time(now, site.zone).date() if site else now.date()


def _check(values: Mapping[str, float | str], reason: str, until: date, today: date) -> None:
    if not values or len(values) > MANY:
        raise Malformed(say("Say what is to be otherwise: 1 to {most} things.", most=MANY), where="values")
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON:
        raise Malformed(say("Give a reason, of at most {most} characters.", most=LONGEST_REASON), where="reason")
    if until <= today:
        raise Malformed(say("Choose a day to come on which it ends."), where="until")
    for name, value in values.items():
        check_override(name, Override(value=value, reason=words, until=until))


def _take_turns(db: Session, whose: _Whose) -> None:
    # An assessment under way has read the old numbers, and would write over the call for a new look.
    steps.take_turn(db, whose.touches)


def _expect_sense(db: Session, whose: _Whose, today: date) -> None:
    """:raises CannotSetLimits: the numbers that would be in force, now or once one of them ends, contradict."""
    for layers in _stacks(db, whose):
        untils = {one.until for layer in layers for one in layer.values() if one.until > today}
        for on in sorted({today, *untils}):
            try:
                Limits().with_overrides(*layers, on=on)
            except CannotSetLimits as refusal:
                raise CannotSetLimits(_no_sense(refusal.message, on, today), where=refusal.where) from refusal


def _no_sense(why: Phrase, on: date, today: date) -> Phrase:
    if on == today:
        return say("{why} Nothing was changed.", why=why)
    return say(
        "{why} That would be so from {day}, when another one ends. Nothing was changed.", why=why, day=YearDay(on)
    )


def _stacks(db: Session, whose: _Whose) -> Iterator[tuple[Layer, ...]]:
    """Every different pile of layers that holds for somebody whom it concerns."""
    of_clinic = overrides.as_layer(overrides.rows(db, overrides.of()))
    if whose.course is not None:
        yield overrides.layers(db, whose.course)
        return
    theirs = overrides.rows(db, OverrideRow.therapist_id.is_not(None))
    of_therapist = {
        its_id: overrides.as_layer(one for one in theirs if one.therapist_id == its_id)
        for its_id in {one.therapist_id for one in theirs}
    }
    yield (of_clinic,)
    for its_id, layer in of_therapist.items():
        if whose.therapist_id in (None, its_id):
            yield of_clinic, layer
    own = _own(db, whose)
    for therapist_id, layer in own:
        yield of_clinic, of_therapist.get(therapist_id, {}), layer


def _own(db: Session, whose: _Whose) -> list[tuple[int, Layer]]:
    """What single courses among them agreed, each with its therapist."""
    query = (
        select(OverrideRow, CourseRow.therapist_id)
        .join(CourseRow, CourseRow.id == OverrideRow.course_id)
        .where(whose.touches)
        .order_by(OverrideRow.id)
    )
    by_course: dict[tuple[int, int], list[OverrideRow]] = {}
    for row, therapist_id in db.execute(query).all():
        by_course.setdefault((row.course_id or 0, therapist_id), []).append(row)
    return [(therapist_id, overrides.as_layer(rows)) for (_, therapist_id), rows in by_course.items()]


def _call(db: Session, whose: _Whose, *, by: Actor, now: datetime) -> None:
    """Have the courses looked at again: one by a message; many by the sweep, which finds them due."""
    if whose.course is not None:
        steps.course_changed(db, whose.course, therapists=(), by=by, now=now)
        return
    concerned = select(CourseRow.id).where(whose.touches)
    db.execute(
        update(AssessmentRow)
        .where(AssessmentRow.course_id.in_(concerned))
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def _record(db: Session, action: str, row: OverrideRow, whose: _Whose, *, by: Actor, now: datetime) -> None:
    kind, subject = whose.subject
    detail = {"override": row.public_id, "value": row.value, "until": row.until.isoformat()}
    audit.record(db, f"{action}_override", by=by, now=now, kind=kind, subject=subject, fields=[row.name], detail=detail)


def _view(row: OverrideRow, people: Directory, course: CourseRow | None, today: date) -> Agreed:
    scope = Scope.COURSE if row.course_id else Scope.THERAPIST if row.therapist_id else Scope.CLINIC
    return Agreed(
        id=row.public_id,
        scope=scope,
        course=course.public_id if course is not None and scope is Scope.COURSE else None,
        therapist=people.therapist_public(row.therapist_id) if row.therapist_id else None,
        therapist_name=people.therapists[row.therapist_id].name if row.therapist_id else "",
        name=row.name,
        value=overrides.number_or_word(row.value),
        reason=row.reason,
        author=row.made_by,
        until=row.until,
        made_at=row.made_at,
        is_in_force=today < row.until,
    )
