"""`samehour timezones`, with two real releases of the time-zone data that differ.

The older one, in a process of its own, books a clinic; this one finds it an hour off, and puts it right.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url, select, text

from service.commands import timezones as command
from service.commands.doctor import doctor
from service.commands.init import init
from service.domain.access import OPERATOR
from service.domain.appointment import Initiator, Mark, Place
from service.domain.event import event_of
from service.domain.hours import TZDATA_VERSION, LocalTime, instant, local_time, release_name
from service.domain.refusals import Refusal
from service.domain.standing import Modality
from service.store import bookings, timezones
from service.store.appointments import AppointmentRow
from service.store.base import db
from service.usecases import appointments, courses, standings
from service.usecases import doctor as examiner
from service.usecases import timezones as use_cases
from tests.conftest import ENGINES, variables
from tests.older_law import BERLIN, CASABLANCA, NOW, OLD, OLD_NAME, VANCOUVER, OldClinic, body_of, make_clinic
from tests.servers import PostgreSQL

if TYPE_CHECKING:
    from flask import Flask

HERE = release_name(TZDATA_VERSION)
WINTER = datetime(2026, 12, 1, 10)
"""A Tuesday in December, at ten: 18:00 in UTC by the old law of Vancouver, 17:00 by the new one."""
NO_NETS = {
    "sqlite": ["DROP TRIGGER occupancies_no_overlap_insert", "DROP TRIGGER occupancies_no_overlap_update"],
    "postgresql": ["ALTER TABLE occupancies DROP CONSTRAINT occupancies_no_overlap"],
}


@dataclass(frozen=True, kw_only=True)
class Template:
    url: str
    clinic: OldClinic


@pytest.fixture(scope="module", params=ENGINES)
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A database as the older release left it, to copy from."""
    folder = tmp_path_factory.mktemp("older")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'samehour.sqlite'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.url(server.create())
    return Template(url=url, clinic=make_clinic(variables(url, folder)))


@pytest.fixture
def clinic(template: Template) -> OldClinic:
    return template.clinic


