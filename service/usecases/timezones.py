"""A new release of the time-zone data: what it does to the hours to come, and putting them where it says.

Local times stay. An hour whose new place somebody else is held for stays where it was, and is named until a person has
moved one of the two. What has begun stays as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.domain import access, shift
from service.domain.access import Actor, Role
from service.domain.hours import TZDATA_VERSION, Instant, LocalTime, local_time, release_name
from service.domain.shift import Booked, Held, ZoneShift
from service.store import audit, bookings, outbox, timezones
from service.store.appointments import AppointmentRow
from service.store.clients import ClientRow
from service.store.courses import CourseRow
from service.store.occupancies import Kind
from service.store.outbox import OutboxRow
from service.store.people import Directory, RoomRow, TherapistRow, UserRow, directory
from service.store.transaction import reading, writing
from service.usecases import away, client_hours, steps, telling

AT_ONCE = 100
"""Hours put elsewhere in one transaction, so that nobody at a desk waits for long."""
NOTED_AT_ONCE = 2_000
NAMED = 50
"""Clashes that are named; `count` says how many there are."""
HERE = release_name(TZDATA_VERSION)
"""The release that this program has."""
_SOON = timedelta(days=4)
"""How far ahead a message to a person can be waiting."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of two hours that would lie over each other."""

    appointment: str | None
    """Public id; None for a tentative hold."""
    starts: LocalTime
    """By today's data."""
    zone: str
    minutes: int
    therapist: str
    """Name; empty for a tentative hold."""


@dataclass(frozen=True, kw_only=True)
class Clash:
    """Two hours that would hold somebody twice if both stood where today's data says."""

    kind: str
    """`therapist`, `room` or `client`."""
    name: str
    """Of the therapist or the room; empty for a client."""
    one: Side
    other: Side


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What today's data says of hours that were derived with another release."""

    derived_with: str
    """The release on record, as the world calls it."""
    shifts: tuple[ZoneShift, ...]
    unchanged: tuple[int, ...]
    """Inner ids of the hours that stay where they are."""
    to_move: tuple[int, ...]
    """Inner ids of the others, in an order in which none comes to a place that another has still to leave."""
    soon: Mapping[str, timedelta] = field(default_factory=dict)
    """By how much each zone's next hours shift, where that is within days."""
    clashes: tuple[Clash, ...] = ()
    """At most NAMED."""
    clash_count: int = 0

    @property
    def is_current(self) -> bool:
        return self.derived_with == HERE and not self.to_move

    @property
    def hours(self) -> int:
        return len(self.to_move)


@dataclass(frozen=True, kw_only=True)
class Moved:
    hours: int
    stayed: int
    """Of those asked for, because somebody is held for where they would be."""


def behind(derived_with: str) -> str:
    """What whoever runs the clinic is told until both are the same release."""
    return f"Times are derived with {derived_with}, this program has {HERE}: run `samehour timezones check`."


@reading
def look(db: Session, *, names_clashes: bool = True, by: Actor, now: datetime) -> Outlook:
    """What would change; nothing is written.

    :raises Forbidden: admins and the command line do that.
    """
    access.require(by, Role.ADMIN, to_change=False)
    if db.get_bind().dialect.name == "postgresql":
        # Else an hour that somebody moves meanwhile is seen at both places.
        db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    hours = timezones.outdated(db, now=now)
    shifted = {one.id: one for one in hours if one.is_shifted}
    pairs = list(shift.clashes(timezones.held_then(db, shifted, now=now), shifted.keys())) if names_clashes else []
    return Outlook(
        derived_with=release_name(timezones.derived_with(db)),
        shifts=tuple(shift.summed_up(hours)),
        unchanged=tuple(one.id for one in hours if not one.is_shifted),
        to_move=tuple(one.id for one in shift.in_safe_order(hours)),
        soon=_soon(hours, now),
        clashes=tuple(_described(db, pairs[:NAMED])),
        clash_count=len(pairs),
    )


@writing
def begin(db: Session, *, shifts: Sequence[ZoneShift], soon: Mapping[str, timedelta], by: Actor, now: datetime) -> None:
    """What is done once for a release, before the first hour is put elsewhere; a second call does nothing.

    Messages to people that wait for a local time, alerts that are quiet until a morning, and the instants at which
    courses are due shift with their zone.
    """
    access.require(by, Role.ADMIN)
    row = timezones.stand_to_change(db, now=now)
    if TZDATA_VERSION in {row.begun_with, row.derived_with}:
        return
    row.begun_with, row.changed_at = TZDATA_VERSION, now
    zones = {one.zone for one in shifts}
    _shift_messages(db, soon, now=now)
    _shift_snoozes(db, shifts, now=now)
    timezones.look_again(db, zones, now=now)


