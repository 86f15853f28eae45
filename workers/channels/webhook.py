"""Webhooks: one signed POST to one program elsewhere, as Standard Webhooks 1.0 has it."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

import httpcore
from standardwebhooks import Webhook

from service.domain.web_address import CannotReach
from service.usecases.webhooks import Answer, Parcel
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
"""For everything: less than the message's lease, whatever the receiver does."""
LARGEST = 64 * 1024
"""Octets of an answer that are read. Its status is all that counts."""

Send = Callable[[Parcel, datetime], Answer]


def channel(guard: Guard, edges: Edges | None = None) -> Send:
    """A function that delivers a parcel at an instant and says what came of it; faults are those of
    `service.domain.event.FAULTS`. It does not raise."""
    ends = edges or Edges()

    def send(parcel: Parcel, now: datetime) -> Answer:
        began = monotonic()
        try:
            answer = _exchange(parcel, now, guard, ends, Budget(until=began + WHOLE_SECONDS, octets=LARGEST))
        except CannotReach:
            answer = Answer(status=None, fault="address")
        except CannotConnect as reason:
            answer = Answer(status=None, fault=str(reason))
        except FAULTS as fault:
            answer = Answer(status=None, fault=kind_of(fault))
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


# --- one exchange ---------------------------------------------------------------------------------------------------


def _exchange(parcel: Parcel, now: datetime, guard: Guard, edges: Edges, budget: Budget) -> Answer:
    """:raises CannotReach, CannotConnect, FAULTS: nothing was delivered."""
    address = guard.read(parcel.url)
    asked = {"host": address.host_header, **headers(parcel, now)}
    with (
        opened(address, guard, edges, budget) as pool,
        pool.stream(
            "POST",
            url_of(address),
            headers=list(asked.items()),
            content=parcel.body.encode(),
            extensions=patience(WHOLE_SECONDS),
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
