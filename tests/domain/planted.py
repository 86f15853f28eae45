"""Seventeen disturbances, one for each of S1 to S17, planted in courses in which nothing else happened.

`planted(rule, number)` is a course with one of them, when to look at it, and what must be said. The course is weekly,
fortnightly, or of another cadence, at any hour of any zone; the disturbance has a size and a place of its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from random import Random

from service.domain.absences import Absence, AbsenceKind
from service.domain.appointment import Appointment, Attribute, Change, Initiator, Status
from service.domain.course import Course, CourseStatus, Override
from service.domain.hours import Hour, LocalTime, Weekday
from service.domain.recurrence import slots as expected_slots
from service.domain.signals import Level
from service.domain.standing import Modality, Standing
from tests.domain.drawn import appointment, days, hours, moved, standing, with_therapist
from tests.domain.invented import ZONES

HOUR = timedelta(hours=1)
AHEAD = 30
INFO, WATCH, ACT = Level.INFO, Level.WATCH, Level.ACT


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What is on record, when somebody looks, and what they must be told: one of `ids`, at that level."""

    course: Course
    now: LocalTime
    ids: tuple[str, ...]
    level: Level


@dataclass(kw_only=True)
class Ground:
    """A course as agreed: what was held, what is booked, and dice of its own."""

    dice: Random
    agreed: Standing
    past: list[Appointment]
    ahead: list[Appointment]

    @property
    def last(self) -> LocalTime:
        return self.past[-1].starts

    @property
    def cadence(self) -> timedelta:
        return self.course().frames[0].cadence

    def course(self, **changes: object) -> Course:
        plain: dict[str, object] = {
            "zone": self.agreed.zone,
            "status": CourseStatus.ACTIVE,
            "standings": (self.agreed,),
            "appointments": (*self.past, *self.ahead),
        }
        return Course(**{**plain, **changes})  # type: ignore[arg-type]

    def soon(self) -> LocalTime:
        """Within a day after the last session, and before the next."""
        return self.last + timedelta(minutes=self.dice.randint(60, 16 * 60))

    def change(self, place: int, **changes: object) -> None:
        self.past[place] = replace(self.past[place], **changes)  # type: ignore[arg-type]

    def lose(self, n: int, now: LocalTime, statuses: Iterable[Status] = ()) -> None:
        """The next so many slots do not take place, and nobody was told in time."""
        choices = tuple(statuses) or (Status.CLIENT_CANCELLED, Status.CLINIC_CANCELLED, Status.BREAK)
        for place in range(n):
            one = self.ahead[place]
            told = self.dice.choice((None, min(now, one.expected - hours(1))))
            told = told if told and one.expected - told < days(14) else None
            self.ahead[place] = replace(one, status=self.dice.choice(choices), told_at=told)

    def let_pass(self, n: int, status: Status) -> LocalTime:
        """The next so many slots come and do not take place; the local time an hour after the last of them."""
        for place in range(n):
            one = self.ahead[place]
            told = one.expected - hours(self.dice.randint(2, 200)) if status is not Status.NO_SHOW else None
            self.ahead[place] = replace(one, status=status, told_at=told)
        return self.ahead[n - 1].expected + HOUR


def ground(dice: Random, *, held: tuple[int, int] = (8, 30), twice: bool = True) -> Ground:
    """So many sessions held, and thirty booked; two hours a week in some, where the plant can bear it."""
    at = Hour(day=Weekday(dice.randrange(7)), at=time(dice.randrange(7, 20), dice.choice((0, 15, 30))))
    both = (at, Hour(day=Weekday((at.day + dice.choice((2, 3, 4))) % 7), at=at.at))
    agreed = standing(
        hours=both if twice and dice.random() < 0.25 else (at,),
        every_weeks=dice.choice((1, 1, 1, 2, 2, 4)),
        since=date(2024, 1, 1) + timedelta(days=dice.randrange(1000)),
        zone=dice.choice(ZONES),
    )
    n = dice.randint(*held)
    slots = list(islice(expected_slots(agreed), n + AHEAD))
    made = [appointment(slot, "H" if place < n else "S", zone=agreed.zone) for place, slot in enumerate(slots)]
    return Ground(dice=dice, agreed=agreed, past=made[:n], ahead=made[n:])


