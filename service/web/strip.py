"""The course strip: one look shows what was agreed and what happened. Pure: a course in, shapes out; a template draws.

Time runs from left to right, one column for each slot. A thin line is the agreed hour; it steps where the agreement
changed. Marks on the line kept the hour, marks off it were moved (the further, the more), and every mark has a shape
of its own, so that nothing depends on colour.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from service.domain.appointment import Appointment, Initiator, Status
from service.domain.course import Course
from service.domain.hours import LocalTime
from service.domain.phrase import Clock, Day, FullDay, Listing, Moment, Month, Number, Value, say, says
from service.domain.signals import Level, Signal
from service.domain.standing import Modality, Standing
from service.web import words

PAST, AHEAD = 26, 10
COLUMN = 20
MARGIN = 14
TOP, LINE, BOTTOM, HEIGHT = 22, 54, 86, 108
STEP = 5
"""How far the line steps where the agreement changes."""

_ON_TIME = timedelta(minutes=45)
_HALF_DAY = timedelta(hours=12)
_LIFTS = (9, 16, 23)
"""How far a moved mark stands off the line: up to 12 hours, up to half a cadence, more."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One hour. `shape` names its drawing in the template; `label` says the same in words."""

    x: float
    y: float
    line_y: float
    shape: str
    """`held`, `video`, `other-therapist`, `client-side`, `no-message`, `clinic-side`, `break`, `booked`, `unmarked`."""
    is_at_risk: bool
    label: Value
    appointment: str

    @property
    def is_moved(self) -> bool:
        return self.y != self.line_y


@dataclass(frozen=True, kw_only=True)
class Band:
    """Slots without a session because somebody or some place is away; hatched while the client was not told."""

    x: float
    width: float
    is_told: bool
    label: Value


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """A gap above its threshold."""

    x: float
    width: float
    days: Value
    level: str
    is_ahead: bool
    label: Value


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The agreement changed here."""

    x: float
    y: float
    until_y: float
    label: Value


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A month's name under its first column."""

    x: float
    text: Value


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Shapes in a box of `width` × `height` units, and the whole in one sentence."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    bands: tuple[Band, ...]
    brackets: tuple[Bracket, ...]
    turns: tuple[Turn, ...]
    line: tuple[tuple[float, float], ...]
    ticks: tuple[Tick, ...]
    today: float | None
    sentence: Value
    held: int = 0
    due: int = 0
    names: dict[str, str] = field(default_factory=dict)


def strip_of(
    course: Course, *, now: LocalTime, signals: Sequence[Signal] = (), names: dict[str, str] | None = None
) -> Strip:
    """The last 26 hours and the next 10. `names` gives what people call a therapist or room, by public id."""
    drawing = _Drawing(course, now, names or {})
    marks = tuple(drawing.mark(place, one) for place, one in enumerate(drawing.shown))
    resolved = [one for one in drawing.shown if one.status is not Status.SCHEDULED and one.expected <= now]
    held = sum(one.is_held for one in resolved)
    return Strip(
        width=2 * MARGIN + COLUMN * max(1, len(drawing.shown)),
        height=HEIGHT,
        marks=marks,
        bands=tuple(drawing.bands()),
        brackets=tuple(drawing.brackets(signals)),
        turns=tuple(drawing.turns()),
        line=tuple(drawing.line()),
        ticks=tuple(drawing.ticks()),
        today=drawing.today(),
        sentence=_sentence(drawing.shown, now),
        held=held,
        due=len(resolved),
    )


