"""Small courses, drawn one letter a slot, on which anybody can see what each rule says, with the numbers in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.domain.drawing import draw
from service.domain.limits import Limits
from service.domain.phrase import Phrase, say
from service.domain.signals import Level, assess


@dataclass(frozen=True, kw_only=True)
class Worked:
    """What a rule says of one drawn course."""

    rule: str
    letters: str
    note: Phrase | None
    """What the letters do not say: `fortnightly`, `12 sessions are agreed`."""
    level: Level | None
    """None where the rule is silent."""
    text: Phrase
    evidence: str


@dataclass(frozen=True, kw_only=True)
class _Case:
    letters: str
    note: Phrase | None = None
    given: Mapping[str, object] = field(default_factory=dict)


def _case(letters: str, note: Phrase | None = None, **given: object) -> _Case:
    return _Case(letters=letters, note=note, given=given)


CASES: Mapping[str, tuple[_Case, ...]] = {
    "gap.open": (
        _case("HHHHHHHHc|S"),
        _case("HHHHHHHHcc|S"),
        _case("HHHHHHHHccc|S"),
        _case("HHHHHHHHaa|S"),
        _case("HHHHHHHHc|S", say("fortnightly"), every_weeks=2),
    ),
    "gap.ahead": (_case("HHHHHHHH|wS"), _case("HHHHHHHH|wwS"), _case("HHHHHHHH|WWS"), _case("HHHHHHHH|SSwS")),
    "gap.early": (
        _case("HH|wS"),
        _case("HHc|S"),
        _case("HHHHHHHH|wS", say("after eight sessions the usual steps hold")),
    ),
    "next.none": (_case("HHHHHHHH"), _case("HHHHHHHH."), _case("HHHHHHHH.|S")),
    "churn": (_case("HHHHmm"), _case("HHHmmm"), _case("HHHHMM"), _case("HHHMMM")),
    "notice.short": (_case("HHHHHHk"), _case("HHHHHkk"), _case("HHHHHHK")),
    "slot.drift": (_case("DDDDDD"), _case("DHDDDD"), _case("HHHHHD")),
    "slot.irregular": (_case("HDHDHD"), _case("HHHHDD")),
    "slot.suggest": (_case("HHHHHH", say("nothing is agreed"), is_ad_hoc=True),),
    "setting.room": (_case("RHRHRH"), _case("HHHHHR"), _case("HHHHHR", say("the same room matters"), same_room=True)),
    "setting.modality": (_case("VHHVHH"), _case("VHHHHH")),
    "therapist.change": (_case("HHHHHC"), _case("HCHHCH"), _case("HHHHHH/HH")),
    "time.frame": (_case("HHHHHl"), _case("HHHHll"), _case("HHHlll")),
    "missed.client_run": (_case("HHHHHHc"), _case("HHHHHHcc"), _case("HHHHHHNN"), _case("HHN"), _case("HHHHHHNH")),
    "missed.clinic": (_case("HHHHHK"), _case("HHHKHK"), _case("HHHHKK")),
    "break.unannounced": (_case("HHHHHHHH|SSSw"), _case("HHHHHHHH|SSw"), _case("HHHHHHHH|Sw"), _case("HHHHHHHH|SW")),
    "break.long": (_case("HHHHHHHH|WWWS"), _case("HHHHHHHH|WWS")),
    "ending.unprepared": (
        _case("HHHHHHH|S", say("12 sessions are agreed"), sessions_planned=12),
        _case("HHHHHHHH|S", say("12 sessions are agreed"), sessions_planned=12),
        _case("HHHHHHHHHH|S", say("12 sessions are agreed"), sessions_planned=12),
    ),
    "ending.unplanned": (_case("HHHHHHN", say("closed"), has_ended=True),),
    "interval.sd": (_case("HHHH.H.H.H"), _case("HHHHHH")),
    "mark.missing": (_case("HHHHHHS"), _case("HHHHHHS.")),
}


def worked(limits: Limits) -> dict[str, tuple[Worked, ...]]:
    """Each rule's drawn courses, judged with these limits."""
    return {rule: tuple(_work(rule, case, limits) for case in cases) for rule, cases in CASES.items()}


def _work(rule: str, case: _Case, limits: Limits) -> Worked:
    drawing = draw(case.letters, **case.given)  # type: ignore[arg-type]
    found = [
        one
        for one in assess(drawing.course, limits=limits, now=drawing.now).signals
        if one.id == rule and one.value.get("state") != "closed"
    ]
    worst = max(found, key=lambda one: one.level.rank, default=None)
    return Worked(
        rule=rule,
        letters=case.letters,
        note=case.note,
        level=worst.level if worst else None,
        text=worst.text if worst else say(""),
        evidence=worst.evidence if worst else "",
    )
