"""iCalendar text as components and lines that know where in the file they stand.

icalendar reads the lines; the tree is built here because its own keeps no line numbers, unfolds after decoding (a
fold inside a character then breaks the name), drops what it can't read without a word, and remembers one file's
time zones for the next.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from icalendar.parser import Contentline

from service.domain.phrase import Phrase, Value, say
from service.files.book import CannotRead, Findings

WANTED = frozenset(
    {
        "DTEND",
        "DTSTAMP",
        "DTSTART",
        "DURATION",
        "EXDATE",
        "EXRULE",
        "FREEBUSY",
        "LAST-MODIFIED",
        "LOCATION",
        "ORGANIZER",
        "RDATE",
        "RECURRENCE-ID",
        "RRULE",
        "SEQUENCE",
        "STATUS",
        "SUMMARY",
        "TRANSP",
        "TZID",
        "UID",
        "X-GOOGLE-CONFERENCE",
        "X-LIC-LOCATION",
        "X-MICROSOFT-CDO-ALLDAYEVENT",
        "X-MICROSOFT-CDO-BUSYSTATUS",
        "X-MICROSOFT-SKYPETEAMSMEETINGURL",
        "X-WR-CALNAME",
    }
)
"""Only these are taken apart; other lines of a long calendar cost nothing."""

DEEPEST = 8
_NAME = re.compile(r"[A-Za-z0-9-]+")
_CONTROLS = {sign: None for sign in (*range(0x20), *range(0x7F, 0xA0)) if sign != 0x09}
"""Never meant, and a terminal may obey them."""
_CONTAINERS = ("VCALENDAR", "VEVENT")


@dataclass(frozen=True, kw_only=True)
class Line:
    """`NAME;PARAM=…:value`, unescaped."""

    number: int
    name: str
    params: dict[str, str]
    value: str


@dataclass(kw_only=True)
class Component:
    """`BEGIN:NAME` to `END:NAME`."""

    name: str
    line: int
    lines: list[Line] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    """Every line as it stands, in a VTIMEZONE only."""
    parts: list["Component"] = field(default_factory=list)
    is_whole: bool = False
    """False where the file breaks off inside."""

    def first(self, name: str) -> Line | None:
        return next((line for line in self.lines if line.name == name), None)

    def all(self, name: str) -> list[Line]:
        return [line for line in self.lines if line.name == name]

    def text(self, name: str) -> str:
        line = self.first(name)
        return line.value.strip() if line else ""

    def walk(self, name: str) -> Iterator["Component"]:
        """Itself and all inside it of that name, in order of the file."""
        if self.name == name:
            yield self
        for part in self.parts:
            yield from part.walk(name)


def components(data: bytes, findings: Findings) -> list[Component]:
    """The calendars of the file, or its bare events.

    :raises CannotRead: not iCalendar, or its components are not nested.
    """
    root = Component(name="", line=0)
    stack = [root]
    for number, text in _lines(data, findings):
        _put(stack, number, text, findings)
    if not any(part.name in _CONTAINERS for part in root.parts):
        raise CannotRead(say("This is not a calendar file: it has no line BEGIN:VCALENDAR."))
    for cut_short in stack[1:2]:
        findings.note(cut_short.line, say("The file breaks off before its end; what came before was read."))
    return root.parts


def _put(stack: list[Component], number: int, text: str, findings: Findings) -> None:
    name = _NAME.match(text)
    if name is None or text[name.end() : name.end() + 1] not in (":", ";"):
        if len(stack) > 1:
            findings.note(number, say("A line that is not iCalendar was passed over."))
        return
    key = name.group().upper()
    if key == "BEGIN":
        _open(stack, number, text)
    elif key == "END":
        _close(stack, number, text)
    elif stack[-1].name in ("VTIMEZONE", "STANDARD", "DAYLIGHT"):
        _keep_zone_line(stack[-1], number, key, text, findings)
    elif key in WANTED and len(stack) > 1:
        _keep(stack[-1], number, key, text, findings)


def _open(stack: list[Component], number: int, text: str) -> None:
    if len(stack) > DEEPEST:
        raise CannotRead(
            say(
                "Line {line} opens a part more than {deepest} deep, which no calendar does.",
                line=str(number),
                deepest=DEEPEST,
            )
        )
    part = Component(name=_after_colon(text), line=number)
    stack[-1].parts.append(part)
    stack.append(part)


def _close(stack: list[Component], number: int, text: str) -> None:
    name = _after_colon(text)
    if len(stack) == 1 or stack[-1].name != name:
        raise CannotRead(_ends_wrongly(str(number), name or say("a part"), stack[-1].name if len(stack) > 1 else None))
    stack.pop().is_whole = True


def _ends_wrongly(line: str, name: Value, is_open: str | None) -> Phrase:
    if is_open is None:
        return say("Line {line} ends {name}, but nothing is open: the calendar is damaged.", line=line, name=name)
    return say(
        "Line {line} ends {name}, but the open part is {open}: the calendar is damaged.",
        line=line,
        name=name,
        open=is_open,
    )


def _after_colon(text: str) -> str:
    return text.partition(":")[2].strip().upper()[:40]


def _keep_zone_line(part: Component, number: int, key: str, text: str, findings: Findings) -> None:
    part.raw.append(text)
    if key in ("TZID", "X-LIC-LOCATION"):
        _keep(part, number, key, text, findings)


def _keep(part: Component, number: int, key: str, text: str, findings: Findings) -> None:
    try:
        _, params, value = Contentline(text).parts()
    except (ValueError, AssertionError):
        findings.note(number, say("A line {key} that is not iCalendar was passed over.", key=key))
        return
    part.lines.append(
        Line(number=number, name=key, params={k.upper(): _one(v) for k, v in params.items()}, value=value)
    )


def _one(param: object) -> str:
    return str(param[0] if isinstance(param, list) and param else param)


def _lines(data: bytes, findings: Findings) -> Iterator[tuple[int, str]]:
    """Unfolded lines with the number of their first. Bytes are joined before decoding: a fold may cut a character."""
    number, pieces = 0, [b""]
    for at, piece in enumerate(_as_utf8(data).split(b"\n"), start=1):
        piece = piece.removesuffix(b"\r")
        if piece[:1] in (b" ", b"\t") and pieces[0]:
            pieces.append(piece[1:])
            continue
        if pieces[0].strip():
            yield number, _decoded(b"".join(pieces), number, findings)
        number, pieces = at, [piece]
    if pieces[0].strip():
        yield number, _decoded(b"".join(pieces), number, findings)


def _as_utf8(data: bytes) -> bytes:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _decoded(line: bytes, number: int, findings: Findings) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        findings.note(number, say("A line that is not UTF-8 was read as Windows-1252."))
        text = line.decode("cp1252", "replace")
    return text.translate(_CONTROLS)
