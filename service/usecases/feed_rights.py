"""Steps: whose calendar a subscription is to show, whose subscriptions somebody may see, and how many one may have.

No transaction of its own. What is somebody else's is answered as if it did not exist.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from service.domain import access, subscription
from service.domain.access import Actor, Role
from service.domain.phrase import say
from service.domain.refusals import Conflict, Malformed, NotFound
from service.domain.subscription import Shows
from service.store import clients, courses, feed_queries, feeds
from service.store.feeds import FeedRow
from service.store.people import Directory, UserRow, directory

MOST = 20
"""Subscriptions that one user may have at a time."""
MOST_OF_CLIENT = 5
MOST_STANDINGS = 1500
"""Open-ended ones that a site may have to be told whole: about what 1 MB holds, above which Google leaves out hours."""


class CannotSubscribe(Conflict):
    """One has as many as one can keep an eye on, the clinic gives none to clients, or the site is too large for one."""


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Whose calendar it is, by inner and public id."""

    shows: Shows
    id: int
    public_id: str
    name: str
    at_site: int
    """Inner id of the site by whose clocks its days end."""
    zone: str
    locale: str | None = None
    """Of a client."""

    @property
    def columns(self) -> dict[str, int]:
        return {f"{self.shows.value}_id": self.id}


def whose(
    db: Session,
    *,
    therapist: str | None = None,
    room: str | None = None,
    site: str | None = None,
    client: str | None = None,
    by: Actor,
) -> Whose:
    """The one that is named by public id; oneself where nobody is, for a therapist.

    :raises Malformed: nobody, or more than one. :raises Forbidden: not with this role. :raises NotFound: nobody of that
    id, or a therapist's calendar that is not one's own. :raises CannotSubscribe: clients have no calendars here.
    """
    named = {Shows.THERAPIST: therapist, Shows.ROOM: room, Shows.SITE: site, Shows.CLIENT: client}
    given = [(shows, public_id) for shows, public_id in named.items() if public_id is not None]
    if not given and by.therapist is not None:
        given = [(Shows.THERAPIST, by.therapist)]
    if len(given) != 1:
        raise Malformed(
            say("Say whose calendar it is: a therapist's, a room's, a site's or a client's."), where="shows"
        )
    [(shows, public_id)] = given
    subscription.expect_kind(by, shows)
    if shows is Shows.CLIENT:
        return _client(db, public_id)
    found = _of_the_clinic(directory(db), shows, public_id, by)
    if (
        shows is Shows.SITE
        and (db.execute(feed_queries.OPEN_ENDED_AT_SITE, {"who": found.id}).scalar_one()) > MOST_STANDINGS
    ):
        raise CannotSubscribe(
            say("This site has more standing hours than one calendar can hold. Take its rooms one by one.")
        )
    return found


def _of_the_clinic(people: Directory, shows: Shows, public_id: str, by: Actor) -> Whose:
    if shows is Shows.THERAPIST:
        if public_id != by.therapist and not by.has(Role.MANAGER):
            raise NotFound(say("There is no such therapist."), where="therapist")
        therapist = people.therapist(public_id)
        row, name, site = therapist, therapist.name, people.sites[therapist.site_id]
        return Whose(shows=shows, id=row.id, public_id=public_id, name=name, at_site=site.id, zone=site.zone)
    if shows is Shows.ROOM:
        room = people.room(public_id)
        site = people.sites[room.site_id]
        name = f"{room.name}, {site.name}"
        return Whose(shows=shows, id=room.id, public_id=public_id, name=name, at_site=site.id, zone=site.zone)
    site = people.site(public_id)
    return Whose(shows=shows, id=site.id, public_id=public_id, name=site.name, at_site=site.id, zone=site.zone)


def _client(db: Session, public_id: str) -> Whose:
    if not feeds.clients_may_have_one(db):
        raise CannotSubscribe(say("Clients have no calendars of their own here. A manager can allow it."))
    row, people = clients.get(db, public_id), directory(db)
    theirs = courses.of_client(db, row.id)
    if not theirs:
        raise CannotSubscribe(say("This client has no course yet, so there is nothing to show."))
    site = people.sites[theirs[-1].site_id]
    return Whose(
        shows=Shows.CLIENT,
        id=row.id,
        public_id=public_id,
        name=row.name,
        at_site=site.id,
        zone=site.zone,
        locale=row.locale,
    )


def owner(db: Session, public_id: str | None, by: Actor) -> UserRow:
    """The user it is to belong to; oneself where None.

    :raises NotFound: no such user. :raises Forbidden: for somebody else, which managers alone may do.
    """
    wanted = public_id or by.user
    if wanted is None:
        raise Malformed(say("Say whose subscription it is."), where="owner")
    if wanted != by.user:
        access.require(by, Role.MANAGER)
    row = db.scalar(select(UserRow).where(UserRow.public_id == wanted, UserRow.disabled_at.is_(None)))
    if row is None:
        raise NotFound(say("There is no such user."), where="owner")
    return row


def expect_room_for_one_more(db: Session, whose: Whose, user: UserRow | None) -> None:
    """:raises CannotSubscribe: there are as many as one can keep an eye on."""
    found = feeds.in_use(db, FeedRow.client_id == whose.id if user is None else FeedRow.user_id == user.id)
    if len(found) >= (MOST_OF_CLIENT if user is None else MOST):
        raise CannotSubscribe(
            say("There are {most} calendar subscriptions. Revoke one that is not used any more.", most=len(found))
        )


def visible(db: Session, by: Actor) -> list[FeedRow]:
    """The subscriptions that work and that somebody may see, in order of creation."""
    access.require(by, Role.FRONT_DESK, Role.THERAPIST, Role.MANAGER, to_change=False)
    return feeds.in_use(db) if by.has(Role.MANAGER) else feeds.in_use(db, _is_theirs(db, by))


def find(db: Session, feed: str, by: Actor, *, to_change: bool = True) -> FeedRow:
    """:raises NotFound: no such feed, not theirs, or revoked. :raises Forbidden: not with this role."""
    access.require(by, Role.FRONT_DESK, Role.THERAPIST, Role.MANAGER, to_change=to_change)
    row = feeds.get(db, feed)
    is_theirs = by.has(Role.MANAGER) or row in feeds.in_use(db, _is_theirs(db, by))
    if row.revoked_at is not None or not is_theirs:
        raise NotFound(say("There is no such calendar subscription."))
    return row


def user_id(db: Session, by: Actor) -> int | None:
    """Inner id of the user that somebody is."""
    return db.scalar(select(UserRow.id).where(UserRow.public_id == by.user)) if by.user else None


def _is_theirs(db: Session, by: Actor) -> ColumnElement[bool]:
    """Made by them, of their own hours, or (for the desk) of a room or a client."""
    theirs = [FeedRow.user_id == user_id(db, by)]
    if by.has(Role.THERAPIST) and by.therapist is not None:
        theirs.append(FeedRow.therapist_id == directory(db).therapist(by.therapist).id)
    if by.has(Role.FRONT_DESK):
        theirs += [FeedRow.room_id.is_not(None), FeedRow.client_id.is_not(None)]
    return or_(*theirs)
