"""Events with one UID as what a book holds: a series with its exceptions, or single appointments.

All comparisons of slots are made on the wall of the series' own zone; what comes out is on the wall of the site's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from service.domain.book import BookEntry, BookSeries, key_of
from service.domain.hours import Hour, LocalTime, Weekday
from service.domain.phrase import Phrase, say
from service.domain.standing import Standing
from service.files.book import CannotTake, Findings
from service.files.ics_events import Change, Event
from service.files.ics_rules import MOST_DATES, Allowance, Dated, Weekly, pattern
from service.files.ics_times import When, at_site

_NO_SHIFT = timedelta()


@dataclass(frozen=True, kw_only=True)
class Family:
    """A master and the changes of its slots; without a master, changes of a series that is not in the file."""

    uid: str
    """With more than the UID where several series share one."""
    master: Event | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the file says of the slots of one pattern."""

    lost: frozenset[LocalTime]
    changed: dict[LocalTime, Event]

    def shifted(self, by: timedelta) -> "_Told":
        return _Told(
            lost=frozenset(slot + by for slot in self.lost),
            changed={slot + by: event for slot, event in self.changed.items()},
        )


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """A weekly pattern on the wall of the master's zone, with the event that says what it is like."""

    event: Event
    weekly: Weekly
    told: _Told
    shift: timedelta = _NO_SHIFT
    """How far its slots lie from where the master had them: a change of "this and all following" moves them."""


def families(masters: Iterable[Event], changes: Iterable[Change], findings: Findings) -> list[Family]:
    """Each event once, newest version first, with the changes that are its own; in order of the file."""
    by_uid: dict[str, list[Event]] = defaultdict(list)
    for master in masters:
        by_uid[master.uid].append(master)
    own: dict[str, list[Change]] = defaultdict(list)
    for change in _newest_changes(changes, findings):
        own[change.uid].append(change)
    found = [family for uid, same in by_uid.items() for family in _of_one_uid(uid, same, own.pop(uid, []), findings)]
    return found + [Family(uid=uid, master=None, changes=tuple(orphans)) for uid, orphans in own.items()]


def _newest_changes(changes: Iterable[Change], findings: Findings) -> Iterator[Change]:
    newest: dict[tuple[str, LocalTime, str], Change] = {}
    for change in changes:
        key = (change.uid, change.slot.local, change.slot.zone)
        if (other := newest.get(key)) is not None:
            findings.note(change.line, say("Two changes of the same date: the newer was taken."))
            change = max(other, change, key=lambda one: (one.version, one.line))
        newest[key] = change
    yield from newest.values()


def _of_one_uid(uid: str, same: list[Event], changes: list[Change], findings: Findings) -> Iterator[Family]:
    if not uid:
        yield from _without_uid(same, findings)
        return
    kept = _newest_versions(same, findings)
    shares: dict[int, list[Change]] = defaultdict(list)
    for change in changes:
        earlier = [at for at, event in enumerate(kept) if event.start.local.date() <= change.slot.local.date()]
        shares[earlier[-1] if earlier else 0].append(change)
    for at, event in enumerate(kept):
        suffix = f"@{event.start.local.isoformat()}@{event.client}" if len(kept) > 1 else ""
        if suffix:
            findings.note(event.line, say("Several events share one UID; each was taken for itself."))
        yield Family(uid=uid + suffix, master=event, changes=tuple(shares[at]))


def _without_uid(events: list[Event], findings: Findings) -> Iterator[Family]:
    seen: dict[str, int] = defaultdict(int)
    for event in events:
        findings.note(event.line, say("An event without a UID will be known again by its time and its name."))
        content = key_of("no uid", event.start.local, event.start.zone, event.client, event.rule)
        seen[content] += 1
        yield Family(uid=f"{content}#{seen[content]}", master=event, changes=())


