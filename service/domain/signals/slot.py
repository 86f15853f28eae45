"""S7 `slot.drift`, `slot.irregular`: sessions take place at another time of the week than agreed. And `slot.suggest`.

Meaning: over the last n = min(6, held) sessions of the standings now valid, n >= 4. A *hit* is at most `slot_hit_min`
minutes from an agreed hour, around the week. The *medoid* is the time of the week that was seen with most others
within `slot_near_min` (itself included; ties: the smaller summed distance, then the most recent); *near* is how many.
`slot.drift` (watch): near >= 4 and the medoid is not a hit: "agree it as the standing time?". `slot.irregular`
(watch): hits <= n/2 and near < 4. The spread V = 1 - R̄ only describes: one outlier takes R̄ from 1.0 to 0.78.

`slot.suggest` (info) is for a course without any standing: at least 4 of the last 6 sessions near one time of the
week, at a median interval of 7, 14 or 28 days. A standing is suggested, never made.

What it is not: evidence that the same hour matters apart from how often; none was found. Agreed alternating shifts
are several agreed hours; the preset `shift_worker` takes those of all the course's standings.

Evidence: convention for the time of the week; moderate, mixed, for regular intervals (Gutner et al. 2016 for, Fleming
et al. 2020 null).
"""

import math
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from statistics import median

from service.domain.appointment import Appointment
from service.domain.course import Course
from service.domain.hours import MINUTES_A_WEEK, LocalTime
from service.domain.limits import Limits
from service.domain.phrase import HourOfWeek, Phrase
from service.domain.signals import wording
from service.domain.signals.signal import CONVENTION, Level, Signal, days

IDS = ("slot.drift", "slot.irregular", "slot.suggest")
USES = frozenset({"slot_hit_min", "slot_near_min", "preset"})
WINDOW = 6
FEWEST = 4
USUAL_INTERVALS = (7, 14, 28)


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    if course.is_ended:
        return
    if course.is_ad_hoc:
        yield from _suggestion(course, limits)
        return
    sessions = _of_present_standings(course, now)
    agreed = _agreed_minutes(course, limits, now)
    times = [minute_of_week(one.starts) for one in sessions]
    hits = sum(_from_agreed(at, agreed) <= limits.slot_hit_min for at in times)
    if len(times) < FEWEST or hits == len(times):
        return
    medoid, near = medoid_of(times, limits.slot_near_min)
    away = _from_agreed(medoid, agreed)
    if near >= FEWEST and away > limits.slot_hit_min:
        text = wording.slot_drift(near, len(times), medoid)
        yield _signal("slot.drift", limits, times, hits, medoid, near, away, sessions, text)
    elif near < FEWEST and hits <= len(times) / 2:
        text = wording.slot_irregular(hits, len(times))
        yield _signal("slot.irregular", limits, times, hits, medoid, near, away, sessions, text)


def _of_present_standings(course: Course, now: LocalTime) -> Sequence[Appointment]:
    held = course.held_occurrences
    if len(course.standings) > 1:
        valid = {standing.id for standing in course.frame_at(now).standings}
        held = tuple(islice((one for one in reversed(held) if one.standing in valid), WINDOW))[::-1]
    return held[-WINDOW:]


def _agreed_minutes(course: Course, limits: Limits, now: LocalTime) -> list[int]:
    if "shift_worker" in limits.presets:
        return [hour.minute_of_week for standing in course.standings for hour in standing.hours]
    return [hour.minute_of_week for hour in course.frame_at(now).hours]


def minute_of_week(at: LocalTime) -> int:
    return at.weekday() * 1440 + at.hour * 60 + at.minute


def distance(one: int, other: int) -> int:
    """Minutes between two times of the week, the shorter way around: at most half a week."""
    apart = abs(one - other) % MINUTES_A_WEEK
    return min(apart, MINUTES_A_WEEK - apart)


def _from_agreed(at: int, agreed: Sequence[int]) -> int:
    return 0 if at in agreed else min((distance(at, one) for one in agreed), default=0)


def medoid_of(times: Sequence[int], near_min: float) -> tuple[int, int]:
    """The observed time with most others near it, and how many are near it, itself included."""

    def closeness(place: int) -> tuple[int, int, int]:
        apart = [distance(times[place], other) for other in times]
        return sum(one <= near_min for one in apart), -sum(apart), place

    near, _, place = max(closeness(place) for place in range(len(times)))
    return times[place], near


def concentration(times: Sequence[int]) -> float:
    """R̄, the mean resultant length on the circle of the week: 1 where all times are the same."""
    angles = [2 * math.pi * at / MINUTES_A_WEEK for at in times]
    return math.hypot(sum(map(math.cos, angles)), sum(map(math.sin, angles))) / len(times)


def _signal(
    its_id: str,
    limits: Limits,
    times: Sequence[int],
    hits: int,
    medoid: int,
    near: int,
    away: int,
    sessions: Sequence[Appointment],
    text: Phrase,
) -> Signal:
    return Signal(
        id=its_id,
        level=Level.WATCH,
        value={
            "n": len(times),
            "hits": hits,
            "near": near,
            "medoid": medoid,
            "around": str(HourOfWeek(medoid)),
            "distance": away,
            "V": round(1 - concentration(times), 4),
        },
        threshold={"hit_min": limits.slot_hit_min, "near_min": limits.slot_near_min, "near": FEWEST},
        evidence=CONVENTION,
        episode=f"{its_id}:{sessions[-1].standing}",
        text=text,
        actions=wording.DRIFT_ACTIONS if its_id == "slot.drift" else wording.IRREGULAR_ACTIONS,
        clears=wording.SLOT_CLEARS,
        appointments=tuple(one.expected for one in sessions),
    )


def _suggestion(course: Course, limits: Limits) -> Iterator[Signal]:
    sessions = course.held_by_start[-WINDOW:]
    if len(sessions) < FEWEST:
        return
    times = [minute_of_week(one.starts) for one in sessions]
    medoid, near = medoid_of(times, limits.slot_near_min)
    interval = median(days((b.starts - a.starts).total_seconds()) for a, b in pairwise(sessions))
    if near < FEWEST or not any(abs(interval - usual) <= 1 for usual in USUAL_INTERVALS):
        return
    yield Signal(
        id="slot.suggest",
        level=Level.INFO,
        value={"n": len(times), "near": near, "around": str(HourOfWeek(medoid)), "median_days": interval},
        threshold={"near_min": limits.slot_near_min, "near": FEWEST},
        evidence=CONVENTION,
        episode="slot.suggest",
        text=wording.slot_suggest(near, len(times), medoid, interval),
        actions=wording.SUGGEST_ACTIONS,
        clears=wording.SUGGEST_CLEARS,
        appointments=tuple(one.expected for one in sessions),
    )
