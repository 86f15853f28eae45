"""How this machine reaches another one that somebody named: webhooks and outside calendars alike.

The name is resolved once; every number it leads to is judged, and the connection goes to a number that was judged. So
whoever owns the name can't have it lead elsewhere in between. No redirect is followed and no proxy of the environment
is asked: the connection is httpcore's, which is the engine of httpx and the only one of the two that lets us make the
connection ourselves.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

import httpcore

from service.domain import web_address
from service.domain.web_address import WebAddress

CONNECT_SECONDS = 5.0
"""Until a connection stands, the look-up of the name included."""
MOST_NUMBERS = 4
"""Of one name: the others are not tried."""
FAULTS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError)
"""What goes wrong on the way; `kind_of` tells them apart."""


class CannotConnect(Exception):
    """Nobody was asked: the message is the kind of fault, `unknown_name` or `address`."""


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What may be reached."""

    read: Callable[[str], WebAddress]
    """:raises CannotReach: not an address that may be reached."""
    is_admitted: Callable[[str], bool]
    """Whether a number that a name leads to may be connected to."""

    @staticmethod
    def of(*, own_network: bool, longest: int = web_address.LONGEST) -> "Guard":
        return Guard(
            read=partial(web_address.read, own_network=own_network, longest=longest),
            is_admitted=partial(web_address.is_admitted, own_network=own_network),
        )


def resolve(host: str, port: int, seconds: float) -> Sequence[str]:
    """The numbers of a name. A name service may hang for half a minute, and can't be interrupted: it is left alone.

    :raises CannotConnect: it is not known, or not in time.
    """
    found = SimpleQueue[list[str] | OSError]()

    def ask() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(where[0]) for *_kind, where in infos])
        except (OSError, UnicodeError):
            found.put(OSError())

    Thread(target=ask, daemon=True).start()
    try:
        answer = found.get(timeout=max(seconds, 0.0))
    except Empty:
        raise CannotConnect("unknown_name") from None
    if isinstance(answer, OSError):
        raise CannotConnect("unknown_name")
    return answer


def dial(address: str, port: int, seconds: float) -> httpcore.NetworkStream:
    """A connection to that number. :raises httpcore.NetworkError, httpcore.TimeoutException: there is none."""
    return httpcore.SyncBackend().connect_tcp(address, port, timeout=seconds)


@dataclass(frozen=True, kw_only=True)
class Edges:
    """Where this machine ends and the network begins."""

    resolve: Callable[[str, int, float], Sequence[str]] = resolve
    dial: Callable[[str, int, float], httpcore.NetworkStream] = dial
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)


@dataclass(kw_only=True)
class Budget:
    """What is left of time and octets, for one exchange."""

    until: float
    """On the clock of `time.monotonic`."""
    octets: int

    def seconds(self, at_most: float | None) -> float:
        """:raises httpcore.ReadTimeout: none are left."""
        left = self.until - monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the whole time is over")
        return left if at_most is None else min(left, at_most)


class Bounded(httpcore.NetworkStream):
    """A connection that keeps to the budget: a receiver that dribbles or pours is left."""

    def __init__(self, inner: httpcore.NetworkStream, budget: Budget) -> None:
        self._inner, self._budget = inner, budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._budget.octets <= 0:
            raise httpcore.ReadError("enough was read")
        # One octet more than is left can't be told from the end of the answer, so no more than that is asked for.
        found = self._inner.read(min(max_bytes, self._budget.octets), self._budget.seconds(timeout))
        self._budget.octets -= len(found)
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._budget.seconds(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._budget.seconds(timeout))
        return Bounded(inner, self._budget)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class Pinned(httpcore.NetworkBackend):
    """Connects to the numbers it was given, whatever name it is asked for."""

    def __init__(self, numbers: Sequence[str], edges: Edges, budget: Budget, until: float) -> None:
        self._numbers, self._edges, self._budget, self._until = numbers, edges, budget, until

    def connect_tcp(self, *_: object, port: int, **_rest: object) -> httpcore.NetworkStream:  # type: ignore[override]
        fault: Exception = httpcore.ConnectTimeout("no time was left to connect")
        for number in self._numbers:
            left = self._until - monotonic()
            if left <= 0:
                break
            try:
                return Bounded(self._edges.dial(number, port, left), self._budget)
            except (httpcore.NetworkError, httpcore.TimeoutException) as reason:
                fault = reason
        raise fault


def opened(address: WebAddress, guard: Guard, edges: Edges, budget: Budget) -> httpcore.ConnectionPool:
    """What leads to that address and nowhere else, within the budget.

    :raises CannotConnect: its name is not known, or one of its numbers may not be reached.
    """
    until = monotonic() + min(CONNECT_SECONDS, budget.seconds(None))
    numbers = [address.host] if address.is_number else edges.resolve(address.host, address.port, until - monotonic())
    # All of them, also those that are not tried: a name that leads inside as well is not to be trusted at all.
    if not numbers or not all(guard.is_admitted(number) for number in numbers):
        raise CannotConnect("address")
    backend = Pinned(list(dict.fromkeys(numbers))[:MOST_NUMBERS], edges, budget, until)
    return httpcore.ConnectionPool(ssl_context=edges.trust, max_connections=1, network_backend=backend)


def url_of(address: WebAddress) -> httpcore.URL:
    scheme = "https" if address.is_tls else "http"
    return httpcore.URL(scheme=scheme, host=address.host, port=address.port, target=address.target)


def patience(whole_seconds: float) -> dict[str, dict[str, float]]:
    """httpcore's own limits; the budget holds where it lets a receiver dribble."""
    each = {"connect": CONNECT_SECONDS, "read": whole_seconds, "write": whole_seconds, "pool": CONNECT_SECONDS}
    return {"timeout": each}


def kind_of(fault: Exception) -> str:
    """`certificate`, `tls`, `no_answer`, `http` or `unreachable`."""
    # The pool cuts the chain of causes; what httpcore made of the first one still holds it.
    cause = fault.args[0] if fault.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(cause, ssl.SSLError):
        return "tls"
    if isinstance(fault, httpcore.TimeoutException):
        return "no_answer"
    if isinstance(fault, httpcore.ProtocolError):
        return "http"
    return "unreachable"


def retry_after(value: str, now: datetime) -> timedelta | None:
    """What a receiver asks for, in seconds or as a date; None where it can't be read or lies behind."""
    if value.isascii() and value.isdecimal():
        return timedelta(seconds=min(int(value[:9]), 10**8)) or None
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return wait if wait > timedelta(0) else None
