"""The languages samehour speaks, and how each place writes its numbers, days and times.

The templates are English. A language is one `.po` file beside this module; what it does not translate is said in
English. How numbers and dates are written comes from the Unicode CLDR, by Babel.
"""

import gettext
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

from babel import Locale, dates, negotiate_locale, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from service.domain.hours import LocalTime
from service.domain.phrase import PLAIN, PlainEnglish, Speaker

ENGLISH = "en_GB"
LOCALES: Mapping[str, str] = {
    ENGLISH: "English",
    "en_US": "English (United States)",
    "de_DE": "Deutsch",
    "de_AT": "Deutsch (Österreich)",
    "de_CH": "Deutsch (Schweiz)",
}
"""What a person can choose, each named in its own language."""
CATALOGS = Path(__file__).parent
_A_MONDAY = datetime(2001, 1, 1)


def speaker(locale: str | None) -> Speaker:
    """Who speaks as they do there; plain English where that place is none of ours."""
    return _speakers().get(locale or ENGLISH, PLAIN)


def nearest(wanted: Sequence[str], usual: str = ENGLISH) -> str:
    """The locale of ours nearest to what a browser asks for, `de-AT`; the usual one where it has that language.

    A browser says `en-US` unless somebody told it better, so it decides on the language and not on the habits.
    """
    by_language = {locale[:2]: locale for locale in (*reversed(list(LOCALES)), usual)}
    found = negotiate_locale([one.replace("-", "_") for one in wanted], [*LOCALES, *by_language]) or usual
    return usual if found[:2] == usual[:2] else by_language.get(found, found)


def tag(locale: str | None) -> str:
    """As the web names it: `de-AT`."""
    return (locale if locale and locale in LOCALES else ENGLISH).replace("_", "-")


@cache
def _speakers() -> Mapping[str, Speaker]:
    return {ENGLISH: PLAIN, **{locale: LocalSpeaker(locale) for locale in LOCALES if locale != ENGLISH}}


@cache
def catalog(language: str) -> gettext.NullTranslations:
    """The translations of a language; for English, the templates themselves."""
    source = CATALOGS / language / "samehour.po"
    if not source.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with source.open("rb") as text:
        write_mo(compiled, read_po(text, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class LocalSpeaker(PlainEnglish):
    """One place's language and habits."""

    def __init__(self, locale: str) -> None:
        self.tag = tag(locale)
        self.locale = Locale.parse(locale)
        self.catalog = catalog(self.locale.language)

    def translated(self, template: str) -> str:
        return self.catalog.gettext(template) if template else ""

    def translated_plural(self, one: str, many: str, n: int) -> str:
        return self.catalog.ngettext(one, many, n)

    def number(self, value: float, places: int) -> str:
        rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        return numbers.format_decimal(rounded, locale=self.locale, decimal_quantization=False)

    def day(self, of: date) -> str:
        return dates.format_skeleton("MMMd", of, locale=self.locale)

    def weekday(self, of: date) -> str:
        return dates.format_skeleton("MMMEd", of, locale=self.locale)

    def full_day(self, of: date) -> str:
        return dates.format_date(of, "full", locale=self.locale)

    def year_day(self, of: date) -> str:
        return dates.format_skeleton("yMMMd", of, locale=self.locale)

    def month(self, of: date) -> str:
        return dates.format_skeleton("MMM", of, locale=self.locale)

    def clock(self, at: time) -> str:
        return dates.format_time(at, "short", locale=self.locale)

    def moment(self, at: LocalTime) -> str:
        return f"{self.weekday(at)} {self.clock(at.time())}"

    def hour_of_week(self, minute: int) -> str:
        at = _A_MONDAY + timedelta(minutes=minute)
        return f"{dates.format_skeleton('E', at, locale=self.locale)} {self.clock(at.time())}"

    def span(self, since: date, last: date) -> str:
        return dates.format_interval(since, last, "MMMd", locale=self.locale) if since != last else self.day(since)

    def city(self, zone: str) -> str:
        return str(self.locale.time_zones.get(zone, {}).get("city") or super().city(zone))
