"""What a message makes happen: each job calls one use-case, or sends one notice."""

from service import clock
from service.language import speaker
from service.notices.alert import AlertData, alert_notice
from service.usecases import consistency, webhooks
from service.usecases.alerts import Alert
from service.usecases.outbox import Taken
from workers.channels import CannotSend, Mail
from workers.house import House


def assess_course(taken: Taken, house: House) -> None:
    """A course has changed, or its time has come."""
    consistency.assess(course=taken.payload["course"], grace=house.settings.grace, now=clock.now())


def send_notice(taken: Taken, house: House) -> None:
    """Tell one person of one alert. :raises CannotSend: see there."""
    letter = taken.letter
    if letter is None:
        raise ValueError("a notice without a reader")
    notice = alert_notice(
        data_of(letter.alert, house.settings.public_url), speaker(letter.locale or house.settings.locale)
    )
    house.send(Mail(id=taken.id, to=letter.to, notice=notice, sent_at=clock.now()))


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
