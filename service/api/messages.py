"""Messages on their way to the workers: what waits, what was given up, and trying again. Ids, never words."""

from flask import g
from marshmallow import fields, validate

from service.api.fields import At, Id, count
from service.api.routes import Asked, Routes
from service.api.schemas import Strict
from service.domain.access import ADMINISTERING, SETTING_UP, allows
from service.usecases import outbox

routes = Routes("messages", "What workers are to carry out: assessments and notices. Names nobody.")

STATES = ("pending", "done", "superseded", "dead", "dropped")


class MessageFilter(Strict):
    state = fields.List(
        fields.String(validate=validate.OneOf(STATES)), load_default=("pending", "dead"), attribute="states"
    )
    limit = count(1, 500, load_default=200)


class Message(Strict):
    id = Id()
    topic = fields.String()
    state = fields.String(metadata={"enum": list(STATES)})
    attempts = fields.Integer()
    not_before = At()
    is_taken = fields.Boolean()
    last_error = fields.String(allow_none=True)
    created_at = At()
    done_at = At(allow_none=True)


@routes.on("GET", takes=MessageFilter, gives=Message(many=True))
@allows(SETTING_UP)
def listed(asked: Asked) -> list[outbox.Message]:
    """Those that wait and those that were given up, or of the states named; the oldest first."""
    return outbox.listed(states=tuple(asked["states"]), limit=asked["limit"], by=g.actor, now=g.now)


@routes.on("POST", "/<id:message>/retry", status=204)
@allows(SETTING_UP)
def retry(message: str) -> None:
    """Try it now."""
    outbox.retry(message=message, by=g.actor, now=g.now)


@routes.on("POST", "/<id:message>/drop", status=204)
@allows(ADMINISTERING)
def drop(message: str) -> None:
    """Never carry it out."""
    outbox.drop(message=message, by=g.actor, now=g.now)
