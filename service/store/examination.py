"""The examination of a whole database, in plain SQL that shares nothing with the code that wrote it.

Each check is one function that yields what it finds; `CHECKS` lists them. Findings carry opaque ids alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Date, Integer, String, Time, inspect, text
from sqlalchemy.orm import Session

from service.domain.hours import TZDATA_VERSION, Hour, Weekday, instant, midnight, release_name
from service.domain.recurrence import slots
from service.domain.standing import Modality, Standing
from service.store import migrate
from service.store.base import BigId, UtcTime, WallTime
from service.store.clients import ClientRow
from service.store.schema import metadata
from service.store.seal import CannotOpen

SHOWN = 20
"""How many ids a finding names; `count` says how many there are."""
RECENT = timedelta(days=7)
"""Messages older than that may have been cleared away, so only later changes are looked at for one."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule that the database breaks: how often, and a few of the records that show it."""

    rule: str
    text: str
    count: int
    ids: tuple[str, ...]


def examine(session: Session, *, now: datetime) -> list[Finding]:
    """Everything that is not as it must be; nothing, on a sound database."""
    if problem := list(_schema(session, now)):
        return problem
    return [finding for check in CHECKS for finding in check(session, now)]


def counted(session: Session) -> dict[str, int]:
    """How much there was to look at."""
    tables = ("courses", "standings", "appointments", "occupancies", "absences")
    return {table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables}


# --- the schema and its nets


def _schema(session: Session, _now: datetime) -> Iterator[Finding]:
    connection = session.connection()
    found, wanted = migrate.current(connection), migrate.head()
    if found != wanted:
        yield Finding(
            rule="schema.head",
            text=f"The schema is {found or 'empty'}, this program needs {wanted}: run samehour init.",
            count=1,
            ids=(),
        )
        return
    missing = sorted(set(metadata.tables) - set(inspect(connection).get_table_names()))
    if missing:
        yield Finding(rule="schema.tables", text="Tables are missing.", count=len(missing), ids=tuple(missing))


def _nets(session: Session, _now: datetime) -> Iterator[Finding]:
    if not migrate.nets_stand(session.connection()):
        yield Finding(
            rule="nets", text="The database itself would not refuse a double booking any more.", count=1, ids=()
        )


# --- nobody is held twice

_OCCUPYING = """
    a.void_at IS NULL AND (a.keeps_hour OR a.status NOT IN ('client_cancelled', 'clinic_cancelled', 'break'))"""

_HELD = f"""
    SELECT 1 AS kind, a.therapist_id AS who, a.starts_at AS starts, a.ends_at AS ends, a.id AS appointment_id,
           a.overlap_reason IS NOT NULL AS exempt
      FROM appointments a WHERE {_OCCUPYING}
    UNION ALL
    SELECT 2, a.room_id, a.starts_at, a.ends_at, a.id, a.overlap_reason IS NOT NULL
      FROM appointments a WHERE a.room_id IS NOT NULL AND {_OCCUPYING}
    UNION ALL
    SELECT 3, c.client_id, a.starts_at, a.ends_at, a.id, a.overlap_reason IS NOT NULL
      FROM appointments a JOIN course_clients c ON c.course_id = a.course_id WHERE {_OCCUPYING}"""


def _held_twice(session: Session, _now: datetime) -> Iterator[Finding]:
    """By the rows that guard: of two that overlap, one starts within the other."""
    yield from _found(
        session,
        "double.occupancies",
        "A therapist, room or client is held twice at the same time.",
        """
        SELECT coalesce(p.public_id, b.hold)
          FROM occupancies a CROSS JOIN occupancies b  -- SQLite then starts from a, and finds b by its index
          LEFT JOIN appointments p ON p.id = b.appointment_id
         WHERE b.kind = a.kind AND b.who = a.who AND b.starts >= a.starts AND b.starts < a.ends
           AND (b.starts > a.starts OR b.id > a.id) AND NOT a.exempt AND NOT b.exempt
         ORDER BY b.id
        """,
    )


