"""What a rule says about a course: a level, the numbers behind it, and words that a person can act on."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from service.domain.course import Override
from service.domain.hours import LocalTime
from service.domain.phrase import Phrase

DAY_IN_SECONDS = 86_400


class Level(enum.StrEnum):
    """In rising order: for the timeline only, for the next digest, for a person now."""

    INFO = "info"
    WATCH = "watch"
    ACT = "act"

    @property
    def rank(self) -> int:
        return _RANKS[self.value]

    def __lt__(self, other: object) -> bool:
        return isinstance(other, Level) and self.rank < other.rank

    def __le__(self, other: object) -> bool:
        return isinstance(other, Level) and self.rank <= other.rank

    def __gt__(self, other: object) -> bool:
        return isinstance(other, Level) and self.rank > other.rank

    def __ge__(self, other: object) -> bool:
        return isinstance(other, Level) and self.rank >= other.rank


_RANKS = {"info": 0, "watch": 1, "act": 2}

MODERATE = "moderate"
"""Several studies point that way, mixed or observational."""
CODE = "code"
"""A professional body's duty."""
CONVENTION = "convention"
"""Usual practice, or our own choice."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why one slot is without a session."""

    slot: LocalTime
    why: str
    """`leave`, `closure`, `holiday`, `pause`; or the appointment's status; or `moved`, `unmarked`."""
    since: LocalTime | None = None
    """Of the absence, where there is one; half-open with `until`."""
    until: LocalTime | None = None
    told_at: LocalTime | None = None
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One rule's word on one course at one time. `value` and `threshold` hold plain JSON numbers and strings."""

    id: str
    level: Level
    value: Mapping[str, object]
    threshold: Mapping[str, object]
    evidence: str
    episode: str
    """Stable for what it is about: a gap keeps one episode from ahead through open to closed."""
    text: Phrase
    clears: Phrase
    actions: tuple[Phrase, ...] = ()
    appointments: tuple[LocalTime, ...] = ()
    """The slots concerned."""
    causes: tuple[Cause, ...] = ()
    is_clinic_caused: bool = False
    """Of the clinic's own making: it goes to the manager too, from `watch` on."""
    is_settled: bool = False
    """What clears it has happened, though its window has not passed: an alert may close, a new one is not opened."""
    agreed: Mapping[str, Override] = field(default_factory=dict)
    """Exceptions in force about it, by parameter or rule."""


def days(seconds: float) -> float:
    """Seconds as days, to four decimals: enough to tell a minute."""
    return round(seconds / DAY_IN_SECONDS, 4)
