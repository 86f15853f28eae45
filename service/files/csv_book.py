"""An appointment book as a table: one row, one dated hour.

Which column is which, how dates are written and what the words for a status mean is said by the one who brings the
book; nothing of it is guessed from the rows. Only the delimiter is: it is the one that makes the named columns appear.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from service.domain.appointment import FREEING, Status
from service.domain.book import Book, BookEntry, key_of
from service.domain.hours import zone as checked_zone
from service.domain.phrase import Listing, Value, listing, say
from service.domain.standing import Modality
from service.files.book import (
    MOST_ENTRIES,
    CannotRead,
    CannotTake,
    Findings,
    checked_minutes,
    checked_size,
    checked_start,
    name_of,
    place_of,
)

FIELDS = ("date", "start", "minutes", "end", "client", "therapist", "room", "status")
DateForm = Literal["iso", "dmy", "mdy"]

STATUS_WORDS: Mapping[str, Status] = {
    "": Status.SCHEDULED,
    "scheduled": Status.SCHEDULED,
    "booked": Status.SCHEDULED,
    "planned": Status.SCHEDULED,
    "confirmed": Status.SCHEDULED,
    "held": Status.HELD,
    "attended": Status.HELD,
    "completed": Status.HELD,
    "seen": Status.HELD,
    "done": Status.HELD,
    "client cancelled": Status.CLIENT_CANCELLED,
    "cancelled by client": Status.CLIENT_CANCELLED,
    "clinic cancelled": Status.CLINIC_CANCELLED,
    "cancelled by clinic": Status.CLINIC_CANCELLED,
    "cancelled by therapist": Status.CLINIC_CANCELLED,
    "no show": Status.NO_SHOW,
    "noshow": Status.NO_SHOW,
    "late not seen": Status.LATE_NOT_SEEN,
    "break": Status.BREAK,
}
"""In lower case, `_` and `-` as blanks, American spelling put right. `cancelled` alone does not say by whom."""

_ISO = re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[T ]0{1,2}:00(?::00(?:\.0+)?)?)?", re.ASCII)
_DMY = re.compile(r"(?P<d>\d{1,2})[./-](?P<m>\d{1,2})[./-](?P<y>\d{4}|\d{2})", re.ASCII)
_MDY = re.compile(r"(?P<m>\d{1,2})[./-](?P<d>\d{1,2})[./-](?P<y>\d{4}|\d{2})", re.ASCII)
_DATES = {"iso": _ISO, "dmy": _DMY, "mdy": _MDY}
_TIME = re.compile(
    r"(?P<h>\d{1,2})[:.h](?P<m>\d{2})(?::(?P<s>\d{2})(?:\.0+)?)?\s*(?P<half>[ap]\.?m\.?)?", re.ASCII | re.IGNORECASE
)
_DELIMITERS = (",", ";", "\t")
_LONGEST_CELL = 100_000
_MOST_AT_ONE_HOUR = 20


@dataclass(frozen=True, kw_only=True)
class _Form:
    """How the rows of one file are to be read."""

    columns: Mapping[str, int]
    zone: str
    therapist: str | None
    minutes: int | None
    dates: DateForm
    statuses: Mapping[str, Status]


def parse(
    data: bytes,
    *,
    zone: str,
    headers: Mapping[str, str] | None = None,
    therapist: str | None = None,
    minutes: int | None = None,
    dates: DateForm = "iso",
    statuses: Mapping[str, str] | None = None,
) -> Book:
    """Every row as a single appointment; `service.domain.rebuild` finds the standings among them.

    :param headers: field of `FIELDS` → what its column is called, where that is not the field's own name.
    :param therapist: whose appointments they are where the file, or a row, does not say it.
    :param minutes: how long they last where the file, or a row, does not say it.
    :param dates: `iso` 2026-03-31, `dmy` 31.03.2026 or 31/3/26, `mdy` 3/31/2026.
    :param statuses: further words → values of `Status`, as in `{"cancelled": "client_cancelled"}`.
    :raises CannotRead: no table, or one without the columns that are needed.
    :raises UnknownZone: there is no such zone.
    """
    checked_zone(zone)
    findings = Findings()
    text = _text(checked_size(data), findings)
    wanted = _wanted(headers or {})
    rows = _rows(text, _delimiter(text, wanted))
    form = _Form(
        columns=_columns(next(rows, (1, []))[1], wanted, has_therapist=bool(therapist), has_minutes=bool(minutes)),
        zone=zone,
        therapist=therapist,
        minutes=minutes,
        dates=dates,
        statuses=_statuses(statuses or {}),
    )
    entries = _entries(rows, form, findings)
    return Book(singles=tuple(entries), rejected=findings.rejected, noted=findings.noted)


# -- the table


def _text(data: bytes, findings: Findings) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        findings.note(1, say("The file is not UTF-8; it was read as Windows-1252."))
        return data.decode("cp1252", "replace")


def _wanted(headers: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(headers) - set(FIELDS))
    if unknown:
        raise CannotRead(
            say("There is no field {field}. The fields are {fields}.", field=repr(unknown[0]), fields=listing(FIELDS)),
            where="headers",
        )
    return {field: _folded(headers.get(field, field)) for field in FIELDS}


def _folded(cell: str) -> str:
    return " ".join(cell.split()).casefold()


def _delimiter(text: str, wanted: Mapping[str, str]) -> str:
    """The one under which most of the wanted columns appear; of equals, the one with more columns."""
    sample = text[:_LONGEST_CELL]

    def promise(delimiter: str) -> tuple[int, int]:
        header = next(_rows(sample, delimiter), (1, []))[1]
        return len(set(wanted.values()) & {_folded(cell) for cell in header}), len(header)

    return max(_DELIMITERS, key=promise)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold anything, with the line each begins on. Excel's own `sep=;` line is none.

    :raises CannotRead: no table from some line on.
    """
    reader = csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter)
    begins = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row) and not (begins == 1 and row[0].lower().startswith("sep=")):
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as broken:
        raise CannotRead(
            say("Line {line} is not a row of a table. Is there a quotation mark too many?", line=str(begins))
        ) from broken


