"""Shapes that several nouns share. Each noun's own stand beside its routes."""

from marshmallow import RAISE, Schema, fields

from service.api.fields import Clock, Id, Words, one_of
from service.domain.hours import Weekday


class Strict(Schema):
    """A field that is not known is refused: nothing is set that the route does not name."""

    class Meta:
        unknown = RAISE


class Nothing(Strict):
    """No body, or an empty one."""


class Added(Strict):
    id = Id(required=True)


class HourOfWeek(Strict):
    day = one_of(Weekday, required=True, metadata={"example": "TU"})
    at = Clock(required=True, metadata={"example": "10:00"})


class Clash(Strict):
    """Who is held, by what, when."""

    kind = fields.String(metadata={"enum": ["therapist", "room", "client"]})
    who = Id()
    name = fields.String(metadata={"description": "Empty for a client."})
    starts = fields.String(metadata={"example": "2026-03-03T10:00"})
    ends = fields.String(metadata={"example": "2026-03-03T10:50"})
    appointment = Id(allow_none=True)


class Doubt(Strict):
    """What speaks against a time without forbidding it."""

    kind = fields.String(metadata={"enum": ["absence", "hours", "elsewhere", "clock_change"]})
    text = Words()
    absence = Id(allow_none=True)


class WrongValue(Strict):
    where = fields.String(metadata={"example": "proposal.hours[0].at"})
    message = fields.String()


class Problem(Strict):
    """A problem detail (RFC 9457). Nothing was changed."""

    type = fields.String(metadata={"example": "about:blank"})
    title = fields.String(metadata={"example": "That hour is taken"})
    status = fields.Integer(metadata={"example": 409})
    detail = fields.String(metadata={"description": "What happened and what to do, for a person."})
    where = fields.String(metadata={"description": "Path of the value at fault.", "example": "proposal.hours[0].at"})
    errors = fields.List(fields.Nested(WrongValue), metadata={"description": "On 422: every value at fault."})
    clashes = fields.List(fields.Nested(Clash), metadata={"description": "On 409: what is in the way."})
    free = fields.List(fields.String(), metadata={"description": "On 409: starts near the wanted one that are free."})
    doubts = fields.List(fields.Nested(Doubt), metadata={"description": "On 409: what a reason would have to answer."})
    version = fields.Integer(metadata={"description": "On 409 and 412: the version that is there now."})
