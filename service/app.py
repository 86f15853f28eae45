"""The Flask application: settings in, doors out.

Every request goes the same way: who is asking, may this kind of person knock here, does an unsafe request really
come from our own page, then the view. A route without a policy does not start.
"""

import json
import logging
import random
import sys
import time
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

import redis
import structlog
from flask import Flask, Response, g, redirect, request
from itsdangerous import BadSignature, Signer
from prometheus_client import Counter, Histogram
from rq import Queue
from rq.queue import EnqueueData
from rq.serializers import JSONSerializer
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from service import api, clock, feeds, language, web
from service.config import Settings
from service.domain.access import PUBLIC, Policy
from service.domain.phrase import Part, Phrase, Value, say
from service.domain.refusals import Conflict, Forbidden, Malformed, NotFound, Refusal, Unavailable
from service.language.reader import teach, tell
from service.store import glances, transaction
from service.store.base import db
from service.store.migrate import upgrade
from service.store.seal import use_keys
from service.usecases import people, processes

log = structlog.get_logger("samehour")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
QUEUE = "samehour"

STATUS: Mapping[type[Refusal], int] = {Malformed: 422, NotFound: 404, Forbidden: 403, Conflict: 409, Unavailable: 503}
"""How each kind of refusal is said in HTTP."""

_LOGGED = (
    "event level timestamp request_id method route status ms error message topic attempts count name holder task pid"
)
LOGGED = frozenset(_LOGGED.split())
"""The only keys that reach a log. Whatever names a person has no key here."""

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_requests = Counter("samehour_requests_total", "Requests answered.", ["route", "method", "status"])
_seconds = Histogram("samehour_request_seconds", "Time to answer.", ["route"])


class RouteWithoutPolicy(RuntimeError):
    """A route says nothing of who may use it, so nobody may, and the program does not start."""


def create_app(settings: Settings) -> Flask:
    """The whole service on these settings.

    :raises RouteWithoutPolicy: see there.
    """
    app = Flask(
        "service", root_path=str(Path(__file__).parent), static_folder="web/static", template_folder="web/templates"
    )
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        # Without it a failing statement prints the values it was given, sealed or not.
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True, **_pool(settings)},
        MAX_CONTENT_LENGTH=10 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
    )
    app.extensions["samehour"] = settings
    teach(app)
    _log_as_json(settings)
    _plug_store(app, settings)
    _plug_bell(settings)
    _answer_faults(app)
    _guard(app, settings)
    for room in (web, api, feeds):
        room.open_doors(app, settings)
    feeds.stand_before(app, answered=_answered_at_the_front_door)
    if settings.proxies:
        # Else every caller has the proxy's address, and one person's wrong passwords shut everybody out.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    _refuse_routes_without_policy(app)
    return app


def from_env() -> Flask:
    """What gunicorn starts: `gunicorn 'service.app:from_env()'`.

    :raises WrongSettings: see Settings.from_env.
    """
    app = create_app(Settings.from_env())
    processes.opened_by(from_env)
    return app


def migrate(app: Flask) -> None:
    """Bring the app's database up to date."""
    with app.app_context():
        upgrade(db.engine)


def settings_of(app: Flask) -> Settings:
    found: Settings = app.extensions["samehour"]
    return found


# --- plugging in -----------------------------------------------------------------------------------------------------


def _pool(settings: Settings) -> dict[str, Any]:
    if settings.database_url.startswith("sqlite"):
        return {}
    return {"pool_size": 8, "max_overflow": 8, "pool_pre_ping": True}


def _plug_store(app: Flask, settings: Settings) -> None:
    db.init_app(app)
    use_keys(settings.keys)
    with app.app_context():
        transaction.prepare(db.engine)
        glances.prepare(db.engine)


def _plug_bell(settings: Settings) -> None:
    """Wake the workers after a commit, as best we can: the sweeper finds every message anyway."""
    if settings.redis_url is None:
        transaction.after_commit(lambda _messages: None)
        return
    connection = redis.Redis.from_url(settings.redis_url, socket_connect_timeout=0.5, socket_timeout=0.5)
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)

    def ring(messages: list[int]) -> None:
        try:
            queue.enqueue_many([job_for(message) for message in dict.fromkeys(messages)])
        except redis.RedisError as fault:
            log.warning("the bell was not heard", error=type(fault).__name__)

    transaction.after_commit(ring)


def job_id(message: int) -> str:
    """One for each message, so that the bell and the sweeper put it into the queue once."""
    return f"message-{message}"


