"""What the rules would have told people over a past time, had they compared with other numbers.

Each course is looked at again as it was known then: before a session began it was booked; before a cancellation or a
move was told or recorded there was none; a pause or an end had not come yet. Where nothing says when a fact became
known, it counts as known when it mattered: marks from the start of the session, agreed versions and their ends all
along. Nobody writes down when an exception was agreed, so those that stand count all along, until they end.

A look at each new fact and one just before it are enough: between two facts what rules see only grows, or shrinks.
Looks at which a rule can say nothing are left out, by `service.domain.unrest`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise

from service.domain.absences import Absence, AbsenceKind
from service.domain.alert import GAP, is_same_gap, worth_telling
from service.domain.appointment import Appointment, Attribute, Change, Status
from service.domain.course import Course, CourseStatus, start_of
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.phrase import Phrase
from service.domain.signals import SIGNALS, Rule, breaks, gap, setting, slot, therapist
from service.domain.signals.signal import Level, Signal
from service.domain.standing import Modality, Standing
from service.domain.unrest import Span, Unrest, times_of

MOMENT = timedelta(microseconds=1)
BEHIND = 12
"""So many sessions before the time are enough for every rule to know where a course stands, unless more are agreed."""
AHEAD = timedelta(days=14)
"""What is booked so much further than the rules look is not carried along."""
_EVER, _NEVER = datetime(1, 1, 2), datetime(9999, 1, 1)

LimitsOn = Callable[[date], Limits]
"""The limits of one course, on a day."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """When facts were put on record that the course itself does not date; local times of its zone."""

    cancelled: Mapping[str, LocalTime] = field(default_factory=dict)
    """By appointment."""
    entered: Mapping[str, LocalTime] = field(default_factory=dict)
    """By absence."""
    ended_on: date | None = None
    """Of an ended course, the first day without an hour."""


@dataclass(frozen=True, kw_only=True)
class Raised:
    """One alert that would have been told."""

    rule: str
    """The family: `gap` for the three gap rules."""
    signal: str
    episode: str
    level: Level
    """The highest that it reached."""
    at: LocalTime
    """When it was first seen so."""
    text: Phrase
    """What was said at that level."""
    value: Mapping[str, object]

    def is_same(self, other: "Raised") -> bool:
        """True for one story, even where the two were first seen at different times."""
        if self.rule != other.rule:
            return False
        return is_same_gap(self.value, other.value) if self.rule == GAP else self.episode == other.episode


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two replays of one course, compared."""

    before: tuple[Raised, ...]
    after: tuple[Raised, ...]
    gone: tuple[Raised, ...]
    new: tuple[Raised, ...]


def compared(
    course: Course,
    *,
    records: Records = Records(),
    before: LimitsOn,
    after: LimitsOn,
    rules: frozenset[str],
    since: LocalTime,
    until: LocalTime,
) -> Difference:
    """The alerts of these rules from `since` to `until`, with either limits: the same, those gone, those new."""
    old, new = replay(course, records=records, limits=(before, after), rules=rules, since=since, until=until)
    return Difference(
        before=old,
        after=new,
        gone=tuple(one for one in old if not any(one.is_same(other) for other in new)),
        new=tuple(one for one in new if not any(one.is_same(other) for other in old)),
    )


def replay(
    course: Course,
    *,
    records: Records = Records(),
    limits: Sequence[LimitsOn],
    rules: frozenset[str],
    since: LocalTime,
    until: LocalTime,
    looks_everywhere: bool = False,
) -> tuple[tuple[Raised, ...], ...]:
    """For each of the limits, the alerts of the rules with these ids, in the order in which they were first seen.

    `looks_everywhere` leaves nothing out; it is slow, and gives the same.
    """
    asked = [rule for rule in SIGNALS if not rules.isdisjoint(rule.IDS)]
    in_force = [[on(since.date()), on(until.date())] for on in limits]
    turns = any(first != last for first, last in in_force)
    compared_with = _different(one for some in in_force for one in some)
    horizon = timedelta(days=max(one.horizon_days for one in compared_with)) + AHEAD
    behind = max(BEHIND, *(max(one.early_sessions, one.churn_n, one.setting_n) for one in compared_with))
    seen = course if looks_everywhere else cut(course, since, until + horizon, behind=behind)
    past = _Past(seen, records, horizon=None if looks_everywhere else horizon, behind=behind)
    unrest = Unrest(
        course=seen,
        limits=compared_with,
        since=since,
        until=until,
        known_from=past.known_from,
        entered=records.entered,
    )
    stories = [_Stories() for _ in limits]
    for at, due in _looks(asked, past, unrest, everywhere=looks_everywhere, turns=turns):
        sight = past.sight(at)
        entries = past.entries(sight, at)
        wide = None if looks_everywhere or gap not in due else _wide(entries, at, unrest)
        if wide == [] and due == [gap]:
            continue
        known = past.known(sight, entries, at)
        if wide is not None and not any(unrest.is_wide(known, *pair) for pair in wide):
            due.remove(gap)
        if due and known.status is not CourseStatus.ENDED:
            _take(stories, due, known, [on(at.date()) for on in limits], rules, at)
        known.kept.clear()  # it points back to the course: each look would wait for the collector
    return tuple(told.all for told in stories)