class _Drawing:
    """Where things stand: columns by slot, heights by displacement."""

    def __init__(self, course: Course, now: LocalTime, names: dict[str, str]) -> None:
        self.course, self.now, self.names = course, now, names
        past = len(course.expected_until(now))
        self.shown = course.appointments[max(0, past - PAST) : past + AHEAD]
        self.versions = _versions(course, self.shown)

    def x(self, place: float) -> float:
        return MARGIN + COLUMN * (place + 0.5)

    def line_y(self, place: int) -> float:
        return LINE + STEP * (self.versions[place] % 2)

    def mark(self, place: int, one: Appointment) -> Mark:
        line_y = self.line_y(place)
        return Mark(
            x=self.x(place),
            y=line_y - self._lift(one),
            line_y=line_y,
            shape=_shape(self.course, one, self.now),
            is_at_risk=one.status is Status.SCHEDULED and one.starts > self.now and self.course.is_lost(one),
            label=self._label(one),
            appointment=one.id,
        )

    def _lift(self, one: Appointment) -> float:
        """Up for earlier, down for later."""
        if one.slot is None or one.is_cancelled:
            return 0
        by = one.starts - one.slot
        half = self.course.frame_at(one.slot).cadence / 2
        if abs(by) <= _ON_TIME:
            return 0
        lift = _LIFTS[0] if abs(by) <= _HALF_DAY else _LIFTS[1] if abs(by) <= half else _LIFTS[2]
        return lift if by < timedelta() else -lift

    def _label(self, one: Appointment) -> Value:
        parts = [FullDay(one.expected), Clock(one.expected.time()), _what(self.course, one, self.now)]
        if one.slot is not None and one.starts != one.slot and not one.is_cancelled:
            parts.append(say("moved to {when}", when=Moment(one.starts)))
            parts.extend(_asked(one))
        standing = self.course.standing_of(one)
        if standing is not None and one.therapist not in standing.therapists:
            parts.append(self._with(one.therapist))
        if standing is not None and one.modality is not standing.modality:
            parts.append(say("by video") if one.modality is Modality.VIDEO else say("in person"))
        return Listing(tuple(parts))

    def _with(self, therapist: str) -> Value:
        name = self.names.get(therapist)
        return say("with {therapist}", therapist=name) if name else say("with another therapist")

    def bands(self) -> Iterator[Band]:
        """Neighbouring slots lost to an absence, in one band."""
        lost = [place for place, one in enumerate(self.shown) if _is_away(self.course, one)]
        for first, last in _runs(lost):
            told = all(self._is_told(one) for one in self.shown[first : last + 1])
            days = {"since": Day(self.shown[first].expected), "until": Day(self.shown[last].expected)}
            yield Band(
                x=self.x(first) - COLUMN / 2,
                width=COLUMN * (last - first + 1),
                is_told=told,
                label=say("Break {since} to {until}, told", **days)
                if told
                else say("Break {since} to {until}, not yet told", **days),
            )

    def _is_told(self, one: Appointment) -> bool:
        return one.told_at is not None or any(absence.told_at for absence in self.course.absences_over(one))

    def brackets(self, signals: Iterable[Signal]) -> Iterator[Bracket]:
        places = {one.starts: place for place, one in enumerate(self.shown)}
        end = len(self.shown) - 0.5
        for signal in signals:
            if not signal.id.startswith("gap.") or not _is_over(signal):
                continue
            since = LocalTime.fromisoformat(str(signal.value["from"]))
            until = signal.value["to"]
            first = places.get(since)
            last = places.get(LocalTime.fromisoformat(str(until)), end) if until else end
            if first is not None and last > first:
                days = say("{n} d", n=Number(float(str(signal.value["g"])), 0))
                yield Bracket(
                    x=self.x(first),
                    width=COLUMN * (last - first),
                    days=days,
                    level=_level_of(signal),
                    is_ahead=signal.value["state"] == "ahead",
                    label=signal.text,
                )

    def turns(self) -> Iterator[Turn]:
        for place in range(1, len(self.shown)):
            if self.versions[place] != self.versions[place - 1]:
                old = self.course.standing_of(self.shown[place - 1])
                new = self.course.standing_of(self.shown[place])
                yield Turn(
                    x=self.x(place) - COLUMN / 2,
                    y=self.line_y(place - 1),
                    until_y=self.line_y(place),
                    label=say("The agreement changed: {was} → {now}", was=self._frame(old), now=self._frame(new)),
                )

    def _frame(self, standing: Standing | None) -> Value:
        if standing is None:
            return say("single hours")
        often = [words.every(standing.every_weeks)] if standing.every_weeks > 1 else []
        whom = [self._with(standing.therapist)] if standing.therapist in self.names else []
        return Listing((words.hours(standing.hours), *often, *whom))

    def line(self) -> Iterator[tuple[float, float]]:
        """The corners of the agreed hour's line."""
        yield MARGIN / 2, LINE if not self.shown else self.line_y(0)
        for place in range(1, len(self.shown)):
            if self.line_y(place) != self.line_y(place - 1):
                yield self.x(place) - COLUMN / 2, self.line_y(place - 1)
                yield self.x(place) - COLUMN / 2, self.line_y(place)
        yield 1.5 * MARGIN + COLUMN * max(1, len(self.shown)), self.line_y(len(self.shown) - 1) if self.shown else LINE

    def ticks(self) -> Iterator[Tick]:
        month = None
        for place, one in enumerate(self.shown):
            if (one.expected.year, one.expected.month) != month:
                month = (one.expected.year, one.expected.month)
                yield Tick(x=self.x(place), text=Month(one.expected))

    def today(self) -> float | None:
        past = sum(one.expected <= self.now for one in self.shown)
        return self.x(past - 0.5) if self.shown else None