# --- the disturbances


def _open_gap(of: Ground, watch: float, act: float, rule: str) -> Planted:
    ratio = of.dice.uniform(watch + 0.01, act * 1.6)
    now = of.last + of.cadence * ratio
    of.lose(sum(one.expected <= now for one in of.ahead), now)
    level = ACT if ratio > act else WATCH
    return Planted(course=of.course(), now=now, ids=(rule,), level=level)


def s1_open(dice: Random) -> Planted:
    return _open_gap(ground(dice), 1.5, 2.5, "gap.open")


def _gap_ahead(of: Ground, watch: float, act: float, rule: str) -> Planted:
    now = of.soon()
    following = next(place for place, one in enumerate(of.ahead) if one.starts - of.last > of.cadence * watch)
    of.lose(following, now)
    ratio = (of.ahead[following].starts - of.last) / of.cadence
    return Planted(course=of.course(), now=now, ids=(rule,), level=ACT if ratio > act else WATCH)


def s2_ahead(dice: Random) -> Planted:
    return _gap_ahead(ground(dice), 1.5, 2.5, "gap.ahead")


def s3_early(dice: Random) -> Planted:
    of = ground(dice, held=(1, 4))
    if dice.random() < 0.5:
        return _open_gap(of, 1.25, 1.75, "gap.early")
    # The pair ahead is judged with the sessions held until now.
    return _gap_ahead(of, 1.25, 1.75, "gap.early")


def s4_no_next(dice: Random) -> Planted:
    of = ground(dice, held=(1, 30))
    of.ahead = []
    now = of.past[-1].ends + hours(24) + timedelta(minutes=dice.choice((0, dice.randint(1, 60 * 24 * 60))))
    level = ACT if now >= of.last + of.cadence else WATCH
    return Planted(course=of.course(), now=now, ids=("next.none",), level=level)


def s5_churn(dice: Random) -> Planted:
    of = ground(dice)
    by, n, times, level = dice.choice(
        (
            (Initiator.CLIENT, 3, 1, WATCH),
            (Initiator.CLINIC, 2, 1, WATCH),
            (Initiator.CLINIC, 3, 1, ACT),
            (Initiator.CLIENT, 1, 3, WATCH),
        )
    )
    for place in dice.sample(range(-6, 0), n):
        for _ in range(times):
            step = hours(dice.choice((-1, 1, 2)))
            of.past[place] = moved(of.past[place], step, told=days(dice.randint(3, 9)), by=by)
    now = max(of.soon(), max(one.starts for one in of.past))
    return Planted(course=of.course(), now=now, ids=("churn",), level=level)


def s6_short_notice(dice: Random) -> Planted:
    of = ground(dice, twice=False)
    one = of.ahead[0]
    by, longest, level = dice.choice(((Initiator.CLINIC, 48, WATCH), (Initiator.CLIENT, 24, INFO)))
    told = one.starts - timedelta(minutes=dice.randint(1, longest * 60 - 1))
    if dice.random() < 0.5:
        status = Status.CLINIC_CANCELLED if by is Initiator.CLINIC else Status.CLIENT_CANCELLED
        of.ahead[0] = replace(one, status=status, told_at=told)
    else:
        later = one.starts + hours(dice.randint(1, 30))
        change = Change(what=Attribute.TIME, was=_iso(one.starts), now=_iso(later), told_at=told, by=by)
        of.ahead[0] = replace(one, starts=later, changes=(change,))
    now = told + timedelta(minutes=dice.randint(0, 30))
    return Planted(course=of.course(), now=now, ids=("notice.short",), level=level)


def _iso(at: LocalTime) -> str:
    return at.isoformat(timespec="minutes")


def s7_other_hour(dice: Random) -> Planted:
    of = ground(dice, twice=False)
    if dice.random() < 0.5:
        apart, rule = [hours(dice.choice((-5, 2, 3, 26)))] * 6, "slot.drift"
    else:
        apart, rule = [hours(n) for n in (-12, -9, -6, 3, 6, 9)], "slot.irregular"
        dice.shuffle(apart)
    for place in range(-6, 0):
        jitter = timedelta(minutes=dice.randint(-25, 25)) if rule == "slot.drift" else timedelta()
        of.change(place, starts=of.past[place].expected + apart[place] + jitter)
    now = max(one.starts for one in of.past) + HOUR
    return Planted(course=of.course(), now=now, ids=(rule,), level=WATCH)


