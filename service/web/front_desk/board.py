"""The board: a day or a week, by therapist or by room."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from flask import Response, g, jsonify, render_template, request

from service.domain.access import CLINICAL, allows
from service.domain.hours import LocalTime, Weekday, midnight, monday_of
from service.domain.phrase import Phrase, say
from service.domain.standing import Modality
from service.language.reader import tell
from service.usecases import absences, appointments, outside, people
from service.usecases.absences import AbsenceView
from service.usecases.appointments import Booked
from service.usecases.outside import Elsewhere
from service.web import fields, frame, words
from service.web.front_desk.desk import at_site, pages, places

DAY, WEEK = "day", "week"
THERAPIST, ROOM = "therapist", "room"
NOWHERE = "none"
"""The column of hours by video or without a room."""
EARLIEST, LATEST = time(8), time(19)
SIGNS: Mapping[str, Phrase] = {
    "standing": say("standing hour"),
    "single": say("single hour"),
    "video": say("video"),
    "moved": say("moved"),
    "untold": say("not told yet"),
    "warning": say("somebody is away then"),
}
"""What the grid's small signs mean, by the name of their picture."""


@dataclass(frozen=True, kw_only=True)
class Column:
    id: str
    title: str


@dataclass(frozen=True, kw_only=True)
class View:
    """What part of the board is looked at."""

    span: str
    by: str
    day: date
    columns: tuple[Column, ...]
    """All that could be shown."""
    only: str | None
    """The one column of a week."""

    @property
    def since(self) -> date:
        return monday_of(self.day) if self.span == WEEK else self.day

    @property
    def days(self) -> int:
        return 7 if self.span == WEEK else 1

    @property
    def until(self) -> date:
        return self.since + timedelta(days=self.days)

    def address(self, **other: object) -> str:
        """The board's address with some of it changed."""
        values: Mapping[str, object] = {
            "view": self.span, "by": self.by, "date": self.day, "only": self.only or "", **other
        }  # fmt: skip
        return "/board?" + "&".join(f"{name}={value}" for name, value in values.items() if value)


@pages.get("/board")
@allows(CLINICAL)
def board() -> str:
    view = _asked()
    hours = _hours(view)
    begins, ends = _open_hours(hours)
    return render_template(
        "board.html",
        view=view,
        columns=[{"id": one.id, "title": one.title} for one in view.columns],
        hours=sorted(hours, key=lambda one: (one.starts, one.therapist_name)),
        days=[view.since + timedelta(days=n) for n in range(view.days)],
        earlier=view.address(date=view.day - timedelta(days=view.days)),
        later=view.address(date=view.day + timedelta(days=view.days)),
        back=view.address(),
        begins=begins,
        ends=ends,
        hidden=_hidden_days(view, hours),
        version=appointments.board_version(by=g.actor),
        signs={name: tell(meaning) for name, meaning in SIGNS.items()},
        away=_absences(view),
        elsewhere=_elsewhere(view),
    )


@pages.get("/board/events")
@allows(CLINICAL)
def board_events() -> Response:
    """What EventCalendar draws: hours, and bands where somebody is away or busy elsewhere."""
    view = _asked()
    hours = _hours(view)
    events = [_event(view, one) for one in hours if not _is_covered(one, hours)]
    away = [band for one in _absences(view) for band in _bands(view, one)]
    return jsonify([*events, *away, *(band for one in _elsewhere(view) for band in _bands_elsewhere(view, one))])


@pages.get("/board/version")
@allows(CLINICAL)
def board_version() -> Response:
    """304 while nothing on any board has changed since: one look-up, asked every few seconds."""
    response = Response(status=204)
    response.set_etag(appointments.board_version(by=g.actor))
    response.headers["Cache-Control"] = "private, no-cache"
    if request.if_none_match.contains(response.get_etag()[0] or ""):
        response.status_code = 304
    return response


# --- what is asked for ----------------------------------------------------------------------------------------------


def _asked() -> View:
    span = WEEK if request.args.get("view") == WEEK else DAY
    by = ROOM if request.args.get("by") == ROOM else THERAPIST
    columns = _columns(by)
    known = {column.id for column in columns}
    only = request.args.get("only", "")
    first = columns[0].id if columns else None
    return View(
        span=span,
        by=by,
        day=fields.day_asked("date", frame.here().today),
        columns=columns,
        only=(only if only in known else first) if span == WEEK else None,
    )


def _columns(by: str) -> tuple[Column, ...]:
    if by == ROOM:
        rooms = [Column(id=one.id, title=one.name) for one in at_site(places()["rooms"])]
        return (*rooms, Column(id=NOWHERE, title=tell(say("Video"))))
    found = at_site(places()["therapists"])
    if not g.actor.has("front_desk", "manager"):
        found = [one for one in found if one.id == g.actor.therapist]
    return tuple(Column(id=one.id, title=one.name) for one in found)


def _hours(view: View) -> list[Booked]:
    site = frame.here().site
    therapists = [view.only] if view.by == THERAPIST and view.only else None
    found = appointments.board(
        since=view.since,
        until=view.until,
        therapists=therapists,
        site=site.id if site and therapists is None else None,
        by=g.actor,
    )
    return [one for one in found if view.only is None or _column(view, one) == view.only]


def _column(view: View, hour: Booked) -> str:
    return hour.therapist if view.by == THERAPIST else hour.room or NOWHERE


def _absences(view: View) -> list[AbsenceView]:
    site = frame.here().site
    found = absences.between(since=midnight(view.since), until=midnight(view.until), by=g.actor)
    return [one for one in found if site is None or one.site in {None, site.id}]


