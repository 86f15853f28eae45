"""Standing appointments out of a flat list of dates.

A list shows a standing plainly where one client meets one therapist at one hour of the week, every 1, 2, 3 or 4
weeks, at least `FEWEST` times, and at least three of four slots between the first and the last are filled. Then
- a slot without a row is lost;
- a row elsewhere in the days of an open slot, where no other row or slot could be meant, is that slot, moved;
- a row at an open slot with another therapist is that slot, covered;
- a lasting change of hour, cadence, therapist, room or length is a new version that replaces the former.
Everything else stays a single appointment: a standing that is not there does more harm than one that is missed,
which the front desk agrees in a minute. The same list always gives the same standings; time grows with its length.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import accumulate, groupby, islice, pairwise
from operator import attrgetter, itemgetter, neg
from typing import Any

from service.domain.appointment import FREEING
from service.domain.book import Book, BookEntry, BookSeries, key_of
from service.domain.hours import WEEK, Hour, LocalTime, Weekday
from service.domain.standing import Standing

FEWEST = 4
"""Sessions at the hour itself."""
FILLED = (3, 4)
"""Share of the slots between the first and the last that have a row, moved ones included."""
FILLED_BEFORE_MOVES = (3, 5)
"""The same before moved rows have found their slots; more than half, which every other week would reach."""
CADENCES = (1, 2, 3, 4)
"""Weeks."""
LONGEST_BREAK_WEEKS = 8
"""A longer silence ends a standing; for rarer cadences, three slots."""
CHANGE_SHOWS = 4
"""So many equal intervals, at the beginning or the end, are a cadence of their own."""
LASTING = 8
"""So many sessions in a row at another cadence, in another room or of another length are a version of their own;
fewer, with the former way after them, are exceptions."""
EPISODE = timedelta(days=90)
"""What begins later after an ending does not replace it."""
WINDOW = timedelta(days=7)
"""A session is not taken as moved further than this, nor further than half a cadence."""
_NEIGHBOURS = 8
"""How many other patterns of one client each is compared with: real ones have one or two."""
_WEEK0 = date(1969, 12, 29).toordinal()


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """Every given entry is in exactly one of the two, with its key."""

    series: tuple[BookSeries, ...]
    singles: tuple[BookEntry, ...]


@dataclass(kw_only=True, eq=False)
class _Frame:
    """A pattern in the making: rows at one hour of the week, and rows elsewhere that fill its slots."""

    every: int
    rows: list[BookEntry]
    moved: dict[LocalTime, BookEntry] = field(default_factory=dict)

    @property
    def therapist(self) -> str:
        return self.rows[0].therapist

    @property
    def first(self) -> LocalTime:
        return self.rows[0].starts

    @property
    def last(self) -> LocalTime:
        return self.rows[-1].starts

    @property
    def cycle(self) -> timedelta:
        return WEEK * self.every

    @property
    def reach(self) -> timedelta:
        return min(self.cycle / 2, WINDOW)

    def open_slots(self) -> list[LocalTime]:
        filled = {row.starts for row in self.rows} | set(self.moved)
        expected = (self.last - self.first) // self.cycle + 1
        slots = (self.first + at * self.cycle for at in range(expected))
        return [slot for slot in slots if slot not in filled]

    def nearest_slot(self, starts: LocalTime) -> LocalTime:
        return self.first + round((starts - self.first) / self.cycle) * self.cycle

    def is_plain(self) -> bool:
        expected = (self.last - self.first) // self.cycle + 1
        return len(self.rows) >= FEWEST and _is_share(len(self.rows) + len(self.moved), expected, FILLED)


def rebuild(book: Book, *, open_from: date | None = None) -> Book:
    """The book, with the standings that its single appointments plainly show beside those it had.

    :param open_from: a standing whose last known slot is on that day or later is taken as open-ended.
    """
    rebuilt = standings(book.singles, open_from=open_from)
    return replace(book, series=book.series + rebuilt.series, singles=rebuilt.singles)


def standings(entries: Iterable[BookEntry], *, open_from: date | None = None) -> Rebuilt:
    """The standings that the entries plainly show, and the entries that are in none."""
    series: list[BookSeries] = []
    singles: list[BookEntry] = []
    for of_client in _grouped(entries, lambda row: (row.client.casefold(), row.zone)):
        frames, loose = _frames(of_client)
        series += _linked(frames, open_from)
        singles += loose
    return Rebuilt(
        series=tuple(sorted(series, key=lambda one: (one.standing.since, one.key))),
        singles=tuple(sorted(singles, key=_in_time)),
    )


def _frames(of_client: list[BookEntry]) -> tuple[list[_Frame], list[BookEntry]]:
    """The patterns of one client, and the rows in none."""
    frames: list[_Frame] = []
    for of_pair in _grouped(of_client, lambda row: row.therapist.casefold()):
        frames += _of_pair(of_pair)
    _cover(frames, _outside(frames, of_client))
    return frames, _outside(frames, of_client)


def _of_pair(rows: list[BookEntry]) -> list[_Frame]:
    """The patterns of one client with one therapist, all plain."""
    found = [frame for at_hour in _grouped(rows, _hour) for frame in _at_hour(at_hour)]
    frames = _untangled(found)
    _move(frames, rows)
    frames = [tight for frame in frames for tight in ([frame] if frame.is_plain() else _tightened(frame))]
    _move(frames, rows)
    return [frame for frame in frames if frame.is_plain()]


def _outside(frames: Iterable[_Frame], rows: Iterable[BookEntry]) -> list[BookEntry]:
    inside = {row.key for frame in frames for row in (*frame.rows, *frame.moved.values())}
    return [row for row in rows if row.key not in inside]


def _grouped(rows: Iterable[BookEntry], key: Callable[[BookEntry], object]) -> list[list[BookEntry]]:
    """In order of time within each group, and of first row among them."""
    groups: dict[object, list[BookEntry]] = defaultdict(list)
    for row in sorted(rows, key=_in_time):
        groups[key(row)].append(row)
    return list(groups.values())


def _in_time(row: BookEntry) -> tuple[LocalTime, str]:
    return row.starts, row.key


def _hour(row: BookEntry) -> Hour:
    return Hour(day=Weekday.of(row.starts), at=row.starts.time())


def _week(row: BookEntry) -> int:
    return (row.starts.toordinal() - _WEEK0) // 7


def _is_share(part: int, whole: int, share: tuple[int, int]) -> bool:
    return part * share[1] >= whole * share[0]


# -- patterns at one hour of the week


def _at_hour(rows: list[BookEntry]) -> list[_Frame]:
    left = _one_for_each_start(rows)
    frames: list[_Frame] = []
    for every in CADENCES:
        parts = [part for chain in _chains(left, every) for part in _dense(chain, every, FILLED_BEFORE_MOVES)]
        frames += [_Frame(every=every, rows=part) for part in parts if not _is_crowded(part, left)]
        left = _outside(frames, left)
    return frames


def _one_for_each_start(rows: list[BookEntry]) -> list[BookEntry]:
    """Of a cancelled hour that was given again, the one that took place."""
    best: dict[LocalTime, BookEntry] = {}
    for row in rows:
        other = best.get(row.starts)
        if other is None or (other.status in FREEING and row.status not in FREEING):
            best[row.starts] = row
    return list(best.values())


def _chains(rows: list[BookEntry], every: int) -> Iterator[list[BookEntry]]:
    """Rows a whole number of cadences apart, without a silence so long that it is an ending."""
    longest = max(LONGEST_BREAK_WEEKS, 3 * every)
    classes: dict[int, list[BookEntry]] = defaultdict(list)
    for row in rows:
        classes[_week(row) % every].append(row)
    for same in classes.values():
        foreign = _of_rarer_cadence(same, every)
        chain: list[BookEntry] = []
        for row in same:
            if chain and (row.key in foreign or _week(row) - _week(chain[-1]) > longest):
                yield chain
                chain = []
            if row.key not in foreign:
                chain.append(row)
        yield chain


def _of_rarer_cadence(rows: list[BookEntry], every: int) -> set[str]:
    """Rows that follow each other at a longer cadence, all alike: an agreed tapering, not lost slots."""
    foreign: set[str] = set()
    intervals = ((_week(after) - _week(before), after.key) for before, after in pairwise(rows))
    runs = [(weeks, [key for _, key in run]) for weeks, run in groupby(intervals, key=itemgetter(0))]
    for at, (weeks, keys) in enumerate(runs):
        enough = CHANGE_SHOWS if at in (0, len(runs) - 1) else LASTING
        if every < weeks <= CADENCES[-1] and len(keys) >= enough:
            foreign.update(keys)
    return foreign


def _dense(chain: list[BookEntry], every: int, share: tuple[int, int]) -> list[list[BookEntry]]:
    """The longest stretches in which that share of the slots has a row, none shorter than `FEWEST`."""
    found: list[list[BookEntry]] = []
    waiting = [chain]
    while waiting:
        rows = waiting.pop()
        if len(rows) < FEWEST:
            continue
        begin, end = _longest(rows, every, share)
        if end - begin >= FEWEST:
            found.append(rows[begin:end])
            waiting += [rows[:begin], rows[end:]]
    return found


def _longest(rows: list[BookEntry], every: int, share: tuple[int, int]) -> tuple[int, int]:
    """Where the longest such stretch begins and ends (excluded).

    A stretch a…b is dense enough if level(b) - level(a) ≥ -slack, where the level rises with each row and falls with
    each slot; so for each b the earliest a is wanted whose level is low enough, which the running minimum finds.
    """
    part, whole = share
    slack = (whole - part) * every
    levels = [whole * every * at - part * _week(row) for at, row in enumerate(rows)]
    lowest = list(accumulate(levels, min))
    best = (0, 0)
    for at, level in enumerate(levels):
        begin = bisect_left(lowest, -(level + slack), key=neg)
        if at + 1 - begin > best[1] - best[0]:
            best = (begin, at + 1)
    return best


def _is_crowded(part: list[BookEntry], at_hour: list[BookEntry]) -> bool:
    """True where so many other rows lie between that every other week is not what was agreed."""
    since = bisect_left(at_hour, part[0].starts, key=attrgetter("starts"))
    until = bisect_right(at_hour, part[-1].starts, key=attrgetter("starts"))
    return (until - since - len(part)) * 4 > len(part)


# -- patterns beside each other


def _untangled(found: list[_Frame]) -> list[_Frame]:
    """Without patterns that are another one's moved sessions, and without a few stray rows after a change."""
    frames = _without_nested(found)
    frames.sort(key=lambda frame: (frame.first, frame.rows[0].key))
    for at, frame in enumerate(frames):
        for later in frames[at + 1 : at + 1 + _NEIGHBOURS]:
            if frame.rows and later.rows:
                _trim(frame, later)
    return [frame for frame in frames if len(frame.rows) >= FEWEST]


