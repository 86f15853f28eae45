"""Webhooks: have programs elsewhere told of changes, and see what was delivered."""

from datetime import timedelta
from typing import Any

from flask import g
from marshmallow import fields, validate

from service.api.fields import At, Id, Text, count, many
from service.api.routes import Asked, Routes, if_version
from service.api.schemas import Strict
from service.domain.access import SETTING_UP, allows
from service.domain.event import EVENTS, EVERYTHING, FAULTS
from service.domain.web_address import LONGEST
from service.usecases import webhooks

routes = Routes(
    "webhooks",
    "Programs elsewhere that are told of changes by Standard Webhooks 1.0: signed, ids only, tried ten times in 75 "
    "hours. What each event looks like stands under `x-webhooks` in this document.",
)

_CHOICES = [EVERYTHING, *EVENTS]


def events_of(**more: Any) -> fields.List[Any]:
    return many(
        fields.String(validate=validate.OneOf(_CHOICES)),
        fewest=1,
        metadata={"description": "`*` means all, also those that a later release adds.", "example": [EVERYTHING]},
        **more,
    )


class NewWebhook(Strict):
    name = Text(required=True, shortest=1, longest=120, metadata={"example": "Billing"})
    url = Text(required=True, shortest=1, longest=LONGEST, metadata={"example": "https://example.com/hook"})
    events = events_of(load_default=(EVERYTHING,))


class ChangeWebhook(Strict):
    name = Text(shortest=1, longest=120)
    url = Text(shortest=1, longest=LONGEST)
    events = events_of()


class Rotate(Strict):
    overlap_hours = count(
        0, 24, load_default=24, metadata={"description": "For so long the old secret signs beside the new one."}
    )


class WebhookSecret(Strict):
    id = Id()
    secret = fields.String(allow_none=True, metadata={"description": "`whsec_…`; shown this once."})


class Delivery(Strict):
    message = Id(metadata={"description": "The `webhook-id` that the receiver saw; one for all attempts."})
    event = fields.String()
    attempt = fields.Integer()
    status = fields.Integer(allow_none=True, metadata={"description": "What the receiver answered, if anybody did."})
    fault = fields.String(
        allow_none=True, metadata={"enum": [*FAULTS, None], "description": "Null where it was delivered."}
    )
    ms = fields.Integer()
    at = At()
    state = fields.String(metadata={"description": "Of the message: pending, done, superseded, dead, dropped."})
    next_at = At(allow_none=True)


class Webhook(Strict):
    id = Id()
    version = fields.Integer()
    name = fields.String()
    url = fields.String()
    events = fields.List(fields.String())
    state = fields.String(metadata={"enum": ["active", "paused", "disabled"]})
    old_secret_until = At(allow_none=True, metadata={"description": "Set while both secrets sign."})
    rests_until = At(allow_none=True, metadata={"description": "Set while nobody answers there."})
    waiting = fields.Integer(metadata={"description": "Messages not delivered yet."})
    last = fields.Nested(Delivery, allow_none=True)
    created_at = At()
    changed_at = At()


class DeliveryFilter(Strict):
    limit = count(1, 500, load_default=100)


class Sent(Strict):
    message = Id()


@routes.on("GET", gives=Webhook(many=True))
@allows(SETTING_UP)
def listed() -> list[webhooks.Webhook]:
    """Everybody who is told, in order of creation."""
    return webhooks.listed(by=g.actor, now=g.now)


@routes.on("POST", takes=NewWebhook, gives=WebhookSecret, status=201, shown_once="secret")
@allows(SETTING_UP)
def create(asked: Asked) -> webhooks.New:
    """Tell a program elsewhere from now on. The secret is in this answer and nowhere else."""
    return webhooks.create(**asked, own_network=g.own_network, by=g.actor, now=g.now)


@routes.on("GET", "/<id:webhook>", gives=Webhook)
@allows(SETTING_UP)
def show(webhook: str) -> webhooks.Webhook:
    """One of them, without its secret."""
    return webhooks.show(webhook=webhook, by=g.actor, now=g.now)


@routes.on("PATCH", "/<id:webhook>", takes=ChangeWebhook, gives=Webhook, checks_version=True)
@allows(SETTING_UP)
def change(asked: Asked, webhook: str) -> webhooks.Webhook:
    """Change what is given. What waits already goes to the new address too."""
    return webhooks.change(
        webhook=webhook, **asked, own_network=g.own_network, if_version=if_version(), by=g.actor, now=g.now
    )


@routes.on("DELETE", "/<id:webhook>", status=204)
@allows(SETTING_UP)
def remove(webhook: str) -> None:
    """Send nothing there any more, and forget it with its log."""
    webhooks.remove(webhook=webhook, by=g.actor, now=g.now)


@routes.on("POST", "/<id:webhook>/pause", gives=Webhook)
@allows(SETTING_UP)
def pause(webhook: str) -> webhooks.Webhook:
    """Send nothing until it goes on. What happens meanwhile is kept for seven days."""
    return webhooks.pause(webhook=webhook, by=g.actor, now=g.now)


@routes.on("POST", "/<id:webhook>/resume", gives=Webhook)
@allows(SETTING_UP)
def resume(webhook: str) -> webhooks.Webhook:
    """Send again, what waited first; also after it said that it is gone."""
    return webhooks.resume(webhook=webhook, by=g.actor, now=g.now)


@routes.on("POST", "/<id:webhook>/rotate", takes=Rotate, gives=WebhookSecret, status=201, shown_once="secret")
@allows(SETTING_UP)
def rotate(asked: Asked, webhook: str) -> webhooks.New:
    """A new secret. The old one signs beside it until the receiver knows the new one."""
    overlap = timedelta(hours=asked["overlap_hours"])
    return webhooks.rotate(webhook=webhook, overlap=overlap, by=g.actor, now=g.now)


@routes.on("POST", "/<id:webhook>/test", gives=Sent, status=202)
@allows(SETTING_UP)
def test(webhook: str) -> Asked:
    """Send a `ping` the way that every message goes."""
    return {"message": webhooks.test(webhook=webhook, by=g.actor, now=g.now)}


@routes.on("GET", "/<id:webhook>/deliveries", takes=DeliveryFilter, gives=Delivery(many=True))
@allows(SETTING_UP)
def deliveries(asked: Asked, webhook: str) -> list[webhooks.Delivery]:
    """The attempts of the last 30 days, the newest first."""
    return webhooks.deliveries(webhook=webhook, limit=asked["limit"], by=g.actor)


@routes.on("POST", "/<id:webhook>/messages/<id:message>/replay", status=204)
@allows(SETTING_UP)
def replay(webhook: str, message: str) -> None:
    """Deliver it again under the same `webhook-id`, whatever became of it."""
    webhooks.replay(webhook=webhook, message=message, by=g.actor, now=g.now)
