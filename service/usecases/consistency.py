"""What the rules say of a course now: written down, made into alerts, and told to whoever should know.

It runs after each change of a course, and again when the passing of time alone could change its outcome.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.domain import access, signals
from service.domain.access import CLOCK, Actor, Role
from service.domain.alert import (
    GAP,
    AlertState,
    Key,
    Known,
    days_ahead,
    in_order,
    is_news,
    is_same_gap,
    is_told_by_another,
    state_after,
    worth_telling,
)
from service.domain.course import CourseStatus
from service.domain.hours import instant, local_time
from service.domain.index import Index
from service.domain.signals import Assessment, Level, Limits, Signal, wording
from service.store import alerts, audit, course_values, notices, occupancies, outbox
from service.store.alerts import AlertRow, AssessmentRow
from service.store.course_values import Loaded
from service.store.courses import CourseRow
from service.store.prepared import Row
from service.store.transaction import reading, writing
from service.usecases import steps, telling

GRACE = timedelta(minutes=3)
"""Unless told otherwise, so long a notice waits: what is undone at once tells nobody."""


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """What an assessment changed."""

    opened: tuple[str, ...]
    """Public ids of alerts that were opened, or opened again."""
    cleared: tuple[str, ...]
    notices: int
    """Written down to be told, one for each person."""
    due_at: datetime | None
    """The instant at which the outcome could change with no new fact."""


@writing
def assess(db: Session, *, course: str, grace: timedelta = GRACE, by: Actor = CLOCK, now: datetime) -> Assessed:
    """Look at one course, and open, raise and clear its alerts. Doing it twice, or at once, tells nobody twice.

    :raises NotFound: no such course. :raises CannotSetLimits: an exception agreed for it makes no sense.
    """
    access.require(by, Role.MANAGER)
    steps.take_turn(db, CourseRow.public_id == course)
    # Before the facts are read: a message written after this look may stand for a fact that this look does not see.
    heard = outbox.waiting(db, steps.ASSESS, about="course", subject=course)
    row = course_values.load_one(db, course)
    value = row.value
    found = signals.assess(value, limits=Limits(), now=local_time(now, value.zone))
    telling = _Telling(db=db, course=row, grace=grace, own=_whose_doing(db, heard), by=by, now=now)
    telling.take_over(() if value.is_ended else found.signals)
    due_at = min((at for at in (_instant(found, value.zone), *telling.wakes) if at), default=None)
    _write_down(db, row, found, due_at=due_at, now=now)
    outbox.close(db, heard, "done", now=now)
    return Assessed(
        opened=tuple(telling.opened), cleared=tuple(telling.cleared), notices=telling.notices, due_at=due_at
    )


@reading
def due_courses(db: Session, *, limit: int = 500, now: datetime) -> list[str]:
    """Public ids of the courses whose outcome may have changed by itself, or that nobody has looked at yet."""
    query = (
        select(CourseRow.public_id)
        .outerjoin(AssessmentRow, AssessmentRow.course_id == CourseRow.id)
        .where(or_(AssessmentRow.course_id.is_(None), AssessmentRow.due_at <= now))
    )
    return list(db.scalars(query.order_by(AssessmentRow.due_at, CourseRow.id).limit(limit)))


@reading
def every_course(db: Session, *, by: Actor) -> list[str]:
    """Public ids of all courses that have not ended, and of those that nobody has looked at."""
    access.require(by, Role.MANAGER)
    query = (
        select(CourseRow.public_id)
        .outerjoin(AssessmentRow, AssessmentRow.course_id == CourseRow.id)
        .where(or_(CourseRow.status != CourseStatus.ENDED.value, AssessmentRow.course_id.is_(None)))
    )
    return list(db.scalars(query.order_by(CourseRow.id)))


@writing
def call_due(db: Session, *, limit: int = 500, now: datetime) -> int:
    """Write a message for each course that is due, once for each due time; how many are new.

    A course whose assessment breaks is then tried again as any message is, and does not hold up the others.
    """
    query = (
        select(CourseRow.public_id, AssessmentRow.due_at)
        .outerjoin(AssessmentRow, AssessmentRow.course_id == CourseRow.id)
        .where(or_(AssessmentRow.course_id.is_(None), AssessmentRow.due_at <= now))
        .order_by(AssessmentRow.due_at, CourseRow.id)
    )
    keys = {
        f"{steps.ASSESS}:{course}:{due_at.isoformat() if due_at else 'first'}": course
        for course, due_at in db.execute(query)
    }
    new = sorted(keys.keys() - outbox.known_keys(db, keys))[:limit]
    for key in new:
        outbox.add(db, steps.ASSESS, {"course": keys[key]}, dedup_key=key, now=now)
    return len(new)


@writing
def release_expired(db: Session, *, now: datetime) -> int:
    """Let go of tentative holds whose time is over; how many there were."""
    return occupancies.release_expired(db, now=now)


# --- steps ----------------------------------------------------------------------------------------------------------


def _instant(found: Assessment, zone: str) -> datetime | None:
    return instant(found.due, zone) if found.due else None


def _write_down(db: Session, row: Loaded, found: Assessment, *, due_at: datetime | None, now: datetime) -> None:
    index, metrics, said = on_record(found)
    alerts.write_assessment(db, row.id, assessed_at=now, due_at=due_at, index=index, metrics=metrics, signals=said)


def on_record(found: Assessment) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Index, plain numbers and signals as they are written down."""
    said = [{"id": one.id, "level": one.level.value, **_detail(one)} for one in found.signals]
    return _index(found.index), dict(vars(found.metrics)), said


