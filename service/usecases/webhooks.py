"""Programs elsewhere that are told of changes: enter one, pause it, change its secret, and see what was delivered.

A message goes to one endpoint. It is carried out like any other, and beyond that: an endpoint at which nobody answers
rests for a while, longer each time, and what waits for it waits with it; one that says it is gone (410) gets nothing
any more until a person turns it on again.
"""

import base64
import json
import random
import secrets as random_secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from service.domain import access, web_address
from service.domain.access import Actor, Role
from service.domain.event import EVENTS, EVERYTHING, PING
from service.domain.phrase import say
from service.domain.refusals import Conflict, Malformed, NotFound
from service.store import audit, outbox, webhooks
from service.store.outbox import OutboxRow
from service.store.seal import seal
from service.store.transaction import note_message, reading, writing
from service.store.webhooks import ACTIVE, DISABLED, PAUSED, WebhookDeliveryRow, WebhookRow
from service.usecases import steps
from service.usecases.outbox import WAITS

MOST = 20
"""Endpoints that one clinic may have."""
LONGEST_OVERLAP = timedelta(hours=24)
KEPT = timedelta(days=30)
"""For so long the log of an endpoint says what became of each attempt."""
RESTS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
)
"""How long an endpoint is left alone after so many attempts in a row at which nobody answered."""
SLOW = timedelta(seconds=2)
"""One that takes longer to answer is left alone for twice as long as it took: at most a third of a worker's time is
its own, and the rest is for other people's mails."""
LONGEST_WISH = timedelta(hours=24)
"""A receiver that asks for more time than this is tried again all the same."""
GONE = 410
_SAYS_NOTHING_OF_THE_MESSAGE = frozenset({429, 502, 503, 504})


class CannotListen(Conflict):
    """As many programs are told as one can keep an eye on."""


class CannotSendTo(Conflict):
    """The endpoint is paused or off, so nothing can be tried out on it."""


class CannotReplay(Conflict):
    """The message is being carried out right now."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One attempt to deliver one message."""

    message: str
    """The webhook-id that the receiver saw; the same for each attempt."""
    event: str
    attempt: int
    status: int | None
    """What the receiver answered, where anybody did."""
    fault: str | None
    """The kind of it, a key of service.domain.event.FAULTS; None where it was delivered."""
    ms: int
    at: datetime
    state: str
    """What became of the message: pending, done, superseded, dead, dropped."""
    next_at: datetime | None
    """When it is tried again, for one that is pending."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """An endpoint as its page shows it: all but the secrets."""

    id: str
    version: int
    name: str
    url: str
    events: tuple[str, ...]
    """Names out of service.domain.event, or `*` alone for all of them."""
    state: str
    """active, paused, disabled."""
    old_secret_until: datetime | None
    """While both secrets sign."""
    rests_until: datetime | None
    """Set while nobody answers there."""
    waiting: int
    """Messages not delivered yet."""
    last: Delivery | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class New:
    """An endpoint with its secret, which is shown this once."""

    id: str
    secret: str
    """`whsec_…`, as every library of Standard Webhooks takes it."""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A message ready to be sent."""

    webhook: str
    id: str
    event: str
    attempt: int
    url: str
    secrets: tuple[str, ...]
    """Each signs; the newest first."""
    body: str
    """JSON; the same at each attempt."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of sending it."""

    status: int | None
    """None where nobody answered."""
    fault: str | None
    """The kind of it, a key of FAULTS; None where it was delivered."""
    retry_after: timedelta | None = None
    """What the receiver asked for."""
    ms: int = 0


# --- entering and changing ------------------------------------------------------------------------------------------


@writing
def create(
    db: Session,
    *,
    name: str,
    url: str,
    events: Sequence[str] = (EVERYTHING,),
    own_network: bool = False,
    by: Actor,
    now: datetime,
) -> New:
    """Tell a program elsewhere of these events from now on.

    `own_network` says that this installation lets addresses of the clinic's own network be told.

    :raises Malformed: no name, an event that there is none of. :raises CannotReach: not an address that may be sent to.
    :raises CannotListen: too many.
    """
    _may_change(by)
    if len(webhooks.everyone(db)) >= MOST:
        raise CannotListen(say("{n} webhooks are in use. Delete one that is not needed any more.", n=MOST))
    row = WebhookRow(name=_named(name), events=_chosen(events), created_at=now, changed_at=now, url="", secret="")
    db.add(row)
    db.flush()
    row.url = _sealed(row, "url", _checked(url, own_network))
    secret = _new_secret()
    row.secret = _sealed(row, "secret", secret)
    audit.record(db, "add", by=by, now=now, kind="webhook", subject=row.public_id)
    return New(id=row.public_id, secret=secret)