def _different(limits: Iterable[Limits]) -> list[Limits]:
    found: list[Limits] = []
    for one in limits:
        if one not in found:
            found.append(one)
    return found


def _looks(
    asked: Sequence[Rule], past: "_Past", unrest: Unrest, *, everywhere: bool, turns: bool
) -> Iterator[tuple[LocalTime, list[Rule]]]:
    """When to look, and what to ask then. `turns` where limits change on the way."""
    times = _Times(past, unrest)
    wanted: dict[LocalTime, list[Rule]] = {}
    for rule in asked:
        in_span = times.of_sessions if rule in _OF_SESSIONS and not everywhere and not turns else times.of_all
        for look in [(unrest.since, unrest.until)] if everywhere else unrest.looks(rule):
            for at in in_span(look) if isinstance(look, tuple) else (look,):
                some = wanted.setdefault(at, [])
                if rule not in some:
                    some.append(rule)
    yield from sorted(wanted.items(), key=lambda pair: pair[0])


class _Times:
    """When to look in a span of time."""

    def __init__(self, past: "_Past", unrest: Unrest) -> None:
        self._past, self._since, self._until = past, unrest.since, unrest.until
        self._unrest = unrest

    def of_all(self, span: Span) -> list[LocalTime]:
        """At each fact and just before it, in the span and at the first fact after it."""
        first, last = span
        times = self._all
        return times[bisect_left(times, first) : bisect_right(times, last) + 2]

    def of_sessions(self, span: Span) -> list[LocalTime]:
        """For rules that look at sessions alone and at no clock: between two facts they say what they said before."""
        first, last = span
        times = self._sessions
        return times[bisect_left(times, first) : bisect_right(times, last) + 1]

    @cached_property
    def _all(self) -> list[LocalTime]:
        known = {*self._past.facts_of_sessions, *self._past.facts_of_absences, *self._unrest.asked_for_marks}
        facts = sorted(at for at in known if self._since < at <= self._until)
        return [self._since, *(at for fact in facts for at in (fact - MOMENT, fact)), self._until]

    @cached_property
    def _sessions(self) -> list[LocalTime]:
        facts = sorted(at for at in self._past.facts_of_sessions if self._since < at <= self._until)
        return [self._since, *facts, self._until]


def _take(
    stories: Sequence["_Stories"],
    due: Iterable[Rule],
    known: Course,
    limits: Sequence[Limits],
    rules: frozenset[str],
    at: LocalTime,
) -> None:
    """Into each of the stories what the rules say under its limits."""
    first = limits[0]
    said = [(rule, list(_told(rule)(known, first, at))) for rule in due]
    stories[0].take(_of_interest(said, first, rules), at)
    for told, others in zip(stories[1:], limits[1:], strict=True):
        its_own = [
            (rule, same if _is_told_alike(rule, known, first, others, at) else list(_told(rule)(known, others, at)))
            for rule, same in said
        ]
        told.take(_of_interest(its_own, others, rules), at)


def _told(rule: Rule) -> Callable[[Course, Limits, LocalTime], Iterator[Signal]]:
    """Without what is for the timeline alone, where the rule can tell that apart."""
    return _FOR_PEOPLE.get(rule, rule.check)


def _is_told_alike(rule: Rule, known: Course, first: Limits, others: Limits, at: LocalTime) -> bool:
    return first is others or (rule is gap and gap.is_told_alike(known, first, others, at))


