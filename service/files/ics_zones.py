"""Which zone of the IANA database a calendar means.

A book's entries end up in one zone, its site's. What the file itself says of a zone (VTIMEZONE) is used only to find
the zone's name, and to say where the two differ: a name that everybody knows counts more than a copy of old rules.
"""

import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from dateutil.tz import tzical
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from service.domain.hours import LocalTime, zone, zone_names
from service.domain.phrase import say
from service.files.book import CannotTake, Findings
from service.files.ics_text import Component

_MOST_OBSERVANCES = 20
_MOST_RULES = 20
_MOST_COMPARED = 50
_LONGEST_RULES = 20_000
"""Characters of one VTIMEZONE; longer ones list every change since 1880, and need not be worked through."""
_DAY = r"(MO|TU|WE|TH|FR|SA|SU)"
_YEARLY = re.compile(
    rf"(FREQ=YEARLY|INTERVAL=1|WKST={_DAY}|BYMONTH=\d\d?|BYDAY=[+-]?[1-5]?{_DAY}|BYMONTHDAY=[0-9,]+|UNTIL=[0-9TZ]+)"
)
_LAST_SAMPLE = 2037
_KEPT = re.compile(r"(DTSTART|RRULE|RDATE|TZOFFSETFROM|TZOFFSETTO|TZNAME)[;:]", re.IGNORECASE)
_LIKELY = sorted(set(WINDOWS_TO_OLSON.values()) & zone_names())
"""One zone for each way that clocks run somewhere: where to look for rules that come without a known name."""
_BY_FOLDED_NAME = {name.casefold(): name for name in sorted(zone_names())}
_WINDOWS = {name.casefold(): olson for name, olson in WINDOWS_TO_OLSON.items()}

_Offsets = tuple[timedelta | None, ...]


class Zones:
    """The zone names of one file."""

    def __init__(
        self, calendars: Iterable[Component], *, site_zone: str, given: Mapping[str, str], findings: Findings
    ) -> None:
        self._own = {
            part.text("TZID"): part for calendar in calendars for part in calendar.walk("VTIMEZONE") if part.is_whole
        }
        self._site_zone = site_zone
        self._given = given
        self._findings = findings
        self._known: dict[str, str | None] = {}
        self._rules: dict[str, tzinfo | None] = {}
        self._compared: dict[str, set[tuple[int, int]]] = defaultdict(set)

    def named(self, tzid: str, line: int, at: LocalTime) -> str:
        """The IANA name that a TZID means for that time.

        :raises CannotTake: nobody can tell.
        """
        if tzid not in self._known:
            self._known[tzid] = self._find(tzid, line, at.year)
        name = self._known[tzid]
        if name is None:
            raise CannotTake(
                say(
                    'The file does not say what its time zone "{tzid}" is. Name the zone and try again.', tzid=tzid[:80]
                ),
                where="TZID",
            )
        self._compare(tzid, name, line, at)
        return name

    def _compare(self, tzid: str, name: str, line: int, at: LocalTime) -> None:
        """Say so where the file's own rules give another time: once for each zone, looking at each month once."""
        rules, seen = self._rules.get(tzid), self._compared[tzid]
        month = (at.year, at.month)
        if rules is None or month in seen or len(seen) >= _MOST_COMPARED or at.year >= _LAST_SAMPLE:
            return
        seen.add(month)
        if _sampled(rules, [at]) not in (None, _sampled(zone(name), [at])):
            self._rules[tzid] = None
            what = say(
                'The file\'s own rules for "{tzid}" differ from the official ones for {name}; those were used.',
                tzid=tzid[:60],
                name=name,
            )
            self._findings.note(line, what)

    def _find(self, tzid: str, line: int, year: int) -> str | None:
        if tzid in self._given:
            return self._given[tzid]
        own = self._own.get(tzid)
        if own is not None and len(self._rules) < _MOST_RULES:
            self._rules[tzid] = _rules(own)
        name = _by_name(tzid) or (_by_name(own.text("X-LIC-LOCATION")) if own else None)
        if name is None:
            return self._by_offsets(tzid, line, year)
        if name != tzid:
            self._findings.note(line, say('The time zone "{tzid}" was read as {name}.', tzid=tzid[:80], name=name))
        return name

    def _by_offsets(self, tzid: str, line: int, year: int) -> str | None:
        rules = self._rules.get(tzid)
        own = _sampled(rules, _moments(year)) if rules else None
        for name in (self._site_zone, *_LIKELY) if own else ():
            if own == _official(name, year):
                what = say(
                    'The time zone "{tzid}" was read as {name}, by its rules: the clocks run alike.',
                    tzid=tzid[:80],
                    name=name,
                )
                self._findings.note(line, what)
                return name
        return None