def _booked_twice(session: Session, _now: datetime) -> Iterator[Finding]:
    """By the appointments alone, as if there were no guard: in order of start, one begins before another ends."""
    yield from _found(
        session,
        "double.appointments",
        "An appointment lies over another one of the same therapist, room or client.",
        f"""
        WITH held AS ({_HELD}),
             ordered AS (SELECT appointment_id, starts, max(ends) OVER (
                                  PARTITION BY kind, who ORDER BY starts, appointment_id
                                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_until
                           FROM held WHERE NOT exempt)
        SELECT DISTINCT p.public_id FROM ordered o JOIN appointments p ON p.id = o.appointment_id
         WHERE o.starts < o.busy_until ORDER BY p.public_id
        """,
    )


def _held_as_booked(session: Session, _now: datetime) -> Iterator[Finding]:
    columns = "kind, who, starts, ends, appointment_id, exempt"
    held = f"SELECT {columns} FROM occupancies WHERE appointment_id IS NOT NULL"
    for rule, words, query in (
        ("occupancies.missing", "An appointment does not hold whom it needs.", f"{_HELD} EXCEPT {held}"),
        (
            "occupancies.stray",
            "Somebody is held by an appointment that does not need them then.",
            f"{held} EXCEPT {_HELD_ONCE}",
        ),
    ):
        yield from _found(
            session,
            rule,
            words,
            f"""SELECT DISTINCT p.public_id FROM ({query}) odd JOIN appointments p ON p.id = odd.appointment_id
                 ORDER BY p.public_id""",
        )
    yield from _found(
        session,
        "occupancies.doubled",
        "The same hold is written twice.",
        f"""SELECT DISTINCT p.public_id FROM (SELECT {columns} FROM occupancies WHERE appointment_id IS NOT NULL
             GROUP BY {columns} HAVING count(*) > 1) odd JOIN appointments p ON p.id = odd.appointment_id""",
    )


# Else EXCEPT would take away the first of the three alone.
_HELD_ONCE = f"SELECT * FROM ({_HELD}) implied"


# --- every slot has its row


def _series(session: Session, _now: datetime) -> Iterator[Finding]:
    rows = _rows_by_standing(session)
    missing, odd, lost = [], [], []
    for standing, extended_to, key in _standings(session):
        until = min(extended_to, standing.until or extended_to)
        expected = set(slots(standing, until=midnight(until)))
        counted = {slot for slot, is_void in rows.get(key, ()) if not is_void}
        known = {slot for slot, _is_void in rows.get(key, ())}
        missing += [f"{standing.id} {slot:%Y-%m-%dT%H:%M}" for slot in sorted(expected - known)]
        lost += [f"{standing.id} {slot:%Y-%m-%dT%H:%M}" for slot in sorted(expected & known - counted)]
        odd += [f"{standing.id} {slot:%Y-%m-%dT%H:%M}" for slot in _unexpected(standing, counted - expected)]
    yield from _finding("series.missing", "A slot of a standing has no appointment.", missing)
    yield from _finding("series.void", "A slot that is still expected was made void.", lost)
    yield from _finding("series.odd", "An appointment fills a slot that its standing does not expect.", odd)
    yield from _found(
        session,
        "series.doubled",
        "A slot has two appointments.",
        """SELECT s.public_id FROM appointments a JOIN standings s ON s.id = a.standing_id
            GROUP BY s.public_id, a.slot HAVING count(*) > 1 ORDER BY s.public_id""",
    )


def _unexpected(standing: Standing, filled: set[datetime]) -> list[datetime]:
    """In order; what lies beyond the horizon may be expected too, as the exceptions of an old book are."""
    return [slot for slot in sorted(filled) if not any(slots(standing, since=slot, until=slot + timedelta(minutes=1)))]


def _standings(session: Session) -> Iterator[tuple[Standing, date, int]]:
    hours: dict[int, list[Hour]] = {}
    for key, weekday, at in _typed(
        session, "SELECT standing_id, weekday, at FROM standing_hours", standing_id=BigId, weekday=Integer, at=Time
    ):
        hours.setdefault(key, []).append(Hour(day=Weekday(weekday), at=at))
    query = "SELECT id, public_id, zone, every_weeks, minutes, since, until, extended_to FROM standings ORDER BY id"
    for row in _typed(session, query, zone=String, since=Date, until=Date, extended_to=Date):
        standing = Standing(
            id=row.public_id,
            therapist="",
            room=None,
            modality=Modality.VIDEO,
            hours=tuple(hours.get(row.id, ())),
            every_weeks=row.every_weeks,
            minutes=row.minutes,
            zone=row.zone,
            since=row.since,
            until=row.until,
        )
        yield standing, row.extended_to, row.id


