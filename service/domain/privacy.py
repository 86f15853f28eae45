"""How much a feed says about a client: the person who makes the feed chooses, and the default names nobody.

A feed leaves the clinic: it lies with Google, Apple or Microsoft, and on family tablets. So the level belongs to each
subscription, and the words here are all that a client's hour is ever called in one.
"""

import enum


class Privacy(enum.StrEnum):
    """From least said to most."""

    BUSY = "busy"
    """That the hour is taken."""
    INITIALS = "initials"
    """Enough for whoever knows the client, and for nobody else. The default."""
    REFERENCE = "reference"
    """The clinic's own number for the client."""
    NAME = "name"


BUSY = "Busy"
AWAY = "Away"
CANCELLED = "Cancelled: "


def summary_for(level: Privacy, *, initials: str, reference: str, name: str) -> str:
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
    return said.strip() or BUSY


def summary_of_absence(level: Privacy, *, name: str) -> str:
    """What leave or a closure is called: its own name, unless the feed says only that the time is taken."""
    return AWAY if level is Privacy.BUSY else name.strip() or AWAY


def cancelled(summary: str) -> str:
    """What an hour that does not take place is called, for programs that do not show the status."""
    return CANCELLED + summary


def names_a_client(level: Privacy) -> bool:
    """True where nobody on the way may keep a copy (`Cache-Control: no-store`)."""
    return level is Privacy.NAME
