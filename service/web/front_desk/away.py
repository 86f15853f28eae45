"""Who is away: enter leave and closures, see whom they touch, tell the clients, let the hours go."""

from datetime import datetime, time, timedelta

from flask import g, render_template, request
from werkzeug.wrappers import Response

from service.domain.absences import AbsenceKind
from service.domain.access import BOOKING, CLINICAL, allows
from service.domain.hours import LocalTime, midnight
from service.usecases import absences
from service.web import fields, frame
from service.web.front_desk.desk import FIXABLE, pages, places, show_again

AHEAD = timedelta(weeks=52)


@pages.get("/away")
@allows(CLINICAL)
def away() -> str:
    return render_template("away.html", form={}, **_listed())


@pages.post("/away")
@allows(CLINICAL)
def away_add() -> Response:
    try:
        absence = absences.add(
            kind=fields.one_of(AbsenceKind, "kind"),
            since=_moment("since", "since_at"),
            until=_end(),
            name=fields.text("name"),
            tentative=fields.is_ticked("tentative"),
            by=g.actor,
            now=g.now,
            **_whose(),
        )
    except FIXABLE as refusal:
        return show_again("away.html", refusal, form=request.form, **_listed())
    return frame.go(f"/away/{absence}", said="away", about=absence)


@pages.post("/away/holidays")
@allows(BOOKING)
def away_holidays() -> Response:
    site = frame.here().site
    try:
        new = absences.add_public_holidays(
            site=fields.text("site") or (site.id if site else ""), year=fields.number("year"), by=g.actor, now=g.now
        )
    except FIXABLE as refusal:
        return show_again("away.html", refusal, form=request.form, **_listed())
    return frame.go("/away", said="holidays", fact=str(new))


@pages.get("/away/<absence>")
@allows(CLINICAL)
def away_one(absence: str) -> str:
    found = absences.show(absence=absence, by=g.actor)
    return render_template("away_one.html", absence=found, touched=absences.touched(absence=absence, by=g.actor))


@pages.post("/away/<absence>/tell")
@allows(CLINICAL)
def away_tell(absence: str) -> Response | str:
    course = fields.text("course")
    absences.tell(absence=absence, course=course, by=g.actor, now=g.now)
    if "HX-Request" in request.headers:
        return render_template("partials/touched_row.html", one=_touched(absence, course), absence_id=absence)
    return frame.go(f"/away/{absence}", said="told")


@pages.post("/away/<absence>/release")
@allows(CLINICAL)
def away_release(absence: str) -> Response:
    """Let the hours of one course go, or all that are still booked."""
    course = fields.text("course")
    ids = _touched(absence, course).still_booked if course else None
    gone = absences.release(absence=absence, appointment_ids=ids, by=g.actor, now=g.now)
    return frame.go(f"/away/{absence}", said="released", fact=str(gone))


@pages.post("/away/<absence>/withdraw")
@allows(CLINICAL)
def away_withdraw(absence: str) -> Response:
    absences.withdraw(absence=absence, by=g.actor, now=g.now)
    return frame.go("/away", said="withdrawn")


# --- steps ----------------------------------------------------------------------------------------------------------


def _listed() -> dict[str, object]:
    where = frame.here()
    begins = midnight(where.today)
    found = absences.between(since=begins, until=begins + AHEAD, by=g.actor)
    site = where.site
    shown = [one for one in found if site is None or one.site in {None, site.id}]
    return {"found": sorted(shown, key=lambda one: one.since), "year": where.today.year, **places()}


def _whose() -> dict[str, str | None]:
    """Who or what is away: one therapist, one room, or the whole site."""
    who = fields.text("who")
    kind, _, public_id = who.partition(":")
    return {name: public_id if kind == name else None for name in ("therapist", "room", "site")}


def _moment(day: str, at: str) -> LocalTime:
    return datetime.combine(fields.day(day), fields.clock(at) if fields.text(at) else time())


def _end() -> LocalTime:
    """The last day is part of it, unless a time says otherwise."""
    last = fields.day("until")
    if fields.text("until_at"):
        return datetime.combine(last, fields.clock("until_at"))
    return midnight(last + timedelta(days=1))


def _touched(absence: str, course: str) -> absences.Touched:
    found = absences.touched(absence=absence, by=g.actor)
    return next((one for one in found if one.course == course), _nobody(course))


def _nobody(course: str) -> absences.Touched:
    """What is left of a course that the absence takes nothing from any more."""
    return absences.Touched(course=course, names=(), therapist_name="", lost=(), still_booked=(), told_at=None)