def _rows_by_standing(session: Session) -> dict[int, list[tuple[datetime, bool]]]:
    found: dict[int, list[tuple[datetime, bool]]] = {}
    query = "SELECT standing_id, slot, void_at IS NOT NULL AS is_void FROM appointments WHERE standing_id IS NOT NULL"
    for key, slot, is_void in _typed(session, query, standing_id=BigId, slot=WallTime, is_void=Boolean):
        found.setdefault(key, []).append((slot, is_void))
    return found


# --- what was is kept, and what is over is free


def _history(session: Session, _now: datetime) -> Iterator[Finding]:
    yield from _found(
        session,
        "history.void",
        "An hour that took place was made void.",
        """SELECT public_id FROM appointments
            WHERE void_at IS NOT NULL AND status IN ('held', 'no_show', 'late_not_seen')""",
    )
    yield from _found(
        session,
        "course.after_its_end",
        "A course that has ended still holds an hour.",
        f"""SELECT a.public_id FROM appointments a JOIN courses c ON c.id = a.course_id
             WHERE {_OCCUPYING} AND a.status = 'scheduled' AND c.ended_on IS NOT NULL AND a.starts >= c.ended_on""",
    )
    yield from _found(
        session,
        "video.room",
        "A session by video holds a room.",
        "SELECT public_id FROM appointments WHERE modality = 'video' AND room_id IS NOT NULL",
    )


def _times(session: Session, now: datetime) -> Iterator[Finding]:
    query = "SELECT public_id, starts, zone, minutes, starts_at, ends_at, tzdata FROM appointments ORDER BY id"
    wrong, outdated = [], []
    for row in _typed(session, query, starts=WallTime, starts_at=UtcTime, ends_at=UtcTime, tzdata=String):
        by = instant(row.starts, row.zone) - row.starts_at
        is_as_long = row.ends_at - row.starts_at == timedelta(minutes=row.minutes)
        if not is_as_long or (by and row.tzdata == TZDATA_VERSION):
            wrong.append(row.public_id)
        elif by and max(row.starts_at, row.starts_at + by) > now:  # what has been stays where it was
            outdated.append(row.public_id)
    yield from _finding(
        "times.derived", "An instant is not what its local time and zone say by the time-zone data in use.", wrong
    )
    yield from _finding(
        "times.outdated", "An hour to come stands where older time-zone data puts it: see samehour timezones.", outdated
    )
    derived_with = session.scalar(text("SELECT derived_with FROM timezone_data"))
    if derived_with is not None and derived_with != TZDATA_VERSION:
        was, here = release_name(derived_with), release_name(TZDATA_VERSION)
        words = f"Times are derived with {was}, this program has {here}: run `samehour timezones check`."
        yield Finding(rule="times.release", text=words, count=1, ids=())


# --- records of the records


def _audit(session: Session, _now: datetime) -> Iterator[Finding]:
    for kind, table, where in (
        ("standing", "standings", ""),
        ("appointment", "appointments", "AND t.standing_id IS NULL"),
        ("absence", "absences", "AND t.kind <> 'pause'"),
        ("course", "courses", ""),
        ("client", "clients", ""),
        ("user", "users", ""),
    ):
        yield from _found(
            session,
            f"audit.{kind}",
            f"Nothing on record says who entered this {kind}.",
            f"""SELECT t.public_id FROM {table} t WHERE NOT EXISTS (
                 SELECT 1 FROM audit r WHERE r.subject_kind = '{kind}' AND r.subject = t.public_id) {where}
                 ORDER BY t.id""",
        )
    yield from _found(
        session,
        "audit.pause",
        "Nothing on record says who let this course rest.",
        """SELECT c.public_id FROM absences t JOIN courses c ON c.id = t.course_id
            WHERE t.kind = 'pause' AND NOT EXISTS (
              SELECT 1 FROM audit r
               WHERE r.subject_kind = 'course' AND r.subject = c.public_id AND r.action = 'pause')""",
    )
    yield from _found(
        session,
        "audit.change",
        "Nothing on record says who made this change.",
        """SELECT a.public_id FROM changes t JOIN appointments a ON a.id = t.appointment_id
            WHERE NOT EXISTS (SELECT 1 FROM audit r
                    WHERE r.subject_kind = 'appointment' AND r.subject = a.public_id AND r.at = t.made_at)
              AND NOT EXISTS (SELECT 1 FROM imported i
                    WHERE i.appointment_id = a.id OR i.standing_id = a.standing_id)""",
    )


