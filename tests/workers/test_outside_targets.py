"""Where calendars are read: the tables of webhooks, asked for with GET, and once more at the end of a redirect."""

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.domain.web_address import LONGEST_LED_TO, WebAddress
from tests.files.test_ics_book import calendar
from tests.workers.receiver import Receiver, papers, receiver
from tests.workers.test_outside import errand
from tests.workers.test_webhook_targets import (
    BAD_NUMBERS,
    BAD_SPELLINGS,
    GOOD,
    NOW,
    PUBLIC,
    UNGUARDED,
    Network,
    trusting,
)
from workers.outside_fetching import Answer, Failed, Fetched, asker
from workers.reaching import Guard

GUARD = Guard.of(own_network=False, longest=LONGEST_LED_TO)
START = f"https://{PUBLIC}/start.ics"
TOO_LONG = 500
"""Of what a person types; a redirect may be longer."""
Elsewhere = tuple[Receiver, ssl.SSLContext]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    """A receiver with a certificate for every good host, and who trusts it."""
    made = papers(tmp_path, sorted({urlsplit(url).hostname or "" for url in GOOD}))
    with receiver(made.server) as found:
        found.answer(200, body=calendar())
        yield found, made.client


def anywhere(_address: WebAddress) -> None:
    """Nothing is ours."""


def ask(network: Network, url: str, guard: Guard = GUARD, foreign: Callable[[WebAddress], None] = anywhere) -> Answer:
    return asker(guard, foreign, network.edges)(errand(url), NOW)


def led_to(to: Receiver, url: str) -> None:
    """Lead there from START, and say a calendar at the next request."""
    to.answers = [(302, {"Location": url}, b""), (200, {}, calendar())]


@pytest.mark.parametrize("url", GOOD)
def test_a_good_target_is_read_by_the_number_that_was_judged(elsewhere: Elsewhere, url: str) -> None:
    to, trust = elsewhere
    network = Network(to, trust, GOOD[url])
    assert isinstance(ask(network, url), Fetched)
    [(address, port)] = network.dialled
    assert (address, port) == (GOOD[url][0] if GOOD[url] else urlsplit(url).hostname, urlsplit(url).port or 443)
    led_to(to, url)
    network = Network(to, trust, GOOD[url])
    assert isinstance(ask(network, START), Fetched)
    assert [where for where, _port in network.dialled] == [PUBLIC, address]


def test_no_bad_target_is_reached_at_once_or_by_a_redirect(elsewhere: Elsewhere) -> None:
    to, trust = elsewhere
    reached = []
    spelled = [url for url in BAD_SPELLINGS if len(url) < TOO_LONG]
    named = [(f"https://[{one}]/" if ":" in one else f"https://{one}/", one) for one in BAD_NUMBERS]
    rows = [(url, [PUBLIC]) for url in spelled]
    rows += [row for url, one in named for row in ((url, [PUBLIC]), ("https://hooks.example.com/", [PUBLIC, one]))]
    for url, answers in rows:
        network = Network(to, trust, answers)
        if ask(network, url) != Failed(fault="address") or network.dialled:
            reached.append(url)
        # What names no machine is read as part of the address that it stands at; what can't be sent is no redirect.
        if not re.match("[a-z]+://[^/]", url) or not url.isascii() or not url.isprintable():
            continue
        led_to(to, url)
        network = Network(to, trust, answers)
        if ask(network, START) != Failed(fault="address") or len(network.dialled) != 1:
            reached.append(f"{START} {url}")
    assert reached == []
    assert len(rows) >= 60 and len(to.got) >= 60


def test_control_with_the_guard_off_they_are_reached(elsewhere: Elsewhere) -> None:
    to, _trust = elsewhere
    for number in BAD_NUMBERS:
        led_to(to, "https://hooks.example.com/")
        network = Network(to, trusting(), [number])
        assert isinstance(ask(network, START, UNGUARDED), Fetched)
        assert network.dialled[1] == (number, 443)
    to.got.clear()
    to.answer(200, body=calendar())
    for url in BAD_SPELLINGS:
        # Of one, not even a program without care can make sense.
        with suppress(ValueError):
            ask(Network(to, trusting(), ["127.0.0.1"]), url, UNGUARDED)
    assert len(to.got) >= 60


def test_a_name_that_changes_is_judged_at_each_hop_and_connected_to_where_it_was_judged(elsewhere: Elsewhere) -> None:
    to, trust = elsewhere
    led_to(to, "/next.ics")
    network = Network(to, trust, [PUBLIC], ["127.0.0.1"])
    assert ask(network, "https://hooks.example.com/") == Failed(fault="address")
    assert network.dialled == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    "where", ["http://hooks.example.com/a", "ftp://hooks.example.com/a", "https://u:p@example.com/"]
)
def test_a_redirect_never_leaves_https_nor_carries_a_password(elsewhere: Elsewhere, where: str) -> None:
    to, trust = elsewhere
    led_to(to, where)
    network = Network(to, trust, [PUBLIC])
    assert ask(network, START) == Failed(fault="address")
    assert len(to.got) == 1


def test_an_address_that_nobody_types_may_be_long(elsewhere: Elsewhere) -> None:
    to, trust = elsewhere
    led_to(to, "https://hooks.example.com/?" + "a" * 1500)
    assert isinstance(ask(Network(to, trust, [PUBLIC]), START), Fetched)
    led_to(to, "https://hooks.example.com/?" + "a" * 2500)
    assert ask(Network(to, trust, [PUBLIC]), START) == Failed(fault="address")


def test_a_certificate_for_another_name_is_not_trusted(elsewhere: Elsewhere) -> None:
    to, trust = elsewhere
    assert ask(Network(to, trust, [PUBLIC]), "https://somebody.else.example/") == Failed(fault="certificate")
    assert to.got == []


def test_no_proxy_of_the_environment_is_asked(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    to, trust = elsewhere
    with receiver() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        assert isinstance(ask(Network(to, trust, [PUBLIC]), START), Fetched)
        assert proxy.got == []
