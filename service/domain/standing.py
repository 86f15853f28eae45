"""A standing appointment: one agreed version of the arrangement.

A lasting change of anything in it (the hour, the therapist, the room, the cadence) ends this version and opens a
new one that `replaces` it. Sessions are judged against the version in force at their slot, so that an agreed change
never looks like a broken promise.
"""

import enum
from dataclasses import dataclass
from datetime import date

from service.domain.hours import Hour, LocalTime
from service.domain.phrase import say
from service.domain.refusals import Malformed


class Modality(enum.StrEnum):
    IN_PERSON = "in_person"
    VIDEO = "video"


class CannotAgree(Malformed):
    """The arrangement makes no sense as it stands."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Therapist, hours of the week, cadence, length, room and modality, from a day until a day."""

    id: str
    therapist: str
    room: str | None
    """None by video."""
    modality: Modality
    hours: tuple[Hour, ...]
    """Sorted by weekday and time; never empty."""
    every_weeks: int
    """1 weekly, 2 fortnightly; counted from the week that holds `since`."""
    minutes: int
    """Planned length, elapsed minutes."""
    zone: str
    """The site's zone, also by video."""
    since: date
    until: date | None
    """The first day that it no longer holds; None while open-ended."""
    change_told_at: LocalTime | None = None
    """When the client was told of the change that opened this version."""
    sessions_planned: int | None = None
    """Of the whole course, where an end is agreed by number."""
    ending_told: bool = False
    usual_therapists: tuple[str, ...] = ()
    """All who count as usual in co-therapy; empty where `therapist` alone does."""
    hybrid: tuple[Modality, ...] = ()
    """The agreed pattern of modalities in turn; empty where there is one."""
    replaces: str | None = None

    def __post_init__(self) -> None:
        if not self.hours:
            raise CannotAgree(say("A standing needs at least one hour of the week."), where="hours")
        if len(set(self.hours)) < len(self.hours):
            raise CannotAgree(say("The same hour of the week is named twice."), where="hours")
        if list(self.hours) != sorted(self.hours):
            object.__setattr__(self, "hours", tuple(sorted(self.hours)))
        if not 1 <= self.every_weeks <= 52:
            raise CannotAgree(say("A standing recurs every 1 to 52 weeks."), where="every_weeks")
        if not 5 <= self.minutes <= 720:
            raise CannotAgree(say("A session lasts 5 to 720 minutes."), where="minutes")
        if self.until is not None and self.until < self.since:
            raise CannotAgree(say("A standing can't end before it begins."), where="until")
        if self.modality is Modality.VIDEO and self.room is not None:
            raise CannotAgree(say("A session by video has no room."), where="room")

    @property
    def therapists(self) -> tuple[str, ...]:
        """Everybody who counts as the usual therapist."""
        return self.usual_therapists or (self.therapist,)

    def is_in_force(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)
