"""How often one address is answered in full, and how often somebody may try addresses that there never were.

Two budgets that do not touch: guesses are counted by where they come from and use up nobody's address, and an address
is answered wherever it is asked from, however many guesses came from there. What is counted is what costs: a body
handed out, or built. A 304 is not: it is the answer we want programs to ask for, it costs one look, and counting it in
Redis would take as long as giving it. Nor is a 410, which makes programs stop asking.

Counted in Redis while it is there, in the memory of this process while it is not.
"""

import hashlib
import math
import time
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError

if TYPE_CHECKING:
    from limits import RateLimitItem

log = structlog.get_logger("samehour")

PER_ADDRESS = RateLimitItemPerMinute(120, 10, namespace="samehour feed")
"""Bodies of one calendar in ten minutes: a practice full of devices that ask each minute stays under it."""
PER_STRANGER = RateLimitItemPerMinute(60, 10, namespace="samehour stranger")
"""Addresses that there never were, tried from one place in ten minutes."""
REST = 10
"""Seconds that a Redis which did not answer is left alone."""
_WAIT: dict[str, Any] = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}


class TooOften(Exception):
    """Asked too often; `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"ask again in {seconds} s")
        self.seconds = seconds


class Patience:
    """Counts, and says when it is too much."""

    def __init__(self, redis_url: str | None) -> None:
        self._here = FixedWindowRateLimiter(MemoryStorage())
        self._shared = FixedWindowRateLimiter(_shared(redis_url)) if redis_url else None
        self._rests_until = 0.0

    def with_address(self, secret: str) -> None:
        """Count a body of this address. :raises TooOften: too many."""
        # Hashed: the counter's keys lie in Redis for all to read.
        self._spend(PER_ADDRESS, hashlib.sha256(b"feed" + secret.encode()).hexdigest()[:32])

    def with_stranger(self, came_from: str | None) -> None:
        """Count a try of an address that there never was. :raises TooOften: too many."""
        self._spend(PER_STRANGER, _neighbourhood(came_from or "nowhere"))

    def _spend(self, rate: "RateLimitItem", key: str) -> None:
        if self._shared is not None and time.monotonic() >= self._rests_until:
            try:
                return _count(self._shared, rate, key)
            except RedisError as fault:
                self._rests_until = time.monotonic() + REST
                log.warning("fetches are counted in memory", error=type(fault).__name__)
        return _count(self._here, rate, key)


def _count(counter: FixedWindowRateLimiter, rate: "RateLimitItem", key: str) -> None:
    if not counter.hit(rate, key):
        wait = counter.get_window_stats(rate, key).reset_time - time.time()  # noqa: TID251  the library's own clock
        raise TooOften(max(1, math.ceil(wait)))


def _shared(redis_url: str) -> Any:
    # The library's own spelling: it takes redis://, but a socket only as redis+unix://.
    uri = f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url
    return storage_from_string(uri, **_WAIT)


def _neighbourhood(address: str) -> str:
    """Where somebody comes from: of IPv6 the network, since one machine has addresses without end."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(found) >> 64 << 64)) if isinstance(found, IPv6Address) else address