def _of_interest(said: Iterable[tuple[Rule, list[Signal]]], limits: Limits, rules: frozenset[str]) -> list[Signal]:
    return [
        signal
        for _, signals in said
        for signal in signals
        if signal.level is not Level.INFO and signal.id in rules and signal.id not in limits.off
    ]


class _Stories:
    """Alerts as they come up: one for each family and episode, and for a gap that is seen from several sessions."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Raised] = {}

    @property
    def all(self) -> tuple[Raised, ...]:
        return tuple(self._found.values())

    def take(self, said: list[Signal], at: LocalTime) -> None:
        if not said:
            return
        for (rule, episode), signal in worth_telling(said).items():
            key = self._key(rule, episode, signal)
            known = self._found.get(key)
            if known is None or signal.level > known.level:
                first = known.at if known else at
                self._found[key] = _raised(rule, key[1], signal, first)
            elif rule == GAP:
                self._found[key] = replace(known, value=signal.value)

    def _key(self, rule: str, episode: str, signal: Signal) -> tuple[str, str]:
        if rule == GAP:
            for key, known in self._found.items():
                if key[0] == GAP and is_same_gap(signal.value, known.value):
                    return key
        return rule, episode


def _raised(rule: str, episode: str, signal: Signal, at: LocalTime) -> Raised:
    return Raised(
        rule=rule,
        signal=signal.id,
        episode=episode,
        level=signal.level,
        at=at,
        text=signal.text,
        value=signal.value,
    )


def cut(course: Course, since: LocalTime, until: LocalTime, *, behind: int = BEHIND) -> Course:
    """The course with no more behind and ahead than the rules can see."""
    first = 0
    # An end by number counts every session there ever was.
    if not any(standing.sessions_planned for standing in course.standings):
        first = _far_enough(_places_held(course), bisect_left(course.expected_times, since), behind)
    last = bisect_right(course.expected_times, until) + 1
    appointments = course.appointments[first:last]
    earliest = min((one.starts for one in appointments), default=since)
    within = [one for one in course.absences if earliest < one.until and one.since < until]
    weekdays = _weekdays(course.standings, appointments)
    return replace(
        course, appointments=appointments, absences=tuple(one for one in within if _could_take(one, weekdays))
    )


def _places_held(course: Course) -> list[int]:
    return [place for place, one in enumerate(course.appointments) if one.status is Status.HELD]


def _far_enough(places_held: Sequence[int], place: int, behind: int) -> int:
    """So far before that place that enough that were held lie between, and so enough occurrences."""
    held = bisect_left(places_held, place)
    return places_held[held - behind] if held >= behind else 0


def _could_take(absence: Absence, weekdays: set[int]) -> bool:
    """False for a public holiday on a day on which the client never comes, and its like."""
    days = (absence.until - absence.since) // timedelta(days=1) + 2
    if days > 7 or absence.kind is AbsenceKind.PAUSE:
        return True
    first = absence.since.weekday() - 1
    return any((first + n) % 7 in weekdays for n in range(days + 1))


def _weekdays(standings: Iterable[Standing], appointments: Iterable[Appointment]) -> set[int]:
    """On which the client ever comes, or was to come."""
    agreed = {hour.day.value for standing in standings for hour in standing.hours}
    elsewhere = (one for one in appointments if one.changes or one.slot is None)
    return agreed | {at.weekday() for one in elsewhere for at in times_of(one)}


class _Past:
    """The course as it was known at any time."""

    def __init__(self, course: Course, records: Records, *, horizon: timedelta | None, behind: int = BEHIND) -> None:
        self.course, self._records, self._behind = course, records, behind
        self._ahead = horizon
        self._sees_all = horizon is None or any(one.sessions_planned or one.until for one in course.standings)
        self._places_held = _places_held(course)
        self._pauses = [one for one in course.absences if one.kind is AbsenceKind.PAUSE]
        self._firm = [(self.entered_at(one), one) for one in course.firm_absences]
        self._entries = [_Entry(one, self) for one in course.appointments]
        # What fills no slot stands where it starts, which a move may have changed.
        self._is_in_order = not any(one.slot is None and one.changes for one in course.appointments)
        told = (one.told_at for one in course.absences if one.told_at is not None)
        self._news = sorted({*told, *(self.entered_at(one) for one in course.absences)})
        self._stages: dict[int, Mapping[str, object]] = {}

    @cached_property
    def facts_of_sessions(self) -> set[LocalTime]:
        """When something about an appointment became known or took place, or what was agreed changed."""
        found: set[LocalTime] = set()
        for entry, one in zip(self._entries, self.course.appointments, strict=True):
            found.update((one.expected, one.starts, entry.first, entry.last))
            if one.changes or one.told_at:
                found.update(self._told(one))
        for standing in self.course.standings:
            found.update(start_of(day) for day in (standing.since, standing.until) if day)
        return found

    @property
    def facts_of_absences(self) -> Iterator[LocalTime]:
        for absence in self.course.absences:
            yield from (at for at in (absence.told_at, self._records.entered.get(absence.id)) if at)
            yield from (absence.since, absence.until)

    def _told(self, one: Appointment) -> Iterator[LocalTime]:
        if one.told_at:
            yield one.told_at
        for change in one.changes:
            if change.told_at:
                yield change.told_at
            if change.what is Attribute.TIME and change.was:
                yield LocalTime.fromisoformat(change.was)

    def known_from(self, one: Appointment) -> LocalTime:
        """When its status could be known: a cancellation as soon as it was told or recorded, a mark at its start."""
        if not one.is_cancelled:
            return one.starts
        found = [at for at in (one.told_at, self._records.cancelled.get(one.id)) if at]
        return min([*found, one.starts])

    def lost_from(self, one: Appointment) -> LocalTime:
        """From when it was known that it can't take place; `_NEVER` where that never was."""
        found, starts, ends = _NEVER, one.starts, one.ends
        for entered, absence in self._firm:
            if (
                absence.since < ends
                and starts < absence.until
                and entered < found
                and absence.concerns(therapist=one.therapist, room=one.room)
            ):
                found = entered
        return found

    def sight(self, now: LocalTime) -> slice:
        """The places of the appointments that the rules could look at then."""
        if self._sees_all or self._ahead is None:
            return slice(0, len(self._entries))
        times = self.course.expected_times
        first = _far_enough(self._places_held, bisect_left(times, now), self._behind)
        return slice(first, bisect_right(times, now + self._ahead) + 1)

    def entries(self, sight: slice, now: LocalTime) -> list["_State"]:
        """These appointments, as they were known then."""
        return [entry.final if entry.last <= now else entry.state(now, self) for entry in self._entries[sight]]

    def known(self, sight: slice, entries: Sequence["_State"], now: LocalTime) -> Course:
        """The course as it was known then."""
        appointments = tuple([one for one, _ in entries])
        if not self._is_in_order:
            known = replace(self.course, appointments=appointments)
            expected_times = known.expected_times
            appointments = known.appointments
        else:
            expected_times = self.course.expected_times[sight]
        known = _new(Course)
        # All but two fields are as at other looks: to make a course anew takes longer than to ask most rules.
        known.__dict__.update(self._stage(now))
        known.__dict__.update(status=self._status(now), appointments=appointments, expected_times=expected_times)
        return known

    def _stage(self, now: LocalTime) -> Mapping[str, object]:
        """A course with the absences that were known then, and what can be seen without its appointments."""
        passed = bisect_right(self._news, now)
        if passed not in self._stages:
            made = replace(self.course, appointments=(), absences=self._absences(now))
            views = {name: getattr(self.course, name) for name in _OF_STANDINGS}
            self._stages[passed] = {**vars(made), **views, "firm_absences": made.firm_absences}
        return self._stages[passed]

    def before(self, one: Appointment, now: LocalTime) -> Appointment:
        """As it was known then: changes told later had not been made, and it was booked until its status was known."""
        hidden = [change for change in one.changes if change.told_at is not None and change.told_at > now]
        changes: dict[str, object] = {}
        if hidden:
            changes = {_FIELDS[change.what]: _as_it_was(change) for change in reversed(hidden)}
            changes["changes"] = tuple(change for change in one.changes if change not in hidden)
        if one.status is not Status.SCHEDULED and self.known_from(one) > now:
            changes.update(status=Status.SCHEDULED, by=None, told_at=None, began=None, finished=None, late_by=None)
        elif one.told_at is not None and one.told_at > now:
            changes["told_at"] = None
        known = _new(Appointment)
        known.__dict__.update(one.__dict__, **changes)
        return known

    def _absences(self, now: LocalTime) -> tuple[Absence, ...]:
        return tuple(self._absence(one, now) for one in self.course.absences if self._is_entered(one, now))

    def _is_entered(self, one: Absence, now: LocalTime) -> bool:
        return self.entered_at(one) <= now

    def entered_at(self, one: Absence) -> LocalTime:
        """When it was put on record, or told; `_EVER` where nothing says."""
        entered = self._records.entered.get(one.id)
        return _EVER if entered is None else min(entered, one.told_at or entered)

    @staticmethod
    def _absence(one: Absence, now: LocalTime) -> Absence:
        return replace(one, told_at=None) if one.told_at is not None and one.told_at > now else one

    def _status(self, now: LocalTime) -> CourseStatus:
        course, ended_on = self.course, self._records.ended_on
        if course.is_ended and (ended_on is None or start_of(ended_on) <= now):
            return CourseStatus.ENDED
        is_resting = any(one.since <= now < one.until for one in self._pauses)
        return CourseStatus.PAUSED if is_resting else CourseStatus.ACTIVE


