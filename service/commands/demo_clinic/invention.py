"""The invented clinic as a whole: who works there, what was agreed, who was away, and what chance did to the rest."""

import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from random import Random

import holidays

from service.commands.demo_clinic import names
from service.commands.demo_clinic.diary import OPEN, SHUT, Diary
from service.commands.demo_clinic.making import Making
from service.commands.demo_clinic.stories import CLIENT, CLINIC, DAY, STORIES, WEEK, Story
from service.domain.absences import Absence, AbsenceKind
from service.domain.access import Role
from service.domain.hours import Hour, Instant, LocalTime, Weekday, local_time, midnight, monday_of
from service.usecases.demo import Away, Clinic, Guest, Member, Worker

ZONE, COUNTRY, REGION = "Europe/Berlin", "DE", "BE"
WORKDAYS = (Weekday.MO, Weekday.TU, Weekday.WE, Weekday.TH, Weekday.FR)
CLIENTS_A_THERAPIST = 65 / 3
ROOMS_A_THERAPIST = 2 / 3
SHARE_BEHIND = 0.65
"""Of the weeks that are asked for; what lies ahead is always booked up to the horizon."""


def invent(*, therapists: int, weeks: int, seed: int, horizon: timedelta, now: Instant) -> Clinic:
    """The same clinic for the same arguments and day. Nobody in it is held twice."""
    return _Invention(therapists=therapists, weeks=weeks, seed=seed, horizon=horizon, now=now).clinic()