@writing
def change(
    db: Session,
    *,
    webhook: str,
    name: str | None = None,
    url: str | None = None,
    events: Sequence[str] | None = None,
    own_network: bool = False,
    if_version: int | None = None,
    by: Actor,
    now: datetime,
) -> Webhook:
    """Change what is given. What waits already goes to the new address too.

    :raises NotFound: :raises Stale: :raises Malformed, CannotReach: see create.
    """
    row = _find(db, webhook, by)
    steps.expect_version(row.version, if_version)
    given = {"name": name, "url": url, "events": events}
    if name is not None:
        row.name = _named(name)
    if url is not None:
        row.url = _sealed(row, "url", _checked(url, own_network))
    if events is not None:
        row.events = _chosen(events)
    _touch(row, now)
    fields = [field for field, value in given.items() if value is not None]
    audit.record(db, "change", by=by, now=now, kind="webhook", subject=webhook, fields=fields)
    return _view(db, row, now)


@writing
def pause(db: Session, *, webhook: str, by: Actor, now: datetime) -> Webhook:
    """Send nothing until it goes on. What happens meanwhile is kept for seven days. :raises NotFound: no such one."""
    row = _find(db, webhook, by)
    if row.state == ACTIVE:
        row.state = PAUSED
        _touch(row, now)
        webhooks.hold_back(db, row, until=now + webhooks.HELD, now=now)
        audit.record(db, "pause", by=by, now=now, kind="webhook", subject=webhook, fields=["state"])
    return _view(db, row, now)


@writing
def resume(db: Session, *, webhook: str, by: Actor, now: datetime) -> Webhook:
    """Send again, what waited first; also to one that had said it is gone. :raises NotFound: no such one."""
    row = _find(db, webhook, by)
    row.state, row.failures, row.rests_until = ACTIVE, 0, None
    _touch(row, now)
    for message in webhooks.let_go(db, row, now=now):
        note_message(db, message)
    audit.record(db, "resume", by=by, now=now, kind="webhook", subject=webhook, fields=["state"])
    return _view(db, row, now)


@writing
def rotate(db: Session, *, webhook: str, overlap: timedelta, by: Actor, now: datetime) -> New:
    """A new secret. The old one signs beside it for so long, up to a day, and one that was older not any more.

    :raises NotFound: no such one. :raises Malformed: an overlap that is negative or longer than a day.
    """
    row = _find(db, webhook, by)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Malformed(say("Both secrets are valid for 0 to 24 hours."), where="overlap_hours")
    old, secret = _opened(row, "secret"), _new_secret()
    row.old_secret = _sealed(row, "old_secret", old) if overlap else None
    row.old_secret_until = now + overlap if overlap else None
    row.secret = _sealed(row, "secret", secret)
    _touch(row, now)
    audit.record(db, "rotate", by=by, now=now, kind="webhook", subject=webhook, fields=["secret"])
    return New(id=row.public_id, secret=secret)


@writing
def remove(db: Session, *, webhook: str, by: Actor, now: datetime) -> None:
    """Send nothing there any more, and forget it with its log. :raises NotFound: no such one."""
    row = _find(db, webhook, by)
    webhooks.call_off(db, row, now=now)
    webhooks.forget_log(db, row)
    db.delete(row)
    audit.record(db, "delete", by=by, now=now, kind="webhook", subject=webhook)


@writing
def test(db: Session, *, webhook: str, by: Actor, now: datetime) -> str:
    """Send a `ping` the way that every message goes; its public id. What rests is tried at once: a person asks.

    :raises NotFound: no such one. :raises CannotSendTo: it is paused or off.
    """
    row = _find(db, webhook, by)
    _wake(row)
    audit.record(db, "test", by=by, now=now, kind="webhook", subject=webhook)
    return webhooks.send(db, webhook, PING, {"webhook": webhook}, not_before=now, now=now)


