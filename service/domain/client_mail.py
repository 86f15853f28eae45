"""What a client is mailed about their own hours: when, of what, and in which words. Off unless a clinic turns it on.

Facts alone: the time, the place, that it changed. Texts are the clinic's own, with a few names in braces that are
filled in; a name that is none of these is refused when the text is saved, and nothing of a text is ever run.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from string import Formatter

from service.domain.hours import LocalTime
from service.domain.phrase import Phrase, listing, say
from service.domain.refusals import Malformed
from service.domain.standing import Modality

GRACE = timedelta(minutes=3)
"""So long a change waits: what is undone meanwhile is told to nobody, and of two changes the last is told."""
LONGEST_TEXT = 2000
LONGEST_SIGN_OFF = 500
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"=?]+@[^\s@<>()\[\]\\,;:\"=?]+")


class Kind(enum.StrEnum):
    """What a mail, or a part of one, is about."""

    REMINDER = "reminder"
    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"


NAMES: Mapping[Kind, tuple[str, ...]] = {
    Kind.REMINDER: ("date", "time", "place", "therapist", "clinic"),
    Kind.BOOKED: ("hours", "therapist", "clinic"),
    Kind.MOVED: ("hours", "therapist", "clinic"),
    Kind.CANCELLED: ("hours", "therapist", "clinic"),
}
"""What may stand in braces. A reminder is about one hour; a change may be about many, each on a line of `hours`."""
NEEDED: Mapping[Kind, tuple[str, ...]] = {
    Kind.REMINDER: ("date", "time"),
    Kind.BOOKED: ("hours",),
    Kind.MOVED: ("hours",),
    Kind.CANCELLED: ("hours",),
}
STANDARD: Mapping[Kind, Phrase] = {
    Kind.REMINDER: say("This is a reminder of your appointment on {date}, {time}.\n\nPlace: {place}"),
    Kind.BOOKED: say("We have booked for you:\n\n{hours}"),
    Kind.MOVED: say("This has changed:\n\n{hours}"),
    Kind.CANCELLED: say("This will not take place:\n\n{hours}\n\nPlease tell us if you would like another time."),
}
"""Without the therapist and the clinic: a mail is read over shoulders, too."""


class CannotUseText(Malformed):
    """A text that could not be filled in, or would leave out when the appointment is."""


class CannotTurnOn(Malformed):
    """The settings make no sense, or lack what every mail needs."""


@dataclass(frozen=True, kw_only=True)
class ClientMail:
    """A clinic's choice."""

    is_on: bool = False
    kinds: frozenset[Kind] = frozenset(Kind)
    """What is mailed where it is on."""
    hours_before: int = 48
    """Of the reminder."""
    clinic: str = ""
    sign_off: str = ""
    """The last lines of each mail: who writes, and how to reach them."""
    counts_as_told: bool = False
    """Whether a client counts as told of a change once the mail server has taken the mail about it."""

    def __post_init__(self) -> None:
        if not 1 <= self.hours_before <= 336:
            raise CannotTurnOn(say("Choose from 1 to 336 hours."), where="hours_before")
        if len(self.clinic) > 120 or not self.clinic.isprintable():
            raise CannotTurnOn(say("The name has up to 120 printable characters on one line."), where="clinic")
        if len(self.sign_off) > LONGEST_SIGN_OFF or not _is_printable(self.sign_off):
            raise CannotTurnOn(
                say("The sign-off has up to {n} printable characters.", n=LONGEST_SIGN_OFF), where="sign_off"
            )
        if self.is_on and not self.clinic:
            raise CannotTurnOn(say("Enter the clinic's name first: each mail says who writes."), where="clinic")

    def tells(self, kind: Kind) -> bool:
        return self.is_on and kind in self.kinds


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An hour as far as a client's calendar shows it. Rooms and therapists by any id that stays."""

    starts: LocalTime
    minutes: int
    room: int | None
    therapist: int
    modality: str
    is_on: bool
    """False once it does not take place."""


def news(known: Shown | None, is_now: Shown) -> Kind | None:
    """What there is to tell somebody who knows the hour as `known`; None where nothing is."""
    was_on = known is not None and known.is_on
    if not is_now.is_on:
        return Kind.CANCELLED if was_on else None
    if not was_on:
        return Kind.BOOKED
    return None if known == is_now else Kind.MOVED


@dataclass(frozen=True, kw_only=True)
class Hour:
    """An hour in a mail. The time is local, in `zone`."""

    starts: LocalTime
    minutes: int
    zone: str
    site: str
    room: str | None
    modality: Modality
    therapist: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """One hour that a mail is about, and its entry in the client's calendar."""

    kind: Kind
    hour: Hour
    was: Hour | None = None
    """For one that was moved."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a mail says besides the facts."""

    clinic: str
    sign_off: str
    texts: Mapping[tuple[Kind, str], str] = field(default_factory=dict)
    """The clinic's own, by kind and language (`de`); where there is none, the standard one is said."""


def checked_text(kind: Kind, text: str) -> str:
    """The text as it is kept.

    :raises CannotUseText: too long, a name that can't be filled in, or no word of when it is.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text or len(text) > LONGEST_TEXT or not _is_printable(text):
        raise CannotUseText(say("A text has 1 to {n} printable characters.", n=LONGEST_TEXT), where="text")
    used = list(_names_in(text))
    allowed = listing(_braced(NAMES[kind]))
    for name in used:
        if name not in NAMES[kind]:
            raise CannotUseText(
                say("“{name}” can't be filled in here. What can: {allowed}.", name=name[:40], allowed=allowed),
                where="text",
            )
    if missing := [name for name in NEEDED[kind] if name not in used]:
        raise CannotUseText(
            say("The text does not say when it is: it needs {names}.", names=listing(_braced(missing))), where="text"
        )
    return text


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in it; what stands in a value is never read again."""
    parts = Formatter().parse(text)
    return "".join(literal + (values[name] if name is not None else "") for literal, name, _, _ in parts)


def is_address(text: str) -> bool:
    """True for what one mail can be sent to."""
    return len(text) <= 254 and text.isascii() and _ADDRESS.fullmatch(text) is not None


def _names_in(text: str) -> Iterable[str]:
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise CannotUseText(
            say("A brace is open or closed without the other. To write a brace itself, write it twice."), where="text"
        ) from None
    for _literal, name, form, conversion in parts:
        if name is not None:
            yield name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")


def _braced(names: Iterable[str]) -> list[str]:
    return [f"{{{name}}}" for name in names]


def _is_printable(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))
