"""One client's course of therapy: all that the signals may look at.

The consistency room builds on this value; it comes from the store or from a course file, by the same code.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from service.domain.absences import Absence
from service.domain.appointment import Appointment
from service.domain.standing import Standing


class CourseStatus(enum.StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Ending(enum.StrEnum):
    PLANNED = "planned"
    UNPLANNED = "unplanned"
    TRANSFERRED = "transferred"


@dataclass(frozen=True, kw_only=True)
class Override:
    """A rule's parameter set otherwise, or a rule switched off, for one clinic, therapist or course."""

    value: float | str
    reason: str
    until: date


@dataclass(frozen=True, kw_only=True)
class Course:
    """Standings in order of `since`, appointments in order of slot."""

    zone: str
    status: CourseStatus
    standings: tuple[Standing, ...]
    appointments: tuple[Appointment, ...]
    absences: tuple[Absence, ...] = ()
    same_room: bool = False
    overrides: Mapping[str, Override] = field(default_factory=dict)
    default_cadence_days: float = 7
    ending: Ending | None = None
