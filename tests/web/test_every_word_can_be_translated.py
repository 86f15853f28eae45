"""Every page, read by somebody whose language puts a mark around each sentence and each date: what is not marked, and
is neither a name nor a number, was written past the translation and would stay English for everybody.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import g, render_template_string

from service import language
from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.domain.appointment import Initiator
from service.domain.hours import midnight
from service.domain.limits import RULES, parameters
from service.domain.phrase import PlainEnglish
from service.language import LOCALES
from service.usecases import absences, appointments, consistency, overrides
from tests.clinic import EMAILS, NAMES, Clinic
from tests.web.conftest import Reader

if TYPE_CHECKING:
    from flask import Flask

Readers = Callable[[Role], Reader]
OPEN, CLOSE = "⟦", "⟧"
SHOWN = frozenset({"aria-label", "title", "placeholder", "alt", "label"})
"""Attributes that people see or hear."""
WITHOUT_WORDS = frozenset({"kbd", "code", "script", "style", "pattern"})
"""Keys and names of programs are the same in every language."""
VOID = frozenset({"meta", "link", "input", "br", "img", "use", "hr", "source", "path", "circle", "rect", "line"})
PROGRAMS = ("samehour", "iPhone", "Google Calendar", "Apple", "Google", "Outlook.com", "Thunderbird")
TYPED = (
    "Harbour", "Europe/Berlin", "Room 1", "Room 2", "Therapist A", "Therapist B", "summer course", "so we said",
    "Phone", *NAMES, *EMAILS.values(), *(role.value.replace("_", " ").title() for role in Role), "DE", "HH", "BE",
)  # fmt: skip
"""What people entered here, as it is."""
OF_A_CALENDAR = ("Busy",)
"""What a calendar says in the language that was chosen for it, whoever looks at it here."""
KNOWN = (*TYPED, *PROGRAMS, *LOCALES.values(), *RULES, *parameters(), *OF_A_CALENDAR)
_DATA = re.compile("|".join(re.escape(one) for one in sorted(KNOWN, key=len, reverse=True)))
_REFERENCE = re.compile(r"\bC\d{5}\b|\bC[OTFS]\b|https?://\S+|webcals?://\S+")


class Marking(PlainEnglish):
    """Says everything in English with a mark around it."""

    tag = "en-GB"

    def translated(self, template: str) -> str:
        return f"{OPEN}{template}{CLOSE}"

    def translated_plural(self, one: str, many: str, n: int) -> str:
        return f"{OPEN}{one if n == 1 else many}{CLOSE}"

    def day(self, of: date) -> str:
        return f"{OPEN}{super().day(of)}{CLOSE}"

    def full_day(self, of: date) -> str:
        return f"{OPEN}{super().full_day(of)}{CLOSE}"

    def weekday(self, of: date) -> str:
        return f"{OPEN}{super().weekday(of)}{CLOSE}"

    def year_day(self, of: date) -> str:
        return f"{OPEN}{super().year_day(of)}{CLOSE}"

    def month(self, of: date) -> str:
        return f"{OPEN}{super().month(of)}{CLOSE}"

    def clock(self, at: time) -> str:
        return f"{OPEN}{super().clock(at)}{CLOSE}"

    def moment(self, at: datetime) -> str:
        return f"{OPEN}{super().moment(at)}{CLOSE}"

    def hour_of_week(self, minute: int) -> str:
        return f"{OPEN}{super().hour_of_week(minute)}{CLOSE}"

    def span(self, since: date, last: date) -> str:
        return f"{OPEN}{super().span(since, last)}{CLOSE}"

    def city(self, zone: str) -> str:
        return f"{OPEN}{super().city(zone)}{CLOSE}"


class Words(HTMLParser):
    """All that a page says: its text as one stream, and each attribute that is seen or heard."""

    def __init__(self) -> None:
        super().__init__()
        self.stream: list[str] = []
        self.attributes: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [value for name, value in attrs if name in SHOWN and value]
        self.attributes += [value for name, value in attrs if name.startswith("data-") and value and OPEN in value]
        self.stream.append("\n")
        if tag not in VOID:
            self.inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass
        self.stream.append("\n")

    def handle_data(self, data: str) -> None:
        if not WITHOUT_WORDS.intersection(self.inside):
            self.stream.append(data)


def unmarked(page: str) -> list[str]:
    """The words of a page that nobody could translate."""
    words = Words()
    words.feed(page)
    return [found for text in ("".join(words.stream), *words.attributes) for found in _outside(text)]


def _outside(text: str) -> Iterator[str]:
    depth, kept = 0, []
    for sign in text:
        depth += (sign == OPEN) - (sign == CLOSE)
        kept.append(sign if depth == 0 and sign != CLOSE else "\n" if depth == 0 else "")
    rest = _REFERENCE.sub(" ", _DATA.sub(" ", "".join(kept)))
    yield from (line.strip() for line in rest.splitlines() if re.search(r"[^\W\d_]{2}", line))


@pytest.fixture(autouse=True)
def marking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "speaker", lambda _locale: Marking())


@pytest.fixture
def eventful(app: "Flask", clinic: Clinic, now: datetime) -> Clinic:
    """Leave that nobody was told of, moved and cancelled hours, exceptions, and the alerts of all that."""
    with app.app_context():
        begins = midnight(clinic.monday + timedelta(weeks=1))
        absences.add(
            kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0], since=begins, until=begins + timedelta(days=5),
            name="summer course", tentative=True, by=OPERATOR, now=now,
        )  # fmt: skip
        appointments.move(
            appointment_id=clinic.hour(0, weeks=3).id,
            to=appointments.Destination(starts=clinic.at(0, weeks=3) + timedelta(days=1)),
            asked_by=Initiator.CLINIC, reason="work", is_told=False, by=OPERATOR, now=now,
        )  # fmt: skip
        for weeks, by in ((2, Initiator.CLIENT), (4, Initiator.CLINIC)):
            appointments.cancel(
                appointment_id=clinic.hour(0, weeks=weeks).id, asked_by=by, reason="illness", is_told=False,
                by=OPERATOR, now=now,
            )  # fmt: skip
        overrides.set(
            values={"gap_watch": 1.4, "preset": "breaks_sensitive", "churn": "off"}, reason="so we said",
            until=(now + timedelta(days=60)).date(), course=clinic.courses[1], by=OPERATOR, now=now,
        )  # fmt: skip
        for course in clinic.courses[:3]:
            consistency.assess(course=course, now=now)
    return clinic


def pages_of(role: Role, app: "Flask", clinic: Clinic, now: datetime) -> list[str]:
    """The address of every page, form and part that this role reads."""
    if role is Role.ADMIN:
        return ["/people", "/webhooks", "/messages", "/me", "/nowhere", "/today"]
    with app.app_context():
        hours = [clinic.hour(0, weeks=weeks) for weeks in (-1, 1, 2, 3)]
        away = absences.between(since=midnight(clinic.monday), until=midnight(date(2200, 1, 1)), by=OPERATOR)[0].id
    day = clinic.monday + timedelta(weeks=1)
    taken = clinic.at(1, weeks=1)
    late = clinic.at(0, weeks=1).replace(hour=19)
    one = hours[1].id
    found = ["/today", f"/today?date={day}", "/today?date=2100-01-03", "/clients", f"/clients/{clinic.clients[0]}"]
    found += [f"/board?date={day}{more}" for more in ("", "&view=week", "&by=room", "&by=room&view=week")]
    found += ["/board?date=2100-01-03", "/agree", f"/agree?client={clinic.clients[0]}", "/away", f"/away/{away}"]
    found += [f"/appointments/{hour.id}" for hour in hours]
    found += [f"/appointments/{one}/cancel", f"/appointments/{one}/move"]
    found += [
        f"/appointments/{one}/move?day={at:%Y-%m-%d}&at={at:%H:%M}" for at in (taken, late, late.replace(hour=13))
    ]
    found += [
        "/courses",
        *(f"/courses/{course}" for course in clinic.courses[:2]),
        f"/courses/{clinic.courses[0]}/strip",
    ]
    found += [f"/standings/{clinic.standings[0]}/{what}" for what in ("change", "end")]
    found += ["/rules", "/me", "/nowhere"]
    if role is not Role.FRONT_DESK:
        found += ["/alerts", "/alerts?all=yes", "/busy-elsewhere"]
    if role is not Role.ADMIN:
        found += ["/calendars", "/calendars/new", f"/calendars/new?whose=room:{clinic.rooms[0]}"]
        found.append(f"/calendars/new?whose=therapist:{clinic.therapists[0]}")
    return [
        *found,
        *(["/people", "/webhooks", "/messages", "/client-mail"] if role is Role.MANAGER else []),
        *(["/clients/new"] if role is not Role.THERAPIST else []),
    ]


@pytest.mark.parametrize("role", list(Role))
def test_every_page(app: "Flask", reader: Readers, eventful: Clinic, now: datetime, role: Role) -> None:
    browser = reader(role)
    found = {path: unmarked(browser.get(path).text) for path in pages_of(role, app, eventful, now)}
    assert {path: words for path, words in found.items() if words} == {}


def test_every_answer_of_a_form(app: "Flask", reader: Readers, eventful: Clinic, now: datetime) -> None:
    desk, manager = reader(Role.FRONT_DESK), reader(Role.MANAGER)
    with app.app_context():
        one, other = eventful.hour(0, weeks=5), eventful.hour(1, weeks=5)
    taken = {"day": f"{other.starts:%Y-%m-%d}", "at": f"{other.starts:%H:%M}", "asked_by": "client", "reason": "work"}
    wish = {
        "client": eventful.clients[3], "therapist": eventful.therapists[0], "room": eventful.rooms[0],
        "day0": "0", "at0": "16:00", "every_weeks": "2", "minutes": "50", "since": f"{eventful.monday}",
    }  # fmt: skip
    answers = [
        desk.post(f"/appointments/{one.id}/move", **taken),
        desk.post(f"/appointments/{one.id}/cancel", reason="x"),
        desk.post("/agree", step="look", **wish),
        desk.post("/agree", step="look", **{**wish, "at0": "10:00"}),
        desk.post("/agree", step="look", **{**wish, "since": "soon"}),
        desk.post("/away", kind="leave", since="2030-01-02", until="2030-01-01"),
        desk.post("/clients", name=""),
        desk.post("/clients/search", q="zzzz"),
        desk.post("/clients/suggest", q="zzzz"),
        desk.post("/me/language", locale="xx"),
        manager.post("/calendars", name="Phone", whose=f"therapist:{eventful.therapists[0]}", privacy="initials"),
        manager.post("/webhooks", name="Phone", url="https://example.com/hook"),
        manager.post("/rules/what-if", gap_watch="2.2", off="churn"),
        manager.post("/rules/what-if", gap_watch="soon"),
        app.test_client().get("/sign-in"),
        app.test_client().post("/sign-in", data={"email": "zz", "password": "zz"}),
        app.test_client().get("/sign-in/secret"),
    ]
    found = [(answer.request.path, unmarked(answer.text)) for answer in answers]
    assert [(path, words) for path, words in found if words] == []


def test_what_was_done_is_said(app: "Flask", reader: Readers, eventful: Clinic) -> None:
    desk = reader(Role.FRONT_DESK)
    for said in ("marked~x~", "moved~~2030-01-07T10:00", "released~~1", "released~~3", "language set~~"):
        desk.browser.set_cookie("samehour-said", said)
        page = desk.get("/today").text
        assert 'class="said"' in page
        assert unmarked(page) == []


def test_what_the_grid_draws(app: "Flask", reader: Readers, eventful: Clinic) -> None:
    day = eventful.monday
    events = reader(Role.MANAGER).get(f"/board/events?view=week&date={day + timedelta(weeks=1)}&by=room").json
    assert events
    for event in events:
        more = event.get("extendedProps", {})
        said = [event["title"], *(more.get(name, "") for name in ("word", "name", "with")), *more.get("notes", ())]
        assert [found for text in said for found in _outside(text)] == []


def test_a_word_that_was_forgotten_is_found(app: "Flask") -> None:
    with app.test_request_context():
        g.speaker = Marking()
        page = render_template_string(
            '<p>{{ _("Held") }} Forgotten</p><input placeholder="Forgotten too"><b aria-label="{{ _("Held") }}"></b>'
        )
    assert unmarked(page) == ["Forgotten", "Forgotten too"]
    assert unmarked(f"<p>{OPEN}Look at <b>Client One</b>.{CLOSE} Client Two</p>") == []
    assert unmarked("<p>Client One and Client Two</p>") == ["and"]


SELECTORS = re.compile(r"[a-z\d]+(, [a-z\d]+)*|.*[<>=/{}()\[\]#*].*|.*\.[a-z].*|[\W\d]*|[a-z-]+")
EVENTS = re.compile(r"[a-z]+:[a-zA-Z]+|[a-z]+[A-Z]\w+|[A-Z]+|(g )?[a-z]|Arrow(Up|Down|Left|Right)?|Enter|Escape")
HEADERS = frozenset({"Accept", "Content-Type", "ETag", "HX-Request", "If-None-Match", "X-CSRF-Token"})
FIELDS = frozenset({"do.", "late_by", "no_show", "pressed_at"})
NAMES_OF_PROGRAMS = HEADERS | FIELDS | {"2-digit", "use strict"}
SAYS = re.compile(r"""(?:textContent|title|innerText|placeholder|alt) = ["'`]|"aria-label", ["'`]""")


def literals(script: str) -> list[str]:
    """The strings of a script that a person could read."""
    code = re.sub(r"^\s*//.*$|/\*.*?\*/", "", script, flags=re.MULTILINE)
    strings = [one or other for one, other in re.findall(r'"([^"\n]*)"|`([^`]*)`', code)]
    words = [one for one in strings if not SELECTORS.fullmatch(one) and not EVENTS.fullmatch(one)]
    return [one for one in words if one not in NAMES_OF_PROGRAMS] + SAYS.findall(code)


def test_scripts_bring_no_words_of_their_own() -> None:
    scripts = {path.name: literals(path.read_text()) for path in sorted(Path("service/web/static").glob("*.js"))}
    assert scripts == {"board.js": [], "copy.js": [], "keys.js": [], "marks.js": []}


@pytest.mark.parametrize("line", ['alarm("That did not work.");', 'button.textContent = "copied";', 'say("Copied")'])
def test_a_word_in_a_script_is_found(line: str) -> None:
    assert literals(line)