def _columns(header: list[str], wanted: Mapping[str, str], *, has_therapist: bool, has_minutes: bool) -> dict[str, int]:
    places = {_folded(cell): at for at, cell in reversed(list(enumerate(header)))}
    columns = {field: places[name] for field, name in wanted.items() if name in places}
    needed = {"date", "start", "client"} | (set() if has_therapist else {"therapist"})
    missing = sorted(needed - set(columns))
    if not has_minutes and not {"minutes", "end"} & set(columns):
        missing.append("minutes")
    if missing:
        seen = Listing(tuple(name_of(cell[:60], where="header") for cell in header[:30]))
        names = Listing(tuple(f'"{wanted[field][:60]}"' for field in missing))
        raise CannotRead(
            say(
                "The table has no column {names}. Its columns are: {seen}. Say which of them is meant.",
                names=names,
                seen=seen,
            ),
            where=missing[0],
        )
    return columns


def _statuses(words: Mapping[str, str]) -> dict[str, Status]:
    known = dict(STATUS_WORDS) | {status.value.replace("_", " "): status for status in Status}
    for word, value in words.items():
        if value not in set(Status):
            raise CannotRead(
                say("There is no status {value}. They are {statuses}.", value=repr(value), statuses=listing(Status)),
                where="statuses",
            )
        known[_status_word(word)] = Status(value)
    return known


# -- one row


def _entries(rows: Iterator[tuple[int, list[str]]], form: _Form, findings: Findings) -> list[BookEntry]:
    found: list[BookEntry] = []
    same: dict[str, list[BookEntry]] = defaultdict(list)
    for line, row in rows:
        if len(found) >= MOST_ENTRIES:
            raise CannotRead(
                say("The table has more than {most} rows. Please export a shorter span.", most=MOST_ENTRIES)
            )
        try:
            entry = _entry(line, row, form, findings)
            found.append(_told_apart(entry, same[entry.key]))
        except CannotTake as refusal:
            findings.reject(line, refusal)
    return found


def _told_apart(entry: BookEntry, same: list[BookEntry]) -> BookEntry:
    """The n-th row of one hour gets a key of its own: an hour may be cancelled and given again, but not held twice."""
    if len(same) >= _MOST_AT_ONE_HOUR:
        raise CannotTake(say("The same hour is there {most} times already.", most=_MOST_AT_ONE_HOUR), where="start")
    for other in same:
        is_equal = replace(other, line=entry.line, key=entry.key) == entry
        if is_equal or (other.status not in FREEING and entry.status not in FREEING):
            raise CannotTake(say("It is the same hour as on line {line}.", line=str(other.line)), where="start")
    same.append(entry)
    return entry if len(same) == 1 else replace(entry, key=key_of(entry.key, len(same)))