@writing
def move(db: Session, *, hours: Sequence[int], by: Actor, now: datetime) -> Moved:
    """Put these hours (inner ids, AT_ONCE at most) where today's data says, as far as they fit; doing it twice, or at
    once, changes nothing more.
    """
    access.require(by, Role.ADMIN)
    course_ids = select(AppointmentRow.course_id).where(AppointmentRow.id.in_(hours))
    steps.take_turn(db, CourseRow.id.in_(course_ids))
    rows = timezones.outdated_among(db, hours, now=now)
    before = {row.id: (row.starts_at, row.tzdata) for row in rows}
    stay = {row.id for row in bookings.derive_anew(db, rows)}
    moved = [row for row in rows if row.id not in stay]
    _shift_reminders(db, moved, {row.id: before[row.id][0] for row in moved})
    for row in moved:
        row.version, row.changed_at = row.version + 1, now
        detail = {"was": before[row.id][1], "now": TZDATA_VERSION}
        fields = ["starts_at", "ends_at"]
        audit.record(
            db, "retime", by=by, now=now, kind="appointment", subject=row.public_id, fields=fields, detail=detail
        )
    db.flush()
    _tell(db, moved, by=by, now=now)
    return Moved(hours=len(moved), stayed=len(stay))


@writing
def note_unchanged(db: Session, *, hours: Sequence[int], by: Actor) -> int:
    """Write down that today's data puts these hours (inner ids) where they stand; of how many that is so."""
    access.require(by, Role.ADMIN)
    return timezones.note_unchanged(db, hours)


@writing
def finish(db: Session, *, by: Actor, now: datetime) -> int:
    """Every hour that fits has been put where it belongs: write that down; how many are left.

    With none left, today's data is what everything is derived with, and every calendar is written anew.
    """
    access.require(by, Role.ADMIN)
    left = [one for one in timezones.outdated(db, now=now) if one.is_shifted]
    row = timezones.stand_to_change(db, now=now)
    was, row.changed_at = row.derived_with, now
    if left:
        if row.gone_through_with != TZDATA_VERSION:
            row.gone_through_with = TZDATA_VERSION
            _tell_courses(db, timezones.courses_of(db, [one.id for one in left]), by=by, now=now)
            _calendars_changed(db)
        return len(left)
    row.derived_with, row.begun_with, row.gone_through_with = TZDATA_VERSION, None, None
    if was != TZDATA_VERSION:
        _calendars_changed(db)
        audit.record(db, "apply", by=by, now=now, kind="timezones", subject=TZDATA_VERSION, detail={"was": was})
    return 0


# --- steps ------------------------------------------------------------------------------------------------------------


def _soon(hours: Sequence[Booked], now: Instant) -> dict[str, timedelta]:
    """The shift of the next hour of each zone, if that is within days: it is also that of what else waits there."""
    found: dict[str, timedelta] = {}
    for one in sorted(hours, key=lambda one: one.since):
        if one.since < now + _SOON:
            found.setdefault(one.zone, one.by)
    return {zone: by for zone, by in found.items() if by}


def _shift_messages(db: Session, soon: Mapping[str, timedelta], *, now: datetime) -> None:
    """A message to a person waits until the local time at which they want it."""
    query = select(OutboxRow).where(
        OutboxRow.topic == telling.PUSH,
        OutboxRow.state == "pending",
        OutboxRow.attempts == 0,
        OutboxRow.not_before > now,
    )
    waiting = list(db.scalars(query.order_by(OutboxRow.id))) if soon else []
    users = {row.payload["user"] for row in waiting}
    found = db.scalars(select(UserRow).where(UserRow.public_id.in_(sorted(users))))
    zones = {user.public_id: away.zone_of(db, user) for user in found}
    for row in waiting:
        by = soon.get(zones.get(row.payload["user"], ""), shift.NONE)
        row.not_before = max(now, row.not_before + by)


