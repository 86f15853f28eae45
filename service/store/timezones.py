"""With which release of the time-zone data the instants of the hours to come were derived."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, Integer, Select, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.hours import TZDATA_VERSION
from service.domain.shift import Booked, Held, booked
from service.store.alerts import AlertRow, AssessmentRow
from service.store.appointments import AppointmentRow
from service.store.base import Model, UtcTime, count
from service.store.client_mail import ClientHourRow
from service.store.courses import CourseRow
from service.store.occupancies import OccupancyRow
from service.store.people import SiteRow

_ONLY = 1
_DAY = timedelta(days=1)
"""No change of law moved an hour farther, but one: where Samoa left out a day, nobody's hour stood on it."""


class TimezoneDataRow(Model):
    """One row: what all hours to come are derived with, and how far `samehour timezones apply` has come since."""

    __tablename__ = "timezone_data"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    derived_with: Mapped[str] = mapped_column(String(12))
    begun_with: Mapped[str | None] = mapped_column(String(12))
    """The release towards which deriving anew has begun; what is done once for it has been done."""
    gone_through_with: Mapped[str | None] = mapped_column(String(12))
    """The release by which every hour stands that nothing else is in the way of."""
    changed_at: Mapped[datetime] = mapped_column(UtcTime)


def stand(session: Session) -> TimezoneDataRow | None:
    """The row; None on a database on which nobody has called `samehour init` yet."""
    return session.get(TimezoneDataRow, _ONLY)


def stand_to_change(session: Session, *, now: datetime) -> TimezoneDataRow:
    """The row, locked; a new one says what nobody has to check, since there was nothing to derive before."""
    row = session.get(TimezoneDataRow, _ONLY, with_for_update=True, populate_existing=True)
    if row is None:
        row = TimezoneDataRow(id=_ONLY, derived_with=TZDATA_VERSION, changed_at=now)
        session.add(row)
        session.flush()
    return row


def derived_with(session: Session) -> str:
    """The release that the instants of all hours to come are derived with."""
    row = stand(session)
    return TZDATA_VERSION if row is None else row.derived_with


def is_settled(session: Session) -> bool:
    """False from an update of the data until the hours to come were put where it says, as far as they can be."""
    row = stand(session)
    return row is None or TZDATA_VERSION in {row.derived_with, row.gone_through_with}


def outdated(session: Session, *, now: datetime) -> list[Booked]:
    """Hours to come that were derived with another release, void ones included, whether they shift or not."""
    query = select(AppointmentRow.id, AppointmentRow.starts, AppointmentRow.zone, AppointmentRow.starts_at).where(
        AppointmentRow.tzdata != TZDATA_VERSION, AppointmentRow.starts_at > now - _DAY
    )
    found = (booked(*row) for row in session.execute(query.order_by(AppointmentRow.starts_at, AppointmentRow.id)))
    return [one for one in found if one.is_to_come(now)]


def courses_with_more(session: Session, course_ids: Iterable[int], *, now: datetime) -> set[int]:
    """Those of the courses (inner ids) that have hours to come which still shift."""
    query = select(
        AppointmentRow.course_id,
        AppointmentRow.id,
        AppointmentRow.starts,
        AppointmentRow.zone,
        AppointmentRow.starts_at,
    ).where(
        AppointmentRow.course_id.in_(sorted(course_ids)),
        AppointmentRow.tzdata != TZDATA_VERSION,
        AppointmentRow.starts_at > now - _DAY,
    )
    found = ((row.course_id, booked(*row[1:])) for row in session.execute(query))
    return {course for course, one in found if one.is_shifted and one.is_to_come(now)}


def outdated_among(session: Session, ids: Sequence[int], *, now: datetime) -> list[AppointmentRow]:
    """Those of the hours that still shift, as they are now; lock their courses first."""
    query = select(AppointmentRow).where(AppointmentRow.id.in_(ids), AppointmentRow.tzdata != TZDATA_VERSION)
    rows = session.scalars(query.order_by(AppointmentRow.starts_at).execution_options(populate_existing=True))
    known = [(row, booked(row.id, row.starts, row.zone, row.starts_at)) for row in rows]
    return [row for row, one in known if one.is_shifted and one.is_to_come(now)]