def _outbox(session: Session, now: datetime) -> Iterator[Finding]:
    """Whatever changes a course asks, in the same transaction and so at the same time, for it to be assessed."""
    yield from _found(
        session,
        "outbox.missing",
        "A change asked nobody to look at its course again.",
        """
        WITH changed AS (
          SELECT r.at, c.public_id FROM audit r JOIN courses c ON c.public_id = r.subject
           WHERE r.subject_kind = 'course' AND r.action <> 'view' AND r.at > :since
          UNION
          SELECT r.at, c.public_id FROM audit r
            JOIN standings s ON s.public_id = r.subject JOIN courses c ON c.id = s.course_id
           WHERE r.subject_kind = 'standing' AND r.at > :since
          UNION
          SELECT r.at, c.public_id FROM audit r
            JOIN appointments a ON a.public_id = r.subject JOIN courses c ON c.id = a.course_id
           WHERE r.subject_kind = 'appointment' AND r.at > :since),
        asked AS (SELECT created_at AS at, payload ->> 'course' AS public_id FROM outbox WHERE topic = 'assess.course')
        SELECT DISTINCT public_id FROM (SELECT * FROM changed EXCEPT SELECT * FROM asked) unheard
         ORDER BY public_id
        """,
        since=now - RECENT,
    )


def _orphans(session: Session, _now: datetime) -> Iterator[Finding]:
    """Rows that point at nothing: SQLite lets them in wherever foreign keys are off."""
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            child, parent = key.parent, key.column
            yield from _found(
                session,
                f"orphans.{table.name}.{child.name}",
                f"{table.name}.{child.name} points at nothing.",
                f"""SELECT c.{child.name} FROM {table.name} c
                      LEFT JOIN {parent.table.name} p ON p.{parent.name} = c.{child.name}
                     WHERE c.{child.name} IS NOT NULL AND p.{parent.name} IS NULL""",
            )
    yield from _found(
        session,
        "course.of_nobody",
        "A course has no client.",
        """SELECT public_id FROM courses c WHERE NOT EXISTS (
             SELECT 1 FROM course_clients m WHERE m.course_id = c.id)""",
    )
    yield from _found(
        session,
        "appointment.of_another",
        "An appointment fills a slot of another course's standing.",
        """SELECT a.public_id FROM appointments a JOIN standings s ON s.id = a.standing_id
            WHERE s.course_id <> a.course_id""",
    )


def _sealed(session: Session, _now: datetime) -> Iterator[Finding]:
    shut = []
    for row in session.query(ClientRow).order_by(ClientRow.id):
        try:
            _ = (row.name, row.email, row.phone)
        except CannotOpen:
            shut.append(row.public_id)
    yield from _finding("sealed", "A client's name can't be opened with the keys that are here.", shut)


CHECKS: Sequence[Callable[[Session, datetime], Iterator[Finding]]] = (
    _nets,
    _held_twice,
    _booked_twice,
    _held_as_booked,
    _series,
    _history,
    _times,
    _audit,
    _outbox,
    _orphans,
    _sealed,
)


def _found(session: Session, rule: str, words: str, query: str, **given: object) -> Iterator[Finding]:
    """A finding with the first column of each row, if there is a row."""
    statement = text(query)
    if given:
        statement = statement.bindparams(**given)
    yield from _finding(rule, words, [str(row[0]) for row in session.execute(statement)])


def _finding(rule: str, words: str, ids: Sequence[str]) -> Iterator[Finding]:
    if ids:
        yield Finding(rule=rule, text=words, count=len(ids), ids=tuple(ids[:SHOWN]))


def _typed(session: Session, query: str, **types: Any) -> Iterator[Any]:
    """Rows with real dates and times: SQLite alone would hand back text."""
    names = query.split("FROM")[0].removeprefix("SELECT").split(",")
    columns = [name.split(" AS ")[-1].strip() for name in names]
    given = {column: types.get(column, String if column.endswith("id") else Integer) for column in columns}
    yield from session.execute(text(query).columns(**given))
