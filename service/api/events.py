"""What webhooks say, for the OpenAPI document: one shape for each noun, and an entry for each event.

OpenAPI 3.0 has no place for webhooks of its own, so they stand where 3.1 has them with `x-` before it.
"""

from typing import Any

from apispec import APISpec

from service.domain.event import EVENTS, IDS, PING

_HEADERS = {
    "webhook-id": "The message. The same at each attempt: whoever has seen it has been told.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "One `v1,…` for each secret that is valid, with spaces between; one that fits is enough.",
}
_ANSWERS = {
    "Taken": "Taken. Anything else is tried again: ten times in 75 hours, `Retry-After` honoured.",
    "Gone": "Gone. Nothing is sent any more until a person turns it on again.",
}


def describe(spec: APISpec) -> None:
    """Put into the document whatever the entries of `webhooks` refer to."""
    for name, words in _HEADERS.items():
        header = {"required": True, "schema": {"type": "string"}, "description": words}
        spec.components.parameter(name, "header", {"name": name, **header})
    for name, words in _ANSWERS.items():
        spec.components.response(name, {"description": words})
    for name, shape in _schemas().items():
        spec.components.schema(name, shape)


def webhooks() -> dict[str, Any]:
    """Each event as an operation of the receiver."""
    said = {PING: "The test button was pressed.", **{event: str(meaning) for event, meaning in EVENTS.items()}}
    return {event: {"post": _operation(event, meaning)} for event, meaning in said.items()}


def _schemas() -> dict[str, dict[str, Any]]:
    """The body of each kind of event, by the name of its shape."""
    nouns = {noun: [event for event in EVENTS if event.startswith(f"{noun}.")] for noun in IDS}
    return {
        _name(PING): _body([PING], ["webhook"]),
        **{_name(noun): _body(events, IDS[noun]) for noun, events in nouns.items()},
    }


def _name(noun: str) -> str:
    return f"{noun.title()}Event"


def _body(events: list[str], ids: Any) -> dict[str, Any]:
    data = {
        "type": "object",
        "description": "Public ids, and nothing else: ask for what is there now by them.",
        "required": list(ids),
        "properties": {name: {"type": "string", "format": "uuid"} for name in ids},
    }
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "enum": events},
            "timestamp": {"type": "string", "format": "date-time", "description": "When the change was made."},
            "data": data,
        },
    }


def _operation(event: str, meaning: str) -> dict[str, Any]:
    shape = {"$ref": f"#/components/schemas/{_name(event.partition('.')[0])}"}
    return {
        "summary": meaning,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in _HEADERS],
        "requestBody": {"required": True, "content": {"application/json": {"schema": shape}}},
        "responses": {
            "2XX": {"$ref": "#/components/responses/Taken"},
            "410": {"$ref": "#/components/responses/Gone"},
        },
    }
