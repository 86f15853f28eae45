"""Backups: take one while people work, put one back while nobody does."""

from pathlib import Path

from service.domain import access
from service.domain.access import Actor, Role
from service.domain.refusals import Conflict
from service.store import copies
from service.store.base import db
from service.store.migrate import upgrade


class CannotCopy(Conflict):
    """The backup could not be made or put back; the message says why."""


def take(*, file: Path, by: Actor) -> None:
    """Copy the whole database, as of one moment, to a new file. Keys are not in it.

    :raises CannotCopy: see there. :raises Forbidden: admins and the command line do that.
    """
    access.require(by, Role.ADMIN)
    try:
        copies.take(db.engine, file)
    except copies.CannotCopy as reason:
        raise CannotCopy(reason.message) from None


def put_back(*, file: Path, by: Actor) -> None:
    """Replace the whole database by a backup and bring it to the newest schema. Stop everything else before.

    :raises CannotCopy: see there. :raises Forbidden: admins and the command line do that.
    """
    access.require(by, Role.ADMIN)
    try:
        copies.put_back(db.engine, file)
    except copies.CannotCopy as reason:
        raise CannotCopy(reason.message) from None
    upgrade(db.engine)
