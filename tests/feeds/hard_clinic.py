"""Clinics that are hard to write down as a calendar: each shape is one course's life, lived through the use-cases.

A *case* is one shape in one zone, with a therapist, a room, a client and a course of its own, so that each case's feed
tells of it alone. Every change is one that people make; nothing is written past the use-cases.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from random import Random
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.domain.appointment import Initiator, Place
from service.domain.course import Ending
from service.domain.hours import Hour, LocalTime, Weekday, instant, local_time, midnight
from service.domain.privacy import Privacy
from service.domain.refusals import Refusal
from service.domain.standing import Modality
from service.feeds.timezone_blocks import Onset, onsets
from service.store.absences import AbsenceRow
from service.store.appointments import AppointmentRow
from service.store.base import db
from service.store.clients import ClientRow
from service.store.courses import CourseClientRow
from service.store.people import RoomRow, SiteRow, TherapistRow
from service.store.standings import StandingRow
from service.usecases import absences, appointments, clients, courses, feed_rights, feeds, people, standings
from service.usecases.drafts import Choice, Do
from service.usecases.steps import NeedsReason
from tests.feeds.engines import UTC_FORM, Listed, Listing, Window

NOW = datetime(2026, 3, 2, 8, 0, 30, tzinfo=UTC)
"""A Monday, before the clocks change anywhere."""
HORIZON = timedelta(weeks=56)
WINDOW = Window(since=datetime(2026, 2, 1, tzinfo=UTC), until=datetime(2027, 3, 20, tzinfo=UTC))
"""From before the first hour until shortly before the last that is booked."""
WEEK = timedelta(weeks=1)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Europe/Dublin",
    "America/St_Johns",
    "Antarctica/Troll",
    "Africa/Cairo",
    "Pacific/Chatham",
    "Asia/Jerusalem",
    "Europe/London",
    "Australia/Adelaide",
)
"""Twelve in which the clocks change both ways within the window, by rules that have not changed for years: at night by
one hour, by half an hour and by two, on a Friday, at midnight, in the south; with the law calling winter the exception.
"""
TEN = (Hour(day=Weekday.TU, at=time(10)),)


@dataclass(kw_only=True)
class Case:
    """One course and what becomes of it. Slots are of the standing that was agreed last."""

    zone: str
    site: str
    name: str
    dice: Random
    therapist: str
    room: str
    client: str
    now: datetime = NOW
    course: str = ""
    standing: str = ""
    others: list[str] = field(default_factory=list)
    """Other therapists who hold some of its hours."""

    @property
    def today(self) -> date:
        return local_time(NOW, self.zone).date()

    @cached_property
    def changes(self) -> list[Onset]:
        """When the clocks change within the window, well before its end."""
        return [one for one in onsets(self.zone, 2026) if NOW < one.at < WINDOW.until - 3 * WEEK]

    # --- what people do

    def agree(self, hours: tuple[Hour, ...] = TEN, **otherwise: Any) -> None:
        usual: dict[str, Any] = {
            "therapist": self.therapist,
            "room": self.room,
            "since": self.today - timedelta(weeks=2),
        }
        proposal = standings.Proposal(hours=hours, **{**usual, **otherwise})
        whose = {"course": self.course} if self.course else {"client": self.client}
        asked: dict[str, Any] = {**whose, "proposal": proposal, "horizon": HORIZON, "by": OPERATOR, "now": self.tick()}
        try:
            agreed = standings.agree(**asked)
        except NeedsReason:
            doubtful = [one.slot for one in standings.preview(**asked).dates if one.outcome == "doubt"]
            choices = {slot: Choice(do=Do.OVERRIDE, reason="agreed so") for slot in doubtful}
            agreed = standings.agree(**asked, choices=choices)
        self.course, self.standing = agreed.course, agreed.id

    def slots(self) -> list[LocalTime]:
        """Those that have rows and count, whatever became of them."""
        query = select(AppointmentRow.slot).join(StandingRow).where(StandingRow.public_id == self.standing)
        found = _rows(query.where(AppointmentRow.void_at.is_(None)).order_by(AppointmentRow.slot))
        return [slot for (slot,) in found]

    def move(self, slot: LocalTime, starts: LocalTime | None = None, **to: Any) -> None:
        appointments.move(
            appointment_id=self._hour(slot),
            to=appointments.Destination(starts=starts, **to),
            asked_by=Initiator.CLIENT,
            reason="work",
            override="agreed so",
            by=OPERATOR,
            now=self.tick(),
        )

    def cover(self, slot: LocalTime, starts: LocalTime | None = None) -> None:
        self.move(slot, starts, therapist=self.other)

    def cancel(self, *slots: LocalTime, by: Initiator = Initiator.CLIENT) -> None:
        for slot in slots:
            appointments.cancel(
                appointment_id=self._hour(slot), asked_by=by, reason="illness", by=OPERATOR, now=self.tick()
            )

    def uncancel(self, slot: LocalTime) -> None:
        appointments.uncancel(appointment_id=self._hour(slot), override="agreed so", by=OPERATOR, now=self.tick())

    def book(self, starts: LocalTime, minutes: int = 50, therapist: str | None = None) -> None:
        place = Place(
            starts=starts,
            minutes=minutes,
            therapist=therapist or self.therapist,
            room=None,
            modality=Modality.VIDEO,
        )
        appointments.book(course=self.course, place=place, reason="agreed so", by=OPERATOR, now=self.tick())

    def change(self, since: date, hours: tuple[Hour, ...] = TEN, **otherwise: Any) -> None:
        usual: dict[str, Any] = {"therapist": self.therapist, "room": self.room}
        self.standing = standings.change(
            standing=self.standing,
            since=since,
            proposal=standings.Proposal(hours=hours, since=since, **{**usual, **otherwise}),
            asked_by=Initiator.CLIENT,
            reason="work",
            horizon=HORIZON,
            by=OPERATOR,
            now=self.tick(),
        ).id

    def end(self, on: date) -> None:
        standings.end(standing=self.standing, on=on, reason="moved away", by=OPERATOR, now=self.tick())

    def leave(self, since: LocalTime, until: LocalTime, *, releases: bool = True, name: str = "Away by the sea") -> str:
        added = absences.add(
            kind=AbsenceKind.LEAVE,
            since=since,
            until=until,
            therapist=self.therapist,
            name=name,
            by=OPERATOR,
            now=self.tick(),
        )
        if releases:
            absences.release(absence=added, by=OPERATOR, now=self.tick())
        return added

    def pause(self, since: date, until: date) -> None:
        courses.pause(course=self.course, since=since, until=until, keeps_hour=True, by=OPERATOR, now=self.tick())

    def resume(self, on: date) -> None:
        courses.resume(course=self.course, on=on, by=OPERATOR, now=self.tick())

    def end_course(self, on: date) -> None:
        courses.end(course=self.course, on=on, ending=Ending.PLANNED, by=OPERATOR, now=self.tick())

    @cached_property
    def other(self) -> str:
        """Another therapist of the same site."""
        made = people.add_therapist(name=f"{self.name}, other", site=self.site, by=OPERATOR, now=NOW)
        self.others.append(made)
        return made

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def _hour(self, slot: LocalTime) -> str:
        query = select(AppointmentRow.public_id).join(StandingRow).where(StandingRow.public_id == self.standing)
        ((found,),) = _rows(query.where(AppointmentRow.slot == slot, AppointmentRow.void_at.is_(None)))
        return str(found)


# --- the shapes


def plain(case: Case) -> None:
    case.agree(until=case.today + 40 * WEEK)


def open_ended(case: Case) -> None:
    case.agree()


def fortnightly_from_midweek(case: Case) -> None:
    days = (Hour(day=Weekday.TU, at=time(15)), Hour(day=Weekday.FR, at=time(15)))
    case.agree(days, every_weeks=2, since=case.today + timedelta(days=2))


def every_third_sunday(case: Case) -> None:
    case.agree((Hour(day=Weekday.SU, at=time(17, 15)),), every_weeks=3)


def two_times_of_day(case: Case) -> None:
    case.agree(
        (
            Hour(day=Weekday.MO, at=time(8)),
            Hour(day=Weekday.WE, at=time(18, 30)),
            Hour(day=Weekday.TH, at=time(8)),
        )
    )
    case.cancel(*case.slots()[3:5])


def the_first_two_cancelled(case: Case) -> None:
    case.agree(since=case.today)
    case.cancel(*case.slots()[:2])


def the_last_cancelled(case: Case) -> None:
    case.agree(until=case.today + 30 * WEEK)
    case.cancel(case.slots()[-1], by=Initiator.CLINIC)


def all_cancelled(case: Case) -> None:
    case.agree(since=case.today, until=case.today + 4 * WEEK)
    case.cancel(*case.slots())


def all_but_a_moved_one_cancelled(case: Case) -> None:
    case.agree(since=case.today, until=case.today + 5 * WEEK)
    first, *others = case.slots()
    case.cancel(*others)
    case.move(first, first + timedelta(days=1))


def moved_across_each_change(case: Case) -> None:
    """The hour before each change of the clocks to after it, and the one after it to before it."""
    case.agree()
    slots = case.slots()
    for change in case.changes:
        before = max(slot for slot in slots if slot < change.local)
        after = min(slot for slot in slots if slot > change.local)
        case.move(before, datetime.combine(change.local.date() + timedelta(days=1), time(7)))
        case.move(after, datetime.combine(change.local.date() - timedelta(days=1), time(19)))


def moved_to_and_past_a_neighbour(case: Case) -> None:
    case.agree()
    slots = case.slots()
    case.move(slots[4], slots[5] + timedelta(hours=2))
    case.move(slots[10], slots[12] + timedelta(days=1))
    case.move(slots[20], slots[18] - timedelta(days=1))


def neighbours_moved_onto_one_day(case: Case) -> None:
    case.agree()
    one, other = case.slots()[6:8]
    case.move(one, one + timedelta(days=3))
    case.move(other, one + timedelta(days=3, hours=2))


def moved_and_back(case: Case) -> None:
    case.agree()
    one, other = case.slots()[8:10]
    case.move(one, one + timedelta(hours=3))
    case.move(other, other + 2 * WEEK + timedelta(hours=1))
    case.move(one, one)
    case.move(other, other)


def split(case: Case) -> None:
    """A lasting change in the middle of a week; one hour before it and one after it are moved."""
    case.agree()
    slots = case.slots()
    case.move(slots[5], slots[5] + timedelta(hours=1))
    case.change(slots[20].date() + timedelta(days=1), (Hour(day=Weekday.TH, at=time(9)),))
    later = case.slots()
    case.move(later[3], later[3] + timedelta(days=1))


def split_and_back(case: Case) -> None:
    case.agree()
    case.cancel(case.slots()[18])
    case.change(case.slots()[12].date(), (Hour(day=Weekday.TU, at=time(11)),))
    case.change(case.slots()[10].date())


def ended_early(case: Case) -> None:
    case.agree()
    slots = case.slots()
    case.move(slots[14], slots[14] + timedelta(days=2))
    case.end(slots[15].date())


def course_ended(case: Case) -> None:
    case.agree()
    case.end_course(case.slots()[25].date())


def covered(case: Case) -> None:
    """Some hours by another therapist: at their time, at another, across a change, and one that came back."""
    case.agree()
    slots = case.slots()
    case.cover(slots[4])
    case.cover(slots[6], slots[6] + timedelta(hours=4))
    case.cover(slots[8])
    case.move(slots[8], therapist=case.therapist)
    case.cover(slots[10])
    case.cancel(slots[10])


def another_therapist_from_then_on(case: Case) -> None:
    case.agree()
    slots = case.slots()
    case.cover(slots[9])
    case.change(slots[12].date(), therapist=case.other)
    case.move(case.slots()[2], therapist=case.therapist)


def leave_in_weeks_of_changes(case: Case) -> None:
    case.agree()
    for change in case.changes:
        monday = change.local.date() - timedelta(days=change.local.weekday())
        case.leave(midnight(monday), midnight(monday + WEEK))


def leave_for_parts_of_days(case: Case) -> None:
    case.agree()
    slots = case.slots()
    case.leave(slots[5] - timedelta(hours=1), slots[5] + timedelta(hours=3), name="Training")
    for change in case.changes[:2]:
        case.leave(change.local - timedelta(hours=12), change.local + timedelta(hours=12), name="Journey")


def leave_beyond_what_is_booked(case: Case) -> None:
    case.agree()
    far = midnight(case.today + HORIZON + 3 * WEEK)
    case.leave(far, far + 2 * WEEK)
    near = midnight(case.today + 9 * WEEK)
    case.leave(near, near + WEEK, releases=False, name="Not let go")


def paused_and_resumed(case: Case) -> None:
    case.agree()
    slots = case.slots()
    case.pause(slots[6].date(), slots[16].date())
    case.resume(slots[11].date())


def ad_hoc(case: Case) -> None:
    """Single hours, also at the very time that the clocks skip or show twice."""
    case.agree(until=case.today + 3 * WEEK)
    for number, change in enumerate(case.changes):
        case.book(change.local + timedelta(minutes=15 * number))
        case.book(change.local + timedelta(days=1, hours=9), minutes=90)


def late_evenings(case: Case) -> None:
    """Over midnight; in UTC the last day is another one."""
    case.agree((Hour(day=Weekday.MO, at=time(22, 30)),), minutes=120, until=case.today + 35 * WEEK)


def at_a_time_that_the_clocks_skip(case: Case) -> None:
    change = next(one for one in case.changes if one.is_forward)
    _every_week_at(case, change.local + timedelta(minutes=15))


def at_a_time_that_they_show_twice(case: Case) -> None:
    change = next(one for one in case.changes if not one.is_forward)
    _every_week_at(case, change.local - timedelta(minutes=15))


def _every_week_at(case: Case, local: LocalTime) -> None:
    """Moved after the change and before it, and cancelled."""
    case.agree((Hour(day=Weekday.of(local), at=local.time()),))
    slots = case.slots()
    of_change = slots.index(local)
    case.move(slots[of_change + 1], slots[of_change + 1] + timedelta(days=2))
    case.move(slots[of_change - 1], slots[of_change - 1] + timedelta(days=2, hours=12))
    case.cancel(slots[of_change - 2], slots[of_change + 2])


def moved_into_a_change(case: Case) -> None:
    case.agree((Hour(day=Weekday.WE, at=time(11)),))
    slots = case.slots()
    for change in case.changes:
        nearest = min(slots, key=lambda slot: abs(slot - change.local))
        slots.remove(nearest)
        case.move(nearest, change.local + timedelta(minutes=30), minutes=45)


def longer_shorter_and_elsewhere(case: Case) -> None:
    case.agree()
    slots = case.slots()
    case.move(slots[4], minutes=80)
    case.move(slots[5], minutes=30)
    case.move(slots[6], modality=Modality.VIDEO)
    case.move(slots[7], slots[7] + timedelta(days=1), minutes=100)


def cancelled_and_taken_up(case: Case) -> None:
    case.agree()
    slots = case.slots()
    case.cancel(*slots[5:9])
    case.uncancel(slots[6])
    case.move(slots[6], slots[6] + timedelta(hours=2))
    case.move(slots[10], slots[10] + 2 * WEEK + timedelta(hours=1))
    case.cancel(slots[10])
    case.uncancel(slots[10])


def anything(case: Case) -> None:
    """Twenty changes drawn at random."""
    case.agree((Hour(day=Weekday.TU, at=time(10)), Hour(day=Weekday.FR, at=time(10))))
    for _ in range(20):
        any_change(case)


def any_change(case: Case) -> bool:
    """One change drawn at random; False where it is refused: taken, or not possible as things stand."""
    dice, slots = case.dice, [slot for slot in case.slots() if slot > local_time(NOW, case.zone)]
    slot = dice.choice(slots[2:-2])
    near = slot + timedelta(days=dice.choice([-8, -4, -1, 0, 1, 3, 7, 9]), hours=dice.choice([-9, -1, 0, 2]))
    hour = Hour(day=Weekday.of(near), at=near.time())
    changes: list[tuple[int, Callable[[], None]]] = [
        (5, lambda: case.move(slot, near)),
        (3, lambda: case.move(slot, slot)),
        (3, lambda: case.cover(slot, near)),
        (2, lambda: case.move(slot, therapist=case.therapist)),
        (2, lambda: case.move(slot, minutes=dice.choice([30, 80]))),
        (4, lambda: case.cancel(slot, by=dice.choice([Initiator.CLIENT, Initiator.CLINIC]))),
        (3, lambda: case.uncancel(slot)),
        (2, lambda: case.book(near)),
        (1, lambda: case.change(slots[3].date(), (hour,))),  # early: what it replaces is not changed any more
    ]
    weights, steps = zip(*changes, strict=True)
    try:
        dice.choices(steps, weights=weights)[0]()
    except Refusal:
        return False
    return True


Shape = Callable[[Case], None]
SHAPES: tuple[Shape, ...] = (
    plain,
    open_ended,
    fortnightly_from_midweek,
    every_third_sunday,
    two_times_of_day,
    the_first_two_cancelled,
    the_last_cancelled,
    all_cancelled,
    all_but_a_moved_one_cancelled,
    moved_across_each_change,
    moved_to_and_past_a_neighbour,
    neighbours_moved_onto_one_day,
    moved_and_back,
    split,
    split_and_back,
    ended_early,
    course_ended,
    covered,
    another_therapist_from_then_on,
    leave_in_weeks_of_changes,
    leave_for_parts_of_days,
    leave_beyond_what_is_booked,
    paused_and_resumed,
    ad_hoc,
    late_evenings,
    at_a_time_that_the_clocks_skip,
    at_a_time_that_they_show_twice,
    moved_into_a_change,
    longer_shorter_and_elsewhere,
    cancelled_and_taken_up,
    anything,
)


# --- a whole clinic of them


def clinic(zone: str, shapes: tuple[Shape, ...] = SHAPES) -> list[Case]:
    """One case for each shape, all at one site. Call it in the app's context."""
    site = people.add_site(name=zone, zone_name=zone, country=None, region=None, by=OPERATOR, now=NOW)
    cases = [_case(zone, site, shape) for shape in shapes]
    for case, shape in zip(cases, shapes, strict=True):
        shape(case)
    return cases


