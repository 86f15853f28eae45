"""One dated hour: it fills a slot of a standing, or stands alone (ad hoc).

The slot never changes: it is the local time that the standing expected. `starts` may differ from it. A make-up
session is the same appointment with another `starts`, never a cancelled one and an extra one.
"""

import enum
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from service.domain.hours import LocalTime, Span, span_of
from service.domain.phrase import say
from service.domain.refusals import Conflict, Malformed
from service.domain.standing import Modality


class Status(enum.StrEnum):
    SCHEDULED = "scheduled"
    HELD = "held"
    CLIENT_CANCELLED = "client_cancelled"
    NO_SHOW = "no_show"
    LATE_NOT_SEEN = "late_not_seen"
    CLINIC_CANCELLED = "clinic_cancelled"
    BREAK = "break"


FREEING = frozenset({Status.CLIENT_CANCELLED, Status.CLINIC_CANCELLED, Status.BREAK})
"""States that hold nobody: the hour is free for somebody else."""
CANCELLED = FREEING
_SAID = {
    Status.SCHEDULED: say("scheduled"),
    Status.HELD: say("held"),
    Status.CLIENT_CANCELLED: say("client cancelled"),
    Status.NO_SHOW: say("no show"),
    Status.LATE_NOT_SEEN: say("late not seen"),
    Status.CLINIC_CANCELLED: say("clinic cancelled"),
    Status.BREAK: say("break"),
}
"""Each as it stands in a sentence."""


class Initiator(enum.StrEnum):
    """Whose doing a change was: a fact, not a fault."""

    CLIENT = "client"
    CLINIC = "clinic"
    MUTUAL = "mutual"
    UNKNOWN = "unknown"


class Mark(enum.StrEnum):
    """What the front desk notes about an hour as it goes by."""

    ARRIVED = "arrived"
    HELD = "held"
    LATE = "late"
    """Held, and begun late."""
    NO_SHOW = "no_show"
    LATE_NOT_SEEN = "late_not_seen"
    UNMARKED = "unmarked"
    """Take the mark back."""


