"""What a notice says, for every rule that speaks; and what none of them ever says."""

import ast
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from service.domain.limits import RULES
from service.domain.phrase import say
from service.domain.signals import Cause, wording
from service.domain.signals.signal import CODE, CONVENTION, MODERATE, Level
from service.notices import Notice, why
from service.notices.push import AlertData, push_notice

HOUSE = Path(__file__).parents[2]
FORBIDDEN = re.compile(
    r"\b(failed|failure to attend|no-showed|dna'd|non-compliant|noncompliant|refused|unreliable|excuse\w*|faults?"
    r"|blame\w*|poor attender|chronic|resistant|difficult|offender|should have|warning|risk score)\b|!",
    re.IGNORECASE,
)
GAP = {"state": "ahead", "g": 28.0, "C": 7.0, "m_a": 2, "g_adj": 14.0, "rho": 2.0, "held_with": 8}
STEPS = {"watch": 1.5, "act": 2.5}
SUMMER = datetime(2026, 8, 17)
CAUSES = (
    Cause(slot=SUMMER, why="leave", since=SUMMER, until=datetime(2026, 8, 29), told_at=datetime(2026, 7, 30, 9)),
    Cause(slot=SUMMER, why="holiday", since=datetime(2026, 8, 31), until=datetime(2026, 9, 1)),
)
CASES = {
    "gap.ahead": (GAP, STEPS, "2 times the usual interval, without 2 announced", "from 1.5 times"),
    "gap.open": ({**GAP, "rho": 1.8571, "m_a": 0}, STEPS, "That is 1.86 times the usual interval.", "2.5 times"),
    "gap.early": (GAP, {"watch": 1.25, "act": 1.75}, "In the first sessions the steps are lower", "1.75 times"),
    "next.none": (
        {"last": "2026-03-03T10:00", "days_since": 1.0, "reason": "none_booked"},
        {"watch": "2026-03-04T10:50", "act": "2026-03-10T10:00"},
        "from Wed 4 Mar 10:50",
        "from Tue 10 Mar 10:00",
    ),
    "churn": ({"M": 3, "M_c": 0, "x": 1, "n": 6}, {"any": 3, "clinic": 2, "n": 6}, "3 moved", "from 3 moves"),
    "break.unannounced": ({"D": 4.9, "lost": 2}, {"watch": 21, "act": 14}, "4.9 days away", "from 21 days"),
    "missed.clinic": ({"cancelled": 2, "n": 6, "run": 0}, {"watch": 2, "act": 3}, "cancelled 2", "watch 2"),
}


def data(signal: str = "gap.ahead", **given: object) -> AlertData:
    value, threshold = CASES.get(signal, (GAP, STEPS))[:2]
    usual: dict[str, object] = {
        "signal": signal,
        "level": Level.ACT,
        "initials": "CO",
        "text": wording.gap_ahead(28, 7, ()),
        "causes": tuple(map(wording.cause, CAUSES)),
        "actions": wording.GAP_AHEAD_ACTIONS,
        "clears": wording.GAP_CLEARS,
        "value": value,
        "threshold": threshold,
        "evidence": MODERATE,
        "link": "https://hours.example/alerts#alert-1",
        "course_link": "https://hours.example/courses/1",
    }
    return AlertData(**{**usual, **given})  # type: ignore[arg-type]


def told(*them: AlertData) -> Notice:
    return push_notice(them, public_url="https://hours.example")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.links: list[str | None] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read(html: str) -> _Words:
    words = _Words()
    words.feed(html)
    return words


def test_it_says_what_why_cause_options_and_what_clears_it_in_both_forms() -> None:
    notice, about = told(data()), data()
    spoken = " ".join(read(notice.html).said)

    for sentence in (about.text, *about.causes, *about.actions, about.clears, "Rule gap.ahead.", "several studies"):
        assert str(sentence) in notice.text
        assert str(sentence) in spoken
    assert "- leave 17–28 Aug (told 30 Jul)\n- public holiday 31 Aug (not yet told)\n" in notice.text
    assert notice.text.index("What") < notice.text.index("Cause") < notice.text.index("What you can do")


def test_links_lead_to_the_answer_and_to_the_course_and_nothing_else_is_fetched() -> None:
    notice = told(data())

    assert read(notice.html).links == [
        "https://hours.example/alerts#alert-1",
        "https://hours.example/courses/1",
        "https://hours.example/me",
    ]
    assert "https://hours.example/alerts#alert-1" in notice.text
    assert not {"img", "script", "link", "iframe"} & set(read(notice.html).tags)


@pytest.mark.parametrize("level", [Level.WATCH, Level.ACT])
def test_the_subject_says_nothing_about_anybody(level: Level) -> None:
    subject = told(data(level=level, initials="ZZ", text=say("ZZ"))).subject

    assert subject.startswith("samehour: 1 thing")
    assert "ZZ" not in subject


@pytest.mark.parametrize("signal", CASES)
def test_why_says_the_numbers_and_the_steps(signal: str) -> None:
    value, threshold, *parts = CASES[signal]
    said = str(why.sentence(signal, value, threshold))

    for part in parts:
        assert part in said


def test_an_exception_in_force_is_shown() -> None:
    notice = told(data(agreed={"gap_watch": say("2 until 31 Aug 2026: agreed")}))

    assert "An exception is in force: gap watch 2 until 31 Aug 2026: agreed" in notice.text


def test_what_people_typed_stays_text() -> None:
    html = told(data(causes=(say("{typed}", typed="<script>alert(1)</script>"),), initials='"><img src=x>')).html

    assert "script" not in read(html).tags
    assert "img" not in read(html).tags


@pytest.mark.parametrize("evidence", [MODERATE, CODE, CONVENTION])
@pytest.mark.parametrize("signal", RULES)
def test_no_notice_says_a_forbidden_word(signal: str, evidence: str) -> None:
    notice = told(data(signal, evidence=evidence))

    assert not FORBIDDEN.search(notice.text)
    assert not FORBIDDEN.search(" ".join(read(notice.html).said))


@pytest.mark.parametrize(
    "module", ["service/notices/push.py", "service/notices/why.py", "service/domain/signals/wording.py"]
)
def test_no_sentence_in_the_sources_has_a_forbidden_word(module: str) -> None:
    """Every text, also those that no case above happens to reach."""
    tree = ast.parse((HOUSE / module).read_text())
    said = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]

    assert len(said) > 10
    assert [
        one for one in said if FORBIDDEN.search(one.replace("<!doctype", "")) and not _is_docstring(tree, one)
    ] == []


def test_the_lint_finds_what_it_forbids() -> None:
    """The control: a sentence as nobody should write it."""
    for bad in ("The client failed to attend", "Warning: poor attender", "They should have called", "Act now!"):
        assert FORBIDDEN.search(bad)


def _is_docstring(tree: ast.Module, text: str) -> bool:
    kinds = (ast.Module, ast.FunctionDef, ast.ClassDef)
    return text in {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, kinds)}
