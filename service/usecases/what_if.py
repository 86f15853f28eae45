"""What other numbers would have told people over the last three months: before they are set, and instead of guessing.

Every course is looked at again as it was known then, with the numbers in force and with the others; see
`service.domain.replay` for what is known of the past and what is taken for granted. Only the rules in which the new
numbers have a say are asked.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.appointment import FREEING
from service.domain.course import Course, Override
from service.domain.hours import local_time
from service.domain.limits import PRESETS, RULES, Limits, merged
from service.domain.past import Records
from service.domain.phrase import Phrase, say
from service.domain.refusals import Malformed
from service.domain.replay import Difference, LimitsOn, Raised, compared
from service.domain.rules import affected_by
from service.domain.signals import Level
from service.store import clients, course_values, courses, overrides
from service.store.absences import AbsenceRow
from service.store.appointments import AppointmentRow
from service.store.courses import CourseRow
from service.store.overrides import Layer, OverrideRow
from service.store.people import Directory, directory
from service.store.transaction import reading
from service.usecases import processes

PERIOD = timedelta(days=90)
LISTED = 100
"""The most alerts that are named on either side."""
MOST = 25_000
"""So many courses are looked at before whoever waits in front of a page, or stands between, gives up."""
ALONE = 500
"""So many are looked at in less time than it takes to share them out."""
SHARES = 3
"""For each process: one that is through early takes another."""


class TooManyCourses(Malformed):
    """More than can be looked at while somebody waits."""

    def __init__(self, n: int) -> None:
        super().__init__(
            say(
                "These numbers concern {n} courses, and at most {most} can be looked at in one go. "
                "Ask for one therapist at a time.",
                n=n,
                most=MOST,
            ),
            where="therapist",
        )


@dataclass(frozen=True, kw_only=True)
class Line:
    """One alert that would be gone, or new."""

    course: str
    names: tuple[str, ...]
    therapist_name: str
    signal: str
    level: Level
    on: date
    """The day on which it was first to be seen."""
    text: Phrase


@dataclass(frozen=True, kw_only=True)
class Answer:
    """ "14 alerts instead of 37, these would be gone, these new"."""

    since: date
    until: date
    rules: tuple[str, ...]
    """The rules that were asked: those in which the new numbers have a say."""
    courses: int
    """How many were looked at."""
    before: int
    after: int
    before_act: int
    """Of them, for a person now."""
    after_act: int
    gone: tuple[Line, ...]
    """At most LISTED, the latest first."""
    new: tuple[Line, ...]
    gone_count: int
    new_count: int


@reading
def ask(
    db: Session, *, values: Mapping[str, float | str], therapist: str | None = None, by: Actor, now: datetime
) -> Answer:
    """As if these had been set ninety days ago for the clinic, or for that therapist's courses.

    Of many courses each processor looks at a share, in processes of their own: this one goes on answering others.

    :raises CannotSetLimits: no such name, a value that does not fit, or one that contradicts others; `where` is the
        name. :raises Malformed: nothing is asked. :raises NotFound: no such therapist. :raises TooManyCourses:
        more than MOST.
    """
    access.require(by, Role.MANAGER)
    if not values:
        raise Malformed(say("Say which number would be another."), where="values")
    people = directory(db)
    tried = _Tried.of(db, values, people.therapist(therapist).id if therapist else None, now=now)
    concerned = _courses(db, tried.therapist_id, now) if tried.rules else {}
    if len(concerned) > MOST:
        raise TooManyCourses(len(concerned))
    found = _Found(rules=tried.rules)
    if len(concerned) > ALONE and processes.how_many():
        found.add_shares(concerned, partial(share, values=values, therapist_id=tried.therapist_id, now=now))
    else:
        _look_back(db, tried, concerned, found, now)
    return found.answer(db, people, now)


@reading
def share(
    db: Session,
    concerned: Mapping[int, "_Concerned"],
    *,
    values: Mapping[str, float | str],
    therapist_id: int | None,
    now: datetime,
) -> "_Found":
    """What `ask` finds in some of the courses; it has made sure who asks, and that the numbers fit."""
    tried = _Tried.of(db, values, therapist_id, now=now)
    found = _Found(rules=tried.rules)
    _look_back(db, tried, concerned, found, now)
    return found.trimmed()


# --- steps ----------------------------------------------------------------------------------------------------------


def _look_back(
    db: Session, tried: "_Tried", concerned: Mapping[int, "_Concerned"], found: "_Found", now: datetime
) -> None:
    records = _Recorded.of(db, concerned, now)
    for one in course_values.load_many(db, sorted(concerned), directory(db)):
        course = concerned[one.id]
        found.add(course, tried.replayed(course, one.value, records.about(course, one.value), now))


@dataclass(frozen=True, kw_only=True)
class _Concerned:
    """A course that was not over before the period."""

    id: int
    public_id: str
    therapist_id: int
    ended_on: date | None


def _courses(db: Session, therapist_id: int | None, now: datetime) -> dict[int, _Concerned]:
    query = select(CourseRow.id, CourseRow.public_id, CourseRow.therapist_id, CourseRow.ended_on).where(
        or_(CourseRow.ended_on.is_(None), CourseRow.ended_on > (now - PERIOD).date())
    )
    if therapist_id is not None:
        query = query.where(CourseRow.therapist_id == therapist_id)
    return {
        row[0]: _Concerned(id=row[0], public_id=row[1], therapist_id=row[2], ended_on=row[3])
        for row in db.execute(query)
    }


class _Tried:
    """The numbers that are tried, and the limits of any course with and without them."""

    def __init__(self, layer: Layer, therapist_id: int | None, of_clinic: Layer, of_therapists: Mapping[int, Layer]):
        self.therapist_id = therapist_id
        self.rules = affected_by(_names(layer, in_force=(of_clinic, *of_therapists.values())))
        self._clinic, self._therapists = of_clinic, of_therapists
        self._layer = layer
        self._shared: dict[int, tuple[LimitsOn, LimitsOn]] = {}
        self._known = _KnownLimits()

    @staticmethod
    def of(db: Session, values: Mapping[str, float | str], therapist_id: int | None, *, now: datetime) -> "_Tried":
        until = (now + timedelta(days=36_500)).date()
        layer = {name: Override(value=value, reason="tried", until=until) for name, value in values.items()}
        rows = overrides.rows(db, OverrideRow.course_id.is_(None))
        of_clinic = overrides.as_layer(row for row in rows if row.therapist_id is None)
        of_therapists = {
            its_id: overrides.as_layer(row for row in rows if row.therapist_id == its_id)
            for its_id in {row.therapist_id for row in rows if row.therapist_id is not None}
        }
        found = _Tried(layer, therapist_id, of_clinic, of_therapists)
        Limits().with_overrides(*found._layers(therapist_id, is_tried=True), on=now.date())
        return found

    def replayed(self, course: _Concerned, value: Course, records: Records, now: datetime) -> Difference:
        until = local_time(now, value.zone)
        before, after = self._limits(course, value)
        return compared(
            value, records=records, before=before, after=after, rules=self.rules, since=until - PERIOD, until=until
        )

    def _limits(self, course: _Concerned, value: Course) -> tuple[LimitsOn, LimitsOn]:
        if value.overrides:
            return self._made(course, value)
        if course.therapist_id not in self._shared:
            self._shared[course.therapist_id] = self._made(course, value)
        return self._shared[course.therapist_id]

    def _made(self, course: _Concerned, value: Course) -> tuple[LimitsOn, LimitsOn]:
        before, after = (
            self._known.of(replace(value, layers=self._layers(course.therapist_id, is_tried=is_tried)))
            for is_tried in (False, True)
        )
        return before, after

    def _layers(self, therapist_id: int | None, *, is_tried: bool) -> tuple[Layer, Layer]:
        of_therapist = self._therapists.get(therapist_id or 0, {})
        if not is_tried:
            return self._clinic, of_therapist
        if self.therapist_id is not None:
            return self._clinic, {**of_therapist, **self._layer}
        return {**self._clinic, **self._layer}, of_therapist


class _KnownLimits:
    """Limits by what is in force: to make some takes as long as a look, and in a clinic few differ."""

    def __init__(self) -> None:
        self._made: dict[tuple[tuple[str, Override], ...], Limits] = {}

    def of(self, course: Course) -> LimitsOn:
        ends = sorted({one.until for layer in (*course.layers, course.overrides) for one in layer.values()})
        known: dict[int, Limits] = {}

        def on(day: date) -> Limits:
            passed = bisect_right(ends, day)
            if passed not in known:
                known[passed] = self._for(course, day)
            return known[passed]

        return on

    def _for(self, course: Course, day: date) -> Limits:
        in_force = tuple(merged(*course.layers, course.overrides, on=day).items())
        if in_force not in self._made:
            self._made[in_force] = Limits().for_course(course, on=day)
        return self._made[in_force]


def _names(layer: Layer, *, in_force: Sequence[Layer]) -> frozenset[str]:
    """What is changed. Of a preset, what it sets and switches off; itself only where rules look at it, or where it
    takes the place of another."""
    names = set(layer)
    if "preset" in layer:
        preset = PRESETS[str(layer["preset"].value)]
        names |= preset.off | set(preset.values)
        if not preset.is_looked_at and not any("preset" in one for one in in_force):
            names.remove("preset")
    return frozenset(names)


@dataclass(frozen=True, kw_only=True)
class _Recorded:
    """When what nobody was told of was put on record, as far as the rows say: their last change, at the latest."""

    cancelled: Mapping[int, Sequence[tuple[str, datetime]]]
    """By course (inner id): appointments and instants."""
    entered: Mapping[str, datetime]

    @staticmethod
    def of(db: Session, concerned: Mapping[int, _Concerned], now: datetime) -> "_Recorded":
        cancelled: dict[int, list[tuple[str, datetime]]] = {}
        query = select(AppointmentRow.course_id, AppointmentRow.public_id, AppointmentRow.changed_at).where(
            AppointmentRow.course_id.in_(sorted(concerned)),
            AppointmentRow.starts_at > now - PERIOD,
            AppointmentRow.status.in_(sorted(status.value for status in FREEING)),
            AppointmentRow.told_at.is_(None),
            AppointmentRow.void_at.is_(None),
        )
        for course, appointment, at in db.execute(query).all():
            cancelled.setdefault(course, []).append((appointment, at))
        entered = db.execute(select(AbsenceRow.public_id, AbsenceRow.changed_at)).all()
        return _Recorded(cancelled=cancelled, entered={row[0]: row[1] for row in entered})

    def about(self, course: _Concerned, value: Course) -> Records:
        return Records(
            cancelled={one: local_time(at, value.zone) for one, at in self.cancelled.get(course.id, ())},
            entered={one.id: local_time(self.entered[one.id], value.zone) for one in value.absences},
            ended_on=course.ended_on,
        )


class _Found:
    """What the replays of all courses come to."""

    def __init__(self, *, rules: frozenset[str]) -> None:
        self.rules = rules
        self.courses = 0
        self.counts: Counter[tuple[str, Level]] = Counter()
        self.gone: list[tuple[_Concerned, Raised]] = []
        self.new: list[tuple[_Concerned, Raised]] = []
        self.gone_count = 0
        self.new_count = 0

    def add(self, course: _Concerned, difference: Difference) -> None:
        self.courses += 1
        self.counts.update(("before", one.level) for one in difference.before)
        self.counts.update(("after", one.level) for one in difference.after)
        self.gone += [(course, one) for one in difference.gone]
        self.new += [(course, one) for one in difference.new]
        self.gone_count += len(difference.gone)
        self.new_count += len(difference.new)

    def add_shares(
        self, concerned: Mapping[int, _Concerned], look: Callable[[Mapping[int, _Concerned]], "_Found"]
    ) -> None:
        ids = sorted(concerned)
        many = SHARES * processes.how_many()
        shares = [{its_id: concerned[its_id] for its_id in ids[start::many]} for start in range(many)]
        with processes.pool() as pool:
            for found in pool.map(look, shares):
                self.courses += found.courses
                self.counts += found.counts
                self.gone += found.gone
                self.new += found.new
                self.gone_count += found.gone_count
                self.new_count += found.new_count

    def trimmed(self) -> "_Found":
        """With no more alerts than are ever named."""
        self.gone, self.new = _latest(self.gone), _latest(self.new)
        return self

    def answer(self, db: Session, people: Directory, now: datetime) -> Answer:
        gone, new = _latest(self.gone), _latest(self.new)
        names = _names_in(db, {course.id for course, _ in (*gone, *new)})
        return Answer(
            since=(now - PERIOD).date(),
            until=now.date(),
            rules=tuple(rule for rule in RULES if rule in self.rules),
            courses=self.courses,
            before=sum(self.counts["before", level] for level in Level),
            after=sum(self.counts["after", level] for level in Level),
            before_act=self.counts["before", Level.ACT],
            after_act=self.counts["after", Level.ACT],
            gone=tuple(_line(course, one, names, people) for course, one in gone),
            new=tuple(_line(course, one, names, people) for course, one in new),
            gone_count=self.gone_count,
            new_count=self.new_count,
        )


def _latest(some: list[tuple[_Concerned, Raised]]) -> list[tuple[_Concerned, Raised]]:
    return sorted(some, key=lambda pair: (pair[1].at, pair[0].id), reverse=True)[:LISTED]


def _names_in(db: Session, course_ids: set[int]) -> dict[int, tuple[str, ...]]:
    in_course, names = courses.clients_by_course(db, course_ids), clients.names(db)
    return {course: tuple(names.get(one, "") for one in sorted(ids)) for course, ids in in_course.items()}


def _line(course: _Concerned, one: Raised, names: Mapping[int, tuple[str, ...]], people: Directory) -> Line:
    return Line(
        course=course.public_id,
        names=names.get(course.id, ()),
        therapist_name=people.therapists[course.therapist_id].name,
        signal=one.signal,
        level=one.level,
        on=one.at.date(),
        text=one.text,
    )