def s8_other_room(dice: Random) -> Planted:
    of = ground(dice)
    same_room = dice.random() < 0.5
    for place in dice.sample(range(-6, 0), dice.randint(1 if same_room else 3, 6)):
        of.change(place, room="R2")
    level = WATCH if same_room else INFO
    return Planted(course=of.course(same_room=same_room), now=of.soon(), ids=("setting.room",), level=level)


def s9_other_form(dice: Random) -> Planted:
    of = ground(dice)
    for place in dice.sample(range(-6, 0), dice.randint(2, 6)):
        of.change(place, modality=Modality.VIDEO, room=None)
    return Planted(course=of.course(), now=of.soon(), ids=("setting.modality",), level=WATCH)


def s10_other_therapist(dice: Random) -> Planted:
    of = ground(dice)
    how = dice.choice(("cover", "pattern", "change"))
    if how == "cover":
        place = dice.randint(-4, -1)
        of.past[place] = with_therapist(of.past[place], "B", told=days(6))
        return Planted(course=of.course(), now=of.soon(), ids=("therapist.change",), level=INFO)
    if how == "pattern":
        for place in (-6, -4, -2):
            of.change(place, therapist=dice.choice("BCD"))
        return Planted(course=of.course(), now=of.soon(), ids=("therapist.change",), level=WATCH)
    return _transfer(of)


def _transfer(of: Ground) -> Planted:
    since_new = of.dice.randint(1, 3)
    turn = of.past[-since_new].expected.date()
    told, level = of.dice.choice(((None, ACT), (datetime.combine(turn, time()) - days(of.dice.randint(1, 27)), WATCH)))
    new = replace(of.agreed, id="s2", therapist="B", since=turn, change_told_at=told)
    for place in range(-since_new, 0):
        of.change(place, standing="s2", therapist="B")
    of.ahead = [replace(one, standing="s2", therapist="B") for one in of.ahead]
    both = (replace(of.agreed, until=turn), new)
    return Planted(course=of.course(standings=both), now=of.soon(), ids=("therapist.change",), level=level)


def s11_off_time(dice: Random) -> Planted:
    of = ground(dice)
    for place in range(-4, 0):
        began = of.past[place].starts + timedelta(minutes=dice.randint(0, 9))
        of.change(place, began=began, finished=began + timedelta(minutes=50))
    by_clinic = dice.random() < 0.3
    for place in dice.sample(range(-4, 0), 3 if by_clinic else dice.randint(2, 4)):
        late, lasted = dice.choice(((12, 50), (10, 45), (0, 40), (0, 60), (3, 35), (15, 30)))
        began = of.past[place].starts + timedelta(minutes=late)
        by = Initiator.CLINIC if by_clinic else Initiator.CLIENT
        of.change(place, began=began, finished=began + timedelta(minutes=lasted), late_by=by)
    level = ACT if by_clinic else WATCH
    return Planted(course=of.course(), now=of.soon(), ids=("time.frame",), level=level)


def s12_client_run(dice: Random) -> Planted:
    of = ground(dice, held=(1, 30))
    early = len(of.past) < 3
    silent = dice.choice((Status.NO_SHOW, Status.LATE_NOT_SEEN))
    run, level = dice.choice(
        (
            ((silent,), ACT if early else INFO),
            ((Status.CLIENT_CANCELLED,) * 2, WATCH),
            ((Status.CLIENT_CANCELLED,) * 3, ACT),
            ((Status.CLIENT_CANCELLED, silent), ACT),
        )
    )
    now = of.last
    for place, status in enumerate(run):
        one = of.ahead[place]
        told = one.expected - hours(dice.randint(2, 200)) if status is Status.CLIENT_CANCELLED else None
        of.ahead[place] = replace(one, status=status, told_at=told)
        now = one.expected + HOUR
    return Planted(course=of.course(), now=now, ids=("missed.client_run",), level=level)


