"""Mail to clients: a manager turns it on, says of what, and writes the texts with an invented mail beside them."""

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import MANAGING, allows
from service.domain.client_mail import NAMES, NEEDED, CannotUseText, ClientMail, Kind
from service.domain.phrase import say
from service.domain.refusals import Malformed
from service.language import LOCALES
from service.notices import Notice
from service.usecases import client_mail
from service.usecases.client_mail import LANGUAGES
from service.web import fields, frame

pages = Blueprint("client_mail", __name__)

KINDS = {
    Kind.REMINDER: say("a reminder before each appointment"),
    Kind.BOOKED: say("appointments that were agreed or booked"),
    Kind.MOVED: say("appointments that were moved"),
    Kind.CANCELLED: say("appointments that will not take place"),
}
MEANING = {
    "date": say("the day"),
    "time": say("from when until when, with the place whose clocks are meant"),
    "place": say("the room and the site, or that it is by video"),
    "hours": say("a line for each appointment, with the day, the time and the place"),
    "therapist": say("the therapist's name"),
    "clinic": say("the clinic's name"),
}


@pages.get("/client-mail")
@allows(MANAGING)
def show() -> str:
    """What is mailed now."""
    return _page()


@pages.post("/client-mail")
@allows(MANAGING)
def choose() -> Response | tuple[str, int]:
    """From now on it is mailed like this."""
    try:
        client_mail.choose(wanted=_typed(), if_version=fields.version(), by=g.actor, now=g.now)
    except Malformed as problem:
        return _page(problem), 422
    return frame.go("/client-mail", said="client mail chosen")


@pages.get("/client-mail/<kind>/<language>")
@allows(MANAGING)
def show_text(kind: str, language: str) -> str:
    """One text, and an invented mail that says it."""
    return _text(fields.chosen(Kind, kind, "kind"), language)


@pages.post("/client-mail/<kind>/<language>")
@allows(MANAGING)
def write(kind: str, language: str) -> Response | str | tuple[str, int]:
    """Look at it, keep it, or go back to the standard text."""
    of, typed = fields.chosen(Kind, kind, "kind"), fields.text("text")
    if "reset" in request.form:
        client_mail.reset(kind=of, language=language, by=g.actor, now=g.now)
        return frame.go(f"/client-mail/{of}/{language}", said="client text reset")
    try:
        if "preview" in request.form:
            return _text(of, language, typed=typed)
        client_mail.write(kind=of, language=language, text=typed, by=g.actor, now=g.now)
    except CannotUseText as problem:
        return _text(of, language, typed=typed, problem=problem), 422
    return frame.go(f"/client-mail/{of}/{language}", said="client text kept")


def _page(problem: Malformed | None = None) -> str:
    found = client_mail.show(by=g.actor)
    return render_template(
        "client_mail.html",
        problem=problem,
        found=found,
        form=request.form if problem else _as_form(found.choice),
        ticked=set(request.form.getlist("kinds")) if problem else {kind.value for kind in found.choice.kinds},
        kinds=KINDS,
        spoken={language: LOCALES[LANGUAGES[language]] for language in sorted(LANGUAGES)},
    )


def _text(kind: Kind, language: str, *, typed: str | None = None, problem: CannotUseText | None = None) -> str:
    found = client_mail.text(kind=kind, language=language, by=g.actor)
    return render_template(
        "client_mail_text.html",
        problem=problem,
        found=found,
        typed=found.text if typed is None else typed,
        mail=None if problem else _preview(kind, language, typed),
        meaning={name: MEANING[name] for name in NAMES[kind]},
        needed=NEEDED[kind],
        kinds=KINDS,
        language_name=LOCALES[LANGUAGES[language]],
    )


def _preview(kind: Kind, language: str, typed: str | None) -> Notice:
    return client_mail.preview(kind=kind, language=language, text=typed, by=g.actor, now=g.now)


def _typed() -> ClientMail:
    """:raises Malformed: one of the fields makes no sense."""
    return ClientMail(
        is_on=fields.is_ticked("is_on"),
        kinds=frozenset(fields.chosen(Kind, one, "kinds") for one in request.form.getlist("kinds")),
        hours_before=fields.number("hours_before"),
        clinic=fields.text("clinic"),
        sign_off=fields.text("sign_off").replace("\r\n", "\n"),
        counts_as_told=fields.is_ticked("counts_as_told"),
    )


def _as_form(choice: ClientMail) -> dict[str, object]:
    return {
        "is_on": "yes" if choice.is_on else "",
        "hours_before": choice.hours_before,
        "clinic": choice.clinic,
        "sign_off": choice.sign_off,
        "counts_as_told": "yes" if choice.counts_as_told else "",
    }