def _index(index: Index) -> dict[str, Any]:
    return {
        "value": float(index.value) if index.value is not None else None,
        "n": index.n,
        "n_star": index.n_star,
        "components": {component.value: float(mean) for component, mean in index.components.items()},
        "by_initiator": {by.value: float(mean) for by, mean in index.by_initiator.items()},
    }


def _detail(signal: Signal) -> dict[str, Any]:
    """The signal as plain JSON, without id and level; its sentences as phrases. Names nobody."""
    return {
        "text": signal.text.as_json(),
        "causes": [one.as_json() for one in dict.fromkeys(map(wording.cause, signal.causes))],
        "actions": [action.as_json() for action in signal.actions],
        "clears": signal.clears.as_json(),
        "value": dict(signal.value),
        "threshold": dict(signal.threshold),
        "evidence": signal.evidence,
        "episode": signal.episode,
        # Reasons are people's own words and may name somebody: they stay sealed where they were given.
        "agreed": {key: wording.exception(replace(one, reason="")).as_json() for key, one in signal.agreed.items()},
        "slots": [slot.isoformat(timespec="minutes") for slot in signal.appointments],
    }


class _Telling:
    """One course's alerts, brought in line with what the rules say; and what came of it."""

    def __init__(
        self, *, db: Session, course: Loaded, grace: timedelta, own: Collection[str], by: Actor, now: datetime
    ) -> None:
        self.db, self.course, self.grace, self.own, self.by, self.now = db, course, grace, own, by, now
        self.opened: list[str] = []
        self.cleared: list[str] = []
        self.notices = 0
        self.wakes: list[datetime] = []

    def take_over(self, found: Iterable[Signal]) -> None:
        standing = worth_telling(found)
        if self.is_all_on_record(standing):
            return
        rows = {(row.rule, row.episode): row for row in alerts.of_course(self.db, self.course.id)}
        self.carry_on(rows, standing)
        for key, row in rows.items():
            if key not in standing and row.state != AlertState.CLEARED:
                self.clear(row)
        for key, signal in in_order(standing):
            row = rows[key] if key in rows else self.new_row(*key)
            self.find_again(row, signal, is_quiet=is_told_by_another(key, standing))

    def is_all_on_record(self, standing: Mapping[Key, Signal]) -> bool:
        """True where each alert that stands says what its signal says, and nobody needs to hear of it again: so is
        nearly every look. Rows that are only read are cheap."""
        on_record = {(one.rule, one.episode): one for one in alerts.standing_of_course(self.db, self.course.id)}
        if on_record.keys() != standing.keys():
            return False
        if not all(_says_the_same(on_record[key], signal, self.now) for key, signal in standing.items()):
            return False
        self.wakes += [
            one.snoozed_until for one in on_record.values() if one.state == AlertState.SNOOZED and one.snoozed_until
        ]
        return True

    @staticmethod
    def carry_on(rows: dict[Key, AlertRow], standing: Mapping[Key, Signal]) -> None:
        """With each session that is held, a gap ahead is counted from another one: it stays the alert that it was."""
        for key, signal in standing.items():
            if key in rows or key[0] != GAP:
                continue
            for old, row in list(rows.items()):
                is_open = old[0] == GAP and old not in standing and row.state != AlertState.CLEARED
                if is_open and is_same_gap(signal.value, row.detail["value"]):
                    row.episode = key[1]
                    rows[key] = rows.pop(old)
                    break

    def new_row(self, rule: str, episode: str) -> AlertRow:
        # As one that cleared before anybody was told of it, so that being found opens it.
        row = AlertRow(course_id=self.course.id, rule=rule, episode=episode, state=AlertState.CLEARED.value, version=0)
        self.db.add(row)
        return row

    def find_again(self, row: AlertRow, signal: Signal, *, is_quiet: bool) -> None:
        known = _known(row)
        state = state_after(signal, known, self.now)
        is_changed = (state, signal.level, signal.id) != (row.state, row.level, row.signal)
        row.signal, row.level, row.is_clinic_caused = signal.id, signal.level.value, signal.is_clinic_caused
        detail = _detail(signal)
        if detail != row.detail:
            row.detail = detail
        if signal.level is not Level.ACT:
            row.act_since, row.passed_on_at = None, None
        elif row.act_since is None:
            row.act_since = self.now
        if is_changed:
            self.turn(row, state)
        if is_news(signal, known, self.now):
            if not is_quiet:
                self.tell(row, signal)
            self.note_told(row, signal)
        if state is AlertState.SNOOZED and row.snoozed_until:
            self.wakes.append(row.snoozed_until)

    def turn(self, row: AlertRow, state: AlertState) -> None:
        """Write the new state, level or rule; open alerts begin afresh."""
        was = row.state
        row.state, row.changed_at, row.version = state.value, self.now, row.version + 1
        if was == AlertState.CLEARED:
            row.opened_at, row.cleared_at, row.useful = self.now, None, None
        if state is AlertState.OPEN and was != AlertState.OPEN:
            row.acknowledged_at, row.acknowledged_by, row.snoozed_until, row.note = None, None, None, None
        self.db.flush()
        if state is AlertState.OPEN and was != AlertState.OPEN:
            self.opened.append(row.public_id)
        self.record("open" if was == AlertState.CLEARED else "change", row)

    def clear(self, row: AlertRow) -> None:
        row.state, row.cleared_at, row.changed_at = AlertState.CLEARED.value, self.now, self.now
        row.version += 1
        row.act_since, row.passed_on_at = None, None
        notices.withdraw(self.db, row.id)
        if not notices.is_told(self.db, row.id):
            # Undone within the grace: nobody has heard of it, so its return would be news.
            row.told_level, row.told_size = None, None
        self.cleared.append(row.public_id)
        self.record("clear", row)

    def tell(self, row: AlertRow, signal: Signal) -> None:
        """A notice to each reader; newer words take the place of those that nobody heard yet."""
        self.db.flush()
        notices.withdraw(self.db, row.id)
        self.notices += telling.write_down(
            self.db,
            row,
            telling.readers(self.db, self.course.therapist_id, is_clinic_caused=row.is_clinic_caused),
            round_=f"{row.opened_at:%Y%m%dT%H%M%S}:{row.level}:{days_ahead(signal) or 0:g}",
            grace=self.grace,
            own=self.own,
            now=self.now,
        )

    def note_told(self, row: AlertRow, signal: Signal) -> None:
        length = days_ahead(signal)
        row.told_level = max(Level(row.told_level), signal.level).value if row.told_level else signal.level.value
        row.told_size = length if length is not None else row.told_size

    def record(self, action: str, row: AlertRow) -> None:
        audit.record(
            self.db, action, by=self.by, now=self.now, kind="alert", subject=row.public_id, fields=["state", "level"]
        )


def _says_the_same(row: Row, signal: Signal, now: datetime) -> bool:
    """True where finding the signal again would write nothing and tell nobody."""
    known = _known(row)
    return (
        (row.signal, row.level, row.is_clinic_caused) == (signal.id, signal.level, signal.is_clinic_caused)
        and row.state == state_after(signal, known, now)
        and not is_news(signal, known, now)
        and (row.act_since is not None) == (signal.level is Level.ACT)
        and row.detail == _detail(signal)
    )


def _whose_doing(db: Session, heard: Sequence[int]) -> frozenset[str]:
    """Public id of the one user who made all the changes that this look answers; empty where there were others."""
    if not heard:
        return frozenset()
    makers = {str(payload.get("by") or "") for payload in outbox.payloads(db, heard)}
    return frozenset(makers - {""}) if len(makers) == 1 else frozenset()


def _known(row: AlertRow) -> Known:
    return Known(
        state=AlertState(row.state),
        told_level=Level(row.told_level) if row.told_level else None,
        told_days=row.told_size,
        snoozed_until=row.snoozed_until,
        cleared_at=row.cleared_at,
    )