@writing
def replay(db: Session, *, webhook: str, message: str, by: Actor, now: datetime) -> None:
    """Deliver the message again at once, under the same webhook-id, whatever became of it.

    :raises NotFound: no such one. :raises CannotSendTo: it is paused or off. :raises CannotReplay: see there.
    """
    row, sent = _find(db, webhook, by), outbox.get(db, message)
    if sent.topic != webhooks.TOPIC or sent.payload["webhook"] != webhook:
        raise NotFound(say("There is no such message."))
    _wake(row)
    if not webhooks.send_again(db, sent, now=now):
        raise CannotReplay(say("It is being delivered right now."))
    note_message(db, sent.id)
    audit.record(db, "replay", by=by, now=now, kind="webhook", subject=webhook, detail={"message": message})


# --- looking --------------------------------------------------------------------------------------------------------


@reading
def listed(db: Session, *, by: Actor, now: datetime) -> list[Webhook]:
    """All of them, in order of creation."""
    _may_see(by)
    return _views(db, webhooks.everyone(db), now)


@reading
def show(db: Session, *, webhook: str, by: Actor, now: datetime) -> Webhook:
    """:raises NotFound: no such one."""
    _may_see(by)
    return _view(db, webhooks.get(db, webhook), now)


@reading
def deliveries(db: Session, *, webhook: str, limit: int = 100, by: Actor) -> list[Delivery]:
    """The attempts of the last 30 days, the newest first. :raises NotFound: no such one."""
    _may_see(by)
    return [_delivery(*found) for found in webhooks.log_of(db, webhooks.get(db, webhook), limit=limit)]


# --- carrying out ---------------------------------------------------------------------------------------------------


@writing
def parcel(db: Session, *, message: int, attempt: int, now: datetime) -> Parcel | None:
    """What is to be sent for the outbox row; None where nothing is, now or ever, which is written down."""
    sent = db.get_one(OutboxRow, message)
    row = webhooks.find(db, sent.payload["webhook"])
    if row is None or row.state == DISABLED:
        outbox.settle(db, message, attempt, state="superseded", done_at=now)
        return None
    waits_until = now + webhooks.HELD if row.state == PAUSED else row.rests_until
    if waits_until is not None and waits_until > now:
        _put_off(db, sent, attempt, until=waits_until, now=now)
        return None
    body = {name: sent.payload[name] for name in ("type", "timestamp", "data")}
    return Parcel(
        webhook=row.public_id,
        id=sent.public_id,
        event=sent.payload["type"],
        attempt=attempt,
        url=_opened(row, "url"),
        secrets=_valid_secrets(row, now),
        body=json.dumps(body, separators=(",", ":")),
    )


@writing
def note(db: Session, *, parcel: Parcel, answer: Answer, now: datetime) -> timedelta | None:
    """Write down what came of it; how long to wait until the next attempt, None where none is needed."""
    row = webhooks.find(db, parcel.webhook)
    if row is None:
        return None
    _log(db, row, parcel, answer, now)
    took = timedelta(milliseconds=answer.ms)
    if answer.fault is None:
        row.failures, row.rests_until = 0, now + 2 * took if took > SLOW else None
        return None
    if answer.status == GONE:
        row.state = DISABLED
        _touch(row, now)
        webhooks.call_off(db, row, now=now)
        return None
    rest = _rest(row, answer)
    if rest is not None:
        row.failures, row.rests_until = row.failures + 1, now + rest
    return max(wait_after(parcel.attempt, luck=random.random()), rest or timedelta(0))  # noqa: S311  no secret


def wait_after(attempt: int, *, luck: float) -> timedelta:
    """From the attempt that failed to the next: the house's wait, a fifth less (`luck` 0) to a fifth more (1).

    So that a receiver that comes back is not asked by everything that waited in one moment.
    """
    return WAITS[min(attempt, len(WAITS)) - 1] * (0.8 + 0.4 * luck)


# --- steps ----------------------------------------------------------------------------------------------------------


def _put_off(db: Session, sent: OutboxRow, attempt: int, *, until: datetime, now: datetime) -> None:
    """It was not sent, so it does not count as an attempt; but nobody is waited for longer than 75 hours."""
    if now >= datetime.fromisoformat(sent.payload["until"]):
        outbox.settle(db, sent.id, attempt, state="dead", last_error="no_answer")
    else:
        outbox.settle(db, sent.id, attempt, attempts=attempt - 1, not_before=until)


