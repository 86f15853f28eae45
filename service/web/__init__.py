"""Pages. Each parses what was asked, calls one use-case, and shows what came back."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, make_response, render_template

from service.config import Settings


def open_doors(app: Flask, settings: Settings) -> None:
    """Register every page."""


def say_no(*, status: int, title: str, message: str, where: str | None, more: Mapping[str, Any]) -> Response:
    """A page that says what happened, that nothing was lost, and what to do."""
    return make_response(
        render_template("error.html", status=status, title=title, message=message, where=where, more=more), status
    )