def _by_name(tzid: str) -> str | None:
    return next((found for name in _spellings(tzid) if (found := _plain(name)) is not None), None)


def _plain(name: str) -> str | None:
    folded = name.casefold()
    return _BY_FOLDED_NAME.get(folded) or _WINDOWS.get(folded)


def _spellings(tzid: str) -> Iterator[str]:
    """The name itself, without a vendor's prefix (`/example.org/2024/Europe/Berlin`), with its signs put right."""
    name = tzid.strip().strip("\"'").strip().strip("/")
    yield name
    parts = name.split("/")[-6:]
    for start in range(1, len(parts)):
        if "/" in (rest := "/".join(parts[start:])):
            yield rest
    yield name.replace(" ", "_")
    yield name.replace("_", "/", 1)
    yield name.replace("-", "/", 1)


def _rules(own: Component) -> tzinfo | None:
    observances = own.parts
    if not 1 <= len(observances) <= _MOST_OBSERVANCES:
        return None
    lines = ["BEGIN:VTIMEZONE", "TZID:own"]
    for part in observances:
        lines += [f"BEGIN:{part.name}", *(_bounded(line) for line in part.raw if _KEPT.match(line)), f"END:{part.name}"]
    text = "\n".join([*lines, "END:VTIMEZONE", ""])
    if "" in lines or len(text) > _LONGEST_RULES:
        return None
    try:
        return tzical(io.StringIO(text)).get()
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError):
        return None


def _bounded(line: str) -> str:
    """The line, its rule ended soon. Empty where the rule is none that zones have: dateutil walks one that matches
    nothing to the year 9999, whatever its end."""
    name, _, rule = line.upper().partition(":")
    if name != "RRULE":
        return line
    parts = [part for part in rule.split(";") if part]
    values = dict(part.partition("=")[::2] for part in parts)
    if values.get("FREQ") != "YEARLY" or not all(_YEARLY.fullmatch(part) for part in parts) or _may_never_be(values):
        return ""
    if values.get("UNTIL", "9999")[:4] >= str(_LAST_SAMPLE):
        values["UNTIL"] = f"{_LAST_SAMPLE}1231T000000Z"
    return f"RRULE:{';'.join(f'{name}={value}' for name, value in values.items())}"


def _may_never_be(values: Mapping[str, str]) -> bool:
    """The second Sunday is always there; so is a Sunday among seven days, but no third one on the 5th, nor a 31st."""
    month_days = values.get("BYMONTHDAY")
    if month_days is None:
        return False
    has_ordinal = any(sign.isdigit() for sign in values.get("BYDAY", ""))
    return has_ordinal or not any(day.isdigit() and 1 <= int(day) <= 28 for day in month_days.split(","))


@lru_cache(maxsize=1024)
def _official(name: str, year: int) -> _Offsets | None:
    return _sampled(zone(name), _moments(year))


def _moments(year: int) -> list[LocalTime]:
    """Twice a month over two years, at noon: no change of the clocks falls there."""
    year = min(max(year, 1970), _LAST_SAMPLE - 2)
    return [datetime(y, month, day, 12) for y in (year, year + 1) for month in range(1, 13) for day in (1, 16)]


def _sampled(rules: tzinfo, moments: Iterable[LocalTime]) -> _Offsets | None:
    try:
        return tuple(moment.replace(tzinfo=rules).utcoffset() for moment in moments)
    except (ValueError, TypeError, OverflowError, ArithmeticError):
        return None
