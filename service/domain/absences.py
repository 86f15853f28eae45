"""When somebody or some place is not there: leave, closures, public holidays, and pauses of one course."""

import enum
from dataclasses import dataclass

from service.domain.hours import LocalTime
from service.domain.phrase import say
from service.domain.refusals import Malformed


class AbsenceKind(enum.StrEnum):
    LEAVE = "leave"
    """A therapist is away."""
    CLOSURE = "closure"
    """A room, a site, or the whole clinic is closed."""
    HOLIDAY = "holiday"
    """A public holiday of a site's country and region; an editable closure."""
    PAUSE = "pause"
    """One course rests, by agreement; the hour is kept or freed."""


class CannotBeAway(Malformed):
    """The absence makes no sense as it stands."""


@dataclass(frozen=True, kw_only=True)
class Absence:
    """Half-open, in local time. `told_at` is when the client of the course at hand was told."""

    kind: AbsenceKind
    since: LocalTime
    until: LocalTime
    therapist: str | None = None
    """Whose leave it is; None for a closure, a holiday or a pause."""
    room: str | None = None
    """The one room that is closed; None where the whole place is."""
    told_at: LocalTime | None = None
    tentative: bool = False
    """Asked for but not approved: it is shown, and it alarms nobody."""
    id: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if self.until <= self.since:
            raise CannotBeAway(say("An absence ends after it begins."), where="until")
        if self.kind is AbsenceKind.LEAVE and self.therapist is None:
            raise CannotBeAway(say("A leave belongs to a therapist."), where="therapist")

    def covers(self, starts: LocalTime, ends: LocalTime) -> bool:
        """True where a session of that span can't take place because of it, as far as time alone goes."""
        return self.since < ends and starts < self.until

    def concerns(self, *, therapist: str, room: str | None) -> bool:
        """True where a session with that therapist in that room (None: by video) depends on who is absent."""
        if self.kind is AbsenceKind.LEAVE:
            return therapist == self.therapist
        if self.room is not None:
            return room == self.room
        return True