@pytest.fixture
def database_url(template: Template, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A copy of what the older release left."""
    if template.url.startswith("sqlite"):
        shutil.copyfile(template.url.removeprefix("sqlite:///"), tmp_path / "samehour.sqlite")
        yield f"sqlite:///{tmp_path / 'samehour.sqlite'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = server.create(template=make_url(template.url).database)
    yield server.url(name)
    server.drop(name)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.clock.now", lambda: NOW)


def ask(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(command.timezones, arguments, env=environment)


def rows(app: "Flask") -> dict[str, dict[str, Any]]:
    """Every hour as it is written down, by public id."""
    with app.app_context():
        found = db.session.execute(select(AppointmentRow.__table__).order_by(AppointmentRow.id)).mappings()
        return {row["public_id"]: dict(row) for row in found}


def wrong_hours(app: "Flask", *, zone: str | None = None) -> list[str]:
    """Public ids of the hours to come that are not where their local time says, worked out here."""
    return [
        public_id
        for public_id, row in rows(app).items()
        if row["starts_at"] > NOW and instant(row["starts"], row["zone"]) != row["starts_at"]
        if zone in {None, row["zone"]}
    ]


def findings(app: "Flask") -> dict[str, int]:
    with app.app_context():
        return {one.rule: one.count for one in examiner.examine(by=OPERATOR, now=NOW).findings}


def hour_at(app: "Flask", starts: LocalTime, course: str) -> appointments.Booked:
    with app.app_context():
        found = appointments.board(since=starts.date(), until=starts.date() + timedelta(days=1), by=OPERATOR)
    return next(one for one in found if one.starts == starts and one.course == course)


def book_with_new_data(app: "Flask", clinic: OldClinic, starts: LocalTime, *, minutes: int = 60) -> str:
    """One more hour, booked after the update and before anybody ran `apply`; its public id."""
    with app.app_context():
        course = courses.open(
            clients_in=[clinic.spare_client], therapist=clinic.therapists[VANCOUVER], by=OPERATOR, now=NOW
        )
        place = Place(
            starts=starts,
            minutes=minutes,
            therapist=clinic.therapists[VANCOUVER],
            room=clinic.rooms[VANCOUVER],
            modality=Modality.IN_PERSON,
        )
        return appointments.book(course=course, place=place, by=OPERATOR, now=NOW).id


# --- what is wrong without it


def test_control_without_apply_the_doctor_names_every_hour_that_the_law_moved(
    app: "Flask", clinic: OldClinic, environment: dict[str, str]
) -> None:
    """68 Tuesdays' hours of a Vancouver winter and 80 of Casablanca are an hour off; those of Berlin are not."""
    assert {row["tzdata"] for row in rows(app).values()} == {OLD}
    assert (len(wrong_hours(app, zone=VANCOUVER)), len(wrong_hours(app, zone=CASABLANCA))) == (68, 80)
    assert not wrong_hours(app, zone=BERLIN)
    assert findings(app) == {"times.outdated": 148, "times.release": 1}
    told = CliRunner().invoke(doctor, env=environment)
    assert told.exit_code == 1
    assert f"Times are derived with {OLD_NAME}, this program has {HERE}: run `samehour timezones check`." in told.stdout


def test_check_says_what_shifts_and_changes_nothing(
    app: "Flask", clinic: OldClinic, environment: dict[str, str]
) -> None:
    before = rows(app)
    told = ask(environment, "check")
    assert told.exit_code == command.SOMETHING_TO_DO
    assert f"Times are derived with {OLD_NAME}, this program has {HERE}." in told.stdout
    assert (
        "Vancouver: 68 hours 1 h earlier in UTC, from 2026-11-03 09:00 to 2027-02-23 14:00 on the wall." in told.stdout
    )
    assert (
        "Casablanca: 80 hours 1 h later in UTC, from 2026-09-22 09:00 to 2027-02-02 14:00 on the wall." in told.stdout
    )
    assert "Berlin" not in told.stdout
    assert "clash" not in told.stdout
    assert rows(app) == before


# --- putting it right


def test_apply_puts_every_hour_to_come_at_its_wall_time_and_leaves_what_was(
    app: "Flask", clinic: OldClinic, environment: dict[str, str]
) -> None:
    before = rows(app)
    told = ask(environment, "apply")
    assert (told.exit_code, told.stdout) == (
        0,
        f"148 hours put where {HERE} says.\nEvery hour to come is where it belongs.\n",
    )
    after = rows(app)
    for public_id, row in after.items():
        was = before[public_id]
        assert (row["starts"], row["zone"], row["minutes"]) == (was["starts"], was["zone"], was["minutes"])
        if was["starts_at"] <= NOW:
            assert row == was  # what has been stays as it was
        else:
            assert row["starts_at"] == instant(row["starts"], row["zone"])
            assert row["tzdata"] == TZDATA_VERSION
    moved = {public_id for public_id, row in after.items() if row["version"] > before[public_id]["version"]}
    assert moved == {
        public_id for public_id, row in after.items() if row["starts_at"] != before[public_id]["starts_at"]
    }
    assert len(moved) == 148
    assert findings(app) == {}
    again, nothing = ask(environment, "apply"), ask(environment, "check")
    assert again.stdout.startswith("0 hours put")
    assert (again.exit_code, nothing.exit_code) == (0, 0)
    assert rows(app) == after


def test_each_moved_hour_is_on_record_and_its_course_is_looked_at_again(
    app: "Flask", clinic: OldClinic, environment: dict[str, str]
) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE outbox SET state = 'done'"))
        db.session.commit()
    ask(environment, "apply")
    with app.app_context():
        on_record = db.session.execute(
            text("SELECT subject_kind, count(*) FROM audit WHERE action = 'retime' GROUP BY subject_kind")
        ).all()
        asked = db.session.execute(
            text("SELECT DISTINCT payload ->> 'course' FROM outbox WHERE topic = 'assess.course' AND state = 'pending'")
        ).scalars()
        courses_moved = {*clinic.courses[VANCOUVER], *clinic.courses[CASABLANCA]}
        assert set(asked) == courses_moved
    assert dict(map(tuple, on_record)) == {"appointment": 148, "course": 8}
    told = {kind: event_of(kind, "retime") for kind in ("appointment", "course")}
    assert told == {"appointment": None, "course": "course.retimed"}, "one event for each course"


def test_feeds_show_the_new_law_with_higher_numbers_and_only_where_it_changed(
    app: "Flask", clinic: OldClinic, environment: dict[str, str]
) -> None:
    ask(environment, "apply")
    for zone in (VANCOUVER, CASABLANCA):
        old, new = clinic.bodies[zone], body_of(app, clinic.feeds[zone])
        assert _zone_block(old) != _zone_block(new)
        before, after = _numbers(old), _numbers(new)
        assert before.keys() == after.keys()
        assert all(after[uid][0] > before[uid][0] and after[uid][1] >= before[uid][1] for uid in after)
        assert [_december(body, zone) for body in (old, new)] == [_OLD_OFFSETS[zone], _offset(zone)]
    assert body_of(app, clinic.feeds[BERLIN]) == clinic.bodies[BERLIN]


_OLD_OFFSETS = {VANCOUVER: timedelta(hours=-8), CASABLANCA: timedelta(hours=1)}


def _offset(zone: str) -> timedelta:
    return WINTER.replace(tzinfo=UTC) - instant(WINTER, zone)


def _december(body: str, zone: str) -> timedelta | None:
    """The distance to UTC by what the feed itself says of the zone, whatever the reader's own data."""
    [said] = [one for one in icalendar.Calendar.from_ical(body).walk("VTIMEZONE") if one["TZID"] == zone]
    return WINTER.replace(tzinfo=said.to_tz(lookup_tzid=False)).utcoffset()


def _zone_block(body: str) -> str:
    return body[body.index("BEGIN:VTIMEZONE") : body.index("BEGIN:VEVENT")]


def _numbers(body: str) -> dict[str, tuple[int, Any]]:
    events = icalendar.Calendar.from_ical(body).walk("VEVENT")
    return {str(one["UID"]): (one["SEQUENCE"], one["DTSTAMP"].dt) for one in events}


def test_apply_moves_no_hour_that_was_held_and_marking_one_later_moves_it_neither(
    app: "Flask", clinic: OldClinic, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The update came late: a December hour has been, an hour off in UTC. Marked afterwards, it stays where it was."""
    later = datetime(2026, 12, 2, 12, tzinfo=UTC)
    monkeypatch.setattr("service.clock.now", lambda: later)
    held = hour_at(app, WINTER, clinic.courses[VANCOUVER][1])
    ask(environment, "apply")
    with app.app_context():
        appointments.mark(appointment_id=held.id, mark=Mark.HELD, by=OPERATOR, now=later)
        found = {one.rule for one in examiner.examine(by=OPERATOR, now=later).findings}
    assert rows(app)[held.id]["starts_at"] == held.starts_at == datetime(2026, 12, 1, 18, tzinfo=UTC)
    assert not found
    assert hour_at(app, WINTER, clinic.courses[VANCOUVER][1]).ends == WINTER + timedelta(hours=1)  # on the wall
    assert not [one for one in wrong_hours(app) if rows(app)[one]["starts_at"] > later]


# --- clashes


def test_hours_that_clash_stay_and_are_named_until_one_is_moved(
    app: "Flask", clinic: OldClinic, environment: dict[str, str]
) -> None:
    """Booked after the update at ten, where by the old law nobody seemed to be: the ten o'clock can't come there, and
    the eleven o'clock can't come to where the ten o'clock stays."""
    with app.app_context():
        nine = hour_at(app, WINTER.replace(hour=9), clinic.courses[VANCOUVER][0])
        appointments.cancel(appointment_id=nine.id, asked_by=Initiator.CLIENT, reason="illness", by=OPERATOR, now=NOW)
    new = book_with_new_data(app, clinic, WINTER)
    ten = hour_at(app, WINTER, clinic.courses[VANCOUVER][1])
    eleven = hour_at(app, WINTER.replace(hour=11), clinic.courses[VANCOUVER][2])

    checked = ask(environment, "check")
    assert checked.exit_code == command.CLASHES
    assert "2 clashes; move one of each two by hand:" in checked.stdout  # of the therapist and of the room
    assert (
        "Therapist 0 would be held twice: by 2026-12-01 10:00 America/Vancouver for 60 minutes with Therapist 0 "
        f"(appointment {ten.id}) and by 2026-12-01 10:00 America/Vancouver for 60 minutes with Therapist 0 "
        f"(appointment {new})."
    ) in checked.stdout or f"(appointment {new}) and by" in checked.stdout
    assert "The room Room 0 would be held twice" in checked.stdout

    applied = ask(environment, "apply")
    assert applied.exit_code == command.CLASHES
    assert applied.stdout.startswith(f"146 hours put where {HERE} says.\n2 hours left where {OLD_NAME} had put them.\n")
    assert ten.id in applied.stdout
    assert sorted(wrong_hours(app)) == sorted([ten.id, eleven.id])
    assert findings(app) == {"times.outdated": 2, "times.release": 1}
    again = ask(environment, "apply")
    assert (again.exit_code, again.stdout.split()[0]) == (command.CLASHES, "0")

    with app.app_context():
        to = appointments.Destination(starts=WINTER.replace(hour=16))
        appointments.move(appointment_id=new, to=to, asked_by=Initiator.CLINIC, reason="room", by=OPERATOR, now=NOW)
    last = ask(environment, "apply")
    assert (last.exit_code, last.stdout.split("\n")[0]) == (0, f"2 hours put where {HERE} says.")
    assert findings(app) == {}


def test_a_clash_of_the_two_zones_of_one_room_is_never_settled_silently(
    app: "Flask", clinic: OldClinic, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with both guards off, the same run puts one hour over the other, and the doctor sees it."""
    nine = hour_at(app, WINTER.replace(hour=9), clinic.courses[VANCOUVER][0])
    with app.app_context():
        appointments.cancel(appointment_id=nine.id, asked_by=Initiator.CLIENT, reason="illness", by=OPERATOR, now=NOW)
    book_with_new_data(app, clinic, WINTER)
    with app.app_context():
        for statement in NO_NETS[db.engine.dialect.name]:
            db.session.execute(text(statement))
        db.session.commit()
    monkeypatch.setattr(bookings, "_in_the_way_of", lambda *_: set())
    ask(environment, "apply")
    assert {"double.occupancies", "double.appointments", "nets"} <= findings(app).keys()


# --- stopped, and among others


def test_stopped_half_way_it_leaves_whole_hours_and_goes_on(
    app: "Flask", clinic: OldClinic, environment: dict[str, str]
) -> None:
    """Killed for good, while it writes, at a moment of its own in each of three rounds."""
    program = (
        "import service.clock, service.commands.timezones as it\n"
        "from tests.older_law import NOW\n"
        "service.clock.now = lambda: NOW\n"
        "it.AT_ONCE = 2\n"
        "it.timezones(['apply'])\n"
    )
    left = len(wrong_hours(app))
    for seed in range(3):
        running = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, **environment, "PYTHONPATH": str(Path.cwd())},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wanted = left - Random(seed).randrange(5, 40)
        while len(wrong_hours(app)) > wanted and running.poll() is None:
            pass
        running.send_signal(signal.SIGKILL)
        running.wait()
        left = len(wrong_hours(app))
        assert 0 < left <= wanted
        assert findings(app) == {"times.outdated": left, "times.release": 1}
    told = ask(environment, "apply")
    assert (told.exit_code, told.stdout.split()[0]) == (0, str(left))
    assert findings(app) == {}


def test_people_go_on_booking_and_moving_meanwhile(
    app: "Flask", clinic: OldClinic, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is ever held twice; what then clashes is named, and nothing else is wrong."""
    monkeypatch.setattr(command, "AT_ONCE", 4)
    ending, done = threading.Event(), []

    def desk(seed: int) -> None:
        chance = Random(seed)
        with app.app_context():
            mine = appointments.board(since=date(2026, 10, 1), until=date(2027, 2, 1), by=OPERATOR)
        while not ending.is_set():
            hour = chance.choice(mine)
            to = hour.starts.replace(hour=chance.randrange(8, 18)) + timedelta(days=chance.choice((0, 0, 1)))
            try:
                with app.app_context():
                    appointments.move(
                        appointment_id=hour.id,
                        to=appointments.Destination(starts=to),
                        asked_by=Initiator.CLIENT,
                        reason="work",
                        override="it suits",
                        by=OPERATOR,
                        now=NOW,
                    )
                done.append(hour.id)
            except Refusal:
                continue

    desks = [threading.Thread(target=desk, args=(seed,)) for seed in range(2)]
    for one in desks:
        one.start()
    told = ask(environment, "apply")
    ending.set()
    for one in desks:
        one.join()
    assert done
    assert told.exit_code in {0, command.CLASHES}
    found = findings(app)
    assert found.keys() <= {"times.outdated", "times.release"}
    assert found.get("times.outdated", 0) == len(wrong_hours(app))


# --- around it


def test_whoever_runs_the_clinic_is_told_until_it_is_done(
    app: "Flask", clinic: OldClinic, environment: dict[str, str]
) -> None:
    sentence = f"Times are derived with {OLD_NAME}, this program has {HERE}: run `samehour timezones check`."
    client = app.test_client()
    assert client.get("/readyz").json["notes"] == [sentence]
    told = CliRunner().invoke(init, env=environment)
    assert f"{sentence} 148 hours to come shift." in told.stdout
    ask(environment, "apply")
    assert "notes" not in client.get("/readyz").json
    assert "Times" not in CliRunner().invoke(init, env=environment).stdout


def test_a_release_that_moves_no_hour_is_noted_by_init_alone(app: "Flask", environment: dict[str, str]) -> None:
    with app.app_context():
        ids = db.session.scalars(select(AppointmentRow.id).where(AppointmentRow.zone != BERLIN)).all()
        db.session.execute(text("DELETE FROM occupancies"))
        db.session.execute(text("DELETE FROM client_hours"))
        for one in ids:
            db.session.execute(text("DELETE FROM appointments WHERE id = :id"), {"id": one})
        db.session.commit()
    told = CliRunner().invoke(init, env=environment)
    assert "Times" not in told.stdout
    with app.app_context():
        assert timezones.derived_with(db.session()) == TZDATA_VERSION
    assert {row["tzdata"] for row in rows(app).values() if row["starts_at"] > NOW} == {TZDATA_VERSION}


def test_no_hour_is_booked_further_ahead_until_the_others_stand_where_they_belong(
    app: "Flask", clinic: OldClinic, environment: dict[str, str]
) -> None:
    """Else an hour that still stands an hour off seems to be in the way, and the new one is written down as lost."""
    later = NOW + timedelta(weeks=8)
    with app.app_context():
        assert standings.to_extend(now=later) == []
    ask(environment, "apply")
    with app.app_context():
        assert len(standings.to_extend(now=later)) == 12


def test_what_waits_for_a_local_time_is_shifted_once(
    app: "Flask", clinic: OldClinic, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reminder on its way, an alert that is quiet until a morning, a message to a person, and the next look."""
    eve = datetime(2026, 11, 30, 17, tzinfo=UTC)
    monkeypatch.setattr("service.clock.now", lambda: eve)
    hour = hour_at(app, WINTER, clinic.courses[VANCOUVER][1])
    morning = datetime(2026, 12, 5, 8, tzinfo=UTC)  # midnight in Vancouver by the old law
    with app.app_context():
        _plant_what_waits(hour, morning)
    for _ in range(2):
        assert ask(environment, "apply").exit_code == 0
    with app.app_context():
        one = db.session.execute
        assert local_time(instant(datetime(2026, 12, 5), VANCOUVER), VANCOUVER) == datetime(2026, 12, 5)
        hour_off = timedelta(hours=1)
        snoozed = one(text("SELECT snoozed_until FROM alerts")).scalar_one()
        assert _utc(snoozed) == morning - hour_off
        payload = one(text("SELECT payload FROM outbox WHERE topic = 'client.reminder'")).scalar_one()
        assert _json(payload)["starts"] == (hour.starts_at - hour_off).isoformat()
        reminded = one(text("SELECT reminded_of FROM client_hours")).scalar_one()
        assert _utc(reminded) == hour.starts_at - hour_off
        pushed = one(text("SELECT not_before FROM outbox WHERE topic = 'notice.mail'")).scalar_one()
        assert _utc(pushed) == datetime(2026, 12, 1, 15, tzinfo=UTC) - hour_off
        due = one(text("SELECT due_at FROM assessments")).scalar_one()
        assert _utc(due) == eve


def _plant_what_waits(hour: appointments.Booked, morning: datetime) -> None:
    from service.store import client_mail, outbox
    from service.store.alerts import AlertRow, AssessmentRow
    from service.store.clients import ClientRow
    from service.store.courses import CourseRow
    from service.store.people import TherapistRow, UserRow

    session = db.session
    row = session.scalars(select(AppointmentRow).where(AppointmentRow.public_id == hour.id)).one()
    client = session.scalars(select(ClientRow)).first()
    user = session.scalars(select(UserRow)).one()
    therapist = session.scalars(select(TherapistRow).where(TherapistRow.public_id == hour.therapist)).one()
    course = session.scalars(select(CourseRow).where(CourseRow.public_id == hour.course)).one()
    assert client is not None
    user.therapist_id = therapist.id
    known = client_mail.ClientHourRow(appointment_id=row.id, client_id=client.id, uid=row.feed_uid, raised=0)
    known.take_over(client_mail.shown(row))
    known.reminded_of = row.starts_at
    session.add(known)
    alert = {"rule": "due", "episode": "e", "signal": "due", "level": "watch", "is_clinic_caused": False, "detail": {}}
    session.add(
        AlertRow(course_id=course.id, state="snoozed", snoozed_until=morning, opened_at=NOW, changed_at=NOW, **alert)
    )
    session.add(AssessmentRow(course_id=course.id, assessed_at=NOW, due_at=morning, index={}, signals=[], metrics={}))
    payload = {"client": client.public_id, "course": hour.course, "appointment": hour.id}
    at_seven = datetime(2026, 12, 1, 15, tzinfo=UTC)
    outbox.add(
        session, "client.reminder", {**payload, "starts": row.starts_at.isoformat()}, not_before=at_seven, now=NOW
    )
    outbox.add(session, "notice.mail", {"user": user.public_id}, not_before=at_seven, now=NOW)
    session.commit()


def _utc(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def test_use_cases_are_for_those_who_run_the_clinic(app: "Flask") -> None:
    from service.domain.access import Actor, Role
    from service.domain.refusals import Forbidden

    desk = Actor(name="Desk", roles=frozenset({Role.FRONT_DESK, Role.MANAGER}))
    with app.app_context():
        for ask_for in (
            lambda: use_cases.look(by=desk, now=NOW),
            lambda: use_cases.begin(shifts=(), soon={}, by=desk, now=NOW),
            lambda: use_cases.move(hours=(1,), by=desk, now=NOW),
            lambda: use_cases.note_unchanged(hours=(1,), by=desk),
            lambda: use_cases.finish(by=desk, now=NOW),
        ):
            with pytest.raises(Forbidden):
                ask_for()
