"""Which calendars a transaction has changed: each is counted once, at its end.

A therapist, a room and a client carry a number that rises with every change of what their calendar may show; feeds and
the board compare it. What happens at a site is counted with its rooms and therapists, so that bookings at one site do
not wait for each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, bindparam, select, update
from sqlalchemy.orm import Session

from service.store.clients import ClientRow
from service.store.courses import CourseClientRow
from service.store.people import RoomRow, TherapistRow
from service.store.standings import StandingRow

_NOTED = "calendars that changed"
_WHO: BindParameter[Any] = bindparam("who")
_COURSES: BindParameter[Any] = bindparam("courses", expanding=True)
_RAISE_THERAPIST = (
    update(TherapistRow).where(TherapistRow.id == _WHO).values(calendar_version=TherapistRow.calendar_version + 1)
)
_RAISE_ROOM = update(RoomRow).where(RoomRow.id == _WHO).values(calendar_version=RoomRow.calendar_version + 1)
_RAISE_CLIENT = update(ClientRow).where(ClientRow.id == _WHO).values(calendar_version=ClientRow.calendar_version + 1)
_CLIENTS_OF = select(CourseClientRow.client_id).where(CourseClientRow.course_id.in_(_COURSES))
_ROOMS_OF = select(StandingRow.room_id).where(StandingRow.course_id.in_(_COURSES), StandingRow.room_id.is_not(None))


@dataclass(kw_only=True)
class _Changed:
    therapists: set[int] = field(default_factory=set)
    rooms: set[int] = field(default_factory=set)
    courses: set[int] = field(default_factory=set)


def note(
    session: Session,
    *,
    therapists: Iterable[int] = (),
    rooms: Iterable[int | None] = (),
    courses: Iterable[int] = (),
) -> None:
    """Inner ids of those whose calendar is another one after this transaction.

    A course stands for its clients, and for the rooms that its standings have or had.
    """
    changed: _Changed = session.info.setdefault(_NOTED, _Changed())
    changed.therapists.update(therapists)
    changed.rooms.update(room for room in rooms if room is not None)
    changed.courses.update(courses)


def count(session: Session) -> None:
    """Raise the numbers of all that was noted. The last that a transaction does, since others wait for it from here on.

    In one order, always: two transactions that raise two numbers in different orders would wait for each other.
    """
    changed: _Changed | None = session.info.pop(_NOTED, None)
    if changed is None:
        return
    session.flush()
    clients: set[int] = set()
    courses = sorted(changed.courses)
    for start in range(0, len(courses), 500):
        some = {"courses": courses[start : start + 500]}
        clients.update(session.connection().execute(_CLIENTS_OF, some).scalars())
        rooms = session.connection().execute(_ROOMS_OF, some).scalars()
        changed.rooms.update(room for room in rooms if room is not None)
    for statement, whose in (
        (_RAISE_THERAPIST, changed.therapists),
        (_RAISE_ROOM, changed.rooms),
        (_RAISE_CLIENT, clients),
    ):
        for who in sorted(whose):
            # One by one: within a single statement the order is the database's own.
            session.connection().execute(statement, {"who": who})
