"""A full scan: every course looked at as it is, to find those of which something else stands on record.

It only reads, so that many processes can share it; what it finds is then assessed as a change or the sweep would.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain import access, signals
from service.domain.access import Actor, Role
from service.domain.alert import AlertState, Key, worth_telling
from service.domain.hours import instant, local_time
from service.domain.limits import CannotSetLimits
from service.domain.signals import Assessment, Limits
from service.store import course_values
from service.store.alerts import AlertRow, AssessmentRow
from service.store.course_values import Loaded
from service.store.courses import CourseRow
from service.store.people import directory
from service.store.transaction import reading
from service.usecases import consistency

AT_ONCE = 200
"""Courses compared in one transaction."""
COMPARED = ("id", "level", "episode", "slots", "causes", "agreed")
"""Of a signal. An open gap counts up day by day, and its words with it: that alone is no other outcome."""


@reading
def outdated(db: Session, *, courses: Sequence[str], by: Actor, now: datetime) -> list[str]:
    """Those of the courses (at most AT_ONCE) of which the rules now say something else than is on record.

    One that can't be assessed is among them: who then assesses it is told why.
    """
    access.require(by, Role.MANAGER, to_change=False)
    query = select(CourseRow.id).where(CourseRow.public_id.in_(courses)).order_by(CourseRow.id)
    ids = list(db.scalars(query))
    known, standing = _on_record(db, ids), _standing(db, ids)
    return [
        one.public_id
        for one in course_values.load_many(db, ids, directory(db))
        if not _is_as_known(one, known.get(one.id), standing.get(one.id, set()), now)
    ]


def _on_record(db: Session, ids: Sequence[int]) -> Mapping[int, AssessmentRow]:
    columns = AssessmentRow.course_id, AssessmentRow.due_at, AssessmentRow.index, AssessmentRow.metrics
    query = select(*columns, AssessmentRow.signals).where(AssessmentRow.course_id.in_(ids))
    return {row.course_id: row for row in db.execute(query)}  # type: ignore[misc]


def _standing(db: Session, ids: Sequence[int]) -> dict[int, set[Key]]:
    query = select(AlertRow.course_id, AlertRow.rule, AlertRow.episode)
    found: dict[int, set[Key]] = {}
    for course, rule, episode in db.execute(
        query.where(AlertRow.course_id.in_(ids), AlertRow.state != AlertState.CLEARED.value)
    ):
        found.setdefault(course, set()).add((rule, episode))
    return found


def _is_as_known(one: Loaded, known: AssessmentRow | None, standing: set[Key], now: datetime) -> bool:
    if known is None or (known.due_at is not None and known.due_at <= now):
        return False
    try:
        found = signals.assess(one.value, limits=Limits(), now=local_time(now, one.value.zone))
    except CannotSetLimits:
        return False
    due = instant(found.due, one.value.zone) if found.due else None
    if due is not None and (known.due_at is None or due < known.due_at):
        return False
    told: set[Key] = set() if one.value.is_ended else set(worth_telling(found.signals))
    return told == standing and _is_same(found, known)


def _is_same(found: Assessment, known: AssessmentRow) -> bool:
    index, metrics, said = consistency.on_record(found)
    return (index, metrics) == (known.index, known.metrics) and _compared(said) == _compared(known.signals)


def _compared(said: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return [[one[key] for key in COMPARED] for one in said]