_State = tuple[Appointment, LocalTime]
"""An appointment as it was known, and from when it was known to be lost to an absence."""


class _Entry:
    """One appointment with what was known of it, and from when: each worked out once."""

    __slots__ = ("_one", "_states", "_times", "final", "first", "last")

    def __init__(self, one: Appointment, past: _Past) -> None:
        known = [past.known_from(one)] if one.status is not Status.SCHEDULED else []
        if one.changes:
            known += [change.told_at for change in one.changes if change.told_at]
        if one.told_at:
            known.append(one.told_at)
        self._one = one
        self.final = _with_loss(one, past)
        """As we know it now."""
        self._times = sorted(known) if len(known) > 1 else known
        self._states: dict[int, _State] = {}
        self.first, self.last = (self._times[0], self._times[-1]) if known else (_EVER, _EVER)
        """Until when it was as first booked, and from when it is as we know it now."""

    def state(self, now: LocalTime, past: _Past) -> _State:
        """As it was known then."""
        passed = bisect_right(self._times, now)
        if passed == len(self._times):
            return self.final
        if passed not in self._states:
            self._states[passed] = _with_loss(past.before(self._one, now), past)
        return self._states[passed]


def _with_loss(one: Appointment, past: _Past) -> _State:
    return one, past.lost_from(one) if one.status is _SCHEDULED else _NEVER


