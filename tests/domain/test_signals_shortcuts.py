"""What the rules leave out to save work never changes what they say."""

import pytest

from service.domain.absences import AbsenceKind
from service.domain.course import CourseStatus
from service.domain.limits import Limits
from service.domain.signals import gap
from tests.domain.drawn import TUESDAY, appointment, course, days, hours
from tests.domain.edges import booked, held, leave, only

LAST = TUESDAY + days(7 * 7)
NOW = LAST + hours(1)
"""After the eighth slot."""


@pytest.mark.parametrize(
    ("letters", "others", "is_alike"),
    [
        # 14 days: over the usual step of 10.5, and not over 15.4.
        ("HHHHHHHHcSS", Limits(), True),
        ("HHHHHHHHcSS", Limits(gap_watch=1.8), True),
        ("HHHHHHHHcSS", Limits(gap_watch=2.2), False),
        # 14 days less one that was announced: not over 10.5, however it is counted not over 14.
        ("HHHHHHHHaSS", Limits(announce_days=7), True),
        ("HHHHHHHHaSS", Limits(announce_days=120, announce_watch_days=130), False),
        ("HHHHHHHHaSS", Limits(gap_watch=2, announce_days=120, announce_watch_days=130), True),
        # Other sessions are seen.
        ("HHHHHHHHSSS", Limits(mark_grace_h=72), False),
    ],
)
def test_gaps_are_told_alike_where_no_step_lies_between(letters: str, others: Limits, is_alike: bool) -> None:
    assert gap.is_told_alike(course(letters), Limits(), others, NOW) is is_alike


def test_a_course_at_rest_is_told_alike_by_all() -> None:
    resting = course("HHHHHHHHcSS", status=CourseStatus.PAUSED)
    assert gap.is_told_alike(resting, Limits(), Limits(gap_watch=2.2), NOW)


def test_an_agreed_hour_is_no_minute_away_from_what_was_agreed() -> None:
    slots = [(TUESDAY + days(7 * week), late) for week, late in enumerate((0, 0, 2, 4))]
    of = course([appointment(slot, starts=slot + hours(late)) for slot, late in slots])
    assert only(of, "slot.irregular").value["distance"] == 0


@pytest.mark.parametrize("kind", [AbsenceKind.PAUSE, AbsenceKind.LEAVE])
@pytest.mark.parametrize("is_told", [True, False])
def test_slots_nobody_booked_are_announced_by_a_pause_and_by_what_was_told(kind: AbsenceKind, is_told: bool) -> None:
    """Two slots within: 21 days from one session to the next, of which two are announced, or none."""
    away = leave(LAST + days(5), LAST + days(16), kind=kind, told_at=LAST - days(40) if is_told else None)
    of = course([*held(8, last=LAST), *booked(LAST + days(21))], absences=(away,))
    found = [one.value["m_a"] for one in gap.told(of, Limits(), NOW)]
    assert found == ([] if is_told or kind is AbsenceKind.PAUSE else [0])
