"""What every route for programs has in common: how a body is read, versions in `ETag` and `If-Match`, and
`Idempotency-Key`; and that the document says so.
"""

import functools
import json
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, g, make_response, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.wrappers import Response as AnyResponse

from service.api.problems import say_no
from service.api.schemas import Nothing
from service.domain.phrase import say
from service.domain.refusals import Malformed, Stale
from service.language.reader import tell
from service.usecases import idempotency

Asked = dict[str, Any]
"""What a request asked for, checked and in the domain's own types."""
View = TypeVar("View", bound=Callable[..., Any])
Shape = type[Schema] | Schema


class Parser(FlaskParser):
    """Reads JSON strictly: what it can't read is 400, another content type 415, an unknown name in the address 422."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}  # noqa: RUF012

    def _raw_load_json(self, req: Any) -> Any:
        text = req.get_data(cache=True)
        if not text:
            return core.missing
        if not core.is_json(req.mimetype):
            raise UnsupportedMediaType
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        # Numbers of thousands of digits and thousands of nested brackets are no JSON errors to Python.
        except (ValueError, RecursionError):
            raise BadRequest from None


class Routes(Blueprint):  # type: ignore[misc]  # it brings no types
    """The routes of one noun: `@routes.on("POST", …)` on top, `@allows(…)` below."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, noun: str, description: str) -> None:
        # Pages have the nouns too, and names of blueprints must differ.
        super().__init__(f"api_{noun}", f"{__package__}.{noun}", url_prefix=f"/api/v1/{noun}", description=description)
        self.noun = noun
        self._prepare_doc_cbks.append(self._say_what_is_common)
        self.register_error_handler(Stale, _answer_stale)

    def on(
        self,
        method: str,
        path: str = "",
        *,
        takes: Shape | None = None,
        reads: str | None = None,
        gives: Shape | None = None,
        status: int = 200,
        speaks: str | None = None,
        checks_version: bool = False,
        shown_once: str | None = None,
    ) -> Callable[[View], View]:
        """Register the view below.

        `takes` is the shape of the query (GET) or of the body; the view gets it as its first argument. `reads` says in
        words what the body is, where the view reads it by itself, and `speaks` in which media type it answers by
        itself, where that is not JSON. With
        `checks_version` an `If-Match` is honoured: pass `if_version()` on. `shown_once` names the one field of the
        answer that a repeated request won't show again.
        """

        def register(view: View) -> View:
            text = {"type": "string"} if speaks else gives
            dressed: Any = self.response(status, text, content_type=speaks)(view)
            if takes is not None:
                dressed = self.arguments(takes, location="query" if method == "GET" else "json")(dressed)
            elif method != "GET" and reads is None:
                dressed = self.arguments(Nothing, required=False)(_without_body(dressed))
            if method == "POST":
                dressed = _once(dressed, shown_once)
            dressed = _with_etag(dressed)
            dressed._apidoc["common"] = {
                "reads": reads,
                "post": method == "POST",
                "if_match": checks_version,
                "policy": view.policy,  # type: ignore[attr-defined]
            }
            self.route(path, methods=[method], tags=[self.noun])(dressed)
            return view

        return register

    @staticmethod
    def _say_what_is_common(doc: Any, doc_info: Any, **_more: Any) -> Any:
        common = doc_info["common"]
        headers = []
        if common["if_match"]:
            headers.append(_header("If-Match", 'The version you read, as its ETag said it: `"3"`. Changed since: 412.'))
        if common["post"]:
            headers.append(
                _header("Idempotency-Key", "Sent again within 24 hours, the request is answered, not repeated.")
            )
        if headers:
            doc["parameters"] = [*doc.get("parameters", ()), *headers]
        if common["reads"]:
            body = {"description": common["reads"], "required": True}
            doc["requestBody"] = {**body, "content": {"application/json": {"schema": {"type": "object"}}}}
        doc["x-for"] = common["policy"].name
        if common["policy"].is_public:
            doc["security"] = []
        return doc


def if_version() -> int | None:
    """The version that the caller has read, from `If-Match`; None where it does not say.

    Of several the newest counts: versions only rise, so the others can't be current.
    """
    given = request.if_match
    if not given or given.star_tag:
        return None
    versions = [int(tag) for tag in given.as_set() if tag.isascii() and tag.isdigit() and len(tag) < 10]
    return max(versions, default=-1)


def _answer_stale(stale: Stale) -> AnyResponse:
    """`If-Match` has its own status; a refusal is a conflict otherwise."""
    status = 412 if request.if_match else 409
    return say_no(
        status=status, title=tell(stale.title), message=tell(stale.message), where=stale.where, more=stale.more
    )


def _without_body(view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def answer(_nothing: Asked, **kwargs: Any) -> Any:
        return view(**kwargs)

    return answer


def _with_etag(view: Callable[..., Any]) -> Callable[..., Any]:
    """Put the version of the one thing answered in the ETag too, and answer 304 to whoever has it already."""

    @functools.wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        response: Response = make_response(view(*args, **kwargs))
        found = response.get_json(silent=True) if response.is_json else None
        if isinstance(found, dict) and "version" in found:
            response.set_etag(str(found["version"]))
            if request.method in {"GET", "HEAD"}:
                response.make_conditional(request)
        return response

    return answer


def _once(view: Callable[..., Any], shown_once: str | None) -> Callable[..., Any]:
    @functools.wraps(view)
    def answer(*args: Any, **kwargs: Any) -> AnyResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return make_response(view(*args, **kwargs))
        if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
            raise Malformed(say("A key has 1 to 255 printable ASCII characters."), where="Idempotency-Key")
        known = idempotency.begin(key=key, request=_what_is_asked(), by=g.actor, now=g.now)
        if known is not None:
            return Response(known.body, known.status, {"Idempotency-Replayed": "true"}, content_type="application/json")
        return _carry_out(key, functools.partial(view, *args, **kwargs), shown_once)

    return answer


def _carry_out(key: str, view: Callable[[], Any], shown_once: str | None) -> AnyResponse:
    try:
        response = make_response(view())
    except Exception:
        idempotency.forget(key=key, by=g.actor)
        raise
    kept = response.get_data(as_text=True)
    if shown_once:
        # A secret is kept nowhere, not even for a day, and not even sealed.
        kept = json.dumps({**json.loads(kept), shown_once: None})
    idempotency.finish(key=key, status=response.status_code, body=kept, by=g.actor)
    return response


def _what_is_asked() -> bytes:
    return b"\n".join(
        [request.method.encode(), request.full_path.encode(), (request.if_match.to_header()).encode(), request.data]
    )


def _header(name: str, description: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "schema": {"type": "string"}, "description": description}


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
