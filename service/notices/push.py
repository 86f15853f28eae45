"""What cannot wait for the digest: one alert, or what has gathered in a few minutes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from service.domain.phrase import PLAIN, Moment, Phrase, Speaker, say, says
from service.domain.signals.signal import CODE, CONVENTION, MODERATE, Level
from service.notices import Notice, why
from service.notices.written import written

EVIDENCE = {
    MODERATE: say("several studies point this way, not all of them"),
    CODE: say("a duty in professional codes; the number is a convention"),
    CONVENTION: say("usual practice, not a finding"),
}
SHOWN = 8
"""So many alerts stand in one message; whoever has more goes to the app anyway."""

Parts = Sequence[tuple[Phrase, Sequence[Phrase], bool]]


@dataclass(frozen=True, kw_only=True)
class AlertData:
    """What one alert is about. Names nobody."""

    signal: str
    level: Level
    initials: str
    text: Phrase
    causes: Sequence[Phrase]
    actions: Sequence[Phrase]
    clears: Phrase
    value: Mapping[str, object]
    threshold: Mapping[str, object]
    evidence: str
    link: str
    """Where to answer it."""
    course_link: str | None
    """None where the course's page is not the reader's to open."""
    agreed: Mapping[str, Phrase] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class GroupData:
    """What one absence does to several courses. Names no client."""

    text: Phrase
    """`Leave 7–20 Dec: 14 clients to tell`"""
    level: Level
    first: Moment
    """Of the hours that it takes."""
    link: str
    """Where each of them is told, or answered."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One alert in its parts."""

    data: AlertData
    parts: Parts
    """Heading, sentences, and whether they are a list, in the order in which they are read."""


def push_notice(
    them: Sequence[AlertData], groups: Sequence[GroupData] = (), *, public_url: str, speaker: Speaker = PLAIN
) -> Notice:
    """The notice, with a neutral subject; at least one alert or group."""
    return written(
        "push",
        counted([*(one.level for one in groups), *(one.level for one in them)]),
        speaker,
        groups=groups,
        alerts=[Told(data=one, parts=tuple(_parts(one))) for one in them[:SHOWN]],
        more=len(them[SHOWN:]),
        alerts_link=f"{public_url}/alerts",
        settings_link=f"{public_url}/me",
    )


def counted(levels: Sequence[Level]) -> Phrase:
    """How many things there are, and nothing of what they are."""
    act = sum(level is Level.ACT for level in levels)
    if act:
        return says("samehour: {n} thing for today", "samehour: {n} things for today", act)
    return says("samehour: {n} thing to look at", "samehour: {n} things to look at", len(levels))


def _parts(data: AlertData) -> Iterator[tuple[Phrase, Sequence[Phrase], bool]]:
    yield say("What"), (data.text,), False
    yield say("Why you are told"), tuple(_why(data)), False
    if data.causes:
        yield say("Cause"), tuple(data.causes), True
    yield say("What you can do"), tuple(data.actions), True
    yield say("What clears it"), (data.clears,), False


def _why(data: AlertData) -> Iterator[Phrase]:
    yield why.sentence(data.signal, data.value, data.threshold)
    for key, words in data.agreed.items():
        yield say("An exception is in force: {rule} {words}", rule=key.replace("_", " "), words=words)
    label = EVIDENCE.get(data.evidence, data.evidence)
    yield say("Rule {rule}. Evidence: {label}.", rule=data.signal, label=label)