def _wide(entries: Sequence[_State], now: LocalTime, unrest: Unrest) -> list[tuple[LocalTime, LocalTime]] | None:
    """Where two sessions, as known then, were so far apart that a rule about gaps could speak; the last of them and
    now where that is so far. None where a session without its mark may count as held."""
    last, ahead = _EVER, []
    for one, lost_from in entries:
        status, starts = one.status, one.starts
        if status is _HELD:
            if last < starts <= now:
                last = starts
        elif status is _SCHEDULED:
            if starts > now:
                if now < lost_from:
                    ahead.append(starts)
            elif now - starts < unrest.longest_grace:
                return None
    if last is not _EVER:
        ahead.append(last)
    ahead.sort()
    pairs = list(pairwise(ahead))
    if last is not _EVER:
        pairs.append((last, now))
    shortest = unrest.shortest
    return [(first, then) for first, then in pairs if then - first > shortest and then - first > unrest.widest(first)]


_HELD, _SCHEDULED = Status.HELD, Status.SCHEDULED
_new = object.__new__
_OF_SESSIONS: frozenset[Rule] = frozenset({slot, setting, therapist})
_FOR_PEOPLE: Mapping[Rule, Callable[[Course, Limits, LocalTime], Iterator[Signal]]] = {
    gap: gap.told,
    breaks: breaks.told,
}
_FIELDS = {
    Attribute.TIME: "starts",
    Attribute.THERAPIST: "therapist",
    Attribute.ROOM: "room",
    Attribute.MODALITY: "modality",
}
_OF_STANDINGS = ("frames", "_frame_days", "transfers", "_usual_therapists", "_standings_by_id", "turning_days")


def _as_it_was(change: Change) -> object:
    if change.what is Attribute.TIME:
        return LocalTime.fromisoformat(change.was or "")
    if change.what is Attribute.MODALITY:
        return Modality(str(change.was))
    return change.was
