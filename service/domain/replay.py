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
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

from service.domain.alert import GAP, is_same_gap, worth_telling
from service.domain.appointment import Status
from service.domain.course import Course, CourseStatus
from service.domain.hours import LocalTime
from service.domain.limits import Limits
from service.domain.past import BEHIND, EVER, NOTHING, Past, Records, State, cut
from service.domain.phrase import Phrase
from service.domain.signals import SIGNALS, Rule, breaks, gap, setting, slot, therapist
from service.domain.signals.signal import Level, Signal
from service.domain.unrest import Span, Unrest

MOMENT = timedelta(microseconds=1)
AHEAD = timedelta(days=14)
"""What is booked so much further than the rules look is not carried along."""

LimitsOn = Callable[[date], Limits]
"""The limits of one course, on a day."""


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
    records: Records = NOTHING,
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
    records: Records = NOTHING,
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
    past = Past(seen, records, horizon=None if looks_everywhere else horizon, behind=behind)
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
    asked: Sequence[Rule], past: Past, unrest: Unrest, *, everywhere: bool, turns: bool
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

    def __init__(self, past: Past, unrest: Unrest) -> None:
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
    said = [(rule, list(_told(rule, first)(known, first, at))) for rule in due]
    stories[0].take(_of_interest(said, first, rules), at)
    for told, others in zip(stories[1:], limits[1:], strict=True):
        its_own = [
            (
                rule,
                same
                if _is_told_alike(rule, known, first, others, at)
                else list(_told(rule, others)(known, others, at)),
            )
            for rule, same in said
        ]
        told.take(_of_interest(its_own, others, rules), at)


def _told(rule: Rule, limits: Limits) -> Callable[[Course, Limits, LocalTime], Iterable[Signal]]:
    """Without what is for the timeline alone, where the rule can tell that apart; nothing where it is switched off."""
    return _nothing if limits.off.issuperset(rule.IDS) else _FOR_PEOPLE.get(rule, rule.check)


def _nothing(_course: Course, _limits: Limits, _now: LocalTime) -> Iterable[Signal]:
    return ()


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


def _wide(entries: Sequence[State], now: LocalTime, unrest: Unrest) -> list[tuple[LocalTime, LocalTime]] | None:
    """Where two sessions, as known then, were so far apart that a rule about gaps could speak; the last of them and
    now where that is so far. None where a session without its mark may count as held."""
    last, ahead = EVER, []
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
    if last is not EVER:
        ahead.append(last)
    ahead.sort()
    pairs = list(pairwise(ahead))
    if last is not EVER:
        pairs.append((last, now))
    shortest = unrest.shortest
    return [(first, then) for first, then in pairs if then - first > shortest and then - first > unrest.widest(first)]


_HELD, _SCHEDULED = Status.HELD, Status.SCHEDULED
_OF_SESSIONS: frozenset[Rule] = frozenset({slot, setting, therapist})
_FOR_PEOPLE: Mapping[Rule, Callable[[Course, Limits, LocalTime], Iterator[Signal]]] = {
    gap: gap.told,
    breaks: breaks.told,
}
