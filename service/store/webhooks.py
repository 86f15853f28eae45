"""Programs elsewhere that are told of changes: where they are, what they want, and how each delivery went.

An event is an outbox row for each endpoint that wants it, written in the transaction that makes the change; `tell` is
called where the change is put on record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.event import IDS, event_of, is_wanted
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.store import outbox
from service.store.alerts import AlertRow
from service.store.appointments import AppointmentRow
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id
from service.store.courses import CourseRow
from service.store.outbox import OutboxRow
from service.store.standings import StandingRow

TOPIC = "webhook.send"
HELD = timedelta(days=7)
"""What happens while an endpoint is paused waits so long for it to go on."""
TRIED = timedelta(hours=75)
"""Nobody is tried for longer, whatever the number of attempts."""
ACTIVE, PAUSED, DISABLED = "active", "paused", "disabled"


class WebhookRow(Model):
    __tablename__ = "webhooks"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    version: Mapped[int] = mapped_column(Integer, default=1)
    name: Mapped[str] = mapped_column(String(120))
    url: Mapped[str] = mapped_column(Text)
    """Sealed: many receivers are told apart by a secret in their path."""
    events: Mapped[list[str]] = mapped_column(JSON)
    secret: Mapped[str] = mapped_column(Text)
    """Sealed; `whsec_…`."""
    old_secret: Mapped[str | None] = mapped_column(Text)
    """Sealed. Signs beside the new one until the receiver knows that."""
    old_secret_until: Mapped[datetime | None] = mapped_column(UtcTime)
    state: Mapped[str] = mapped_column(String(10), default=ACTIVE)
    """active, paused (by a person), disabled (it said that it is gone)."""
    failures: Mapped[int] = mapped_column(Integer, default=0)
    """In a row, of the kind that says nothing of the message: nobody answers, too busy."""
    rests_until: Mapped[datetime | None] = mapped_column(UtcTime)
    """Nothing is sent before, so that a receiver that hangs or is slow does not hold up everybody else's messages."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)


