"""What reading any appointment book has in common: names, places, findings."""

import re
import unicodedata
from datetime import datetime

from service.domain.book import LONGEST, SHORTEST, Noted, Rejected
from service.domain.hours import LocalTime
from service.domain.phrase import Phrase, say, says
from service.domain.refusals import Malformed
from service.domain.standing import Modality

MOST_BYTES = 16 * 1024 * 1024
MOST_ENTRIES = 100_000
LONGEST_NAME = 200
FIRST_YEAR, LAST_YEAR = 1970, 2199

_VIDEO = re.compile(
    r"https?://|\b(zoom|microsoft teams|google meet|facetime|webex|skype|video|online|telehealth)\b", re.IGNORECASE
)


class CannotRead(Malformed):
    """The file is not a book of the kind asked for, or is too large to be one."""


class CannotTake(Malformed):
    """One entry stays out; the rest goes on."""


class Findings:
    """What was rejected and what was decided while reading one file."""

    def __init__(self) -> None:
        self._rejected: list[Rejected] = []
        self._noted: dict[Phrase, list[int]] = {}

    def reject(self, line: int, refusal: CannotTake) -> None:
        self._rejected.append(Rejected(line=line, reason=refusal.message, where=refusal.where or ""))

    def note(self, line: int, what: Phrase) -> None:
        self._noted.setdefault(what, []).append(line)

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        return tuple(sorted(self._rejected, key=lambda one: one.line))

    @property
    def noted(self) -> tuple[Noted, ...]:
        """Equal choices are told once, at their first line."""
        found = [Noted(line=min(lines), what=what, times=len(lines)) for what, lines in self._noted.items()]
        return tuple(sorted(found, key=lambda one: one.line))


def checked_size(data: bytes) -> bytes:
    """
    :raises CannotRead: nothing in it, or more than a book can be.
    """
    if not data.strip():
        raise CannotRead(say("The file is empty."))
    if len(data) > MOST_BYTES:
        raise CannotRead(
            say("The file is larger than {most} MB. Please export a shorter span.", most=MOST_BYTES // 1024 // 1024)
        )
    return data


def name_of(text: str, *, where: str) -> str:
    """One line without control characters and doubled blanks; empty where there is nothing.

    :raises CannotTake: longer than a name can be.
    """
    visible = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)
    name = unicodedata.normalize("NFC", " ".join(visible.split()))
    if len(name) > LONGEST_NAME:
        raise CannotTake(
            say("The {where} is longer than {longest} characters.", where=where, longest=LONGEST_NAME), where=where
        )
    return name


def place_of(text: str, *, where: str) -> tuple[str | None, Modality]:
    """The room and the modality that a place names: a link or a video service is no room.

    :raises CannotTake: longer than a name can be.
    """
    if _VIDEO.search(text[: 10 * LONGEST_NAME]):
        return None, Modality.VIDEO
    return name_of(text, where=where) or None, Modality.IN_PERSON


def checked_start(starts: datetime, *, where: str, first_year: int = FIRST_YEAR) -> LocalTime:
    """
    :raises CannotTake: outside the years that a clinic's book can speak of.
    """
    if not first_year <= starts.year <= LAST_YEAR:
        raise CannotTake(say("The year {year} can't be right.", year=str(starts.year)), where=where)
    return starts


def checked_minutes(minutes: int, *, where: str) -> int:
    """
    :raises CannotTake: not a session's length.
    """
    if not SHORTEST <= minutes <= LONGEST:
        raise CannotTake(
            says(
                "It lasts {n} minute; a session lasts {shortest} to {longest} minutes.",
                "It lasts {n} minutes; a session lasts {shortest} to {longest} minutes.",
                n=minutes,
                shortest=SHORTEST,
                longest=LONGEST,
            ),
            where=where,
        )
    return minutes
