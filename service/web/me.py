"""What a person sets for themselves: in which language samehour speaks to them."""

from flask import Blueprint, g
from werkzeug.wrappers import Response

from service.domain.access import SIGNED_IN, allows
from service.usecases import people
from service.web import fields, frame

pages = Blueprint("me", __name__)


@pages.post("/me/language")
@allows(SIGNED_IN)
def choose_language() -> Response:
    """From the next page on; empty for whatever the browser asks for."""
    people.set_locale(locale=fields.text("locale") or None, by=g.actor, now=g.now)
    return frame.go(frame.back_to("/"), said="language set")
