"""A calendar elsewhere, asked for over HTTP: only if it has changed, only so much of it, and never beyond the rules of
`workers.reaching`.

Unlike webhooks, real calendars move: up to three redirects are followed, each as if a person had entered its address.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import urljoin

import httpcore

from service.domain.outside import CannotSubscribeToOwn
from service.domain.web_address import CannotReach, WebAddress
from service.usecases.outside import Errand
from workers.reaching import (
    FAULTS,
    Budget,
    CannotConnect,
    Edges,
    Guard,
    kind_of,
    opened,
    patience,
    retry_after,
    url_of,
)

WHOLE_SECONDS = 15.0
"""For all hops together: with the reading of what came, less than the message's lease."""
LARGEST = 5 * 1024 * 1024
"""Octets of a calendar, also once unpacked."""
MOST_HOPS = 3
_HEADERS_TOO = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KINDS = {304: "http", 401: "not_allowed", 403: "not_allowed", 404: "gone", 410: "gone", 429: "busy", 503: "busy"}


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What stands at the address."""

    body: bytes
    etag: str | None
    modified: str | None


@dataclass(frozen=True, kw_only=True)
class Same:
    """Nothing has changed there."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Nothing came that could be read. `fault` is a key of service.domain.outside.FAULTS."""

    fault: str
    wish: timedelta | None = None
    """How long it asks to be left alone."""


Answer = Fetched | Same | Failed
Ask = Callable[[Errand, datetime], Answer]


class _TooLarge(Exception):
    pass


def asker(guard: Guard, expect_foreign: Callable[[WebAddress], None], edges: Edges | None = None) -> Ask:
    """A function that asks for a calendar at an instant and says what came of it. It does not raise.

    `expect_foreign` raises CannotSubscribeToOwn for an address of this installation's own feeds.
    """
    ends = edges or Edges()

    def ask(errand: Errand, now: datetime) -> Answer:
        budget = Budget(until=monotonic() + WHOLE_SECONDS, octets=LARGEST + _HEADERS_TOO)
        try:
            return _follow(errand, guard, expect_foreign, ends, budget, now)
        except CannotReach:
            return Failed(fault="address")
        except CannotSubscribeToOwn:
            return Failed(fault="own_feed")
        except CannotConnect as reason:
            return Failed(fault=str(reason))
        except _TooLarge:
            return Failed(fault="too_large")
        except zlib.error:
            return Failed(fault="http")
        except FAULTS as fault:
            # Where the budget of octets is used up, the connection is cut: that is our doing, not a fault of theirs.
            return Failed(fault="too_large" if budget.octets <= 0 else kind_of(fault))

    return ask


def _follow(
    errand: Errand,
    guard: Guard,
    expect_foreign: Callable[[WebAddress], None],
    edges: Edges,
    budget: Budget,
    now: datetime,
) -> Answer:
    url = errand.url
    for _hop in range(MOST_HOPS + 1):
        address = guard.read(url)
        expect_foreign(address)
        headers = [("host", address.host_header), *_headers(errand)]
        with (
            opened(address, guard, edges, budget) as pool,
            pool.stream("GET", url_of(address), headers=headers, extensions=patience(WHOLE_SECONDS)) as response,
        ):
            where = _said(response, "location")
            if response.status not in _REDIRECTS or where is None:
                return _answer(response, errand, now)
            url = _joined(url, where)
    return Failed(fault="redirect")


def _headers(errand: Errand) -> list[tuple[str, str]]:
    asked = {
        "user-agent": "samehour",
        "accept": "text/calendar, */*;q=0.1",
        "accept-encoding": "gzip",
        "if-none-match": errand.etag,
        "if-modified-since": errand.modified,
    }
    return [(name, value) for name, value in asked.items() if value]


def _joined(url: str, where: str) -> str:
    try:
        return urljoin(url, where)
    except ValueError:
        return ""


def _answer(response: httpcore.Response, errand: Errand, now: datetime) -> Answer:
    if response.status == 304 and (errand.etag or errand.modified):
        return Same()
    if response.status == 200:
        return Fetched(body=_body(response), etag=_said(response, "etag"), modified=_said(response, "last-modified"))
    wish = _said(response, "retry-after")
    return Failed(
        fault=_KINDS.get(response.status, "refused"),
        wish=retry_after(wish, now) if wish else None,
    )


def _body(response: httpcore.Response) -> bytes:
    """:raises _TooLarge: more than a calendar may have. :raises zlib.error: it is not packed as it says."""
    packing = (_said(response, "content-encoding") or "identity").lower()
    if packing not in ("identity", "gzip", "x-gzip"):
        raise httpcore.RemoteProtocolError("packed in a way that was not asked for")
    unpack = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if packing != "identity" else None
    body = bytearray()
    for some in response.iter_stream():
        # A few octets may unpack to gigabytes: no more is unpacked than is taken.
        body += unpack.decompress(some, LARGEST + 1 - len(body)) if unpack else some
        if len(body) > LARGEST:
            raise _TooLarge
    if unpack is not None and not unpack.eof:
        raise zlib.error("it breaks off")
    return bytes(body)


def _said(response: httpcore.Response, name: str) -> str | None:
    """The header, if it is one that can be sent back."""
    found = [value for key, value in response.headers if key.lower() == name.encode()]
    text = found[0].decode("latin-1").strip() if found else ""
    return text if text and text.isascii() and text.isprintable() else None
