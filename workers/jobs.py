"""What a message makes happen: each job calls one use-case, or sends one notice."""

from service import clock
from service.language import speaker
from service.usecases import consistency, letters, webhooks
from service.usecases.outbox import Taken
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
    notice = letters.notice_of(letter, house.settings.public_url, speaker(letter.locale or house.settings.locale))
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
