"""Outside calendars: what a therapist lives by elsewhere, read so that nobody books over it."""

from flask import g
from marshmallow import fields

from service.api.fields import At, Id, Local, Text
from service.api.routes import Asked, Routes
from service.api.schemas import Strict
from service.domain.access import ALERTS, CLINICAL, allows
from service.domain.outside import FAULTS, LEFT_OUT
from service.domain.web_address import LONGEST
from service.usecases import outside

routes = Routes(
    "outside-calendars",
    "Calendars that therapists live by elsewhere, read about every half hour. Only when somebody is busy is "
    "kept. To book over it needs a reason; it is never a clash.",
)


class NewOutsideCalendar(Strict):
    name = Text(required=True, shortest=1, longest=120, metadata={"example": "Home"})
    url = Text(
        required=True,
        shortest=1,
        longest=LONGEST,
        metadata={
            "description": "https or webcal. It is kept sealed and never given back.",
            "example": "https://calendar.example.com/private.ics",
        },
    )
    therapist = Id(load_default=None, allow_none=True, metadata={"description": "Oneself where it is left out."})


class RenameOutsideCalendar(Strict):
    name = Text(required=True, shortest=1, longest=120)


class OutsideCalendar(Strict):
    id = Id()
    name = fields.String()
    therapist = Id()
    therapist_name = fields.String()
    host = fields.String(metadata={"description": "The machine that keeps it: all that is shown of its address."})
    made_by = fields.String()
    created_at = At()
    tried_at = At(allow_none=True)
    read_at = At(allow_none=True, metadata={"description": "When it was read, or said that nothing has changed."})
    next_at = At(allow_none=True, metadata={"description": "Null while it is not read."})
    busy = fields.Integer(metadata={"description": "Busy times from now on; those that touch are one."})
    left_out = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": f"How many entries could not be read, by reason: {', '.join(LEFT_OUT)}."},
    )
    fault = fields.String(
        allow_none=True,
        metadata={"description": "Why the last reading failed; what it said before is kept.", "enum": [*FAULTS, None]},
    )
    failures = fields.Integer(metadata={"description": "In a row."})
    is_lived = fields.Boolean(metadata={"description": "False where the therapist's account has ended."})


class BusyFilter(Strict):
    since = Local(required=True)
    until = Local(required=True)
    zone = Text(required=True, longest=64, metadata={"example": "Europe/Berlin"})


class BusyElsewhere(Strict):
    therapist = Id()
    therapist_name = fields.String()
    since = Local(exact=True)
    until = Local(exact=True)


class NewId(Strict):
    id = Id()


@routes.on("GET", gives=OutsideCalendar(many=True))
@allows(ALERTS)
def listed() -> list[outside.Calendar]:
    """One's own, in order of creation; a manager sees everybody's."""
    return outside.listed(by=g.actor, now=g.now)


@routes.on("POST", takes=NewOutsideCalendar, gives=NewId, status=201)
@allows(ALERTS)
def create(asked: Asked) -> Asked:
    """Have a calendar read from now on: one's own, or for managers anybody's."""
    made = outside.create(
        **asked, public_url=g.public_url, own_network=g.calendars_from_own_network, by=g.actor, now=g.now
    )
    return {"id": made}


@routes.on("GET", "/busy", takes=BusyFilter, gives=BusyElsewhere(many=True))
@allows(CLINICAL)
def busy(asked: Asked) -> list[outside.Elsewhere]:
    """When therapists are busy elsewhere, on the wall of a zone; a therapist sees themselves."""
    return outside.elsewhere(**asked, by=g.actor)


@routes.on("PATCH", "/<id:calendar>", takes=RenameOutsideCalendar, status=204)
@allows(ALERTS)
def rename(asked: Asked, calendar: str) -> None:
    """Call it otherwise."""
    outside.rename(calendar=calendar, **asked, by=g.actor, now=g.now)


@routes.on("DELETE", "/<id:calendar>", status=204)
@allows(ALERTS)
def remove(calendar: str) -> None:
    """Read it no more, and forget its address and all that it said."""
    outside.remove(calendar=calendar, by=g.actor, now=g.now)


@routes.on("POST", "/<id:calendar>/read", status=202)
@allows(ALERTS)
def read_now(calendar: str) -> None:
    """Have it read at once; how that went shows in the list a few seconds later."""
    outside.read_now(calendar=calendar, by=g.actor, now=g.now)