def _rest(row: WebhookRow, answer: Answer) -> timedelta | None:
    """How long the endpoint is left alone; None where the answer was about the message, and the next one may pass."""
    wish = min(answer.retry_after, LONGEST_WISH) if answer.retry_after else None
    if answer.status is not None and answer.status not in _SAYS_NOTHING_OF_THE_MESSAGE:
        return wish
    return max(RESTS[min(row.failures, len(RESTS) - 1)], 2 * timedelta(milliseconds=answer.ms), wish or timedelta(0))


def _log(db: Session, row: WebhookRow, parcel: Parcel, answer: Answer, now: datetime) -> None:
    webhooks.forget_log(db, row, before=now - KEPT)
    db.add(
        WebhookDeliveryRow(
            webhook_id=row.id,
            message=parcel.id,
            event=parcel.event,
            attempt=parcel.attempt,
            status=answer.status,
            fault=answer.fault,
            ms=answer.ms,
            at=now,
        )
    )


def _may_see(by: Actor) -> None:
    access.require(by, Role.MANAGER, Role.ADMIN, to_change=False)


def _may_change(by: Actor) -> None:
    access.require(by, Role.MANAGER, Role.ADMIN)


def _find(db: Session, webhook: str, by: Actor) -> WebhookRow:
    _may_change(by)
    return webhooks.get(db, webhook)


def _wake(row: WebhookRow) -> None:
    if row.state != ACTIVE:
        raise CannotSendTo(say("Nothing is sent there at the moment. Let it go on first."))
    row.rests_until = None


def _touch(row: WebhookRow, now: datetime) -> None:
    row.version, row.changed_at = row.version + 1, now


def _named(name: str) -> str:
    return steps.on_one_line(name, otherwise=say("A name has 1 to 120 printable characters."))


def _checked(url: str, own_network: bool) -> str:
    web_address.read(url.strip(), own_network=own_network)
    return url.strip()


def _chosen(events: Sequence[str]) -> list[str]:
    if EVERYTHING in events:
        return [EVERYTHING]
    if not events or not set(events) <= EVENTS.keys():
        raise Malformed(say("Choose at least one of the events that there are."), where="events")
    return [event for event in EVENTS if event in events]


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(random_secrets.token_bytes(32)).decode()


def _sealed(row: WebhookRow, column: str, text: str) -> str:
    return seal().close(text, row=row.public_id, column=f"webhooks:{column}")


def _opened(row: WebhookRow, column: str) -> str:
    return seal().open(getattr(row, column), row=row.public_id, column=f"webhooks:{column}")


def _valid_secrets(row: WebhookRow, now: datetime) -> tuple[str, ...]:
    is_old_valid = row.old_secret is not None and row.old_secret_until is not None and now < row.old_secret_until
    return (_opened(row, "secret"), *([_opened(row, "old_secret")] if is_old_valid else []))


def _views(db: Session, rows: Sequence[WebhookRow], now: datetime) -> list[Webhook]:
    waiting, newest = webhooks.waiting(db), webhooks.newest(db)
    return [
        Webhook(
            id=row.public_id,
            version=row.version,
            name=row.name,
            url=_opened(row, "url"),
            events=tuple(row.events),
            state=row.state,
            old_secret_until=_ahead(row.old_secret_until, now),
            rests_until=_ahead(row.rests_until, now) if row.failures else None,
            waiting=waiting.get(row.public_id, 0),
            last=_delivery(newest[row.id], None) if row.id in newest else None,
            created_at=row.created_at,
            changed_at=row.changed_at,
        )
        for row in rows
    ]


def _view(db: Session, row: WebhookRow, now: datetime) -> Webhook:
    db.flush()
    return _views(db, [row], now)[0]


def _ahead(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and at > now else None


def _delivery(row: WebhookDeliveryRow, message: OutboxRow | None) -> Delivery:
    state = message.state if message is not None else ""
    return Delivery(
        message=row.message,
        event=row.event,
        attempt=row.attempt,
        status=row.status,
        fault=row.fault,
        ms=row.ms,
        at=row.at,
        state=state,
        next_at=message.not_before if message is not None and state == "pending" else None,
    )
