"""The page of calendars that are read in, and what the board and the agreeing of an hour make of them."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from service import clock, language
from service.domain.access import OPERATOR, Role
from service.domain.hours import Span, instant
from service.domain.outside import FAULTS, LEFT_OUT, Reading
from service.usecases import outbox, outside
from service.usecases.outside import Errand
from tests.clinic import ZONE, Clinic
from tests.web.conftest import Reader
from tests.web.test_every_word_can_be_translated import Marking, unmarked

if TYPE_CHECKING:
    from flask import Flask

URL = "https://calendar.example.com/private-a1b2c3.ics"
Readers = Callable[[Role], Reader]


def add(reader: Reader, **form: str) -> str:
    """Its id."""
    assert reader.post("/busy-elsewhere", **{"name": "Home", "url": URL, **form}).status_code == 303
    found = re.findall(r'action="/busy-elsewhere/([0-9a-f-]{36})/read"', reader.get("/busy-elsewhere").text)
    return str(found[-1])


def errand(now: datetime) -> Errand:
    """As a worker takes it."""
    for message in outbox.due(now=now):
        taken = outbox.take(message=message, now=now)
        if taken is not None and taken.topic == "outside.read":
            found = outside.errand(message=message, attempt=taken.attempt, now=now)
            assert found is not None
            return found
    raise AssertionError("nothing is to be read")


def says(*starts: datetime, left_out: dict[str, int] | None = None) -> None:
    """What a worker would write down: an hour each, on the clinic's wall. Call it in the app's context."""
    now = clock.now()
    spans = tuple(Span(since=instant(at, ZONE), until=instant(at, ZONE) + timedelta(hours=1)) for at in starts)
    found = Reading(spans=spans, left_out=left_out or {})
    assert outside.note_read(errand=errand(now), found=found, etag=None, modified=None, now=now)


def test_a_therapist_adds_one_and_its_address_is_shown_never(reader: Readers, app: "Flask") -> None:
    ada = reader(Role.THERAPIST)
    assert "No calendar is read yet" in ada.get("/busy-elsewhere").text
    assert 'href="/busy-elsewhere"' in ada.get("/calendars").text
    calendar = add(ada, url=f"webcal{URL.removeprefix('https')}")
    page = ada.get("/busy-elsewhere").text
    assert "https://calendar.example.com/…" in page and "being read" in page and "a1b2c3" not in page
    with app.app_context():
        says(datetime(2100, 1, 1), left_out={"zone": 2})
    page = ada.get("/busy-elsewhere").text
    assert "1 busy time in the next half year" in page and "2 entries are in a time zone that nobody knows." in page
    assert ada.post(f"/busy-elsewhere/{calendar}/read").status_code == 409
    assert ada.post(f"/busy-elsewhere/{calendar}/rename", name="Family").status_code == 303
    assert "Family" in ada.get("/busy-elsewhere").text
    assert ada.post(f"/busy-elsewhere/{calendar}/remove").status_code == 303
    assert "No calendar is read yet" in ada.get("/busy-elsewhere").text


def test_a_fault_is_said_in_plain_words(reader: Readers, app: "Flask") -> None:
    ada = reader(Role.THERAPIST)
    add(ada)
    with app.app_context():
        outside.note_fault(errand=errand(clock.now()), fault="not_calendar", now=clock.now())
    page = ada.get("/busy-elsewhere").text
    assert "What is there is not a calendar." in page and "It has never been read." in page


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://calendar.example.com/a.ics", "Only https will do"),
        ("https://localhost/a.ics", "of your own network"),
        ("https://me@example.com/a.ics", "no user and no password"),
    ],
)
def test_an_address_that_is_not_read_is_said_so_with_what_was_typed(reader: Readers, url: str, said: str) -> None:
    answer = reader(Role.THERAPIST).post("/busy-elsewhere", name="Home", url=url)
    assert answer.status_code == 422
    assert said in answer.text and f'value="{url}"' in answer.text and 'value="Home"' in answer.text


def test_a_manager_adds_anybodys_and_a_therapist_sees_no_other(reader: Readers, clinic: Clinic) -> None:
    manager, ada = reader(Role.MANAGER), reader(Role.THERAPIST)
    add(manager, therapist=clinic.therapists[1])
    assert "Therapist B" in manager.get("/busy-elsewhere").text
    assert "No calendar is read yet" in ada.get("/busy-elsewhere").text
    assert reader(Role.FRONT_DESK).get("/busy-elsewhere").status_code == 403


def test_the_board_shows_it_in_the_therapists_column_and_in_words(
    reader: Readers, app: "Flask", clinic: Clinic
) -> None:
    at = clinic.at(0, weeks=1).replace(hour=12)
    add(reader(Role.THERAPIST))
    with app.app_context():
        says(at, at.replace(hour=23, minute=30))
    desk = reader(Role.FRONT_DESK)
    day, week = f"date={at:%Y-%m-%d}", f"view=week&only={clinic.therapists[0]}&date={at:%Y-%m-%d}"
    for view in (day, week):
        bands = [one for one in desk.get(f"/board/events?{view}").json or () if "is-elsewhere" in one["classNames"]]
        assert [(one["start"][-5:], one["end"][-5:]) for one in bands][:2] == [("12:00", "13:00"), ("23:30", "00:00")]
        assert {one["title"] for one in bands} == {"busy elsewhere"}
        assert {tuple(one["resourceIds"]) for one in bands} == {(clinic.therapists[0],)}
        page = desk.get(f"/board?{view}").text
        assert "Busy elsewhere: 2 times" in page and "Therapist A: " in page
    for view in (f"by=room&{day}", f"view=week&only={clinic.therapists[1]}&date={at:%Y-%m-%d}"):
        assert "is-elsewhere" not in desk.get(f"/board/events?{view}").text
        assert "Busy elsewhere" not in desk.get(f"/board?{view}").text


def test_one_reason_books_all_dates_that_need_one(reader: Readers, app: "Flask", clinic: Clinic) -> None:
    first = clinic.monday + timedelta(weeks=1)
    at = datetime.combine(first, datetime.min.time()).replace(hour=16)
    add(reader(Role.THERAPIST))
    with app.app_context():
        says(*(at + timedelta(weeks=n) for n in range(3)))
    desk = reader(Role.FRONT_DESK)
    wish = {
        "client": clinic.clients[3], "therapist": clinic.therapists[0], "room": "video", "day0": "0", "at0": "16:00",
        "every_weeks": "1", "minutes": "50", "since": f"{first}", "until": f"{first + timedelta(weeks=6)}",
    }  # fmt: skip
    page = desk.post("/agree", step="look", **wish).text
    assert "On 3 of 7 dates the therapist is busy elsewhere." in page
    doubtful = re.findall(r'name="doubtful" value="([^"]+)"', page)
    assert len(doubtful) == 3
    assert desk.post("/agree", step="agree", doubtful=doubtful, **wish).status_code == 409
    answer = desk.post("/agree", step="agree", doubtful=doubtful, why_all="agreed with A", **wish)
    assert answer.status_code == 303
    assert desk.browser.get_cookie("samehour-said").value.endswith("~7")  # type: ignore[union-attr]


def test_every_word_can_be_translated(reader: Readers, app: "Flask", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "speaker", lambda _locale: Marking())
    ada = reader(Role.THERAPIST)
    pages = [ada.post("/busy-elsewhere", name="Phone", url="http://zz.example/").text]
    add(ada, name="Phone")
    pages.append(ada.get("/busy-elsewhere").text)
    now = clock.now()
    with app.app_context():
        says(left_out=dict.fromkeys(LEFT_OUT, 2))
    pages.append(ada.get("/busy-elsewhere").text)
    for n, fault in enumerate(FAULTS):
        with app.app_context():
            later = now + timedelta(days=2 * n + 1)
            outside.note_fault(errand=errand(later), fault=fault, now=later)
        pages.append(ada.get("/busy-elsewhere").text)
    found = [[word for word in unmarked(page) if "example" not in word] for page in pages]
    assert found == [[]] * len(pages)
    with app.app_context():
        assert outside.listed(by=OPERATOR, now=now)[0].failures == len(FAULTS)
