"""Assessing only what was touched or is due leaves on record exactly what a full scan would put there.

Random days of a small clinic: hours are moved, cancelled, taken up and marked, leave is entered, told and withdrawn,
a course rests or gets another hour, exceptions are agreed; and the clock goes on by minutes or by weeks. After each
step the messages written are carried out and what is due is assessed. Then every course is assessed, and nothing may
change: no signal, index, number or alert. What an open gap counts up day by day is no other outcome.

DAYS=200 makes the days longer, SEEDS=50 makes more of them.
"""

import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR
from service.domain.appointment import Initiator, Mark
from service.domain.course import Ending
from service.domain.hours import Hour, Weekday, local_time
from service.domain.refusals import Refusal
from service.store.alerts import AlertRow, AssessmentRow
from service.store.base import db
from service.store.outbox import OutboxRow
from service.usecases import absences, appointments, consistency, courses, overrides, scanning, standings, steps
from tests.usecases.conftest import NOW, Cast

if TYPE_CHECKING:
    from flask import Flask

SEEDS = int(os.environ.get("SEEDS", "2"))
STEPS = int(os.environ.get("DAYS", "22"))
ZONE = "Europe/Berlin"
DAYS = (Weekday.TU, Weekday.WE, Weekday.TH)


class Days:
    """A clinic whose days go by; everything that happens in it is drawn from the dice."""

    def __init__(self, cast: Cast, dice: Random) -> None:
        self.cast, self.dice, self.now = cast, dice, NOW
        self.leaves: list[str] = []
        self.courses: list[str] = []
        for place, day in enumerate(DAYS):
            hour = Hour(day=day, at=datetime(2026, 1, 1, 10 + place).time())
            made = cast.agree(place, hours=(hour,), every_weeks=1 + place // 2)
            self.courses.append(made.course)

    @property
    def today(self) -> date:
        return local_time(self.now, ZONE).date()

    def step(self) -> None:
        """One thing happens, or time passes; what is refused did not happen."""
        acts: list[tuple[int, Callable[[], object]]] = [
            (5, self.time_passes),
            (4, self.mark_what_is_past),
            (3, self.cancel),
            (2, self.move),
            (1, self.take_up),
            (2, self.leave),
            (2, self.tell),
            (1, self.withdraw),
            (1, self.rest),
            (1, self.another_hour),
            (1, self.agree_otherwise),
            (1, self.end),
        ]
        act = self.dice.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
        try:
            act()
        except Refusal:
            return

    def time_passes(self) -> None:
        self.now += self.dice.choice(
            (timedelta(minutes=self.dice.randint(1, 600)), timedelta(days=self.dice.random() * 9))
        )

    def hours(self, back: int, ahead: int) -> list[appointments.Booked]:
        since, until = (self.today + timedelta(days=n) for n in (-back, ahead))
        return appointments.board(since=since, until=until, by=OPERATOR)

    def any_hour(self) -> str:
        return self.dice.choice(self.hours(2, 40)).id

    def mark_what_is_past(self) -> None:
        local = local_time(self.now, ZONE)
        for one in self.hours(30, 1):
            if one.starts < local and one.status == "scheduled":
                mark = self.dice.choice((Mark.HELD,) * 6 + (Mark.NO_SHOW, Mark.LATE_NOT_SEEN))
                appointments.mark(appointment_id=one.id, mark=mark, at=one.starts, by=OPERATOR, now=self.now)

    def cancel(self) -> None:
        appointments.cancel(
            appointment_id=self.any_hour(),
            asked_by=self.dice.choice((Initiator.CLIENT, Initiator.CLINIC)),
            reason="illness",
            is_told=self.dice.random() < 0.7,
            by=OPERATOR,
            now=self.now,
        )

    def move(self) -> None:
        one = self.dice.choice(self.hours(0, 30))
        later = one.starts + timedelta(hours=self.dice.choice((-25, 1, 3, 26, 50, 200)))
        appointments.move(
            appointment_id=one.id,
            to=appointments.Destination(starts=later),
            asked_by=self.dice.choice((Initiator.CLIENT, Initiator.CLINIC)),
            reason="work",
            is_told=self.dice.random() < 0.7,
            override="agreed",
            by=OPERATOR,
            now=self.now,
        )

    def take_up(self) -> None:
        lost = [one for one in self.hours(0, 40) if "cancelled" in one.status]
        if lost:
            one = self.dice.choice(lost)
            appointments.uncancel(appointment_id=one.id, override="agreed", by=OPERATOR, now=self.now)

    def leave(self) -> None:
        since = datetime.combine(self.today + timedelta(days=self.dice.randint(1, 40)), datetime.min.time())
        until = since + timedelta(days=self.dice.randint(1, 20))
        is_asked = self.dice.random() < 0.2
        kind = self.dice.choice((AbsenceKind.LEAVE, AbsenceKind.LEAVE, AbsenceKind.CLOSURE))
        whose: dict[str, Any] = {"therapist": self.cast.ada} if kind is AbsenceKind.LEAVE else {"site": self.cast.site}
        made = absences.add(kind=kind, since=since, until=until, tentative=is_asked, by=OPERATOR, now=self.now, **whose)
        self.leaves.append(made)

    def tell(self) -> None:
        if self.leaves:
            course, told = self.dice.choice(self.courses), self.now - timedelta(hours=self.dice.randint(0, 300))
            away = self.dice.choice(self.leaves)
            absences.tell(absence=away, course=course, told_at=told, by=OPERATOR, now=self.now)

    def withdraw(self) -> None:
        if self.leaves:
            absences.withdraw(absence=self.leaves.pop(), by=OPERATOR, now=self.now)

    def rest(self) -> None:
        since = self.today + timedelta(days=self.dice.randint(1, 20))
        until = since + timedelta(days=self.dice.randint(7, 40))
        course = self.dice.choice(self.courses)
        courses.pause(course=course, since=since, until=until, keeps_hour=True, by=OPERATOR, now=self.now)

    def another_hour(self) -> None:
        one = self.dice.choice(self.hours(0, 20))
        if one.standing:
            at = datetime(2026, 1, 1, self.dice.randint(8, 17)).time()
            standings.change(
                standing=one.standing,
                since=self.today + timedelta(days=self.dice.randint(7, 21)),
                proposal=self.cast.proposal(hours=(Hour(day=self.dice.choice(DAYS), at=at),)),
                asked_by=Initiator.CLIENT,
                reason="work",
                by=OPERATOR,
                now=self.now,
            )

    def agree_otherwise(self) -> None:
        values = self.dice.choice(({"gap_watch": 2.0}, {"churn": "off"}, {"preset": "breaks_sensitive"}))
        until = self.today + timedelta(days=self.dice.randint(2, 60))
        whose: dict[str, Any] = self.dice.choice(({}, {"therapist": self.cast.ada}, {"course": self.courses[0]}))
        overrides.set(values=values, reason="agreed", until=until, by=OPERATOR, now=self.now, **whose)

    def end(self) -> None:
        if self.dice.random() < 0.2:
            ending = self.dice.choice((Ending.PLANNED, Ending.UNPLANNED))
            courses.end(course=self.courses[-1], on=self.today, ending=ending, by=OPERATOR, now=self.now)

    # --- the service's own part

    def carry_out(self) -> None:
        """As the worker and the sweeper do."""
        while due := [*self.messages(), *consistency.due_courses(now=self.now)]:
            for course in dict.fromkeys(due):
                consistency.assess(course=course, now=self.now)

    def messages(self) -> list[str]:
        """Courses that were touched; being assessed carries their messages out."""
        waiting = db.session().query(OutboxRow).filter_by(topic=steps.ASSESS, state="pending")
        touched = [row.payload["course"] for row in waiting]
        db.session.remove()
        return touched


def on_record() -> list[object]:
    """All that an assessment writes, but for when it was and what counts up day by day."""
    session = db.session()
    found: list[object] = []
    for one in session.query(AssessmentRow).order_by(AssessmentRow.course_id):
        said = [[each[key] for key in scanning.COMPARED] for each in one.signals]
        found.append((one.course_id, one.index, one.metrics, said))
    found += [
        (row.course_id, row.rule, row.episode, row.signal, row.level, row.state, row.opened_at)
        for row in session.query(AlertRow).order_by(AlertRow.id)
    ]
    db.session.remove()
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_is_touched_or_due_is_all_that_a_full_scan_would_find(app: "Flask", cast: Cast, seed: int) -> None:
    days = Days(cast, Random(seed))
    days.carry_out()
    for _ in range(STEPS):
        days.step()
        days.carry_out()
        swept = on_record()
        everything = consistency.every_course(by=OPERATOR)
        assert scanning.outdated(courses=everything, by=OPERATOR, now=days.now) == []
        for course in everything:
            found = consistency.assess(course=course, now=days.now)
            assert (found.opened, found.cleared, found.notices) == ((), (), 0)
        assert on_record() == swept
    assert any(isinstance(one, tuple) and len(one) == 7 for one in swept), "nothing was ever told"


def test_control_without_the_sweep_a_full_scan_finds_more(app: "Flask", cast: Cast) -> None:
    days = Days(cast, Random(0))
    days.carry_out()
    before = on_record()
    days.now += timedelta(days=20)
    assert set(scanning.outdated(courses=days.courses, by=OPERATOR, now=days.now)) == set(days.courses)
    for course in days.courses:
        consistency.assess(course=course, now=days.now)
    assert on_record() != before
