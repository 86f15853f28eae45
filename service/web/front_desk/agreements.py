"""Agreeing a standing hour, changing it from a day on, ending it. Every date is shown before anything is booked."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import g, make_response, render_template, request
from werkzeug.wrappers import Response

from service.domain.access import CLINICAL, allows
from service.domain.appointment import Initiator
from service.domain.hours import Hour, Weekday
from service.domain.phrase import say
from service.domain.refusals import Malformed, Refusal
from service.domain.standing import Modality
from service.usecases import clients, courses, standings
from service.usecases.appointments import REASONS
from service.usecases.drafts import Choice, Choices, Do, Proposal
from service.usecases.standings import Arrangement, Preview
from service.web import fields, frame, words
from service.web.front_desk.desk import FIXABLE, pages, places

MOST_HOURS = 3
"""Hours a week that the form offers."""
VIDEO, NO_ROOM = "video", "none"
CARRIED = ("day", "at", "therapist", "room")
"""What the board says of the cell that was chosen."""


@pages.get("/agree")
@allows(CLINICAL)
def agree() -> str:
    """Whose hour first, then which."""
    if not request.args.get("client") and not request.args.get("course"):
        carried = {name: request.args[name] for name in CARRIED if request.args.get(name)}
        return render_template("agree_who.html", form={}, carried=carried)
    whose = _whose(request.args)
    return render_template("agree.html", form={}, wish=_first_wish(whose), preview=None, **whose, **places())


@pages.post("/agree")
@allows(CLINICAL)
def agree_hour() -> Response:
    whose = _whose(request.form)
    try:
        proposal = _proposal()
        if request.form.get("step") != "agree":
            return _agree_page(whose, _preview(whose, proposal))
        agreed = standings.agree(
            client=whose["client_id"],
            course=whose["course_id"],
            proposal=proposal,
            choices=_decided(),
            seen=fields.text("seen") or None,
            is_told=fields.is_ticked("told"),
            horizon=g.settings.horizon,
            by=g.actor,
            now=g.now,
        )
    except FIXABLE as refusal:
        return _agree_page(whose, _what_can_be_said(whose), refusal)
    return frame.go(f"/courses/{agreed.course}", said="agreed", about=agreed.id, fact=str(agreed.booked))


@pages.get("/standings/<standing>/change")
@allows(CLINICAL)
def change_form(standing: str) -> Response:
    old = standings.show(standing=standing, by=g.actor)
    return _change_page(old, request.args, _wish_of_change(old), preview=None, problem=None)


@pages.post("/standings/<standing>/change")
@allows(CLINICAL)
def change_standing(standing: str) -> Response:
    old = standings.show(standing=standing, by=g.actor)
    whose = {"client_id": None, "course_id": old.course}
    try:
        proposal = _proposal()
        if request.form.get("step") != "agree":
            seen = _preview(whose, proposal, replacing=standing)
            return _change_page(old, request.form, _typed(), preview=seen, problem=None)
        changed = standings.change(
            standing=standing,
            since=proposal.since,
            proposal=proposal,
            choices=_decided(),
            seen=fields.text("seen") or None,
            asked_by=fields.one_of(Initiator, "asked_by"),
            reason=_reason(),
            is_told=fields.is_ticked("told"),
            if_version=fields.version(),
            horizon=g.settings.horizon,
            by=g.actor,
            now=g.now,
        )
    except FIXABLE as refusal:
        seen_again = _what_can_be_said(whose, replacing=standing)
        return _change_page(old, request.form, _typed(), preview=seen_again, problem=refusal)
    back = frame.back_to(f"/courses/{changed.course}")
    return frame.go(back, said="changed", about=changed.id, fact=str(changed.booked))


@pages.get("/standings/<standing>/end")
@allows(CLINICAL)
def end_form(standing: str) -> str:
    return render_template("end_standing.html", old=standings.show(standing=standing, by=g.actor), form={})


@pages.post("/standings/<standing>/end")
@allows(CLINICAL)
def end_standing(standing: str) -> Response:
    old = standings.show(standing=standing, by=g.actor)
    try:
        standings.end(
            standing=standing,
            on=fields.day("since"),
            reason=_reason(),
            if_version=fields.version(),
            by=g.actor,
            now=g.now,
        )
    except FIXABLE as refusal:
        page = render_template("end_standing.html", old=old, form=request.form, problem=refusal)
        return make_response(page, _status(refusal))
    return frame.go(f"/courses/{old.course}", said="ended")


# --- reading the form -----------------------------------------------------------------------------------------------


def _proposal() -> Proposal:
    """:raises Malformed: a field is missing or makes no sense."""
    room = fields.text("room")
    if not room:
        raise Malformed(say("Choose a room, video, or no room."), where="room")
    last_day = fields.day("until") if fields.text("until") else None
    return Proposal(
        therapist=fields.text("therapist"),
        hours=_hours(),
        since=fields.day("since"),
        until=last_day + timedelta(days=1) if last_day else None,
        every_weeks=fields.number("every_weeks"),
        minutes=fields.number("minutes"),
        room=room if room not in {NO_ROOM, VIDEO} else None,
        modality=Modality.VIDEO if room == VIDEO else Modality.IN_PERSON,
        sessions_planned=fields.number("sessions_planned") if fields.text("sessions_planned") else None,
    )


def _hours() -> tuple[Hour, ...]:
    found = []
    for n in range(MOST_HOURS):
        if fields.text(f"at{n}"):
            day = fields.number(f"day{n}")
            if day not in Weekday.__members__.values():
                raise Malformed(say("That is not a day of the week."), where="hours")
            found.append(Hour(day=Weekday(day), at=fields.clock(f"at{n}")))
    if not found:
        raise Malformed(say("Say on which day of the week, and at what time."), where="hours")
    return tuple(found)


def _choices() -> Choices:
    """What was chosen for single dates, by slot. :raises Malformed: a choice lacks its hour, room or reason."""
    found = {}
    for name, value in request.form.items():
        if name.startswith("do.") and value:
            slot = name.removeprefix("do.")
            to = fields.text(f"to.{slot}")
            found[_local(slot)] = Choice(
                do=fields.chosen(Do, value, "choices"),
                starts=_local(to) if to else None,
                room=fields.text(f"room.{slot}") or None,
                reason=fields.text(f"why.{slot}") or None,
            )
    return found


def _decided() -> Choices:
    """The choices, and one reason for all dates that needed one when they were shown and got no choice of their own."""
    found, reason = dict(_choices()), fields.text("why_all")
    for slot in request.form.getlist("doubtful") if reason else ():
        found.setdefault(_local(slot), Choice(do=Do.OVERRIDE, reason=reason))
    return found


def _local(typed: str) -> datetime:
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        raise Malformed(say("“{typed}” is not a date and time.", typed=typed[:40]), where="choices") from None
    return found.replace(second=0, microsecond=0, tzinfo=None)


def _reason() -> str:
    reason = fields.text("reason")
    if reason not in REASONS:
        raise Malformed(say("Please choose one of the reasons."), where="reason")
    return reason


# --- what the form begins with --------------------------------------------------------------------------------------


def _whose(given: Mapping[str, str]) -> dict[str, Any]:
    """The client or the course at hand, and what is agreed with them already."""
    course, client = given.get("course") or None, given.get("client") or None
    if course:
        view = courses.show(course=course, by=g.actor, now=g.now)
        names, running = words.together(view.names), [course]
    else:
        found = clients.show(client=client or "", by=g.actor, now=g.now)
        active = {line.id for line in courses.listed(by=g.actor, now=g.now) if line.status.value != "ended"}
        names, running = found.name, [one for one in found.courses if one in active]
    today = frame.here().today
    agreed = [
        one
        for running_course in running
        for one in standings.of_course(course=running_course, by=g.actor)
        if one.until is None or one.until > today
    ]
    return {"client_id": None if course else client, "course_id": course, "names": names, "agreed": agreed}


def _first_wish(whose: Mapping[str, Any]) -> dict[str, str]:
    """Most agree with the therapist and in the room they know."""
    wish = {"minutes": "50", "every_weeks": "1", "therapist": g.actor.therapist or ""}
    if whose["agreed"]:
        known: Arrangement = whose["agreed"][-1]
        wish["therapist"], wish["room"], wish["minutes"] = known.therapist, _where(known), str(known.minutes)
    wish.update({name: request.args[name] for name in ("therapist", "room") if request.args.get(name)})
    day = fields.day_asked("day", frame.here().today + timedelta(days=1))
    wish["since"] = day.isoformat()
    wish["day0"] = str(day.weekday() if request.args.get("day") else 0)
    wish["at0"] = request.args.get("at", "")
    return wish


def _where(known: Arrangement) -> str:
    return VIDEO if known.modality is Modality.VIDEO else known.room or NO_ROOM


def _wish_of_change(old: Arrangement) -> dict[str, str]:
    """The arrangement as it is, with what was chosen for one of its dates carried over to all."""
    wish = {
        "therapist": request.args.get("therapist") or old.therapist,
        "room": request.args.get("room") or _where(old),
        "every_weeks": str(old.every_weeks),
        "minutes": request.args.get("minutes") or str(old.minutes),
        "until": (old.until - timedelta(days=1)).isoformat() if old.until else "",
    }
    slot = _asked(request.args.get("slot", ""))
    to = _asked(f"{request.args.get('day', '')}T{request.args.get('at', '')}")
    hours = [_moved(hour, slot, to) for hour in old.hours]
    for n, hour in enumerate(sorted(set(hours))[:MOST_HOURS]):
        wish[f"day{n}"], wish[f"at{n}"] = str(int(hour.day)), f"{hour.at:%H:%M}"
    wish["since"] = _since(old, slot, to).isoformat()
    return wish


def _asked(moment: str) -> datetime | None:
    try:
        return _local(moment)
    except Malformed:
        return None


def _moved(hour: Hour, slot: datetime | None, to: datetime | None) -> Hour:
    if slot is None or to is None or hour.on(slot.date()) != slot:
        return hour
    return Hour(day=Weekday.of(to), at=to.time())


def _since(old: Arrangement, slot: datetime | None, to: datetime | None) -> date:
    """From which day on. With one hour a week, the new one may lie earlier in the week than the old."""
    now = frame.here().now
    earliest = max(now.date(), old.since)
    if slot is None or request.args.get("scope") == "all":
        has_begun = any(hour.on(now.date()).date() == now.date() and hour.at <= now.time() for hour in old.hours)
        return earliest + timedelta(days=1) if has_begun else earliest
    first = min(slot.date(), to.date()) if to and len(old.hours) == 1 else slot.date()
    return max(earliest, first)


def _typed() -> dict[str, str]:
    return request.form.to_dict()


# --- looking before booking -----------------------------------------------------------------------------------------


def _preview(whose: Mapping[str, Any], proposal: Proposal, *, replacing: str | None = None) -> Preview:
    def look(choices: Choices) -> Preview:
        return standings.preview(
            client=whose["client_id"],
            course=whose["course_id"],
            proposal=proposal,
            choices=choices,
            replacing=replacing,
            horizon=g.settings.horizon,
            by=g.actor,
            now=g.now,
        )

    try:
        return look(_choices())
    except Malformed as refusal:
        if refusal.where != "choices":
            raise
        # The hour was changed after dates were decided: those decisions are about dates that are no more.
        return look({})


def _what_can_be_said(whose: Mapping[str, Any], *, replacing: str | None = None) -> Preview | None:
    """The dates once more beside a refusal; None where the form itself makes no sense."""
    try:
        return _preview(whose, _proposal(), replacing=replacing)
    except FIXABLE:
        return None


def _agree_page(whose: Mapping[str, Any], preview: Preview | None, problem: Refusal | None = None) -> Response:
    values = {"form": request.form, "wish": _typed(), "preview": preview, "problem": problem, **whose, **places()}
    return make_response(render_template("agree.html", **values), _status(problem))


def _change_page(
    old: Arrangement,
    form: Mapping[str, str],
    wish: Mapping[str, str],
    *,
    preview: Preview | None,
    problem: Refusal | None,
) -> Response:
    back = form.get("back", "")
    values = {"old": old, "form": form, "wish": wish, "preview": preview, "problem": problem, **places()}
    page = render_template("change_standing.html", back=back if frame.is_page(back) else "", **values)
    return make_response(page, _status(problem))


def _status(problem: Refusal | None) -> int:
    return 200 if problem is None else 422 if isinstance(problem, Malformed) else 409
