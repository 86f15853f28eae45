"""Who is taken when in the invented clinic: whole hours of the week held for good, and single ones."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from service.domain.hours import Hour, LocalTime, Weekday
from service.usecases.demo import Worker

FIRST_HOUR, LAST_HOUR = 8, 17
OPEN, SHUT = time(FIRST_HOUR), time(LAST_HOUR + 1)
HOUR = timedelta(hours=1)


@dataclass(kw_only=True)
class Diary:
    """Everything begins on the hour and lasts less than one, so two hours clash only where they begin together."""

    workers: tuple[Worker, ...]
    rooms: tuple[str, ...]
    rng: Random
    weekly: set[tuple[str, int]] = field(default_factory=set)
    single: set[tuple[str, LocalTime]] = field(default_factory=set)
    touched: set[tuple[str, int]] = field(default_factory=set)
    """Hours of the week in which a single one lies."""

    def hours_of(self, worker: Worker) -> list[Hour]:
        """Every hour of the week that the therapist works, in an order of chance."""
        found = [Hour(day=day, at=time(clock)) for day, _since, _until in worker.hours for clock in _clock_hours()]
        self.rng.shuffle(found)
        return found

    def is_free_weekly(self, who: str, hour: Hour) -> bool:
        """For good: neither held by somebody else, nor taken even once."""
        key = who, hour.minute_of_week
        return key not in self.weekly and key not in self.touched

    def room_for(self, hours: tuple[Hour, ...], *, rather: str) -> str | None:
        """A room that is free at all of these hours, the wished one first; None where there is none."""
        rest = [room for room in self.rooms if room != rather]
        return next((room for room in (rather, *rest) if all(self.is_free_weekly(room, hour) for hour in hours)), None)

    def keep(self, hours: tuple[Hour, ...], *who: str | None) -> None:
        """Hold these hours of the week for good."""
        self.weekly |= {(one, hour.minute_of_week) for one in who if one for hour in hours}

    def is_free(self, who: str, starts: LocalTime) -> bool:
        return (who, starts) not in self.single and (who, _hour_of(starts).minute_of_week) not in self.weekly

    def take(self, starts: LocalTime, *who: str | None) -> None:
        self.single |= {(one, starts) for one in who if one}
        self.touched |= {(one, _hour_of(starts).minute_of_week) for one in who if one}

    def near(
        self, slot: LocalTime, worker: Worker, room: str | None, *, days: tuple[int, ...] = (0, 1, -1, 2, -2, 3, -3)
    ) -> tuple[LocalTime, str | None] | None:
        """A free hour within working time on one of the days counted from the slot, with a free room; not the slot."""
        for shift in days:
            day = slot.date() + timedelta(days=shift)
            if Weekday.of(day) not in {worked for worked, _since, _until in worker.hours}:
                continue
            for clock in sorted(_clock_hours(), key=lambda hour: abs(hour - slot.hour)):
                starts = datetime.combine(day, time(clock))
                if starts != slot and self.is_free(worker.id, starts):
                    found = room if room is None else self._free_room(starts, room)
                    if room is None or found:
                        return starts, found
        return None

    def _free_room(self, starts: LocalTime, rather: str) -> str | None:
        rest = [room for room in self.rooms if room != rather]
        return next((room for room in (rather, *rest) if self.is_free(room, starts)), None)

    def another_room(self, starts: LocalTime, than: str) -> str | None:
        return next((room for room in self.rooms if room != than and self.is_free(room, starts)), None)

    def cover(self, starts: LocalTime, than: str) -> Worker | None:
        """Another therapist who works then and is free."""
        able = [
            worker
            for worker in self.workers
            if worker.id != than
            and Weekday.of(starts) in {day for day, _since, _until in worker.hours}
            and self.is_free(worker.id, starts)
        ]
        return self.rng.choice(able) if able else None


def _clock_hours() -> Iterator[int]:
    yield from range(FIRST_HOUR, LAST_HOUR + 1)


def _hour_of(starts: LocalTime) -> Hour:
    return Hour(day=Weekday.of(starts), at=starts.time())