def _elsewhere(view: View) -> list[Elsewhere]:
    """Of the therapists whose columns are shown; a room is not where they are busy."""
    if view.by == ROOM:
        return []
    shown = {view.only} if view.only else {column.id for column in view.columns}
    found = outside.elsewhere(
        since=midnight(view.since), until=midnight(view.until), zone=frame.here().zone, by=g.actor
    )
    return [one for one in found if one.therapist in shown]


def _open_hours(hours: Iterable[Booked]) -> tuple[str, str]:
    """From when until when the grid reaches: what people work, and what is booked beyond it."""
    worked = [hours for one in people.therapists(by=g.actor) for hours in one.hours]
    begins = min([*(one.begins for one in worked), EARLIEST])
    ends = max([*(one.ends for one in worked), LATEST])
    booked = list(hours)
    begins = min([begins, *(one.starts.time() for one in booked)])
    last = max([ends, *(one.ends.time() for one in booked if one.ends.date() == one.starts.date())])
    return f"{begins.hour:02}:00", f"{last.hour + (1 if last.minute else 0):02}:00"


def _hidden_days(view: View, hours: Iterable[Booked]) -> list[int]:
    """Days of the weekend on which nobody works and nothing is booked, as EventCalendar counts them (0 is Sunday)."""
    if view.span == DAY:
        return []
    worked = {hours.day for one in people.therapists(by=g.actor) for hours in one.hours}
    used = worked | {Weekday.of(one.starts) for one in hours}
    return [(day + 1) % 7 for day in (Weekday.SA, Weekday.SU) if day not in used]


# --- what is drawn --------------------------------------------------------------------------------------------------


def _is_covered(hour: Booked, others: Sequence[Booked]) -> bool:
    """True for a cancelled hour whose time somebody else has: the one that holds is shown."""
    if hour.status.value not in words.CANCELLED:
        return False
    return any(
        one.status.value not in words.CANCELLED
        and (one.therapist == hour.therapist or (hour.room is not None and one.room == hour.room))
        and one.starts < hour.ends
        and hour.starts < one.ends
        for one in others
    )


def _event(view: View, hour: Booked) -> Mapping[str, Any]:
    state = words.state(hour, g.now)
    return {
        "id": hour.id,
        "resourceIds": [_column(view, hour)],
        "start": words.minute(hour.starts),
        "end": words.minute(hour.ends),
        "title": hour.initials,
        "editable": hour.status.value == "scheduled",
        "classNames": [f"is-{state}", *_marks(hour)],
        "extendedProps": {
            "state": state,
            "sign": words.SIGN[state],
            "word": tell(words.STATUS[state]),
            "name": tell(words.together(hour.names)),
            "with": (hour.room_name or tell(say("video"))) if view.by == THERAPIST else hour.therapist_name,
            "standing": hour.standing is not None,
            "video": hour.modality is Modality.VIDEO,
            "notes": [tell(note) for note in _notes(hour)],
            "untold": not hour.is_told,
            "version": hour.version,
            "markable": hour.status.value not in words.CANCELLED,
            "over": hour.starts_at + timedelta(minutes=hour.minutes) <= g.now,
        },
    }


def _marks(hour: Booked) -> list[str]:
    facts = {"is-standing": hour.standing is not None, "is-moved": hour.is_moved, "is-at-risk": hour.is_at_risk}
    return [name for name, is_so in facts.items() if is_so]


def _notes(hour: Booked) -> Iterable[Phrase]:
    if hour.is_at_risk:
        yield SIGNS["warning"]
    if hour.is_moved and hour.slot:
        yield say("moved from {when}", when=words.when(hour.slot))
    if not hour.is_told:
        yield SIGNS["untold"]


def _bands(view: View, absence: AbsenceView) -> Iterable[Mapping[str, Any]]:
    """An absence behind the columns it concerns."""
    concerned = [column.id for column in view.columns if _concerns(view, absence, column.id)]
    if view.only:
        concerned = [one for one in concerned if one == view.only]
    for n, since, until in _days_of(view, absence.since, absence.until) if concerned else ():
        yield {
            "id": f"{absence.id}:{n}",
            "resourceIds": concerned,
            "start": words.minute(since),
            "end": words.minute(until),
            "display": "background",
            "title": absence.name or tell(words.KIND[absence.kind.value]),
            "classNames": ["is-away", *(["is-tentative"] if absence.tentative else [])],
        }


def _bands_elsewhere(view: View, busy: Elsewhere) -> Iterable[Mapping[str, Any]]:
    for _n, since, until in _days_of(view, busy.since, busy.until):
        yield {
            "id": f"elsewhere:{busy.therapist}:{words.minute(since)}",
            "resourceIds": [busy.therapist],
            "start": words.minute(since),
            "end": words.minute(until),
            "display": "background",
            "title": tell(say("busy elsewhere")),
            "classNames": ["is-elsewhere"],
        }


def _days_of(view: View, begins: LocalTime, ends: LocalTime) -> Iterable[tuple[int, LocalTime, LocalTime]]:
    """Its part of each day that is shown: a band that runs over midnight is drawn nowhere."""
    for n in range(view.days):
        since = max(begins, midnight(view.since + timedelta(days=n)))
        until = min(ends, midnight(view.since + timedelta(days=n + 1)))
        if since < until:
            yield n, since, until


def _concerns(view: View, absence: AbsenceView, column: str) -> bool:
    if view.by == THERAPIST:
        return absence.therapist == column or (absence.therapist is None and absence.room is None)
    return absence.room == column or (absence.therapist is None and absence.room is None)
