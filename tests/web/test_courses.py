"""The pages about a course, its alerts, and the clinic's people: what each reader sees and may do there."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.usecases import absences, alerts, appointments, consistency, courses, people, standings
from tests.clinic import Clinic
from tests.web.conftest import Reader

if TYPE_CHECKING:
    from flask import Flask


def test_a_course_shows_what_was_agreed_and_what_happened(reader: Callable[[Role], Reader], clinic: Clinic) -> None:
    page = reader(Role.THERAPIST).get(f"/courses/{clinic.courses[0]}").text
    assert "Client One" in page
    assert "Mon 10:00" in page
    assert '<figure class="strip">' in page
    assert "schedule consistency" in page


def test_the_desk_sees_hours_and_no_signals(reader: Callable[[Role], Reader], clinic: Clinic) -> None:
    page = reader(Role.FRONT_DESK).get(f"/courses/{clinic.courses[0]}").text
    assert "Mon 10:00" in page
    assert "What the calendar shows" not in page
    assert "schedule consistency" not in page


def test_a_foreign_course_does_not_exist(reader: Callable[[Role], Reader], clinic: Clinic) -> None:
    therapist = reader(Role.THERAPIST)
    assert therapist.get(f"/courses/{clinic.courses[3]}").status_code == 404
    assert therapist.get(f"/courses/{clinic.courses[3]}/strip").status_code == 404
    assert (
        therapist.post(f"/courses/{clinic.courses[3]}/pause", since="2030-01-07", until="2030-01-14").status_code == 404
    )


def test_a_therapist_lists_their_own_courses(reader: Callable[[Role], Reader], clinic: Clinic) -> None:
    page = reader(Role.THERAPIST).get("/courses").text
    assert [f"/courses/{course}" in page for course in clinic.courses] == [True] * 3 + [False] * 3


def test_pause_resume_and_end(app: "Flask", reader: Callable[[Role], Reader], clinic: Clinic, now: datetime) -> None:
    therapist, course = reader(Role.THERAPIST), clinic.courses[0]
    since, until = clinic.monday + timedelta(weeks=2), clinic.monday + timedelta(weeks=5)
    paused = therapist.post(
        f"/courses/{course}/pause", since=since.isoformat(), until=until.isoformat(), keeps_hour="yes", is_told="yes"
    )
    assert (paused.status_code, paused.location) == (303, f"/courses/{course}")
    assert _booked(app, clinic, since, until) == 0
    back = since + timedelta(weeks=1)
    assert therapist.post(f"/courses/{course}/resume", on=back.isoformat()).status_code == 303
    assert _booked(app, clinic, since, until) == 2
    version = _version(app, course, now)
    ended = therapist.post(f"/courses/{course}/end", on=until.isoformat(), ending="planned", version=version)
    assert ended.status_code == 303
    assert _booked(app, clinic, until, until + timedelta(weeks=20)) == 0
    assert "has ended" in therapist.get(f"/courses/{course}").text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"on": "soon", "ending": "planned"}, "That is not a date."),
        ({"on": "2030-01-01", "ending": "happy"}, "none of the choices"),
        ({"on": "9999-01-01", "ending": "planned"}, "too far away"),
    ],
)
def test_bad_input_is_said_and_changes_nothing(
    app: "Flask", reader: Callable[[Role], Reader], clinic: Clinic, now: datetime, form: dict[str, str], words: str
) -> None:
    before = _version(app, clinic.courses[0], now)
    answer = reader(Role.THERAPIST).post(f"/courses/{clinic.courses[0]}/end", **form)
    assert answer.status_code == 422
    assert words in answer.text.replace("&#39;", "'")
    assert _version(app, clinic.courses[0], now) == before


def test_an_alert_is_acknowledged_snoozed_and_opened_again(
    app: "Flask", reader: Callable[[Role], Reader], clinic: Clinic, now: datetime
) -> None:
    alert = _alert(app, clinic, now)
    therapist = reader(Role.THERAPIST)
    page = therapist.get("/alerts").text
    assert f"/alerts/{alert}/acknowledge" in page
    assert "leave" in page
    assert therapist.post(f"/alerts/{alert}/acknowledge").status_code == 303
    assert f"/alerts/{alert}/acknowledge" not in therapist.get("/alerts").text
    assert "acknowledged by" in therapist.get("/alerts?all=yes").text
    assert therapist.post(f"/alerts/{alert}/reopen").status_code == 303
    tomorrow = (clinic.monday + timedelta(weeks=2)).isoformat()
    assert therapist.post(f"/alerts/{alert}/snooze", until=tomorrow, reason="").status_code == 422
    assert therapist.post(f"/alerts/{alert}/snooze", until=tomorrow, reason="they know").status_code == 303
    assert "snoozed" in therapist.get("/alerts?all=yes").text
    assert therapist.post(f"/alerts/{alert}/judge", verdict="useful").status_code == 303


def test_the_desk_gets_no_alerts(app: "Flask", reader: Callable[[Role], Reader], clinic: Clinic, now: datetime) -> None:
    alert = _alert(app, clinic, now)
    desk = reader(Role.FRONT_DESK)
    assert desk.get("/alerts").status_code == 403
    assert desk.post(f"/alerts/{alert}/acknowledge").status_code == 403


def test_an_admin_sets_the_clinic_up(app: "Flask", reader: Callable[[Role], Reader], clinic: Clinic) -> None:
    admin = reader(Role.ADMIN)
    assert admin.post("/people/sites", name="Hill", zone="America/New_York", country="us").status_code == 303
    assert admin.post("/people/rooms", name="Attic", site=clinic.site).status_code == 303
    week = {"begins-MO": "09:00", "ends-MO": "17:00"}
    assert admin.post("/people/therapists", name="Therapist C", site=clinic.site, **week).status_code == 303
    assert admin.post("/people/users", name="Sam", email="sam@clinic.example", roles="front_desk").status_code == 303
    page = admin.get("/people").text
    for word in ("Hill", "Attic", "Therapist C", "sam@clinic.example"):
        assert word in page
    with app.app_context():
        sam = next(one for one in people.users(by=OPERATOR) if one.email == "sam@clinic.example")
    assert "/sign-in/" in admin.post(f"/people/users/{sam.id}/link").text
    assert "It is shown this once" in admin.post("/people/tokens", user=sam.id, name="Board", days="30").text
    assert admin.post(f"/people/users/{sam.id}/disable").status_code == 303


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("/people/sites", {"name": "", "zone": "Europe/Berlin"}, "1 to 120 printable"),
        ("/people/sites", {"name": "Moon", "zone": "Moon/Base"}, "no time zone"),
        ("/people/rooms", {"name": "Room 1", "site": "nowhere"}, "no such site"),
        ("/people/users", {"name": "Kim", "email": "kim", "roles": "front_desk"}, "not an e-mail"),
        ("/people/users", {"name": "Kim", "email": "kim@clinic.example", "roles": "king"}, "none of the choices"),
    ],
)
def test_what_makes_no_sense_is_not_set_up(
    reader: Callable[[Role], Reader], path: str, form: dict[str, str], words: str
) -> None:
    answer = reader(Role.ADMIN).post(path, **form)
    assert answer.status_code in {404, 422}
    assert words in answer.text


def test_a_manager_sets_places_up_and_no_users(reader: Callable[[Role], Reader], clinic: Clinic) -> None:
    manager = reader(Role.MANAGER)
    assert "API tokens" not in manager.get("/people").text
    assert manager.post("/people/users", name="Kim", email="kim@clinic.example", roles="admin").status_code == 403


def _booked(app: "Flask", clinic: Clinic, since: date, until: date) -> int:
    with app.app_context():
        found = appointments.board(since=since, until=until, by=OPERATOR)
    return sum(clinic.clients[0] in one.clients and one.status == "scheduled" for one in found)


def _version(app: "Flask", course: str, now: datetime) -> int:
    with app.app_context():
        return courses.show(course=course, by=OPERATOR, now=now).version


def _alert(app: "Flask", clinic: Clinic, now: datetime) -> str:
    """Leave within a week that nobody was told of."""
    with app.app_context():
        begins = datetime.combine(clinic.monday + timedelta(weeks=1), time())
        absences.add(
            kind=AbsenceKind.LEAVE,
            therapist=clinic.therapists[0],
            since=begins,
            until=begins + timedelta(days=7),
            by=OPERATOR,
            now=now,
        )
        assert standings.of_course(course=clinic.courses[0], by=OPERATOR)
        consistency.assess(course=clinic.courses[0], now=now)
        return alerts.of_course(course=clinic.courses[0], by=OPERATOR, now=now)[0].id
