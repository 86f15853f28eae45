"""A manager has another program told, in a real browser with a real worker, on a wide screen and on a phone."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from service.domain.access import Role
from tests.journeys.conftest import Served, look, sign_in
from tests.servers import Program
from tests.workers.receiver import Receiver, receiver

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


@pytest.fixture
def environment(environment: dict[str, str], redis_url: str) -> dict[str, str]:
    return {**environment, "SAMEHOUR_REDIS_URL": redis_url, "SAMEHOUR_WEBHOOKS_TO_OWN_NETWORK": "yes"}


@pytest.fixture
def listener() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def test_enter_try_and_send_again(
    served: Served,
    environment: dict[str, str],
    listener: Receiver,
    page: "Page",
    start_program: Callable[..., Program],
) -> None:
    start_program("workers", "work", env=environment)
    sign_in(page, served, Role.MANAGER)
    page.goto(f"{served.url}/people")
    page.get_by_role("link", name="Webhooks").click()
    look(page, "webhooks-none")
    page.get_by_label("Name").fill("Billing")
    page.get_by_label("Address").fill("https://user@example.com/")
    page.get_by_role("button", name="Tell it from now on").click()
    expect(page.get_by_text("no user and no password")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Billing")
    look(page, "webhooks-refused")
    page.get_by_label("Address").fill(listener.url)
    page.get_by_role("button", name="Tell it from now on").click()
    secret = page.locator("#secret").inner_text()
    look(page, "webhook-new")

    page.get_by_role("button", name="Send a test").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("on its way")
    [got] = listener.wait_for(1)
    assert got.verified(secret)["type"] == "ping"
    _load_until(page, "delivered")
    look(page, "webhook-log")

    listener.answer(500)
    page.get_by_role("button", name=re.compile("Send again")).click()
    listener.wait_for(2)
    _load_until(page, "It did not take it.")
    page.set_viewport_size({"width": 360, "height": 740})
    for summary in page.locator("main summary").all():
        summary.click()
    look(page, "webhook-phone")
    page.goto(f"{served.url}/webhooks")
    look(page, "webhooks-phone")


def _load_until(page: "Page", words: str) -> None:
    """The log is written a moment after the receiver has answered."""
    for _ in range(100):
        page.reload()
        if page.locator("tbody").get_by_text(words).count():
            return
        page.wait_for_timeout(100)
    raise AssertionError(words)