def _newest_versions(same: list[Event], findings: Findings) -> list[Event]:
    """One event for each client and start, in order of start; older versions are rejected."""
    ordered = sorted(same, key=lambda event: (event.version, event.line), reverse=True)
    top: dict[str, int] = {}
    kept: dict[tuple[str, LocalTime], Event] = {}
    for event in ordered:
        is_older = event.version[0] < top.setdefault(event.client, event.version[0])
        other = kept.setdefault((event.client, event.start.local), event)
        if is_older or other is not event:
            findings.reject(
                event.line, CannotTake(say("The same event is in the file in another version."), where="UID")
            )
            if other is event:
                del kept[event.client, event.start.local]
    return sorted(kept.values(), key=lambda event: (event.start.local, event.line))


@dataclass(frozen=True, kw_only=True)
class _Orphans:
    """What is said of changes whose series is missing."""

    taken_away: Phrase
    taken_alone: Phrase


_NOT_THERE = _Orphans(
    taken_away=say("A change of a series that is not in the file takes it away; nothing was done."),
    taken_alone=say("A change of a series that is not in the file was taken as a single appointment."),
)
_NOT_TAKEN = _Orphans(
    taken_away=say("A change of a series that was not taken takes it away; nothing was done."),
    taken_alone=say("A change of a series that was not taken was taken as a single appointment."),
)
_NO_DATE = _Orphans(
    taken_away=say("A change of a date that its series does not have takes it away; nothing was done."),
    taken_alone=say("A change of a date that its series does not have was taken as a single appointment."),
)


