"""S8 `setting.room`, S9 `setting.modality`: sessions take place elsewhere, or in another form, than agreed.

Meaning: over the last `setting_n` sessions. Room (where both are named and both are in person): other than agreed
three times or more gives `info`; once or more gives `watch` where the client asked for the same room. Modality: other
than agreed twice or more gives `watch`; an agreed hybrid pattern is what is agreed. Settled by two sessions in a row
as agreed, or by a new version.

What it is not: a judgement of video. Trials show equivalence; small interview studies describe a felt loss when the
form *switches*.

Evidence: convention.
"""

from collections.abc import Iterator

from service.domain.appointment import Appointment
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.signals import wording
from service.domain.signals.signal import CONVENTION, Level, Signal
from service.domain.standing import Modality

IDS = ("setting.room", "setting.modality")
USES = frozenset({"setting_n", "preset"})
ROOMS = 3
ROOMS_WHERE_IT_MATTERS = 1
MODALITIES = 2
SETTLED = 2


def check(course: Course, limits: Limits, _now: LocalTime) -> Iterator[Signal]:
    if course.is_ended or course.is_ad_hoc:
        return
    sessions = course.held_occurrences[-limits.setting_n :]
    moved_room = [_is_other_room(course, one) for one in sessions]
    yield from _rooms(course, sessions, moved_room)
    other_form = [_is_other_modality(course, one) for one in sessions]
    yield from _modalities(course, sessions, other_form)


def _rooms(course: Course, sessions: tuple[Appointment, ...], other: list[bool]) -> Iterator[Signal]:
    n = sum(other)
    level = Level.WATCH if course.same_room and n >= ROOMS_WHERE_IT_MATTERS else Level.INFO if n >= ROOMS else None
    if level is None:
        return
    yield Signal(
        id="setting.room",
        level=level,
        value={"other": n, "n": len(sessions)},
        threshold={"info": ROOMS, "watch": ROOMS_WHERE_IT_MATTERS if course.same_room else None},
        evidence=CONVENTION,
        episode=f"setting.room:{_latest_standing(sessions)}",
        text=wording.setting_room(n, len(sessions)),
        actions=wording.ROOM_ACTIONS,
        clears=wording.SETTING_CLEARS,
        appointments=_slots(sessions, other),
        is_settled=not any(other[-SETTLED:]),
    )


def _modalities(course: Course, sessions: tuple[Appointment, ...], other: list[bool]) -> Iterator[Signal]:
    n = sum(other)
    if n < MODALITIES:
        return
    standing = course.standing_of(sessions[-1])
    agreed = standing.modality.value if standing else ""
    yield Signal(
        id="setting.modality",
        level=Level.WATCH,
        value={"other": n, "n": len(sessions)},
        threshold={"watch": MODALITIES},
        evidence=CONVENTION,
        episode=f"setting.modality:{_latest_standing(sessions)}",
        text=wording.setting_modality(n, len(sessions), agreed),
        actions=wording.MODALITY_ACTIONS,
        clears=wording.SETTING_CLEARS,
        appointments=_slots(sessions, other),
        is_settled=not any(other[-SETTLED:]),
    )


def _is_other_room(course: Course, one: Appointment) -> bool:
    standing = course.standing_of(one)
    if standing is None or one.room is None or standing.room is None:
        return False
    return one.room != standing.room and one.modality is Modality.IN_PERSON is standing.modality


def _is_other_modality(course: Course, one: Appointment) -> bool:
    standing = course.standing_of(one)
    return standing is not None and one.modality is not course.modality_agreed_for(one, standing)


def _latest_standing(sessions: tuple[Appointment, ...]) -> str | None:
    return sessions[-1].standing


def _slots(sessions: tuple[Appointment, ...], chosen: list[bool]) -> tuple[LocalTime, ...]:
    return tuple(one.expected for one, is_chosen in zip(sessions, chosen, strict=True) if is_chosen)
