"""A notice about one alert."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from service.domain.phrase import PLAIN, Phrase, Speaker, say
from service.domain.signals.signal import CODE, CONVENTION, MODERATE, Level
from service.notices import Notice, why
from service.notices.written import written

SUBJECTS = {
    Level.ACT: say("samehour: 1 thing for today"),
    Level.WATCH: say("samehour: 1 thing to look at"),
}
EVIDENCE = {
    MODERATE: say("several studies point this way, not all of them"),
    CODE: say("a duty in professional codes; the number is a convention"),
    CONVENTION: say("usual practice, not a finding"),
}


@dataclass(frozen=True, kw_only=True)
class AlertData:
    """What the notice is about. Names nobody."""

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
    course_link: str
    agreed: Mapping[str, Phrase] = field(default_factory=dict)


def alert_notice(data: AlertData, speaker: Speaker = PLAIN) -> Notice:
    """The notice, with a neutral subject."""
    return written("alert", SUBJECTS[data.level], speaker, data=data, parts=tuple(_parts(data)))


def _parts(data: AlertData) -> Iterator[tuple[Phrase, tuple[Phrase, ...], bool]]:
    """Heading, sentences, and whether they are a list, in the order in which they are read."""
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
