"""The ways samehour says no.

Each module defines its own `Cannot…` beside the function that raises it, as a subclass of one of these kinds;
the faces (pages, JSON, command line) turn a kind into their own form once, in one place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.domain.phrase import Phrase, say


class Refusal(Exception):
    """Nothing was changed, and the message says why in words that a person can act on."""

    title: Phrase = say("That is not possible")

    def __init__(self, message: Phrase, *, where: str | None = None, more: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        """The path of the value that was wrong (`standing.hours[0].at`), if one value was."""
        self.more: Mapping[str, object] = more or {}
        """Plain JSON facts for a program: what was asked, what is there."""


class Malformed(Refusal):
    """A value is not of the form or range it must have."""

    title = say("A value is not valid")


class NotFound(Refusal):
    """It does not exist, or it is not this person's to see: the two are never told apart."""

    title = say("Not found")


class Forbidden(Refusal):
    """The person is known, and this is not theirs to do."""

    title = say("Not allowed")


class Conflict(Refusal):
    """It contradicts what is already so."""

    title = say("That contradicts what is already booked or decided")


class Stale(Conflict):
    """Somebody changed it since it was read."""

    title = say("It was changed in the meantime")


class Unavailable(Refusal):
    """The store can't take it now; trying again later may work."""

    title = say("Not available at the moment")


@dataclass(frozen=True, kw_only=True)
class Clash:
    """One reason why a span can't be booked: who is held, by what, when."""

    kind: str
    """`therapist`, `room` or `client`."""
    who: str
    """Public id of the one who is held."""
    name: str
    """What the front desk calls them; empty where the reader may not know."""
    starts: str
    """Local wall time of the other appointment, ISO 8601."""
    ends: str
    appointment: str | None
    """Public id of the other appointment; None for a tentative hold."""


class CannotBook(Conflict):
    """The therapist, the room or the client is already held at that time."""

    title = say("That hour is taken")

    def __init__(self, message: Phrase, *, clashes: Sequence[Clash], more: Mapping[str, object] | None = None) -> None:
        super().__init__(message, more=more)
        self.clashes = tuple(clashes)