def _entry(line: int, row: list[str], form: _Form, findings: Findings) -> BookEntry:
    cells = {field: row[at].strip() for field, at in form.columns.items() if at < len(row)}
    client = name_of(cells.get("client", ""), where="client")
    therapist = name_of(cells.get("therapist", ""), where="therapist") or form.therapist
    if not client:
        raise CannotTake(say("It names no client."), where="client")
    if not therapist:
        raise CannotTake(say("It names no therapist."), where="therapist")
    starts = datetime.combine(_date(cells.get("date", ""), form.dates), _time(cells.get("start", ""), "start"))
    checked_start(starts, where="date")
    room, modality = place_of(cells.get("room", ""), where="room")
    if modality is Modality.VIDEO:
        findings.note(line, say("A room that is a link or a video service was read as a session by video."))
    return BookEntry(
        key=key_of("csv", starts.isoformat(), client.casefold(), therapist.casefold()),
        line=line,
        client=client,
        therapist=therapist,
        room=room,
        modality=modality,
        starts=starts,
        minutes=_minutes(cells, starts, form),
        zone=form.zone,
        status=_status(cells.get("status", ""), form.statuses),
    )


def _date(cell: str, dates: DateForm) -> date:
    match = _DATES[dates].fullmatch(cell)
    try:
        if match is None:
            raise ValueError
        year = int(match["y"])
        return date(year + 2000 if len(match["y"]) == 2 else year, int(match["m"]), int(match["d"]))
    except ValueError:
        shown = {"iso": "2026-03-31", "dmy": "31.03.2026", "mdy": "03/31/2026"}[dates]
        raise CannotTake(
            say("{cell} is no date written like {shown}.", cell=_quoted(cell), shown=shown), where="date"
        ) from None


def _time(cell: str, where: str) -> time:
    match = _TIME.fullmatch(cell)
    try:
        if match is None:
            raise ValueError
        hour, half = int(match["h"]), (match["half"] or "")[:1].lower()
        if half:
            if not 1 <= hour <= 12:
                raise ValueError
            hour = hour % 12 + (12 if half == "p" else 0)
        return time(hour, int(match["m"]))
    except ValueError:
        raise CannotTake(say("{cell} is no time of day like 09:30.", cell=_quoted(cell)), where=where) from None


def _minutes(cells: Mapping[str, str], starts: datetime, form: _Form) -> int:
    if cell := cells.get("minutes", ""):
        number = re.fullmatch(r"(\d{1,4})(?:[.,]0+)?(?:\s*(?:m|min|mins|minutes)\.?)?", cell, re.ASCII | re.IGNORECASE)
        if number is None:
            raise CannotTake(say("{cell} is no number of minutes.", cell=_quoted(cell)), where="minutes")
        return checked_minutes(int(number[1]), where="minutes")
    if cell := cells.get("end", ""):
        ends = datetime.combine(starts.date(), _time(cell, "end"))
        ends += timedelta(days=1) if ends <= starts else timedelta()
        return checked_minutes((ends - starts) // timedelta(minutes=1), where="end")
    if form.minutes is None:
        raise CannotTake(say("It does not say how long it lasts."), where="minutes")
    return checked_minutes(form.minutes, where="minutes")


def _status(cell: str, statuses: Mapping[str, Status]) -> Status:
    word = _status_word(cell)
    if word in statuses:
        return statuses[word]
    if word in ("cancelled", "cancellation", "late cancelled"):
        raise CannotTake(say("{cell} does not say by whom. Say what it means.", cell=_quoted(cell)), where="status")
    raise CannotTake(say("{cell} is no status that is known. Say what it means.", cell=_quoted(cell)), where="status")


def _status_word(cell: str) -> str:
    return _folded(cell.replace("_", " ").replace("-", " ")).replace("canceled", "cancelled")


def _quoted(cell: str) -> Value:
    """A cell in a message: short, on one line. No cell that may hold a name is ever quoted."""
    visible = name_of(cell[:40], where="cell")
    return f'"{visible}"' if visible else say("An empty cell")