def s13_by_clinic(dice: Random) -> Planted:
    of = ground(dice)
    places, level = dice.choice(
        (
            ((dice.randint(-6, -1),), INFO),
            ((-6, -3), WATCH),
            ((-5, -1), WATCH),
            ((-2, -1), ACT),
            ((-6, -4, -2), ACT),
        )
    )
    for place in places:
        one = of.past[place]
        told = dice.choice((None, one.expected - hours(dice.randint(1, 14 * 24 - 1))))
        of.change(place, status=Status.CLINIC_CANCELLED, told_at=told)
    now = of.past[-1].expected + timedelta(minutes=dice.randint(1, 16 * 60))
    return Planted(course=of.course(), now=now, ids=("missed.clinic",), level=level)


def s14_untold_break(dice: Random) -> Planted:
    of = ground(dice, twice=False)
    first = of.ahead[dice.randint(0, 3)].starts
    since = first - hours(dice.randint(0, 9))
    last = max(one.starts for one in of.past)
    ahead = timedelta(minutes=dice.choice((1, 14 * 1440, 14 * 1440 + 1, 21 * 1440, dice.randint(1, 21 * 1440))))
    now = max(first - ahead, last + HOUR)
    away = Absence(
        kind=dice.choice((AbsenceKind.LEAVE, AbsenceKind.CLOSURE)),
        therapist="A",
        since=since,
        until=since + days(dice.randint(1, 20)),
    )
    level = ACT if first - now <= days(14) else WATCH
    return Planted(course=of.course(absences=(away,)), now=now, ids=("break.unannounced",), level=level)


def s15_long_break(dice: Random) -> Planted:
    of = ground(dice)
    now = of.soon()
    longest = max(days(28), of.cadence * 1.5 + timedelta(minutes=1))
    following = next(place for place, one in enumerate(of.ahead) if one.starts - of.last >= longest)
    for place in range(following):
        one = of.ahead[place]
        of.ahead[place] = replace(one, status=Status.BREAK, told_at=one.expected - days(dice.randint(14, 60)))
    return Planted(course=of.course(), now=now, ids=("break.long",), level=INFO)


def s16_ending(dice: Random) -> Planted:
    of = ground(dice)
    how = dice.choice(("number", "day", "closed"))
    left = dice.randint(1, 4)
    level = ACT if left <= 2 else WATCH
    if how == "number":
        agreed = (replace(of.agreed, sessions_planned=len(of.past) + left),)
        return Planted(course=of.course(standings=agreed), now=of.soon(), ids=("ending.unprepared",), level=level)
    if how == "day":
        of.ahead = of.ahead[:left]
        until = of.ahead[-1].expected.date() + timedelta(days=1)
        agreed = (replace(of.agreed, until=until),)
        return Planted(course=of.course(standings=agreed), now=of.soon(), ids=("ending.unprepared",), level=level)
    of.ahead = []
    return Planted(course=of.course(status=CourseStatus.ENDED), now=of.soon(), ids=("ending.unplanned",), level=INFO)


def s17_uneven(dice: Random) -> Planted:
    of = ground(dice, twice=False)
    apart = of.cadence * dice.uniform(0.52, 0.9)
    for place in (-5, -3):
        of.change(place, starts=of.past[place].expected - apart)
    far = date(2100, 1, 1)
    asked = {"interval.sd": Override(value="on", reason="asked for", until=far)}
    return Planted(course=of.course(overrides=asked), now=of.soon(), ids=("interval.sd",), level=WATCH)


PLANTS: dict[str, Callable[[Random], Planted]] = {
    "S1": s1_open,
    "S2": s2_ahead,
    "S3": s3_early,
    "S4": s4_no_next,
    "S5": s5_churn,
    "S6": s6_short_notice,
    "S7": s7_other_hour,
    "S8": s8_other_room,
    "S9": s9_other_form,
    "S10": s10_other_therapist,
    "S11": s11_off_time,
    "S12": s12_client_run,
    "S13": s13_by_clinic,
    "S14": s14_untold_break,
    "S15": s15_long_break,
    "S16": s16_ending,
    "S17": s17_uneven,
}


def planted(rule: str, number: int) -> Planted:
    return PLANTS[rule](Random(f"{rule} {number}"))
