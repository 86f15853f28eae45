"""What of an old book can stand beside what the clinic has: each part as the hours it would become, or why not.

Steps for the use-cases of imports; none of them reads or writes the database, so that a dry run says what a real one
will do.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice

from service.domain.absences import AbsenceKind
from service.domain.appointment import FREEING, Initiator, Status
from service.domain.book import Book, BookAbsence, BookEntry, BookSeries, Rejected
from service.domain.hours import Instant, LocalTime, instant, local_time, midnight
from service.domain.phrase import Clock, Listing, Phrase, Value, YearDay, listing, say, says
from service.domain.recurrence import instants
from service.domain.refusals import Malformed
from service.usecases import drafts
from service.usecases.takeover import (
    TOLD_BEFORE,
    TOLD_OF_LASTING,
    Away,
    Busy,
    Here,
    KnownSeries,
    NewHour,
    NewSeries,
    Share,
    Terms,
    folded,
    holders_of,
    pattern_of,
    told_at,
)

MOST_HOURS = 1_000_000
"""What one book may become: a calendar of a few lines can ask for more than any machine holds."""


LONGEST_NAME = 120
"""Of a therapist or a room."""


MOST_TAKEN = (1, 4)
"""A series with a greater share of its dates taken is not the one that was agreed."""


_SHOWN = 3


class CannotTakeOver(Malformed):
    """The book as a whole can't be brought in."""


def shares(book: Book, here: Here, terms: Terms) -> Iterator[Share]:
    """One for each client of the book, in the order in which the book names them first.

    Of two that want the same hour, what comes first in that order has it.

    :raises CannotTakeOver: it is on another zone's wall, or would become too much.
    """
    _check_whole(book, here, terms)
    plan = _Planner(here, terms, book.absences)
    grouped: dict[str, tuple[list[BookSeries], list[BookEntry]]] = defaultdict(lambda: ([], []))
    parts: list[BookSeries | BookEntry] = [*book.series, *book.singles]
    for part in sorted(parts, key=lambda one: one.line):
        of_client = grouped[folded(part.client)]
        if isinstance(part, BookSeries):
            of_client[0].append(part)
        else:
            of_client[1].append(part)
    for series, singles in grouped.values():
        yield plan.share(series, singles)


def new_absences(book: Book, here: Here) -> tuple[list[BookAbsence], list[Rejected]]:
    """Leave that was not brought in before; of it what can't be."""
    new, rejected = [], []
    for absence in book.absences:
        if problem := _name_problem("therapist", absence.therapist):
            rejected.append(Rejected(line=absence.line, reason=problem, where="therapist"))
        elif not here.knows(absence.key):
            new.append(absence)
    return new, rejected


def _check_whole(book: Book, here: Here, terms: Terms) -> None:
    zones = {one.zone for one in book.singles} | {series.standing.zone for series in book.series}
    if zones - {here.zone}:
        raise CannotTakeOver(
            say("The book is in {zones}, and the site in {zone}.", zones=listing(sorted(zones)), zone=here.zone),
            where="zone",
        )
    wanted = len(book.singles)
    for series in book.series:
        standing = series.standing
        days = (drafts.horizon_end(standing, terms.horizon, terms.now) - standing.since).days
        wanted += max(days, 0) // (7 * standing.every_weeks) * len(standing.hours) + len(series.entries)
    if wanted > MOST_HOURS:
        raise CannotTakeOver(
            say(
                "The book would become about {wanted} appointments; {most} can be taken at once. Please export a "
                "shorter span.",
                wanted=wanted,
                most=MOST_HOURS,
            )
        )


def _name_problem(what: str, name: str | None, longest: int = LONGEST_NAME) -> Phrase | None:
    if name is None or (name.isprintable() and 0 < len(name) <= longest):
        return None
    problems = {
        "client": say("The client's name has 1 to {longest} printable characters.", longest=longest),
        "room": say("The room's name has 1 to {longest} printable characters.", longest=longest),
        "therapist": say("The therapist's name has 1 to {longest} printable characters.", longest=longest),
    }
    return problems[what]