def _versions(course: Course, shown: Sequence[Appointment]) -> list[int]:
    """Which agreement each hour belongs to, counted; standings in force together are one."""
    frames = [course.frame_at(one.expected).since for one in shown]
    order = {since: number for number, since in enumerate(sorted(set(frames)))}
    return [order[since] for since in frames]


def _shape(course: Course, one: Appointment, now: LocalTime) -> str:
    by_status = {
        Status.CLIENT_CANCELLED: "client-side",
        Status.NO_SHOW: "no-message",
        Status.LATE_NOT_SEEN: "client-side",
        Status.CLINIC_CANCELLED: "clinic-side",
        Status.BREAK: "break",
    }
    if one.status in by_status:
        return by_status[one.status]
    if one.status is Status.SCHEDULED:
        return "booked" if one.starts > now else "unmarked"
    standing = course.standing_of(one)
    if standing is not None and one.therapist not in standing.therapists:
        return "other-therapist"
    if standing is not None and one.modality is Modality.VIDEO and standing.modality is Modality.IN_PERSON:
        return "video"
    return "held"


_WORDS = {
    Status.HELD: say("held"),
    Status.CLIENT_CANCELLED: say("did not take place, cancelled by the client"),
    Status.NO_SHOW: say("did not take place, without a message"),
    Status.LATE_NOT_SEEN: say("arrived, could not be seen"),
    Status.CLINIC_CANCELLED: say("did not take place, cancelled by the clinic"),
    Status.BREAK: say("did not take place, a break"),
}


def _what(course: Course, one: Appointment, now: LocalTime) -> Value:
    if one.status is not Status.SCHEDULED:
        return _WORDS[one.status]
    if one.starts <= now:
        return say("not yet marked")
    return say("booked, at risk") if course.is_lost(one) else say("booked")


def _asked(one: Appointment) -> list[Value]:
    by = next((change.by for change in reversed(one.changes) if change.what == "time"), Initiator.UNKNOWN)
    return [] if by is Initiator.UNKNOWN else [words.WAS_ASKED_BY[by.value]]


def _is_away(course: Course, one: Appointment) -> bool:
    return one.status is Status.BREAK or (one.status is Status.SCHEDULED and course.is_lost(one))


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring numbers as (first, last)."""
    first = last = None
    for place in places:
        if last is not None and first is not None and place != last + 1:
            yield first, last
            first = place
        first, last = place if first is None else first, place
    if first is not None and last is not None:
        yield first, last


def _is_over(signal: Signal) -> bool:
    rho, watch = float(str(signal.value["rho"])), float(str(signal.threshold["watch"]))
    return signal.level is not Level.INFO or (signal.value["state"] == "closed" and rho > watch)


def _level_of(signal: Signal) -> str:
    is_act = float(str(signal.value["rho"])) > float(str(signal.threshold["act"]))
    return "act" if is_act and signal.value["state"] != "closed" else "watch"


def _sentence(shown: Sequence[Appointment], now: LocalTime) -> Value:
    past = [one for one in shown if one.expected <= now]
    if not shown:
        return say("No hour is agreed yet.")
    held = [one for one in past if one.is_held]
    moved = sum(one.slot is not None and abs(one.starts - one.slot) > _ON_TIME for one in held)
    ahead = sum(one.status is Status.SCHEDULED for one in shown if one.expected > now)
    if not past:
        return says(
            "No hour has come yet; {n} is booked ahead.", "No hour has come yet; {n} are booked ahead.", n=ahead
        )
    return says(
        "Of {past} agreed hours so far {held} were held, {moved} of them moved; {n} is booked ahead.",
        "Of {past} agreed hours so far {held} were held, {moved} of them moved; {n} are booked ahead.",
        n=ahead,
        past=len(past),
        held=len(held),
        moved=moved,
    )
