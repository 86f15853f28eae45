"""The service as a worker needs it: the app, its settings, the channel that sends, and the queue if there is one."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import redis
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer

from service.app import QUEUE, create_app, settings_of
from service.config import Settings
from service.domain.outside import expect_foreign
from service.domain.web_address import LONGEST_LED_TO
from workers import outside_fetching
from workers.channels import Mail, chat, console, email, webhook
from workers.reaching import Guard


@dataclass(frozen=True, kw_only=True)
class House:
    """Opened once in a process."""

    app: Flask
    send: Callable[[Mail], None]
    post: webhook.Send
    chat: chat.Send
    queue: Queue | None
    """None where no Redis is configured: the sweeper then carries everything."""
    ask: outside_fetching.Ask

    @property
    def settings(self) -> Settings:
        return settings_of(self.app)


def open_house(settings: Settings) -> House:
    return house_of(create_app(settings))


def house_of(app: Flask) -> House:
    """Around an app that stands already."""
    settings = settings_of(app)
    return House(
        app=app,
        send=_mailer(settings) if settings.smtp_url else console.send,
        post=webhook.channel(Guard.of(own_network=settings.webhooks_to_own_network)),
        chat=chat.send,
        queue=_queue(settings.redis_url) if settings.redis_url else None,
        ask=outside_fetching.asker(
            Guard.of(own_network=settings.calendars_from_own_network, longest=LONGEST_LED_TO),
            partial(expect_foreign, public_url=settings.public_url),
        ),
    )


def _mailer(settings: Settings) -> Callable[[Mail], None]:
    return email.channel(settings.smtp_url or "", settings.mail_from, ca_file=settings.smtp_ca_file)


@cache
def house() -> House:
    """The one of this process, on the settings of its environment.

    :raises WrongSettings: see Settings.from_env.
    """
    return open_house(Settings.from_env())


def _queue(url: str) -> Queue:
    # Whoever rings must not hang on a Redis that is away; the worker's own reads set a longer time themselves.
    connection = redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)
    return Queue(QUEUE, connection=connection, serializer=JSONSerializer)
