"""Exceptions from the rules: who may agree one, what holds where several do, and that those they touch are seen to."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from service.domain.access import OPERATOR
from service.domain.limits import CannotSetLimits
from service.domain.refusals import Forbidden, Malformed, NotFound
from service.store.base import db
from service.usecases import alerts, consistency, courses, outbox, overrides
from tests.alarms import AlarmClinic, alarm_clinic

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
TODAY = date(2026, 3, 18)
LATER = date(2026, 9, 1)


@pytest.fixture
def clinic(app: "Flask") -> Iterator[AlarmClinic]:
    """Without Ada's next hour, 14 days lie between two sessions: twice the usual, watch."""
    with app.app_context():
        found = alarm_clinic(now=NOW)
        found.cancel(0, now=NOW)
        for course in (found.course, found.other_course):
            consistency.assess(course=course, now=NOW)
        yield found


def gap(clinic: AlarmClinic, now: datetime = NOW) -> list[str]:
    """The levels of the course's gap alerts, looked at now."""
    consistency.assess(course=clinic.course, now=now)
    return [one.level.value for one in alerts.of_course(course=clinic.course, by=OPERATOR, now=now)]


def test_the_narrowest_holds_and_ends_on_its_day(clinic: AlarmClinic) -> None:
    def agree(value: float, until: date = LATER, **whose: str) -> None:
        values = {"gap_watch": value}
        overrides.set(values=values, reason="a reason", until=until, by=clinic.manager, now=NOW, **whose)

    assert gap(clinic) == ["watch"]
    agree(2.2)
    assert gap(clinic) == []
    agree(1.5, therapist=clinic.ada)
    assert gap(clinic) == ["watch"]
    agree(2.1, until=TODAY + timedelta(days=2), course=clinic.course)
    assert gap(clinic) == []
    # Once the course's own has ended, the therapist's holds again: it was never lost under it.
    assert gap(clinic, NOW + timedelta(days=2)) == ["watch"]
    names = [(one.scope.value, one.value, one.is_in_force) for one in listed(clinic, NOW + timedelta(days=2))]
    assert names == [("clinic", 2.2, True), ("therapist", 1.5, True), ("course", 2.1, False)]


def listed(clinic: AlarmClinic, now: datetime = NOW) -> list[overrides.Agreed]:
    return overrides.listed(course=clinic.course, by=clinic.as_ada, now=now)


def test_a_preset_of_the_course_stands_above_the_clinics_number(clinic: AlarmClinic) -> None:
    agreed = {"reason": "a reason", "until": LATER, "by": clinic.manager, "now": NOW}
    overrides.set(values={"announce_days": 10.0}, **agreed)  # type: ignore[arg-type]
    overrides.set(values={"preset": "breaks_sensitive"}, course=clinic.course, **agreed)  # type: ignore[arg-type]
    shown = courses.show(course=clinic.course, by=clinic.as_ada, now=NOW)
    assert [dict(layer).keys() for layer in shown.course.layers] == [{"announce_days"}]
    assert shown.course.overrides["preset"].author == "manager"


def test_a_whole_number_may_be_set(clinic: AlarmClinic) -> None:
    overrides.set(values={"churn_n": 8.0}, reason="a reason", until=LATER, by=clinic.manager, now=NOW)
    assert gap(clinic) == ["watch"]


def test_it_is_shown_on_the_alert_with_author_and_reason_and_leaves_the_house_without(clinic: AlarmClinic) -> None:
    values: dict[str, float | str] = {"gap_watch": 1.6}
    overrides.set(
        values=values, reason="Client One asked", until=LATER, course=clinic.course, by=clinic.as_ada, now=NOW
    )
    consistency.assess(course=clinic.course, now=NOW)
    [alert] = alerts.of_course(course=clinic.course, by=clinic.as_ada, now=NOW)
    assert str(alert.agreed["gap_watch"]) == "1.6 until 31 Aug 2026 (ada): Client One asked"
    assert str(alert.agreed_openly["gap_watch"]) == "1.6 until 31 Aug 2026 (ada)"
    with db.engine.connect() as connection:
        kept = [
            str(row)
            for table in ("overrides", "alerts", "assessments", "audit")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert not [row for row in kept if "Client One" in row]


def test_who_may_agree_one(clinic: AlarmClinic) -> None:
    def agree(by: object, **whose: str) -> None:
        overrides.set(values={"churn": "off"}, reason="a reason", until=LATER, by=by, now=NOW, **whose)  # type: ignore[arg-type]

    agree(clinic.as_ada, course=clinic.course)
    agree(clinic.manager, course=clinic.course)
    with pytest.raises(NotFound):
        agree(clinic.as_ben, course=clinic.course)
    for by in (clinic.desk, clinic.reader):
        with pytest.raises(Forbidden):
            agree(by, course=clinic.course)
    for whose in ({}, {"therapist": clinic.ada}):
        agree(clinic.manager, **whose)
        with pytest.raises(Forbidden):
            agree(clinic.as_ada, **whose)
    with pytest.raises(Malformed):
        agree(clinic.manager, course=clinic.course, therapist=clinic.ada)
    with pytest.raises(NotFound):
        agree(clinic.manager, therapist=clinic.course)
    [own] = [one for one in listed(clinic) if one.course]
    for by, refusal in ((clinic.as_ben, NotFound), (clinic.desk, Forbidden)):
        with pytest.raises(refusal):
            overrides.lift(override=own.id, by=by, now=NOW)
    with pytest.raises(NotFound):
        overrides.listed(course=clinic.course, by=clinic.as_ben, now=NOW)
    with pytest.raises(NotFound):
        overrides.listed(therapist=clinic.ada, by=clinic.as_ben, now=NOW)
    with pytest.raises(Forbidden):
        overrides.listed(by=clinic.desk, now=NOW)
    with pytest.raises(Forbidden):
        overrides.of_therapists(by=clinic.as_ada, now=NOW)
    assert [one.therapist_name for one in overrides.of_therapists(by=clinic.manager, now=NOW)] == ["Therapist Ada"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"values": {}}, "values"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"until": TODAY}, "until"),
        ({"values": {"gap_wait": 2.0}}, "gap_wait"),
        ({"values": {"points_missed": 90}}, "points_missed"),
        ({"values": {"gap_watch": "soon"}}, "gap_watch"),
        ({"values": {"gap_watch": 2.6}}, "gap_watch"),
        ({"values": {"preset": "strict"}}, "preset"),
        ({"values": {"churn": "louder"}}, "churn"),
    ],
)
def test_what_makes_no_sense_is_refused(clinic: AlarmClinic, changes: dict[str, object], where: str) -> None:
    asked = {"values": {"gap_watch": 2.0}, "reason": "a reason", "until": LATER, **changes}
    with pytest.raises(Malformed) as refused:
        overrides.set(course=clinic.course, by=clinic.manager, now=NOW, **asked)  # type: ignore[arg-type]
    assert refused.value.where == where
    assert listed(clinic) == []


