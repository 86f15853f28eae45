"""The one whom this request answers: what a page or a door shows is said in their language."""

from flask import Flask, g

from service.domain.phrase import PLAIN, Speaker, Value, said
from service.language import templates


def speaker() -> Speaker:
    """Theirs; plain English where nobody asks."""
    found: Speaker = g.get("speaker", PLAIN)
    return found


def tell(value: Value) -> str:
    """In their words."""
    return said(value, speaker())


def teach(app: Flask) -> None:
    """Let the pages speak."""
    templates.teach(app.jinja_env, speaker)
