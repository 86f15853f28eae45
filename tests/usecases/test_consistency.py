"""What an assessment does: alerts that open once, rise, clear by themselves, and notices that are written once."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from service.domain.absences import AbsenceKind
from service.domain.access import CLOCK, OPERATOR
from service.domain.alert import AlertState
from service.domain.course import Ending
from service.domain.refusals import Forbidden
from service.domain.signals import Level
from service.usecases import absences, alerts, consistency, courses, outbox, telling
from tests.alarms import AlarmClinic, alarm_clinic

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
GRACE = timedelta(minutes=3)


@pytest.fixture
def clinic(app: "Flask") -> Iterator[AlarmClinic]:
    with app.app_context():
        found = alarm_clinic(now=NOW)
        assess(found, NOW)
        yield found


def assess(clinic: AlarmClinic, now: datetime) -> consistency.Assessed:
    return consistency.assess(course=clinic.course, grace=GRACE, now=now)


def notices(now: datetime, *states: str) -> list[outbox.Message]:
    found = outbox.listed(states=states or ("pending",), by=OPERATOR, now=now)
    return [one for one in found if one.topic == telling.PUSH]


def standing(now: datetime) -> list[alerts.Alert]:
    return alerts.listed(by=CLOCK, now=now)


def test_a_quiet_course_opens_nothing_and_says_when_to_look_again(clinic: AlarmClinic) -> None:
    found = assess(clinic, NOW)

    assert (found.opened, found.cleared, found.notices) == ((), (), 0)
    assert found.due_at is not None
    assert found.due_at > NOW


def test_a_gap_opens_one_alert_that_says_what_why_and_what_to_do(clinic: AlarmClinic) -> None:
    clinic.cancel(0, 1, now=NOW)

    found = assess(clinic, NOW)

    [alert] = standing(NOW)
    assert found.opened == (alert.id,)
    assert (alert.signal, alert.level, alert.state) == ("gap.ahead", Level.ACT, AlertState.OPEN)
    assert "21 days" in str(alert.text)
    assert len(alert.causes) == 2
    assert alert.actions
    assert alert.clears
    assert alert.value["rho"] == 3.0
    assert alert.threshold == {"watch": 1.5, "act": 2.5}
    assert alert.initials == "CO"


def test_the_therapist_alone_is_told_once_after_the_grace(clinic: AlarmClinic) -> None:
    clinic.cancel(0, 1, now=NOW)

    assess(clinic, NOW)
    for minutes in (0, 1, 60, 60 * 30):
        assess(clinic, NOW + timedelta(minutes=minutes))

    [notice] = notices(NOW)
    assert notice.not_before == NOW + GRACE


def test_what_the_clinic_caused_is_told_to_the_managers_too(clinic: AlarmClinic) -> None:
    leave = datetime.combine(clinic.next, time()), datetime.combine(clinic.next + timedelta(days=5), time())
    absences.add(kind=AbsenceKind.LEAVE, since=leave[0], until=leave[1], therapist=clinic.ada, by=OPERATOR, now=NOW)

    found = assess(clinic, NOW)

    by_signal = {one.signal: one for one in standing(NOW)}
    assert by_signal["break.unannounced"].is_clinic_caused
    # The gap is told to Ada, the untold leave to Ada and the manager; each hears of all in one message.
    assert found.notices == 3
    assert len(notices(NOW)) == 2


def test_undone_within_the_grace_it_clears_and_tells_nobody(clinic: AlarmClinic) -> None:
    clinic.cancel(0, 1, now=NOW)
    assess(clinic, NOW)

    clinic.take_up(0, 1, now=NOW + timedelta(minutes=1))
    found = assess(clinic, NOW + timedelta(minutes=1))

    assert len(found.cleared) == 1
    assert standing(NOW) == []
    deliver_all(NOW + GRACE)
    assert notices(NOW) == []
    assert len(notices(NOW, "superseded")) == 1


def test_what_was_undone_unheard_is_news_when_it_comes_back(clinic: AlarmClinic) -> None:
    clinic.cancel(0, 1, now=NOW)
    assess(clinic, NOW)
    clinic.take_up(0, 1, now=NOW)
    assess(clinic, NOW + timedelta(minutes=1))

    clinic.cancel(0, 1, now=NOW)
    again = assess(clinic, NOW + timedelta(minutes=2))

    assert len(again.opened) == 1
    assert again.notices == 1


def test_what_was_heard_is_not_told_again_within_a_day_of_clearing(clinic: AlarmClinic) -> None:
    clinic.cancel(0, 1, now=NOW)
    assess(clinic, NOW)
    deliver_all(NOW + GRACE)
    clinic.take_up(0, 1, now=NOW)
    assess(clinic, NOW + timedelta(hours=1))

    clinic.cancel(0, 1, now=NOW)
    again = assess(clinic, NOW + timedelta(hours=2))

    assert len(again.opened) == 1
    assert again.notices == 0
    clinic.take_up(0, 1, now=NOW)
    assess(clinic, NOW + timedelta(hours=3))
    clinic.cancel(0, 1, now=NOW)
    assert assess(clinic, NOW + timedelta(hours=28)).notices == 1


def test_what_is_to_be_looked_at_waits_for_the_digest_and_a_higher_level_goes_out(clinic: AlarmClinic) -> None:
    clinic.cancel(0, now=NOW)
    assess(clinic, NOW)
    assert [one.level for one in standing(NOW)] == [Level.WATCH]
    assert notices(NOW) == []

    clinic.cancel(1, now=NOW)
    found = assess(clinic, NOW + timedelta(minutes=1))

    assert found.notices == 1
    assert len(notices(NOW)) == 1
    assert [one.level for one in standing(NOW)] == [Level.ACT]


def test_half_a_cadence_more_is_told_again_and_a_lower_level_is_not(clinic: AlarmClinic) -> None:
    clinic.cancel(0, 1, now=NOW)
    assess(clinic, NOW)
    deliver_all(NOW + GRACE)

    clinic.cancel(2, now=NOW)
    longer = assess(clinic, NOW + timedelta(hours=1))
    assert longer.notices == 1
    deliver_all(NOW + timedelta(hours=2))

    clinic.take_up(1, 2, now=NOW)
    assert assess(clinic, NOW + timedelta(hours=3)).notices == 0
    assert [one.level for one in standing(NOW)] == [Level.WATCH]
    clinic.cancel(1, now=NOW)
    assert assess(clinic, NOW + timedelta(hours=4)).notices == 0


def test_what_was_acknowledged_or_agreed_stays_so_until_it_is_worse(clinic: AlarmClinic) -> None:
    clinic.cancel(0, now=NOW)
    assess(clinic, NOW)
    deliver_all(NOW + GRACE)
    [alert] = standing(NOW)
    alerts.agree(alert=alert.id, reason="summer", by=clinic.as_ada, now=NOW)

    assert assess(clinic, NOW + timedelta(hours=1)).opened == ()
    assert [one.state for one in standing(NOW)] == [AlertState.AGREED]

    clinic.cancel(1, now=NOW)
    worse = assess(clinic, NOW + timedelta(hours=2))
    assert worse.opened == (alert.id,)
    assert worse.notices == 1
    [again] = standing(NOW)
    assert (again.state, again.note) == (AlertState.OPEN, None)


def test_a_snooze_ends_at_its_time_by_the_sweep(clinic: AlarmClinic) -> None:
    clinic.cancel(0, 1, now=NOW)
    assess(clinic, NOW)
    deliver_all(NOW + GRACE)
    [alert] = standing(NOW)
    until = NOW + timedelta(hours=5)
    alerts.snooze(alert=alert.id, until=until, reason="after the holiday", by=clinic.as_ada, now=NOW)

    found = assess(clinic, NOW + timedelta(hours=1))
    assert found.due_at is not None
    assert found.due_at <= until

    woken = assess(clinic, until)
    assert woken.opened == (alert.id,)
    assert woken.notices == 0


def test_ended_courses_have_no_alerts(clinic: AlarmClinic) -> None:
    clinic.cancel(0, 1, now=NOW)
    assess(clinic, NOW)

    today = clinic.next - timedelta(days=3)
    courses.end(course=clinic.course, on=today, ending=Ending.UNPLANNED, by=OPERATOR, now=NOW)
    assess(clinic, NOW)

    assert standing(NOW) == []


def test_an_assessment_settles_all_earlier_calls_for_it(clinic: AlarmClinic) -> None:
    def waiting() -> list[outbox.Message]:
        return [one for one in outbox.listed(by=OPERATOR, now=NOW) if one.topic == "assess.course"]

    clinic.cancel(0, 1, 2, now=NOW)
    before = len(waiting())

    assess(clinic, NOW)

    assert before - len(waiting()) == 3


def test_the_sweep_calls_for_courses_whose_time_has_come_and_only_once(clinic: AlarmClinic) -> None:
    assert consistency.due_courses(now=NOW) == [clinic.other_course]
    assert consistency.call_due(now=NOW) == 1
    assert consistency.call_due(now=NOW) == 0

    later = NOW + timedelta(days=4)
    assert set(consistency.due_courses(now=later)) == {clinic.course, clinic.other_course}
    assert consistency.call_due(now=later) == 1


def test_nobody_but_the_clock_and_managers_assess(clinic: AlarmClinic) -> None:
    with pytest.raises(Forbidden):
        consistency.assess(course=clinic.course, by=clinic.as_ada, now=NOW)


def test_time_alone_turns_a_gap_ahead_into_an_open_one_in_the_same_alert(clinic: AlarmClinic) -> None:
    clinic.cancel(0, 1, 2, now=NOW)
    assess(clinic, NOW)
    [before] = standing(NOW)

    later = NOW + timedelta(days=8)
    assess(clinic, later)

    [after] = [one for one in standing(later) if one.signal.startswith("gap.")]
    assert after.id == before.id
    assert after.since == before.since


def deliver_all(now: datetime) -> None:
    """As the worker does, without sending."""
    for message in outbox.due(now=now):
        taken = outbox.take(message=message, now=now)
        if taken is not None:
            outbox.done(message=message, attempt=taken.attempt, now=now)
