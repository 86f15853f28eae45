"""The doctor finds each fault that raw SQL can plant, and none in a clinic that went through the use-cases."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.orm import Session

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR
from service.domain.appointment import Initiator, Mark
from service.domain.course import Ending
from service.domain.hours import Hour, Weekday
from service.store import examination
from service.usecases import absences, appointments, courses, doctor, people, standings
from tests.usecases.conftest import FIRST, NOW, Cast, cast, tuesday

__all__ = ["cast"]  # the fixture

LATER = NOW + timedelta(days=2)

NO_NETS = {
    "sqlite": "DROP TRIGGER occupancies_no_overlap_insert; DROP TRIGGER occupancies_no_overlap_update",
    "postgresql": "ALTER TABLE occupancies DROP CONSTRAINT occupancies_no_overlap",
}
ANY_SLOT = {
    "sqlite": "DROP INDEX uq_appointments_standing_id_slot",
    "postgresql": "DROP INDEX uq_appointments_standing_id_slot",
}

A_BOOKED = "(SELECT min(id) FROM appointments WHERE status = 'scheduled' AND void_at IS NULL AND room_id IS NOT NULL)"
A_HELD = "(SELECT min(id) FROM appointments WHERE status = 'held')"
ITS_HOLD = f"(SELECT min(id) FROM occupancies WHERE appointment_id = {A_BOOKED})"
COPY_OF_HOLD = f"""INSERT INTO occupancies (kind, who, starts, ends, appointment_id, exempt)
    SELECT kind, who, starts, ends, {A_HELD}, exempt FROM occupancies WHERE id = {ITS_HOLD}"""
STARTS_OF_BOOKED = f"SELECT starts_at FROM appointments WHERE id = {A_BOOKED}"
APPOINTMENT_COLUMNS = """course_id, slot, starts, zone, minutes, starts_at, ends_at, tzdata, therapist_id, room_id,
    modality, status, ending_session, keeps_hour, version, changed_at"""

FAULTS: dict[str, tuple[str, ...]] = {
    "nets": ("NO NETS",),
    "double.occupancies": ("NO NETS", COPY_OF_HOLD),
    "double.appointments": (
        f"""UPDATE appointments SET starts_at = ({STARTS_OF_BOOKED}),
              ends_at = (SELECT ends_at FROM appointments WHERE id = {A_BOOKED}) WHERE id = {A_HELD}""",
    ),
    "occupancies.missing": (f"DELETE FROM occupancies WHERE id = {ITS_HOLD}",),
    "occupancies.stray": (f"UPDATE appointments SET status = 'break', keeps_hour = false WHERE id = {A_BOOKED}",),
    "occupancies.doubled": (
        "NO NETS",
        f"""INSERT INTO occupancies (kind, who, starts, ends, appointment_id, exempt)
            SELECT kind, who, starts, ends, appointment_id, exempt FROM occupancies WHERE id = {ITS_HOLD}""",
    ),
    "series.missing": (
        f"DELETE FROM occupancies WHERE appointment_id = {A_BOOKED}",
        f"DELETE FROM appointments WHERE id = {A_BOOKED}",
    ),
    "series.void": (f"UPDATE appointments SET void_at = changed_at WHERE id = {A_BOOKED}",),
    "series.odd": (f"UPDATE appointments SET slot = starts_at WHERE id = {A_BOOKED}",),
    "series.doubled": (
        "ANY SLOT",
        f"""INSERT INTO appointments (public_id, feed_uid, standing_id, {APPOINTMENT_COLUMNS})
            SELECT 'second', 'second', standing_id, {APPOINTMENT_COLUMNS} FROM appointments WHERE id = {A_BOOKED}""",
    ),
    "history.void": (f"UPDATE appointments SET void_at = changed_at WHERE id = {A_HELD}",),
    "course.after_its_end": (
        f"""UPDATE courses SET ended_on = '2026-03-02'
             WHERE id = (SELECT course_id FROM appointments WHERE id = {A_BOOKED})""",
    ),
    "video.room": (f"UPDATE appointments SET modality = 'video' WHERE id = {A_BOOKED}",),
    "times.derived": (f"UPDATE appointments SET zone = 'Europe/London' WHERE id = {A_BOOKED}",),
    "audit.standing": ("DELETE FROM audit WHERE subject_kind = 'standing'",),
    "audit.appointment": ("DELETE FROM audit WHERE subject_kind = 'appointment'",),
    "audit.absence": ("DELETE FROM audit WHERE subject_kind = 'absence'",),
    "audit.course": ("DELETE FROM audit WHERE subject_kind = 'course'",),
    "audit.pause": ("DELETE FROM audit WHERE action = 'pause'",),
    "audit.client": ("DELETE FROM audit WHERE subject_kind = 'client'",),
    "audit.user": ("DELETE FROM audit WHERE subject_kind = 'user'",),
    "audit.change": ("DELETE FROM audit WHERE action = 'move'",),
    "outbox.missing": ("DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox)",),
    "orphans.appointments.standing_id": ("UPDATE appointments SET standing_id = 999 WHERE standing_id = 1",),
    "orphans.occupancies.appointment_id": ("UPDATE occupancies SET appointment_id = 999 WHERE id = 1",),
    "orphans.courses.therapist_id": ("UPDATE courses SET therapist_id = 999 WHERE id = 1",),
    "course.of_nobody": ("DELETE FROM course_clients WHERE course_id = 1",),
    "appointment.of_another": ("UPDATE standings SET course_id = course_id + 1 WHERE id = 1",),
    "sealed": ("UPDATE clients SET name_sealed = (SELECT max(name_sealed) FROM clients)",),
    "schema.head": ("UPDATE alembic_version SET version_num = 'older'",),
    "schema.tables": ("DROP TABLE heartbeats",),
}
"""By the rule that must find it: what is done to a sound database, with keys between tables not enforced."""


def use_everything(cast: Cast) -> None:
    """Agree, move, change, rest, end, lose, take up again: what a clinic does, and what must leave nothing odd."""
    by, now = cast.desk, NOW
    first = cast.agree(until=FIRST + timedelta(weeks=20))
    second = cast.agree(1, hours=(Hour(day=Weekday.TU, at=time(11)), Hour(day=Weekday.FR, at=time(11))))
    third = cast.agree(2, therapist=cast.ben, room=cast.rooms[1], every_weeks=2)
    appointments.move(
        appointment_id=cast.at(tuesday(1)).id,
        to=appointments.Destination(starts=tuesday(1, time(15)), room=cast.rooms[2]),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=by,
        now=now,
    )
    gone = appointments.cancel(
        appointment_id=cast.at(tuesday(2), course=first.course).id,
        asked_by=Initiator.CLINIC,
        reason="room",
        by=by,
        now=now,
    )
    appointments.uncancel(appointment_id=gone.id, by=by, now=now)
    appointments.book(course=third.course, place=cast.place(tuesday(5, time(16)), therapist=cast.ben), by=by, now=now)
    leave = absences.add(
        kind=AbsenceKind.LEAVE,
        therapist=cast.ada,
        since=tuesday(6, time(0)),
        until=tuesday(8, time(0)),
        by=by,
        now=now,
    )
    absences.release(absence=leave, by=by, now=now)
    courses.pause(
        course=second.course, since=date(2026, 6, 1), until=date(2026, 6, 15), keeps_hour=True, by=by, now=now
    )
    standings.change(
        standing=first.id,
        since=tuesday(10).date(),
        proposal=cast.proposal(hours=(Hour(day=Weekday.TH, at=time(9)),)),
        asked_by=Initiator.CLIENT,
        reason="work",
        by=by,
        now=now,
    )
    courses.end(course=third.course, on=tuesday(12).date(), ending=Ending.PLANNED, by=by, now=now)
    appointments.mark(appointment_id=cast.at(tuesday(), course=first.course).id, mark=Mark.HELD, by=by, now=LATER)
    standings.extend(standing=second.id, now=LATER + timedelta(days=5))
    people.add_user(name="Desk", email="desk@clinic.example", roles=by.roles, by=OPERATOR, now=now)


@contextmanager
def planted(url: str, statements: tuple[str, ...]) -> Iterator[Connection]:
    """A connection that sees the database with the fault in it; nothing of it is kept."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            named = {"NO NETS": NO_NETS, "ANY SLOT": ANY_SLOT}.get(statement, {engine.dialect.name: statement})
            for one in named[engine.dialect.name].split(";"):
                connection.exec_driver_sql(one)
        yield connection
        connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


def found(url: str, *statements: str) -> list[str]:
    with planted(url, statements) as connection, Session(connection) as session:
        return [one.rule for one in examination.examine(session, now=LATER)]


def test_a_sound_clinic_has_no_findings(cast: Cast) -> None:
    use_everything(cast)
    report = doctor.examine(by=OPERATOR, now=LATER)
    assert report.findings == ()
    assert report.counted["appointments"] > 90


def test_each_planted_fault_is_found(cast: Cast, database_url: str) -> None:
    use_everything(cast)
    missed = {rule: seen for rule, how in FAULTS.items() if rule not in (seen := found(database_url, *how))}
    assert missed == {}
    assert found(database_url) == [], "nothing of the faults was kept"


def test_every_check_has_a_fault_that_it_finds() -> None:
    rooms = {rule.split(".")[0] for rule in FAULTS}
    assert rooms >= {
        "nets",
        "double",
        "occupancies",
        "series",
        "history",
        "times",
        "audit",
        "outbox",
        "orphans",
        "sealed",
    }
    assert len(examination.CHECKS) == 11


def test_only_who_looks_after_the_machine_is_told(cast: Cast) -> None:
    with pytest.raises(Exception, match="role"):
        doctor.examine(by=cast.desk, now=NOW)