class Attribute(enum.StrEnum):
    """What of an appointment a change touches."""

    TIME = "time"
    THERAPIST = "therapist"
    ROOM = "room"
    MODALITY = "modality"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change that a client lives through, with who asked and when they were told."""

    what: Attribute
    was: str | None
    """Local time in ISO 8601, public id, or modality."""
    now: str | None
    told_at: LocalTime | None
    by: Initiator
    reason: str | None = None

    @property
    def undone(self) -> tuple[str, object]:
        """The field of the appointment that it touched, and what that held before."""
        if self.what is Attribute.TIME:
            return "starts", LocalTime.fromisoformat(self.was or "")
        if self.what is Attribute.MODALITY:
            return "modality", Modality(str(self.was))
        return self.what.value, self.was


class CannotMove(Conflict):
    """Only an hour that is still to come, or unmarked, can be moved."""


class CannotCancel(Conflict):
    """Only an hour that is still booked can be cancelled."""


class CannotUncancel(Conflict):
    """Only a cancelled hour can be taken up again."""


class CannotMark(Conflict):
    """The mark does not fit what is recorded or what time it is."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """When, how long, with whom and where: all that a move can change."""

    starts: LocalTime
    minutes: int
    therapist: str
    room: str | None
    modality: Modality

    def __post_init__(self) -> None:
        if self.starts.tzinfo is not None:
            raise Malformed(say("A start is a local time without an offset."), where="starts")
        if not 5 <= self.minutes <= 720:
            raise Malformed(say("A session lasts 5 to 720 minutes."), where="minutes")
        if self.modality is Modality.VIDEO and self.room is not None:
            raise Malformed(say("A session by video has no room."), where="room")


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """See the module's text. All times are local, in `zone`."""

    id: str
    standing: str | None
    slot: LocalTime | None
    starts: LocalTime
    minutes: int
    zone: str
    therapist: str
    room: str | None
    modality: Modality
    status: Status = Status.SCHEDULED
    by: Initiator | None = None
    """Whose doing it was that it did not take place, where known."""
    told_at: LocalTime | None = None
    """When the client was told that it would not take place."""
    began: LocalTime | None = None
    finished: LocalTime | None = None
    changes: tuple[Change, ...] = ()
    late_by: Initiator | None = None
    ending_session: bool = False

    @property
    def ends(self) -> LocalTime:
        """Planned end on the wall, as far as elapsed minutes go."""
        return self.starts + timedelta(minutes=self.minutes)

    @property
    def expected(self) -> LocalTime:
        """Where it stands in the order of the course: its slot, or its start where it fills none."""
        return self.slot or self.starts

    @property
    def is_held(self) -> bool:
        return self.status is Status.HELD

    @property
    def is_cancelled(self) -> bool:
        return self.status in CANCELLED

    @property
    def is_occupying(self) -> bool:
        return self.status not in FREEING

    @property
    def place(self) -> Place:
        return Place(
            starts=self.starts,
            minutes=self.minutes,
            therapist=self.therapist,
            room=self.room,
            modality=self.modality,
        )

    @property
    def span(self) -> Span:
        return span_of(self.starts, self.minutes, self.zone)

    def move_to(self, place: Place, *, by: Initiator, reason: str | None, told_at: LocalTime | None) -> "Appointment":
        """The appointment at its new place, with one change on record for each thing that differs.

        :raises CannotMove: it is not booked any more, or nothing would change.
        """
        if self.status is not Status.SCHEDULED:
            raise CannotMove(say("It is {status}, so it can't be moved.", status=_SAID[self.status]))
        changes = tuple(
            Change(what=what, was=was, now=now, told_at=told_at, by=by, reason=reason)
            for what, was, now in _differences(self.place, place)
        )
        if not changes and place.minutes == self.minutes:
            raise CannotMove(say("It is already there: nothing would change."))
        return replace(
            self,
            starts=place.starts,
            minutes=place.minutes,
            therapist=place.therapist,
            room=place.room,
            modality=place.modality,
            changes=self.changes + changes,
        )

    def moved_back(self, *, changes: int, minutes: int) -> "Appointment":
        """The appointment without its last `changes` changes, `minutes` long: as if it had never been moved.

        :raises CannotMove: it is not booked any more.
        """
        if self.status is not Status.SCHEDULED:
            raise CannotMove(say("It is {status}, so it can't be moved.", status=_SAID[self.status]))
        kept, gone = self.changes[: len(self.changes) - changes], self.changes[len(self.changes) - changes :]
        before: dict[str, Any] = dict(change.undone for change in reversed(gone))
        return replace(self, **before, minutes=minutes, changes=kept)

    def cancel(self, *, by: Initiator, as_break: bool, told_at: LocalTime | None) -> "Appointment":
        """The appointment, not taking place.

        :raises CannotCancel: it is not booked any more.
        """
        if self.status is not Status.SCHEDULED:
            raise CannotCancel(say("It is {status}, so it can't be cancelled.", status=_SAID[self.status]))
        status = Status.CLIENT_CANCELLED if by is Initiator.CLIENT else Status.CLINIC_CANCELLED
        return replace(self, status=Status.BREAK if as_break else status, by=by, told_at=told_at)

    def uncancel(self) -> "Appointment":
        """The appointment, booked again at the same place; whether that is still free is for the store to say.

        :raises CannotUncancel: it was not cancelled.
        """
        if not self.is_cancelled:
            raise CannotUncancel(say("It was not cancelled."))
        return replace(self, status=Status.SCHEDULED, by=None, told_at=None)

    def marked(
        self, mark: Mark, *, at: LocalTime, finished: LocalTime | None = None, late_by: Initiator | None = None
    ) -> "Appointment":
        """The appointment with what happened; `at` is when it began (arrived, late) or when the mark is made.

        `finished` is when it ended, where somebody looked at the clock.

        :raises CannotMark: it was cancelled, has not come yet, or can't have ended then.
        """
        if self.is_cancelled:
            raise CannotMark(say("It was cancelled, so there is nothing to mark."))
        if mark is not Mark.UNMARKED and at < self.starts - (_EARLIEST if mark is Mark.ARRIVED else timedelta()):
            raise CannotMark(say("It has not begun yet."))
        if mark is Mark.ARRIVED:
            return replace(self, status=Status.SCHEDULED, began=max(at, self.starts), late_by=late_by)
        if mark is Mark.LATE:
            late = replace(self, status=Status.HELD, began=at, late_by=late_by or Initiator.UNKNOWN)
            return late.ended(finished) if finished else late
        if mark is Mark.HELD:
            held = replace(self, status=Status.HELD)
            return held.ended(finished) if finished else held
        if finished is not None:
            raise CannotMark(say("Only an hour that was held has an end."))
        status = {Mark.NO_SHOW: Status.NO_SHOW, Mark.LATE_NOT_SEEN: Status.LATE_NOT_SEEN}.get(mark, Status.SCHEDULED)
        return replace(self, status=status, began=None, finished=None, late_by=None)

    def ended(self, at: LocalTime) -> "Appointment":
        """The appointment with its end on record; where nobody noted when it began, it began at its hour.

        :raises CannotMark: before it began.
        """
        began = self.began or self.starts
        if at <= began:
            raise CannotMark(say("It can't have ended before it began."))
        return replace(self, began=began, finished=at)


_EARLIEST = timedelta(hours=2)
"""How long before its start somebody may already have arrived."""


def _differences(old: Place, new: Place) -> list[tuple[Attribute, str | None, str | None]]:
    pairs = [
        (Attribute.TIME, old.starts.isoformat(timespec="minutes"), new.starts.isoformat(timespec="minutes")),
        (Attribute.THERAPIST, old.therapist, new.therapist),
        (Attribute.ROOM, old.room, new.room),
        (Attribute.MODALITY, old.modality.value, new.modality.value),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]