def test_steps_are_checked_across_layers_and_over_time(clinic: AlarmClinic) -> None:
    agreed = {"reason": "a reason", "by": clinic.manager, "now": NOW}
    overrides.set(values={"gap_watch": 2.4}, until=LATER, course=clinic.course, **agreed)  # type: ignore[arg-type]
    with pytest.raises(CannotSetLimits):
        overrides.set(values={"gap_act": 2.0}, until=LATER, **agreed)  # type: ignore[arg-type]
    # Both together are fine, as long as both last.
    both = {"gap_watch": 3.0, "gap_act": 4.0}
    overrides.set(values=both, until=LATER, course=clinic.course, **agreed)  # type: ignore[arg-type]
    with pytest.raises(CannotSetLimits, match="1 May 2026"):
        overrides.set(values={"gap_act": 4.0}, until=date(2026, 5, 1), course=clinic.course, **agreed)  # type: ignore[arg-type]
    act = next(one for one in listed(clinic) if one.name == "gap_act")
    assert act.until == LATER
    with pytest.raises(overrides.CannotLift):
        overrides.lift(override=act.id, by=clinic.manager, now=NOW)
    assert {one.name for one in listed(clinic)} == set(both)


def test_what_no_longer_fits_after_a_transfer_gives_way(clinic: AlarmClinic) -> None:
    agreed = {"reason": "a reason", "until": LATER, "by": clinic.manager, "now": NOW}
    overrides.set(values={"gap_watch": 2.4}, course=clinic.course, **agreed)  # type: ignore[arg-type]
    overrides.set(values={"gap_act": 2.0, "gap_watch": 1.8}, therapist=clinic.ben, **agreed)  # type: ignore[arg-type]
    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE courses SET therapist_id = (SELECT id FROM therapists WHERE public_id = :ben)"),
            {"ben": clinic.ben},
        )
    assert gap(clinic) == []


def test_the_one_touched_is_called_at_once_and_many_by_the_sweep(clinic: AlarmClinic) -> None:
    def calls() -> list[str]:
        return [one.id for one in outbox.listed(by=OPERATOR, now=NOW) if one.topic == "assess.course"]

    before, agreed = calls(), {"reason": "a reason", "until": LATER, "by": clinic.manager, "now": NOW}
    overrides.set(values={"gap_watch": 2.0}, course=clinic.course, **agreed)  # type: ignore[arg-type]
    assert len(calls()) == len(before) + 1
    assert consistency.due_courses(now=NOW) == []

    overrides.set(values={"gap_watch": 2.0}, therapist=clinic.ben, **agreed)  # type: ignore[arg-type]
    assert consistency.due_courses(now=NOW) == [clinic.other_course]
    overrides.set(values={"gap_watch": 2.0}, **agreed)  # type: ignore[arg-type]
    assert set(consistency.due_courses(now=NOW)) == {clinic.course, clinic.other_course}
    assert len(calls()) == len(before) + 1


def test_set_again_it_is_replaced_and_lifted_it_is_gone(clinic: AlarmClinic) -> None:
    for value in (2.0, 2.2):
        values: dict[str, float | str] = {"gap_watch": value}
        overrides.set(values=values, reason="a reason", until=LATER, course=clinic.course, by=clinic.as_ada, now=NOW)
    [one] = listed(clinic)
    assert (one.value, one.author, one.reason, one.is_in_force) == (2.2, "ada", "a reason", True)
    assert gap(clinic) == []
    overrides.lift(override=one.id, by=replace(clinic.as_ada), now=NOW)
    assert listed(clinic) == []
    assert gap(clinic) == ["watch"]
    with db.engine.connect() as connection:
        done = connection.execute(text("SELECT action FROM audit WHERE action LIKE '%override' ORDER BY id")).scalars()
        assert list(done) == ["set_override", "set_override", "lift_override"]
