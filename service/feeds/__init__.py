"""Calendars that people subscribe to on their phones: read-only, one secret address each, no client named unasked."""

from flask import Flask, Response, make_response

from service.config import Settings


def open_doors(app: Flask, settings: Settings) -> None:
    """Register the feeds' route."""


def say_no(*, status: int, title: str) -> Response:
    """A plain answer for calendar programs: never a page, never an empty calendar, never a redirect."""
    answer = make_response(f"{title}\n", status)
    answer.content_type = "text/plain; charset=utf-8"
    if status == 503:
        answer.headers["Retry-After"] = "60"
    return answer