def job_for(message: int) -> EnqueueData:
    """What wakes a worker. Nothing is kept of its result, and what Redis loses is rung for again."""
    return Queue.prepare_data(
        "workers.relay.carry_out",
        (message,),
        job_id=job_id(message),
        timeout=60,
        ttl=3600,
        result_ttl=0,
        failure_ttl=3600,
    )


def _log_as_json(settings: Settings) -> None:
    def keep_to_the_list(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: value for key, value in entry.items() if key in LOGGED}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_to_the_list,
            structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=lambda *_: _Lines(sys.stderr),
        cache_logger_on_first_use=False,
    )


class _Lines:
    """Writes each line whole and at once. No lock: threads would queue for it, one for each request."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def msg(self, line: str) -> None:
        self._file.write(line + "\n")

    debug = info = warning = error = critical = msg


_encoder = json.JSONEncoder(default=str)


def _as_json(entry: Mapping[str, Any], **_: object) -> str:
    # One encoder for all lines: making it takes longer than using it.
    return _encoder.encode(entry)


# --- who is asking, and may they -------------------------------------------------------------------------------------


def cookie_name(settings: Settings) -> str:
    """`__Host-` binds the cookie to this host over https; a browser refuses that name over plain http."""
    return "__Host-samehour" if settings.is_secure else "samehour"


def _guard(app: Flask, settings: Settings) -> None:
    """In this order: who, may they, from our page; and on the way out the headers and the count."""
    signer = Signer(settings.secret_key, salt="csrf")
    _identify(app, signer, settings)
    _admit(app)
    _require_our_page(app, signer)
    _speak_up(app)
    _dress(app, is_secure=settings.is_secure)
    _count(app)


def _identify(app: Flask, signer: Signer, settings: Settings) -> None:
    name = cookie_name(settings)

    @app.before_request
    def identify() -> None:
        g.now, g.began = clock.now(), time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=_request_id())
        g.cookie_name, g.secret = name, request.cookies.get(name)
        g.csrf_token = signer.get_signature(g.secret).decode() if g.secret else ""
        policy = policy_of(app)
        # A public route protects itself: no look-up of who is asking, so that a feed's 304 costs one query.
        g.actor = None if policy is None or policy.is_public else _who_is_asking()
        g.locale = _how_they_speak(settings)
        g.speaker = language.speaker(g.locale)


def _admit(app: Flask) -> None:
    @app.before_request
    def admit() -> AnyResponse | None:
        policy = policy_of(app)
        if policy is None or policy.admits(g.actor):
            # Here for all doors, so that no use-case has to think of it.
            is_locked = g.actor is not None and not g.actor.may_write and request.method not in SAFE
            return _say(403, say("Not allowed"), say("This access may read and not change.")) if is_locked else None
        if g.actor is not None:
            return _say(403, say("Not allowed"), say("Your role does not include this page."))
        if _is_for_programs():
            return _say(401, say("Not signed in"), say("Send a token: Authorization: Bearer …"))
        return redirect("/sign-in?next=" + quote(request.full_path.rstrip("?")))


def _require_our_page(app: Flask, signer: Signer) -> None:
    @app.before_request
    def require_our_page() -> AnyResponse | None:
        # A token is sent on purpose, a cookie by any page that the browser has open.
        if request.method in SAFE or g.actor is None or "Authorization" in request.headers:
            return None
        given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
        try:
            signer.unsign(f"{g.secret}.{given}")
        except BadSignature:
            return _say(
                400, say("This page is out of date"), say("Nothing was changed. Load the page again and repeat it.")
            )
        return None


def _dress(app: Flask, *, is_secure: bool) -> None:
    @app.after_request
    def dress(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", _CSP)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if is_secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
        return response


def _count(app: Flask) -> None:
    @app.after_request
    def count(response: Response) -> Response:
        # By route template: a path may hold a secret, and would make a label without end.
        route = request.url_rule.rule if request.url_rule else "none"
        _answered(route, request.method, response.status_code, time.perf_counter() - g.began)
        return response


def _answered(route: str, method: str, status: int, took: float, **more: str) -> None:
    _requests.labels(route, method if method in _METHODS else "other", status).inc()
    _seconds.labels(route).observe(took)
    log.info("request", method=method, route=route, status=status, ms=round(took * 1000, 1), **more)


def _answered_at_the_front_door(route: str, method: str, status: int, took: float) -> None:
    # Named here, else the log would name the request before it on the same thread.
    _answered(route, method, status, took, request_id=_request_id())


def _request_id() -> str:
    return f"{random.getrandbits(64):016x}"  # only a name for the lines that belong together


_METHODS = SAFE | {"POST", "PUT", "PATCH", "DELETE"}


def policy_of(app: Flask) -> Policy | None:
    """The policy of the route at hand; None where there is no route, which is answered 404."""
    view = app.view_functions.get(request.endpoint or "")
    return PUBLIC if request.endpoint == "static" else getattr(view, "policy", None)


def _who_is_asking() -> Any:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return people.who_holds(token=token.strip(), now=g.now)
    return people.who_is(secret=g.secret, now=g.now) if g.secret else None


def _how_they_speak(settings: Settings) -> str:
    """As the person chose, else as their browser or program asks, else as the clinic does (programs: in English)."""
    if g.actor is not None and g.actor.locale:
        chosen: str = g.actor.locale
        return chosen
    usual = language.ENGLISH if _is_for_programs() else settings.locale
    return language.nearest(list(request.accept_languages.values()), usual)


def _speak_up(app: Flask) -> None:
    @app.after_request
    def speak_up(response: Response) -> Response:
        # A repeated answer was written for whoever asked first, in their language.
        if _is_for_programs() and response.is_json and "Idempotency-Replayed" not in response.headers:
            response.content_language.add(language.tag(g.get("locale")))
            response.vary.add("Accept-Language")
        return response


def _refuse_routes_without_policy(app: Flask) -> None:
    bare = sorted(
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not hasattr(app.view_functions[rule.endpoint], "policy")
    )
    if bare:
        raise RouteWithoutPolicy("routes without a policy: " + ", ".join(bare))


# --- saying no ----------------------------------------------------------------------------------------------------


def _answer_faults(app: Flask) -> None:
    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> AnyResponse:
        status = next(status for kind, status in STATUS.items() if isinstance(refusal, kind))
        more = dict(refusal.more)
        if clashes := getattr(refusal, "clashes", ()):
            more["clashes"] = [vars(clash) for clash in clashes]
        return _say(status, refusal.title, refusal.message, where=refusal.where, more=more)

    @app.errorhandler(HTTPException)
    def refuse_http(fault: HTTPException) -> AnyResponse:
        if fault.code is None or fault.code < 400:
            return fault.get_response()
        more = getattr(fault, "data", None) or {}
        title, message = _HTTP.get(fault.code, _ODD)
        answer = _say(fault.code, title, message, more={"errors": more["messages"]} if "messages" in more else {})
        if isinstance(fault, MethodNotAllowed) and fault.valid_methods:
            answer.headers["Allow"] = ", ".join(sorted(fault.valid_methods))
        return answer

    @app.errorhandler(Exception)
    def break_down(fault: Exception) -> AnyResponse:
        # The class alone: a message may quote what a person typed.
        log.error("fault", error=type(fault).__name__, message=_where_it_broke(fault))
        if app.testing or app.debug:
            raise fault
        return _say(
            500,
            say("Something broke on our side"),
            say("Nothing was changed. Please try again; if it stays, tell your admin."),
        )


_HTTP: Mapping[int, tuple[Phrase, Phrase]] = {
    400: (say("Bad request"), say("The request can't be read. Nothing was changed.")),
    404: (say("Not found"), say("There is nothing at this address.")),
    405: (say("Method not allowed"), say("This address does not do that. `Allow` names what it does.")),
    410: (say("Gone"), say("This calendar subscription was ended.")),
    412: (say("It was changed in the meantime"), say("Nothing was changed; look at it again.")),
    413: (say("Too large"), say("What was sent is larger than can be taken. Nothing was changed.")),
    415: (say("Unsupported media type"), say("Send JSON, with Content-Type: application/json.")),
    422: (say("A value is not valid"), say("Nothing was changed.")),
    429: (say("Too many requests"), say("That was often in a short time. Please try again a little later.")),
}
"""In our own words: the library's are English and speak of servers."""
_ODD = (say("That request can't be answered"), say("Nothing was changed."))


def _where_it_broke(fault: BaseException) -> str:
    trace = fault.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown"


def _is_for_programs() -> bool:
    return request.path.startswith("/api/")


def _say(
    status: int, title: Value, message: Value, *, where: str | None = None, more: Mapping[str, Any] | None = None
) -> AnyResponse:
    if request.path.startswith("/feeds/"):
        return feeds.say_no(status=status, title=tell(title))
    room = api if _is_for_programs() else web
    answer: Response = room.say_no(
        status=status, title=tell(title), message=tell(message), where=where, more=_told(more or {})
    )
    return answer


def _told(more: Any) -> Any:
    """The same facts, with every phrase in them said: they leave the house as plain JSON."""
    if isinstance(more, Part):
        return tell(more)
    if isinstance(more, Mapping):
        return {key: _told(value) for key, value in more.items()}
    return [_told(value) for value in more] if isinstance(more, list | tuple) else more
