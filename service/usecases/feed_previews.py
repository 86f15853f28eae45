"""A week of a calendar before it is shared, at each level of privacy: read exactly as its feed will be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain

from sqlalchemy.orm import Session

from service.domain import feed_week
from service.domain.access import Actor
from service.domain.feed import FeedEntry
from service.domain.feed_week import Shown
from service.domain.hours import local_time, monday_of
from service.domain.privacy import Privacy
from service.domain.subscription import LEVELS, Options, Shows
from service.store import feed_values
from service.store.feed_values import Subject
from service.store.transaction import reading
from service.usecases import feed_rights

WEEK = timedelta(weeks=1)
LOOKED_AHEAD = 8
"""Weeks in which something to show is looked for, where none is named."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    shows: Shows
    name: str
    """Whose calendar it is."""
    zone: str
    monday: date
    levels: Mapping[Privacy, Sequence[Shown]]
    """What stands in it in that week, cancelled hours included; from least said to most."""


@reading
def week(
    db: Session,
    *,
    therapist: str | None = None,
    room: str | None = None,
    site: str | None = None,
    client: str | None = None,
    locale: str = Options.locale,
    of: date | None = None,
    by: Actor,
    now: datetime,
) -> Preview:
    """The week in which that day is; without a day, the first from now on in which there is anything.

    :raises NotFound: nobody of that id, or somebody else's calendar. :raises Forbidden: not with this role.
    :raises Malformed: nobody is named, or more than one.
    """
    whose = feed_rights.whose(db, therapist=therapist, room=room, site=site, client=client, by=by)
    subject = Subject(shows=whose.shows, who=whose.id, name=whose.name, zone=whose.zone)
    today = local_time(now, whose.zone).date()
    options = Options(shows_cancelled=True, locale=locale)
    entries = {level: _entries(db, subject, replace(options, privacy=level), today) for level in LEVELS[whose.shows]}
    monday = monday_of(of) if of else _first_with_any(next(iter(entries.values())), whose.zone, monday_of(today))
    return Preview(
        shows=whose.shows,
        name=whose.name,
        zone=whose.zone,
        monday=monday,
        levels={
            level: feed_week.shown(told, zone=whose.zone, since=monday, until=monday + WEEK)
            for level, told in entries.items()
        },
    )


def _entries(db: Session, subject: Subject, options: Options, today: date) -> list[FeedEntry]:
    told = feed_values.load(db, subject, options, today=today).told
    return [one.entry for one in told if one.entry is not None]


def _first_with_any(entries: Sequence[FeedEntry], zone: str, monday: date) -> date:
    found = feed_week.shown(entries, zone=zone, since=monday, until=monday + LOOKED_AHEAD * WEEK)
    days = chain((one.starts.date() for one in found), [monday])
    return monday_of(max(monday, next(days)))
