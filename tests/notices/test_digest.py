"""What the mail of the day says, in both forms, and what it never says."""

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from service import language
from service.domain.phrase import Moment, Span, say, says
from service.domain.signals import wording
from service.domain.signals.signal import Level
from service.notices import Notice
from service.notices.digest import DigestData, digest_notice
from service.notices.push import GroupData, push_notice
from tests.notices.test_push import CASES, FORBIDDEN, data, read

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOVED = say(
    "{who}: {was} moved to {at}", who="CT", was=Moment(datetime(2026, 3, 19, 10)), at=Moment(datetime(2026, 3, 20, 11))
)
BREAK = data(
    "break.unannounced", level=Level.WATCH, initials="CB", link="https://hours.example/alerts#alert-3", causes=()
)
LEAVE = GroupData(
    text=says(
        "{what}: {n} client to tell",
        "{what}: {n} clients to tell",
        n=14,
        what=say("Leave {when}", when=Span(datetime(2026, 12, 7), datetime(2026, 12, 21))),
    ),
    level=Level.ACT,
    first=Moment(datetime(2026, 12, 7, 10)),
    link="https://hours.example/away/7",
)
CLOSED = GroupData(
    text=says(
        "{what}: {n} client to tell",
        "{what}: {n} clients to tell",
        n=2,
        what=say("{place} closed {when}", place="Room 2", when=Span(datetime(2026, 3, 30), datetime(2026, 3, 31))),
    ),
    level=Level.WATCH,
    first=Moment(datetime(2026, 3, 30, 9)),
    link="https://hours.example/away/2",
)
WATCH = data("churn", level=Level.WATCH, initials="CW", link="https://hours.example/alerts#alert-2")


def day_of(**given: object) -> DigestData:
    usual: dict[str, object] = {
        "day": date(2026, 3, 18),
        "act": (data(),),
        "watch": (WATCH,),
        "breaks": (BREAK,),
        "changes": (MOVED,),
        "dead": 2,
    }
    return DigestData(**{**usual, **given})  # type: ignore[arg-type]


def told(locale: str | None = None, **given: object) -> Notice:
    return digest_notice(day_of(**given), public_url="https://hours.example", speaker=language.speaker(locale))


def test_it_says_the_day_what_needs_somebody_and_what_changed_in_both_forms() -> None:
    notice = told()
    spoken = " ".join(read(notice.html).said)
    inorder = [
        "Wednesday 18 March 2026", "For today", "CO", "To look at", "CW",
        "Breaks to tell", "CB", "Changed in the coming week", "CT: Thu 19 Mar 10:00 moved to Fri 20 Mar 11:00",
        "2 messages could not be delivered.",
    ]  # fmt: skip
    for form in (notice.text, spoken):
        places = [form.index(one) for one in inorder]
        assert places == sorted(places)
    assert str(wording.gap_ahead(28, 7, ())) in notice.text


def test_each_thing_has_the_link_where_it_is_answered_and_nothing_else_is_fetched() -> None:
    html = read(told().html)
    assert html.links == [
        "https://hours.example/alerts#alert-1",
        "https://hours.example/alerts#alert-2",
        "https://hours.example/alerts#alert-3",
        "https://hours.example/messages",
        "https://hours.example/me",
    ]
    assert all(str(link) in told().text for link in html.links)
    assert not {"img", "script", "link", "iframe"} & set(html.tags)


def test_what_there_is_nothing_of_is_not_mentioned() -> None:
    notice = told(act=(), breaks=(), changes=(), dead=0)
    for silent in ("For today", "Breaks to tell", "Changed in", "delivered"):
        assert silent not in notice.text
        assert silent not in notice.html
    assert "To look at" in notice.text


def test_the_subject_says_nothing_about_anybody() -> None:
    assert told().subject == "samehour: your day"


def test_the_text_has_no_lines_of_nothing_one_after_another() -> None:
    assert "\n\n\n" not in told().text.strip()


@pytest.mark.parametrize("signal", CASES)
def test_no_digest_says_a_forbidden_word(signal: str) -> None:
    notice = told(act=(data(signal),), breaks=(data(signal, level=Level.WATCH),))
    assert not FORBIDDEN.search(notice.text)
    assert not FORBIDDEN.search(" ".join(read(notice.html).said))


def test_what_people_typed_stays_text() -> None:
    html = told(
        act=(data(causes=(say("{typed}", typed="<script>alert(1)</script>"),), initials='"><img src=x>'),),
        changes=(say("{typed}", typed="<iframe src=x>"),),
    ).html
    assert not {"script", "img", "iframe"} & set(read(html).tags)


PLAIN_TEXT = {
    "en_GB": """\
Wednesday 18 March 2026

For today

- Leave 7–20 Dec: 14 clients to tell
  https://hours.example/away/7

Breaks to tell

- Room 2 closed 30 Mar: 2 clients to tell
  https://hours.example/away/2

--
Your day from samehour, sent to you alone. On days with nothing to say, nothing comes.
Choose what you are sent: https://hours.example/me
""",
    "de_DE": """\
Mittwoch, 18. März 2026

Für heute

- Abwesenheit 7.–20. Dez.: 14 Klient:innen mitzuteilen
  https://hours.example/away/7

Pausen, die mitzuteilen sind

- Room 2 geschlossen 30. März: 2 Klient:innen mitzuteilen
  https://hours.example/away/2

--
Ihr Tag von samehour, nur an Sie gesendet. An Tagen, an denen es nichts zu sagen gibt, kommt nichts.
Wählen, was Ihnen gesendet wird: https://hours.example/me
""",
}


@pytest.mark.parametrize("locale", PLAIN_TEXT)
def test_what_one_absence_does_to_many_is_one_line_with_the_page_where_they_are_told(locale: str) -> None:
    notice = told(locale, act=(), watch=(), breaks=(), changes=(), dead=0, groups_for_today=(LEAVE,), groups=(CLOSED,))
    assert notice.text == PLAIN_TEXT[locale]
    html = read(notice.html)
    assert html.links == [LEAVE.link, CLOSED.link, "https://hours.example/me"]
    for line in notice.text.splitlines():
        if line.startswith("- "):
            assert line.removeprefix("- ") in " ".join(html.said)


@pytest.mark.journey
@pytest.mark.parametrize("wide", [320, 360])
@pytest.mark.parametrize("locale", ["en_GB", "de_DE"])
def test_it_reads_well_on_the_smallest_phone(new_page: Callable[..., "Page"], locale: str, wide: int) -> None:
    """As a mail program shows it: nothing sticks out, and no text is smaller than 13 pixels."""
    page = new_page(viewport={"width": wide, "height": 640})
    push = push_notice([data(), WATCH], [LEAVE], public_url="https://hours.example", speaker=language.speaker(locale))
    for notice in (told(locale, groups_for_today=(LEAVE,), groups=(CLOSED,)), push):
        page.set_content(notice.html)
        width, smallest = page.evaluate(
            "[document.documentElement.scrollWidth, Math.min(...[...document.querySelectorAll('body *')]"
            ".map(one => parseFloat(getComputedStyle(one).fontSize)))]"
        )
        assert width <= wide
        assert smallest >= 13
