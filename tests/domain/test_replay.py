"""A look back: what was known when, what would have been told then, and that nothing is missed by looking less."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.appointment import Initiator, Status
from service.domain.course import Course, CourseStatus, Override
from service.domain.hours import LocalTime
from service.domain.limits import RULES, Limits
from service.domain.past import Records
from service.domain.replay import LimitsOn, Raised, compared, replay
from service.domain.signals import Signal, gap
from tests.domain.drawn import TUESDAY, course, days, hours, moved, slots, standing, with_therapist
from tests.domain.test_signals_due import MANY, courses

ALL = frozenset(RULES)
GAPS = frozenset({"gap.open", "gap.ahead", "gap.early"})

OTHERS = frozenset({"next.none", "churn", "notice.short", "missed.clinic"})


def always(limits: Limits) -> LimitsOn:
    return lambda _on: limits


def told(
    of: Course,
    *,
    limits: Limits | None = None,
    records: Records | None = None,
    rules: frozenset[str] = ALL,
    until: LocalTime | None = None,
    looks_everywhere: bool = False,
) -> list[Raised]:
    """Over the ninety days before an hour after the last slot that is not ahead."""
    until = until or max(one.expected for one in of.appointments) + hours(1)
    [found] = replay(
        of,
        records=records or Records(),
        limits=[always(limits or Limits())],
        rules=rules,
        since=until - days(90),
        until=until,
        looks_everywhere=looks_everywhere,
    )
    return list(found)


def words(found: list[Raised]) -> list[str]:
    return [f"{one.rule} {one.level.value}" for one in found]


@pytest.mark.parametrize(
    ("letters", "alerts"),
    [
        ("HHHHHHHHHHHH", []),
        ("HHHHHHHHcHHH", ["gap watch"]),
        ("HHHHHHHHccHHH", ["gap act", "missed.client_run watch"]),
        ("HHHHHHHHaaHHH", []),
        ("HHHHHHHHNHHH", ["gap watch"]),
        ("HHHHHHHcHHHcHHH", ["gap watch", "gap watch"]),
        ("HHHHHHHHKHKHHH", ["gap watch", "missed.clinic watch", "gap watch"]),
    ],
)
def test_what_would_have_been_told(letters: str, alerts: list[str]) -> None:
    assert sorted(words(told(course(letters)))) == sorted(alerts)


def test_a_gap_is_one_alert_however_many_sessions_see_it_coming() -> None:
    of = course("HHHHHHHHHHH ccc HH")
    early = [
        replace(one, told_at=one.expected - days(60)) if one.status is Status.CLIENT_CANCELLED else one
        for one in of.appointments
    ]
    # Told sixty days before it is announced; nobody told, and it is on record for as long.
    assert told(replace(of, appointments=tuple(early)), rules=GAPS) == []
    untold = [replace(one, told_at=None) for one in early]
    recorded = {one.id: one.expected - days(50) for one in untold if one.is_cancelled}
    found = told(replace(of, appointments=tuple(untold)), rules=GAPS, records=Records(cancelled=recorded))
    assert words(found) == ["gap act"]
    assert found[0].at < of.appointments[8].starts


def test_what_was_not_known_yet_is_not_told() -> None:
    of = course("HHHHHHHHHHHcHH")
    [lost] = [one for one in of.appointments if one.is_cancelled]
    [seen] = told(of, rules=GAPS)
    assert lost.told_at is not None
    assert lost.told_at <= seen.at


def test_a_move_and_a_cover_are_seen_once_they_are_told() -> None:
    some = slots("HHHHHHHHHHHH")
    later = [
        moved(one, days(4), by=Initiator.CLINIC, told=days(3)) if k in (8, 9) else one for k, one in enumerate(some)
    ]
    [seen] = told(course(later), rules=frozenset({"churn"}))
    assert (seen.level.value, seen.at >= later[9].expected) == ("watch", True)
    covered = [with_therapist(one, "B", told=days(2)) if k in (7, 9) else one for k, one in enumerate(some)]
    [seen] = told(course(covered), rules=frozenset({"therapist.change"}))
    assert seen.at >= covered[9].starts


def test_the_next_session_is_seen_however_far_ahead_past_what_was_cancelled() -> None:
    of = course("HHHHHHHHHHHHHH....cS")
    last = of.appointments[13].starts
    cancelled = [replace(one, told_at=last) if one.is_cancelled else one for one in of.appointments]
    of, near = replace(of, appointments=tuple(cancelled)), Limits(horizon_days=14)
    asked = frozenset({"next.none"})
    assert told(of, until=last + days(3), limits=near, rules=asked) == []
    without = replace(of, appointments=tuple(cancelled[:-1]))
    assert words(told(without, until=last + days(3), limits=near, rules=asked)) == ["next.none watch"]


def test_an_ended_course_was_not_always_ended() -> None:
    of = course("HHHHHHHHccHHH", status=CourseStatus.ENDED)
    assert told(of) == []
    ended = Records(ended_on=(TUESDAY + days(7 * 13)).date())
    assert words(told(of, records=ended, rules=GAPS)) == ["gap act"]


def test_a_gap_that_was_act_ahead_counts_as_act_though_it_opens_at_watch() -> None:
    """Open, it speaks for its own pair alone, and is at watch until as many days have gone by."""
    of = course("HHHHHHHHHccH")
    now = of.appointments[10].starts - days(1)
    recorded = Records(cancelled={one.id: of.appointments[8].starts + days(1) for one in of.appointments[9:11]})
    assert words(told(of, until=now, records=recorded, rules=GAPS)) == ["gap act"]


def test_a_pause_is_quiet_while_it_lasts() -> None:
    of = course("HHHHHHHH.....", status=CourseStatus.PAUSED)
    found = told(of, until=TUESDAY + days(7 * 12), rules=GAPS)
    assert words(found) == ["gap act"], "the course says it rests, and no pause is on record"


def test_an_exception_holds_until_its_day() -> None:
    of = course("HHHHHHHHcHHHcHH")
    until = (TUESDAY + days(7 * 10)).date()
    agreed = {"gap_watch": Override(value=2.2, reason="agreed", until=until)}
    changed = replace(of, overrides=agreed)

    def limits(on: date) -> Limits:
        return Limits().for_course(changed, on=on)

    now = TUESDAY + days(7 * 14) + hours(1)
    [found] = replay(changed, limits=[limits], rules=GAPS, since=now - days(90), until=now)
    assert [one.at.date() > until for one in found] == [True]


def test_more_sessions_than_usual_may_be_early() -> None:
    """With fewer behind it than make a course established, it would be early for ever, and told so."""
    of = course("H" * 60 + "cHH")
    limits = Limits(early_sessions=40, gap_early_watch=1.2, gap_watch=2.2, gap_act=4.0)
    assert told(of, limits=limits, rules=GAPS) == told(of, limits=limits, rules=GAPS, looks_everywhere=True) == []


def test_two_replays_are_compared() -> None:
    of = course("HHHHHHHHHcHHccHHHH")
    now = TUESDAY + days(7 * 17) + hours(1)
    found = compared(
        of,
        before=always(Limits()),
        after=always(Limits(gap_watch=2.1)),
        rules=GAPS,
        since=now - days(90),
        until=now,
    )
    assert (len(found.before), len(found.after), len(found.gone), len(found.new)) == (2, 1, 1, 0)
    stricter = compared(
        of, before=always(Limits()), after=always(Limits(gap_watch=0.9)), rules=GAPS, since=now - days(90), until=now
    )
    assert stricter.gone == ()
    assert len(stricter.new) > 2


@st.composite
def disturbed(draw: st.DrawFn) -> Course:
    """Courses with every kind of disturbance, some of them known long before and some only when they happen."""
    of = draw(courses())
    changed = []
    for one in of.appointments:
        kind = draw(st.integers(0, 14))
        if kind == 0:
            one = with_therapist(one, "B", told=days(draw(st.integers(0, 20))))
        elif kind == 1:
            one = replace(one, room="R2")
        elif kind == 2 and one.is_held:
            one = replace(one, began=one.starts + timedelta(minutes=20), finished=one.starts + timedelta(minutes=50))
        elif kind == 3 and one.is_cancelled:
            one = replace(one, told_at=draw(st.sampled_from((None, one.starts - days(40), one.starts - hours(3)))))
        changed.append(one)
    if draw(st.integers(0, 5)) == 0:
        turn = (TUESDAY + days(7 * draw(st.integers(4, 20)))).date()
        second = standing(id="s2", therapist="B", since=turn)
        return replace(of, appointments=tuple(changed), standings=(standing(until=turn), second))
    return replace(of, appointments=tuple(changed))


@st.composite
def some_limits(draw: st.DrawFn) -> Limits:
    watch = draw(st.sampled_from((1.0, 1.2, 1.5, 2.1)))
    return Limits(
        gap_watch=watch,
        gap_early_watch=draw(st.sampled_from((1.0, 1.25, 1.6))),
        churn_n=draw(st.sampled_from((4, 6, 10))),
        announce_days=draw(st.sampled_from((7, 14, 21))),
        horizon_days=draw(st.sampled_from((14, 56))),
        early_sessions=draw(st.sampled_from((2, 5))),
    )


@MANY
@given(
    disturbed(), some_limits(), st.integers(60, 260), st.sampled_from([ALL, GAPS, frozenset({"next.none", "churn"})])
)
def test_looking_less_sees_as_much(of: Course, limits: Limits, day: int, rules: frozenset[str]) -> None:
    until = datetime.combine((TUESDAY + days(day)).date(), TUESDAY.time()) + hours(3)
    recorded = {one.id: one.starts - days(3) for one in of.appointments if one.is_cancelled and not one.told_at}

    absences = [replace(one, id=f"a{place}") for place, one in enumerate(of.absences)]
    of = replace(of, absences=tuple(absences))
    entered = {one.id: one.since - days(20) for one in absences if one.since.day % 2}

    def found(*, everywhere: bool) -> set[tuple[object, ...]]:
        some = told(
            of,
            limits=limits,
            until=until,
            rules=rules,
            records=Records(cancelled=recorded, entered=entered),
            looks_everywhere=everywhere,
        )
        return {(one.rule, one.level) if one.rule == "gap" else (one.rule, one.episode, one.level) for one in some}

    assert found(everywhere=False) == found(everywhere=True)


def without_steps(said: list[Signal]) -> list[Signal]:
    return [replace(one, threshold={}) for one in said]


@MANY
@given(disturbed(), some_limits(), some_limits(), st.integers(30, 260))
def test_what_is_told_alike_is_the_same(of: Course, limits: Limits, others: Limits, day: int) -> None:
    now = TUESDAY + days(day) + hours(3)
    if gap.is_told_alike(of, limits, others, now):
        of.kept.clear()
        first = list(gap.told(of, limits, now))
        of.kept.clear()
        assert without_steps(first) == without_steps(list(gap.told(of, others, now)))


@pytest.mark.parametrize(
    ("letters", "others", "is_alike"),
    [
        ("HHHHHHHHSS", Limits(gap_watch=1.8), True),
        ("HHHHHHHHcSS", Limits(gap_watch=1.8), True),
        ("HHHHHHHHcSS", Limits(gap_watch=2.2), False),
        ("HHHHHHHHccSS", Limits(gap_watch=2.2), True),
        ("HHHHHHHHccSS", Limits(gap_act=3.2), False),
        ("HHHHHHHHaSS", Limits(announce_days=7), True),
        ("HHHHHHHHaSS", Limits(announce_days=120, announce_watch_days=130), False),
        ("HHHHHHHHcSS", Limits(mark_grace_h=72), False),
    ],
)
def test_other_numbers_are_told_alike_where_no_gap_lies_between(letters: str, others: Limits, is_alike: bool) -> None:
    of = course(letters)
    now = of.appointments[7].starts + hours(1)
    assert gap.is_told_alike(of, Limits(), others, now) is is_alike
    is_the_same = without_steps(list(gap.told(of, Limits(), now))) == without_steps(list(gap.told(of, others, now)))
    assert is_the_same or not is_alike
