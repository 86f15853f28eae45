"""In which language a person is spoken to: as they chose, else as their browser asks."""

from collections.abc import Callable

import pytest

from service.domain.access import Role
from service.language import LOCALES, tag
from tests.web.conftest import Reader

Readers = Callable[[Role], Reader]


@pytest.mark.parametrize("locale", LOCALES)
def test_what_was_chosen_holds_from_the_next_page_on(reader: Readers, locale: str) -> None:
    desk = reader(Role.FRONT_DESK)
    chosen = desk.post("/me/language", locale=locale, back="/board")
    assert (chosen.status_code, chosen.location) == (303, "/board")
    page = desk.browser.get("/today", headers={"Accept-Language": "en-GB"}).text
    assert f'<html lang="{tag(locale)}">' in page
    assert f'<option value="{locale}" lang="{tag(locale)}" selected>' in page


def test_without_a_choice_the_browser_is_asked(reader: Readers) -> None:
    desk = reader(Role.FRONT_DESK)
    desk.post("/me/language", locale="de_AT")
    assert desk.post("/me/language", locale="").status_code == 303
    for asked, spoken in (("de-CH", "de-CH"), ("de", "de-DE"), ("fr, en;q=0.5", "en-GB")):
        page = desk.browser.get("/today", headers={"Accept-Language": asked}).text
        assert f'<html lang="{spoken}">' in page


def test_days_and_times_are_written_as_there(reader: Readers) -> None:
    desk = reader(Role.FRONT_DESK)
    found = {}
    for locale in ("en_GB", "en_US", "de_DE"):
        desk.post("/me/language", locale=locale)
        found[locale] = desk.get("/today?date=2100-01-04").text
    assert "Monday 4 January 2100" in found["en_GB"]
    assert "Monday, January 4, 2100" in found["en_US"]
    assert "Montag, 4. Januar 2100" in found["de_DE"]


def test_a_language_that_is_not_spoken_here_is_refused(reader: Readers) -> None:
    desk = reader(Role.FRONT_DESK)
    refused = desk.post("/me/language", locale="xx_XX")
    assert refused.status_code == 422
    assert '<html lang="en-GB">' in desk.get("/today").text


def test_one_persons_choice_is_nobody_elses(reader: Readers) -> None:
    desk, manager = reader(Role.FRONT_DESK), reader(Role.MANAGER)
    desk.post("/me/language", locale="de_DE")
    assert '<html lang="en-GB">' in manager.get("/today").text