class _Planner:
    """Goes through the book once, and remembers who is held by what went before."""

    def __init__(self, here: Here, terms: Terms, absences: Iterable[BookAbsence]) -> None:
        self.here, self.terms = here, terms
        self.now = local_time(terms.now, here.zone)
        self.busy = Busy(here.busy)
        self.seen: set[str] = set()
        self.away = [*here.away, *(_away(absence) for absence in absences)]

    def share(self, series: Sequence[BookSeries], singles: Sequence[BookEntry]) -> Share:
        share = Share(client=(series[0] if series else singles[0]).client)
        if problem := self._client_problem(share.client):
            for line in (*(one.line for one in series), *(one.line for one in singles)):
                share.reject(line, problem, "client")
            return share
        loose = [entry for one in self._in_order(series) for entry in self._take_series(one, share)]
        for entry in sorted((*singles, *loose), key=lambda one: (one.starts, one.line)):
            self._take_single(entry, share)
        return share

    def _client_problem(self, client: str) -> Phrase | None:
        if folded(client) in self.here.ambiguous:
            return say("Several clients have that name. Tell them apart in the file and here, and try again.")
        return _name_problem("client", client, 200)

    @staticmethod
    def _in_order(series: Sequence[BookSeries]) -> list[BookSeries]:
        """What is replaced before what replaces it."""
        return sorted(series, key=lambda one: (one.standing.since, one.line))

    # -- series

    def _take_series(self, series: BookSeries, share: Share) -> list[BookEntry]:
        """Take it, or say why not; the entries to be looked at as single appointments."""
        if known := self.here.series.get(series.key):
            return self._known_series(series, known, share)
        problems = [_name_problem("therapist", series.standing.therapist), _name_problem("room", series.standing.room)]
        if problem := next(filter(None, problems), None):
            share.reject(series.line, problem)
            return []
        reach = midnight(drafts.horizon_end(series.standing, self.terms.horizon, self.terms.now))
        hours = self._hours_of(series, reach, share)
        before = [entry for entry in series.entries if self._is_known(entry.key)]
        if not hours:
            share.reject(series.line, say("It ends before its first date."))
        elif len(before) * 4 > len(hours):
            share.note(series.line, say("Dates that follow others, brought in before, were taken one by one."))
            return list(series.entries)
        elif not (taken := self._taken(hours, series.client)) or not _is_too_much(len(taken), hours):
            self._place(series, hours, taken, reach.date(), share)
        elif all(hour.key is not None or hour.is_off for hour in hours):
            share.note(series.line, say("A series with too many dates that are taken was taken one by one."))
            return list(series.entries)
        else:
            share.reject(
                series.line,
                say(
                    "{taken} of its {dates} dates are taken, so that it was left out as a whole. The first: {first}",
                    taken=len(taken),
                    dates=len(hours),
                    first=taken[min(taken)],
                ),
            )
        return []

    def _known_series(self, series: BookSeries, known: KnownSeries, share: Share) -> list[BookEntry]:
        share.unchanged += 1
        if known.pattern != pattern_of(series.standing):
            share.note(series.line, _OTHERWISE)
        loose = []
        for entry in series.entries:
            if self._is_known(entry.key):
                self._compare(entry, share)
            elif entry.slot in known.slots:
                share.note(entry.line, _OTHERWISE)
            else:
                loose.append(entry)
        return loose

    def _hours_of(self, series: BookSeries, reach: LocalTime, share: Share) -> list[NewHour]:
        standing, entries = series.standing, {entry.slot: entry for entry in series.entries}
        lost = set(series.lost)
        away = self._away_from(series)
        hours = []
        for slot, since in self._slots(series, reach):
            entry = entries.get(slot)
            if entry is not None and not self._is_known(entry.key):
                hours.append(self._of_entry(entry, share))
            elif entry is not None or slot in lost:
                hours.append(self._off(series, slot, since))
            else:
                reason = next((one for one in away if _covers(one, slot, standing.minutes)), None)
                hours.append(self._plain(series, slot, since) if reason is None else self._away(series, slot, reason))
        return hours

    def _slots(self, series: BookSeries, reach: LocalTime) -> Iterator[tuple[LocalTime, Instant]]:
        """All until the horizon, and beyond it those of which the book says something."""
        yield from instants(series.standing, until=reach)
        later = {slot for slot in (*series.lost, *(entry.slot for entry in series.entries)) if slot and slot >= reach}
        yield from ((slot, instant(slot, series.standing.zone)) for slot in sorted(later))

    def _place(
        self, series: BookSeries, hours: list[NewHour], taken: Mapping[int, Phrase], reach: date, share: Share
    ) -> None:
        """Hold everyone for it; the dates that are taken are left out, by name."""
        self._say_taken(series, hours, taken, share)
        kept = [self._given_up(hour) if at in taken else hour for at, hour in enumerate(hours)]
        for hour in kept:
            self._hold(hour, series.client)
        self.seen.update((series.key, *(hour.key for hour in kept if hour.key)))
        replaced = self.here.series.get(series.standing.replaces or "")
        is_change = series.standing.replaces is not None
        share.series.append(
            NewSeries(
                series=series,
                hours=tuple(kept),
                extended_to=reach,
                told_at=self._told(midnight(series.standing.since), TOLD_OF_LASTING) if is_change else None,
                replaces_id=replaced.standing_id if replaced else None,
            )
        )

    def _say_taken(self, series: BookSeries, hours: list[NewHour], taken: Mapping[int, Phrase], share: Share) -> None:
        mentioned = [at for at in taken if hours[at].key is not None]
        for at in mentioned:
            share.reject(hours[at].line, taken[at])
        plain = [at for at in taken if hours[at].key is None]
        if plain:
            days = listing(YearDay(hours[at].starts.date()) for at in islice(plain, _SHOWN))
            share.reject(series.line, _left_out(days, len(plain) - _SHOWN, taken[plain[0]]))

    def _taken(self, hours: Sequence[NewHour], client: str) -> dict[int, Phrase]:
        """The places of hours that can't be, each with the reason."""
        found: dict[int, Phrase] = {}
        free_from: Instant | None = None
        for at in sorted(range(len(hours)), key=lambda at: hours[at].since):
            hour = hours[at]
            if not hour.holds:
                continue
            if free_from is not None and hour.since < free_from:
                found[at] = say("It lies over another date of the same series.")
            elif (reason := self._reason(hour, client)) is not None:
                found[at] = reason
            else:
                free_from = hour.until
        return found

    # -- single appointments

    def _take_single(self, entry: BookEntry, share: Share) -> None:
        if self._is_known(entry.key):
            self._compare(entry, share)
            return
        problems = [_name_problem("therapist", entry.therapist), _name_problem("room", entry.room)]
        hour = self._of_entry(entry, share, is_single=True)
        reason = next(filter(None, problems), None) or (None if hour.is_off else self._reason(hour, entry.client))
        if reason:
            share.reject(entry.line, reason)
            return
        self._hold(hour, entry.client)
        self.seen.add(entry.key)
        share.singles.append(hour)

    def _compare(self, entry: BookEntry, share: Share) -> None:
        share.unchanged += 1
        known = self.here.hours.get(entry.key)
        said = (entry.starts, entry.minutes, entry.status in FREEING)
        if known is not None and said != (known.starts, known.minutes, known.is_off):
            share.note(entry.line, _OTHERWISE)

    def _is_known(self, key: str) -> bool:
        return key in self.seen or self.here.knows(key)

    # -- hours

    def _of_entry(self, entry: BookEntry, share: Share, *, is_single: bool = False) -> NewHour:
        since = instant(entry.starts, entry.zone)
        status = entry.status
        if since > self.terms.now and status not in FREEING and status is not Status.SCHEDULED:
            share.note(entry.line, say("A date to come that carries a mark already was taken as booked."))
            status = Status.SCHEDULED
        slot = None if is_single else entry.slot
        return NewHour(
            key=entry.key,
            line=entry.line,
            slot=slot,
            starts=entry.starts,
            minutes=entry.minutes,
            therapist=entry.therapist,
            room=entry.room,
            modality=entry.modality,
            status=self._marked(status, since, entry.minutes),
            by=_BY.get(status),
            reason="other" if status in FREEING else None,
            told_at=self._told(min(entry.starts, slot or entry.starts)) if status in FREEING else None,
            keeps_hour=False,
            since=since,
        )

    def _plain(self, series: BookSeries, slot: LocalTime, since: Instant) -> NewHour:
        status = self._marked(Status.SCHEDULED, since, series.standing.minutes)
        return self._at(series, slot, since, status=status)

    def _off(self, series: BookSeries, slot: LocalTime, since: Instant) -> NewHour:
        """A date that the book leaves out: nobody knows by whom."""
        told = self._told(slot)
        return self._at(series, slot, since, status=Status.BREAK, by=Initiator.UNKNOWN, reason="other", told_at=told)

    def _away(self, series: BookSeries, slot: LocalTime, away: Away) -> NewHour:
        """A date that an absence takes, as the horizon would find it: whether the client knows is still to be said."""
        since = instant(slot, series.standing.zone)
        is_pause = away.kind is AbsenceKind.PAUSE
        reason = "holiday" if away.kind is AbsenceKind.HOLIDAY else "other"
        return self._at(
            series,
            slot,
            since,
            status=Status.BREAK,
            by=Initiator.MUTUAL if is_pause else Initiator.CLINIC,
            reason=drafts.PAUSE if is_pause else reason,
            told_at=self._told(slot) if since <= self.terms.now or is_pause else None,
            keeps_hour=is_pause and away.keeps_hour,
        )

    def _given_up(self, hour: NewHour) -> NewHour:
        """What its slot becomes where somebody else has the hour: to come, somebody has to tell the client."""
        is_past = hour.since <= self.terms.now
        return replace(
            hour,
            status=Status.BREAK if is_past else Status.CLINIC_CANCELLED,
            by=Initiator.UNKNOWN if is_past else Initiator.CLINIC,
            reason="other",
            told_at=self._told(hour.starts) if is_past else None,
            keeps_hour=False,
        )

    @staticmethod
    def _at(
        series: BookSeries,
        slot: LocalTime,
        since: Instant,
        *,
        status: Status,
        by: Initiator | None = None,
        reason: str | None = None,
        told_at: Instant | None = None,
        keeps_hour: bool = False,
    ) -> NewHour:
        standing = series.standing
        return NewHour(
            key=None,
            line=series.line,
            slot=slot,
            starts=slot,
            minutes=standing.minutes,
            therapist=standing.therapist,
            room=standing.room,
            modality=standing.modality,
            status=status,
            by=by,
            reason=reason,
            told_at=told_at,
            keeps_hour=keeps_hour,
            since=since,
        )

    def _marked(self, status: Status, since: Instant, minutes: int) -> Status:
        is_over = since + timedelta(minutes=minutes) <= self.terms.now
        return Status.HELD if status is Status.SCHEDULED and is_over and self.terms.past_was_held else status

    def _told(self, at: LocalTime, before: timedelta = TOLD_BEFORE) -> Instant:
        return told_at(at, self.here.zone, self.terms.now, before)

    # -- who is held

    def _reason(self, hour: NewHour, client: str) -> Phrase | None:
        for holder, name in holders_of(hour, client):
            if span := self.busy.in_the_way(holder, hour.since, hour.until):
                since, until = (local_time(at, self.here.zone) for at in span[:2])
                values: dict[str, Value] = {
                    "who": name,
                    "day": YearDay(since.date()),
                    "starts": Clock(since.time()),
                    "ends": Clock(until.time()),
                    "line": str(span[2]),
                }
                if span[2]:
                    return say("{who} is already booked on {day} from {starts} to {ends} (line {line}).", **values)
                return say("{who} is already booked on {day} from {starts} to {ends}.", **values)
        return None

    def _hold(self, hour: NewHour, client: str) -> None:
        if hour.holds:
            for holder, _name in holders_of(hour, client):
                self.busy.hold(holder, (hour.since, hour.until, hour.line))

    def _away_from(self, series: BookSeries) -> list[Away]:
        standing = series.standing
        names = {
            "therapist": folded(standing.therapist),
            "room": folded(standing.room) if standing.room else None,
            "client": folded(series.client),
        }
        return [one for one in self.away if one.concerns(modality=standing.modality, **names)]  # type: ignore[arg-type]


_OTHERWISE = say("It says something else than what stands here since it was brought in; that was left as it is.")


def _left_out(days: Listing, more: int, why: Phrase) -> Phrase:
    if more <= 0:
        return say("Its dates {days} were left out of the series. {why}", days=days, why=why)
    return says(
        "Its dates {days} and {n} more were left out of the series. {why}",
        "Its dates {days} and {n} more were left out of the series. {why}",
        n=more,
        days=days,
        why=why,
    )


_BY: Mapping[Status, Initiator] = {
    Status.CLIENT_CANCELLED: Initiator.CLIENT,
    Status.CLINIC_CANCELLED: Initiator.CLINIC,
    Status.BREAK: Initiator.UNKNOWN,
}


def _is_too_much(taken: int, hours: Iterable[NewHour]) -> bool:
    part, whole = MOST_TAKEN
    return taken * whole > sum(hour.holds for hour in hours) * part


def _away(absence: BookAbsence) -> Away:
    return Away(kind=AbsenceKind.LEAVE, since=absence.since, until=absence.until, therapist=folded(absence.therapist))


def _covers(away: Away, slot: LocalTime, minutes: int) -> bool:
    return away.since < slot + timedelta(minutes=minutes) and slot < away.until
