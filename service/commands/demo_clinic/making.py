"""One invented course in the making: what was agreed, and what became of each hour of it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from service.commands.demo_clinic.diary import Diary
from service.domain.appointment import Appointment, Initiator, Place, Status
from service.domain.course import CourseStatus, Ending
from service.domain.hours import Hour, LocalTime, midnight
from service.domain.recurrence import slots
from service.domain.standing import Modality, Standing
from service.usecases.demo import Away, Deviation, Entry, Guest, History, Worker

MINUTES = 50
NINE = time(9)


@dataclass(kw_only=True)
class Making:
    """`entries` are in order of slot; `now` is local."""

    diary: Diary
    now: LocalTime
    zone: str
    horizon: date
    worker: Worker
    room: str | None
    hours: tuple[Hour, ...]
    since: date
    every_weeks: int = 1
    clients: tuple[Guest, ...] = ()
    keeps_clock: bool = True
    """True where beginnings and ends of sessions are noted."""
    id: str = ""
    standings: list[Standing] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    absences: list[Away] = field(default_factory=list)
    deviations: list[Deviation] = field(default_factory=list)
    status: CourseStatus = CourseStatus.ACTIVE
    ending: Ending | None = None
    ended_on: date | None = None
    same_room: bool = False

    def __post_init__(self) -> None:
        self.id = self.new_id()
        self.opened = datetime.combine(self.since - timedelta(days=8), NINE)

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.diary.rng.getrandbits(128), version=4))

    @property
    def modality(self) -> Modality:
        return Modality.IN_PERSON if self.room else Modality.VIDEO

    # --- agreeing

    def agree(
        self, *, since: date | None = None, until: date | None = None, told_at: LocalTime | None = None, **other: object
    ) -> Standing:
        """A version of the arrangement, and an hour for each of its slots: held so far, booked from now on."""
        value = Standing(
            id=self.new_id(),
            therapist=self.worker.id,
            room=self.room,
            modality=self.modality,
            hours=self.hours,
            every_weeks=self.every_weeks,
            minutes=MINUTES,
            zone=self.zone,
            since=since or self.since,
            until=until,
            change_told_at=told_at or (None if self.standings else self.opened),
            replaces=self.standings[-1].id if self.standings else None,
            **other,  # type: ignore[arg-type]
        )
        self.standings.append(value)
        self.entries += [self._entry(value, slot) for slot in slots(value, until=midnight(self.horizon))]
        return value

    def end_standing(self, on: date) -> None:
        """The version in force ends before that day, and what it had booked later is gone."""
        self.standings[-1] = replace(self.standings[-1], until=on)
        key = self.standings[-1].id
        self.entries = [one for one in self.entries if one.value.standing != key or one.value.expected < midnight(on)]

    def _entry(self, standing: Standing, slot: LocalTime) -> Entry:
        value = Appointment(
            id=self.new_id(),
            standing=standing.id,
            slot=slot,
            starts=slot,
            minutes=MINUTES,
            zone=self.zone,
            therapist=standing.therapist,
            room=standing.room,
            modality=standing.modality,
        )
        return Entry(value=self.as_it_went(value))

    def ad_hoc(self, starts: LocalTime) -> None:
        self.diary.take(starts, self.worker.id, self.room)
        value = Appointment(
            id=self.new_id(),
            standing=None,
            slot=None,
            starts=starts,
            minutes=MINUTES,
            zone=self.zone,
            therapist=self.worker.id,
            room=self.room,
            modality=self.modality,
        )
        self.entries.append(Entry(value=self.as_it_went(value)))

    # --- what became of an hour

    @property
    def past(self) -> list[int]:
        """Places of the entries whose slot has come and gone, in order."""
        ended = [
            place
            for place, one in enumerate(self.entries)
            if one.value.expected + timedelta(minutes=MINUTES) <= self.now
        ]
        return sorted(ended, key=lambda place: self.entries[place].value.expected)

    @property
    def ahead(self) -> list[int]:
        return [place for place, one in enumerate(self.entries) if one.value.expected > self.now]

    def as_it_went(
        self, value: Appointment, *, late: int | None = None, late_by: Initiator | None = None
    ) -> Appointment:
        """Held, where it is over; with its times where those are noted."""
        if value.ends > self.now:
            return value
        if not self.keeps_clock and late is None:
            return replace(value, status=Status.HELD)
        began = value.starts + timedelta(minutes=self.diary.rng.choice((0, 0, 1, 2, 3)) if late is None else late)
        return replace(value, status=Status.HELD, began=began, finished=value.ends, late_by=late_by)

    def _open(self, place: int) -> Appointment:
        return replace(self.entries[place].value, status=Status.SCHEDULED, began=None, finished=None, late_by=None)

    def put(self, place: int, value: Appointment, *, reason: str | None = None, keeps_hour: bool = False) -> None:
        self.entries[place] = Entry(value=value, reason=reason, keeps_hour=keeps_hour)

    def lose(self, place: int, by: Initiator, ahead: timedelta | None, reason: str, *, as_break: bool = False) -> None:
        """It was called off so long before its slot; None: the client was not told."""
        value = self._open(place)
        told_at = None if ahead is None else min(value.expected - ahead, self.now)
        self.put(place, value.cancel(by=by, as_break=as_break, told_at=told_at), reason=reason)

    def close(self, place: int, told_at: LocalTime | None, reason: str) -> None:
        """Somebody or some place was away."""
        value = self._open(place).cancel(by=Initiator.CLINIC, as_break=True, told_at=told_at)
        self.put(place, value, reason=reason)

    def rest(self, place: int, told_at: LocalTime, *, keeps_hour: bool) -> None:
        """It rests by agreement."""
        value = self._open(place).cancel(by=Initiator.MUTUAL, as_break=True, told_at=told_at)
        self.put(place, value, reason="pause", keeps_hour=keeps_hour)

    def mark_as_ending(self, place: int) -> None:
        self.put(place, replace(self.entries[place].value, ending_session=True))

    def miss(self, place: int, status: Status = Status.NO_SHOW) -> None:
        self.put(place, replace(self._open(place), status=status))

    def forget_mark(self, place: int) -> None:
        self.put(place, self._open(place))

    def late(self, place: int, minutes: int, by: Initiator) -> None:
        self.put(place, self.as_it_went(self._open(place), late=minutes, late_by=by))

    def move(
        self,
        place: int,
        by: Initiator,
        *,
        ahead: timedelta = timedelta(days=5),
        days: tuple[int, ...] = (1, -1, 2, -2, 0),
    ) -> bool:
        """To a free hour on one of the days counted from its slot; False where there is none."""
        value = self._open(place)
        found = self.diary.near(value.expected, self.worker, value.room, days=days)
        if found is None:
            return False
        self.move_to(place, *found, by=by, ahead=ahead)
        return True

    def move_to(
        self,
        place: int,
        starts: LocalTime,
        room: str | None,
        *,
        by: Initiator,
        ahead: timedelta = timedelta(days=5),
        worker: Worker | None = None,
    ) -> None:
        value = self._open(place)
        whose = (worker or self.worker).id
        there = Place(
            starts=starts,
            minutes=MINUTES,
            therapist=whose,
            room=room,
            modality=Modality.IN_PERSON if room else Modality.VIDEO,
        )
        told_at = min(min(value.expected, starts) - ahead, self.now)
        moved = value.move_to(there, by=by, told_at=told_at, reason="illness" if by is Initiator.CLINIC else "work")
        self.diary.take(starts, whose, room)
        self.put(place, self.as_it_went(moved))

    def cover(self, place: int, *, ahead: timedelta = timedelta(days=6)) -> bool:
        value = self.entries[place].value
        instead = self.diary.cover(value.expected, self.worker.id)
        if instead is None:
            return False
        self.move_to(place, value.starts, value.room, by=Initiator.CLINIC, ahead=ahead, worker=instead)
        return True

    def by_video(self, place: int) -> None:
        if self.entries[place].value.room:
            self.move_to(place, self.entries[place].value.starts, None, by=Initiator.CLIENT)

    def other_room(self, place: int) -> bool:
        value = self.entries[place].value
        room = value.room and self.diary.another_room(value.starts, value.room)
        if not room:
            return False
        self.move_to(place, value.starts, room, by=Initiator.CLINIC)
        return True

    def deviate(self, name: str, value: str, reason: str) -> None:
        until = self.now.date() + timedelta(days=365)
        self.deviations.append(Deviation(name=name, value=value, reason=reason, until=until))

    def within(self, since: LocalTime, until: LocalTime) -> Iterator[int]:
        """Places of the entries that start in the span and are still as agreed."""
        for place, one in enumerate(self.entries):
            value = one.value
            if since <= value.starts < until and not value.changes and not value.is_cancelled:
                yield place

    # --- done

    def history(self) -> History:
        return History(
            id=self.id,
            clients=self.clients,
            therapist=self.worker.id,
            opened=self.opened,
            standings=tuple(self.standings),
            entries=tuple(self.entries),
            status=self.status,
            ending=self.ending,
            ended_on=self.ended_on,
            same_room=self.same_room,
            deviations=tuple(self.deviations),
        )