def _without_nested(found: list[_Frame]) -> list[_Frame]:
    by_size = sorted(found, key=lambda frame: (-len(frame.rows), frame.first, frame.rows[0].key))
    large = [(frame, {row.starts for row in frame.rows}) for frame in by_size[:_NEIGHBOURS]]
    return [
        frame
        for frame in by_size
        if not any(_is_nested(frame, other, filled) for other, filled in large if other is not frame)
    ]


def _is_nested(small: _Frame, large: _Frame, filled: set[LocalTime]) -> bool:
    """True where each session of the small one stands in for a slot that the large one lacks."""
    if 2 * len(small.rows) > len(large.rows) or not (large.first < small.first and small.last < large.last):
        return False
    slots = [large.nearest_slot(row.starts) for row in small.rows]
    return len(set(slots)) == len(slots) and filled.isdisjoint(slots)


def _trim(former: _Frame, later: _Frame) -> None:
    """Where one pattern follows another, a few rows at the other's hour do not make the two run side by side."""
    if not former.first < later.first <= former.last < later.last:
        return
    tail = [row for row in former.rows if row.starts >= later.first]
    head = [row for row in later.rows if row.starts <= former.last]
    if len(tail) < FEWEST and 2 * len(tail) <= (former.last - later.first) // former.cycle + 1:
        former.rows = former.rows[: -len(tail)]
    elif len(head) < FEWEST and 2 * len(head) <= (former.last - later.first) // later.cycle + 1:
        later.rows = later.rows[len(head) :]


