"""The rules as people read them: taken apart from the texts that stand at the head of the signals' own files.

There is no second copy: a rule that is changed is explained by the same words that explain it to whoever programs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from service.domain.limits import OFF, CannotSetLimits, Limits, parameters
from service.domain.phrase import Number, Phrase, say
from service.domain.signals import SIGNALS
from service.domain.signals.signal import CODE, CONVENTION, MODERATE

FEWEST_VERDICTS = 10
"""With fewer answers nothing is proposed."""
USEFUL_SHARE = 0.4
"""A rule that fewer find useful proposes its own relaxation. A convention."""
_LABELS = (MODERATE, CODE, CONVENTION)
_NOT = ("What it is not:", "What they are not:")
_THRESHOLDS = ("Thresholds:", "Threshold:")
_EVIDENCE = "Evidence:"

MEANING: Mapping[str, Phrase] = {
    "early_sessions": say("sessions with the usual therapist until the early phase is over"),
    "gap_watch": say("times the usual interval: to look at"),
    "gap_act": say("times the usual interval: for a person now"),
    "gap_early_watch": say("times the usual interval in the early phase: to look at"),
    "gap_early_act": say("times the usual interval in the early phase: for a person now"),
    "horizon_days": say("days that are looked ahead"),
    "next_grace_h": say("hours after the last session until a next one is asked for"),
    "mark_grace_h": say("hours after a session until its mark is asked for"),
    "churn_n": say("last sessions that are looked at for moves"),
    "churn_any": say("moved sessions, or moves of one"),
    "churn_clinic": say("sessions moved by the clinic"),
    "late_notice_clinic_h": say("hours of notice that the clinic gives"),
    "late_notice_client_h": say("hours of notice on the client's side"),
    "slot_hit_min": say("minutes from the agreed hour that still count as it"),
    "slot_near_min": say("minutes within which times of the week count as one"),
    "setting_n": say("last sessions that are looked at for room and form"),
    "secon_min": say("least continuity from one session to the next"),
    "transfer_notice_days": say("days that a change of therapist is told ahead"),
    "transfer_notice_sessions": say("sessions between the telling and the change"),
    "late_min": say("minutes late"),
    "length_low": say("of the planned length, or less"),
    "length_high": say("of the planned length, or more"),
    "announce_days": say("days that a break is told ahead"),
    "announce_watch_days": say("days before a break that is not yet told: to look at"),
    "long_break_days": say("days that make a break long"),
    "ending_watch": say("sessions left: to look at"),
    "ending_act": say("sessions left: for a person now"),
    "episode_gap_days": say("days without a session that begin a new episode"),
}

_STEPS: Mapping[str, tuple[str, float]] = {
    "gap.open": ("gap_watch", 1.2),
    "gap.ahead": ("gap_watch", 1.2),
    "gap.early": ("gap_early_watch", 1.2),
    "next.none": ("next_grace_h", 2),
    "churn": ("churn_any", 4 / 3),
    "notice.short": ("late_notice_clinic_h", 0.5),
    "slot.drift": ("slot_hit_min", 4 / 3),
    "slot.irregular": ("slot_near_min", 1.5),
    "therapist.change": ("secon_min", 2 / 3),
    "time.frame": ("late_min", 1.5),
    "break.unannounced": ("announce_watch_days", 5 / 6),
    "ending.unprepared": ("ending_watch", 0.75),
}
"""The number by which a rule speaks more rarely, and how much more or less of it is one step."""
_FOR_THE_TIMELINE: Mapping[str, frozenset[str]] = {
    "break.long": frozenset({"long_break_days", "gap_watch"}),
    "slot.suggest": frozenset(),
    "ending.unplanned": frozenset(),
    "mark.missing": frozenset({"mark_grace_h"}),
}
"""Rules that nobody is told of, each the last of its file, and the numbers that matter there to it alone."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One signal file as text; backticks mark names."""

    name: str
    """The file's."""
    ids: tuple[str, ...]
    title: Phrase
    definition: tuple[Phrase, ...]
    """Paragraphs, thresholds by name."""
    is_not: Phrase
    label: str
    """`moderate`, `code` or `convention`: what its evidence names first."""
    evidence: Phrase
    """With what speaks against it."""
    uses: tuple[str, ...]
    """The parameters that it compares with."""


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """What would make a rule speak more rarely."""

    name: str
    """A parameter, or the rule's id where it has no number that would help."""
    value: float | str
    text: Phrase


@cache
def rules() -> tuple[Rule, ...]:
    """All of them, in the order in which they are asked."""
    return tuple(
        _rule(rule.__name__.rpartition(".")[2], rule.__doc__ or "", rule.IDS, rule.USES)  # type: ignore[attr-defined]
        for rule in SIGNALS
    )


def _rule(name: str, text: str, ids: Sequence[str], uses: frozenset[str]) -> Rule:
    head, *rest = (" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
    evidence = _after((_EVIDENCE,), rest)
    return Rule(
        name=name,
        ids=tuple(ids),
        title=say(_title(head)),
        definition=tuple(say(one) for one in rest if not one.startswith((*_NOT, _EVIDENCE))),
        is_not=say(_after(_NOT, rest)),
        label=min(_LABELS, key=lambda label: evidence.lower().find(label) % 10_000),
        evidence=say(evidence),
        uses=tuple(name for name in MEANING if name in uses),
    )


def _title(head: str) -> str:
    words = head.rpartition("`:")[2].strip()
    return words[0].upper() + words[1:]


def _after(openings: Sequence[str], paragraphs: Sequence[str]) -> str:
    for paragraph in paragraphs:
        for opening in openings:
            if paragraph.startswith(opening):
                words = paragraph.removeprefix(opening).strip()
                return words[0].upper() + words[1:]
    return ""


def affected_by(names: frozenset[str]) -> frozenset[str]:
    """The ids of the rules of which people are told, and in which these parameters, rules or presets have a say."""
    found: set[str] = set()
    for rule in SIGNALS:
        told = {its_id for its_id in rule.IDS if its_id not in _FOR_THE_TIMELINE}
        if rule.USES & names - _FOR_THE_TIMELINE.get(rule.IDS[-1], frozenset()):
            found.update(told)
        found.update(names & told)
    return frozenset(found)


def needs_relaxing(useful: int, not_useful: int) -> bool:
    """True where enough people answered, and too few of them found it useful."""
    n = useful + not_useful
    return n >= FEWEST_VERDICTS and useful < USEFUL_SHARE * n


def relaxation(rule: str, limits: Limits) -> Relaxation:
    """What the rule proposes so that it speaks more rarely: one step of its number, or to be off where agreed."""
    name, factor = _STEPS.get(rule, ("", 1.0))
    if name:
        now = float(getattr(limits, name))
        value = _rounded(name, now * factor)
        if value != now and _fits(limits, name, value):
            text = say(
                "Let it speak more rarely: {value} instead of {now} ({meaning}).",
                value=Number(value, 2),
                now=Number(now, 2),
                meaning=MEANING[name],
            )
            return Relaxation(name=name, value=value, text=text)
    return Relaxation(name=rule, value=OFF, text=say("Switch it off where that is agreed, or for the whole clinic."))


def _rounded(name: str, value: float) -> float:
    whole = isinstance(getattr(Limits, name), int) or value >= 10
    return float(round(value)) if whole else round(value, 2)


def _fits(limits: Limits, name: str, value: float) -> bool:
    try:
        replace(limits, **{name: int(value) if isinstance(getattr(Limits, name), int) else value})  # type: ignore[arg-type]
    except CannotSetLimits:
        return False
    return name in parameters()