class _Invention:
    def __init__(self, *, therapists: int, weeks: int, seed: int, horizon: timedelta, now: Instant) -> None:
        self.rng = Random(seed)  # noqa: S311  an invention is to be repeatable, not secret
        self.now = local_time(now, ZONE)
        self.monday = monday_of(self.now.date())
        self.behind = max(10, round(weeks * SHARE_BEHIND))
        self.horizon = (self.now + horizon).date()
        self.workers = tuple(self._workers(therapists))
        count = max(3, round(therapists * ROOMS_A_THERAPIST))
        self.rooms = tuple((self._id(), name) for name in islice(names.rooms(), count))
        self.diary = Diary(workers=self.workers, rooms=tuple(room for room, _name in self.rooms), rng=self.rng)
        self.guests = self._guests()
        self.courses: list[Making] = []
        self.absences: list[Away] = []

    def clinic(self) -> Clinic:
        # Everybody's hour of the week first: what is moved later finds its place between them.
        agreed = list(self._agreed(round(len(self.workers) * CLIENTS_A_THERAPIST)))
        for course, story in agreed:
            story(course)
        self.courses = [course for course, _story in agreed]
        self._close_on_holidays()
        for place, worker in enumerate(self.workers):
            for since, until, told, told_all in _leave(place, self.monday):
                self._send_away(worker, since, until, told, told_all)
        self._close_once()
        for course in self.courses:
            self.absences += course.absences
        return Clinic(
            site="Quiet Corner",
            zone=ZONE,
            country=COUNTRY,
            region=REGION,
            rooms=self.rooms,
            therapists=self.workers,
            users=tuple(self._users()),
            courses=tuple(course.history() for course in self.courses),
            absences=tuple(self.absences),
            horizon=self.horizon,
        )

    # --- who is there

    def _id(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def _workers(self, count: int) -> Iterator[Worker]:
        day = date(2000, 1, 1)
        for place, name in enumerate(islice(names.therapists(), count)):
            worked = [one for one in WORKDAYS if one != WORKDAYS[(place * 2 + 4) % 5]]
            hours = tuple((one, datetime.combine(day, OPEN), datetime.combine(day, SHUT)) for one in worked)
            yield Worker(id=self._id(), name=name, hours=hours)

    def _guests(self) -> Iterator[Guest]:
        for number, name in enumerate(names.clients(), 1):
            has_phone = self.rng.random() < 0.7
            yield Guest(
                name=name, email=f"client.{number}@example.org", phone=f"030 555 {number:04d}" if has_phone else None
            )

    def _users(self) -> Iterator[Member]:
        yield Member(name="Front Desk", email="desk@example.org", roles=(Role.FRONT_DESK,))
        yield Member(name="Clinic Manager", email="manager@example.org", roles=(Role.MANAGER,))
        yield Member(name="Admin", email="admin@example.org", roles=(Role.ADMIN,))
        for worker in self.workers:
            address = worker.name.lower().replace(" ", ".")
            yield Member(name=worker.name, email=f"{address}@example.org", roles=(Role.THERAPIST,), therapist=worker.id)

    # --- what was agreed

    def _agreed(self, count: int) -> Iterator[tuple[Making, Story]]:
        told = [worker for place, worker in enumerate(self.workers) if not _is_often_away(place)] or self.workers
        for number in range(count):
            story = STORIES[number] if number < len(STORIES) else None
            worker = told[number % len(told)] if story else self.workers[number % len(self.workers)]
            course = self._course(worker, number, story)
            if course is not None:
                yield course, story or self._by_chance

    def _course(self, worker: Worker, number: int, story: Story | None) -> Making | None:
        is_twice = story is None and number % 17 == 3
        is_video = story is None and number % 11 == 5
        hours = self._hours(worker, is_twice=is_twice, is_video=is_video, for_steps=story is not None)
        if hours is None:
            return None
        chosen, room = hours
        back = self.behind if story else self.rng.randint(2, self.behind)
        course = Making(
            diary=self.diary,
            now=self.now,
            zone=ZONE,
            horizon=self.horizon,
            worker=worker,
            room=room,
            hours=chosen,
            since=self.monday - back * WEEK,
            every_weeks=2 if story is None and number % 7 == 4 and not is_twice else 1,
            clients=tuple(next(self.guests) for _ in range(2 if story is None and number % 40 == 8 else 1)),
            keeps_clock=number % 2 == 0,
        )
        self.diary.keep(chosen, worker.id, room)
        return course

    def _hours(
        self, worker: Worker, *, is_twice: bool, is_video: bool, for_steps: bool
    ) -> tuple[tuple[Hour, ...], str | None] | None:
        home = self.diary.rooms[self.workers.index(worker) % len(self.diary.rooms)]
        for hour in self.diary.hours_of(worker):
            also = Hour(day=Weekday((hour.day + 3) % 5), at=hour.at)
            hours = (hour, also) if is_twice else (hour,)
            works = {day for day, _since, _until in worker.hours}
            steps_back = Weekday((hour.day + 3) % 7)  # four days earlier, as the story of uneven steps needs it
            if for_steps and steps_back not in works:
                continue
            if not all(one.day in works and self.diary.is_free_weekly(worker.id, one) for one in hours):
                continue
            if is_video:
                return hours, None
            room = self.diary.room_for(hours, rather=home)
            if room:
                return tuple(sorted(hours)), room
        return None

    # --- what chance did

    def _by_chance(self, course: Making) -> None:
        course.agree()
        for place in course.past:
            self._chance(course, place)
        for place in course.ahead[:8]:
            if self.rng.random() < 0.03:
                course.move(place, self.rng.choice((CLIENT, CLINIC)))
            elif self.rng.random() < 0.015:
                course.lose(place, CLIENT, timedelta(days=90), "travel")
        for place in course.past[-1:]:
            is_recent = course.entries[place].value.ends > self.now - timedelta(hours=40)
            if is_recent and course.entries[place].value.is_held and self.rng.random() < 0.5:
                course.forget_mark(place)

    def _chance(self, course: Making, place: int) -> None:
        chance = self.rng.random()
        if chance < 0.025:
            course.lose(place, CLIENT, self.rng.choice((1, 2, 4, 16)) * DAY, self.rng.choice(("illness", "work")))
        elif chance < 0.032:
            course.miss(place)
        elif chance < 0.04:
            course.lose(place, CLINIC, self.rng.choice((0.2, 2, 5)) * DAY, "illness")
        elif chance < 0.06:
            course.move(place, CLIENT, ahead=self.rng.choice((1, 3, 6)) * DAY)
        elif chance < 0.07:
            course.move(place, CLINIC, ahead=self.rng.choice((3, 6)) * DAY)
        elif chance < 0.075:
            course.cover(place)
        elif chance < 0.085:
            course.by_video(place)
        elif chance < 0.095:
            course.other_room(place)
        elif chance < 0.11 and course.keeps_clock:
            course.late(place, self.rng.choice((6, 11, 13)), CLIENT)

    # --- who was away

    def _close_on_holidays(self) -> None:
        first = min((course.since for course in self.courses), default=self.monday)
        years = range(first.year, self.horizon.year + 1)
        for day, name in sorted(holidays.country_holidays(COUNTRY, subdiv=REGION, years=years).items()):
            value = self._absence(AbsenceKind.HOLIDAY, midnight(day), midnight(day + DAY), name=str(name))
            entered = midnight(first - 10 * DAY)
            self.absences.append(Away(value=value, entered=entered, source=day.isoformat()))
            for course in self.courses:
                for place in list(course.within(value.since, value.until)):
                    course.close(place, course.opened, "holiday")

    def _close_once(self) -> None:
        since = midnight(self.monday - 9 * WEEK + 4 * DAY)
        value = self._absence(AbsenceKind.CLOSURE, since, since + DAY, name="Training day")
        told = {}
        for course in self.courses:
            for place in list(course.within(since, since + DAY)):
                if course.entries[place].value.room:
                    told[course.id] = max(course.opened, since - 30 * DAY)
                    course.close(place, told[course.id], "leave")
        self.absences.append(Away(value=value, entered=since - 40 * DAY, told=told))

    def _send_away(
        self, worker: Worker, since: LocalTime, until: LocalTime, told_before: timedelta | None, told_all: bool
    ) -> None:
        """What was told is let go, and what was not stays booked and at risk; what is over did not take place."""
        value = self._absence(AbsenceKind.LEAVE, since, until, therapist=worker.id)
        told = {}
        for number, course in enumerate(self.courses):
            places = [
                place for place in course.within(since, until) if course.entries[place].value.therapist == worker.id
            ]
            if not places:
                continue
            if told_before is not None and (told_all or number % 2):
                told[course.id] = max(course.opened, min(since - told_before, self.now - DAY))
            for place in places:
                if course.id in told:
                    course.close(place, told[course.id], "leave")
                elif until <= self.now:
                    course.close(place, None, "leave")
        entered = min(since - 40 * DAY, self.now - 25 * DAY)
        self.absences.append(Away(value=value, entered=entered, told=told))

    def _absence(
        self, kind: AbsenceKind, since: LocalTime, until: LocalTime, *, name: str = "", therapist: str | None = None
    ) -> Absence:
        return Absence(id=self._id(), kind=kind, since=since, until=until, name=name, therapist=therapist)


def _is_often_away(place: int) -> bool:
    """Their courses show the signals of leave; the other stories are told where nothing covers them."""
    return place % 12 in {5, 9}


def _leave(place: int, monday: date) -> Iterator[tuple[LocalTime, LocalTime, timedelta | None, bool]]:
    """For each leave of the therapist: since, until, how long before it the clients were told, and whether all were."""
    week = midnight(monday) + (place % 4 - 12) * WEEK
    yield week, week + WEEK, 30 * DAY, True
    if place % 12 == 5:
        since = midnight(monday) + 2 * WEEK
        yield since, since + 2 * WEEK, None, False
    elif place % 12 == 9:
        since = midnight(monday) + 4 * WEEK
        yield since, since + 4 * WEEK, 45 * DAY, True
    elif place % 3 == 1:
        since = midnight(monday) + 11 * WEEK
        yield since, since + WEEK, 80 * DAY, False
