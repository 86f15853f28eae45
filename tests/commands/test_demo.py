"""The invented clinic: sound, the same twice, never over something else, and with an example of each signal."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from service.commands.demo import demo
from service.commands.demo_clinic import SHOWN_BY, invent
from service.domain.absences import Absence
from service.domain.access import OPERATOR, Role
from service.domain.course import Course, Override
from service.domain.hours import local_time
from service.domain.limits import RULES, Limits
from service.domain.signals import assess
from service.usecases import alerts, courses, doctor, people
from service.usecases.demo import Away, Clinic, History

if TYPE_CHECKING:
    from flask import Flask

HORIZON = timedelta(weeks=26)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def clinic_at(now: datetime, *, therapists: int = 12, seed: int = 1) -> Clinic:
    return invent(therapists=therapists, weeks=40, seed=seed, horizon=HORIZON, now=now)


def course_of(history: History, clinic: Clinic) -> Course:
    """As the store would load it."""
    return Course(
        zone=clinic.zone,
        status=history.status,
        standings=history.standings,
        appointments=tuple(entry.value for entry in history.entries),
        absences=tuple(_told(away, history) for away in clinic.absences if _concerns(away, history)),
        same_room=history.same_room,
        overrides={
            one.name: Override(value=one.value, reason=one.reason, until=one.until) for one in history.deviations
        },
        ending=history.ending,
    )


def _concerns(away: Away, history: History) -> bool:
    if away.course is not None:
        return away.course == history.id
    return away.value.therapist in {None, history.therapist}


def _told(away: Away, history: History) -> Absence:
    value = away.value
    told = away.told.get(history.id)
    return Absence(kind=value.kind, since=value.since, until=value.until, therapist=value.therapist, told_at=told)


@pytest.mark.parametrize("day", range(7))
def test_every_signal_has_an_example_on_any_day_of_the_week(day: int) -> None:
    now = NOW + timedelta(days=day * 8, hours=day)
    clinic = clinic_at(now, seed=day)
    local = local_time(now, clinic.zone)
    assessed = (assess(course_of(history, clinic), limits=Limits(), now=local) for history in clinic.courses)
    seen = {signal.id for one in assessed for signal in one.signals}
    assert set(SHOWN_BY) - seen == set()
    assert set(SHOWN_BY) == set(RULES)


def test_the_same_seed_and_day_make_the_same_clinic_and_another_seed_another() -> None:
    first, again, other = (clinic_at(NOW, therapists=3, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert [history.standings[:1] for history in first.courses] != [history.standings[:1] for history in other.courses]


def test_the_usual_size_is_as_it_is_described() -> None:
    clinic = clinic_at(NOW)
    assert (len(clinic.therapists), len(clinic.rooms), len(clinic.courses)) == (12, 8, 260)
    guests = [guest for history in clinic.courses for guest in history.clients]
    assert len({guest.name for guest in guests}) == len(guests) >= 260
    assert all(guest.email is None or guest.email.endswith("@example.org") for guest in guests)
    assert 9_000 < sum(len(history.entries) for history in clinic.courses) < 14_000


def test_a_filled_demo_is_sound_and_left_alone_the_second_time(app: "Flask", environment: dict[str, str]) -> None:
    first = CliRunner().invoke(demo, ["--therapists", "3", "--weeks", "16"], env=environment)
    assert first.exit_code == 0, first.output
    assert first.output.startswith("Made a clinic of 3 therapists, 65 courses")
    later = datetime.now(tz=UTC)
    with app.app_context():
        assert doctor.examine(by=OPERATOR, now=later).findings == ()
        found = people.users(by=OPERATOR)
        assert {role for user in found for role in user.roles} == set(Role)
        assert all(user.email.endswith("@example.org") for user in found)
        assert sum(user.therapist is not None for user in found) == 3
        lines = courses.listed(by=OPERATOR, now=later)
        assert {line.status for line in lines} >= {"active", "ended"}
        assert alerts.listed(by=OPERATOR, now=later)
    again = CliRunner().invoke(demo, [], env=environment)
    assert (again.exit_code, "it was left as it is" in again.output) == (0, True)
    with app.app_context():
        assert courses.listed(by=OPERATOR, now=later) == lines