class Builder:
    """Turns families into what a book holds."""

    def __init__(self, *, site_zone: str, findings: Findings) -> None:
        self._site_zone = site_zone
        self._findings = findings
        self._allowance = Allowance()

    def build(self, family: Family) -> tuple[list[BookSeries], list[BookEntry]]:
        """The series and the single appointments of one family; what can't be taken is among the findings."""
        if family.master is None:
            return [], self._orphans(family, family.changes, _NOT_THERE)
        try:
            return self._of_master(family, family.master)
        except CannotTake as refusal:
            self._findings.reject(family.master.line, refusal)
            return [], self._orphans(family, family.changes, _NOT_TAKEN)

    def _of_master(self, family: Family, master: Event) -> tuple[list[BookSeries], list[BookEntry]]:
        slots = self._pattern(master)
        told, strangers = self._told(master, slots, family.changes)
        if isinstance(slots, Weekly):
            series, singles = self._weekly(family, master, slots, told)
        else:
            series, singles = [], self._dated(family, master, told, slots.starts)
        singles += self._off_pattern(family, master, slots)
        return series, singles + self._orphans(family, strangers, _NO_DATE)

    def _pattern(self, master: Event) -> Weekly | Dated:
        if master.rule is None:
            return Dated(starts=(master.start.local,))
        slots = pattern(
            master.rule,
            start=master.start.local,
            zone=master.start.zone,
            allowance=self._allowance,
            note=lambda what: self._findings.note(master.line, what),
        )
        if isinstance(slots, Weekly) and slots.last is not None and slots.last == slots.first[0]:
            return Dated(starts=(slots.last,))
        return slots

    def _off_pattern(self, family: Family, master: Event, slots: Weekly | Dated) -> list[BookEntry]:
        """RDATEs, and a DTSTART that its own rule does not name."""
        minutes: dict[LocalTime, int] = {}
        if not slots.has(master.start.local):
            what = say("A first date that does not fit its rule was taken as a single appointment.")
            self._findings.note(master.line, what)
            minutes[master.start.local] = master.minutes
        for extra in master.extras:
            minutes.setdefault(_on_wall_of(master, extra.start), extra.minutes or master.minutes)
        for when in master.excluded:
            minutes.pop(_on_wall_of(master, when), None)
        return [
            self._entry(family.uid, replace(_at(master, starts), minutes=length), original=self._there(master, starts))
            for starts, length in sorted(minutes.items())
            if not slots.has(starts)
        ]

    def _told(self, master: Event, slots: Weekly | Dated, changes: Iterable[Change]) -> tuple[_Told, list[Change]]:
        """What is said of the pattern's slots, and the changes that name none of them."""
        lost = self._left_out(master, slots)
        changed: dict[LocalTime, Event] = {}
        strangers: list[Change] = []
        for change in changes:
            slot = next(iter(_named(master, slots, change.slot)), None)
            if slot is None or (change.and_following and isinstance(slots, Dated)):
                strangers.append(change)
            elif change.event is None and not change.and_following:
                lost.add(slot)
            elif change.event is not None and not change.and_following:
                changed[slot] = change.event
        return _Told(lost=frozenset(lost), changed=changed), strangers

    def _left_out(self, master: Event, slots: Weekly | Dated) -> set[LocalTime]:
        lost: set[LocalTime] = set()
        for when in master.excluded:
            named = _named(master, slots, when)
            lost.update(named)
            if not named:
                self._findings.note(
                    master.line, say("A date that is left out is none of its series; nothing was done.")
                )
            elif when.is_day:
                self._findings.note(master.line, say("A date that is left out was read as the whole day."))
        return lost

    def _orphans(self, family: Family, changes: Iterable[Change], said: _Orphans) -> list[BookEntry]:
        entries = []
        for change in changes:
            if change.event is None:
                self._findings.note(change.line, said.taken_away)
                continue
            self._findings.note(change.line, said.taken_alone)
            entries.append(self._entry(family.uid, change.event, original=at_site(change.slot, self._site_zone)))
        return entries

    # -- short lists of dates

    def _dated(
        self, family: Family, event: Event, told: _Told, starts: Iterable[LocalTime], shift: timedelta = _NO_SHIFT
    ) -> list[BookEntry]:
        return [
            self._entry(
                family.uid,
                told.changed.get(slot) or _at(event, slot),
                original=self._there(event, slot - shift) if event.rule else None,
            )
            for slot in starts
            if slot not in told.lost
        ]

    # -- weekly series

    def _weekly(
        self, family: Family, master: Event, slots: Weekly, told: _Told
    ) -> tuple[list[BookSeries], list[BookEntry]]:
        series: list[BookSeries] = []
        singles: list[BookEntry] = []
        for stretch in self._stretches(master, slots, told, family.changes):
            carried = stretch.weekly.carried(lambda slot: self._there(master, slot))
            if carried is None:
                event = replace(stretch.event, start=master.start, rule=master.rule)
                singles += self._dated(family, event, stretch.told, self._few(stretch), stretch.shift)
                continue
            before = series[-1].key if series else None
            for one in carried.by_parity():
                made, others = self._series(family, master, stretch, one, before, len(series))
                series.append(made)
                singles += others
        return series, singles

    def _stretches(self, master: Event, slots: Weekly, told: _Told, changes: Iterable[Change]) -> Iterator[_Stretch]:
        """The pattern, cut where a change of "this and all following" begins another."""
        now = _Stretch(event=master, weekly=slots, told=told)
        lasting = [change for change in changes if change.and_following and _named(master, slots, change.slot)]
        for change in sorted(lasting, key=lambda one: _on_wall_of(master, one.slot)):
            at = _on_wall_of(master, change.slot) + now.shift
            if not now.weekly.has(at):
                self._findings.reject(
                    change.line, CannotTake(say("It changes a date that is gone."), where="RECURRENCE-ID")
                )
                continue
            if (before := now.weekly.before(at)) is not None:
                yield replace(now, weekly=before)
            if change.event is None:
                return
            if len(now.weekly.first) > 1:
                reason = say("It changes all following dates of a series with several days; the series ends before it.")
                self._findings.reject(change.line, CannotTake(reason, where="RECURRENCE-ID"))
                return
            self._findings.note(
                change.line, say("A change of all following dates was taken as a new version of its series.")
            )
            now = _moved(now, at, change.event, by=at_site(change.event.start, master.start.zone) - at)
        yield now

    def _few(self, stretch: _Stretch) -> list[LocalTime]:
        """All slots of a pattern that is no one hour of the week on the site's wall.

        :raises CannotTake: it has too many.
        """
        starts = list(islice(stretch.weekly.slots(), MOST_DATES + 1))
        zone = stretch.event.start.zone
        if len(starts) > MOST_DATES:
            reason = say(
                "It keeps its hour in {zone}, which is not one hour of the week in {site}.",
                zone=zone,
                site=self._site_zone,
            )
            raise CannotTake(reason, where="DTSTART")
        self._allowance.take_dates(len(starts))
        what = say(
            "A series that keeps its hour in {zone}, not in {site}, was taken as single appointments.",
            zone=zone,
            site=self._site_zone,
        )
        self._findings.note(stretch.event.line, what)
        return starts

    def _series(
        self, family: Family, master: Event, stretch: _Stretch, weekly: Weekly, replaces: str | None, number: int
    ) -> tuple[BookSeries, list[BookEntry]]:
        """`weekly` is on the site's wall; the second value are appointments that another client has in its slots."""
        key = key_of("ics", family.uid, "series", number)
        lost = {slot for at in stretch.told.lost if weekly.has(slot := self._there(master, at))}
        entries, others = [], []
        for at, event in sorted(stretch.told.changed.items()):
            slot = self._there(master, at)
            if not weekly.has(slot):
                continue
            entry = self._entry(family.uid, event, original=self._there(master, at - stretch.shift))
            if not self._is_of(stretch.event, event):
                lost.add(slot)
                others.append(entry)
            elif _differs(stretch.event, entry, slot):
                entries.append(replace(entry, client=stretch.event.client, slot=slot))
        standing = _standing(key, stretch.event, weekly, zone=self._site_zone, replaces=replaces)
        series = BookSeries(
            key=key,
            line=stretch.event.line,
            client=stretch.event.client,
            standing=standing,
            lost=tuple(sorted(lost)),
            entries=tuple(entries),
        )
        return series, others

    def _is_of(self, series: Event, event: Event) -> bool:
        """Whether a changed date still is of the series' client: `Client One (moved)` is."""
        if series.client.casefold() in event.client.casefold():
            return True
        what = say("A date of a series that carries another name was taken as that client's single appointment.")
        self._findings.note(event.line, what)
        return False

    def _there(self, master: Event, slot: LocalTime) -> LocalTime:
        """On the site's wall."""
        return at_site(When(local=slot, zone=master.start.zone), self._site_zone)

    def _entry(self, uid: str, event: Event, *, original: LocalTime | None) -> BookEntry:
        """`original` is what identifies it among those with its UID."""
        return BookEntry(
            key=key_of("ics", uid, original),
            line=event.line,
            client=event.client,
            therapist=event.therapist,
            room=event.room,
            modality=event.modality,
            starts=at_site(event.start, self._site_zone),
            minutes=event.minutes,
            zone=self._site_zone,
        )


