"""Every number that a rule compares with, the agreed exceptions from them, and the points of the index.

All of them are conventions (usual practice, or our own choice); the rules' own texts say what speaks for them.
A clinic sets its own, a therapist may differ, a course may differ again: the later layer wins. Each exception has a
reason and a day on which it ends.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache, cached_property
from itertools import pairwise

from service.domain.course import Course, Override
from service.domain.phrase import listing, say
from service.domain.refusals import Malformed

RULES = (
    "gap.open",
    "gap.ahead",
    "gap.early",
    "next.none",
    "churn",
    "notice.short",
    "slot.drift",
    "slot.irregular",
    "slot.suggest",
    "setting.room",
    "setting.modality",
    "therapist.change",
    "time.frame",
    "missed.client_run",
    "missed.clinic",
    "break.unannounced",
    "break.long",
    "ending.unprepared",
    "ending.unplanned",
    "interval.sd",
    "mark.missing",
)
"""The ids of all signals; each can be switched off where that is agreed."""

OFF = "off"
ON = "on"

WHEN_AWAY = ("ask", "move", "cover", "video", "skip")
"""What a client wishes to happen when the therapist is away."""


class CannotSetLimits(Malformed):
    """A threshold, a preset or a step of points that makes no sense."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A standard agreement: some rules do not apply, some numbers differ."""

    off: frozenset[str] = frozenset()
    values: Mapping[str, float] = field(default_factory=dict)
    is_looked_at: bool = False
    """True where rules look at the preset itself, beyond what it switches off and sets."""


PRESETS: Mapping[str, Preset] = {
    "flexible_by_agreement": Preset(off=frozenset({"churn", "slot.drift", "slot.irregular"})),
    "hybrid_agreed": Preset(off=frozenset({"setting.modality"})),
    "tapering": Preset(is_looked_at=True),
    "as_needed": Preset(off=frozenset(RULES) - {"next.none", "break.unannounced", "mark.missing"}, is_looked_at=True),
    "shift_worker": Preset(is_looked_at=True),
    "breaks_sensitive": Preset(values={"announce_days": 28, "announce_watch_days": 35, "long_break_days": 14}),
}
"""`tapering` takes the cadence from the planned slots, `shift_worker` the set of all agreed hours for one hour."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The numbers in force for one course. Names and defaults are the specification's."""

    early_sessions: int = 5
    gap_watch: float = 1.5
    gap_act: float = 2.5
    gap_early_watch: float = 1.25
    gap_early_act: float = 1.75
    horizon_days: float = 56
    next_grace_h: float = 24
    mark_grace_h: float = 48
    churn_n: int = 6
    churn_any: int = 3
    churn_clinic: int = 2
    late_notice_clinic_h: float = 48
    late_notice_client_h: float = 24
    slot_hit_min: float = 45
    slot_near_min: float = 60
    setting_n: int = 6
    secon_min: float = 0.6
    transfer_notice_days: float = 28
    transfer_notice_sessions: int = 4
    late_min: float = 10
    length_low: float = 0.8
    length_high: float = 1.2
    announce_days: float = 14
    announce_watch_days: float = 21
    long_break_days: float = 28
    ending_watch: int = 4
    ending_act: int = 2
    episode_gap_days: float = 90

    points_missed_announced: int = 20
    points_missed: int = 80
    points_missed_hard: int = 100
    points_slot_hours: int = 10
    points_slot_days: int = 25
    points_slot_far: int = 35
    points_therapist_announced: int = 10
    points_therapist: int = 20
    points_notice: int = 10
    points_room: int = 3
    points_modality: int = 7
    points_length: int = 3

    off: frozenset[str] = frozenset()
    asked_for: frozenset[str] = frozenset()
    """Rules asked for that are silent otherwise: `interval.sd` is a number more than an alert."""
    presets: frozenset[str] = frozenset()
    when_away: str | None = None
    agreed: tuple[tuple[str, Override], ...] = ()
    """The exceptions in force, to be shown on what they concern."""

    def __post_init__(self) -> None:
        for what, steps in _steps(self):
            if any(later < earlier for earlier, later in pairwise(steps)):
                raise CannotSetLimits(say("The steps of {what} must not fall.", what=what), where=what)
        held_at_most = (
            self.points_slot_far
            + self.points_therapist
            + self.points_notice
            + self.points_modality
            + self.points_length
        )
        if not held_at_most < self.points_missed < self.points_missed_hard <= 100:
            raise CannotSetLimits(
                say("A session that took place must cost less than one that did not, and that at most 100."),
                where="points_missed",
            )

    def with_overrides(self, *layers: Mapping[str, Override], on: date) -> "Limits":
        """These limits with the layers (clinic, therapist, course: the later wins) in force on that day.

        :raises CannotSetLimits: no such parameter or rule, a value out of range, or steps that would fall; `where`
            is the key.
        """
        for layer in layers:
            for key, override in layer.items():
                check_override(key, override)
        return self._with(merged(*layers, on=on))

    def for_course(self, course: Course, *, on: date) -> "Limits":
        """These limits with what the clinic, the therapist and the course set otherwise.

        Where a narrower layer no longer fits a broader one (the course went to another therapist), the broader one
        gives way: to be told by nearly the right number is better than not to be told.

        :raises CannotSetLimits: the course's own exceptions make no sense.
        """
        if not course.layers:
            return self.with_overrides(course.overrides, on=on) if course.overrides else self
        in_force = merged(*course.layers, course.overrides, on=on)
        while True:
            try:
                return self._with(in_force)
            except CannotSetLimits as refusal:
                if refusal.where not in in_force:
                    raise
                in_force = {key: one for key, one in in_force.items() if key != refusal.where}

    def _with(self, in_force: Mapping[str, Override]) -> "Limits":
        if not in_force:
            return self
        agreed = {**dict(self.agreed), **in_force}
        presets, off, asked_for = self.presets, self.off, self.asked_for
        changes: dict[str, object] = {}
        if "preset" in in_force:
            name = str(in_force["preset"].value)
            presets |= {name}
            off |= PRESETS[name].off
            changes.update(PRESETS[name].values)
        for key, override in in_force.items():
            if key in RULES:
                is_on = override.value == ON
                off = off - {key} if is_on else off | {key}
                asked_for = asked_for | {key} if is_on else asked_for - {key}
            elif key in parameters():
                # The store keeps numbers of one kind only, and a window of 6.0 sessions can't be cut.
                changes[key] = int(override.value) if key in _whole_numbers() else override.value
        if "when_away" in in_force:
            changes["when_away"] = str(in_force["when_away"].value)
        try:
            return replace(self, **changes, off=off, asked_for=asked_for, presets=presets, agreed=tuple(agreed.items()))  # type: ignore[arg-type]
        except CannotSetLimits as refusal:
            blamed = next((key for key in in_force if key in _steps_named(refusal.where)), refusal.where)
            raise CannotSetLimits(refusal.message, where=blamed) from refusal

    def agreed_about(self, keys: frozenset[str]) -> tuple[tuple[str, Override], ...]:
        """The exceptions in force among those keys."""
        return tuple(pair for pair in self.agreed if pair[0] in keys)

    @cached_property
    def expiries(self) -> tuple[date, ...]:
        """The days on which exceptions in force end."""
        return tuple(override.until for _, override in self.agreed)


