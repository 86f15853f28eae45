"""Who may do what, in sentences.

A route carries exactly one `Policy`, set by `@allows(...)`; a route without one does not start. The policy decides
whether this kind of person may knock at all. Whose course it is, the use-case decides with the `may_…` functions
below, and what one may not see is answered as if it did not exist.
"""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from service.domain.phrase import say
from service.domain.refusals import Forbidden, NotFound


class Role(enum.StrEnum):
    """Roles add up: a therapist may manage too."""

    FRONT_DESK = "front_desk"
    THERAPIST = "therapist"
    MANAGER = "manager"
    ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person, the program or the clock on whose behalf something is asked."""

    name: str
    roles: frozenset[Role]
    user: str | None = None
    """Public id of the user; None for the clock and the command line."""
    therapist: str | None = None
    """Public id of the therapist that this user is, if any."""
    locale: str | None = None
    """How they want to be spoken to, `de_AT`; None where they have not said."""
    may_write: bool = True
    """False for a read-only API token."""
    is_system: bool = False

    def has(self, *roles: Role) -> bool:
        return self.is_system or not self.roles.isdisjoint(roles)


CLOCK = Actor(name="the clock", roles=frozenset(), is_system=True)
"""Workers act as the clock."""
OPERATOR = Actor(name="the command line", roles=frozenset(Role), is_system=True)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Which kinds of people may use a route."""

    name: str
    is_public: bool = False
    """True where no sign-in is needed; the route then protects itself, by a secret in its address or not at all."""
    roles: frozenset[Role] = frozenset()

    def admits(self, actor: Actor | None) -> bool:
        return self.is_public or (actor is not None and actor.has(*self.roles))


def _for(name: str, *roles: Role) -> Policy:
    return Policy(name=name, roles=frozenset(roles))


PUBLIC = Policy(name="public", is_public=True)
SIGNED_IN = _for("signed in", *Role)
CLINICAL = _for("front desk, therapists, managers", Role.FRONT_DESK, Role.THERAPIST, Role.MANAGER)
"""Whoever works with courses; an admin sets up people and keys and sees no course."""
BOOKING = _for("front desk, managers", Role.FRONT_DESK, Role.MANAGER)
ALERTS = _for("therapists, managers", Role.THERAPIST, Role.MANAGER)
TOLD = _for("therapists, managers, admins", Role.THERAPIST, Role.MANAGER, Role.ADMIN)
"""Whoever messages are written to. The desk is told nothing: alerts are for those who know the client."""
MANAGING = _for("managers", Role.MANAGER)
ADMINISTERING = _for("admins", Role.ADMIN)
SETTING_UP = _for("managers, admins", Role.MANAGER, Role.ADMIN)

View = TypeVar("View", bound=Callable[..., object])


def allows(policy: Policy) -> Callable[[View], View]:
    """Give a route its policy. The application refuses to start with a route that has none."""

    def mark(view: View) -> View:
        view.policy = policy  # type: ignore[attr-defined]
        return view

    return mark


def may_see_course(actor: Actor, therapists: Iterable[str]) -> bool:
    """The desk and the managers see every course's times; a therapist sees the courses they hold or cover."""
    if actor.has(Role.FRONT_DESK, Role.MANAGER):
        return True
    return actor.has(Role.THERAPIST) and actor.therapist in set(therapists)


def may_book(actor: Actor, therapists: Iterable[str]) -> bool:
    """Whoever may change a booking: the desk, a manager, or the therapist whose it is."""
    if not actor.may_write:
        return False
    return may_see_course(actor, therapists)


def may_see_signals(actor: Actor, therapists: Iterable[str]) -> bool:
    """Signals about a client are for their therapist and the managers; the desk needs none of them to book."""
    if actor.has(Role.MANAGER):
        return True
    return actor.has(Role.THERAPIST) and actor.therapist in set(therapists)


def see_course(actor: Actor, therapists: Iterable[str]) -> None:
    """:raises NotFound: it is not theirs, which is told apart from "does not exist" by nobody."""
    if not may_see_course(actor, therapists):
        raise NotFound(say("There is no such course."))


def book(actor: Actor, therapists: Iterable[str]) -> None:
    """:raises NotFound: not theirs to see. :raises Forbidden: theirs to see and not to change."""
    see_course(actor, therapists)
    if not may_book(actor, therapists):
        raise Forbidden(say("This access may read and not change."))


def require(actor: Actor, *roles: Role, to_change: bool = True) -> None:
    """:raises Forbidden: none of these roles, or (to change something) a read-only access."""
    if not actor.has(*roles):
        raise Forbidden(say("Your role does not include this."))
    if to_change and not actor.may_write:
        raise Forbidden(say("This access may read and not change."))


def require_any(actor: Actor) -> None:
    """:raises Forbidden: somebody without any role."""
    if not actor.has(*Role):
        raise Forbidden(say("Your role does not include this."))
