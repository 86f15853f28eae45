"""`python -m workers work`: carry messages out as the queue says. `python -m workers sweep`: find what it forgot."""

import signal
import sys
from datetime import timedelta
from threading import Event

import click
import redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from service.config import WrongSettings
from workers.house import House, house
from workers.sweeper import EVERY, Sweeper


@click.group()
def main() -> None:
    """The carrying side of samehour."""


@main.command()
def work() -> None:
    """Carry messages out as the queue says. It ends when Redis goes away; whatever started it starts it again."""
    queue = _opened().queue
    if queue is None:
        raise click.ClickException("SAMEHOUR_REDIS_URL is not set: without a queue, the sweeper carries everything.")
    try:
        worker = Worker(
            [queue],
            connection=queue.connection,
            serializer=JSONSerializer,
            worker_ttl=45,
            maintenance_interval=15,
            job_monitoring_interval=5,
            log_job_description=False,
        )
        worker.work(logging_level="WARNING")
    except redis.RedisError as fault:
        raise click.ClickException(f"Redis can't be reached ({type(fault).__name__}).") from None
    sys.exit(0 if worker.is_asked_to_end else 1)


@main.command()
@click.option("--every", default=EVERY.total_seconds(), show_default=True, help="Seconds from one round to the next.")
@click.option("--once", is_flag=True, help="One round, then end.")
def sweep(every: float, once: bool) -> None:
    """Find what is due and was forgotten; needs no Redis."""
    sweeper = Sweeper(_opened(), every=timedelta(seconds=every))
    if once:
        sys.exit(0 if sweeper.sweep() else 1)
    ending = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    sweeper.run(ending)


class Worker(SimpleWorker):
    """One process, one message at a time: a fork for each would cost more than the work."""

    max_connection_wait_time = 5
    """Seconds at most between two looks for a Redis that went away."""

    @property
    def is_asked_to_end(self) -> bool:
        return self._shutdown_requested_date is not None


def _opened() -> House:
    try:
        return house()
    except WrongSettings as reason:
        raise click.ClickException(str(reason)) from None


if __name__ == "__main__":
    main(prog_name="python -m workers")
