"""What a message makes happen: each job calls one use-case, or sends one notice."""

from service import clock
from service.feeds.attachment import calendar_file
from service.language import speaker
from service.usecases import client_letters, consistency, letters, webhooks
from service.usecases.outbox import Taken
from service.usecases.telling import Chat, Digest, Push
from workers.channels import CalendarFile, CannotSend, Mail
from workers.channels.chat import ChatMessage
from workers.house import House


def assess_course(taken: Taken, house: House) -> None:
    """A course has changed, or its time has come."""
    consistency.assess(course=taken.payload["course"], grace=house.settings.grace, now=clock.now())


def send_notice(taken: Taken, house: House) -> None:
    """Tell one person. :raises CannotSend: see there."""
    letter = taken.letter
    if not isinstance(letter, Push | Digest):
        raise ValueError("a notice without a reader")
    notice = letters.notice_of(letter, house.settings.public_url, speaker(letter.locale or house.settings.locale))
    link = f"{house.settings.public_url}/me"
    house.send(Mail(id=taken.id, to=letter.to, notice=notice, sent_at=clock.now(), settings_link=link))


def send_chat(taken: Taken, house: House) -> None:
    """Tell one person by their chat service. :raises CannotSend: see there."""
    letter = taken.letter
    if not isinstance(letter, Chat):
        raise ValueError("a notice without a reader")
    speaks = speaker(letter.locale or house.settings.locale)
    text = letters.said_in_chat(letter, house.settings.public_url, speaks)
    house.chat(ChatMessage(address=letter.address, text=text))


def send_to_client(taken: Taken, house: House) -> None:
    """Tell a client of their hours. :raises CannotSend: see there."""
    letter = client_letters.letter(message=taken.message, attempt=taken.attempt, now=clock.now())
    if letter is None:
        return
    speaks = speaker(letter.locale or house.settings.locale)
    file = CalendarFile(name="appointment.ics", body=calendar_file(client_letters.entries_of(letter, speaks)))
    notice = client_letters.notice_of(letter, speaks)
    house.send(Mail(id=taken.id, to=letter.to, notice=notice, sent_at=clock.now(), calendar=file))
    client_letters.note_sent(letter=letter, now=clock.now())


def send_webhook(taken: Taken, house: House) -> None:
    """Tell one program elsewhere of one event. :raises CannotSend: it was not delivered, and is to be tried again."""
    parcel = webhooks.parcel(message=taken.message, attempt=taken.attempt, now=clock.now())
    if parcel is None:
        return
    answer = house.post(parcel, clock.now())
    wait = webhooks.note(parcel=parcel, answer=answer, now=clock.now())
    if wait is not None:
        raise CannotSend(f"{answer.fault} {answer.status or ''}".strip(), wait=wait)
