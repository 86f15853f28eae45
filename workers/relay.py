"""From the outbox to a job: take a message, carry it out with no transaction open, mark how it ended.

`carry_out` is what stands in the queue. The queue may lose it, or hold it twice: the lease decides.
"""

from collections.abc import Sequence

import structlog
from rq import Queue

from service import clock
from service.app import job_for, job_id
from service.usecases import outbox
from service.usecases.outbox import Taken
from workers.channels import CannotSend
from workers.house import House, house
from workers.topics import JOBS

log = structlog.get_logger("samehour")


def carry_out(message: int) -> None:
    """What RQ calls."""
    carry(house(), message)


def carry(house: House, message: int) -> bool:
    """True where the message was ours and is done."""
    with house.app.app_context():
        taken = outbox.take(message=message, now=clock.now())
        return taken is not None and _carry_taken(house, taken)


def ring(queue: Queue, messages: Sequence[int]) -> int:
    """Wake the workers for those that are not in the queue yet; how many they were.

    :raises redis.RedisError: nobody heard.
    """
    known = set(queue.job_ids)
    wanted = [one for one in messages if job_id(one) not in known]
    queue.enqueue_many([job_for(one) for one in wanted])
    return len(wanted)


def _carry_taken(house: House, taken: Taken) -> bool:
    try:
        JOBS[taken.topic](taken, house)
    except Exception as fault:  # noqa: BLE001  whatever it was, the message must be tried again, and the loop go on
        _note_failure(taken, fault)
        return False
    return outbox.done(message=taken.message, attempt=taken.attempt, now=clock.now())


def _note_failure(taken: Taken, fault: Exception) -> None:
    # The kind of fault alone: its words may quote a person.
    error = str(fault) if isinstance(fault, CannotSend) else type(fault).__name__
    wait = fault.wait if isinstance(fault, CannotSend) else None
    again = outbox.failed(message=taken.message, attempt=taken.attempt, error=error, wait=wait, now=clock.now())
    tell = log.warning if again else log.error
    tell("message failed" if again else "message dead", topic=taken.topic, message=taken.id, error=error)
