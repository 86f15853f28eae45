"""Steps: who is away, whose deputy somebody is meanwhile, and where a person's day begins.

A deputy in force hears of the alerts of whom they stand in for, and answers them; the course stays closed to them.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.absences import AbsenceKind
from service.domain.hours import local_time
from service.domain.telling import Preferences
from service.store import notices
from service.store.absences import AbsenceRow
from service.store.people import UserRow, directory


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
    """Inner ids of the therapists whose deputy that user (public id) is right now."""
    found: set[int] = set()
    for user in notices.who_named(db, user_id) if user_id else ():
        of = notices.preferences(db, [user.id])[user.id]
        if user.therapist_id and is_away(db, user, of, zone_of(db, user), now):
            found.add(user.therapist_id)
    return frozenset(found)
