"""Webhooks: one signed POST to one program elsewhere, as Standard Webhooks 1.0 has it.

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
from standardwebhooks import Webhook

from service.domain import web_address
from service.domain.web_address import CannotReach, WebAddress
from service.usecases.webhooks import Answer, Parcel
from workers.channels import CannotSend

CONNECT_SECONDS = 5.0
"""Until a connection stands, the look-up of the name included."""
WHOLE_SECONDS = 15.0
"""For everything: less than the message's lease, whatever the receiver does."""
LARGEST = 64 * 1024
"""Octets of an answer that are read. Its status is all that counts."""
MOST_NUMBERS = 4
"""Of one name: the others are not tried."""

Send = Callable[[Parcel, datetime], Answer]


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What may be sent to."""

    read: Callable[[str], WebAddress]
    """:raises CannotReach: not an address that may be sent to."""
    is_admitted: Callable[[str], bool]
    """Whether a number that a name leads to may be connected to."""

    @staticmethod
    def of(*, own_network: bool) -> "Guard":
        return Guard(
            read=partial(web_address.read, own_network=own_network),
            is_admitted=partial(web_address.is_admitted, own_network=own_network),
        )


def resolve(host: str, port: int, seconds: float) -> Sequence[str]:
    """The numbers of a name. A name service may hang for half a minute, and can't be interrupted: it is left alone.

    :raises CannotSend: it is not known, or not in time.
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
        raise CannotSend("unknown_name") from None
    if isinstance(answer, OSError):
        raise CannotSend("unknown_name")
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


def channel(guard: Guard, edges: Edges | None = None) -> Send:
    """A function that delivers a parcel at an instant and says what came of it; faults are those of
    `service.domain.event.FAULTS`. It does not raise."""
    ends = edges or Edges()

    def send(parcel: Parcel, now: datetime) -> Answer:
        began = monotonic()
        try:
            answer = _exchange(parcel, now, guard, ends, Budget(until=began + WHOLE_SECONDS))
        except CannotReach:
            answer = Answer(status=None, fault="address")
        except CannotSend as reason:
            answer = Answer(status=None, fault=str(reason))
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as fault:
            answer = Answer(status=None, fault=_kind_of(fault))
        ms = round((monotonic() - began) * 1000)
        return Answer(status=answer.status, fault=answer.fault, retry_after=answer.retry_after, ms=ms)

    return send


def headers(parcel: Parcel, now: datetime) -> dict[str, str]:
    """Who it is, when, and one signature for each secret that is valid, the newest first."""
    at = now.astimezone(UTC)
    signatures = [Webhook(secret).sign(msg_id=parcel.id, timestamp=at, data=parcel.body) for secret in parcel.secrets]
    return {
        "content-type": "application/json",
        "user-agent": "samehour",
        "webhook-id": parcel.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


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


# --- one exchange ---------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Budget:
    """What is left of time and octets, for one exchange."""

    until: float
    octets: int = LARGEST

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


def _exchange(parcel: Parcel, now: datetime, guard: Guard, edges: Edges, budget: Budget) -> Answer:
    """:raises CannotReach, CannotSend, httpcore's faults: nothing was delivered."""
    address, until = guard.read(parcel.url), monotonic() + CONNECT_SECONDS
    numbers = [address.host] if address.is_number else edges.resolve(address.host, address.port, CONNECT_SECONDS)
    # All of them, also those that are not tried: a name that leads inside as well is not to be trusted at all.
    if not numbers or not all(guard.is_admitted(number) for number in numbers):
        raise CannotSend("address")
    backend = Pinned(list(dict.fromkeys(numbers))[:MOST_NUMBERS], edges, budget, until)
    url = httpcore.URL(
        scheme="https" if address.is_tls else "http",
        host=address.host,
        port=address.port,
        target=address.target,
    )
    pool = httpcore.ConnectionPool(ssl_context=edges.trust, max_connections=1, network_backend=backend)
    asked = {"host": address.host_header, **headers(parcel, now)}
    patience = {"connect": CONNECT_SECONDS, "read": WHOLE_SECONDS, "write": WHOLE_SECONDS, "pool": CONNECT_SECONDS}
    with (
        pool,
        pool.stream(
            "POST", url, headers=list(asked.items()), content=parcel.body.encode(), extensions={"timeout": patience}
        ) as response,
    ):
        answer = _answer(response, now)
        _hear_out(response)
    return answer


def _answer(response: httpcore.Response, now: datetime) -> Answer:
    if 200 <= response.status < 300:
        return Answer(status=response.status, fault=None)
    wishes = [value.decode("latin-1").strip() for name, value in response.headers if name.lower() == b"retry-after"]
    return Answer(
        status=response.status,
        fault="redirect" if 300 <= response.status < 400 else "gone" if response.status == 410 else "refused",
        retry_after=retry_after(wishes[0], now) if wishes else None,
    )


def _hear_out(response: httpcore.Response) -> None:
    """Read what it says within the budget, so that it is not cut off in the middle; what it says is not looked at."""
    try:
        for _some in response.iter_stream():
            pass
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass  # its status has come, and that is the answer


def _kind_of(fault: Exception) -> str:
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
