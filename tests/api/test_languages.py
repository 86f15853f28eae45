"""Sentences are in the language of whoever asks, and the answer says in which; names and kinds never change."""

from datetime import timedelta

import pytest

from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR
from service.domain.hours import midnight
from service.domain.phrase import Phrase, say
from service.domain.refusals import CannotBook
from service.language import speaker
from service.usecases import absences
from tests.api.conftest import NOW, TODAY, Clinic, Door


def in_german(phrase: Phrase) -> str:
    return phrase.said(speaker("de_DE"))


def test_a_refusal_is_said_in_the_language_asked_for(clinic: Clinic, desk: Door) -> None:
    assert desk.post("/appointments", clinic.booking(9, "08:00")).status_code == 201
    german = desk.post("/appointments", clinic.booking(9, "08:00"), Accept_Language="de")
    english = desk.post("/appointments", clinic.booking(9, "08:00"))
    assert (german.status_code, english.status_code) == (409, 409)
    assert german.headers["Content-Language"] == "de-DE" and "Accept-Language" in german.headers["Vary"]
    assert english.headers["Content-Language"] == "en-GB"
    assert german.get_json()["title"] == in_german(CannotBook.title)
    assert english.get_json()["title"] == "That hour is taken"
    assert german.get_json()["clashes"] == english.get_json()["clashes"]
    day = TODAY + timedelta(days=9)
    assert f"{day.day}. März {day.year}" in german.get_json()["detail"]
    assert f"{day.day} Mar {day.year}" in english.get_json()["detail"]


def test_what_stands_deep_in_a_problem_is_said_too(clinic: Clinic, desk: Door) -> None:
    day = TODAY + timedelta(days=12)
    since, until = midnight(day), midnight(day + timedelta(days=1))
    with clinic.app.app_context():
        absences.add(kind=AbsenceKind.LEAVE, since=since, until=until, therapist=clinic.other, by=OPERATOR, now=NOW)
    booking = clinic.booking(12, "08:00", therapist=clinic.other, reason=None)
    for language, days in (("de-AT", f"{day.day}. März"), ("en", f"{day.day} Mar")):
        (doubt,) = desk.post("/appointments", booking, Accept_Language=language).get_json()["doubts"]
        assert doubt["kind"] == "absence" and days in doubt["text"]


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nothing/of/this/kind", 404, say("Not found")),
        ("DELETE", "/users/me", 405, say("Method not allowed")),
        ("POST", "/appointments", 422, say("A value is not valid")),
    ],
)
def test_what_the_library_refuses_is_said_in_our_words(
    desk: Door, method: str, path: str, status: int, title: Phrase
) -> None:
    german = desk.ask(method, path, {} if method == "POST" else None, Accept_Language="de")
    assert (german.status_code, german.get_json()["title"]) == (status, in_german(title))
    assert desk.ask(method, path, {} if method == "POST" else None).get_json()["title"] == str(title)


def test_a_choice_of_ones_own_comes_before_what_the_program_asks_for(desk: Door) -> None:
    assert desk.get("/users/me").get_json()["locale"] is None
    try:
        assert desk.post("/users/me/locale", {"locale": "de_CH"}).status_code == 204
        mine = desk.get("/users/me", Accept_Language="en")
        assert (mine.get_json()["locale"], mine.headers["Content-Language"]) == ("de_CH", "de-CH")
    finally:
        assert desk.post("/users/me/locale", {"locale": None}).status_code == 204
    assert desk.get("/users/me", Accept_Language="en").headers["Content-Language"] == "en-GB"


@pytest.mark.parametrize("locale", ["fr_FR", "de", "", 7])
def test_a_language_that_is_not_spoken_is_refused(desk: Door, locale: object) -> None:
    refused = desk.post("/users/me/locale", {"locale": locale})
    assert (refused.status_code, refused.get_json()["where"]) == (422, "locale")


def test_a_repeated_answer_says_nothing_of_a_language_it_may_not_be_in(clinic: Clinic, desk: Door) -> None:
    first = desk.post("/appointments", clinic.booking(10, "08:00"), Idempotency_Key="a", Accept_Language="de")
    again = desk.post("/appointments", clinic.booking(10, "08:00"), Idempotency_Key="a", Accept_Language="en")
    assert (first.status_code, again.get_json()) == (201, first.get_json())
    assert "Content-Language" in first.headers and "Content-Language" not in again.headers
