"""What people set for themselves: how they are told, who stands in for them, and in which language all that is said."""

import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from itsdangerous import Signer

from service import language
from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.domain.hours import midnight
from service.language import LOCALES, tag
from service.usecases import absences, consistency, outbox, people
from tests.clinic import NAMES, Clinic
from tests.web.conftest import Reader
from tests.web.test_every_word_can_be_translated import Marking, unmarked

if TYPE_CHECKING:
    from flask import Flask

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


NOBODY = "00000000-0000-4000-8000-000000000000"
FORM = {
    "is_pushed": "yes",
    "push_from": "watch",
    "pushes_a_day": "5",
    "quiet_since": "21:30",
    "quiet_until": "06:00",
    "digest_at": "08:15",
    "digest_days": ["TU", "MO"],
    "back_on": "2100-01-04",
    "back_at": "",
}


def test_what_was_filled_in_is_how_they_are_told(reader: Readers) -> None:
    therapist = reader(Role.THERAPIST)
    page = therapist.get("/me").text
    [deputy] = re.findall(r'<option value="([0-9a-f-]{36})">Manager</option>', page)
    kept = therapist.post("/me/preferences", **FORM, deputy=deputy)
    assert (kept.status_code, kept.location) == (303, "/me")
    page = therapist.get("/me").text
    for shown in (
        'name="push_from" value="watch" checked',
        'name="pushes_a_day" min="0" max="10" required value="5"',
        'name="quiet_since" required value="21:30"',
        'name="digest_at" required value="08:15"',
        'name="digest_days" value="MO" checked',
        'name="digest_days" value="WE">',
        'name="back_on" value="2100-01-04"',
        'name="back_at" value=""',
        f'<option value="{deputy}" selected>Manager</option>',
        "You are away: Manager is told in your place",
    ):
        assert shown in page
    asked = therapist.browser.get("/api/v1/me/preferences").get_json()
    assert asked == {
        "is_pushed": True,
        "push_from": "watch",
        "pushes_a_day": 5,
        "quiet_since": "21:30",
        "quiet_until": "06:00",
        "digest_at": "08:15",
        "digest_days": ["MO", "TU"],
        "away_until": "2100-01-04T00:00",
        "deputy": deputy,
    }


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("pushes_a_day", "11", "Choose from 0 to 10 messages a day."),
        ("pushes_a_day", "-1", "That is not a number."),
        ("push_from", "info", "never sent"),
        ("quiet_since", "25:00", "is not a time of day"),
        ("back_on", "soon", "That is not a date."),
        ("deputy", "nobody", "Choose another therapist or a manager as your deputy."),
    ],
)
def test_what_makes_no_sense_is_said_above_the_form_as_it_was_filled_in(
    reader: Readers, field: str, typed: str, said: str
) -> None:
    therapist = reader(Role.THERAPIST)
    refused = therapist.post("/me/preferences", **{**FORM, field: typed})
    assert refused.status_code == 422
    assert said in refused.text
    assert 'name="digest_at" required value="08:15"' in refused.text
    assert 'value="08:15"' not in therapist.get("/me").text


def test_the_desk_is_told_nothing_and_chooses_its_language(reader: Readers) -> None:
    page = reader(Role.FRONT_DESK).get("/me").text
    assert "The front desk is sent nothing" in page
    assert 'action="/me/language"' in page and "/me/preferences" not in page


def test_it_shows_what_would_be_sent_and_sends_nothing(
    reader: Readers, app: "Flask", clinic: Clinic, now: datetime
) -> None:
    therapist = reader(Role.THERAPIST)
    assert "Nothing: no mail would come." in therapist.get("/me").text
    with app.app_context():
        _leave_untold(clinic, now)
        before = outbox.listed(states=("pending", "done"), limit=500, by=OPERATOR, now=now)
    page = therapist.get("/me").text
    assert "Subject: samehour: your day" in page and "For today" in page
    assert re.search("Subject: samehour: [12] things? for today", page)
    letters = " ".join(re.findall(r'<pre class="letter".*?</pre>', page, re.DOTALL))
    # One leave, three clients: said once, in each of the two.
    assert letters.count(": 3 clients to tell") == 2
    assert not any(name in letters for name in NAMES)
    assert therapist.get("/me").text.count("<pre") == 2
    with app.app_context():
        assert outbox.listed(states=("pending", "done"), limit=500, by=OPERATOR, now=now) == before
    therapist.post("/me/preferences", **{**FORM, "is_pushed": ""})
    assert "everything waits for the mail of the day" in therapist.get("/me").text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"digest_days": ["MO"]}, None),
        ({"digest_days": []}, "what comes after the 5 mails of a day comes the next morning"),
        ({"digest_days": [], "pushes_a_day": "1"}, "what comes after the one mail of a day comes the next morning"),
        ({"digest_days": [], "pushes_a_day": "0"}, "nothing is sent to you, and all of it waits in the app"),
        ({"digest_days": [], "is_pushed": ""}, "nothing is sent to you, and all of it waits in the app"),
    ],
)
def test_without_a_day_for_the_mail_of_the_day_the_page_says_what_that_means(
    reader: Readers, given: dict[str, object], said: str | None
) -> None:
    therapist = reader(Role.THERAPIST)
    assert therapist.post("/me/preferences", **{**FORM, "back_on": "", **given}).status_code == 303
    page = therapist.get("/me").text
    assert said in page if said else "You chose no day" not in page


