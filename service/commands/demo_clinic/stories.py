"""What happened in the courses that show something: each signal of the specification has at least one here.

A story takes a course as agreed, every hour so far held, and lets something happen to it. `p[-1]` is the slot that
came last.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from service.commands.demo_clinic.diary import HOUR
from service.commands.demo_clinic.making import Making
from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Initiator, Status
from service.domain.course import CourseStatus, Ending
from service.domain.hours import Weekday, midnight, monday_of
from service.usecases.demo import Away

Story = Callable[[Making], None]
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
CLIENT, CLINIC, MUTUAL = Initiator.CLIENT, Initiator.CLINIC, Initiator.MUTUAL


def two_lost_in_a_row(course: Making) -> None:
    course.agree()
    for place in course.past[-2:]:
        course.lose(place, CLIENT, 3 * DAY, "work")


def a_gap_at_the_beginning(course: Making) -> None:
    course.since = monday_of(course.now.date()) - 4 * WEEK
    course.opened = midnight(course.since - 8 * DAY) + 9 * HOUR
    course.agree()
    for place in course.past[-2:]:
        course.lose(place, CLINIC, 4 * DAY, "illness")


def no_hour_to_come(course: Making) -> None:
    course.agree()
    course.end_standing(course.entries[course.past[-2]].value.expected.date() + DAY)


def moved_again_and_again(course: Making) -> None:
    course.agree()
    for place in (course.past[-2], course.past[-3], course.past[-5]):
        course.move(place, CLIENT)


def called_off_at_the_last_moment(course: Making) -> None:
    course.agree()
    course.lose(course.past[-1], CLINIC, 3 * HOUR, "illness")


def always_at_another_time(course: Making) -> None:
    course.agree()
    slot = course.entries[course.past[-1]].value.expected
    for shift in range(-3, 4):
        for hours in (3, 4, 5, -3, -4, -5, 2, -2):
            there = [course.entries[place].value.expected + shift * DAY + hours * HOUR for place in course.past[-6:]]
            works = {day for day, _since, _until in course.worker.hours}
            if (
                8 <= slot.hour + hours <= 17
                and Weekday.of(there[0]) in works
                and all(course.diary.is_free(who, at) for who in (course.worker.id, course.room or "") for at in there)
                and (shift, hours) != (0, 0)
            ):
                for place, at in zip(course.past[-6:], there, strict=True):
                    course.move_to(place, at, course.room, by=CLIENT, ahead=6 * DAY)
                return


def never_at_the_same_time(course: Making) -> None:
    course.agree()
    for place, days in zip(course.past[-6:], ((1,), (2,), (-1,), (3,), (-2,), (-3,)), strict=True):
        course.move(place, CLIENT, days=(*days, 1, 2, -1, 3), ahead=6 * DAY)


def without_an_arrangement(course: Making) -> None:
    monday = monday_of(course.now.date())
    for weeks in (*range(-7, 0), 1):
        course.ad_hoc(course.hours[0].on(monday + weeks * WEEK))


def in_other_rooms(course: Making) -> None:
    course.agree()
    course.same_room = True
    for place in (course.past[-2], course.past[-3], course.past[-5]):
        course.other_room(place)


def by_video_now_and_then(course: Making) -> None:
    course.agree()
    for place in (course.past[-2], course.past[-4]):
        course.by_video(place)


def transferred_without_a_word(course: Making) -> None:
    _transfer(course, weeks=-2, told=None)


def transferred_in_good_time(course: Making) -> None:
    _transfer(course, weeks=-2, told=6 * WEEK)


def to_be_transferred(course: Making) -> None:
    _transfer(course, weeks=3, told=5 * WEEK)


def covered_once(course: Making) -> None:
    course.agree()
    course.cover(course.past[-2])


def beginning_late(course: Making) -> None:
    course.agree()
    for place, minutes in zip(course.past[-4:], (14, 12, 2, 17), strict=True):
        course.late(place, minutes, CLINIC if minutes > 10 else CLIENT)


def absent_twice(course: Making) -> None:
    course.agree()
    course.lose(course.past[-2], CLIENT, DAY, "illness")
    course.miss(course.past[-1])


def absent_at_the_beginning(course: Making) -> None:
    course.since = monday_of(course.now.date()) - 3 * WEEK
    course.opened = midnight(course.since - 8 * DAY) + 9 * HOUR
    course.agree()
    course.miss(course.past[-1], Status.LATE_NOT_SEEN)


def called_off_by_the_clinic(course: Making) -> None:
    course.agree()
    for place in (course.past[-1], course.past[-3]):
        course.lose(place, CLINIC, 3 * DAY, "illness")


def near_its_end(course: Making) -> None:
    course.agree()
    course.end_standing(course.entries[course.ahead[2]].value.expected.date() + DAY)


def ended_without_a_last_session(course: Making) -> None:
    course.agree()
    last = course.past[-3]
    course.miss(last)
    _end(course, last, Ending.UNPLANNED)


def ended_as_planned(course: Making) -> None:
    course.agree(ending_told=True)
    _end(course, course.past[-2], Ending.PLANNED)


def in_uneven_steps(course: Making) -> None:
    course.deviate("interval.sd", "on", "The therapist asked to see it.")
    course.agree()
    for place in (course.past[-2], course.past[-4], course.past[-6]):
        course.move(place, MUTUAL, days=(-4, -5, -3), ahead=6 * DAY)


def not_yet_marked(course: Making) -> None:
    course.agree()
    for place in course.past[-2:]:
        course.forget_mark(place)


def less_and_less_often(course: Making) -> None:
    course.deviate("preset", "tapering", "Agreed with the client.")
    course.agree()
    turn = monday_of(course.now.date()) - 8 * WEEK
    course.end_standing(turn)
    course.every_weeks = 2
    course.agree(since=turn, told_at=midnight(turn) - 20 * DAY)


def by_turns_here_and_by_video(course: Making) -> None:
    course.deviate("preset", "hybrid_agreed", "Every other week by video, agreed with the client.")
    course.agree()
    for place in (*course.past, *course.ahead)[::2]:
        course.by_video(place)


def resting(course: Making) -> None:
    _rest(course, since=-2, until=5, keeps_hour=True)
    course.status = CourseStatus.PAUSED


def to_rest(course: Making) -> None:
    _rest(course, since=4, until=8, keeps_hour=False)


def _transfer(course: Making, *, weeks: int, told: timedelta | None) -> None:
    course.agree()
    turn = monday_of(course.now.date()) + weeks * WEEK
    instead = next(
        (
            worker
            for worker in course.diary.workers
            if worker.id != course.worker.id
            and all(course.diary.is_free_weekly(worker.id, hour) for hour in course.hours)
            and {hour.day for hour in course.hours} <= {day for day, _since, _until in worker.hours}
        ),
        None,
    )
    if instead is None:
        return
    course.end_standing(turn)
    course.diary.keep(course.hours, instead.id)
    course.worker = instead
    course.agree(since=turn, told_at=midnight(turn) - told if told else None)


def _end(course: Making, last: int, ending: Ending) -> None:
    on = course.entries[last].value.expected.date() + DAY
    if ending is Ending.PLANNED:
        course.mark_as_ending(last)
    course.end_standing(on)
    course.status, course.ending, course.ended_on = CourseStatus.ENDED, ending, on


def _rest(course: Making, *, since: int, until: int, keeps_hour: bool) -> None:
    course.agree()
    monday = monday_of(course.now.date())
    begins, ends = midnight(monday + since * WEEK), midnight(monday + until * WEEK)
    told = begins - 16 * DAY
    for place in list(course.within(begins, ends)):
        course.rest(place, min(told, course.now), keeps_hour=keeps_hour)
    rest = Absence(id=course.new_id(), kind=AbsenceKind.PAUSE, since=begins, until=ends)
    course.absences.append(
        Away(value=rest, entered=told, course=course.id, keeps_hour=keeps_hour, told={course.id: min(told, course.now)})
    )


STORIES: tuple[Story, ...] = (
    two_lost_in_a_row,
    moved_again_and_again,
    absent_twice,
    always_at_another_time,
    a_gap_at_the_beginning,
    called_off_by_the_clinic,
    no_hour_to_come,
    not_yet_marked,
    beginning_late,
    called_off_at_the_last_moment,
    never_at_the_same_time,
    without_an_arrangement,
    in_other_rooms,
    by_video_now_and_then,
    transferred_without_a_word,
    transferred_in_good_time,
    to_be_transferred,
    covered_once,
    absent_at_the_beginning,
    near_its_end,
    ended_without_a_last_session,
    ended_as_planned,
    in_uneven_steps,
    less_and_less_often,
    by_turns_here_and_by_video,
    resting,
    to_rest,
)

SHOWN_BY: Mapping[str, str] = {
    "gap.open": "two_lost_in_a_row",
    "gap.ahead": "leave that nobody was told of (`invention`)",
    "gap.early": "a_gap_at_the_beginning",
    "next.none": "no_hour_to_come",
    "churn": "moved_again_and_again",
    "notice.short": "called_off_at_the_last_moment",
    "slot.drift": "always_at_another_time",
    "slot.irregular": "never_at_the_same_time",
    "slot.suggest": "without_an_arrangement",
    "setting.room": "in_other_rooms",
    "setting.modality": "by_video_now_and_then",
    "therapist.change": "transferred_without_a_word",
    "time.frame": "beginning_late",
    "missed.client_run": "absent_twice",
    "missed.clinic": "called_off_by_the_clinic",
    "break.unannounced": "leave that nobody was told of (`invention`)",
    "break.long": "a long leave, told in good time (`invention`)",
    "ending.unprepared": "near_its_end",
    "ending.unplanned": "ended_without_a_last_session",
    "interval.sd": "in_uneven_steps",
    "mark.missing": "not_yet_marked",
}
"""Each signal, and the story in which the demo shows it."""
