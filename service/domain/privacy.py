"""How much a feed says about a client: the person who makes the feed chooses, and the default names nobody.

A feed leaves the clinic: it lies with Google, Apple or Microsoft, and on family tablets. So the level belongs to each
subscription, and the words here are all that an hour is ever called in one, in the language of the feed.
"""

import enum

from service.domain.phrase import PLAIN, Speaker, say


class Privacy(enum.StrEnum):
    """From least said to most."""

    BUSY = "busy"
    """That the hour is taken."""
    INITIALS = "initials"
    """Enough for whoever knows the client, and for nobody else. The default."""
    REFERENCE = "reference"
    """The clinic's own number for the client."""
    NAME = "name"
    """The client's name; in a client's own calendar, the therapist's."""


BUSY = say("Busy")
AWAY = say("Away")
CLOSED = say("Closed")
VIDEO = say("Video")
APPOINTMENTS = say("Appointments")
"""What a client's own calendar is called: whoever looks over their shoulder learns no more."""
SOON = say("Coming up")
"""What an alarm says, which a phone may show while it is locked."""


def summary_for(level: Privacy, *, initials: str, reference: str, name: str, speaker: Speaker = PLAIN) -> str:
    """What the hour is called. Where the asked-for word is empty, it is the word that says less, never more."""
    match level:
        case Privacy.BUSY:
            said = ""
        case Privacy.INITIALS:
            said = initials
        case Privacy.REFERENCE:
            said = reference
        case Privacy.NAME:
            said = name or reference
    return said.strip() or BUSY.said(speaker)


def summary_with(level: Privacy, summary: str, *, therapist: str) -> str:
    """What the hour is called where several people's hours stand side by side: in a room, at a site."""
    return summary if level is Privacy.BUSY else f"{therapist}: {summary}"


def summary_for_client(level: Privacy, *, therapist: str, speaker: Speaker = PLAIN) -> str:
    """What the hour is called in the client's own calendar."""
    if level is Privacy.BUSY:
        return BUSY.said(speaker)
    return say("Appointment with {therapist}", therapist=therapist).said(speaker)


def summary_of_absence(level: Privacy, *, name: str, speaker: Speaker = PLAIN, is_closure: bool = False) -> str:
    """What leave or a closure is called: its own name, unless the feed says only that the time is taken."""
    usual = (CLOSED if is_closure else AWAY).said(speaker)
    return usual if level is Privacy.BUSY else name.strip() or usual


def cancelled(summary: str, speaker: Speaker = PLAIN) -> str:
    """What an hour that does not take place is called, for programs that do not show the status."""
    return say("Cancelled: {what}", what=summary).said(speaker)


def names_a_client(level: Privacy) -> bool:
    """True where nobody on the way may keep a copy (`Cache-Control: no-store`)."""
    return level is Privacy.NAME
