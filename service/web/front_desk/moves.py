"""Moving one hour: what it would do, who asked and why, and how far the change reaches."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from flask import g, make_response, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import CLINICAL, allows
from service.domain.appointment import Initiator
from service.domain.refusals import Refusal
from service.domain.standing import Modality
from service.usecases import appointments, moves
from service.usecases.appointments import Booked, Destination
from service.usecases.moves import Effect
from service.web import fields, frame
from service.web.front_desk.desk import FIXABLE, pages, places

VIDEO = "video"
ONE, FOLLOWING, ALL = "one", "following", "all"


@pages.get("/appointments/<appointment>/move")
@allows(CLINICAL)
def move_form(appointment: str) -> Response:
    """The form, with what the move named in the address would do."""
    found = appointments.show(appointment_id=appointment, by=g.actor)
    return _page(found, request.args, problem=None)


@pages.post("/appointments/<appointment>/move")
@allows(CLINICAL)
def move_hour(appointment: str) -> Response:
    found = appointments.show(appointment_id=appointment, by=g.actor)
    if found.standing and fields.text("scope") in {FOLLOWING, ALL}:
        return frame.go(_lasting(found))
    try:
        moved = appointments.move(
            appointment_id=appointment,
            to=_destination(request.form),
            asked_by=fields.one_of(Initiator, "asked_by"),
            reason=fields.text("reason"),
            is_told=fields.is_ticked("told"),
            override=fields.text("override") or None,
            if_version=fields.version(),
            by=g.actor,
            now=g.now,
        )
    except FIXABLE as refusal:
        return _page(found, request.form, problem=refusal)
    back = frame.back_to(f"/board?date={moved.starts.date()}")
    return frame.go(back, said="moved", about=moved.id, fact=moved.starts.isoformat(timespec="minutes"))


@pages.post("/appointments/<appointment>/move-back")
@allows(CLINICAL)
def move_hour_back(appointment: str) -> Response:
    found = appointments.move_back(appointment_id=appointment, by=g.actor, now=g.now)
    back = frame.back_to(f"/board?date={found.starts.date()}")
    return frame.go(back, said="moved back", fact=found.starts.isoformat(timespec="minutes"))


# --- steps ----------------------------------------------------------------------------------------------------------


def _page(found: Booked, given: Mapping[str, str], *, problem: Refusal | None) -> Response:
    effect, in_the_way = _effect(found, given)
    wanted = request.args.get("back", "") or given.get("back", "")
    page = render_template(
        "move.html",
        hour=found,
        form=given,
        wish=_wish(found, given),
        effect=effect,
        problem=problem or in_the_way,
        back=wanted if frame.is_page(wanted) else "",
        **places(),
    )
    status = 200 if problem is None else 422 if problem.where else 409
    return make_response(page, status)


def _effect(found: Booked, given: Mapping[str, str]) -> tuple[Effect | None, Refusal | None]:
    """What it would do; or why that can't be said."""
    try:
        to = _destination(given)
        return moves.preview(appointment_id=found.id, to=to, by=g.actor, now=g.now), None
    except FIXABLE as refusal:
        return None, refusal


def _destination(given: Mapping[str, str]) -> Destination:
    """:raises Malformed: what was typed is no date, time or number."""
    day, at = given.get("day", ""), given.get("at", "")
    room = given.get("room") or None
    modality = Modality.VIDEO if room == VIDEO else Modality.IN_PERSON if room else None
    minutes = given.get("minutes", "")
    return Destination(
        starts=datetime.combine(fields.as_day(day, "day"), fields.as_clock(at, "at")) if day or at else None,
        minutes=fields.as_number(minutes, "minutes") if minutes else None,
        therapist=given.get("therapist") or None,
        room=None if room == VIDEO else room,
        modality=modality,
    )


def _wish(found: Booked, given: Mapping[str, str]) -> Mapping[str, str]:
    """What the fields hold: what was typed, else where the hour is now."""
    now = {
        "day": found.starts.date().isoformat(),
        "at": f"{found.starts:%H:%M}",
        "therapist": found.therapist,
        "room": VIDEO if found.modality is Modality.VIDEO else found.room or "",
        "minutes": str(found.minutes),
    }
    return {name: given.get(name) or value for name, value in now.items()}


def _lasting(found: Booked) -> str:
    """The page that shows every date of a lasting change, filled with what was chosen here."""
    carried = {
        "slot": found.slot.isoformat(timespec="minutes") if found.slot else "",
        "scope": request.form["scope"],
        **_wish(found, request.form),
        **{name: request.form.get(name, "") for name in ("asked_by", "reason", "back")},
    }
    return f"/standings/{found.standing}/change?" + urlencode(carried)
