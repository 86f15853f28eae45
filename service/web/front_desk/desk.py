"""The front desk's one blueprint, and what its pages have in common."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Blueprint, g, make_response, render_template
from werkzeug.wrappers import Response

from service.domain.refusals import Conflict, Malformed, Refusal
from service.usecases import people
from service.web import frame

pages = Blueprint("front_desk", __name__)

FIXABLE = (Malformed, Conflict)
"""Refusals that the person at the form can do something about; it is shown again, with what was typed."""


def show_again(template: str, refusal: Refusal, **values: Any) -> Response:
    """The form as it was sent, with what stands in its way."""
    status = 422 if isinstance(refusal, Malformed) else 409
    return make_response(render_template(template, problem=refusal, **values), status)


def places() -> Mapping[str, Sequence[Any]]:
    """Therapists and rooms to choose from: those of the site at hand first, and only whoever works here now."""
    site = frame.here().site
    therapists = [one for one in people.therapists(by=g.actor) if one.is_active]
    rooms = [one for one in people.rooms(by=g.actor) if one.is_active]
    if site is not None:
        therapists.sort(key=lambda one: one.site != site.id)
        rooms.sort(key=lambda one: one.site != site.id)
    return {"therapists": therapists, "rooms": rooms}


def at_site(found: Iterable[Any]) -> list[Any]:
    """Those of the therapists or rooms that belong to the site at hand."""
    site = frame.here().site
    return [one for one in found if site is None or one.site == site.id]
