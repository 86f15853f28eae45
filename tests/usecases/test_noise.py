"""Twelve days as they happen, and how many messages each may cost: written down first, then lived through.

A day is played by the minute: what people do, then everything the worker and the sweeper would carry out until the
next morning. A message is a push or a digest that left for one person.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Actor
from service.domain.appointment import Initiator, Mark
from service.domain.hours import Hour, Weekday, instant
from service.domain.standing import Modality
from service.domain.telling import Preferences
from service.store import notices as notice_rows
from service.store import outbox as rows
from service.store.base import db
from service.usecases import absences, alerts, appointments, clients, consistency, notices, outbox, standings, telling
from tests.alarms import ZONE, AlarmClinic, alarm_clinic

if TYPE_CHECKING:
    from flask import Flask

MORNING = datetime(2026, 3, 18, 10)
"""A Wednesday at ten, as Ada's clock has it."""
GRACE = timedelta(minutes=3)


@dataclass(kw_only=True)
class Play:
    """The clinic, the hour, and what left so far as (address, kind)."""

    clinic: AlarmClinic
    at: datetime = MORNING
    left: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def now(self) -> datetime:
        return instant(self.at, ZONE)

    def wait_until(self, at: datetime) -> None:
        """Let time pass: the worker at once, the sweeper at the full quarter, and whenever something falls due."""
        self.carry()
        while self.at < at:
            quarter = self.at.replace(minute=self.at.minute // 15 * 15, second=0) + timedelta(minutes=15)
            self.at = min(at, quarter, *self.next_due())
            consistency.call_due(now=self.now)
            notices.call_digests(now=self.now)
            notices.pass_on(grace=GRACE, now=self.now)
            self.carry()

    def wait(self, **given: int) -> None:
        self.wait_until(self.at + timedelta(**given))

    def carry(self) -> None:
        while due := outbox.due(now=self.now):
            for message in due:
                taken = outbox.take(message=message, now=self.now)
                if taken is None:
                    continue
                if taken.letter is not None:
                    self.left[taken.letter.to.partition("@")[0], type(taken.letter).__name__] += 1
                else:
                    consistency.assess(course=taken.payload["course"], grace=GRACE, now=self.now)
                outbox.done(message=message, attempt=taken.attempt, now=self.now)

    def next_due(self) -> list[datetime]:
        waiting = [one.not_before for one in outbox.listed(states=("pending",), by=OPERATOR, now=self.now)]
        later = [one for one in waiting if one > self.now]
        return [self.at + (min(later) - self.now)] if later else []

    def cancel(self, *weeks: int, by: Actor = OPERATOR, course: str | None = None) -> None:
        for week in weeks:
            appointments.cancel(
                appointment_id=self.clinic.hour(week, course=course).id,
                asked_by=Initiator.CLIENT,
                reason="travel",
                is_told=False,
                by=by,
                now=self.now,
            )

    def take_up(self, *weeks: int) -> None:
        self.clinic.take_up(*weeks, now=self.now)

    def more_courses(self, count: int) -> list[str]:
        """That many more of Ada's clients, each six weeks into a weekly hour; the next is in three days or a little
        more."""
        found = []
        for n in range(count):
            day = self.clinic.next + timedelta(days=n // 8)
            proposal = standings.Proposal(
                therapist=self.clinic.ada,
                room=None,
                modality=Modality.VIDEO,
                hours=(Hour(day=Weekday.of(day), at=time(11 + n % 8)),),
                since=day - timedelta(weeks=6),
            )
            client = clients.add(name=f"Client More {n}", by=OPERATOR, now=self.now)
            agreed = standings.agree(
                client=client, proposal=proposal, horizon=timedelta(weeks=6), by=OPERATOR, now=self.now
            )
            found.append(agreed.course)
        for one in appointments.board(since=self.clinic.next - timedelta(weeks=7), until=self.at.date(), by=OPERATOR):
            if one.course in found:
                appointments.mark(appointment_id=one.id, mark=Mark.HELD, by=OPERATOR, now=self.now)
        self.carry()
        self.left.clear()
        return found


def a_quiet_day(_play: Play) -> None:
    """Nobody changes anything."""


def a_move_undone_at_once(play: Play) -> None:
    play.cancel(0, 1)
    play.wait(minutes=2)
    play.take_up(0, 1)


def a_gap_that_needs_somebody(play: Play) -> None:
    play.cancel(0, 1)


def therapist_ill_for_forty(play: Play) -> None:
    """From tomorrow: the desk enters it, and the clinic cancels forty hours in a quarter of an hour."""
    play.more_courses(39)
    ill = datetime.combine(play.clinic.next, time()), datetime.combine(play.clinic.next + timedelta(days=5), time())
    absence = absences.add(
        kind=AbsenceKind.LEAVE, since=ill[0], until=ill[1], therapist=play.clinic.ada, by=OPERATOR, now=play.now
    )
    touched = absences.touched(absence=absence, by=OPERATOR)
    for number, hour in enumerate([hour for one in touched for hour in one.still_booked]):
        appointments.cancel(
            appointment_id=hour,
            asked_by=Initiator.CLINIC,
            reason="illness",
            is_told=True,
            by=OPERATOR,
            now=play.now,
        )
        if number % 4 == 3:
            play.wait(minutes=1)


def her_own_doing(play: Play) -> None:
    play.cancel(0, 1, by=play.clinic.as_ada)


def something_to_look_at(play: Play) -> None:
    play.cancel(0)


def five_in_an_afternoon(play: Play) -> None:
    courses = [play.clinic.course, *play.more_courses(4)]
    for course in courses:
        play.cancel(0, 1, course=course)
        play.wait(minutes=40)


def it_gets_worse(play: Play) -> None:
    play.cancel(0)
    play.wait(hours=2)
    play.cancel(1)
    play.wait(hours=2)


def late_at_night(play: Play) -> None:
    play.wait_until(play.at.replace(hour=22))
    play.cancel(0, 1)


def answered_at_once(play: Play) -> None:
    play.cancel(0, 1)
    play.wait(minutes=1)
    [alert] = alerts.listed(by=play.clinic.as_ada, now=play.now)
    alerts.acknowledge(alert=alert.id, by=play.clinic.as_ada, now=play.now)


def to_and_fro(play: Play) -> None:
    """Cancelled, taken up and cancelled again, an hour apart."""
    for _ in range(3):
        play.cancel(0, 1)
        play.wait(hours=1)
        play.take_up(0, 1)
        play.wait(minutes=30)


def away_with_a_deputy(play: Play) -> None:
    deputy = replace(Preferences(), away_until=MORNING + timedelta(days=5), deputy=play.clinic.as_ben.user)
    notices.prefer(preferences=deputy, by=play.clinic.as_ada, now=play.now)
    play.cancel(0, 1)


EXPECTED: list[tuple[Callable[[Play], None], dict[tuple[str, str], int]]] = [
    (a_quiet_day, {}),
    (a_move_undone_at_once, {}),
    (a_gap_that_needs_somebody, {("ada", "Push"): 1}),
    (therapist_ill_for_forty, {("ada", "Push"): 1, ("manager", "Push"): 1}),
    (her_own_doing, {("ada", "Digest"): 1}),
    (something_to_look_at, {("ada", "Digest"): 1}),
    (five_in_an_afternoon, {("ada", "Push"): 3, ("ada", "Digest"): 1}),
    (it_gets_worse, {("ada", "Push"): 1}),
    (late_at_night, {("ada", "Push"): 1}),
    (answered_at_once, {}),
    (to_and_fro, {("ada", "Push"): 1}),
    (away_with_a_deputy, {("ben", "Push"): 1}),
]


@pytest.fixture
def play(app: "Flask") -> Iterator[Play]:
    with app.app_context():
        playing = Play(clinic=alarm_clinic(now=instant(MORNING, ZONE)))
        notices.call_digests(now=playing.now)
        playing.carry()
        assert not playing.left
        yield playing


@pytest.mark.parametrize(("day", "expected"), EXPECTED, ids=[day.__name__ for day, _ in EXPECTED])
def test_a_day_costs_as_many_messages_as_it_should(
    play: Play, day: Callable[[Play], None], expected: dict[tuple[str, str], int]
) -> None:
    day(play)
    play.wait_until(MORNING + timedelta(hours=22))
    assert dict(play.left) == expected


def test_nobody_answers_over_a_weekend_and_the_manager_hears_of_it_once(play: Play) -> None:
    """Cancelled on Friday at noon: two working days later it is Tuesday noon."""
    play.wait_until(datetime(2026, 3, 20, 12))
    play.cancel(0, 1)
    play.wait_until(datetime(2026, 3, 24, 11, 50))
    assert play.left["manager", "Push"] == 0
    play.wait_until(datetime(2026, 3, 26, 10))
    assert play.left["manager", "Push"] == 1


def test_control_with_each_guard_off_the_same_days_shout(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every notice at once, as a message of its own, whoever did it."""
    monkeypatch.setattr(consistency, "_whose_doing", lambda _db, _heard: frozenset())

    def push_at_once(_db: object, user: telling.UserRow, _of: Preferences, *, now: datetime, **_given: object) -> None:
        rows.add(db.session(), telling.PUSH, {"user": user.public_id}, now=now)

    gathered = notice_rows.untold
    monkeypatch.setattr(telling, "push", push_at_once)
    monkeypatch.setattr(notice_rows, "untold", lambda *given, **more: gathered(*given, **more)[:1])
    therapist_ill_for_forty(play)
    play.wait_until(MORNING + timedelta(hours=22))
    assert sum(play.left.values()) > 20


def test_the_days_are_those_of_the_calendar() -> None:
    assert len(EXPECTED) == 12
    assert MORNING.replace(tzinfo=UTC).strftime("%A") == "Wednesday"
