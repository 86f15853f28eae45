"""Putting appointments where they are to be: lock, look, write, or say what is in the way."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.hours import local_time
from service.domain.phrase import Clock, Value, YearDay, say, says
from service.domain.refusals import CannotBook, Clash
from service.store import appointments, clients, occupancies
from service.store.appointments import AppointmentRow
from service.store.courses import clients_by_course
from service.store.occupancies import Kind, Overlap, Wanted
from service.store.people import Directory


def wanted(session: Session, rows: Sequence[AppointmentRow]) -> list[Wanted]:
    """Each appointment with everyone it holds, in order of start."""
    found = clients_by_course(session, (row.course_id for row in rows))
    spans = [Wanted(appointment=row, keys=occupancies.keys_of(row, found.get(row.course_id, ()))) for row in rows]
    return sorted(spans, key=lambda one: one.starts)


def place(session: Session, rows: Sequence[AppointmentRow], people: Directory) -> None:
    """Write new or changed appointments and whom they hold; all of them, or none.

    :raises CannotBook: some of it is taken; `clashes` says which, by whom and when. Nothing was changed.
    """
    spans = wanted(session, rows)
    occupancies.lock(session, (key for span in spans for key in span.keys))
    holding = [span for span in spans if occupancies.is_occupying(span.appointment)]
    if in_the_way := occupancies.overlaps(session, holding) or among_themselves(holding):
        raise cannot_book(session, in_the_way, people)
    session.add_all(rows)
    session.flush()
    occupancies.rewrite(session, spans)


def let_go(session: Session, rows: Sequence[AppointmentRow]) -> None:
    """Let go of whoever appointments hold no more, now that they say so themselves.

    Nothing new is taken, so nothing can be in the way; but whoever looks for a free hour must wait for the end of it.
    """
    spans = wanted(session, rows)
    occupancies.lock(session, (key for span in spans for key in span.keys))
    occupancies.rewrite(session, spans)


def derive_anew(session: Session, rows: Sequence[AppointmentRow]) -> list[AppointmentRow]:
    """Put booked hours where today's time-zone data says; which of them stay where they were.

    Those are the hours whose new place somebody or something is held for: none is put over another, and nobody's is
    given up for another's. Lock their courses first.
    """
    spans = wanted(session, rows)
    occupancies.lock(session, (key for span in spans for key in span.keys))
    before = {row.id: (row.starts_at, row.ends_at, row.tzdata) for row in rows}
    stay: list[AppointmentRow] = []
    with session.no_autoflush:
        for row in rows:
            appointments.derive(row)
        fit = sorted(spans, key=lambda one: one.starts)
        while taken := _in_the_way_of(session, fit):
            stay += [one.appointment for one in fit if one.appointment.id in taken]
            for row in stay:
                row.starts_at, row.ends_at, row.tzdata = before[row.id]
            fit = [one for one in fit if one.appointment.id not in taken]
    session.flush()
    occupancies.rewrite(session, fit)
    return stay


def _in_the_way_of(session: Session, spans: Sequence[Wanted]) -> set[int]:
    """Inner ids of the appointments that can't be where they want to be."""
    holding = [span for span in spans if occupancies.is_occupying(span.appointment)]
    found = occupancies.overlaps(session, holding) or among_themselves(holding)
    return {overlap.wanted.appointment.id for overlap in found}


def cannot_book(session: Session, found: Sequence[Overlap], people: Directory) -> CannotBook:
    clashes = describe(session, found, people)
    first = clashes[0]
    starts, ends = datetime.fromisoformat(first.starts), datetime.fromisoformat(first.ends)
    values: dict[str, Value] = {
        "who": say("The client") if first.kind == "client" else first.name,
        "day": YearDay(starts.date()),
        "starts": Clock(starts.time()),
        "ends": Clock(ends.time()),
    }
    if len(clashes) == 1:
        return CannotBook(
            say("{who} is already booked on {day} from {starts} to {ends}. Nothing was changed.", **values),
            clashes=clashes,
        )
    return CannotBook(
        says(
            "{who} is already booked on {day} from {starts} to {ends}, and {n} more. Nothing was changed.",
            "{who} is already booked on {day} from {starts} to {ends}, and {n} more. Nothing was changed.",
            n=len(clashes) - 1,
            **values,
        ),
        clashes=clashes,
    )


def describe(session: Session, found: Sequence[Overlap], people: Directory) -> list[Clash]:
    """The overlaps in words and local times, for whoever has to choose another hour."""
    ids = {overlap.appointment_id for overlap in found if overlap.appointment_id}
    query = select(AppointmentRow.id, AppointmentRow.public_id).where(AppointmentRow.id.in_(sorted(ids)))
    public_ids = dict(session.execute(query).all())
    return [
        Clash(
            kind=overlap.kind.name.lower(),
            who=_who(session, overlap, people)[0],
            name=_who(session, overlap, people)[1],
            starts=local_time(overlap.starts, overlap.wanted.appointment.zone).isoformat(timespec="minutes"),
            ends=local_time(overlap.ends, overlap.wanted.appointment.zone).isoformat(timespec="minutes"),
            appointment=public_ids.get(overlap.appointment_id or 0),
        )
        for overlap in found
    ]


def _who(session: Session, overlap: Overlap, people: Directory) -> tuple[str, str]:
    if overlap.kind is Kind.THERAPIST:
        therapist = people.therapists[overlap.who]
        return therapist.public_id, therapist.name
    if overlap.kind is Kind.ROOM:
        room = people.rooms[overlap.who]
        return room.public_id, room.name
    return clients.by_ids(session, [overlap.who])[overlap.who].public_id, ""


def among_themselves(spans: Sequence[Wanted]) -> list[Overlap]:
    """Overlaps within what is to be written now, such as two hours of one standing on the same evening."""
    last: dict[tuple[int, int], Wanted] = {}
    found = []
    for span in spans:
        if span.appointment.overlap_reason is not None:
            continue
        for key in span.keys:
            before = last.get(key)
            if before and span.starts < before.ends:
                kind, who = key
                found.append(
                    Overlap(
                        wanted=span,
                        kind=Kind(kind),
                        who=who,
                        starts=before.starts,
                        ends=before.ends,
                        appointment_id=None,
                    )
                )
            if before is None or span.ends > before.ends:
                last[key] = span
    return found