def merged(*layers: Mapping[str, Override], on: date) -> dict[str, Override]:
    """What is in force on that day, as one: for each key the last layer's; of presets, one.

    A preset stands above what broader layers say of the same rules and numbers, and below its own layer's.
    """
    found: dict[str, Override] = {}
    for layer in layers:
        in_force = {key: override for key, override in layer.items() if on < override.until}
        if "preset" in in_force:
            preset = PRESETS[str(in_force["preset"].value)]
            for key in ("preset", *preset.off, *preset.values):
                found.pop(key, None)
        found.update(in_force)
    return found


@cache
def parameters() -> frozenset[str]:
    """The names that an exception may set; the points of the index belong to the clinic as a whole."""
    return frozenset(f.name for f in fields(Limits) if f.type in (int, float, "int", "float")) - frozenset(
        f.name for f in fields(Limits) if f.name.startswith("points_")
    )


@cache
def _whole_numbers() -> frozenset[str]:
    return frozenset(f.name for f in fields(Limits) if f.type in (int, "int"))


def check_override(key: str, override: Override) -> None:
    """:raises CannotSetLimits: no such key, or a value that does not fit it; `where` is the key."""
    if key == "preset":
        _one_of(key, override.value, tuple(PRESETS))
    elif key == "when_away":
        _one_of(key, override.value, WHEN_AWAY)
    elif key in RULES:
        _one_of(key, override.value, (OFF, ON))
    elif key in parameters():
        _number(key, override.value)
    else:
        raise CannotSetLimits(say("There is no rule or threshold named {key}.", key=repr(key)), where=key)


def _one_of(key: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise CannotSetLimits(say("It is one of {choices}.", choices=listing(choices)), where=key)


def _number(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CannotSetLimits(say("It is a number."), where=key)
    if not 0 < value <= 10_000:
        raise CannotSetLimits(say("It is more than 0 and at most 10,000."), where=key)
    if key in _whole_numbers() and value != int(value):
        raise CannotSetLimits(say("It is a whole number."), where=key)


_STEPS: Mapping[str, tuple[str, ...]] = {
    "gap_watch": ("gap_watch", "gap_act"),
    "gap_early_watch": ("gap_early_watch", "gap_early_act"),
    "announce_days": ("announce_days", "announce_watch_days"),
    "ending_act": ("ending_act", "ending_watch"),
    "churn_clinic": ("churn_clinic", "churn_any"),
    "slot_hit_min": ("slot_hit_min", "slot_near_min"),
    "length_low": ("length_low", "length_high"),
    "points_missed": ("points_missed_announced", "points_missed", "points_missed_hard"),
    "points_slot_hours": ("points_slot_hours", "points_slot_days", "points_slot_far"),
    "points_therapist": ("points_therapist_announced", "points_therapist"),
    "points_room": ("points_room", "points_modality"),
}


def _steps(limits: Limits) -> Iterator[tuple[str, tuple[float, ...]]]:
    for what, names in _STEPS.items():
        yield what, tuple(getattr(limits, name) for name in names)


def _steps_named(what: str | None) -> tuple[str, ...]:
    return _STEPS.get(what or "", ())
