"""What the mail of the day says, in both forms, and what it never says."""

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from service import language
from service.domain.phrase import Moment, say
from service.domain.signals import wording
from service.domain.signals.signal import Level
from service.notices import Notice
from service.notices.digest import DigestData, digest_notice
from service.notices.push import push_notice
from tests.notices.test_push import CASES, FORBIDDEN, data, read

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOVED = say(
    "{who}: {was} moved to {at}", who="CT", was=Moment(datetime(2026, 3, 19, 10)), at=Moment(datetime(2026, 3, 20, 11))
)
BREAK = data(
    "break.unannounced", level=Level.WATCH, initials="CB", link="https://hours.example/alerts#alert-3", causes=()
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


@pytest.mark.journey
@pytest.mark.parametrize("locale", ["en_GB", "de_DE"])
def test_it_reads_well_on_the_smallest_phone(new_page: Callable[..., "Page"], locale: str) -> None:
    """320 pixels wide, as a mail program shows it: nothing sticks out, and no text is smaller than 13 pixels."""
    page = new_page(viewport={"width": 320, "height": 640})
    push = push_notice([data(), WATCH], public_url="https://hours.example", speaker=language.speaker(locale))
    for notice in (told(locale), push):
        page.set_content(notice.html)
        width, smallest = page.evaluate(
            "[document.documentElement.scrollWidth, Math.min(...[...document.querySelectorAll('body *')]"
            ".map(one => parseFloat(getComputedStyle(one).fontSize)))]"
        )
        assert width <= 320
        assert smallest >= 13