def _shift_snoozes(db: Session, shifts: Sequence[ZoneShift], *, now: datetime) -> None:
    """An alert is quiet until the morning of a day, which is when the calendar turns there."""
    by_zone: dict[str, list[timedelta]] = {}
    for one in shifts:
        by_zone.setdefault(one.zone, []).append(one.by)
    for alert, zone in timezones.snoozed_in(db, by_zone, now=now):
        until = alert.snoozed_until
        if until is None or _is_midnight(until, zone):
            continue
        alert.snoozed_until = next((until + by for by in by_zone[zone] if _is_midnight(until + by, zone)), until)


def _is_midnight(at: Instant, zone: str) -> bool:
    return local_time(at, zone).time() == time()


def _shift_reminders(db: Session, rows: Sequence[AppointmentRow], before: Mapping[int, Instant]) -> None:
    """Whoever was reminded of an hour is not reminded again; what is about to remind them stays true."""
    hours = {row.public_id: row for row in rows}
    starts = {row.id: row.starts_at for row in rows}
    reminded = [one for one in timezones.reminded_of(db, starts) if one.reminded_of == before[one.appointment_id]]
    for known in reminded:
        known.reminded_of = starts[known.appointment_id]
    query = select(OutboxRow).where(OutboxRow.topic == client_hours.REMINDER, OutboxRow.state == "pending")
    for message in db.scalars(query) if reminded else ():
        row = hours.get(message.payload["appointment"])
        if row is not None and message.payload["starts"] == before[row.id].isoformat():
            message.payload = {**message.payload, "starts": row.starts_at.isoformat()}


def _tell(db: Session, moved: Sequence[AppointmentRow], *, by: Actor, now: datetime) -> None:
    """Whoever depends on these hours: assessments, calendars, and programs elsewhere, once a course is through."""
    touched = timezones.courses_of(db, [row.id for row in moved])
    more = timezones.courses_with_more(db, touched, now=now)
    for course in sorted(more):
        outbox.add(db, steps.ASSESS, {"course": touched.pop(course)}, now=now)
    _tell_courses(db, touched, by=by, now=now)
    steps.calendars_changed(
        db,
        {row.therapist_id for row in moved},
        rooms={row.room_id for row in moved},
        courses={row.course_id for row in moved},
    )


def _tell_courses(db: Session, touched: Mapping[int, str], *, by: Actor, now: datetime) -> None:
    for public_id in sorted(touched.values()):
        audit.record(db, "retime", by=by, now=now, kind="course", subject=public_id)
        outbox.add(db, steps.ASSESS, {"course": public_id}, now=now)


def _calendars_changed(db: Session) -> None:
    """All of them: what a zone's clocks do stands in every calendar that has an hour there, however far ahead."""
    for kind in (TherapistRow, RoomRow, ClientRow):
        ids = list(db.scalars(select(kind.id).order_by(kind.id).with_for_update(key_share=True)))
        for start in range(0, len(ids), 500):
            db.execute(
                update(kind)
                .where(kind.id.in_(ids[start : start + 500]))
                .values(calendar_version=kind.calendar_version + 1)
                .execution_options(synchronize_session=False)
            )


def _described(db: Session, pairs: Sequence[tuple[Held, Held]]) -> list[Clash]:
    people = directory(db)
    rows = timezones.by_ids(db, (one.appointment for pair in pairs for one in pair if one.appointment))
    return [
        Clash(
            kind=Kind(one.kind).name.lower(),
            name=_name(people, one),
            one=_side(one, other, rows, people),
            other=_side(other, one, rows, people),
        )
        for one, other in pairs
    ]


def _name(people: Directory, held: Held) -> str:
    if held.kind == Kind.THERAPIST:
        return people.therapists[held.who].name
    return people.rooms[held.who].name if held.kind == Kind.ROOM else ""


def _side(held: Held, other: Held, rows: Mapping[int, AppointmentRow], people: Directory) -> Side:
    row = rows.get(held.appointment or 0)
    if row is None:
        beside = rows.get(other.appointment or 0)
        zone = beside.zone if beside else "UTC"
        minutes = (held.until - held.since) // timedelta(minutes=1)
        return Side(appointment=None, starts=local_time(held.since, zone), zone=zone, minutes=minutes, therapist="")
    return Side(
        appointment=row.public_id,
        starts=row.starts,
        zone=row.zone,
        minutes=row.minutes,
        therapist=people.therapists[row.therapist_id].name,
    )
