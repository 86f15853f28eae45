"""What a calendar program says when it asks, and what it is told about the answer; out of the bare request."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from flask import Flask
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_date

from service import clock
from service.feeds.programs import program_of
from service.usecases import feeds
from service.usecases.feeds import Seen, Stand

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = structlog.get_logger("samehour")

_TAG = re.compile(r'"([^"]*)"')
_GZIP = "-gzip"
"""A strong ETag names octets, and the zipped ones are others."""


def seen(environ: "WSGIEnvironment") -> Seen | None:
    """What the program says it has already; None where it says nothing of the kind."""
    tags, since = environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE")
    if tags is None:
        return Seen(since=parse_date(since)) if since else None
    return Seen(etags={tag.removesuffix(_GZIP) for tag in _TAG.findall(tags)}, any_version=tags.strip() == "*")


def takes_gzip(environ: "WSGIEnvironment") -> bool:
    """True where it asked for it: some programs can't unzip."""
    accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
    return "gzip" in accepted and parse_accept_header(accepted, Accept)["gzip"] > 0


def described(stand: Stand, environ: "WSGIEnvironment") -> list[tuple[str, str]]:
    """The headers of the answer, with a body or without.

    That they are few is felt: the web server checks each of them anew.
    """
    tag = stand.etag + _GZIP if takes_gzip(environ) else stand.etag
    return [
        ("ETag", f'"{tag}"'),
        ("Cache-Control", "private, no-store" if stand.names_a_client else "private, no-cache"),
        ("Vary", "Accept-Encoding"),
    ]


def note(app: Flask, stand: Stand, environ: "WSGIEnvironment") -> Callable[[], None]:
    """Write the fetch down: to be called once the answer is out, so that it waits for nothing."""
    program = program_of(environ.get("HTTP_USER_AGENT", ""))

    def write_down() -> None:
        try:
            with app.app_context():
                feeds.note_fetch(stand=stand, by_program=program, now=clock.now())
        except Exception as fault:  # noqa: BLE001  the web server would log it with the address, which is the password
            log.warning("a fetch was not noted", error=type(fault).__name__)

    return write_down
