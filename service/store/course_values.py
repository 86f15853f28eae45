"""Whole courses as the domain knows them, out of their rows: one or many, by the same statements.

Plain columns, not entities: a scan of a clinic reads millions of rows, and an entity costs more than the rules do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import BindParameter, DateTime, FromClause, and_, bindparam, or_, select, type_coerce
from sqlalchemy.orm import Session

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.course import Course, CourseStatus, Ending
from service.domain.hours import Hour, LocalTime, Weekday, local_times
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.domain.standing import Modality, Standing
from service.store import overrides
from service.store.absences import AbsenceRow, AnnouncementRow
from service.store.appointments import AppointmentRow, ChangeRow
from service.store.base import UtcTime, naive_utc
from service.store.courses import CourseRow
from service.store.overrides import Layer, OverrideRow
from service.store.people import Directory, RoomRow, SiteRow, TherapistRow
from service.store.prepared import Prepared
from service.store.standings import StandingHourRow, StandingRow

AT_ONCE = 50
"""Courses read together: few enough for the memory, many enough that a statement's own cost is lost among them."""
EVER = datetime(1, 1, 1)

_Row = Any
"""A row of plain columns."""
_Rows = Mapping[int, list[_Row]]
_NONE: list[_Row] = []
_new = object.__new__
_Local = Callable[[datetime | None], LocalTime | None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A course with its ids."""

    id: int
    public_id: str
    therapist_id: int
    value: Course


def load_one(session: Session, public_id: str) -> Loaded:
    """:raises NotFound: no such course."""
    session.flush()
    found = _BY_NAME.rows(session, public_id=public_id)
    if not found:
        raise NotFound(say("There is no such course."))
    return _Read(session, [found[0].id], None).course(found[0].id)


def load(session: Session, course: CourseRow, people: Directory) -> Course:
    """The course with its versions, appointments, changes and the absences it depends on; all times in its zone."""
    [found] = load_many(session, [course.id], people)
    return found.value


def load_many(session: Session, course_ids: Sequence[int], people: Directory | None = None) -> Iterator[Loaded]:
    """The same for each of these courses (inner ids), in their order. Not more of them are in memory than AT_ONCE.

    Without a directory, the few names that they need are read with them.
    """
    session.flush()
    for start in range(0, len(course_ids), AT_ONCE):
        some = course_ids[start : start + AT_ONCE]
        read = _Read(session, some, people)
        yield from (read.course(one) for one in some)


# --- statements: built once, so that none is compiled twice


def _columns(table: FromClause, names: str) -> list[Any]:
    """Instants as the driver hands them out: of a hundred thousand columns that may hold one, few do."""
    columns = [table.c[name] for name in names.split()]
    return [type_coerce(one, DateTime).label(one.name) if isinstance(one.type, UtcTime) else one for one in columns]


_course, _standing, _hour = CourseRow.__table__, StandingRow.__table__, StandingHourRow.__table__
_appointment, _change = AppointmentRow.__table__, ChangeRow.__table__
_absence, _told = AbsenceRow.__table__, AnnouncementRow.__table__
_site, _therapist, _room = SiteRow.__table__, TherapistRow.__table__, RoomRow.__table__
_override = OverrideRow.__table__
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)

_BY_NAME = Prepared(select(_course.c.id).where(_course.c.public_id == bindparam("public_id")))
# The first column is what the rows are grouped by.
_COURSES = Prepared(
    select(
        *_columns(_course, "id public_id site_id therapist_id status same_room default_cadence_days ending"),
        _site.c.zone,
    )
    .join(_site, _site.c.id == _course.c.site_id)
    .where(_course.c.id.in_(_IDS))
)
_STANDINGS = Prepared(
    select(
        *_columns(
            _standing,
            "course_id id public_id therapist_id room_id modality every_weeks minutes zone since until change_told_at "
            "sessions_planned ending_told replaces_id",
        )
    )
    .where(_standing.c.course_id.in_(_IDS))
    .order_by(_standing.c.since, _standing.c.id)
)
_HOURS = Prepared(
    select(_hour.c.standing_id, _hour.c.weekday, _hour.c.at)
    .join(_standing, _standing.c.id == _hour.c.standing_id)
    .where(_standing.c.course_id.in_(_IDS))
)
_COUNTING = and_(_appointment.c.course_id.in_(_IDS), _appointment.c.void_at.is_(None))
_APPOINTMENTS = select(
    *_columns(
        _appointment,
        "course_id id public_id standing_id slot starts minutes zone therapist_id room_id modality status by told_at "
        "began_at finished_at late_by ending_session",
    )
).where(_COUNTING)
_CHANGES = Prepared(
    select(*_columns(_change, "appointment_id what was now told_at asked_by reason"))
    .join(_appointment, _appointment.c.id == _change.c.appointment_id)
    .where(_COUNTING)
    .order_by(_change.c.id)
)
_ABSENCES = Prepared(
    select(*_columns(_absence, "id public_id kind therapist_id room_id site_id course_id since until name tentative"))
    .where(
        _absence.c.withdrawn_at.is_(None),
        or_(_absence.c.therapist_id.is_(None), _absence.c.therapist_id.in_(bindparam("therapists", expanding=True))),
        or_(_absence.c.course_id.is_(None), _absence.c.course_id.in_(_IDS)),
    )
    .order_by(_absence.c.since, _absence.c.id)
)
_TOLD = Prepared(select(*_columns(_told, "course_id absence_id told_at")).where(_told.c.course_id.in_(_IDS)))
_THERAPISTS, _ROOMS = (Prepared(select(of.c.id, of.c.public_id).where(of.c.id.in_(_IDS))) for of in (_therapist, _room))
_OVERRIDES = Prepared(
    select(_override)
    .where(
        or_(_override.c.course_id.is_(None), _override.c.course_id.in_(_IDS)),
        or_(_override.c.therapist_id.is_(None), _override.c.therapist_id.in_(bindparam("therapists", expanding=True))),
    )
    .order_by(_override.c.id)
)


# --- reading


class _Names(dict[Any, Any]):
    """Public ids by inner ones, asked for once each: an entity's attribute costs more than a look-up."""

    def __init__(self, ask: Callable[[Any], str | None]) -> None:
        super().__init__()
        self.ask = ask

    def __missing__(self, inner: int | None) -> str | None:
        return self.setdefault(inner, self.ask(inner))


class _Read:
    """The rows of some courses, sorted to whom they belong."""

    def __init__(self, session: Session, ids: Sequence[int], people: Directory | None) -> None:
        self.session = session
        self.clocks: dict[str, _Local] = {}
        self.known_absences: dict[tuple[int, datetime | None, str], Absence] = {}
        ids = list(ids)
        self.courses = {row[0]: row for row in _COURSES.rows(session, ids=ids)}
        self.standings = _grouped(_STANDINGS.rows(session, ids=ids))
        self.hours = _grouped(_HOURS.rows(session, ids=ids))
        self.appointments = _grouped(session.connection().execute(_APPOINTMENTS, {"ids": ids}).all())
        self.changes = _grouped(_CHANGES.rows(session, ids=ids))
        self.told = _grouped(_TOLD.rows(session, ids=ids))
        self.therapists = {id_: self.therapists_of(id_) for id_ in ids}
        everybody = sorted(set().union(*self.therapists.values()))
        self.absences = _ABSENCES.rows(session, ids=ids, therapists=everybody)
        therapists = sorted({row.therapist_id for row in self.courses.values()})
        agreed = _OVERRIDES.rows(session, ids=ids, therapists=therapists)
        self.layers = _layers([OverrideRow(**row._asdict()) for row in agreed]) if agreed else _NO_LAYERS
        self.therapist_names, self.room_names = self.names(everybody, people)

    def names(self, therapists: list[int], people: Directory | None) -> tuple[_Names, _Names]:
        """Public ids of the therapists and of the rooms, by inner ones."""
        if people is not None:
            return _Names(people.therapist_public), _Names(people.room_public)
        used = {row[9] for rows in self.appointments.values() for row in rows}
        used |= {row[4] for rows in self.standings.values() for row in rows} | {row.room_id for row in self.absences}
        rooms = dict.fromkeys(used - {None})
        found = [
            {row[0]: row[1] for row in statement.rows(self.session, ids=list(ids))} if ids else {}
            for statement, ids in ((_THERAPISTS, therapists), (_ROOMS, rooms))
        ]
        return _Names(found[0].__getitem__), _Names({None: None, **found[1]}.__getitem__)

    def therapists_of(self, course: int) -> set[int]:
        """Everybody who holds or held a standing or an hour of it."""
        held = {row[8] for row in self.appointments.get(course, _NONE)}
        return held | {row[3] for row in self.standings.get(course, _NONE)} | {self.courses[course].therapist_id}

    def course(self, id_: int) -> Loaded:
        row, versions = self.courses[id_], self.standings.get(id_, _NONE)
        zone = row.zone
        local = self.local_in(zone)
        of_clinic, of_therapist, own = self.layers.of(row)
        value = Course(
            zone=zone,
            status=CourseStatus(row.status),
            standings=tuple(self.standings_of(versions)),
            appointments=tuple(self.appointments_of(id_, versions, local)),
            absences=tuple(self.absences_of(row, versions, local)),
            same_room=row.same_room,
            overrides=own,
            layers=tuple(layer for layer in (of_clinic, of_therapist) if layer),
            default_cadence_days=row.default_cadence_days,
            ending=Ending(row.ending) if row.ending else None,
        )
        return Loaded(id_, row.public_id, row.therapist_id, value)

    def local_in(self, zone: str) -> _Local:
        return self.clocks.get(zone) or self.clocks.setdefault(zone, _local_in(zone))

    def standings_of(self, versions: list[_Row]) -> Iterator[Standing]:
        names = {row.id: row.public_id for row in versions}
        for row in versions:
            # One that was replaced on the day on which it began never held.
            if row.until is None or row.until > row.since:
                hours = self.hours.get(row.id, _NONE)
                yield _standing_value(row, self, hours, names.get(row.replaces_id), self.local_in(row.zone))

    def appointments_of(self, course: int, versions: list[_Row], local: _Local) -> list[Appointment]:
        names: dict[int | None, str] = {row[1]: row[2] for row in versions}
        made = [_appointment_value(row, self, names, local) for row in self.appointments.get(course, _NONE)]
        made.sort(key=lambda one: (one.slot or one.starts, one.id))
        return made

    def absences_of(self, course: _Row, versions: list[_Row], local: _Local) -> Iterator[Absence]:
        """Those that any of its versions or hours depends on, but for what was over before it began."""
        therapists = self.therapists[course.id]
        rooms = {row[4] for row in versions} | {row[9] for row in self.appointments.get(course.id, _NONE)}
        since = datetime.combine(min(row.since for row in versions), time()) if versions else EVER
        told = {row[1]: row[2] for row in self.told.get(course.id, _NONE)}
        for row in self.absences:
            if row.until > since and _is_concerned(row, course, therapists, rooms):
                yield self.absence_of(row, told.get(row.id), course.zone, local)

    def absence_of(self, row: _Row, told_at: datetime | None, zone: str, local: _Local) -> Absence:
        """A holiday is the same value in each course whose client was told of it at the same time, or not at all."""
        asked = row.id, told_at, zone
        return self.known_absences.get(asked) or self.known_absences.setdefault(
            asked, _absence_value(row, self, told_at, local)
        )


def _grouped(rows: Sequence[_Row]) -> _Rows:
    found: dict[int, list[_Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _is_concerned(absence: _Row, course: _Row, therapists: set[int], rooms: set[int | None]) -> bool:
    if absence.kind == _PAUSE:
        return bool(absence.course_id == course.id)
    if absence.kind == _LEAVE:
        return absence.therapist_id in therapists
    if absence.room_id is not None:
        return absence.room_id in rooms
    return absence.site_id is None or absence.site_id == course.site_id


# --- values: the same that `as_value` beside each row makes, which a test compares

_PAUSE, _LEAVE = AbsenceKind.PAUSE.value, AbsenceKind.LEAVE.value
_STATUS = {one.value: one for one in Status}
_MODALITY = {one.value: one for one in Modality}
_INITIATOR: Mapping[str | None, Initiator | None] = {None: None, **{one.value: one for one in Initiator}}
_WHAT = {one.value: one for one in Attribute}


def _standing_value(row: _Row, read: _Read, hours: list[_Row], replaces: str | None, local: _Local) -> Standing:
    return Standing(
        id=row.public_id,
        therapist=read.therapist_names[row.therapist_id],
        room=read.room_names[row.room_id],
        modality=_MODALITY[row.modality],
        hours=tuple(sorted(Hour(day=Weekday(one.weekday), at=one.at) for one in hours)),
        every_weeks=row.every_weeks,
        minutes=row.minutes,
        zone=row.zone,
        since=row.since,
        until=row.until,
        change_told_at=local(row.change_told_at),
        sessions_planned=row.sessions_planned,
        ending_told=row.ending_told,
        replaces=replaces,
    )


def _appointment_value(row: _Row, read: _Read, names: Mapping[int | None, str], local: _Local) -> Appointment:
    (
        _,
        inner,
        public_id,
        standing,
        slot,
        starts,
        minutes,
        its_zone,
        therapist,
        room,
        modality,
        status,
        by,
        told_at,
        began_at,
        finished_at,
        late_by,
        ending_session,
    ) = row
    changes = read.changes.get(inner)
    made = _new(Appointment)
    # A frozen value sets each field by a call: of the millions that a scan makes, that is a third of the time.
    made.__dict__.update(
        id=public_id,
        standing=names.get(standing),
        slot=slot,
        starts=starts,
        minutes=minutes,
        zone=its_zone,
        therapist=read.therapist_names[therapist],
        room=read.room_names[room],
        modality=_MODALITY[modality],
        status=_STATUS[status],
        by=_INITIATOR[by],
        told_at=told_at and local(told_at),
        began=began_at and local(began_at),
        finished=finished_at and local(finished_at),
        changes=tuple([_change_value(one, local) for one in changes]) if changes else (),
        late_by=_INITIATOR[late_by],
        ending_session=ending_session,
    )
    return made


def _change_value(row: _Row, local: _Local) -> Change:
    _, what, was, now, told_at, asked_by, reason = row
    return Change(what=_WHAT[what], was=was, now=now, told_at=local(told_at), by=Initiator(asked_by), reason=reason)


def _absence_value(row: _Row, read: _Read, told_at: datetime | None, local: _Local) -> Absence:
    return Absence(
        id=row.public_id,
        kind=AbsenceKind(row.kind),
        since=row.since,
        until=row.until,
        therapist=read.therapist_names[row.therapist_id] if row.therapist_id else None,
        room=read.room_names[row.room_id],
        told_at=local(told_at),
        tentative=row.tentative,
        name=row.name,
    )


def _local_in(zone: str) -> _Local:
    """Local times of what the driver hands out."""
    local = local_times(zone)
    return lambda at: None if at is None else local(at if at.tzinfo is None else naive_utc(at))


# --- exceptions


@dataclass(frozen=True, kw_only=True)
class _Layers:
    """What is agreed otherwise: for the clinic, by therapist, and by course."""

    of_clinic: Layer
    by_therapist: Mapping[int, Layer]
    by_course: Mapping[int, Layer]

    def of(self, course: _Row) -> tuple[Layer, Layer, Layer]:
        return self.of_clinic, self.by_therapist.get(course.therapist_id, {}), self.by_course.get(course.id, {})


_NO_LAYERS = _Layers(of_clinic={}, by_therapist={}, by_course={})


def _layers(rows: list[OverrideRow]) -> _Layers:
    of_therapists = {row.therapist_id for row in rows if row.therapist_id is not None}
    of_courses = {row.course_id for row in rows if row.course_id is not None}
    return _Layers(
        of_clinic=overrides.as_layer(row for row in rows if row.course_id is None and row.therapist_id is None),
        by_therapist={one: overrides.as_layer(row for row in rows if row.therapist_id == one) for one in of_therapists},
        by_course={one: overrides.as_layer(row for row in rows if row.course_id == one) for one in of_courses},
    )
