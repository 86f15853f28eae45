"""How the one who asks wants to be told: when, how often, and who is told while they are away."""

from typing import Any

from flask import g
from marshmallow import fields, post_load, validate

from service.api.fields import Clock, Id, Local, count, many, one_of
from service.api.routes import Asked, Routes
from service.api.schemas import Strict
from service.domain.access import SIGNED_IN, TOLD, allows
from service.domain.chat import LONGEST
from service.domain.hours import Weekday
from service.domain.signals import Level
from service.domain.telling import MOST_PUSHES, Preferences
from service.usecases import chat_services, notices

routes = Routes("me", "What people set for themselves. Times are those of the wall where they work.")

USUAL = Preferences()


class Telling(Strict):
    is_pushed = fields.Boolean(
        load_default=USUAL.is_pushed,
        metadata={"description": "What needs somebody comes by itself; else all waits for the mail of the day."},
    )
    push_from = one_of(Level, load_default=USUAL.push_from, validate=validate.OneOf([Level.WATCH, Level.ACT]))
    pushes_a_day = count(0, MOST_PUSHES, load_default=USUAL.pushes_a_day)
    quiet_since = Clock(load_default=USUAL.quiet_since, metadata={"example": "20:00"})
    quiet_until = Clock(
        load_default=USUAL.quiet_until,
        metadata={"example": "07:00", "description": "The same as `quiet_since`: never quiet."},
    )
    digest_at = Clock(load_default=USUAL.digest_at, metadata={"example": "07:30"})
    digest_days = many(
        one_of(Weekday),
        most=len(Weekday),
        load_default=USUAL.digest_days,
        metadata={"description": "None: no mail of the day.", "example": ["MO", "TU"]},
    )
    away_until = Local(load_default=None, allow_none=True)
    deputy = Id(
        load_default=None,
        allow_none=True,
        metadata={"description": "The user who is told, and answers, while they are away; one of `/me/deputies`."},
    )

    @post_load
    def as_value(self, found: Asked, **_more: Any) -> Asked:
        return {**found, "digest_days": tuple(found["digest_days"])}


class ChatPlace(Strict):
    is_offered = fields.Boolean(metadata={"description": "False where this installation knows no chat services."})
    service = fields.String(allow_none=True, metadata={"example": "Slack", "description": "None: none is entered."})
    masked = fields.String(allow_none=True, metadata={"example": "slack://••••"})
    last = fields.String(
        allow_none=True, metadata={"description": "What became of the newest message: done, pending, dead."}
    )
    last_error = fields.String(allow_none=True)


class ChatAddress(Strict):
    address = fields.String(
        required=True,
        validate=validate.Length(1, LONGEST),
        load_only=True,
        metadata={
            "description": "As the service shows it for incoming messages, or as Apprise writes it. It is kept sealed, "
            "and never shown again.",
            "example": "tgram://123456789:token/12345",
        },
    )


class Deputy(Strict):
    id = Id()
    name = fields.String()


@routes.on("GET", "/preferences", gives=Telling)
@allows(SIGNED_IN)
def show() -> Preferences:
    """How they are told."""
    return notices.preferences(by=g.actor)


@routes.on("PUT", "/preferences", takes=Telling, gives=Telling)
@allows(SIGNED_IN)
def prefer(asked: Asked) -> Preferences:
    """From now on they are told in that way; what is left out is as usual again."""
    notices.prefer(preferences=Preferences(**asked), by=g.actor, now=g.now)
    return notices.preferences(by=g.actor)


@routes.on("GET", "/chat", gives=ChatPlace)
@allows(TOLD)
def show_chat() -> Asked:
    """Where they are told by chat beside mail."""
    return _chat(notices.chat_place(by=g.actor))


@routes.on("PUT", "/chat", takes=ChatAddress, gives=ChatPlace)
@allows(TOLD)
def tell_by_chat(asked: Asked) -> Asked:
    """With each mail at once, how many things there are is said there, too, with a link. It names nobody."""
    return _chat(notices.tell_by_chat(address=asked["address"], by=g.actor, now=g.now))


@routes.on("DELETE", "/chat", status=204)
@allows(TOLD)
def tell_by_chat_no_more() -> None:
    """Forget the address."""
    notices.tell_by_chat_no_more(by=g.actor, now=g.now)


@routes.on("POST", "/chat/test", status=204)
@allows(TOLD)
def try_chat() -> None:
    """Send a test there; one a minute at most."""
    notices.try_chat(by=g.actor, now=g.now)


@routes.on("GET", "/deputies", gives=Deputy(many=True))
@allows(SIGNED_IN)
def deputies() -> list[Asked]:
    """Who may stand in for them."""
    return [{"id": user, "name": name} for user, name in notices.deputies(by=g.actor)]


def _chat(found: notices.ChatPlace | None) -> Asked:
    return {
        "is_offered": chat_services.is_offered(),
        "service": found.service if found else None,
        "masked": found.masked if found else None,
        "last": found.last if found else None,
        "last_error": found.last_error if found else None,
    }
