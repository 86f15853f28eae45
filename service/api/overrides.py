"""Exceptions from the rules."""

from typing import Any

from flask import g
from marshmallow import ValidationError, fields, validate

from service.api.fields import At, Day, Id, Text, one_of
from service.api.routes import Asked, Routes
from service.api.schemas import Strict
from service.domain.access import ALERTS, allows
from service.usecases import overrides

routes = Routes(
    "overrides",
    "Exceptions from the rules, agreed for the clinic, for one therapist's courses, or for one course: the narrowest "
    "holds.",
)


class Value(fields.Field[float | str]):
    """A number, or a word: `off` and `on` for a rule, the name of a preset."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> float | str:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValidationError("It is a number or a word.")
        if isinstance(value, str) and not 1 <= len(value) <= LONGEST_WORD:
            raise ValidationError(f"A word has 1 to {LONGEST_WORD} letters.")
        return value


LONGEST_WORD = 40
EITHER = {"anyOf": [{"type": "number"}, {"type": "string"}], "example": 2.0}


def values_of(**more: Any) -> fields.Dict:
    """Names and what they are set to."""
    return fields.Dict(
        keys=fields.String(validate=validate.Length(1, LONGEST_WORD)),
        values=Value(metadata=EITHER),
        validate=validate.Length(min=1, max=overrides.MANY),
        metadata={
            "description": "Thresholds and their numbers; rules and `off` or `on`; `preset` and its name.",
            "example": {"gap_watch": 2.0},
        },
        **more,
    )


class Filter(Strict):
    course = Id(load_default=None)
    therapist = Id(load_default=None)


class Override(Strict):
    id = Id()
    scope = one_of(overrides.Scope)
    course = Id(allow_none=True)
    therapist = Id(allow_none=True)
    therapist_name = fields.String()
    name = fields.String(metadata={"example": "gap_watch"})
    value = Value(metadata=EITHER)
    reason = fields.String()
    author = fields.String()
    until = Day(metadata={"description": "The first day that it no longer holds."})
    made_at = At()
    is_in_force = fields.Boolean()


class AgreeOverride(Strict):
    values = values_of(required=True)
    reason = Text(required=True, longest=overrides.LONGEST_REASON)
    until = Day(required=True, metadata={"description": "The first day that it no longer holds."})
    course = Id(load_default=None, allow_none=True)
    therapist = Id(load_default=None, allow_none=True)


@routes.on("GET", takes=Filter, gives=Override(many=True))
@allows(ALERTS)
def listed(asked: Asked) -> list[overrides.Agreed]:
    """What holds for the course, else for the therapist's courses, else for the clinic; the broadest first."""
    return overrides.listed(**asked, by=g.actor, now=g.now)


@routes.on("POST", takes=AgreeOverride, gives=Override(many=True), status=201)
@allows(ALERTS)
def agree(asked: Asked) -> list[overrides.Agreed]:
    """Agree on these together: for the course, else for the therapist's courses, else for the clinic."""
    return overrides.set(**asked, by=g.actor, now=g.now)


@routes.on("POST", "/<id:override>/lift", status=204)
@allows(ALERTS)
def lift(override: str) -> None:
    """It holds no more, from now on."""
    overrides.lift(override=override, by=g.actor, now=g.now)
