"""What a client is mailed about their hours: when, where, and that it changed. No name, no reason, no therapist unless
the clinic's own text asks for one; the subject says nothing that a lock screen should not show."""

from collections.abc import Mapping, Sequence

from service.domain.client_mail import STANDARD, Hour, Item, Kind, Words, filled
from service.domain.hours import local_time, span_of
from service.domain.phrase import City, Clock, FullDay, Moment, Phrase, Speaker, Value, say
from service.domain.standing import Modality
from service.notices import Notice
from service.notices.written import written

ORDER = (Kind.REMINDER, Kind.MOVED, Kind.CANCELLED, Kind.BOOKED)
SUBJECT: Mapping[Kind, Phrase] = {
    Kind.REMINDER: say("Reminder of your appointment"),
    Kind.BOOKED: say("Your appointments"),
    Kind.MOVED: say("A change to your appointments"),
    Kind.CANCELLED: say("A change to your appointments"),
}
SHOWN = 60
"""So many hours of a kind stand in the mail; the attached file has them all."""


def client_notice(items: Sequence[Item], words: Words, speaker: Speaker) -> Notice:
    """The mail; at least one item."""
    by_kind = {kind: [one for one in items if one.kind is kind] for kind in ORDER}
    told = {kind: some for kind, some in by_kind.items() if some}
    return written(
        "client",
        SUBJECT[next(iter(told))],
        speaker,
        paragraphs=[part for kind, some in told.items() for part in _paragraphs(_text(kind, some, words, speaker))],
        sign_off=_paragraphs(words.sign_off or words.clinic),
    )


def place_of(hour: Hour) -> Value:
    """Where to come."""
    if hour.modality is Modality.VIDEO:
        return say("by video")
    return say("{room}, {site}", room=hour.room, site=hour.site) if hour.room else hour.site


def summary_of(kind: Kind) -> Phrase:
    """What the entry in the client's calendar is called."""
    return say("Cancelled: appointment") if kind is Kind.CANCELLED else say("Appointment")


def _text(kind: Kind, items: Sequence[Item], words: Words, speaker: Speaker) -> str:
    text = words.texts.get((kind, speaker.tag[:2])) or speaker.translated(STANDARD[kind].template)
    first = items[0].hour
    therapists = dict.fromkeys(one.hour.therapist for one in items)
    values = {
        "clinic": words.clinic,
        "therapist": speaker.listed(list(therapists)),
        "date": speaker.full_day(first.starts.date()),
        "time": _time(first).said(speaker),
        "place": _said(place_of(first), speaker),
        "hours": "\n".join(_lines(items, speaker)),
    }
    return filled(text, values)


def _lines(items: Sequence[Item], speaker: Speaker) -> list[str]:
    lines = [_line(one).said(speaker) for one in items[:SHOWN]]
    more = len(items) - SHOWN
    return lines if more <= 0 else [*lines, say("and {n} more, in the attached file", n=more).said(speaker)]


def _line(item: Item) -> Phrase:
    hour = item.hour
    values: dict[str, Value] = {"day": FullDay(hour.starts.date()), "time": _time(hour), "place": place_of(hour)}
    if item.was is None:
        return say("– {day}, {time}, {place}", **values)
    was = say("{when}, {place}", when=Moment(item.was.starts), place=place_of(item.was))
    return say("– {day}, {time}, {place} (before: {was})", was=was, **values)


def _time(hour: Hour) -> Phrase:
    """From when until when on the site's clocks; a session that they change in ends by the changed clock."""
    ends = local_time(span_of(hour.starts, hour.minutes, hour.zone).until, hour.zone)
    return say(
        "{since} to {until} (time in {city})",
        since=Clock(hour.starts.time()),
        until=Clock(ends.time()),
        city=City(hour.zone),
    )


def _said(value: Value, speaker: Speaker) -> str:
    return value.said(speaker) if isinstance(value, Phrase) else str(value)


def _paragraphs(text: str) -> list[list[str]]:
    """Lines by paragraph; an empty line ends one."""
    parts = (part.strip("\n").split("\n") for part in text.split("\n\n"))
    return [lines for lines in parts if any(line.strip() for line in lines)]