def _tightened(frame: _Frame) -> list[_Frame]:
    return [_Frame(every=frame.every, rows=part) for part in _dense(frame.rows, frame.every, FILLED)]


# -- sessions elsewhere that fill a slot


def _move(frames: list[_Frame], rows: list[BookEntry]) -> None:
    """Give each open slot the one row that can only be meant for it, and that no other row is meant for."""
    for frame in frames:
        frame.moved = {}
    slots = sorted(((slot, at) for at, frame in enumerate(frames) for slot in frame.open_slots()))
    times = [slot for slot, _ in slots]
    claims: dict[tuple[LocalTime, int], list[tuple[BookEntry, int]]] = defaultdict(list)
    for row in _outside(frames, rows):
        if row.status not in FREEING:
            near = _near(row, slots, times, frames)
            for one in near:
                claims[one].append((row, len(near)))
    for (slot, at), claimants in claims.items():
        if len(claimants) == 1 and claimants[0][1] == 1:
            frames[at].moved[slot] = claimants[0][0]


def _near(
    row: BookEntry, slots: list[tuple[LocalTime, int]], times: list[LocalTime], frames: list[_Frame]
) -> list[tuple[LocalTime, int]]:
    """Slots that the row may be meant for; two are as good as many, since neither is plain."""
    since, until = bisect_left(times, row.starts - WINDOW), bisect_right(times, row.starts + WINDOW)
    near = ((slot, at) for slot, at in slots[since : min(until, since + 4 * _NEIGHBOURS)])
    return list(islice((one for one in near if abs(one[0] - row.starts) < frames[one[1]].reach), 2))


