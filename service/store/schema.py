"""Every table, in one place to import: migrations, the doctor and the tests look here."""

from service.store import (
    absences,
    alerts,
    appointments,
    audit,
    client_mail,
    clients,
    courses,
    feeds,
    imports,
    notices,
    occupancies,
    outbox,
    outside,
    overrides,
    people,
    standings,
    timezones,
    webhooks,
)
from service.store.base import Base

TABLES = (
    absences,
    alerts,
    appointments,
    audit,
    client_mail,
    clients,
    courses,
    feeds,
    imports,
    notices,
    occupancies,
    outbox,
    outside,
    overrides,
    people,
    standings,
    timezones,
    webhooks,
)
metadata = Base.metadata
