"""Therapists and when they work."""

from typing import Any

from flask import g
from marshmallow import fields, post_load

from service.api.fields import Clock, Id, Text, many, one_of
from service.api.routes import Asked, Routes
from service.api.schemas import Added, Strict
from service.domain.access import SETTING_UP, SIGNED_IN, allows
from service.domain.hours import Weekday
from service.usecases import people

routes = Routes("therapists", "Therapists, the sites they work at, and when.")


class Hours(Strict):
    site = Id(required=True)
    day = one_of(Weekday, required=True)
    begins = Clock(required=True, metadata={"example": "09:00"})
    ends = Clock(required=True, metadata={"example": "17:00"})

    @post_load
    def as_value(self, values: Asked, **_more: Any) -> people.WorkingHours:
        return people.WorkingHours(**values)


class NewTherapist(Strict):
    name = Text(required=True, longest=120)
    site = Id(required=True)
    hours = many(fields.Nested(Hours), most=100, load_default=tuple)


class Week(Strict):
    hours = many(fields.Nested(Hours), most=100, required=True)


class Therapist(Strict):
    id = Id()
    name = fields.String()
    site = Id()
    zone = fields.String()
    is_active = fields.Boolean()
    hours = fields.List(fields.Nested(Hours))


@routes.on("GET", gives=Therapist(many=True))
@allows(SIGNED_IN)
def listed() -> list[people.Therapist]:
    """Every therapist with their working hours, by name."""
    return people.therapists(by=g.actor)


@routes.on("POST", takes=NewTherapist, gives=Added, status=201)
@allows(SETTING_UP)
def add(asked: Asked) -> Asked:
    """Add a therapist."""
    return {"id": people.add_therapist(**asked, by=g.actor, now=g.now)}


@routes.on("PUT", "/<id:therapist>/working-hours", takes=Week, status=204)
@allows(SETTING_UP)
def set_working_hours(asked: Asked, therapist: str) -> None:
    """Replace the working hours of a therapist."""
    people.set_working_hours(therapist=therapist, hours=asked["hours"], by=g.actor, now=g.now)
