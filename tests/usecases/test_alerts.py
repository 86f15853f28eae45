"""Who sees which alert, and what people can do about one."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from service.domain.access import CLOCK, OPERATOR, Actor
from service.domain.alert import AlertState, Verdict
from service.domain.refusals import Forbidden, Malformed, NotFound, Stale
from service.store.base import db
from service.usecases import alerts, consistency
from tests.alarms import AlarmClinic, alarm_clinic

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=2)

Act = Callable[[str, Actor, int | None], alerts.Alert]
ACTS: dict[str, Act] = {
    "acknowledge": lambda alert, by, version: alerts.acknowledge(alert=alert, if_version=version, by=by, now=NOW),
    "snooze": lambda alert, by, version: alerts.snooze(
        alert=alert, until=LATER, reason="holiday", if_version=version, by=by, now=NOW
    ),
    "agree": lambda alert, by, version: alerts.agree(
        alert=alert, reason="agreed for the summer", if_version=version, by=by, now=NOW
    ),
    "reopen": lambda alert, by, version: alerts.reopen(alert=alert, if_version=version, by=by, now=NOW),
    "judge": lambda alert, by, version: alerts.judge(
        alert=alert, verdict=Verdict.USEFUL, if_version=version, by=by, now=NOW
    ),
}


@pytest.fixture
def clinic(app: "Flask") -> Iterator[AlarmClinic]:
    """Ada's course has an alert at act, Ben's one at watch; neither is of the clinic's making."""
    with app.app_context():
        found = alarm_clinic(now=NOW)
        found.cancel(0, 1, now=NOW)
        found.cancel(0, now=NOW, course=found.other_course)
        for course in (found.course, found.other_course):
            consistency.assess(course=course, now=NOW)
        yield found


def one_of(clinic: AlarmClinic, course: str) -> alerts.Alert:
    [found] = alerts.of_course(course=course, by=CLOCK, now=NOW)
    return found


def test_each_sees_their_own_and_managers_what_nobody_answered(clinic: AlarmClinic) -> None:
    def seen(by: Actor) -> list[str]:
        return [one.course for one in alerts.listed(by=by, now=NOW)]

    assert seen(clinic.as_ada) == [clinic.course]
    assert seen(clinic.as_ben) == [clinic.other_course]
    assert seen(clinic.manager) == [clinic.course]
    # Act before watch.
    assert seen(CLOCK) == [clinic.course, clinic.other_course]

    alerts.acknowledge(alert=one_of(clinic, clinic.course).id, by=clinic.as_ada, now=NOW)
    assert seen(clinic.manager) == []
    assert seen(clinic.as_ada) == [clinic.course]


def test_the_desk_sees_none(clinic: AlarmClinic) -> None:
    with pytest.raises(Forbidden):
        alerts.listed(by=clinic.desk, now=NOW)
    with pytest.raises(NotFound):
        alerts.of_course(course=clinic.course, by=clinic.desk, now=NOW)
    with pytest.raises(NotFound):
        alerts.show(alert=one_of(clinic, clinic.course).id, by=clinic.desk, now=NOW)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_somebody_elses_alert_does_not_exist(clinic: AlarmClinic, act: Act) -> None:
    for by in (clinic.as_ben, clinic.desk):
        with pytest.raises(NotFound):
            act(one_of(clinic, clinic.course).id, by, None)
    with pytest.raises(NotFound):
        act(one_of(clinic, clinic.other_course).id, clinic.manager, None)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_a_reader_may_not_change_and_a_stale_reader_is_told(clinic: AlarmClinic, act: Act) -> None:
    alert = one_of(clinic, clinic.course)
    with pytest.raises(Forbidden):
        act(alert.id, clinic.reader, None)
    with pytest.raises(Stale):
        act(alert.id, clinic.as_ada, alert.version + 1)
    assert one_of(clinic, clinic.course) == alert