TOKEN = "JHMHI8qBe7bk2ZwO5U711o3dV_js"
DISCORD = f"discord://4174216298/{TOKEN}"


def test_a_chat_address_is_entered_tried_and_removed_and_never_shown(
    reader: Readers, app: "Flask", clinic: Clinic, now: datetime
) -> None:
    therapist = reader(Role.THERAPIST)
    page = therapist.get("/me").text
    assert "Discord, Google Chat, Pushover, Slack, Stackfield, Telegram, Threema, Webex" in page
    assert "/me/chat/test" not in page
    refused = therapist.post("/me/chat", chat=f"json://localhost/{TOKEN}")
    assert refused.status_code == 422
    assert "no address of a chat service" in refused.text and TOKEN not in refused.text
    assert therapist.post("/me/chat/test").status_code == 409

    assert therapist.post("/me/chat", chat=DISCORD).status_code == 303
    page = therapist.get("/me").text
    assert "discord://••••" in page and TOKEN not in page
    # What was chosen beside it stays, and it stays beside what is chosen.
    assert therapist.post("/me/preferences", **FORM).status_code == 303
    assert "discord://••••" in therapist.get("/me").text
    with app.app_context():
        _leave_untold(clinic, now)
    preview = therapist.get("/me").text
    assert "With it, in Discord" in preview and "thing for today\nhttp" in preview.replace("things", "thing")

    assert therapist.post("/me/chat/test").status_code == 303
    page = therapist.get("/me").text
    assert "A test is on its way" in page and "A message is on its way." in page
    with app.app_context():
        # By now also what the leave has to say.
        waiting = [one for one in outbox.listed(by=OPERATOR, now=now) if one.topic == "notice.chat"]
    assert waiting

    asked = therapist.browser.get("/api/v1/me/chat").get_json()
    assert asked["is_offered"] and (asked["service"], asked["masked"]) == ("Discord", "discord://••••")
    assert therapist.post("/me/chat/remove").status_code == 303
    assert therapist.browser.get("/api/v1/me/chat").get_json()["service"] is None
    assert "discord" not in therapist.get("/me").text


def test_programs_may_enter_it_too(reader: Readers) -> None:
    therapist = reader(Role.THERAPIST)
    token = Signer(therapist.settings.secret_key, salt="csrf").get_signature(therapist.secret).decode()
    headers = {"X-CSRF-Token": token}
    put = partial(therapist.browser.put, "/api/v1/me/chat", headers=headers)
    for wrong in ({}, {"address": ""}, {"address": "https://127.0.0.1/x"}, {"address": 1}):
        assert put(json=wrong).status_code == 422, wrong
    kept = put(json={"address": DISCORD})
    assert kept.get_json() == {
        "is_offered": True,
        "service": "Discord",
        "masked": "discord://••••",
        "last": None,
        "last_error": None,
    }
    assert therapist.browser.post("/api/v1/me/chat/test", headers=headers).status_code == 204
    assert therapist.browser.delete("/api/v1/me/chat", headers=headers).status_code == 204
    assert therapist.browser.post("/api/v1/me/chat/test", headers=headers).status_code == 409


