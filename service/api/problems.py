"""How this door says no: problem details (RFC 9457)."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, jsonify

from service.domain.phrase import say
from service.language.reader import tell

CONTENT_TYPE = "application/problem+json"
_LONGEST = 200


def say_no(*, status: int, title: str, message: str, where: str | None, more: Mapping[str, Any]) -> Response:
    """A problem detail; `errors` from a schema become a flat list of paths with their messages."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": message, **more}
    if isinstance(wrong := body.get("errors"), Mapping):
        # The outermost key says only whether it was the body or the query.
        body["errors"] = [one for messages in wrong.values() for one in _flat(messages)]
        body["title"] = tell(say("A value is not valid"))
        body["detail"] = tell(say("Nothing was changed. See `errors` for each value."))
        where = body["errors"][0]["where"] if body["errors"] else where
    if where:
        body["where"] = where
    answer = jsonify(body)
    answer.status_code, answer.content_type = status, CONTENT_TYPE
    return answer


def _flat(messages: Any, path: str = "") -> Iterator[dict[str, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(inner, _step(path, key))
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from _flat(message, path)
    else:
        yield {"where": path[:_LONGEST], "message": str(messages)[:_LONGEST]}


def _step(path: str, key: Any) -> str:
    if key == "_schema":
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)
