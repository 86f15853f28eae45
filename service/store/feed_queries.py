"""What a feed is read from, asked by columns, not by entities, and of the appointments only those that differ from what
their standing says.

The queries are made once: making one takes longer than asking it. `who` is the inner id of the therapist, the room, the
site or the client.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, func, or_, select

from service.domain.appointment import CANCELLED
from service.domain.subscription import Shows
from service.store.absences import AbsenceRow
from service.store.appointments import AppointmentRow
from service.store.clients import ClientRow
from service.store.courses import CourseClientRow, CourseRow
from service.store.people import RoomRow, SiteRow, TherapistRow
from service.store.standings import StandingHourRow, StandingRow

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_WHO: BindParameter[Any] = bindparam("who")

ROOMS_OF_SITE = select(RoomRow.id).where(RoomRow.site_id == _WHO)
THERAPISTS_OF_SITE = select(TherapistRow.id).where(TherapistRow.site_id == _WHO)
_COURSES_OF_CLIENT = select(CourseClientRow.course_id).where(CourseClientRow.client_id == _WHO)


def _is_theirs(shows: Shows, row: type[StandingRow] | type[AppointmentRow]) -> ColumnElement[bool]:
    """True of a standing or an hour that the calendar is about."""
    match shows:
        case Shows.THERAPIST:
            return row.therapist_id == _WHO
        case Shows.ROOM:
            return row.room_id == _WHO
        case Shows.SITE:
            without_room = and_(row.room_id.is_(None), row.therapist_id.in_(THERAPISTS_OF_SITE))
            return or_(row.room_id.in_(ROOMS_OF_SITE), without_room)
        case Shows.CLIENT:
            return row.course_id.in_(_COURSES_OF_CLIENT)


def _differs() -> ColumnElement[bool]:
    """True of an hour that its standing's pattern does not tell."""
    hour, standing = AppointmentRow, StandingRow
    counts = or_(hour.void_at.is_(None), standing.until.is_(None), hour.slot < standing.until)
    return and_(
        counts,
        or_(
            hour.status.in_(sorted(CANCELLED)),
            hour.void_at.is_not(None),
            hour.starts != hour.slot,
            hour.minutes != standing.minutes,
            hour.therapist_id != standing.therapist_id,
            hour.room_id.is_distinct_from(standing.room_id),
            hour.modality != standing.modality,
        ),
    )


_STANDINGS = (
    select(
        StandingRow.zone,
        StandingRow.every_weeks,
        StandingRow.minutes,
        StandingRow.since,
        StandingRow.until,
        StandingRow.id,
        StandingRow.feed_uid,
        StandingRow.course_id,
        StandingRow.therapist_id,
        StandingRow.room_id,
        StandingRow.modality,
        StandingRow.extended_to,
        CourseRow.site_id,
        StandingHourRow.weekday,
        StandingHourRow.at,
    )
    .join(CourseRow, CourseRow.id == StandingRow.course_id)
    .join(StandingHourRow, StandingHourRow.standing_id == StandingRow.id)
    .order_by(StandingRow.id, StandingHourRow.weekday, StandingHourRow.at)
)
STANDINGS: Mapping[Shows, Any] = {shows: _STANDINGS.where(_is_theirs(shows, StandingRow)) for shows in Shows}
"""One row for each hour of each standing."""
OPEN_ENDED_AT_SITE = select(func.count()).where(_is_theirs(Shows.SITE, StandingRow), StandingRow.until.is_(None))
PATTERN = slice(0, 5)
"""Of these columns the ones that, with the hours, are a standing's pattern."""

_HOUR = (
    AppointmentRow.standing_id,
    AppointmentRow.course_id,
    AppointmentRow.slot,
    AppointmentRow.starts,
    AppointmentRow.minutes,
    AppointmentRow.zone,
    AppointmentRow.therapist_id,
    AppointmentRow.room_id,
    AppointmentRow.modality,
    AppointmentRow.status,
    AppointmentRow.void_at.is_not(None).label("is_void"),
    AppointmentRow.version,
)
EXCEPTIONS = (
    select(*_HOUR)
    .join(StandingRow, StandingRow.id == AppointmentRow.standing_id)
    .where(AppointmentRow.standing_id.in_(_IDS), _differs())
    .order_by(AppointmentRow.slot)
)
_SINGLE_HOURS = select(*_HOUR, AppointmentRow.feed_uid, AppointmentRow.changed_at).where(
    AppointmentRow.starts_at >= bindparam("since"),
    AppointmentRow.void_at.is_(None),
    or_(AppointmentRow.standing_id.is_(None), AppointmentRow.standing_id.not_in(_IDS)),
)
SINGLE_HOURS: Mapping[Shows, Any] = {shows: _SINGLE_HOURS.where(_is_theirs(shows, AppointmentRow)) for shows in Shows}
"""Of no standing, or of none of these `ids`."""

COVERED = select(StandingRow.id, StandingRow.feed_uid).where(StandingRow.id.in_(_IDS))
CLIENTS = (
    select(CourseClientRow.course_id, ClientRow.public_id, ClientRow.reference, ClientRow.name_sealed)
    .join(ClientRow, ClientRow.id == CourseClientRow.client_id)
    .where(CourseClientRow.course_id.in_(_IDS))
    .order_by(CourseClientRow.course_id, ClientRow.id)
)
THERAPISTS = select(TherapistRow.id, TherapistRow.name).where(TherapistRow.id.in_(_IDS))
PLACES = (
    select(RoomRow.id, RoomRow.name, SiteRow.name)
    .join(SiteRow, SiteRow.id == RoomRow.site_id)
    .where(RoomRow.id.in_(_IDS))
)
AWAY = select(
    AbsenceRow.public_id,
    AbsenceRow.kind,
    AbsenceRow.therapist_id,
    AbsenceRow.room_id,
    AbsenceRow.site_id,
    AbsenceRow.course_id,
    AbsenceRow.since,
    AbsenceRow.until,
    AbsenceRow.name,
    AbsenceRow.changed_at,
).where(
    AbsenceRow.until > bindparam("since"),
    AbsenceRow.withdrawn_at.is_(None),
    AbsenceRow.tentative.is_(False),
    or_(
        AbsenceRow.therapist_id.in_(bindparam("therapists", expanding=True)),
        and_(AbsenceRow.therapist_id.is_(None), AbsenceRow.course_id.is_(None)),
        AbsenceRow.course_id.in_(_IDS),
    ),
)
LAST_CHANGE = (
    select(StandingRow.feed_uid, StandingRow.changed_at, func.max(AppointmentRow.changed_at))
    .outerjoin(AppointmentRow, AppointmentRow.standing_id == StandingRow.id)
    .where(StandingRow.feed_uid.in_(bindparam("uids", expanding=True)))
    .group_by(StandingRow.feed_uid, StandingRow.changed_at)
)