def courses_of(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The courses of these hours: inner and public ids."""
    query = select(CourseRow.id, CourseRow.public_id).join(AppointmentRow, AppointmentRow.course_id == CourseRow.id)
    return {row.id: row.public_id for row in session.execute(query.where(AppointmentRow.id.in_(ids)).distinct())}


def note_unchanged(session: Session, ids: Sequence[int]) -> int:
    """Write down for those of the hours that don't shift that today's data puts them where they stand; how many."""
    query = select(AppointmentRow.id, AppointmentRow.starts, AppointmentRow.zone, AppointmentRow.starts_at)
    query = query.where(AppointmentRow.id.in_(ids), AppointmentRow.tzdata != TZDATA_VERSION)
    rows = session.execute(query.order_by(AppointmentRow.id).with_for_update())
    same = [row.id for row in rows if not booked(*row).is_shifted]
    return count(
        session.execute(
            update(AppointmentRow)
            .where(AppointmentRow.id.in_(same))
            .values(tzdata=TZDATA_VERSION)
            .execution_options(synchronize_session=False)
        )
    )


def held_then(session: Session, shifted: Mapping[int, Booked], *, now: datetime) -> Iterator[Held]:
    """Where everybody would be held if all of `shifted` stood by today's data, in order of kind and who."""
    query = (
        select(OccupancyRow.kind, OccupancyRow.who, OccupancyRow.starts, OccupancyRow.ends, OccupancyRow.appointment_id)
        .where(OccupancyRow.ends > now - _DAY, OccupancyRow.exempt.is_(False))
        .order_by(OccupancyRow.kind, OccupancyRow.who, OccupancyRow.starts)
    )
    for kind, who, starts, ends, appointment in session.execute(query):
        found = shifted.get(appointment or 0)
        by = found.by if found else timedelta(0)
        yield Held(kind, who, starts + by, ends + by, appointment)


def by_ids(session: Session, ids: Iterable[int]) -> dict[int, AppointmentRow]:
    wanted, found = sorted(set(ids)), dict[int, AppointmentRow]()
    for start in range(0, len(wanted), 500):
        query = select(AppointmentRow).where(AppointmentRow.id.in_(wanted[start : start + 500]))
        found |= {row.id: row for row in session.scalars(query)}
    return found


def look_again(session: Session, zones: Iterable[str], *, now: datetime) -> None:
    """Have the courses of these zones assessed by the next sweeps: the instant at which each is due shifts, too."""
    session.execute(
        update(AssessmentRow)
        .where(AssessmentRow.due_at > now, AssessmentRow.course_id.in_(_courses_in(zones)))
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def snoozed_in(session: Session, zones: Iterable[str], *, now: datetime) -> list[tuple[AlertRow, str]]:
    """Alerts of these zones that are quiet until an instant to come, each with its zone."""
    query = (
        select(AlertRow, SiteRow.zone)
        .join(CourseRow, CourseRow.id == AlertRow.course_id)
        .join(SiteRow, SiteRow.id == CourseRow.site_id)
        .where(AlertRow.state == "snoozed", AlertRow.snoozed_until > now, SiteRow.zone.in_(sorted(zones)))
    )
    return [(alert, zone) for alert, zone in session.execute(query.order_by(AlertRow.id))]


def reminded_of(session: Session, ids: Iterable[int]) -> list[ClientHourRow]:
    """What clients know of these hours, where a reminder of them was written down."""
    query = select(ClientHourRow).where(
        ClientHourRow.appointment_id.in_(sorted(ids)), ClientHourRow.reminded_of.is_not(None)
    )
    return list(session.scalars(query))


def _courses_in(zones: Iterable[str]) -> Select[int]:
    in_zones = select(SiteRow.id).where(SiteRow.zone.in_(sorted(zones)))
    return select(CourseRow.id).where(CourseRow.site_id.in_(in_zones))
