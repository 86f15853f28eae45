"""Single hours: book, move, cancel, take up again, mark, tell; and the list that boards show."""

from datetime import timedelta
from typing import Any

from flask import g
from marshmallow import ValidationError, fields, post_load, validates_schema

from service.api.fields import At, Day, Id, Local, Text, Words, count, many, one_of
from service.api.routes import Asked, Routes, if_version
from service.api.schemas import Clash, Doubt, Strict
from service.domain.access import CLINICAL, allows
from service.domain.appointment import Initiator, Mark, Place, Status
from service.domain.signals import Level
from service.domain.standing import Modality
from service.usecases import appointments, moves

routes = Routes("appointments", "One dated hour, filling a slot of a standing or alone.")

LONGEST_SPAN = timedelta(days=100)


class Span(Strict):
    since = Day(required=True)
    until = Day(required=True, metadata={"description": "Excluded; at most 100 days after `since`."})
    therapist = many(Id(), most=200, load_default=None, attribute="therapists")
    site = Id(load_default=None)

    @validates_schema
    def in_bounds(self, values: Asked, **_more: Any) -> None:
        if not timedelta() < values["until"] - values["since"] <= LONGEST_SPAN:
            raise ValidationError("It is 1 to 100 days after `since`.", "until")


class Booking(Strict):
    course = Id(required=True)
    starts = Local(required=True)
    minutes = count(5, 720, load_default=50)
    therapist = Id(required=True)
    room = Id(load_default=None, allow_none=True)
    modality = one_of(Modality, load_default=Modality.IN_PERSON)
    reason = Text(
        longest=500,
        load_default=None,
        allow_none=True,
        metadata={"description": "Why, where something speaks against."},
    )
    overlap_reason = Text(
        longest=500,
        load_default=None,
        allow_none=True,
        metadata={"description": "Why it may lie over another hour, as in supervision."},
    )

    @post_load
    def placed(self, values: Asked, **_more: Any) -> Asked:
        return _gathered(values, "place", Place, ("starts", "minutes", "therapist", "room", "modality"))


class MoveAppointment(Strict):
    """What is left out stays as it is."""

    starts = Local(load_default=None, allow_none=True)
    minutes = count(5, 720, load_default=None, allow_none=True)
    therapist = Id(load_default=None, allow_none=True)
    room = Id(load_default=None, allow_none=True)
    modality = one_of(Modality, load_default=None, allow_none=True)
    asked_by = one_of(Initiator, required=True)
    reason = fields.String(required=True, metadata={"enum": list(appointments.REASONS)})
    is_told = fields.Boolean(load_default=True, metadata={"description": "The client knows."})
    override = Text(longest=500, load_default=None, allow_none=True)

    @post_load
    def placed(self, values: Asked, **_more: Any) -> Asked:
        where = ("starts", "minutes", "therapist", "room", "modality")
        return _gathered(values, "to", appointments.Destination, where)


class PreviewMove(Strict):
    """What is left out stays as it is."""

    starts = Local(load_default=None, allow_none=True)
    minutes = count(5, 720, load_default=None, allow_none=True)
    therapist = Id(load_default=None, allow_none=True)
    room = Id(load_default=None, allow_none=True)
    modality = one_of(Modality, load_default=None, allow_none=True)

    @post_load
    def placed(self, values: Asked, **_more: Any) -> appointments.Destination:
        return appointments.Destination(**values)


class PlaceSchema(Strict):
    starts = Local()
    minutes = fields.Integer()
    therapist = Id()
    room = Id(allow_none=True)
    modality = one_of(Modality)


class Gaps(Strict):
    before = fields.Float(allow_none=True, metadata={"description": "Days since the session before."})
    after = fields.Float(allow_none=True)


class SignalWord(Strict):
    id = fields.String()
    level = one_of(Level)
    text = Words()


class Offer(Strict):
    starts = Local()
    score = fields.Float(metadata={"description": "Points; lower is better."})
    parts = fields.Dict()
    index = fields.Float(allow_none=True)


class Effect(Strict):
    place = fields.Nested(PlaceSchema)
    is_move = fields.Boolean()
    clashes = fields.List(fields.Nested(Clash))
    doubts = fields.List(fields.Nested(Doubt))
    gaps_now = fields.Nested(Gaps)
    gaps_then = fields.Nested(Gaps)
    index_now = fields.Float(allow_none=True)
    index_then = fields.Float(allow_none=True)
    own = fields.Nested(Offer, allow_none=True)
    raised = fields.List(fields.Nested(SignalWord))
    cleared = fields.List(fields.Nested(SignalWord))
    offers = fields.List(fields.Nested(Offer), metadata={"description": "Free hours nearby, best first."})


class CancelAppointment(Strict):
    asked_by = one_of(Initiator, required=True)
    reason = fields.String(required=True, metadata={"enum": list(appointments.REASONS)})
    as_break = fields.Boolean(load_default=False, metadata={"description": "An agreed break, not a cancellation."})
    is_told = fields.Boolean(load_default=True)


class UncancelAppointment(Strict):
    override = Text(longest=500, load_default=None, allow_none=True)


class Marking(Strict):
    mark = one_of(Mark, required=True)
    at = Local(exact=True, load_default=None, allow_none=True, metadata={"description": "Local; now if left out."})
    finished = Local(
        exact=True, load_default=None, allow_none=True, metadata={"description": "Local; when it ended, if known."}
    )
    late_by = one_of(Initiator, load_default=None, allow_none=True)