def _on_wall_of(master: Event, when: When) -> LocalTime:
    return when.local if when.is_floating else at_site(when, master.start.zone)


def _named(master: Event, slots: Weekly | Dated, when: When) -> list[LocalTime]:
    """The slots that a time, or a day, means."""
    if when.is_day:
        return slots.on(when.local.date())
    slot = _on_wall_of(master, when)
    return [slot] if slots.has(slot) else []


def _at(event: Event, slot: LocalTime) -> Event:
    return replace(event, start=replace(event.start, local=slot))


def _moved(now: _Stretch, at: LocalTime, event: Event, *, by: timedelta) -> _Stretch:
    last = now.weekly.last + by if now.weekly.last else None
    weekly = Weekly(first=(at + by,), every_weeks=now.weekly.every_weeks, last=last)
    return _Stretch(event=event, weekly=weekly, told=now.told.shifted(by), shift=now.shift + by)


def _differs(series: Event, entry: BookEntry, slot: LocalTime) -> bool:
    """Calendars keep changes of reminders and the like too; such a slot is as agreed."""
    agreed = (slot, series.minutes, series.therapist, series.room, series.modality)
    return (entry.starts, entry.minutes, entry.therapist, entry.room, entry.modality) != agreed


def _standing(key: str, event: Event, weekly: Weekly, *, zone: str, replaces: str | None) -> Standing:
    return Standing(
        id=key,
        therapist=event.therapist,
        room=event.room,
        modality=event.modality,
        hours=tuple(sorted(Hour(day=Weekday.of(first), at=first.time()) for first in weekly.first)),
        every_weeks=weekly.every_weeks,
        minutes=event.minutes,
        zone=zone,
        since=min(weekly.first).date(),
        until=weekly.last.date() + timedelta(days=1) if weekly.last else None,
        replaces=replaces,
    )
