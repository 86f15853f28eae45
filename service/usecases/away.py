"""Steps: who is away, whose deputy somebody is meanwhile, and where a person's day begins.

A deputy in force hears of the alerts of whom they stand in for, and answers them; the course stays closed to them.
Where the deputy is away too, theirs stands in for both, and so on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.absences import AbsenceKind
from service.domain.access import Role
from service.domain.hours import local_time
from service.domain.telling import Preferences
from service.store import notices
from service.store.absences import AbsenceRow
from service.store.people import UserRow, directory, with_role


def zone_of(db: Session, user: UserRow) -> str:
    """Where their day begins: at their own site, else at the clinic's first."""
    people = directory(db)
    if user.therapist_id:
        return people.sites[people.therapists[user.therapist_id].site_id].zone
    return people.sites[min(people.sites)].zone if people.sites else "UTC"


def is_away(db: Session, user: UserRow, of: Preferences, zone: str, now: datetime) -> bool:
    """By their own word, or on leave all day."""
    local = local_time(now, zone)
    if of.away_until is not None and local < of.away_until:
        return True
    if user.therapist_id is None:
        return False
    leave = select(AbsenceRow.id).where(
        AbsenceRow.kind == AbsenceKind.LEAVE.value,
        AbsenceRow.therapist_id == user.therapist_id,
        AbsenceRow.withdrawn_at.is_(None),
        AbsenceRow.tentative.is_(False),
        AbsenceRow.since <= datetime.combine(local.date(), datetime.min.time()),
        AbsenceRow.until >= datetime.combine(local.date() + timedelta(days=1), datetime.min.time()),
    )
    return db.scalar(leave.limit(1)) is not None


def stood_in_for(db: Session, user_id: str | None, now: datetime) -> frozenset[int]:
    """Inner ids of the therapists in whose place that user (public id) is told right now: of those who named them, and
    of those who named these in turn, as far as they are all away."""
    found: set[int] = set()
    asked, ahead = set[str](), [user_id] if user_id else []
    while ahead:
        asked.add(deputy := ahead.pop())
        for user in notices.who_named(db, deputy):
            of = notices.preferences(db, [user.id])[user.id]
            if user.public_id in asked or not is_away(db, user, of, zone_of(db, user), now):
                continue
            ahead.append(user.public_id)
            found |= {user.therapist_id} if user.therapist_id else set()
    return frozenset(found)


@dataclass(frozen=True, kw_only=True)
class StandIns:
    """Who is told in the place of somebody who is away."""

    asked: tuple[UserRow, ...]
    """In turn, from the deputy on: each of them is away too."""
    there: UserRow | None
    """The first who is not."""


def stand_ins(db: Session, user: UserRow, of: Preferences, now: datetime) -> StandIns:
    """Along the chain of deputies, until one is there, there is none, or it comes back to somebody."""
    asked: list[UserRow] = []
    known = {user.id}
    while (deputy := _deputy(db, of)) is not None and deputy.id not in known:
        known.add(deputy.id)
        of = notices.preferences(db, [deputy.id])[deputy.id]
        if not is_away(db, deputy, of, zone_of(db, deputy), now):
            return StandIns(asked=tuple(asked), there=deputy)
        asked.append(deputy)
    return StandIns(asked=tuple(asked), there=None)


def managers_there(db: Session, now: datetime) -> list[UserRow]:
    """The managers who are not away; all of them where each is, since somebody has to hear of it."""
    managers = list(db.scalars(with_role(Role.MANAGER).order_by(UserRow.id)))
    prefer = notices.preferences(db, [user.id for user in managers])
    there = [user for user in managers if not is_away(db, user, prefer[user.id], zone_of(db, user), now)]
    return there or managers


def _deputy(db: Session, of: Preferences) -> UserRow | None:
    return db.scalar(select(UserRow).where(UserRow.public_id == (of.deputy or ""), UserRow.disabled_at.is_(None)))
