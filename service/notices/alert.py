"""A notice about one alert."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from service.domain.signals.signal import CODE, CONVENTION, MODERATE, Level
from service.notices import Notice, why

SUBJECTS = {
    Level.ACT: "samehour: 1 thing for today",
    Level.WATCH: "samehour: 1 thing to look at",
}
EVIDENCE = {
    MODERATE: "several studies point this way, not all of them",
    CODE: "a duty in professional codes; the number is a convention",
    CONVENTION: "usual practice, not a finding",
}
WHAT, WHY, CAUSE, OPTIONS, CLEARS = "What", "Why you are told", "Cause", "What you can do", "What clears it"

ANSWER = "Acknowledge it, snooze it, or say that it is agreed"
COURSE = "See the course"
FOOTER = "Sent by samehour, to you alone. It clears by itself when what it is about is settled."


@dataclass(frozen=True, kw_only=True)
class AlertData:
    """What the notice is about. Names nobody."""

    signal: str
    level: Level
    initials: str
    text: str
    causes: Sequence[str]
    actions: Sequence[str]
    clears: str
    value: Mapping[str, object]
    threshold: Mapping[str, object]
    evidence: str
    link: str
    """Where to answer it."""
    course_link: str
    agreed: Mapping[str, str] = field(default_factory=dict)


def alert_notice(data: AlertData) -> Notice:
    """The notice, with a neutral subject."""
    return Notice(subject=SUBJECTS[data.level], text=_text(data), html=_html(data))


def _parts(data: AlertData) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Heading and lines, in the order in which they are read."""
    yield WHAT, (data.text,)
    yield WHY, tuple(_why(data))
    if data.causes:
        yield CAUSE, tuple(data.causes)
    yield OPTIONS, tuple(data.actions)
    yield CLEARS, (data.clears,)


def _why(data: AlertData) -> Iterator[str]:
    yield why.sentence(data.signal, data.value, data.threshold)
    for key, words in data.agreed.items():
        yield f"An exception is in force: {key.replace('_', ' ')} {words}"
    yield f"Rule {data.signal}. Evidence: {EVIDENCE.get(data.evidence, data.evidence)}."


def _text(data: AlertData) -> str:
    lines = [f"About {data.initials}" if data.initials else "About one of your courses", ""]
    for heading, sentences in _parts(data):
        is_list = heading in {CAUSE, OPTIONS}
        lines += [heading, *(f"- {one}" if is_list else one for one in sentences), ""]
    lines += [f"{ANSWER}: {data.link}", f"{COURSE}: {data.course_link}", "", "--", FOOTER]
    return "\n".join(lines) + "\n"


_STYLE = "font-family:system-ui,sans-serif;font-size:16px;line-height:1.5;color:#1b1b1b;max-width:36em;margin:0 auto"


def _html(data: AlertData) -> str:
    about = escape(data.initials) if data.initials else "one of your courses"
    body = "".join(_block(heading, sentences) for heading, sentences in _parts(data))
    link, course = escape(data.link, quote=True), escape(data.course_link, quote=True)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(SUBJECTS[data.level])}</title>'
        f'<meta name="viewport" content="width=device-width"></head><body style="{_STYLE}">'
        f'<p style="font-size:20px">About {about}</p>{body}'
        f'<p><a href="{link}">{ANSWER}</a></p><p><a href="{course}">{COURSE}</a></p>'
        f'<p style="font-size:13px;color:#555">{FOOTER}</p></body></html>'
    )


def _block(heading: str, sentences: Sequence[str]) -> str:
    if heading in {CAUSE, OPTIONS}:
        said = "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in sentences) + "</ul>"
    else:
        said = "".join(f"<p>{escape(one)}</p>" for one in sentences)
    return f'<h2 style="font-size:16px;margin:1em 0 0">{heading}</h2>{said}'
