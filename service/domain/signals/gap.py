"""S1 `gap.open`, S2 `gap.ahead`, S3 `gap.early`: more time between sessions than agreed.

Meaning: more time than agreed has passed since the last session (open), or will pass before the next one with the
leave, closures, holidays and cancellations known today (ahead), not explained by an announced break. In the early
phase, fewer than `early_sessions` sessions with the usual therapist, the steps are lower and the id is `gap.early`.
One gap is one episode: ahead, then open, then closed, which is `info` on the timeline (the last `TIMELINE` intervals).

Thresholds: `gap_watch` and `gap_act` times the cadence, early `gap_early_watch` and `gap_early_act`; strictly more.
Looks ahead `horizon_days`. What is only asked for (tentative leave) gives `info`.

What it is not: a sign that somebody does not want to come; a moved session within its own half-cycle, agreed
tapering, or an announced break does not speak. Sessions not yet marked count as held for `mark_grace_h`.

Evidence: moderate, mixed. For: Bruijniks et al. 2020; Erekson, Lambert & Eggett 2015; Gutner et al. 2016; Tiemens et
al. 2019 for the first months. Against: Ciharova et al. 2024, Hoppen et al. 2023, Fleming et al. 2020, and a
quasi-randomised study of 2022, null in its full sample. The numbers are a convention.
"""

from collections.abc import Iterator

from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.phrase import Phrase
from service.domain.signals import spacing, wording
from service.domain.signals.signal import MODERATE, Level, Signal, days
from service.domain.signals.spacing import Gap

IDS = ("gap.open", "gap.ahead", "gap.early")
USES = frozenset(
    {
        "early_sessions",
        "gap_watch",
        "gap_act",
        "gap_early_watch",
        "gap_early_act",
        "horizon_days",
        "mark_grace_h",
        "announce_days",
        "episode_gap_days",
        "preset",
    }
)
TIMELINE = 12


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    if not course.is_active:
        return
    for gap in spacing.of(course, limits, now).closed(last=TIMELINE):
        yield _signal(gap, gap, "closed", Level.INFO)
    yield from told(course, limits, now)


def told(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    """The same without the timeline's closed gaps, of which nobody is told: a look back asks this many times."""
    if not course.is_active:
        return
    along = spacing.of(course, limits, now)
    is_open = along.open
    if is_open and is_open.level:
        yield _signal(is_open, is_open, "open", is_open.level, following=along.following)
    worst = _worst(_later(is_open, along.long_ahead))
    if worst and worst.level:
        yield _signal(worst, is_open or worst, "ahead", worst.level)
    yield from _if_approved(course, limits, now, is_open, worst)


def is_told_alike(course: Course, limits: Limits, others: Limits, now: LocalTime) -> bool:
    """True where `told` says the same with the others, but for the steps that it names: no gap lies between the two.
    Never true by mistake; false where it would take as long to find out."""
    if any(getattr(limits, name) != getattr(others, name) for name in _SIGHT):
        return False
    if not course.is_active:
        return True
    along = spacing.of(course, limits, now)
    if any(one.tentative for one in course.absences):
        return False
    gaps = along.ahead_longer_than(min(along.never_over(limits), along.never_over(others)))
    if along.open:
        gaps.append(along.open)
    return all(one.is_told_alike(others) for one in gaps)


_SIGHT = ("early_sessions", "horizon_days", "mark_grace_h", "episode_gap_days", "presets")
"""What decides which gaps there are; the rest of what is used is what each is held to."""


def turns(course: Course, limits: Limits, now: LocalTime) -> Iterator[LocalTime]:
    """When the open gap passes a step or an announced slot, if nothing happens until then."""
    if not course.is_active:
        return
    is_open = spacing.of(course, limits, now).open
    if is_open:
        yield from is_open.turns
        if course.absences:
            yield from spacing.slots_to_come(course, limits, now)


def _if_approved(
    course: Course, limits: Limits, now: LocalTime, is_open: Gap | None, firm: Gap | None
) -> Iterator[Signal]:
    if not any(absence.tentative and absence.until > now for absence in course.absences):
        return
    worst = _worst(_later(is_open, spacing.of(course, limits, now).long_ahead_if_approved))
    if worst and worst.level and (firm is None or not firm.level or worst.level > firm.level):
        yield _signal(worst, is_open or worst, "ahead", Level.INFO, is_tentative=True)


def _later(is_open: Gap | None, gaps: list[Gap]) -> list[Gap]:
    """Those that the open gap does not speak for: once it is over a step, the pair it belongs to is its own."""
    return [gap for gap in gaps if gap.first is not is_open.first] if is_open and is_open.level else gaps


def _worst(gaps: list[Gap]) -> Gap | None:
    over = [gap for gap in gaps if gap.level]
    return max(over, key=lambda gap: (gap.level or Level.INFO, gap.ratio), default=None)


def _signal(
    gap: Gap,
    head: Gap,
    state: str,
    level: Level,
    *,
    following: LocalTime | None = None,
    is_tentative: bool = False,
) -> Signal:
    g = days(gap.length.total_seconds())
    usual = days(gap.cadence.total_seconds())
    watch, act = gap.steps
    value: dict[str, object] = {
        "state": state,
        "g": g,
        "C": usual,
        "m_a": len(gap.announced),
        "g_adj": days(gap.adjusted.total_seconds()),
        "rho": round(gap.ratio, 4),
        "held_with": gap.held_with,
        "from": gap.since.isoformat(timespec="minutes"),
        "to": gap.until.isoformat(timespec="minutes") if gap.next else None,
    }
    if is_tentative:
        value["tentative"] = True
    return Signal(
        id="gap.early" if gap.is_early else f"gap.{'ahead' if state == 'ahead' else 'open'}",
        level=level,
        value=value,
        threshold={"watch": watch, "act": act},
        evidence=MODERATE,
        episode=f"gap:{head.first.expected.isoformat(timespec='minutes')}",
        text=_text(gap, head, state, g, usual, following, is_tentative),
        actions=wording.GAP_AHEAD_ACTIONS if state == "ahead" else wording.GAP_OPEN_ACTIONS,
        clears=wording.GAP_CLEARS,
        appointments=tuple(cause.slot for cause in gap.causes) or _ends(gap),
        causes=gap.causes,
    )


def _text(
    gap: Gap, head: Gap, state: str, g: float, usual: float, following: LocalTime | None, is_tentative: bool
) -> Phrase:
    if state == "open":
        return wording.gap_open(g, usual, gap.causes, following)
    if state == "closed":
        return wording.gap_closed(g, usual, gap.causes, gap.since, gap.until)
    if gap.first is head.first and gap.first.is_held:
        sentence = wording.gap_ahead(g, usual, gap.causes)
    else:
        sentence = wording.gap_later(g, usual, gap.causes, gap.since, gap.until)
    return wording.gap_tentative(sentence) if is_tentative else sentence


def _ends(gap: Gap) -> tuple[LocalTime, ...]:
    """The slots on both sides, where none is missing in between."""
    both = (gap.first, gap.next) if gap.next else (gap.first,)
    return tuple(one.expected for one in both if one is not None)
