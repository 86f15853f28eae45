"""Without a disturbance, silence: in twelve zones, over the changes of the clocks, whenever one looks.

COURSES=10000 looks at ten thousand courses, each at a dozen moments; `make test` at a few hundred.
"""

import os
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from service.domain.hours import instant
from service.domain.limits import Limits
from service.domain.signals import Level, assess
from tests.domain.invented import ZONES, Invented, undisturbed

COURSES = int(os.environ.get("COURSES", "360"))
MOMENTS = 12
CHUNKS = 12
LONG_BREAK = "break.long"
"""The one word on a break that was announced in time: 28 days and more, for information."""


def alarms(of: Invented, dice: Random) -> list[str]:
    """Whatever is said about it, at each moment."""
    found = []
    for now in of.moments(dice, MOMENTS):
        assessed = assess(of.as_of(now, dice), limits=Limits(), now=now)
        allowed = {LONG_BREAK} if of.absences else set()
        found += [
            f"course {of.number} ({of.kind}, {of.zone}) at {now}: {one.id} {one.level}: {one.text}"
            for one in assessed.signals
            if one.id not in allowed or one.level is not Level.INFO
        ]
        if not of.absences and assessed.index.exact != Decimal(100):
            found.append(f"course {of.number} ({of.kind}) at {now}: index {assessed.index.exact}")
    return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_an_undisturbed_course_raises_no_alarm_at_any_moment(chunk: int) -> None:
    assert len(ZONES) == CHUNKS
    for number in range(chunk, COURSES, CHUNKS):
        assert alarms(undisturbed(number), Random(-number)) == []


def test_nor_does_one_that_ended_as_planned() -> None:
    for number in range(0, COURSES, 10):
        of = undisturbed(number)
        later = of.occurrences[-1].starts + timedelta(days=number)
        assert assess(of.as_ended(), limits=Limits(), now=later).signals == ()


def test_what_is_looked_at_runs_over_changes_of_the_clocks_in_every_zone_that_has_them() -> None:
    """Else the silence would prove little."""
    crossed = set()
    for number in range(60):
        of = undisturbed(number)
        offsets = {one.starts - instant(one.starts, of.zone).replace(tzinfo=None) for one in of.occurrences}
        if len(offsets) > 1:
            crossed.add(of.zone)
    assert crossed == set(ZONES) - {"Asia/Kolkata", "Asia/Tehran"}


def test_control_the_same_courses_with_sessions_lost_do_speak() -> None:
    """A generator that could hear nothing would be silent too."""
    for number in range(0, 240, 2):
        of, dice = undisturbed(number), Random(number)
        place = 2 * len(of.occurrences) // 3
        without = replace(of, occurrences=of.occurrences[: place - 3] + of.occurrences[place:])
        now = of.occurrences[place].starts - timedelta(hours=1)
        assessed = assess(without.as_of(now, dice), limits=Limits(), now=now)
        assert any(one.level > Level.INFO for one in assessed.signals), (number, of.kind)
