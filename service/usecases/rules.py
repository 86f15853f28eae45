"""The rules with the numbers in force for the clinic, drawn courses to check them on, and whether they help."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from service.domain import access, examples
from service.domain import rules as texts
from service.domain.access import Actor, Role
from service.domain.alert import Verdict
from service.domain.course import Override
from service.domain.examples import Worked
from service.domain.hours import local_time
from service.domain.limits import RULES, Limits, merged
from service.domain.phrase import Phrase
from service.domain.rules import Relaxation, Rule
from service.store import alerts, overrides
from service.store.people import directory
from service.store.transaction import reading


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A number that a rule compares with."""

    name: str
    meaning: Phrase
    value: float
    """In force for the clinic."""
    standard: float
    agreed: Override | None
    """Why it is another than the standard, where it is."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One rule's file as people read it."""

    rule: Rule
    thresholds: tuple[Threshold, ...]
    labels: Mapping[str, str]
    """By id: how strong its evidence is."""
    worked: Mapping[str, tuple[Worked, ...]]
    """By id: drawn courses, judged with the numbers in force."""
    off: frozenset[str]
    """Those of its ids that are switched off for the clinic."""


@dataclass(frozen=True, kw_only=True)
class Usefulness:
    """What people said of one rule's alerts."""

    rule: str
    useful: int
    not_useful: int
    handled: int
    """Already taken care of: counts on neither side."""
    n: int
    """Useful and not useful together."""
    rate: float | None
    """The share that found it useful; None without answers."""
    proposal: Relaxation | None
    """What the rule proposes where enough people answered and few found it useful."""


@reading
def explained(db: Session, *, by: Actor, now: datetime) -> list[Explained]:
    """Every rule, in the order in which they are asked. :raises Forbidden: an admin, who sees no course."""
    access.require(by, Role.FRONT_DESK, Role.THERAPIST, Role.MANAGER, to_change=False)
    layer, limits = _of_clinic(db, now)
    # The examples say what the rule would say; one that is switched off says nothing anywhere.
    drawn = examples.worked(limits)
    return [_explained(rule, limits, layer, drawn) for rule in texts.rules()]


@reading
def usefulness(db: Session, *, by: Actor, now: datetime) -> list[Usefulness]:
    """For managers: each rule of which somebody said whether its alerts help, the least useful first."""
    access.require(by, Role.MANAGER, to_change=False)
    _, limits = _of_clinic(db, now)
    said = alerts.verdicts(db)
    found = [_usefulness(rule, said[rule], limits) for rule in RULES if rule in said]
    return sorted(found, key=lambda one: (one.rate is None, one.rate, one.rule))


# --- steps ----------------------------------------------------------------------------------------------------------


def _of_clinic(db: Session, now: datetime) -> tuple[Mapping[str, Override], Limits]:
    site = next(iter(directory(db).sites.values()), None)
    today: date = local_time(now, site.zone).date() if site else now.date()
    layer = merged(overrides.as_layer(overrides.rows(db, overrides.of())), on=today)
    return layer, Limits().with_overrides(layer, on=today)


def _explained(
    rule: Rule, limits: Limits, layer: Mapping[str, Override], drawn: Mapping[str, tuple[Worked, ...]]
) -> Explained:
    worked = {its_id: drawn.get(its_id, ()) for its_id in rule.ids}
    return Explained(
        rule=rule,
        thresholds=tuple(_threshold(name, limits, layer) for name in rule.uses),
        labels={its_id: _label(rule, some) for its_id, some in worked.items()},
        worked=worked,
        off=limits.off.intersection(rule.ids),
    )


def _label(rule: Rule, worked: tuple[Worked, ...]) -> str:
    return next((one.evidence for one in worked if one.evidence), rule.label)


def _threshold(name: str, limits: Limits, layer: Mapping[str, Override]) -> Threshold:
    return Threshold(
        name=name,
        meaning=texts.MEANING[name],
        value=float(getattr(limits, name)),
        standard=float(getattr(Limits, name)),
        agreed=layer.get(name) or (layer.get("preset") if getattr(limits, name) != getattr(Limits, name) else None),
    )


def _usefulness(rule: str, said: Mapping[str, int], limits: Limits) -> Usefulness:
    useful, not_useful = said.get(Verdict.USEFUL, 0), said.get(Verdict.NOT_USEFUL, 0)
    n = useful + not_useful
    return Usefulness(
        rule=rule,
        useful=useful,
        not_useful=not_useful,
        handled=said.get(Verdict.HANDLED, 0),
        n=n,
        rate=useful / n if n else None,
        proposal=texts.relaxation(rule, limits) if texts.needs_relaxing(useful, not_useful) else None,
    )
