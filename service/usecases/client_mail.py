"""Mail to clients: what the clinic chose and wrote, and how it reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.client_mail import STANDARD, ClientMail, Hour, Item, Kind, Words, checked_text
from service.domain.phrase import Speaker, say
from service.domain.refusals import NotFound
from service.domain.standing import Modality
from service.language import LOCALES, speaker
from service.notices import Notice
from service.notices.client import client_notice
from service.store import audit, client_mail
from service.store.client_mail import ClientMailTextRow
from service.store.clients import ClientRow
from service.store.transaction import reading, writing
from service.usecases import steps

LANGUAGES: Mapping[str, str] = {locale[:2]: locale for locale in reversed(list(LOCALES))}
"""In which a text can be written, and the place whose habits show it."""
_SUBJECT = "client mail"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    choice: ClientMail
    version: int
    """0 before anybody chose."""
    own: frozenset[tuple[Kind, str]]
    """Kind and language of the texts that the clinic wrote itself."""
    mailed: int
    """Clients who are mailed, or would be."""


@dataclass(frozen=True, kw_only=True)
class Text:
    kind: Kind
    language: str
    text: str
    is_own: bool
    """False for the standard text."""


@reading
def show(db: Session, *, by: Actor) -> Chosen:
    """:raises Forbidden: managers only."""
    access.require(by, Role.MANAGER, to_change=False)
    choice, version = client_mail.choice(db)
    mailed = db.scalar(select(func.count()).select_from(ClientRow).where(client_mail.mailable())) or 0
    return Chosen(choice=choice, version=version, own=frozenset(client_mail.texts(db)), mailed=mailed)


@writing
def choose(db: Session, *, wanted: ClientMail, if_version: int | None = None, by: Actor, now: datetime) -> None:
    """Choose anew. :raises Forbidden: managers only. :raises Stale: changed since it was read."""
    access.require(by, Role.MANAGER)
    before, version = client_mail.choice(db)
    steps.expect_version(version, if_version)
    fields = [name for name, value in vars(wanted).items() if value != getattr(before, name)]
    client_mail.choose(db, wanted)
    audit.record(db, "change", by=by, now=now, kind="client mail", subject=_SUBJECT, fields=fields)


@reading
def text(db: Session, *, kind: Kind, language: str, by: Actor) -> Text:
    """:raises Forbidden: managers only. :raises NotFound: no such language."""
    access.require(by, Role.MANAGER, to_change=False)
    speaks = speaker_of(language)
    own = client_mail.texts(db, language).get((kind, language))
    standard = speaks.translated(STANDARD[kind].template)
    return Text(kind=kind, language=language, text=own or standard, is_own=own is not None)


@writing
def write(db: Session, *, kind: Kind, language: str, text: str, by: Actor, now: datetime) -> None:
    """Mail these words from now on. :raises CannotUseText: see there. :raises NotFound: no such language."""
    access.require(by, Role.MANAGER)
    speaker_of(language)
    checked = checked_text(kind, text)
    row = db.get(ClientMailTextRow, (kind.value, language))
    if row is None:
        db.add(ClientMailTextRow(kind=kind.value, language=language, text=checked))
    else:
        row.text = checked
    _record_text(db, "write", kind, language, by=by, now=now)


@writing
def reset(db: Session, *, kind: Kind, language: str, by: Actor, now: datetime) -> None:
    """Mail the standard text again."""
    access.require(by, Role.MANAGER)
    row = db.get(ClientMailTextRow, (kind.value, language))
    if row is not None:
        db.delete(row)
        _record_text(db, "reset", kind, language, by=by, now=now)


@reading
def preview(db: Session, *, kind: Kind, language: str, text: str | None = None, by: Actor, now: datetime) -> Notice:
    """The mail about invented hours, with this text or the one in force. :raises CannotUseText: see there."""
    access.require(by, Role.MANAGER, to_change=False)
    choice, _version = client_mail.choice(db)
    texts = dict(client_mail.texts(db, language))
    if text is not None:
        texts[kind, language] = checked_text(kind, text)
    speaks = speaker_of(language)
    return client_notice(_invented(kind, speaks, now), _words(choice, texts, speaks), speaks)


def speaker_of(language: str) -> Speaker:
    """:raises NotFound: no such language."""
    if language not in LANGUAGES:
        raise NotFound(say("There is no such language."))
    return speaker(LANGUAGES[language])


# --- steps ------------------------------------------------------------------------------------------------------------


def _record_text(db: Session, action: str, kind: Kind, language: str, *, by: Actor, now: datetime) -> None:
    audit.record(
        db, action, by=by, now=now, kind="client mail", subject=_SUBJECT, fields=[f"text {kind.value} {language}"]
    )


def _words(choice: ClientMail, texts: Mapping[tuple[Kind, str], str], speaks: Speaker) -> Words:
    return Words(clinic=choice.clinic or say("Your clinic").said(speaks), sign_off=choice.sign_off, texts=texts)


def _invented(kind: Kind, speaks: Speaker, now: datetime) -> list[Item]:
    """Hours that nobody has: two, so that a text is seen with more than one."""
    first = datetime.combine(now.date() + timedelta(days=7), datetime.min.time().replace(hour=15))
    names = [say("Room 1"), say("Main Street"), say("Therapist A")]
    room, site, therapist = (name.said(speaks) for name in names)
    starts = [first] if kind is Kind.REMINDER else [first, first + timedelta(days=7)]
    hours = [
        Hour(
            starts=one,
            minutes=50,
            zone="Europe/Vienna",
            site=site,
            room=room,
            modality=Modality.IN_PERSON,
            therapist=therapist,
        )
        for one in starts
    ]
    return [Item(kind=kind, hour=one, was=_a_day_before(one) if kind is Kind.MOVED else None) for one in hours]


def _a_day_before(hour: Hour) -> Hour:
    return Hour(**{**vars(hour), "starts": hour.starts - timedelta(days=1)})
