"""Calendars that people subscribe to on their phones: read-only, one secret address each, no client named unasked."""

from flask import Flask

from service.config import Settings
from service.feeds import routes
from service.feeds.front_door import stand_before
from service.feeds.patience import Patience
from service.feeds.routes import say_no

__all__ = ["open_doors", "say_no", "stand_before"]


def open_doors(app: Flask, settings: Settings) -> None:
    """Register the feeds' route."""
    routes.register(app, Patience(settings.redis_url))
