"""One answer, whoever asks: the store, a course file through the command, and the same file through the JSON door."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from service.commands.assess import assess as assess_command
from service.commands.demo_clinic import invent
from service.domain.access import OPERATOR, Role
from service.domain.course import Course
from service.domain.hours import LocalTime, local_time
from service.domain.limits import Limits
from service.domain.signals import assess
from service.files import course_file
from service.usecases import courses, demo, overrides, people
from service.usecases.demo import Clinic

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def stored(app: "Flask") -> list[tuple[Course, LocalTime]]:
    """Every course of a demo clinic as the store has it, with what the clinic and a therapist agreed otherwise."""
    clinic = invent(therapists=3, weeks=20, seed=2, horizon=timedelta(weeks=10), now=NOW)
    with app.app_context():
        ids = demo.fill(clinic=clinic, by=OPERATOR, now=NOW)
        _agree_otherwise(clinic)
        found = [courses.show(course=one, by=OPERATOR, now=NOW).course for one in ids]
    return [(one, local_time(NOW, one.zone)) for one in found]


def _agree_otherwise(clinic: Clinic) -> None:
    until = NOW.date() + timedelta(days=30)
    overrides.set(values={"churn_any": 4, "gap_watch": 1.6}, reason="agreed", until=until, by=OPERATOR, now=NOW)
    whose = clinic.therapists[0].id
    sensitive: dict[str, float | str] = {"preset": "breaks_sensitive", "gap_watch": 1.7}
    overrides.set(values=sensitive, reason="asked for", until=until, therapist=whose, by=OPERATOR, now=NOW)


def test_each_course_of_the_demo_has_the_same_answer_from_its_file(stored: list[tuple[Course, LocalTime]]) -> None:
    lines = "\n".join(json.dumps(course_file.write(course, now)) for course, now in stored)
    answered = CliRunner().invoke(assess_command, ["--lines", "-"], input=lines)
    assert answered.exit_code == 0, answered.output
    answers = [json.loads(line) for line in answered.output.splitlines()]
    assert len(answers) == len(stored) > 50
    said = set()
    for (course, now), answer in zip(stored, answers, strict=True):
        kept = course_file.answer(assess(course, limits=Limits(), now=now))
        assert answer == json.loads(json.dumps(kept))
        said |= {signal["id"] for signal in answer["signals"]}
    assert len(said) > 15
    assert any(course.layers for course, _ in stored)


def test_a_course_is_read_back_to_the_microsecond(stored: list[tuple[Course, LocalTime]]) -> None:
    told = NOW.replace(tzinfo=None, microsecond=250)
    for course, now in stored[::5]:
        some = tuple(replace(one, told_at=told) for one in course.appointments)
        read = course_file.parse(json.dumps(course_file.write(replace(course, appointments=some), now)))
        assert {one.told_at for one in read.course.appointments} == {told}


def test_a_file_at_the_json_door_is_answered_as_by_the_command(
    app: "Flask", stored: list[tuple[Course, LocalTime]]
) -> None:
    with app.app_context():
        user = people.add_user(name="Desk", email="d@clinic.example", roles=[Role.FRONT_DESK], by=OPERATOR, now=NOW)
        _, secret = people.add_token(user=user, name="tests", may_write=True, days=300, by=OPERATOR, now=NOW)
    client = app.test_client()
    for course, now in stored[::6]:
        data = json.dumps(course_file.write(course, now))
        by_command = CliRunner().invoke(assess_command, ["-"], input=data)
        by_door = client.post(
            "/api/v1/assess", data=data, content_type="application/json", headers={"Authorization": f"Bearer {secret}"}
        )
        assert (by_door.status_code, by_command.exit_code) == (200, 0), by_door.text
        assert by_door.json == json.loads(by_command.output)
    refused = client.post(
        "/api/v1/assess", data="{}", content_type="application/json", headers={"Authorization": f"Bearer {secret}"}
    )
    by_command = CliRunner().invoke(assess_command, ["-"], input="{}")
    assert (refused.status_code, by_command.exit_code) == (422, 2)
    assert json.loads(refused.text)["detail"].rstrip(".") in by_command.output