def test_where_apprise_is_not_installed_the_page_says_nothing_of_it(
    reader: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    therapist = reader(Role.THERAPIST)
    assert therapist.post("/me/chat", chat=DISCORD).status_code == 303
    monkeypatch.setitem(sys.modules, "apprise", None)
    page = therapist.get("/me").text
    assert "chat" not in re.sub(r"<(link|script)[^>]*>", "", page).lower()
    assert therapist.post("/me/chat", chat=DISCORD).status_code == 409
    assert therapist.browser.get("/api/v1/me/chat").get_json()["is_offered"] is False
    assert therapist.post("/me/preferences", **FORM).status_code == 303


def test_one_leave_is_one_card_with_the_page_where_clients_are_told(
    reader: Readers, app: "Flask", clinic: Clinic, now: datetime
) -> None:
    with app.app_context():
        _leave_untold(clinic, now)
        [leave] = absences.between(
            since=midnight(clinic.monday), until=midnight(clinic.monday + timedelta(weeks=4)), by=OPERATOR
        )
    page = reader(Role.THERAPIST).get("/alerts").text
    card, _, rest = page[page.index('<article class="alert') :].partition("<details")
    assert ": 3 clients to tell</h3>" in card
    assert f'href="/away/{leave.id}"' in card
    # Each of them can be answered by itself, once that is opened.
    assert not any(name in card for name in NAMES[:3])
    assert all(name in rest for name in NAMES[:3])
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_programs_may_ask_and_set_it_too(reader: Readers) -> None:
    therapist = reader(Role.THERAPIST)
    token = Signer(therapist.settings.secret_key, salt="csrf").get_signature(therapist.secret).decode()
    headers = {"X-CSRF-Token": token}
    put = partial(therapist.browser.put, "/api/v1/me/preferences", headers=headers)
    assert put(json={"pushes_a_day": 0, "digest_days": []}).get_json()["digest_days"] == []
    for wrong in (
        {"pushes_a_day": 11},
        {"push_from": "info"},
        {"quiet_since": "7"},
        {"digest_days": ["XX"]},
        {"deputy": NOBODY},
        {"user": "another"},
    ):
        assert put(json=wrong).status_code == 422, wrong
    assert therapist.browser.get("/api/v1/me/preferences").get_json()["pushes_a_day"] == 0
    names = [one["name"] for one in therapist.browser.get("/api/v1/me/deputies").get_json()]
    assert names == ["Manager"]


def test_every_word_can_be_translated(
    reader: Readers, app: "Flask", clinic: Clinic, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "speaker", lambda _locale: Marking())
    therapist = reader(Role.THERAPIST)
    pages = [therapist.get("/me").text, reader(Role.FRONT_DESK).get("/me").text, reader(Role.ADMIN).get("/me").text]
    with app.app_context():
        _leave_untold(clinic, now)
    pages.append(therapist.get("/me").text)
    pages.append(therapist.post("/me/preferences", **{**FORM, "pushes_a_day": "11"}).text)
    therapist.post("/me/preferences", **FORM)
    pages.append(therapist.get("/me").text)
    pages.append(therapist.get("/alerts").text)
    pages.append(therapist.post("/me/chat", chat="nowhere").text)
    therapist.post("/me/chat", chat=DISCORD)
    therapist.post("/me/chat/test")
    pages.append(therapist.get("/me").text)
    for pushed in ("yes", ""):
        therapist.post("/me/preferences", **{**FORM, "digest_days": [], "back_on": "", "is_pushed": pushed})
        pages.append(therapist.get("/me").text)
    assert [unmarked(page) for page in pages] == [[]] * len(pages)


def _leave_untold(clinic: Clinic, now: datetime) -> None:
    """A week of leave in a week's time, which none of the therapist's clients was told of."""
    begins = midnight(clinic.monday + timedelta(weeks=1))
    absences.add(
        kind=AbsenceKind.LEAVE, therapist=clinic.therapists[0], since=begins, until=begins + timedelta(days=7),
        by=OPERATOR, now=now,
    )  # fmt: skip
    for course in clinic.courses[:3]:
        consistency.assess(course=course, now=now)


def test_a_deputy_answers_alerts_without_a_way_into_the_course(
    reader: Readers, app: "Flask", clinic: Clinic, now: datetime
) -> None:
    with app.app_context():
        _leave_untold(clinic, now)
        user = people.add_user(
            name="Ben", email="ben@clinic.example", roles=[Role.THERAPIST], therapist=clinic.therapists[1],
            by=OPERATOR, now=now,
        )  # fmt: skip
        link = people.sign_in_link(email="ben@clinic.example", by=OPERATOR, now=now)
        secret = people.sign_in_by_link(secret=link, now=now)
    away, deputy = reader(Role.THERAPIST), reader(Role.THERAPIST)
    deputy.secret = secret
    deputy.browser.set_cookie("samehour", secret)
    assert "Nothing needs you now" in deputy.get("/alerts").text
    assert away.post("/me/preferences", **FORM, deputy=user).status_code == 303
    page = deputy.get("/alerts").text
    assert "you stand in" in page and "Client One" in page
    assert "/courses/" not in page
    assert deputy.get(f"/courses/{clinic.courses[0]}").status_code == 404
    [first, *_others] = re.findall(r'action="/alerts/([0-9a-f-]{36})/acknowledge"', page)
    assert deputy.post(f"/alerts/{first}/acknowledge").status_code == 303
    # The control: for the one who is away, the way in stays.
    assert f'href="/courses/{clinic.courses[0]}"' in away.get("/alerts").text
    assert away.post("/me/preferences", **{**FORM, "back_on": ""}, deputy=user).status_code == 303
    assert deputy.post(f"/alerts/{first}/reopen").status_code == 404
