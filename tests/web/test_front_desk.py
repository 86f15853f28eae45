"""The desk's pages and the way in: what each does, what each refuses, and what is kept when it does."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from service import clock
from service.domain.absences import AbsenceKind
from service.domain.access import OPERATOR, Role
from service.domain.appointment import Status
from service.domain.hours import midnight
from service.usecases import absences, appointments, standings
from service.usecases.appointments import Booked
from service.web import sign_in
from tests.clinic import EMAILS, PASSWORD, Clinic, way_in
from tests.web.conftest import Reader

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

Readers = Callable[[Role], Reader]
WRONG = "not the password"


@pytest.fixture
def desk(reader: Readers) -> Reader:
    return reader(Role.FRONT_DESK)


def hour(app: "Flask", clinic: Clinic, client: int = 0, *, weeks: int = 1) -> Booked:
    with app.app_context():
        return clinic.hour(client, weeks=weeks)


def shown(app: "Flask", appointment: str) -> Booked:
    with app.app_context():
        return appointments.show(appointment_id=appointment, by=OPERATOR)


# --- the way in -----------------------------------------------------------------------------------------------------


def enter(client: "FlaskClient", password: str, *, email: str = EMAILS[Role.FRONT_DESK], **sent: str) -> "TestResponse":
    return client.post(
        "/sign-in", data={"email": email, "password": password, "next": sent.pop("next", "")}, headers=sent
    )


def test_a_password_lets_in(client: "FlaskClient", clinic: Clinic) -> None:
    let_in = enter(client, PASSWORD)
    assert (let_in.status_code, let_in.location) == (303, "/")
    cookie = let_in.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie  # plain http on this machine alone
    assert client.get("/today").status_code == 200


def test_nobody_learns_whether_the_address_or_the_password_was_wrong(client: "FlaskClient", clinic: Clinic) -> None:
    known, unknown = enter(client, WRONG), enter(client, WRONG, email="nobody@clinic.example")
    assert (known.status_code, unknown.status_code) == (403, 403)
    assert known.text.replace(EMAILS[Role.FRONT_DESK], "") == unknown.text.replace("nobody@clinic.example", "")
    assert "Set-Cookie" not in known.headers


def test_a_link_is_used_by_its_button_and_not_by_looking(app: "Flask", clinic: Clinic, now: datetime) -> None:
    path = f"/sign-in/{way_in(app, Role.FRONT_DESK, now=now)}"
    scanner, person, thief = app.test_client(), app.test_client(), app.test_client()
    assert "Sign in" in scanner.get(path).text
    assert person.post(path).status_code == 303
    assert person.get("/today").status_code == 200
    again = thief.post(path)
    assert again.status_code == 403
    assert "does not work any more" in again.text


@pytest.mark.parametrize(
    "sent",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_page_cannot_sign_a_person_in(client: "FlaskClient", clinic: Clinic, sent: dict[str, str]) -> None:
    refused = enter(client, PASSWORD, **sent)
    assert refused.status_code == 403
    assert "Set-Cookie" not in refused.headers


def test_without_that_guard_it_could(client: "FlaskClient", clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "_require_our_form", lambda: None)
    assert enter(client, PASSWORD, **{"Sec-Fetch-Site": "cross-site"}).status_code == 303


def test_our_own_form_signs_in(client: "FlaskClient", clinic: Clinic) -> None:
    assert enter(client, PASSWORD, **{"Sec-Fetch-Site": "same-origin", "Origin": "null"}).status_code == 303
    assert client.get("/sign-in").status_code == 302, "who is in already is led on"


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/board?view=week", "/board?view=week"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/today", "/"),
        ("/sign-out", "/"),
        ("/nowhere", "/"),
        ("/today\r\nX-Evil: 1", "/"),
    ],
)
def test_after_signing_in_one_lands_on_a_page_of_ours(
    client: "FlaskClient", clinic: Clinic, wanted: str, leads_to: str
) -> None:
    assert enter(client, PASSWORD, next=wanted).location == leads_to


def test_guessing_is_slowed_down_for_that_person_alone(client: "FlaskClient", clinic: Clinic) -> None:
    answers = [enter(client, WRONG).status_code for _ in range(12)]
    assert answers[:10] == [403] * 10
    assert answers[-1] == 429
    blocked = enter(client, PASSWORD)
    assert blocked.status_code == 429
    assert "too many tries" in blocked.text
    assert enter(client, PASSWORD, email=EMAILS[Role.MANAGER]).status_code == 303


def test_signing_in_often_is_no_guessing(client: "FlaskClient", clinic: Clinic) -> None:
    assert {enter(client, PASSWORD).status_code for _ in range(12)} == {303}


def test_signing_out_ends_the_session(desk: Reader) -> None:
    assert desk.post("/sign-out").status_code == 303
    desk.browser.set_cookie("samehour", desk.secret)
    assert desk.get("/today").location.startswith("/sign-in?next=")


def test_a_part_of_a_page_leads_the_whole_page_to_the_sign_in(client: "FlaskClient", clinic: Clinic) -> None:
    part = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/board"}
    asked = client.get("/sign-in?next=/appointments/x", headers=part)
    assert (asked.status_code, asked.headers["HX-Redirect"]) == (204, "/sign-in?next=/board")


def test_a_form_without_the_pages_token_changes_nothing(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    refused = desk.browser.post(f"/appointments/{one.id}/cancel", data={"asked_by": "client", "reason": "illness"})
    assert refused.status_code == 400
    assert shown(app, one.id).status.value == "scheduled"


# --- the frame ------------------------------------------------------------------------------------------------------


def test_the_rail_names_what_each_role_may_use(reader: Readers) -> None:
    start = {Role.ADMIN: "/people"}
    pages = {role: reader(role).get(start.get(role, "/today")).text for role in Role}
    rails = {role: re.findall(r'<li><a href="(/\w+)"', page) for role, page in pages.items()}
    assert "/alerts" not in rails[Role.FRONT_DESK]
    assert {"/today", "/board", "/clients", "/away"} <= set(rails[Role.FRONT_DESK])
    assert "/alerts" in rails[Role.THERAPIST]
    assert not {"/today", "/board", "/clients"} & set(rails[Role.ADMIN])


def test_an_admin_sees_no_clients(reader: Readers, clinic: Clinic) -> None:
    admin = reader(Role.ADMIN)
    for path in ("/today", "/board", "/board/events", "/clients", f"/clients/{clinic.clients[0]}", "/agree", "/away"):
        assert admin.get(path).status_code == 403, path
    assert admin.get("/").location == "/people"


def test_no_page_carries_a_style_or_a_script_of_its_own(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    paths = [
        "/today",
        "/board",
        "/board?view=week",
        "/clients",
        "/agree",
        f"/agree?client={clinic.clients[0]}",
        "/away",
    ]
    paths += [f"/appointments/{one.id}", f"/appointments/{one.id}/move", f"/standings/{one.standing}/change"]
    for path in paths:
        page = desk.get(path).text
        assert not re.search(
            r'\sstyle="|\son\w+="|<style|<script(?! src=)|https?://', page.replace("http://www.w3.org", "")
        ), path


def test_what_was_said_is_one_of_our_own_sentences(desk: Reader) -> None:
    for value in ("<script>", "marked~<b>~", "moved~~<i>x</i>", "nothing"):
        desk.browser.set_cookie("samehour-said", value)
        page = desk.get("/today").text
        assert "<b>" not in page and "<i>" not in page and "/appointments/<" not in page


# --- today and single hours -----------------------------------------------------------------------------------------


def last_week(app: "Flask", clinic: Clinic, desk: Reader, client: int = 0) -> Booked:
    """An hour that is over and carries no mark."""
    one = hour(app, clinic, client, weeks=-1)
    assert desk.post(f"/appointments/{one.id}/unmark").status_code == 303
    return one


def test_what_is_not_marked_stands_on_top_until_it_is(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = last_week(app, clinic, desk)
    assert f'id="hour-{one.id}"' in desk.get("/today").text
    marked = desk.post(f"/appointments/{one.id}/mark", mark="held", back="/today")
    assert (marked.status_code, marked.location) == (303, "/today")
    page = desk.get("/today").text
    assert f'id="hour-{one.id}"' not in page
    assert "Marked." in page and f'action="/appointments/{one.id}/unmark"' in page
    assert "Marked." not in desk.get("/today").text, "said once"


def test_a_mark_by_key_swaps_only_its_line(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = last_week(app, clinic, desk)
    token = re.search(r'name="csrf_token" value="([^"]+)"', desk.get("/today").text)
    assert token
    line = desk.browser.post(
        f"/appointments/{one.id}/mark",
        data={"mark": "no_show", "row": "yes", "csrf_token": token[1]},
        headers={"HX-Request": "true"},
    )
    assert line.status_code == 200
    assert line.text.strip().startswith("<li") and "did not take place" in line.text


def test_what_is_over_did_not_begin_just_now(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = last_week(app, clinic, desk)
    asked = desk.post(f"/appointments/{one.id}/mark", mark="late")
    assert asked.status_code == 422
    assert "at what time it began" in asked.text
    assert desk.post(f"/appointments/{one.id}/mark", mark="late", began="10:20", late_by="clinic").status_code == 303
    assert shown(app, one.id).began == one.starts + timedelta(minutes=20)


def test_when_it_ended_is_noted_where_somebody_looked_at_the_clock(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = last_week(app, clinic, desk)
    refused = desk.post(f"/appointments/{one.id}/mark", mark="held", ended="09:59")
    assert (refused.status_code, "before it began" in refused.text) == (409, True)
    assert "has an end" in desk.post(f"/appointments/{one.id}/mark", mark="no_show", ended="10:30").text
    assert shown(app, one.id).status is Status.SCHEDULED, "nothing was changed"
    assert desk.post(f"/appointments/{one.id}/mark", mark="held", ended="10:30").status_code == 303
    found = shown(app, one.id)
    assert (found.began, found.finished) == (one.starts, one.starts + timedelta(minutes=30))
    assert ">10:30<" in desk.get(f"/appointments/{one.id}").text
    desk.post(f"/appointments/{one.id}/unmark")
    assert shown(app, one.id).finished is None


def test_a_mark_that_was_kept_counts_from_when_the_key_was_pressed(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = last_week(app, clinic, desk)
    pressed = one.starts_at + timedelta(minutes=7)
    sent = desk.post(f"/appointments/{one.id}/mark", mark="late", pressed_at=pressed.isoformat())
    assert sent.status_code == 303
    assert shown(app, one.id).began == one.starts + timedelta(minutes=7)


@pytest.mark.parametrize(
    "pressed_at", ["yesterday", "2026-11-24T10:00", "0001-01-01T00:00+14:00", "2020-01-01T00:00:00Z"]
)
def test_when_the_key_was_pressed_must_be_believable(
    app: "Flask", desk: Reader, clinic: Clinic, pressed_at: str
) -> None:
    one = last_week(app, clinic, desk)
    assert desk.post(f"/appointments/{one.id}/mark", mark="held", pressed_at=pressed_at).status_code == 422
    assert shown(app, one.id).status is Status.SCHEDULED


def test_what_has_not_begun_is_not_marked(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    refused = desk.post(f"/appointments/{hour(app, clinic).id}/mark", mark="held")
    assert refused.status_code == 409
    assert "has not begun yet" in refused.text


def test_cancelling_asks_who_and_why_and_can_be_taken_back(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    path = f"/appointments/{one.id}"
    assert desk.post(f"{path}/cancel", reason="illness").status_code == 422
    assert desk.post(f"{path}/cancel", asked_by="client").status_code == 422
    gone = desk.post(f"{path}/cancel", asked_by="client", reason="illness", told="yes", back="/board")
    assert (gone.status_code, gone.location) == (303, "/board")
    assert shown(app, one.id).status.value == "client_cancelled"
    assert f'action="{path}/uncancel"' in desk.get("/board").text
    assert desk.post(f"{path}/uncancel").status_code == 303
    assert shown(app, one.id).status.value == "scheduled"


def test_what_was_taken_meanwhile_is_said_with_what_is_free(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one, other = hour(app, clinic, 0), hour(app, clinic, 1)
    desk.post(f"/appointments/{one.id}/cancel", asked_by="client", reason="illness", told="yes")
    assert move(desk, other, to=one.starts).status_code == 303
    refused = desk.post(f"/appointments/{one.id}/uncancel")
    assert refused.status_code == 409
    assert "already booked" in refused.text and "Free instead" in refused.text


def test_told_by_one_click(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    desk.post(f"/appointments/{one.id}/cancel", asked_by="clinic", reason="illness")
    assert not shown(app, one.id).is_told
    assert desk.post(f"/appointments/{one.id}/tell").status_code == 303
    assert shown(app, one.id).is_told


# --- moving ---------------------------------------------------------------------------------------------------------


def move(desk: Reader, one: Booked, *, to: datetime, **more: str) -> "TestResponse":
    wish = {"day": f"{to:%Y-%m-%d}", "at": f"{to:%H:%M}", "asked_by": "client", "reason": "work", "told": "yes"}
    return desk.post(f"/appointments/{one.id}/move", **{**wish, **more})


def test_the_dialog_says_what_a_move_would_do(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    to = one.starts + timedelta(days=2)
    page = desk.get(f"/appointments/{one.id}/move?day={to:%Y-%m-%d}&at={to:%H:%M}").text
    assert "What it does" in page
    assert re.search(r"since the one before</th><td>7 days</td><td>9 days", page)
    assert re.search(r"to the one after</th><td>7 days</td><td>5 days", page)
    assert "other time 25" in page
    assert len(re.findall(r'data-fill="move"', page)) == 5
    assert shown(app, one.id).starts == one.starts, "looking changes nothing"


def test_a_move_asks_who_and_why_and_keeps_what_was_typed(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    to = one.starts + timedelta(days=1, hours=3)
    refused = move(desk, one, to=to, asked_by="")
    assert refused.status_code == 422
    assert f'value="{to:%Y-%m-%d}"' in refused.text and f'value="{to:%H:%M}"' in refused.text
    assert move(desk, one, to=to).status_code == 303
    assert shown(app, one.id).starts == to


def test_a_taken_hour_cannot_be_chosen_and_free_ones_are_offered(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one, other = hour(app, clinic, 0), hour(app, clinic, 1)
    refused = move(desk, one, to=other.starts)
    assert refused.status_code == 409
    assert "already booked" in refused.text and "Free instead" in refused.text
    assert shown(app, one.id).starts == one.starts


def test_a_doubt_needs_a_reason(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    evening = one.starts.replace(hour=19)
    refused = move(desk, one, to=evening)
    assert refused.status_code == 409
    assert "does not usually work then" in refused.text and 'name="override"' in refused.text
    assert move(desk, one, to=evening, override="agreed with the therapist").status_code == 303


def test_a_stale_dialog_overwrites_nothing(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    assert move(desk, one, to=one.starts + timedelta(hours=2), version=str(one.version)).status_code == 303
    refused = move(desk, one, to=one.starts + timedelta(hours=4), version=str(one.version))
    assert refused.status_code == 409
    assert "Somebody changed this in the meantime" in refused.text


def test_a_room_or_video_can_be_chosen(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    assert move(desk, one, to=one.starts, room="video").status_code == 303
    assert shown(app, one.id).modality.value == "video"
    assert move(desk, one, to=one.starts, room=clinic.rooms[0]).status_code == 303
    assert shown(app, one.id).room == clinic.rooms[0]


def test_a_lasting_move_shows_every_date_first(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one = hour(app, clinic)
    to = one.starts - timedelta(hours=1)
    led = move(desk, one, to=to, scope="following")
    assert led.status_code == 303
    assert urlsplit(led.location).path == f"/standings/{one.standing}/change"
    assert shown(app, one.id).starts == one.starts
    form = desk.get(led.location).text
    assert 'value="09:00"' in form and f'name="since" value="{to:%Y-%m-%d}"' in form
    asked = parse_qs(urlsplit(led.location).query)
    assert asked["asked_by"] == ["client"] and asked["reason"] == ["work"]


# --- agreeing, changing, ending -------------------------------------------------------------------------------------


def arrangement(clinic: Clinic, *, since: date, **more: str) -> dict[str, str]:
    wish = {"therapist": clinic.therapists[0], "room": clinic.rooms[0], "day0": "0", "at0": "16:00"}
    return {**wish, "every_weeks": "1", "minutes": "50", "since": since.isoformat(), **more}


def test_agreeing_begins_with_whom(desk: Reader, clinic: Clinic) -> None:
    assert "With whom" in desk.get("/agree?day=2030-01-07&at=09:00").text
    found = desk.post("/clients/suggest", q="clent two", to="agree", carried="at=09%3A00&day=2030-01-07").text
    assert f"/agree?client={clinic.clients[1]}&amp;at=09%3A00&amp;day=2030-01-07" in found
    added = desk.post("/clients", name="Client Seven", then="agree", carried="at=09%3A00")
    assert re.fullmatch(r"/agree\?client=[0-9a-f-]{36}&at=09%3A00", added.location)
    assert "Client" not in added.location


def test_every_date_is_seen_before_it_is_booked(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    since = clinic.monday + timedelta(weeks=1)
    wish = arrangement(clinic, since=since, client=clinic.clients[3])
    seen = desk.post("/agree", step="look", **wish)
    assert seen.status_code == 200
    assert "with nothing in the way" in seen.text and 'value="agree"' in seen.text
    with app.app_context():
        assert len(standings.of_course(course=clinic.courses[3], by=OPERATOR)) == 1
    agreed = desk.post("/agree", step="agree", told="yes", **wish)
    assert (agreed.status_code, agreed.location) == (303, f"/courses/{clinic.courses[3]}")
    with app.app_context():
        assert len(standings.of_course(course=clinic.courses[3], by=OPERATOR)) == 2


def test_what_came_between_is_seen_before_it_is_booked(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    since = clinic.monday + timedelta(weeks=1)
    wish = arrangement(clinic, since=since, client=clinic.clients[3])

    def seen_in(page: str) -> str:
        return re.findall(r'name="seen" value="([0-9a-f]{64})"', page)[0]

    seen = seen_in(desk.post("/agree", step="look", **wish).text)
    with app.app_context():
        day = midnight(since)
        absences.add(
            kind=AbsenceKind.LEAVE,
            therapist=clinic.therapists[0],
            since=day,
            until=day + timedelta(days=1),
            by=OPERATOR,
            now=clock.now(),
        )
    refused = desk.post("/agree", step="agree", seen=seen, **wish)
    assert refused.status_code == 409
    assert "Something came between" in refused.text and "will not take place" in refused.text
    with app.app_context():
        assert len(standings.of_course(course=clinic.courses[3], by=OPERATOR)) == 1
    assert desk.post("/agree", step="agree", seen=seen_in(refused.text), **wish).status_code == 303


def test_taken_dates_are_decided_one_by_one_or_nothing_is_booked(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    since = clinic.monday + timedelta(weeks=1)
    until = since + timedelta(weeks=2)
    wish = arrangement(clinic, since=since, client=clinic.clients[3], at0="10:00", until=until.isoformat())
    wish["therapist"], wish["room"], wish["day0"] = clinic.therapists[0], clinic.rooms[1], "1"
    one = hour(app, clinic, 1)  # Therapist A is booked on Tuesdays at 11
    move(desk, one, to=one.starts.replace(hour=10))
    slot = one.starts.replace(hour=10).isoformat(timespec="minutes")
    refused = desk.post("/agree", step="agree", **wish)
    assert refused.status_code == 409
    assert f'name="do.{slot}"' in refused.text and f'value="{until}"' in refused.text
    with app.app_context():
        assert len(standings.of_course(course=clinic.courses[3], by=OPERATOR)) == 1, "all or nothing"
    decided = {f"do.{slot}": "move", f"to.{slot}": slot.replace("T10:00", "T13:00")}
    assert "Agree" in desk.post("/agree", step="look", **wish, **decided).text
    assert desk.post("/agree", step="agree", **wish, **decided).status_code == 303


def test_a_form_that_makes_no_sense_says_which_field(desk: Reader, clinic: Clinic) -> None:
    since = clinic.monday + timedelta(weeks=1)
    for odd, words in (
        ({"at0": ""}, "Say on which day"),
        ({"since": "soon"}, "From: That is not a date"),
        ({"minutes": "0"}, "5 to 720 minutes"),
        ({"every_weeks": "x"}, "not a number"),
    ):
        refused = desk.post(
            "/agree", step="agree", **{**arrangement(clinic, since=since, client=clinic.clients[0]), **odd}
        )
        assert refused.status_code == 422, odd
        assert words in refused.text, odd


def test_a_choice_about_a_date_that_is_no_more_is_forgotten(desk: Reader, clinic: Clinic) -> None:
    since = clinic.monday + timedelta(weeks=1)
    wish = arrangement(clinic, since=since, client=clinic.clients[0])
    assert desk.post("/agree", step="look", **wish, **{"do.2030-01-01T09:00": "skip"}).status_code == 200


def test_a_standing_is_changed_from_a_day_on(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    path = f"/standings/{clinic.standings[0]}/change"
    since = clinic.monday + timedelta(weeks=2)
    wish = {**arrangement(clinic, since=since), "asked_by": "mutual", "reason": "agreed", "told": "yes"}
    assert "dates until" in desk.post(path, step="look", **wish).text
    assert desk.post(path, step="agree", **{**wish, "asked_by": ""}).status_code == 422
    changed = desk.post(path, step="agree", **wish)
    assert (changed.status_code, changed.location) == (303, f"/courses/{clinic.courses[0]}")
    with app.app_context():
        old, new = standings.of_course(course=clinic.courses[0], by=OPERATOR)
    assert (old.until, new.since, new.replaces) == (since, since, old.id)


def test_a_standing_is_ended(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    path, on = f"/standings/{clinic.standings[0]}/end", clinic.monday + timedelta(weeks=3)
    assert desk.get(path).status_code == 200
    assert desk.post(path, since=on.isoformat(), reason="because").status_code == 422
    assert desk.post(path, since=on.isoformat(), reason="agreed").status_code == 303
    with app.app_context():
        assert standings.show(standing=clinic.standings[0], by=OPERATOR).until == on


# --- the board ------------------------------------------------------------------------------------------------------


def events(desk: Reader, day: date, **more: str) -> list[dict[str, object]]:
    query = "&".join(f"{name}={value}" for name, value in {"date": day.isoformat(), **more}.items())
    return list(desk.get(f"/board/events?{query}").json or ())


def test_the_board_shows_a_day_by_therapist_and_by_room(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one, other = hour(app, clinic, 0), hour(app, clinic, 3)
    by_therapist = {event["id"]: event for event in events(desk, one.starts.date())}
    assert set(by_therapist) == {one.id, other.id}
    assert by_therapist[one.id]["resourceIds"] == [clinic.therapists[0]]
    by_room = {event["id"]: event for event in events(desk, one.starts.date(), by="room")}
    assert by_room[other.id]["resourceIds"] == [clinic.rooms[1]]


def test_a_week_shows_one_therapist(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    week = {
        event["id"]
        for event in events(desk, clinic.monday + timedelta(weeks=1), view="week", only=clinic.therapists[1])
    }
    assert week == {hour(app, clinic, n).id for n in (3, 4, 5)}


def test_leave_is_a_band_behind_its_column(app: "Flask", desk: Reader, clinic: Clinic, now: datetime) -> None:
    day = clinic.monday + timedelta(weeks=1)
    _away(app, clinic, day, days=3, now=now)
    bands = [event for event in events(desk, day) if event.get("display") == "background"]
    assert [(band["resourceIds"], band["title"]) for band in bands] == [([clinic.therapists[0]], "course")]
    at_risk = next(event for event in events(desk, day) if event["id"] == hour(app, clinic, 0).id)
    assert "is-at-risk" in str(at_risk["classNames"])


def test_a_cancelled_hour_is_shown_until_somebody_else_has_its_time(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    one, other = hour(app, clinic, 0), hour(app, clinic, 1)
    desk.post(f"/appointments/{one.id}/cancel", asked_by="client", reason="illness")
    assert one.id in {event["id"] for event in events(desk, one.starts.date())}
    move(desk, other, to=one.starts)
    assert one.id not in {event["id"] for event in events(desk, one.starts.date())}


def test_two_desks_learn_of_each_other(app: "Flask", reader: Readers, clinic: Clinic) -> None:
    here, there = reader(Role.FRONT_DESK), reader(Role.MANAGER)
    first = here.get("/board/version")
    known = {"If-None-Match": first.headers["ETag"]}
    assert here.browser.get("/board/version", headers=known).status_code == 304
    one = hour(app, clinic)
    move(there, one, to=one.starts + timedelta(hours=2))
    assert here.browser.get("/board/version", headers=known).status_code == 204


def test_a_therapist_sees_their_own_column(app: "Flask", reader: Readers, clinic: Clinic) -> None:
    therapist, day = reader(Role.THERAPIST), clinic.monday + timedelta(weeks=1)
    assert {event["id"] for event in events(therapist, day)} == {hour(app, clinic, 0).id}
    page = therapist.get(f"/board?date={day}").text
    assert "Client One" in page and "Client Four" not in page
    foreign = hour(app, clinic, 3)
    for path in (
        f"/appointments/{foreign.id}",
        f"/appointments/{foreign.id}/move",
        f"/standings/{foreign.standing}/change",
    ):
        assert therapist.get(path).status_code == 404
    assert move(therapist, foreign, to=foreign.starts + timedelta(hours=1)).status_code == 404


def test_an_empty_or_senseless_board_is_a_page_too(desk: Reader) -> None:
    for query in (
        "date=soon",
        "view=x&by=y",
        "view=week&only=nobody",
        "site=nowhere",
        "date=2200-12-31",
        "date=1900-01-01",
    ):
        assert desk.get(f"/board?{query}").status_code == 200, query
        assert desk.get(f"/board/events?{query}").status_code == 200, query


# --- clients --------------------------------------------------------------------------------------------------------


def test_clients_are_found_without_a_name_in_an_address(desk: Reader, clinic: Clinic) -> None:
    found = desk.post("/clients/search", q="Clinet Three")
    assert f"/clients/{clinic.clients[2]}" in found.text
    assert desk.get("/clients/search?q=Client").status_code == 404
    assert "No client is called like" in desk.post("/clients/search", q="zzzzqq").text


def test_a_client_is_added_and_changed(desk: Reader) -> None:
    assert desk.post("/clients", name="  ").status_code == 422
    added = desk.post("/clients", name="Client Eight", phone="1")
    page = desk.get(added.location).text
    assert "Client Eight" in page and "The client was added" in page
    assert desk.post(added.location, name="Client Ate", email="ate@clients.example", unsafe="yes").status_code == 303
    page = desk.get(added.location).text
    assert "Client Ate" in page and "Do not contact" in page
    refused = desk.post(added.location, name="", email="typed@clients.example")
    assert refused.status_code == 422 and "typed@clients.example" in refused.text


def test_a_therapist_looks_and_does_not_change(reader: Readers, clinic: Clinic) -> None:
    therapist = reader(Role.THERAPIST)
    assert therapist.get(f"/clients/{clinic.clients[0]}").status_code == 200
    assert therapist.get(f"/clients/{clinic.clients[3]}").status_code == 404
    assert therapist.post(f"/clients/{clinic.clients[0]}", name="X").status_code == 403
    assert "Client Four" not in therapist.get("/clients").text


# --- away -----------------------------------------------------------------------------------------------------------


def _away(app: "Flask", clinic: Clinic, day: date, *, days: int, now: datetime) -> str:
    with app.app_context():
        return absences.add(
            kind=AbsenceKind.LEAVE,
            since=midnight(day),
            until=midnight(day + timedelta(days=days)),
            therapist=clinic.therapists[0],
            name="course",
            by=OPERATOR,
            now=now,
        )


def test_leave_is_entered_told_let_go_and_withdrawn(app: "Flask", desk: Reader, clinic: Clinic) -> None:
    first = clinic.monday + timedelta(weeks=1)
    entered = desk.post(
        "/away",
        who=f"therapist:{clinic.therapists[0]}",
        kind="leave",
        since=first.isoformat(),
        until=(first + timedelta(days=4)).isoformat(),
        name="leave",
    )
    assert entered.status_code == 303
    page = desk.get(entered.location).text
    assert "3 clients to tell" in page and "Client Four" not in page
    assert desk.post(f"{entered.location}/tell", course=clinic.courses[0]).status_code == 303
    assert "2 still to do" in desk.get(entered.location).text
    assert desk.post(f"{entered.location}/release", course=clinic.courses[0]).status_code == 303
    assert hour(app, clinic, 0).status.value == "break"
    assert hour(app, clinic, 1).status.value == "scheduled"
    assert desk.post(f"{entered.location}/release").status_code == 303
    assert hour(app, clinic, 1).status.value == "break"
    assert desk.post(f"{entered.location}/withdraw").status_code == 303
    assert desk.get(entered.location).status_code == 404


def test_an_absence_that_makes_no_sense_is_refused_with_what_was_typed(desk: Reader, clinic: Clinic) -> None:
    wish = {"who": f"therapist:{clinic.therapists[0]}", "kind": "leave", "since": "2030-01-10", "until": "2030-01-08"}
    refused = desk.post("/away", **wish)
    assert refused.status_code == 422
    assert "2030-01-10" in refused.text
    assert desk.post("/away", **{**wish, "who": ""}).status_code == 422


def test_a_therapist_enters_their_own_leave_alone(reader: Readers, clinic: Clinic) -> None:
    therapist = reader(Role.THERAPIST)
    wish = {"kind": "leave", "since": "2030-01-07", "until": "2030-01-08"}
    assert therapist.post("/away", who=f"therapist:{clinic.therapists[0]}", **wish).status_code == 303
    assert therapist.post("/away", who=f"therapist:{clinic.therapists[1]}", **wish).status_code == 403


def test_public_holidays_come_by_a_button(desk: Reader) -> None:
    assert desk.post("/away/holidays", year="2027").status_code == 303
    assert "10 public holidays were entered" in desk.get("/away").text
    desk.post("/away/holidays", year="2027")
    assert "0 public holidays were entered" in desk.get("/away").text, "twice changes nothing"