def _cover(frames: list[_Frame], loose: list[BookEntry]) -> None:
    """Give an open slot the row that is at its very time with another therapist."""
    open_at: dict[LocalTime, list[_Frame]] = defaultdict(list)
    for frame in frames:
        for slot in frame.open_slots():
            open_at[slot].append(frame)
    rows: dict[LocalTime, list[BookEntry]] = defaultdict(list)
    for row in loose:
        if row.status not in FREEING and row.starts in open_at:
            rows[row.starts].append(row)
    for starts, same in rows.items():
        if len(same) == len(open_at[starts]) == 1 and same[0].therapist != open_at[starts][0].therapist:
            open_at[starts][0].moved[starts] = same[0]


# -- versions


def _linked(frames: list[_Frame], open_from: date | None) -> list[BookSeries]:
    """The series of one client; each that follows another's ending replaces it."""
    ended: list[_Frame] = []
    last_key: dict[int, str] = {}
    series: list[BookSeries] = []
    for frame in sorted(frames, key=lambda one: (one.first, one.rows[0].key)):
        former = _former(frame, ended)
        replaces = None
        if former is not None:
            ended.remove(former)
            replaces = last_key[id(former)]
        made = _versions(frame, replaces, open_from)
        series += made
        last_key[id(frame)] = made[-1].key
        insort(ended, frame, key=attrgetter("last"))
    return series


def _former(frame: _Frame, ended: list[_Frame]) -> _Frame | None:
    """The pattern that this one takes the place of: of the latest to end before it, one with the same therapist."""
    until = bisect_left(ended, frame.first, key=attrgetter("last"))
    near = [one for one in ended[max(0, until - _NEIGHBOURS) : until] if frame.first - one.last <= EPISODE]
    return max(near, key=lambda one: (one.therapist == frame.therapist, one.last), default=None)


def _versions(frame: _Frame, replaces: str | None, open_from: date | None) -> list[BookSeries]:
    """One series for each lasting room and length, in order, each replacing the one before."""
    parts = _lasting(frame.rows)
    open_slots = frame.open_slots()
    made: list[BookSeries] = []
    for at, rows in enumerate(parts):
        until = parts[at + 1][0].starts if at + 1 < len(parts) else frame.last + timedelta(minutes=1)
        is_open = at + 1 == len(parts) and open_from is not None and frame.last.date() >= open_from
        lost = [slot for slot in open_slots if rows[0].starts <= slot < until]
        moved = {slot: row for slot, row in frame.moved.items() if rows[0].starts <= slot < until}
        series = _series(frame, rows, lost, moved, None if is_open else _day_after(until, at + 1 < len(parts)))
        before = made[-1].key if made else replaces
        made.append(replace(series, standing=replace(series.standing, replaces=before)))
    return made


def _day_after(until: LocalTime, is_followed: bool) -> date:
    return until.date() if is_followed else until.date() + timedelta(days=1)


def _lasting(rows: list[BookEntry]) -> list[list[BookEntry]]:
    """Cut where another room or length begins that lasts."""
    parts: list[list[BookEntry]] = [[]]
    now: object = None
    for way, same in groupby(rows, key=attrgetter("minutes", "room", "modality")):
        run = list(same)
        if len(run) >= LASTING and way != now:
            if now is not None:
                parts.append([])
            now = way
        parts[-1] += run
    return parts


def _series(
    frame: _Frame, rows: list[BookEntry], lost: list[LocalTime], moved: dict[LocalTime, BookEntry], until: date | None
) -> BookSeries:
    first = rows[0]
    key = key_of("series", first.key)
    room, modality = _most(rows, attrgetter("room", "modality"))
    entries = [replace(row, slot=row.starts) for row in rows] + [replace(row, slot=at) for at, row in moved.items()]
    standing = Standing(
        id=key,
        therapist=first.therapist,
        room=room,
        modality=modality,
        hours=(_hour(first),),
        every_weeks=frame.every,
        minutes=_most(rows, attrgetter("minutes")),
        zone=first.zone,
        since=first.starts.date(),
        until=until,
    )
    return BookSeries(
        key=key,
        line=min(row.line for row in rows),
        client=first.client,
        standing=standing,
        lost=tuple(lost),
        entries=tuple(sorted(entries, key=lambda row: (row.slot or row.starts, row.key))),
    )


def _most(rows: Sequence[BookEntry], what: Callable[[BookEntry], Any]) -> Any:
    """The commonest value; of equals, the one that came first."""
    return Counter(what(row) for row in rows).most_common(1)[0][0]
