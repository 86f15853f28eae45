"""What a message makes happen: each job calls one use-case, or sends one notice."""

from service import clock
from service.domain.phrase import Speaker
from service.language import speaker
from service.notices import Notice
from service.notices.digest import DigestData, digest_notice
from service.notices.push import AlertData, push_notice
from service.usecases import consistency, webhooks
from service.usecases.alerts import Alert
from service.usecases.outbox import Taken
from service.usecases.telling import Letter, Push
from workers.channels import CannotSend, Mail
from workers.house import House


def assess_course(taken: Taken, house: House) -> None:
    """A course has changed, or its time has come."""
    consistency.assess(course=taken.payload["course"], grace=house.settings.grace, now=clock.now())


def send_notice(taken: Taken, house: House) -> None:
    """Tell one person. :raises CannotSend: see there."""
    letter = taken.letter
    if letter is None:
        raise ValueError("a notice without a reader")
    notice = notice_of(letter, house.settings.public_url, speaker(letter.locale or house.settings.locale))
    house.send(Mail(id=taken.id, to=letter.to, notice=notice, sent_at=clock.now()))


def notice_of(letter: Letter, public_url: str, speaker: Speaker) -> Notice:
    """The letter in its reader's words."""
    if isinstance(letter, Push):
        them = [data_of(one, public_url) for one in letter.alerts]
        return push_notice(them, public_url=public_url, speaker=speaker)
    data = DigestData(
        day=letter.day,
        act=[data_of(one, public_url) for one in letter.act],
        watch=[data_of(one, public_url) for one in letter.watch],
        breaks=[data_of(one, public_url) for one in letter.breaks],
        changes=letter.changes,
        dead=letter.dead,
    )
    return digest_notice(data, public_url=public_url, speaker=speaker)


def send_webhook(taken: Taken, house: House) -> None:
    """Tell one program elsewhere of one event. :raises CannotSend: it was not delivered, and is to be tried again."""
    parcel = webhooks.parcel(message=taken.message, attempt=taken.attempt, now=clock.now())
    if parcel is None:
        return
    answer = house.post(parcel, clock.now())
    wait = webhooks.note(parcel=parcel, answer=answer, now=clock.now())
    if wait is not None:
        raise CannotSend(f"{answer.fault} {answer.status or ''}".strip(), wait=wait)


def data_of(alert: Alert, public_url: str) -> AlertData:
    """What of the alert may leave the house: initials, and no name."""
    return AlertData(
        signal=alert.signal,
        level=alert.level,
        initials=alert.initials,
        text=alert.text,
        causes=alert.causes,
        actions=alert.actions,
        clears=alert.clears,
        value=alert.value,
        threshold=alert.threshold,
        evidence=alert.evidence,
        agreed=alert.agreed_openly,
        link=f"{public_url}/alerts#alert-{alert.id}",
        course_link=f"{public_url}/courses/{alert.course}",
    )
