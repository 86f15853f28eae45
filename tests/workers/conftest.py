"""The carrying side on a clinic that has one thing to say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.alarms import AlarmClinic, alarm_clinic, never_quiet
from tests.servers import Inbox

if TYPE_CHECKING:
    from flask import Flask

    from workers.house import House


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def environment(environment: dict[str, str], smtp_server: Inbox) -> dict[str, str]:
    """With a mail server and no grace, so that what is due is due at once."""
    return {**environment, "SAMEHOUR_SMTP_URL": smtp_server.url, "SAMEHOUR_GRACE_SECONDS": "0"}


@pytest.fixture
def clinic(app: "Flask") -> Iterator[AlarmClinic]:
    """Every course is assessed, nothing is waiting."""
    from service.usecases import consistency, outbox

    with app.app_context():
        found = alarm_clinic(now=now())
        never_quiet(found.as_ada, found.as_ben, found.manager, now=now())
        for course in (found.course, found.other_course):
            consistency.assess(course=course, now=now())
        assert outbox.due(now=now() + timedelta(hours=1)) == []
        yield found


@pytest.fixture
def house(app: "Flask") -> "House":
    from workers.house import house_of

    return house_of(app)
