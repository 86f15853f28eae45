"""An unchanged feed is answered at the front door, before the house is woken.

Calendar programs ask for the same feed all day, and nearly always nothing changed. Flask takes longer to prepare for a
request than that answer takes, so this stands in front of it: it answers 304 where one look shows that the program has
what is stored, counted and logged like every answer, and hands on all else as it came. Flask's route would say the same
of the same request; the headers that are about a body, which a 304 lacks, are left out.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask

from service import clock
from service.domain.refusals import Refusal
from service.feeds import asking
from service.usecases import feeds

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answered = Callable[[str, str, int, float], None]
"""Called with route, method, status and seconds of every request that is answered here."""

BEGINS, ENDS, ROUTE = "/feeds/", ".ics", "/feeds/<secret>.ics"


def stand_before(app: Flask, *, answered: Answered) -> None:
    """Put the front door before the app."""
    app.wsgi_app = _FrontDoor(app, app.wsgi_app, answered)  # type: ignore[method-assign]


class _FrontDoor:
    def __init__(self, app: Flask, house: "WSGIApplication", answered: Answered) -> None:
        self.app, self.house, self.answered = app, house, answered
        self.places = threading.local()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(BEGINS) and path.endswith(ENDS) and environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            began, seen = perf_counter(), asking.seen(environ)
            stand = self._unchanged(path[len(BEGINS) : -len(ENDS)], seen) if seen else None
            if stand is not None:
                start_response("304 NOT MODIFIED", asking.described(stand, environ))
                self.answered(ROUTE, environ["REQUEST_METHOD"], 304, perf_counter() - began)
                return _Nothing(asking.note(self.app, stand, environ)) if stand.is_to_be_noted else ()
        return self.house(environ, start_response)

    def _unchanged(self, secret: str, seen: feeds.Seen) -> feeds.Stand | None:
        try:
            found = self._place().run(feeds.unchanged, secret=secret, seen=seen, now=clock.now())
        except Refusal:
            return None  # the house knows how to say it
        return found.stand if found else None

    def _place(self) -> Context:
        """Where the app is at hand: one for each thread, made once, since making it takes longer than the look."""
        if not hasattr(self.places, "context"):
            self.places.context = Context()
            self.places.context.run(self.app.app_context().push)
        place: Context = self.places.context
        return place


class _Nothing:
    """An empty body, and what is to be done once it is out."""

    def __init__(self, afterwards: Callable[[], Any]) -> None:
        self.afterwards = afterwards

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        self.afterwards()
