"""What programs elsewhere can be told of: a closed list, and which change makes which event.

An event says that something changed and what it is called, never what it is now: whoever is told asks for it by its
id, with rights of their own. So the order in which events arrive does not matter, and no name leaves the house.

One event for what a person did once: an absence that frees forty hours is one `absence.released`, a standing that is
booked further ahead one `standing.extended`, a course out of an old book one `course.imported`. Whoever keeps a copy of
the hours reads those of the course again.
"""

from collections.abc import Mapping, Sequence

from service.domain.phrase import Phrase, say
from service.domain.web_address import WHY_NOT_REACHED

EVERYTHING = "*"
"""Every event, also those that a later release adds."""
PING = "ping"
"""Sent by the test button alone."""
IMPORTED = "course.imported"

EVENTS: Mapping[str, Phrase] = {
    "appointment.booked": say("A single hour was booked."),
    "appointment.moved": say("An hour has another time, therapist, room or form."),
    "appointment.cancelled": say("An hour will not take place."),
    "appointment.restored": say("A cancelled hour stands again."),
    "appointment.marked": say("It was noted what became of an hour, or that was taken back."),
    "appointment.told": say("The client has been told of a change."),
    "standing.agreed": say("A standing appointment was agreed; its hours are booked."),
    "standing.changed": say("A new version replaces an earlier one from a day on; its hours are booked."),
    "standing.ended": say("A standing appointment ends on a day; its later hours are free."),
    "standing.extended": say("Hours of a standing appointment were booked further ahead."),
    "absence.added": say("Leave, a closure or a public holiday was entered. Hours in it stay until somebody decides."),
    "absence.withdrawn": say("An absence does not happen."),
    "absence.told": say("The client of one course has been told of an absence."),
    "absence.released": say("Hours in an absence were let go; each is a break now."),
    "course.opened": say("A course was opened."),
    "course.ended": say("A course ends on a day; its later hours are free."),
    "course.paused": say("A course rests for some time; its hours in it are breaks."),
    "course.resumed": say("A course goes on; its hours are booked again as far as they are free."),
    "course.settled": say("A rest began or ended, or a course ended, because its day has come."),
    "course.retimed": say("A time-zone law changed: hours of a course have other instants, and their old local times."),
    IMPORTED: say("Standing appointments and single hours of a course came out of an old book."),
    "alert.opened": say("There is something to look at in a course."),
    "alert.changed": say("An alert has another level or another reason."),
    "alert.cleared": say("An alert cleared by itself."),
    "alert.acknowledged": say("Somebody takes care of it."),
    "alert.snoozed": say("An alert is quiet until a day."),
    "alert.agreed": say("What the alert is about was agreed."),
    "alert.reopened": say("An answer to an alert was taken back."),
    "alert.judged": say("Somebody said whether an alert was useful."),
}
"""Each event, and what it means."""

IDS: Mapping[str, Sequence[str]] = {
    "appointment": ("appointment", "course"),
    "standing": ("standing", "course"),
    "absence": ("absence",),
    "course": ("course",),
    "alert": ("alert", "course"),
}
"""Whose public ids an event carries, by the word it begins with."""

FAULTS: Mapping[str, Phrase] = {
    "address": say("The address is not one that may be sent to."),
    **WHY_NOT_REACHED,
    "redirect": say("It wants to lead elsewhere, and nobody follows."),
    "refused": say("It did not take it."),
    "gone": say("It said that it is gone."),
}
"""Why a message was not delivered."""

_MADE_BY: Mapping[tuple[str, str], str | None] = {
    ("appointment", "book"): "appointment.booked",
    ("appointment", "move"): "appointment.moved",
    ("appointment", "move back"): "appointment.moved",
    ("appointment", "cancel"): "appointment.cancelled",
    ("appointment", "uncancel"): "appointment.restored",
    ("appointment", "mark"): "appointment.marked",
    ("appointment", "tell"): "appointment.told",
    ("appointment", "retime"): None,  # one event for all of a course
    ("standing", "agree"): "standing.agreed",
    ("standing", "change"): "standing.changed",
    ("standing", "end"): "standing.ended",
    ("standing", "extend"): "standing.extended",
    ("standing", "import"): None,  # the import says it of the whole course
    ("absence", "add"): "absence.added",
    ("absence", "import"): "absence.added",
    ("absence", "withdraw"): "absence.withdrawn",
    ("absence", "tell"): "absence.told",
    ("absence", "release"): "absence.released",
    ("course", "open"): "course.opened",
    ("course", "end"): "course.ended",
    ("course", "pause"): "course.paused",
    ("course", "resume"): "course.resumed",
    ("course", "settle"): "course.settled",
    ("course", "retime"): "course.retimed",
    ("course", "view"): None,
    ("course", "set_override"): None,
    ("course", "lift_override"): None,
    ("alert", "open"): "alert.opened",
    ("alert", "change"): "alert.changed",
    ("alert", "clear"): "alert.cleared",
    ("alert", "acknowledge"): "alert.acknowledged",
    ("alert", "snooze"): "alert.snoozed",
    ("alert", "agree"): "alert.agreed",
    ("alert", "reopen"): "alert.reopened",
    ("alert", "judge"): "alert.judged",
}


class ActionWithoutEvent(RuntimeError):
    """A change is put on record of which nobody has said whether programs elsewhere hear of it."""


def event_of(kind: str, action: str) -> str | None:
    """What programs elsewhere are told when `action` is put on record of a `kind`; None where they are told nothing.

    Of an action in several words (`mark held`) the first one counts.

    :raises ActionWithoutEvent: it concerns what they follow, and the table above does not know it.
    """
    if kind not in IDS:
        return None
    key = (kind, action.partition(" ")[0])
    if key not in _MADE_BY:
        raise ActionWithoutEvent(f"say in {__name__} which event {key} is, or None")
    return _MADE_BY[key]


def is_wanted(event: str, chosen: Sequence[str]) -> bool:
    """True where somebody who chose these is to hear of the event."""
    return EVERYTHING in chosen or event in chosen
