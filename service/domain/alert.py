"""When a signal becomes an alert, and when an alert is told again.

A signal is said anew at every look; an alert is said once. One course has one alert for each family of rules and
episode: a gap that is ahead, then open, then closed is one alert that changes, never three.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from service.domain.hours import Instant
from service.domain.signals.signal import Level, Signal

QUIET = timedelta(hours=24)
"""What cleared and comes back within this time is the same story: only worse news is told again."""


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


def family(signal: str) -> str:
    """The rules whose signals about one episode are one alert: `gap` for the three gap rules."""
    return "gap" if signal.startswith("gap.") else signal


def worth_telling(signals: Iterable[Signal]) -> Mapping[tuple[str, str], Signal]:
    """Per family and episode, the worst signal that is for people: watch or act, and not already settled."""
    found: dict[tuple[str, str], Signal] = {}
    for signal in signals:
        key = family(signal.id), signal.episode
        if signal.level is Level.INFO or signal.is_settled:
            continue
        if key not in found or signal.level > found[key].level:
            found[key] = signal
    return found


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
