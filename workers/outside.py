"""The job that sees whether a therapist is busy elsewhere: ask, read, write down; nothing of it in one transaction."""

import structlog

from service import clock
from service.files import ics_busy
from service.usecases import outside
from service.usecases.outbox import Taken
from service.usecases.outside import Errand
from workers.house import House
from workers.outside_fetching import Failed, Fetched, Same

log = structlog.get_logger("samehour")


def read_calendar(taken: Taken, house: House) -> None:
    """What fails is written down with the calendar, whose message is armed anew: for the queue, it went well."""
    errand = outside.errand(message=taken.message, attempt=taken.attempt, now=clock.now())
    if errand is None:
        return
    answer = house.ask(errand, clock.now())
    if isinstance(answer, Same):
        outside.note_same(errand=errand, now=clock.now())
    elif isinstance(answer, Failed):
        outside.note_fault(errand=errand, fault=answer.fault, wish=answer.wish, now=clock.now())
    else:
        _note_calendar(errand, answer)


def _note_calendar(errand: Errand, answer: Fetched) -> None:
    try:
        found = ics_busy.read(answer.body, zone=errand.zone, since=errand.since, until=errand.until)
    except ics_busy.CannotReadBusy as reason:
        outside.note_fault(errand=errand, fault=reason.kind, now=clock.now())
    except Exception as fault:  # noqa: BLE001  whatever a stranger's file holds, its calendar says so and not the queue
        log.warning("a calendar can't be read", calendar=errand.calendar, error=type(fault).__name__)
        outside.note_fault(errand=errand, fault="damaged", now=clock.now())
    else:
        outside.note_read(errand=errand, found=found, etag=answer.etag, modified=answer.modified, now=clock.now())