class Told(Strict):
    told_at = At(load_default=None, allow_none=True, metadata={"description": "An instant; now if left out."})


class Booked(Strict):
    id = Id()
    version = fields.Integer()
    course = Id()
    standing = Id(allow_none=True)
    slot = Local(allow_none=True)
    starts = Local()
    ends = Local()
    minutes = fields.Integer()
    zone = fields.String()
    starts_at = At()
    therapist = Id()
    therapist_name = fields.String()
    room = Id(allow_none=True)
    room_name = fields.String(allow_none=True)
    modality = one_of(Modality)
    status = one_of(Status)
    by = one_of(Initiator, allow_none=True)
    clients = fields.List(Id())
    names = fields.List(fields.String())
    initials = fields.String()
    began = Local(allow_none=True)
    finished = Local(allow_none=True)
    is_moved = fields.Boolean()
    is_at_risk = fields.Boolean(metadata={"description": "Booked into a known absence."})
    is_told = fields.Boolean(metadata={"description": "False while the client does not know of its last change."})


class Version(Strict):
    version = fields.String()


@routes.on("GET", takes=Span, gives=Booked(many=True))
@allows(CLINICAL)
def listed(asked: Asked) -> list[appointments.Booked]:
    """Every hour of the days, for the therapists named or all; a therapist sees their own."""
    return appointments.board(**asked, by=g.actor)


@routes.on("GET", "/version", gives=Version)
@allows(CLINICAL)
def version() -> Asked:
    """Changes whenever anything in the list does: cheap to ask for every few seconds, with `If-None-Match`."""
    return {"version": appointments.board_version(by=g.actor)}


@routes.on("GET", "/unmarked", gives=Booked(many=True))
@allows(CLINICAL)
def unmarked() -> list[appointments.Booked]:
    """Hours of the last two weeks that are over and carry no mark, oldest first."""
    return appointments.unmarked(by=g.actor, now=g.now)


@routes.on("POST", takes=Booking, gives=Booked, status=201)
@allows(CLINICAL)
def book(asked: Asked) -> appointments.Booked:
    """Book a single hour outside any standing."""
    return appointments.book(**asked, by=g.actor, now=g.now)


@routes.on("GET", "/<id:appointment>", gives=Booked)
@allows(CLINICAL)
def show(appointment: str) -> appointments.Booked:
    """One hour."""
    return appointments.show(appointment_id=appointment, by=g.actor)


@routes.on("POST", "/<id:appointment>/preview-move", takes=PreviewMove, gives=Effect)
@allows(CLINICAL)
def preview_move(to: appointments.Destination, appointment: str) -> moves.Effect:
    """What moving this one hour would do. Nothing is written."""
    return moves.preview(appointment_id=appointment, to=to, by=g.actor, now=g.now)


@routes.on("POST", "/<id:appointment>/move", takes=MoveAppointment, gives=Booked, checks_version=True)
@allows(CLINICAL)
def move(asked: Asked, appointment: str) -> appointments.Booked:
    """Move this one hour; its standing and every other date stay as they are."""
    return appointments.move(appointment_id=appointment, **asked, if_version=if_version(), by=g.actor, now=g.now)


@routes.on("POST", "/<id:appointment>/cancel", takes=CancelAppointment, gives=Booked, checks_version=True)
@allows(CLINICAL)
def cancel(asked: Asked, appointment: str) -> appointments.Booked:
    """This hour will not take place, and is free for somebody else."""
    return appointments.cancel(appointment_id=appointment, **asked, if_version=if_version(), by=g.actor, now=g.now)


@routes.on("POST", "/<id:appointment>/move-back", gives=Booked)
@allows(CLINICAL)
def move_back(appointment: str) -> appointments.Booked:
    """Take a move of the last three minutes back, if its old place is still free: as if it had never been made."""
    return appointments.move_back(appointment_id=appointment, by=g.actor, now=g.now)


@routes.on("POST", "/<id:appointment>/uncancel", takes=UncancelAppointment, gives=Booked, checks_version=True)
@allows(CLINICAL)
def uncancel(asked: Asked, appointment: str) -> appointments.Booked:
    """Take a cancelled hour up again, if its place is still free."""
    return appointments.uncancel(appointment_id=appointment, **asked, if_version=if_version(), by=g.actor, now=g.now)


@routes.on("POST", "/<id:appointment>/mark", takes=Marking, gives=Booked, checks_version=True)
@allows(CLINICAL)
def mark(asked: Asked, appointment: str) -> appointments.Booked:
    """Note what happened: arrived, held, late, no_show, late_not_seen; `unmarked` takes it back."""
    return appointments.mark(appointment_id=appointment, **asked, if_version=if_version(), by=g.actor, now=g.now)


@routes.on("POST", "/<id:appointment>/tell", takes=Told, gives=Booked)
@allows(CLINICAL)
def tell(asked: Asked, appointment: str) -> appointments.Booked:
    """The client has been told of what changed."""
    return appointments.tell(appointment_id=appointment, **asked, by=g.actor, now=g.now)


def _gathered(values: Asked, name: str, kind: Any, parts: tuple[str, ...]) -> Asked:
    """The values with those parts gathered in one value of that kind, under that name."""
    rest = {key: value for key, value in values.items() if key not in parts}
    return {**rest, name: kind(**{part: values[part] for part in parts})}
