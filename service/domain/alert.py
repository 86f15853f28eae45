"""When a signal becomes an alert, and when an alert is told again.

A signal is said anew at every look; an alert is said once. One course has one alert for each family of rules and
episode: a gap that is ahead, then open, then closed is one alert that changes, never three.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from service.domain.hours import Instant, LocalTime
from service.domain.signals.signal import Level, Signal

QUIET = timedelta(hours=24)
"""What cleared and comes back within this time is the same story: only worse news is told again."""

GAP = "gap"
"""The family of the three gap rules."""
_MOVES = frozenset({"churn", "slot.drift", "slot.irregular"})
"""One story: the hour is moved about, so it is at another time."""


class AlertState(enum.StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    AGREED = "agreed"
    """The break is meant; nothing is to be done."""
    CLEARED = "cleared"


class Verdict(enum.StrEnum):
    """What the therapist thought of being told."""

    USEFUL = "useful"
    NOT_USEFUL = "not_useful"
    HANDLED = "handled"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is on record of an alert before the new look."""

    state: AlertState
    told_level: Level | None
    told_days: float | None
    """For a gap still ahead: its days when last told."""
    snoozed_until: Instant | None = None
    cleared_at: Instant | None = None


Key = tuple[str, str]
"""Family and episode: what is one alert of a course."""


def family(signal: str) -> str:
    """The rules whose signals about one episode are one alert: `gap` for the three gap rules."""
    return GAP if signal.startswith("gap.") else signal


def absence_of(signal: str, episode: str) -> str | None:
    """Public id of the absence of which the client is to be told; None where the signal is of another kind."""
    return episode.split(":")[1] if signal == "break.unannounced" else None


def worth_telling(signals: Iterable[Signal]) -> dict[Key, Signal]:
    """Per family and episode, the worst signal that is for people: watch or act, and not already settled."""
    found: dict[Key, Signal] = {}
    for signal in signals:
        key = family(signal.id), signal.episode
        if signal.level is Level.INFO or signal.is_settled:
            continue
        if key not in found or signal.level > found[key].level:
            found[key] = signal
    return found


def in_order(standing: Mapping[Key, Signal]) -> list[tuple[Key, Signal]]:
    """Those that need a person today first: of a day's few notices they get theirs."""
    return sorted(standing.items(), key=lambda one: -one[1].level.rank)


def told_with(rule: str) -> frozenset[str]:
    """The other families that are one story with this one: they share a card and an answer."""
    return _MOVES - {rule} if rule in _MOVES else frozenset()


def is_told_by_another(key: Key, standing: Mapping[Key, Signal]) -> bool:
    """True for hours at another time where their being moved about is told already: one card, one notice."""
    rule, _ = key
    return rule != "churn" and any(other == "churn" for other, _ in standing if other in told_with(rule))


def is_same_gap(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """True where the values of two gap signals are about the same stretch of time: a gap ahead is seen from each
    session that comes before it, and is one story all the while."""
    (since, until), (other_since, other_until) = _stretch(one), _stretch(other)
    return since < other_until and other_since < until


def _stretch(value: Mapping[str, object]) -> tuple[LocalTime, LocalTime]:
    since = LocalTime.fromisoformat(str(value["from"]))
    return since, since + timedelta(days=float(str(value["g"])))


def days_ahead(signal: Signal) -> float | None:
    """The days of a gap that is still ahead. An open gap grows by itself, which is no news; its level tells."""
    length = signal.value.get("g")
    return float(str(length)) if signal.value.get("state") == "ahead" and length is not None else None


def is_worse(signal: Signal, known: Known) -> bool:
    """True above the level that people were told of."""
    return known.told_level is None or signal.level > known.told_level


def is_longer(signal: Signal, known: Known) -> bool:
    """True where the gap ahead has grown by half a cadence or more since it was told."""
    length, cadence = days_ahead(signal), signal.value.get("C")
    if length is None or known.told_days is None or cadence is None:
        return False
    return length - known.told_days >= float(str(cadence)) / 2


def is_back(known: Known, now: Instant) -> bool:
    """True where it had cleared long enough ago to be a new story."""
    return known.cleared_at is not None and now - known.cleared_at >= QUIET


def is_news(signal: Signal, known: Known, now: Instant) -> bool:
    """True where people are told again. What they put aside on purpose speaks up only when it gets worse."""
    if is_worse(signal, known):
        return True
    if known.state in {AlertState.SNOOZED, AlertState.AGREED}:
        return False
    return is_longer(signal, known) or (known.state is AlertState.CLEARED and is_back(known, now))


def state_after(signal: Signal, known: Known, now: Instant) -> AlertState:
    """The alert's state once the signal was found again."""
    if known.state is AlertState.CLEARED or is_news(signal, known, now):
        return AlertState.OPEN
    return awake(known.state, known.snoozed_until, now)


def awake(state: AlertState, snoozed_until: Instant | None, now: Instant) -> AlertState:
    """A snoozed alert is open again once its time is over."""
    is_over = snoozed_until is not None and snoozed_until <= now
    return AlertState.OPEN if state is AlertState.SNOOZED and is_over else state