def test_set_aside_with_a_reason_and_taken_back(clinic: AlarmClinic) -> None:
    alert = one_of(clinic, clinic.course)

    snoozed = alerts.snooze(alert=alert.id, until=LATER, reason=" after Easter ", by=clinic.as_ada, now=NOW)
    assert (snoozed.state, snoozed.note, snoozed.snoozed_until) == (AlertState.SNOOZED, "after Easter", LATER)
    assert (snoozed.acknowledged_by, snoozed.acknowledged_at) == ("ada", NOW)
    assert alerts.listed(state=AlertState.OPEN, by=clinic.as_ada, now=LATER) != []
    assert alerts.listed(state=AlertState.OPEN, by=clinic.as_ada, now=NOW) == []

    agreed = alerts.agree(alert=alert.id, reason="agreed", if_version=snoozed.version, by=clinic.as_ada, now=NOW)
    assert (agreed.state, agreed.snoozed_until) == (AlertState.AGREED, None)

    again = alerts.reopen(alert=alert.id, by=clinic.as_ada, now=NOW)
    assert (again.state, again.note, again.acknowledged_by) == (AlertState.OPEN, None, None)


def test_a_reason_is_needed_and_a_day_to_come(clinic: AlarmClinic) -> None:
    alert = one_of(clinic, clinic.course).id
    for reason in ("", "   ", "x" * 501):
        with pytest.raises(Malformed):
            alerts.agree(alert=alert, reason=reason, by=clinic.as_ada, now=NOW)
        with pytest.raises(Malformed):
            alerts.snooze(alert=alert, until=LATER, reason=reason, by=clinic.as_ada, now=NOW)
    with pytest.raises(Malformed):
        alerts.snooze(alert=alert, until=NOW, reason="now", by=clinic.as_ada, now=NOW)


def test_what_was_handled_counts_as_acknowledged(clinic: AlarmClinic) -> None:
    alert = one_of(clinic, clinic.course).id

    judged = alerts.judge(alert=alert, verdict=Verdict.HANDLED, by=clinic.as_ada, now=NOW)

    assert (judged.verdict, judged.state) == (Verdict.HANDLED, AlertState.ACKNOWLEDGED)


def test_a_cleared_alert_can_be_judged_and_not_set_aside(clinic: AlarmClinic) -> None:
    alert = one_of(clinic, clinic.course).id
    clinic.take_up(0, 1, now=NOW)
    consistency.assess(course=clinic.course, now=NOW)

    with pytest.raises(alerts.CannotSetAside):
        alerts.acknowledge(alert=alert, by=clinic.as_ada, now=NOW)
    assert alerts.judge(alert=alert, verdict=Verdict.USEFUL, by=clinic.as_ada, now=NOW).state is AlertState.CLEARED
    assert alerts.of_course(course=clinic.course, by=clinic.as_ada, now=NOW) == []
    [cleared] = alerts.of_course(course=clinic.course, is_cleared_too=True, by=clinic.as_ada, now=NOW)
    assert cleared.id == alert


def test_every_act_is_audited_and_no_reason_stands_in_the_open(clinic: AlarmClinic) -> None:
    alert = one_of(clinic, clinic.course)
    for act in ACTS.values():
        act(alert.id, clinic.as_ada, None)
    alerts.agree(alert=alert.id, reason="a reason that names Client One", by=clinic.as_ada, now=NOW)

    with db.engine.connect() as connection:
        actions = connection.execute(
            text("SELECT action FROM audit WHERE subject = :alert ORDER BY id"), {"alert": alert.id}
        ).scalars()
        assert list(actions) == ["open", *ACTS, "agree"]
        note = connection.execute(text("SELECT note FROM alerts WHERE public_id = :alert"), {"alert": alert.id})
        assert "Client One" not in note.scalar_one()
    assert alerts.show(alert=alert.id, by=OPERATOR, now=NOW).note == "a reason that names Client One"
