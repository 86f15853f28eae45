"""Few notices a day, one alert for one gap while sessions pass, one card for one story, and none for what is agreed."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest

from service.domain.absences import AbsenceKind
from service.domain.access import CLOCK, OPERATOR
from service.domain.alert import AlertState
from service.domain.appointment import Initiator, Mark
from service.domain.hours import Hour, Weekday
from service.domain.standing import Modality
from service.usecases import absences, alerts, appointments, clients, consistency, notices, outbox, standings, telling
from tests.alarms import AlarmClinic, alarm_clinic

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
DAY = timedelta(days=1)
Letter = TypeVar("Letter", telling.Push, telling.Digest)


@pytest.fixture
def clinic(app: "Flask") -> Iterator[AlarmClinic]:
    with app.app_context():
        yield alarm_clinic(now=NOW)


def pushes(now: datetime, *states: str) -> list[outbox.Message]:
    found = outbox.listed(states=states or ("pending",), by=OPERATOR, now=now)
    return [one for one in found if one.topic == telling.PUSH]


def standing_alerts(course: str, now: datetime) -> list[alerts.Alert]:
    return alerts.of_course(course=course, by=CLOCK, now=now)


# --- a few a day


def five_courses(clinic: AlarmClinic) -> list[str]:
    """Ada's own, and four more at the hours after it."""
    found = [clinic.course]
    for n in range(4):
        proposal = standings.Proposal(
            therapist=clinic.ada,
            room=None,
            modality=Modality.VIDEO,
            hours=(Hour(day=Weekday.of(clinic.next), at=time(11 + n)),),
            since=clinic.next - timedelta(weeks=6),
        )
        client = clients.add(name=f"Client More {n}", by=OPERATOR, now=NOW)
        agreed = standings.agree(client=client, proposal=proposal, horizon=timedelta(weeks=8), by=OPERATOR, now=NOW)
        found.append(agreed.course)
    for one in appointments.board(since=clinic.next - timedelta(weeks=6), until=clinic.next, by=OPERATOR):
        if one.course in found[1:]:
            appointments.mark(appointment_id=one.id, mark=Mark.HELD, by=OPERATOR, now=NOW)
    return found


def look_at(courses: list[str], now: datetime) -> int:
    return sum(consistency.assess(course=one, now=now).notices for one in courses)


def test_what_gathers_within_the_grace_is_one_message(clinic: AlarmClinic) -> None:
    courses = five_courses(clinic)
    for course in courses:
        clinic.cancel(0, 1, now=NOW, course=course)
    assert look_at(courses, NOW) == 5

    [push] = pushes(NOW)
    [letter] = delivered(push.not_before, telling.Push)
    assert {one.course for one in letter.alerts} == set(courses)


def test_three_messages_a_day_and_the_rest_waits_for_the_digest(clinic: AlarmClinic) -> None:
    courses = five_courses(clinic)
    look_at(courses, NOW)
    assert one_after_the_other(clinic, courses) == [1, 1, 1, 0, 0]
    assert len(alerts.listed(by=clinic.as_ada, now=NOW)) == 5

    tomorrow = NOW + DAY
    assert notices.call_digests(now=tomorrow) == 3, "for Ada, Ben and the manager"
    assert notices.call_digests(now=tomorrow) == 0
    digests = delivered(tomorrow, telling.Digest)
    assert [len(one.act) for one in digests] == [2]


def test_control_without_the_budget(clinic: AlarmClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "next_push", lambda _of, *, earliest, **_given: earliest)
    courses = five_courses(clinic)
    look_at(courses, NOW)
    assert one_after_the_other(clinic, courses) == [1, 1, 1, 1, 1]


def one_after_the_other(clinic: AlarmClinic, courses: list[str]) -> list[int]:
    """Each course comes to need somebody, half an hour after the one before; the messages that left for each."""
    left = []
    for number, course in enumerate(courses):
        now = NOW + timedelta(minutes=30) * number
        clinic.cancel(0, 1, now=now, course=course)
        look_at([course], now)
        left.append(len(delivered(now + timedelta(minutes=20), telling.Push)))
    return left


