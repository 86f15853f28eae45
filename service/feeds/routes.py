"""`GET /feeds/<secret>.ics`: what calendar programs fetch, again and again.

The address is the password, so it is in no log, no error and no redirect. Nothing here asks for a cookie, looks at
Accept, or knows one program from another (Google sends no Accept at all). There is never an empty 200: Thunderbird
would take every hour off the calendar.
"""

import gzip
from functools import partial

from flask import Flask, Response, g, make_response, request
from werkzeug.exceptions import Gone

from service.domain.access import PUBLIC, allows
from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.feeds import asking
from service.feeds.patience import Patience, TooOften
from service.feeds.publishing import write
from service.language.reader import tell
from service.usecases import feeds
from service.usecases.feeds import Body, Revoked, Seen

FILE = "samehour.ics"


def register(app: Flask, patience: Patience) -> None:
    """Give the feeds their address."""

    @app.get("/feeds/<secret>.ics", endpoint="feed")
    @allows(PUBLIC)
    def feed(secret: str) -> Response:
        try:
            return _answered(secret)
        except TooOften as refusal:
            return say_no(status=429, title=tell(say("Too many requests")), retry_after=refusal.seconds)

    def _answered(secret: str) -> Response:
        environ = request.environ
        try:
            answer = feeds.fetch(
                secret=secret,
                seen=asking.seen(environ) or Seen(),
                write=write,
                spend=partial(patience.with_address, secret),
                now=g.now,
            )
        except NotFound:
            patience.with_stranger(request.remote_addr)
            raise
        if isinstance(answer, Revoked):
            raise Gone
        is_zipped = asking.takes_gzip(environ)
        response = _whole(answer, is_zipped) if isinstance(answer, Body) else Response(status=304)
        response.headers.extend(asking.described(answer.stand, environ))
        if answer.stand.is_to_be_noted:
            response.call_on_close(asking.note(app, answer.stand, environ))
        return response


def say_no(*, status: int, title: str, retry_after: int = 60) -> Response:
    """A plain answer for calendar programs: never a page, never an empty calendar, never a redirect.

    `retry_after` in seconds, where they are to come again.
    """
    # Whatever broke, a calendar program is to come again and keep what it has until then.
    status = 503 if status >= 500 else status
    answer = make_response(f"{title}\n", status)
    answer.content_type = "text/plain; charset=utf-8"
    answer.headers["X-Robots-Tag"] = "noindex"
    if status in {429, 503}:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _whole(answer: Body, is_zipped: bool) -> Response:
    # No moment in the zipped form: the same content is the same octets.
    response = Response(gzip.compress(answer.content, mtime=0) if is_zipped else answer.content)
    response.content_type = "text/calendar; charset=utf-8"
    response.last_modified = answer.stand.modified_at
    response.headers["Content-Disposition"] = f'inline; filename="{FILE}"'
    response.headers["X-Robots-Tag"] = "noindex"
    if is_zipped:
        response.headers["Content-Encoding"] = "gzip"
    return response
