"""The rules, and what other numbers would have told."""

from flask import g
from marshmallow import fields

from service.api.fields import Day, Id, Words, one_of
from service.api.overrides import EITHER, Value, values_of
from service.api.routes import Asked, Routes
from service.api.schemas import Strict
from service.domain.access import CLINICAL, MANAGING, allows
from service.domain.signals import Level
from service.usecases import rules, what_if

routes = Routes("rules", "The rules: what they mean, what speaks for and against them, and the numbers in force.")


class Threshold(Strict):
    name = fields.String(metadata={"example": "gap_watch"})
    meaning = Words()
    value = fields.Float(metadata={"description": "In force for the clinic."})
    standard = fields.Float()


class Example(Strict):
    letters = fields.String(metadata={"description": "One letter a slot.", "example": "HHHHHHHHcc|S"})
    note = Words()
    level = one_of(Level, allow_none=True)
    text = Words()


class Rule(Strict):
    name = fields.String(attribute="rule.name")
    ids = fields.List(fields.String(), attribute="rule.ids")
    title = Words(attribute="rule.title")
    definition = fields.List(Words(), attribute="rule.definition")
    is_not = Words(attribute="rule.is_not")
    evidence = Words(attribute="rule.evidence", metadata={"description": "With what speaks against it."})
    labels = fields.Dict(
        keys=fields.String(), values=fields.String(metadata={"enum": ["moderate", "code", "convention"]})
    )
    thresholds = fields.List(fields.Nested(Threshold))
    examples = fields.Dict(keys=fields.String(), values=fields.List(fields.Nested(Example)), attribute="worked")
    off = fields.List(fields.String(), metadata={"description": "Switched off for the clinic."})


class Relaxation(Strict):
    name = fields.String()
    value = Value(metadata=EITHER)
    text = Words()


class Usefulness(Strict):
    rule = fields.String()
    useful = fields.Integer()
    not_useful = fields.Integer()
    handled = fields.Integer()
    n = fields.Integer()
    rate = fields.Float(allow_none=True)
    proposal = fields.Nested(Relaxation, allow_none=True)


class TryRules(Strict):
    values = values_of(required=True)
    therapist = Id(load_default=None, allow_none=True)


class AlertIf(Strict):
    course = Id()
    names = fields.List(fields.String())
    therapist_name = fields.String()
    signal = fields.String()
    level = one_of(Level)
    on = Day()
    text = Words()


class WhatIf(Strict):
    since = Day()
    until = Day()
    rules = fields.List(fields.String(), metadata={"description": "Those in which the numbers have a say."})
    courses = fields.Integer(metadata={"description": "How many were looked at."})
    before = fields.Integer(metadata={"description": "Alerts with the numbers in force."})
    after = fields.Integer(metadata={"description": "Alerts with the numbers tried."})
    before_act = fields.Integer()
    after_act = fields.Integer()
    gone = fields.List(fields.Nested(AlertIf), metadata={"description": "The latest of those that would be gone."})
    new = fields.List(fields.Nested(AlertIf))
    gone_count = fields.Integer()
    new_count = fields.Integer()


@routes.on("GET", gives=Rule(many=True))
@allows(CLINICAL)
def listed() -> list[rules.Explained]:
    """Every rule, in the order in which they are asked."""
    return rules.explained(by=g.actor, now=g.now)


@routes.on("GET", "/usefulness", gives=Usefulness(many=True))
@allows(MANAGING)
def usefulness() -> list[rules.Usefulness]:
    """What people said of the rules' alerts, the least useful first."""
    return rules.usefulness(by=g.actor, now=g.now)


@routes.on("POST", "/what-if", takes=TryRules, gives=WhatIf)
@allows(MANAGING)
def ask_what_if(asked: Asked) -> what_if.Answer:
    """What the last ninety days would have told with these numbers. Nothing is set."""
    return what_if.ask(**asked, by=g.actor, now=g.now)
