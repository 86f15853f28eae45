"""A calendar subscription: whose hours it shows, to whom it may be given, and what its owner may choose of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from service.domain.access import Actor, Role
from service.domain.phrase import Listing, say
from service.domain.privacy import Privacy
from service.domain.refusals import Forbidden, Malformed


class Shows(enum.StrEnum):
    """Whose hours."""

    THERAPIST = "therapist"
    ROOM = "room"
    SITE = "site"
    """All hours in its rooms, and those by video of the therapists who belong to it."""
    CLIENT = "client"
    """Their own hours, with whom and where; no reason, no note, nobody else who comes."""


LEVELS: Mapping[Shows, tuple[Privacy, ...]] = {
    Shows.THERAPIST: tuple(Privacy),
    Shows.ROOM: tuple(Privacy),
    Shows.SITE: tuple(Privacy),
    Shows.CLIENT: (Privacy.BUSY, Privacy.NAME),
}
"""In a client's own calendar there is no other client to be named more or less."""
USUAL: Mapping[Shows, Privacy] = {
    Shows.THERAPIST: Privacy.INITIALS,
    Shows.ROOM: Privacy.INITIALS,
    Shows.SITE: Privacy.INITIALS,
    Shows.CLIENT: Privacy.NAME,
}
DAYS_BACK = (0, 30, 90, 180)
FARTHEST_BACK = timedelta(days=max(DAYS_BACK))
LONGEST_AHEAD = 104
"""Weeks."""
ALARMS = (5, 10, 15, 30, 60, 120, 1440)
"""Minutes before an hour begins that a page offers."""
LONGEST_ALARM = 7 * 1440
LONGEST_OVERLAP = timedelta(hours=24)
"""How long an address may go on after there is a new one."""


class CannotChoose(Malformed):
    """The subscription can't be as it was asked for."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What its owner may choose, and change later under the same address.

    :raises CannotChoose: something is not among what can be chosen.
    """

    privacy: Privacy = Privacy.INITIALS
    shows_cancelled: bool = False
    days_back: int = 90
    """Single hours and leave of so many past days are told; a standing is told from its first day on, always."""
    weeks_ahead: int | None = None
    """Single hours and leave of so many weeks to come; None: all that is known. A standing is told whole, always."""
    alarm_minutes: int | None = None
    """The phone says so long before an hour that it is coming up; None: not at all."""
    locale: str = "en_GB"
    """In which language the few words are that a feed has of its own."""

    def __post_init__(self) -> None:
        if self.days_back not in DAYS_BACK:
            raise CannotChoose(
                say("So many days back can be told: {choices}.", choices=Listing(tuple(map(str, DAYS_BACK)))),
                where="days_back",
            )
        if self.weeks_ahead is not None and not 1 <= self.weeks_ahead <= LONGEST_AHEAD:
            raise CannotChoose(say("1 to {most} weeks ahead can be told.", most=LONGEST_AHEAD), where="weeks_ahead")
        if self.alarm_minutes is not None and not 1 <= self.alarm_minutes <= LONGEST_ALARM:
            raise CannotChoose(say("An alarm comes 1 minute to 7 days before."), where="alarm_minutes")

    def since(self, today: date) -> date:
        """The first day that is told of."""
        return today - timedelta(days=self.days_back)

    def until(self, today: date) -> date | None:
        """The day before which single hours and leave begin that are told of; None: whenever."""
        return today + timedelta(weeks=self.weeks_ahead) if self.weeks_ahead is not None else None


def expect_level(shows: Shows, privacy: Privacy) -> None:
    """:raises CannotChoose: a calendar of that kind has no such level."""
    if privacy not in LEVELS[shows]:
        raise CannotChoose(
            say("A client's own calendar says “busy”, or with whom and where."),
            where="privacy",
        )


def kinds_for(actor: Actor) -> tuple[Shows, ...]:
    """The kinds of calendars that somebody may make, of whatever is theirs to see."""
    found = []
    if actor.has(Role.MANAGER) or (actor.has(Role.THERAPIST) and actor.therapist is not None):
        found.append(Shows.THERAPIST)
    if actor.has(Role.FRONT_DESK, Role.MANAGER):
        found.append(Shows.ROOM)
    if actor.has(Role.MANAGER):
        found.append(Shows.SITE)
    if actor.has(Role.FRONT_DESK, Role.MANAGER):
        found.append(Shows.CLIENT)
    return tuple(found)


def expect_kind(actor: Actor, shows: Shows) -> None:
    """:raises Forbidden: not with this role."""
    if shows not in kinds_for(actor):
        raise Forbidden(say("Your role does not include this."))


def expect_overlap(overlap: timedelta) -> None:
    """:raises CannotChoose: longer than a day, or before now."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise CannotChoose(say("An old address can go on for 0 to 24 hours."), where="overlap_hours")