def _case(zone: str, site: str, shape: Shape) -> Case:
    name = f"{shape.__name__} in {zone}"
    return Case(
        zone=zone,
        site=site,
        name=name,
        dice=Random(name),
        therapist=people.add_therapist(name=name, site=site, by=OPERATOR, now=NOW),
        room=people.add_room(name=name, site=site, by=OPERATOR, now=NOW),
        client=clients.add(name="Client One", by=OPERATOR, now=NOW),
    )


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Whose calendar a feed shows: `shows` is therapist, room, site or client."""

    shows: str
    id: str


def subscribed(everybody: Mapping[str, Whose]) -> dict[str, str]:
    """By the name of each the secret of a new feed that a manager made. Every other one shows what was cancelled."""
    made: dict[str, str] = {}
    if any(whose.shows == "client" for whose in everybody.values()):
        feeds.let_clients_have_one(is_on=True, by=OPERATOR, now=NOW)
    for number, (name, whose) in enumerate(everybody.items()):
        if number % feed_rights.MOST == 0:
            owner = _manager(number)
        shown: dict[str, Any] = {whose.shows: whose.id}
        made[name] = feeds.create(
            name="Phone",
            **shown,
            privacy=Privacy.NAME if whose.shows == "client" else Privacy.REFERENCE,
            shows_cancelled=number % 2 == 0,
            owner=owner,
            by=OPERATOR,
            now=NOW,
        ).secret
    return made


def therapists_of(cases: Iterable[Case]) -> dict[str, Whose]:
    """All who hold an hour of these cases, by a name."""
    return {
        f"{case.name}, {'own' if number == 0 else 'other'}": Whose(shows="therapist", id=therapist)
        for case in cases
        for number, therapist in enumerate((case.therapist, *case.others))
    }


def everything_of(cases: Iterable[Case]) -> dict[str, Whose]:
    """Also the rooms, the clients and the site."""
    found = therapists_of(cases)
    for case in cases:
        found[f"{case.name}, room"] = Whose(shows="room", id=case.room)
        found[f"{case.name}, client"] = Whose(shows="client", id=case.client)
        found[case.zone] = Whose(shows="site", id=case.site)
    return found


def _manager(number: int) -> str:
    email = f"feeds-{number}@clinic.example"
    return people.add_user(name="Manager", email=email, roles=[Role.MANAGER], therapist=None, by=OPERATOR, now=NOW)


def held(whose: Whose, window: Window = WINDOW) -> Listing:
    """What the database holds for that calendar within the window: hours that take place, and leave.

    Called as the feeds are to call them: by the references of the clients, at a room and a site with the therapist.
    Read off the rows, without anything that feeds are made by.
    """
    here = _is_of(whose)
    hours = (
        select(
            AppointmentRow.id, AppointmentRow.starts_at, AppointmentRow.ends_at, TherapistRow.name, ClientRow.reference
        )
        .join(TherapistRow, TherapistRow.id == AppointmentRow.therapist_id)
        .join(CourseClientRow, CourseClientRow.course_id == AppointmentRow.course_id)
        .join(ClientRow, ClientRow.id == CourseClientRow.client_id)
        .where(here, AppointmentRow.void_at.is_(None))
        .where(AppointmentRow.status.not_in(["client_cancelled", "clinic_cancelled", "break"]))
        .order_by(ClientRow.id)
    )
    clients_of: dict[tuple[int, datetime, datetime, str], list[str]] = {}
    for number, since, until, therapist, reference in _rows(hours):
        clients_of.setdefault((number, since, until, therapist), []).append(reference)
    found = [
        (_instant(since), _instant(until), _called(whose, therapist, " + ".join(references)))
        for (_, since, until, therapist), references in clients_of.items()
    ]
    away = _rows(_AWAY.where(_is_away_of(whose)))
    return window.of([*found, *(_away(whose, _zone_of(whose), *row) for row in away)])


def _is_of(whose: Whose) -> ColumnElement[bool]:
    match whose.shows:
        case "therapist":
            return TherapistRow.public_id == whose.id
        case "room":
            return AppointmentRow.room_id.in_(_ids(RoomRow, whose))
        case "client":
            return ClientRow.public_id == whose.id
        case _:
            rooms = select(RoomRow.id).where(RoomRow.site_id.in_(_ids(SiteRow, whose)))
            by_video = and_(AppointmentRow.room_id.is_(None), TherapistRow.site_id.in_(_ids(SiteRow, whose)))
            return or_(AppointmentRow.room_id.in_(rooms), by_video)


def _ids(kind: type[RoomRow] | type[SiteRow], whose: Whose) -> Select[int]:
    return select(kind.id).where(kind.public_id == whose.id)


def _called(whose: Whose, therapist: str, clients_: str) -> str:
    return {
        "therapist": clients_,
        "client": f"Appointment with {therapist}",
        "room": f"{therapist}: {clients_}",
        "site": f"{therapist}: {clients_}",
    }[whose.shows]


_AWAY = (
    select(AbsenceRow.kind, AbsenceRow.since, AbsenceRow.until, AbsenceRow.name, TherapistRow.name)
    .outerjoin(TherapistRow, TherapistRow.id == AbsenceRow.therapist_id)
    .where(AbsenceRow.withdrawn_at.is_(None), AbsenceRow.tentative.is_(False))
)


def _is_away_of(whose: Whose) -> ColumnElement[bool]:
    """Leave of a therapist and of all who belong to a site; a closed site, a closed room. A client is told of none."""
    match whose.shows:
        case "therapist":
            return and_(AbsenceRow.kind == "leave", TherapistRow.public_id == whose.id)
        case "room":
            return and_(AbsenceRow.kind == "closure", AbsenceRow.room_id.in_(_ids(RoomRow, whose)))
        case "client":
            return false()
        case _:
            site = _ids(SiteRow, whose)
            rooms = select(RoomRow.id).where(RoomRow.site_id.in_(site))
            everywhere = and_(AbsenceRow.site_id.is_(None), AbsenceRow.room_id.is_(None))
            is_closed = and_(
                AbsenceRow.kind.in_(["closure", "holiday"]),
                or_(AbsenceRow.site_id.in_(site), AbsenceRow.room_id.in_(rooms), everywhere),
            )
            return or_(is_closed, and_(AbsenceRow.kind == "leave", TherapistRow.site_id.in_(site)))


def _away(whose: Whose, zone: str, kind: str, since: LocalTime, until: LocalTime, name: str, of: str | None) -> Listed:
    called = name or ("Away" if kind == "leave" else "Closed")
    if kind == "leave" and whose.shows == "site":
        called = f"{of}: {called}"
    if since.time() == until.time() == time():
        return since.date().isoformat(), until.date().isoformat(), called
    return _instant(instant(since, zone)), _instant(instant(until, zone)), called


def _zone_of(whose: Whose) -> str:
    """Of its site: by its clocks, leave begins and ends."""
    row: Any = {"therapist": TherapistRow, "room": RoomRow, "site": SiteRow}[whose.shows]
    site = SiteRow.id if row is SiteRow else row.site_id
    ((zone,),) = _rows(select(SiteRow.zone).where(row.public_id == whose.id, SiteRow.id == site))
    return str(zone)


def _instant(at: datetime) -> str:
    return f"{at:{UTC_FORM}}"


def _rows(query: Any) -> list[Any]:
    """Read apart from any use-case's transaction."""
    with db.engine.connect() as connection:
        return list(connection.execute(query))
