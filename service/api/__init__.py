"""JSON under /api/v1. Each route parses what was asked, calls one use-case, and answers with what came back."""

from uuid import UUID

from flask import Flask, g
from werkzeug.routing import UUIDConverter

from service.api import (
    absences,
    alerts,
    appointments,
    assess,
    clients,
    courses,
    feeds,
    health,
    me,
    messages,
    outside,
    overrides,
    places,
    rules,
    standings,
    therapists,
    users,
    webhooks,
)
from service.api.document import document
from service.api.problems import say_no
from service.config import Settings

__all__ = ["open_doors", "say_no"]


class PublicId(UUIDConverter):
    """`<id:course>`: a public id in an address, as text. Anything else there is 404 before any look-up."""

    def to_python(self, value: str) -> str:  # type: ignore[override]
        return str(UUID(value))

    def to_url(self, value: str) -> str:  # type: ignore[override]
        return value


def open_doors(app: Flask, settings: Settings) -> None:
    """Register every route for programs."""
    app.url_map.converters["id"] = PublicId

    @app.before_request
    def bring_settings() -> None:
        g.horizon, g.public_url = settings.horizon, settings.public_url
        g.own_network = settings.webhooks_to_own_network
        g.calendars_from_own_network = settings.calendars_from_own_network

    health.open_doors(app, settings)
    document(
        app,
        [
            places.sites,
            places.rooms,
            therapists.routes,
            clients.routes,
            courses.routes,
            standings.routes,
            appointments.routes,
            absences.routes,
            alerts.routes,
            overrides.routes,
            rules.routes,
            feeds.routes,
            outside.routes,
            assess.routes,
            me.routes,
            users.users,
            users.tokens,
            messages.routes,
            webhooks.routes,
        ],
    )
