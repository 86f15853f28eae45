"""The OpenAPI document of all that stands under /api/v1, and a page to read and try it on."""

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, g, make_response, render_template, send_from_directory
from flask_smorest import Api

from service.api import events
from service.api.fields import Clock, Id
from service.api.problems import CONTENT_TYPE
from service.api.routes import Routes
from service.api.schemas import Problem
from service.domain.access import PUBLIC, allows

_HERE = Path(__file__).parent
_ABOUT = """Standing appointments for talk-therapy clinics.

Local times (`2026-03-03T10:00`) are times on the wall of the site, in its zone; instants end in `Z`. Whatever carries a
`version` carries it in its `ETag` too: send it back as `If-Match` and a change that somebody made in between is not
overwritten. A POST with an `Idempotency-Key` can be sent again without harm. Every refusal is a problem detail
(RFC 9457), and nothing was changed. What is not yours to see is answered 404.

Sentences for people (`title`, `detail`, `text` and the like) are in the language that the user chose, else in the one
that `Accept-Language` asks for, else in English; `Content-Language` says which. Names, kinds and paths are the same in
every language, and so are the messages in `errors`, which speak to whoever writes the program."""


class Document(Api):  # type: ignore[misc]  # it brings no types
    """flask-smorest's, with our own refusals in place of its own."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """The app says no in one place for all doors."""

    def _register_responses(self) -> None:
        refused = {"description": "Refused", "content": {CONTENT_TYPE: {"schema": Problem}}}
        invalid = {"description": "A value is not valid", "content": {CONTENT_TYPE: {"schema": Problem}}}
        self.spec.components.response("DEFAULT_ERROR", refused, lazy=True)
        self.spec.components.response("UNPROCESSABLE_ENTITY", invalid, lazy=True)
        self.spec.components.response("UNPROCESSABLE_CONTENT", invalid, lazy=True)


def document(app: Flask, nouns: list[Routes]) -> Document:
    """Register the nouns' routes and say what they are."""
    app.config.update(API_TITLE="samehour", API_VERSION="v1", OPENAPI_VERSION="3.0.3")
    described = Document(
        app,
        spec_kwargs={
            "info": {"description": _ABOUT, "license": {"name": "Apache-2.0"}},
            "x-webhooks": events.webhooks(),
            "security": [{"token": []}, {"cookie": [], "csrf": []}],
        },
    )
    schemes = described.spec.components
    schemes.security_scheme("token", {"type": "http", "scheme": "bearer"})
    schemes.security_scheme("cookie", {"type": "apiKey", "in": "cookie", "name": "__Host-samehour"})
    schemes.security_scheme("csrf", {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"})
    described.register_field(Id, "string", "uuid")
    described.register_field(Clock, "string", None)
    events.describe(described.spec)
    for noun in nouns:
        app.register_blueprint(noun)
        noun.register_views_in_doc(described, app, described.spec, name=noun.name, parameters=None)
        described.spec.tag({"name": noun.noun, "description": noun.description})
    app.register_blueprint(_pages(described))
    return described


def as_text(app: Flask) -> str:
    """The document as it stands in docs/openapi.json."""
    described: Any = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return json.dumps(described.spec.to_dict(), indent=2, ensure_ascii=False) + "\n"


def _pages(described: Document) -> Blueprint:
    pages = Blueprint("document", __name__, url_prefix="/api/v1", template_folder="pages")

    @pages.get("/openapi.json")
    @allows(PUBLIC)
    def openapi() -> Response:
        response = make_response(described.spec.to_dict())
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    @pages.get("/docs")
    @allows(PUBLIC)
    def docs() -> str:
        return render_template("docs.html", csrf_token=g.csrf_token)

    @pages.get("/docs.js")
    @allows(PUBLIC)
    def script() -> Response:
        return send_from_directory(_HERE / "pages", "docs.js", max_age=300)

    return pages