def delivered(now: datetime, kind: type[Letter]) -> list[Letter]:
    """What was due has left; the letters of that kind among it."""
    found = []
    for message in outbox.due(now=now):
        taken = outbox.take(message=message, now=now)
        if taken is not None:
            outbox.done(message=message, attempt=taken.attempt, now=now)
            found += [taken.letter] if isinstance(taken.letter, kind) else []
    return found


def deliver_all(now: datetime) -> None:
    for message in outbox.due(now=now):
        taken = outbox.take(message=message, now=now)
        if taken is not None:
            outbox.done(message=message, attempt=taken.attempt, now=now)


# --- one gap, one alert


def weeks_pass(clinic: AlarmClinic) -> tuple[set[str], int]:
    """A gap three weeks ahead, and the sessions before it held: the alerts that there were, and the notices."""
    clinic.cancel(3, 4, now=NOW)
    seen, told = set(), 0
    for week in range(3):
        now = NOW + timedelta(weeks=week)
        told += consistency.assess(course=clinic.course, now=now).notices
        seen |= {one.id for one in standing_alerts(clinic.course, now) if one.signal.startswith("gap.")}
        after = now + timedelta(days=4)
        appointments.mark(appointment_id=clinic.hour(week).id, mark=Mark.HELD, by=OPERATOR, now=after)
    return seen, told


def test_a_gap_ahead_is_one_alert_while_sessions_pass_before_it(clinic: AlarmClinic) -> None:
    seen, told = weeks_pass(clinic)
    assert (len(seen), told) == (1, 1)
    [alert] = seen
    alerts.acknowledge(alert=alert, by=clinic.as_ada, now=NOW + timedelta(weeks=3))
    consistency.assess(course=clinic.course, now=NOW + timedelta(weeks=3))
    [still] = standing_alerts(clinic.course, NOW + timedelta(weeks=3))
    assert (still.id, still.state) == (alert, AlertState.ACKNOWLEDGED)


def test_control_without_carrying_on(clinic: AlarmClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consistency._Telling, "carry_on", staticmethod(lambda _rows, _standing: None))
    seen, told = weeks_pass(clinic)
    assert (len(seen), told) == (3, 3)


# --- one story, one card


def test_moves_and_another_time_are_one_story_with_one_answer(clinic: AlarmClinic) -> None:
    for week in range(3):
        hour = clinic.hour(week)
        to = appointments.Destination(starts=hour.starts + timedelta(days=week + 1, hours=week))
        appointments.move(
            appointment_id=hour.id, to=to, asked_by=Initiator.CLIENT, reason="work", override="ok", by=OPERATOR, now=NOW
        )
        after = NOW + timedelta(weeks=week, days=9)
        appointments.mark(appointment_id=hour.id, mark=Mark.HELD, by=OPERATOR, now=after)
    now = NOW + timedelta(weeks=3)

    found = consistency.assess(course=clinic.course, now=now)

    both = {one.signal: one for one in standing_alerts(clinic.course, now) if not one.signal.startswith("gap.")}
    assert set(both) == {"churn", "slot.irregular"}
    assert found.notices == 1
    alerts.agree(alert=both["slot.irregular"].id, reason="shift work", by=clinic.as_ada, now=now)
    answered = {one.signal: (one.state, one.note) for one in standing_alerts(clinic.course, now)}
    assert answered["churn"] == answered["slot.irregular"] == (AlertState.AGREED, "shift work")
    alerts.reopen(alert=both["churn"].id, by=clinic.as_ada, now=now)
    assert {one.state for one in standing_alerts(clinic.course, now)} == {AlertState.OPEN}


# --- what is known of is no gap


@pytest.mark.parametrize(("is_told", "signals"), [(True, set()), (False, {"gap.ahead"})])
def test_leave_told_in_time_makes_no_gap(clinic: AlarmClinic, is_told: bool, signals: set[str]) -> None:
    since = datetime.combine(clinic.next + timedelta(weeks=4) - DAY, time())
    leave = absences.add(
        kind=AbsenceKind.LEAVE,
        therapist=clinic.ada,
        since=since,
        until=since + timedelta(weeks=2),
        by=OPERATOR,
        now=NOW,
    )
    if is_told:
        absences.tell(absence=leave, course=clinic.course, by=OPERATOR, now=NOW)
    consistency.assess(course=clinic.course, now=NOW)
    assert {one.signal for one in standing_alerts(clinic.course, NOW)} == signals
