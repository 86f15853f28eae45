"""Calendars that people subscribe to on their phones: read-only, one secret address each, no client named unasked."""

from flask import Flask, Response, make_response

from service.config import Settings
from service.feeds import routes
from service.feeds.front_door import stand_before

__all__ = ["open_doors", "say_no", "stand_before"]


def open_doors(app: Flask, _settings: Settings) -> None:
    """Register the feeds' route."""
    routes.register(app)


def say_no(*, status: int, title: str) -> Response:
    """A plain answer for calendar programs: never a page, never an empty calendar, never a redirect."""
    # Whatever broke, a calendar program is to come again and keep what it has until then.
    status = 503 if status >= 500 else status
    answer = make_response(f"{title}\n", status)
    answer.content_type = "text/plain; charset=utf-8"
    answer.headers["X-Robots-Tag"] = "noindex"
    if status == 503:
        answer.headers["Retry-After"] = "60"
    return answer
