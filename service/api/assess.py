"""A course file in, its index and signals out: what `samehour assess` does, by the same code."""

from typing import Any

from flask import request
from marshmallow import Schema, fields

from service.api.routes import Routes
from service.domain.access import SIGNED_IN, allows
from service.domain.signals import Limits
from service.files import course_file

routes = Routes("assess", "Check a rule or report a fault with a course file; nothing is kept, and no client is named.")


class Assessment(Schema):
    index = fields.Dict()
    signals = fields.List(fields.Dict())
    metrics = fields.Dict()
    ranking = fields.List(fields.Dict())


@routes.on("POST", reads="A course file, as docs/course.schema.json describes it.", gives=Assessment)
@allows(SIGNED_IN)
def assess() -> dict[str, Any]:
    """The course's index, signals, plain numbers and ranking as of its own `now`."""
    return course_file.judge(course_file.parse(request.get_data()), limits=Limits())
