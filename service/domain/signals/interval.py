"""S17 `interval.sd`: how regular the time between sessions is.

A number more than an alert. The last five intervals (n >= 5): their sample standard deviation in days, with n. Where
a clinic asks for it (`interval.sd` set to `on`), `watch` if it is more than half the cadence and no gap is over its
threshold. Always, as `info`: the last three intervals were all twice the cadence, give or take a day, so the sessions
may have become fortnightly and the agreement lags behind.

What it is not: the mean. 3, 11, 3, 11, 7 days have the mean of perfect weeks.

Evidence: moderate, mixed (Gutner et al. 2016, d=.48; not replicated by Fleming et al. 2020).
"""

from collections.abc import Iterator
from datetime import timedelta
from statistics import fmean

from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.metrics import INTERVALS, interval_sd, intervals_of
from service.domain.phrase import Phrase
from service.domain.signals import spacing, wording
from service.domain.signals.signal import MODERATE, Level, Signal

IDS = ("interval.sd",)
USES = frozenset({"preset"})
SHARE = 0.5
SLOWER = 3
TOLERANCE_DAYS = 1


def check(course: Course, limits: Limits, now: LocalTime) -> Iterator[Signal]:
    if not course.is_active or course.is_ad_hoc or len(course.held) <= SLOWER:
        return
    intervals = intervals_of(course.held_by_start[-INTERVALS - 1 :])
    usual = course.frame_at(now).cadence / timedelta(days=1)
    recent = intervals[-SLOWER:]
    if all(abs(one - 2 * usual) <= TOLERANCE_DAYS for one in recent):
        text = wording.interval_cadence(fmean(recent), usual)
        yield _signal(course, Level.INFO, {"reason": "cadence", "mean": round(fmean(recent), 3), "n": SLOWER}, text)
    sd = interval_sd(intervals)
    if "interval.sd" not in limits.asked_for or sd is None or sd <= SHARE * usual or _is_gap_told(course, limits, now):
        return
    value = {"reason": "sd", "sd": round(sd, 3), "n": INTERVALS, "C": usual}
    yield _signal(course, Level.WATCH, value, wording.interval_sd(sd, INTERVALS, usual))


def _is_gap_told(course: Course, limits: Limits, now: LocalTime) -> bool:
    along = spacing.of(course, limits, now)
    return bool(along.open and along.open.level) or any(gap.level for gap in along.ahead)


def _signal(course: Course, level: Level, value: dict[str, object], text: Phrase) -> Signal:
    return Signal(
        id="interval.sd",
        level=level,
        value=value,
        threshold={"share": SHARE},
        evidence=MODERATE,
        episode=f"interval:{value['reason']}",
        text=text,
        actions=wording.INTERVAL_ACTIONS,
        clears=wording.INTERVAL_CLEARS,
        appointments=tuple(one.expected for one in course.held_by_start[-INTERVALS - 1 :]),
    )
