"""JSON under /api/v1. Each route parses what was asked, calls one use-case, and answers with what came back."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify

from service.config import Settings


def open_doors(app: Flask, settings: Settings) -> None:
    """Register every route for programs."""


def say_no(*, status: int, title: str, message: str, where: str | None, more: Mapping[str, Any]) -> Response:
    """A problem detail (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": message, **more}
    if where:
        body["where"] = where
    answer = jsonify(body)
    answer.status_code, answer.content_type = status, "application/problem+json"
    return answer