class WebhookDeliveryRow(Model):
    """One attempt. Of what the receiver said, the status alone is kept."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index("ix_webhook_deliveries_webhook_id_at", "webhook_id", "at"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id"))
    message: Mapped[str] = mapped_column(PublicId)
    """Public id of the outbox row, which is the webhook-id that the receiver saw."""
    event: Mapped[str] = mapped_column(String(40))
    attempt: Mapped[int] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(Integer)
    fault: Mapped[str | None] = mapped_column(String(20))
    """The kind of it; None where it was delivered."""
    ms: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcTime)


@dataclass(frozen=True, kw_only=True)
class Listener:
    """An endpoint as a change sees it: who is to be told what, and when."""

    webhook: str
    events: Sequence[str]
    is_paused: bool


# --- telling --------------------------------------------------------------------------------------------------------


def tell(session: Session, kind: str, action: str, subject: str, *, now: datetime) -> None:
    """Write an event for each endpoint that wants to hear of `action`, done to the `kind` with that public id.

    :raises ActionWithoutEvent: see service.domain.event.
    """
    event = event_of(kind, action)
    if event is not None:
        tell_event(session, event, subject, now=now)


def tell_event(session: Session, event: str, subject: str, *, now: datetime) -> None:
    wanted = [one for one in _listeners(session) if is_wanted(event, one.events)]
    if not wanted:
        return
    ids = _ids(session, event.partition(".")[0], subject)
    for one in wanted:
        send(session, one.webhook, event, ids, not_before=now + HELD if one.is_paused else now, now=now)


def send(
    session: Session, webhook: str, event: str, ids: dict[str, str], *, not_before: datetime, now: datetime
) -> str:
    """Write one event for one endpoint; its public id."""
    payload = {
        "webhook": webhook,
        "type": event,
        "timestamp": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": ids,
        "until": (not_before + TRIED).isoformat(),
    }
    public_id = new_public_id()
    outbox.add(session, TOPIC, payload, public_id=public_id, not_before=not_before, now=now)
    return public_id


def _listeners(session: Session) -> list[Listener]:
    """Read once a transaction: most clinics have none, and a series of changes asks again and again."""
    if "listeners" not in session.info:
        query = select(WebhookRow.public_id, WebhookRow.events, WebhookRow.state).where(WebhookRow.state != DISABLED)
        with session.no_autoflush:
            session.info["listeners"] = [
                Listener(webhook=public_id, events=events, is_paused=state == PAUSED)
                for public_id, events, state in session.execute(query.order_by(WebhookRow.id))
            ]
    found: list[Listener] = session.info["listeners"]
    return found


_COURSE_OF = {
    "appointment": select(CourseRow.public_id).join(AppointmentRow, AppointmentRow.course_id == CourseRow.id),
    "standing": select(CourseRow.public_id).join(StandingRow, StandingRow.course_id == CourseRow.id),
    "alert": select(CourseRow.public_id).join(AlertRow, AlertRow.course_id == CourseRow.id),
}
_PUBLIC = {"appointment": AppointmentRow.public_id, "standing": StandingRow.public_id, "alert": AlertRow.public_id}


def _ids(session: Session, noun: str, subject: str) -> dict[str, str]:
    ids = {noun: subject}
    if "course" in IDS[noun] and noun != "course":
        ids["course"] = session.scalars(_COURSE_OF[noun].where(_PUBLIC[noun] == subject)).one()
    return ids


# --- endpoints and what became of messages --------------------------------------------------------------------------


def get(session: Session, public_id: str) -> WebhookRow:
    """:raises NotFound: no such endpoint."""
    row = find(session, public_id)
    if row is None:
        raise NotFound(say("There is no such webhook."))
    return row


def find(session: Session, public_id: str) -> WebhookRow | None:
    return session.scalar(select(WebhookRow).where(WebhookRow.public_id == public_id))


def everyone(session: Session) -> list[WebhookRow]:
    return list(session.scalars(select(WebhookRow).order_by(WebhookRow.id)))


def waiting(session: Session) -> dict[str, int]:
    """How many messages each endpoint, by public id, has not been given yet."""
    whose = OutboxRow.payload["webhook"].as_string()
    query = select(whose, func.count()).where(OutboxRow.topic == TOPIC, OutboxRow.state == "pending").group_by(whose)
    return {row[0]: row[1] for row in session.execute(query)}


def newest(session: Session) -> dict[int, WebhookDeliveryRow]:
    """The last attempt at each endpoint, by its inner id."""
    last = select(func.max(WebhookDeliveryRow.id)).group_by(WebhookDeliveryRow.webhook_id)
    found = session.scalars(select(WebhookDeliveryRow).where(WebhookDeliveryRow.id.in_(last)))
    return {row.webhook_id: row for row in found}


def log_of(session: Session, row: WebhookRow, *, limit: int) -> list[tuple[WebhookDeliveryRow, OutboxRow | None]]:
    """Attempts with what became of their message, the newest first."""
    query = (
        select(WebhookDeliveryRow, OutboxRow)
        .outerjoin(OutboxRow, OutboxRow.public_id == WebhookDeliveryRow.message)
        .where(WebhookDeliveryRow.webhook_id == row.id)
        .order_by(WebhookDeliveryRow.at.desc(), WebhookDeliveryRow.id.desc())
        .limit(limit)
    )
    return [(delivery, message) for delivery, message in session.execute(query)]


def forget_log(session: Session, row: WebhookRow, *, before: datetime | None = None) -> None:
    gone = delete(WebhookDeliveryRow).where(WebhookDeliveryRow.webhook_id == row.id)
    session.execute(gone if before is None else gone.where(WebhookDeliveryRow.at < before))


def hold_back(session: Session, row: WebhookRow, *, until: datetime, now: datetime) -> None:
    """Let what waits for it wait until then."""
    for message in _unsent(session, row, now):
        message.not_before = max(message.not_before, until)


def let_go(session: Session, row: WebhookRow, *, now: datetime) -> list[int]:
    """Send what waits for it now, and go on trying for as long as at first; the inner ids."""
    unsent = _unsent(session, row, now)
    for message in unsent:
        message.not_before = now
        message.payload = {**message.payload, "until": (now + TRIED).isoformat()}
    return [message.id for message in unsent]


def call_off(session: Session, row: WebhookRow, *, now: datetime) -> None:
    """Nothing that waits for it will be sent."""
    outbox.close(session, outbox.waiting(session, TOPIC, about="webhook", subject=row.public_id), "superseded", now=now)


def _unsent(session: Session, row: WebhookRow, now: datetime) -> list[OutboxRow]:
    ids = outbox.waiting(session, TOPIC, about="webhook", subject=row.public_id, free_at=now)
    return list(session.scalars(select(OutboxRow).where(OutboxRow.id.in_(ids)).order_by(OutboxRow.id)))


def send_again(session: Session, message: OutboxRow, *, now: datetime) -> bool:
    """Carry it out anew under the same id; False where somebody is carrying it out right now."""
    if message.lease_until is not None and message.lease_until > now:
        return False
    payload = {**message.payload, "until": (now + TRIED).isoformat()}
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == message.id)
        .values(state="pending", attempts=0, not_before=now, lease_until=None, done_at=None, payload=payload)
    )
    return True
