"""`GET /feeds/<secret>.ics`: what calendar programs fetch, again and again.

The address is the password, so it is in no log, no error and no redirect. Nothing here asks for a cookie, looks at
Accept, or knows one program from another (Google sends no Accept at all). There is never an empty 200: Thunderbird
would take every hour off the calendar.
"""

import gzip
import re
from collections.abc import Callable

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import Gone
from werkzeug.http import parse_date

from service import clock
from service.domain.access import PUBLIC, allows
from service.feeds.programs import program_of
from service.feeds.publishing import write
from service.usecases import feeds
from service.usecases.feeds import NotModified, Revoked, Seen, Stand

log = structlog.get_logger("samehour")

FILE = "samehour.ics"
_TAG = re.compile(r'"([^"]*)"')
_GZIP = "-gzip"
"""A strong ETag names octets, and the zipped ones are others."""


def register(app: Flask) -> None:
    """Give the feeds their address."""

    @app.get("/feeds/<secret>.ics", endpoint="feed")
    @allows(PUBLIC)
    def feed(secret: str) -> Response:
        answer = feeds.fetch(secret=secret, seen=_seen(), write=write, now=g.now)
        if isinstance(answer, Revoked):
            raise Gone("This calendar subscription was ended.")
        is_zipped = _takes_gzip()
        response = (
            _not_modified() if isinstance(answer, NotModified) else _whole(answer.content, answer.stand, is_zipped)
        )
        _describe(response, answer.stand, is_zipped)
        if answer.stand.is_to_be_noted:
            response.call_on_close(_note(app, answer.stand, program_of(request.headers.get("User-Agent", ""))))
        return response


def _seen() -> Seen:
    tags, since = request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
    return Seen(
        etags=None if tags is None else {tag.removesuffix(_GZIP) for tag in _TAG.findall(tags)},
        any_version=tags is not None and tags.strip() == "*",
        since=parse_date(since) if since else None,
    )


def _takes_gzip() -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "") and request.accept_encodings["gzip"] > 0


def _not_modified() -> Response:
    return Response(status=304)


def _whole(content: bytes, stand: Stand, is_zipped: bool) -> Response:
    # No moment in the zipped form: the same content is the same octets.
    response = Response(gzip.compress(content, mtime=0) if is_zipped else content)
    response.content_type = "text/calendar; charset=utf-8"
    response.last_modified = stand.modified_at
    headers = response.headers
    headers["Content-Disposition"] = f'inline; filename="{FILE}"'
    headers["X-Robots-Tag"] = "noindex"
    if is_zipped:
        headers["Content-Encoding"] = "gzip"
    return response


def _describe(response: Response, stand: Stand, is_zipped: bool) -> None:
    headers = response.headers
    headers["ETag"] = f'"{stand.etag}{_GZIP if is_zipped else ""}"'
    headers["Cache-Control"] = "private, no-store" if stand.names_a_client else "private, no-cache"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Vary"] = "Accept-Encoding"


def _note(app: Flask, stand: Stand, program: str) -> Callable[[], None]:
    """Write the fetch down once the answer is out, so that it waits for nothing."""

    def note() -> None:
        try:
            with app.app_context():
                feeds.note_fetch(stand=stand, by_program=program, now=clock.now())
        except Exception as fault:  # noqa: BLE001  the web server would log it with the address, which is the password
            log.warning("a fetch was not noted", error=type(fault).__name__)

    return note
