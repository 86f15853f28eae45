"""A day at the desk, in a real browser: by mouse, by keyboard, on a phone, in the dark, and without scripts."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from service.domain.access import OPERATOR, Role
from service.domain.appointment import Initiator, Mark
from service.usecases import appointments
from tests.journeys.conftest import Served, hour, look, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


def on_board(served: Served, *, weeks: int = 1, **more: str) -> str:
    day = served.clinic.monday + timedelta(weeks=weeks)
    return f"{served.url}/board?date={day}" + "".join(f"&{name}={value}" for name, value in more.items())


def starts(served: Served, appointment: str) -> str:
    with served.app.app_context():
        return f"{appointments.show(appointment_id=appointment, by=OPERATOR).starts:%a %H:%M}"


def test_agree_move_and_mark(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.FRONT_DESK)
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_url(re.compile("/board"))
    page.keyboard.press("n")
    page.wait_for_url(re.compile("/agree"))
    look(page, "agree-who")
    page.get_by_role("main").get_by_label("Name or reference").press_sequentially("clent five")
    page.get_by_role("main").get_by_role("link", name="Client Five").click()
    page.wait_for_url(re.compile("client="))  # with its scripts, which the fields depend on

    page.get_by_label("Therapist").select_option(label="Therapist A")
    page.get_by_label("Where").select_option(label="Room 1")
    page.locator("[name=day0]").select_option(label="Monday")
    page.get_by_label("From").fill(f"{served.clinic.monday + timedelta(weeks=1)}")
    page.get_by_label("Time").first.fill("10:00")
    page.get_by_label("Time").first.blur()
    # Client One has that hour: every date says so, and the agreement is not to be had as it stands.
    expect(page.get_by_text("Booked 10:00 to 10:50: Therapist A, Room 1.").first).to_be_visible()
    look(page, "agree-taken")
    page.get_by_label("Time").first.fill("12:00")
    page.get_by_label("Time").first.blur()
    expect(page.get_by_text("with nothing in the way")).to_be_visible()
    look(page, "agree")
    page.get_by_role("button", name=re.compile("Agree .* hours")).click()
    page.wait_for_url(re.compile("/courses/"))
    expect(page.get_by_role("status")).to_contain_text("hours are booked")

    one = hour(served, 0)
    page.goto(on_board(served))
    page.locator(f"[data-hour='{one}']").focus()
    look(page, "board-day")
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Time").fill("14:00")
    dialog.get_by_label("Time").blur()
    expect(dialog.get_by_role("heading", name="What it does")).to_be_visible()
    look(page, "move")
    dialog.get_by_role("button", name="Move", exact=True).click()
    assert starts(served, one) == "Mon 10:00", "nobody said who asked, so nothing was moved"
    dialog.get_by_label("the client", exact=True).check()
    dialog.get_by_label("Why?").select_option(label="work")
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Moved to")
    assert starts(served, one) == "Mon 14:00"


def drag(page: "Page", appointment: str, *, hours: float) -> None:
    box = page.locator(f"article:has([data-hour='{appointment}'])").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    down = box["height"] * hours * 60 / 50  # it is as high as fifty minutes are
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + down / 2, steps=8)
    page.mouse.move(x, y + down, steps=8)
    page.mouse.up()


def test_drag_to_move_and_think_again(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.FRONT_DESK)
    page.goto(on_board(served))
    one = hour(served, 0)
    page.locator(f"[data-hour='{one}']").wait_for()
    drag(page, one, hours=2)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Time")).to_have_value("12:00")
    page.keyboard.press("Escape")
    expect(page.locator(f"[data-hour='{one}']")).to_have_attribute("aria-label", re.compile("^10:00"))
    assert starts(served, one) == "Mon 10:00"
    drag(page, one, hours=2)
    dialog.get_by_label("the clinic", exact=True).check()
    dialog.get_by_label("Why?").select_option(label="room")
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Moved to")
    expect(page.locator(f"[data-hour='{one}']")).to_have_attribute("aria-label", re.compile("^12:00"))
    assert starts(served, one) == "Mon 12:00"


def test_a_taken_hour_offers_what_is_free(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.FRONT_DESK)
    page.goto(on_board(served))
    one = hour(served, 0)
    page.locator(f"[data-hour='{one}']").focus()
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("the client", exact=True).check()
    dialog.get_by_label("Why?").select_option(label="family")
    dialog.get_by_label("Date").fill(f"{served.clinic.at(1, weeks=1):%Y-%m-%d}")
    dialog.get_by_label("Time").fill("11:00")
    dialog.get_by_label("Time").blur()
    expect(dialog.get_by_text("That hour is taken")).to_be_visible()
    look(page, "move-taken")
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("already booked")
    dialog.locator("[data-fill]").first.click()
    expect(dialog.get_by_text("That hour is taken")).to_be_hidden()
    expect(dialog.get_by_label("the client", exact=True)).to_be_checked()
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Moved to")


def test_mark_with_one_key_and_undo(served: Served, page: "Page") -> None:
    one = hour(served, 0, weeks=-1)
    sign_in(page, served, Role.FRONT_DESK)
    with served.app.app_context():
        appointments.mark(appointment_id=one, mark=Mark.UNMARKED, by=OPERATOR, now=served.now)
    page.goto(f"{served.url}/today")
    line = page.locator(f"#hour-{one}")
    line.focus()
    look(page, "today")
    for key, state in (("h", "held"), ("u", "unmarked"), ("x", "no_show")):
        page.keyboard.press(key)
        expect(line).to_have_class(f"hour {state}")
        expect(line).to_be_focused()


def test_cancel_by_keyboard_and_undo(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.FRONT_DESK)
    page.goto(on_board(served))
    one = hour(served, 3)
    page.locator(f"[data-hour='{hour(served, 0)}']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"[data-hour='{one}']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Client Four")
    look(page, "hour")
    page.keyboard.press("Escape")
    page.locator(f"[data-hour='{one}']").focus()
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("the client", exact=True).check()
    dialog.get_by_label("Why?").select_option(label="illness")
    look(page, "cancel")
    dialog.get_by_role("button", name="Cancel this hour").click()
    expect(page.get_by_role("status")).to_contain_text("was cancelled")
    expect(page.locator(f"[data-hour='{one}']")).to_have_attribute("aria-label", re.compile("cancelled by the client"))
    page.wait_for_load_state("domcontentloaded")
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("stands again")


def test_a_lasting_change_from_the_board(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.FRONT_DESK)
    page.goto(on_board(served))
    page.locator(f"[data-hour='{hour(served, 0)}']").focus()
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Time").fill("09:00")
    dialog.get_by_label("the client", exact=True).check()
    dialog.get_by_label("Why?").select_option(label="work")
    dialog.get_by_label("this and following").check()
    dialog.get_by_role("button", name="Move", exact=True).click()
    page.wait_for_url(re.compile("/standings/"))
    page.get_by_role("button", name="Show every date").click()
    look(page, "change")
    page.get_by_role("button", name=re.compile("Change from")).click()
    expect(page.get_by_role("status")).to_contain_text("booked anew")
    for weeks in (1, 2, 3):
        with served.app.app_context():
            day = served.clinic.monday + timedelta(weeks=weeks)
            found = appointments.board(since=day, until=day + timedelta(days=1), by=OPERATOR)
        assert "09:00" in {f"{one.starts:%H:%M}" for one in found if "Client One" in one.names}


def test_two_desks_are_in_step(served: Served, new_page: "Callable[..., Page]") -> None:
    here, there = new_page(), new_page()
    one = hour(served, 0)
    for page, role in ((here, Role.FRONT_DESK), (there, Role.MANAGER)):
        sign_in(page, served, role)
        page.goto(on_board(served))
        page.locator(f"[data-hour='{one}']").wait_for()
    with served.app.app_context():
        appointments.cancel(
            appointment_id=one,
            asked_by=Initiator.CLIENT,
            reason="illness",
            by=OPERATOR,
            now=served.now,
        )
    for page in (here, there):
        cancelled = re.compile("cancelled by the client")
        expect(page.locator(f"[data-hour='{one}']")).to_have_attribute("aria-label", cancelled, timeout=10_000)


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "light"), (1280, "dark")])
def test_every_page_is_for_everybody(served: Served, new_page: "Callable[..., Page]", width: int, scheme: str) -> None:
    page = new_page(viewport={"width": width, "height": 740}, color_scheme=scheme, has_touch=width == 360)
    page.goto(f"{served.url}/sign-in")
    look(page, f"sign-in-{width}-{scheme}")
    sign_in(page, served, Role.FRONT_DESK)
    clinic, one = served.clinic, hour(served, 0)
    paths = {
        "today": "/today",
        "board": on_board(served).removeprefix(served.url),
        "week": on_board(served, view="week").removeprefix(served.url),
        "rooms": on_board(served, by="room").removeprefix(served.url),
        "hour": f"/appointments/{one}",
        "move": f"/appointments/{one}/move",
        "cancel": f"/appointments/{one}/cancel",
        "agree": f"/agree?client={clinic.clients[0]}",
        "change": f"/standings/{clinic.standings[0]}/change",
        "end": f"/standings/{clinic.standings[0]}/end",
        "clients": "/clients",
        "client": f"/clients/{clinic.clients[0]}",
        "new-client": "/clients/new",
        "away": "/away",
        "nowhere": "/nowhere",
    }
    for name, path in paths.items():
        page.goto(served.url + path)
        look(page, f"{name}-{width}-{scheme}")


def test_the_frame_helps(served: Served, page: "Page") -> None:
    sign_in(page, served, Role.FRONT_DESK)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    look(page, "keys")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("six")
    page.locator("#found").get_by_role("link", name="Client Six").wait_for()
    look(page, "search")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/clients/"))
    assert "six" not in page.url.lower()
    expect(page.get_by_role("heading", level=1)).to_have_text("Client Six")


def test_the_day_is_there_without_scripts(served: Served, new_page: "Callable[..., Page]") -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, served, Role.FRONT_DESK)
    page.goto(on_board(served))
    line = page.locator(f"#hour-{hour(served, 0)}")
    expect(line).to_contain_text("Client One")
    line.get_by_role("button", name="Cancel").click()
    page.get_by_label("the client", exact=True).check()
    page.get_by_label("Why?").select_option(label="travel")
    page.get_by_role("button", name="Cancel this hour").click()
    expect(page.get_by_role("status")).to_contain_text("was cancelled")


def test_twice_the_size_fits(served: Served, new_page: "Callable[..., Page]") -> None:
    page = new_page(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    sign_in(page, served, Role.FRONT_DESK)
    for name, path in (("today", "/today"), ("board", "/board"), ("agree", "/agree"), ("away", "/away")):
        page.goto(served.url + path)
        look(page, f"{name}-twice")
