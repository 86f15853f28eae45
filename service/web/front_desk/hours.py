"""One hour: look at it, mark it, cancel it, take it up again, note that the client knows."""

from datetime import datetime, timedelta

from flask import g, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import CLINICAL, allows
from service.domain.appointment import Initiator, Mark
from service.domain.hours import LocalTime, local_time
from service.domain.phrase import say
from service.domain.refusals import Malformed, Refusal
from service.usecases import appointments, client_letters
from service.usecases.appointments import Booked
from service.web import fields, frame
from service.web.front_desk.desk import FIXABLE, pages, show_again

TIMED = frozenset({Mark.LATE, Mark.ARRIVED})
"""Marks that say when the session began."""
KEPT_FOR = timedelta(days=14)
"""So long a browser may keep a mark that could not be sent: as long as an hour waits to be marked."""


@pages.get("/appointments/<appointment>")
@allows(CLINICAL)
def hour(appointment: str) -> str:
    found = appointments.show(appointment_id=appointment, by=g.actor)
    return render_template("hour.html", hour=found, mailed=_mailed(found), back=_back(found), form={})


@pages.post("/appointments/<appointment>/mark")
@allows(CLINICAL)
def mark_hour(appointment: str) -> Response | str:
    found = appointments.show(appointment_id=appointment, by=g.actor)
    mark = fields.one_of(Mark, "mark")
    try:
        marked = appointments.mark(
            appointment_id=appointment,
            mark=mark,
            at=_began(found, mark),
            finished=_ended(found),
            late_by=fields.chosen(Initiator, fields.text("late_by"), "late_by") if fields.text("late_by") else None,
            by=g.actor,
            now=g.now,
        )
    except FIXABLE as refusal:
        return _hour_again(found, refusal)
    return _as_row(marked) or frame.go(_back(marked), said="marked", about=marked.id)


@pages.post("/appointments/<appointment>/unmark")
@allows(CLINICAL)
def unmark_hour(appointment: str) -> Response | str:
    found = appointments.mark(appointment_id=appointment, mark=Mark.UNMARKED, by=g.actor, now=g.now)
    return _as_row(found) or frame.go(_back(found), said="unmarked")


@pages.get("/appointments/<appointment>/cancel")
@allows(CLINICAL)
def cancel_form(appointment: str) -> str:
    found = appointments.show(appointment_id=appointment, by=g.actor)
    return render_template("cancel.html", hour=found, back=_back(found), form={})


@pages.post("/appointments/<appointment>/cancel")
@allows(CLINICAL)
def cancel_hour(appointment: str) -> Response:
    found = appointments.show(appointment_id=appointment, by=g.actor)
    try:
        gone = appointments.cancel(
            appointment_id=appointment,
            asked_by=fields.one_of(Initiator, "asked_by"),
            reason=fields.text("reason"),
            as_break=fields.is_ticked("as_break"),
            is_told=fields.is_ticked("told"),
            if_version=fields.version(),
            by=g.actor,
            now=g.now,
        )
    except FIXABLE as refusal:
        return show_again("cancel.html", refusal, hour=found, back=_back(found), form=request.form)
    return frame.go(_back(gone), said="cancelled", about=gone.id, fact=_stamp(gone.starts))


@pages.post("/appointments/<appointment>/uncancel")
@allows(CLINICAL)
def uncancel_hour(appointment: str) -> Response:
    found = appointments.show(appointment_id=appointment, by=g.actor)
    try:
        again = appointments.uncancel(
            appointment_id=appointment, override=fields.text("override") or None, by=g.actor, now=g.now
        )
    except FIXABLE as refusal:
        return _hour_again(found, refusal)
    return frame.go(_back(again), said="uncancelled", fact=_stamp(again.starts))


@pages.post("/appointments/<appointment>/tell")
@allows(CLINICAL)
def tell_hour(appointment: str) -> Response | str:
    found = appointments.tell(appointment_id=appointment, by=g.actor, now=g.now)
    return _as_row(found) or frame.go(_back(found), said="told")


# --- steps ----------------------------------------------------------------------------------------------------------


def _began(found: Booked, mark: Mark) -> LocalTime | None:
    """When it began, where that was typed. What is over can't have begun just now.

    :raises Malformed: it is over, and nothing was typed.
    """
    if fields.text("began"):
        return datetime.combine(found.starts.date(), fields.clock("began"))
    pressed = _pressed()
    if pressed is not None:
        return local_time(pressed, found.zone)
    if mark in TIMED and found.starts_at + timedelta(minutes=found.minutes) <= g.now:
        raise Malformed(say("This hour is over: say at what time it began."), where="began")
    return None


def _pressed() -> datetime | None:
    """When the key was pressed, of a mark that was kept by the browser until the clinic's server could be reached.

    :raises Malformed: no instant, or one that is too long ago to be believed.
    """
    if not fields.text("pressed_at"):
        return None
    at = fields.instant("pressed_at")
    if at < g.now - KEPT_FOR:
        raise Malformed(say("This mark was made too long ago. Please mark the hour anew."), where="pressed_at")
    now: datetime = g.now
    return min(at, now)  # the browser's clock may be ahead of ours


def _ended(found: Booked) -> LocalTime | None:
    """When it ended, where that was typed; past midnight for an hour that began before.

    :raises Malformed: no time of day.
    """
    if not fields.text("ended"):
        return None
    ended = datetime.combine(found.starts.date(), fields.clock("ended"))
    is_next_day = ended < found.starts and found.ends.date() > found.starts.date()
    return ended + timedelta(days=1) if is_next_day else ended


def _as_row(found: Booked) -> str | None:
    """The hour's line for a list that is on the screen already; None where a whole page is asked for."""
    if "HX-Request" not in request.headers or not request.form.get("row"):
        return None
    return render_template("partials/hour_row.html", hour=found, back=request.form.get("back", "/today"))


def _hour_again(found: Booked, refusal: Refusal) -> Response:
    return show_again("hour.html", refusal, hour=found, mailed=_mailed(found), back=_back(found), form=request.form)


def _back(found: Booked) -> str:
    wanted = request.args.get("back", "")
    return frame.back_to(wanted if frame.is_page(wanted) else f"/board?date={found.starts.date()}")


def _stamp(at: LocalTime) -> str:
    return at.isoformat(timespec="minutes")


def _mailed(hour: Booked) -> LocalTime | None:
    """When a mail about it went out to the client, on the hour's own clocks."""
    at = client_letters.mailed_at(appointment_id=hour.id, by=g.actor)
    return local_time(at, hour.zone) if at else None
