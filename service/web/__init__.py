"""Pages. Each parses what was asked, calls one use-case, and shows what came back."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, Response, g, make_response, render_template

from service.config import Settings
from service.web import (
    alerts,
    calendars,
    client_mail,
    courses,
    frame,
    front_desk,
    me,
    messages,
    outside,
    people,
    rules,
    sign_in,
    webhooks,
)

PAGES: tuple[Blueprint, ...] = (
    sign_in.pages,
    front_desk.pages,
    courses.pages,
    alerts.pages,
    rules.pages,
    calendars.pages,
    outside.pages,
    people.pages,
    me.pages,
    messages.pages,
    webhooks.pages,
    client_mail.pages,
)
"""One blueprint for each kind of reader; a page that is in none of them is on no address."""


def open_doors(app: Flask, settings: Settings) -> None:
    """Register every page."""
    for pages in PAGES:
        app.register_blueprint(pages)
    sign_in.limit(app, settings)
    frame.put_around(app, settings)


def say_no(*, status: int, title: str, message: str, where: str | None, more: Mapping[str, Any]) -> Response:
    """A page that says what happened, that nothing was lost, and what to do."""
    # Where the store does not answer, the frame can't be drawn either: it asks for the sites.
    g.is_bare = status >= 500
    return make_response(
        render_template("error.html", status=status, title=title, message=message, field=where, more=more), status
    )
