"""Signing in and out, users, roles and tokens; sites, rooms and therapists."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest

from service.domain.access import OPERATOR, Actor, Role
from service.domain.hours import UnknownZone, Weekday
from service.domain.refusals import Forbidden, Malformed, NotFound
from service.usecases import people
from service.usecases.people import CannotAdd, CannotSignIn, UnknownLocale
from tests.usecases.conftest import NOW, Cast

PASSWORD = "a long enough password"
EMAIL = "desk@clinic.example"


def add_user(**given: Any) -> str:
    usual: dict[str, Any] = {"name": "Desk", "email": EMAIL, "roles": [Role.FRONT_DESK], "by": OPERATOR, "now": NOW}
    return people.add_user(**{**usual, **given})


def who(secret: str, **later: float) -> Actor | None:
    return people.who_is(secret=secret, now=NOW + timedelta(**later))


# --- signing in


def test_a_password_lets_in_and_signing_out_ends_it(cast: Cast) -> None:
    user = add_user(password=PASSWORD)
    secret = people.sign_in(email=" Desk@Clinic.example ", password=PASSWORD, now=NOW)
    actor = who(secret)
    assert actor is not None
    assert (actor.user, actor.roles, actor.therapist) == (user, frozenset({Role.FRONT_DESK}), None)
    people.sign_out(secret=secret, now=NOW)
    assert who(secret) is None


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "a wrong enough password"), ("nobody@clinic.example", PASSWORD), (EMAIL, "")]
)
def test_nobody_is_told_what_was_wrong(cast: Cast, email: str, password: str) -> None:
    add_user(password=PASSWORD)
    with pytest.raises(CannotSignIn, match="The address or the password is not right"):
        people.sign_in(email=email, password=password, now=NOW)


def test_a_user_without_a_password_can_not_sign_in_by_one(cast: Cast) -> None:
    add_user()
    with pytest.raises(CannotSignIn):
        people.sign_in(email=EMAIL, password="nobody has this password", now=NOW)


def test_a_link_lets_in_once_and_for_a_day(cast: Cast) -> None:
    add_user()
    first, second = (people.sign_in_link(email=EMAIL, by=OPERATOR, now=NOW) for _ in range(2))
    assert who(people.sign_in_by_link(secret=first, now=NOW))
    for secret, now in ((first, NOW), (second, NOW + timedelta(hours=24)), ("made up", NOW)):
        with pytest.raises(CannotSignIn):
            people.sign_in_by_link(secret=secret, now=now)


def test_a_session_ends_when_idle_and_after_a_week(cast: Cast) -> None:
    add_user(password=PASSWORD)
    secret = people.sign_in(email=EMAIL, password=PASSWORD, now=NOW)
    assert who(secret, hours=11.9)
    assert who(secret, hours=23), "it was seen at 11.9"
    assert who(secret, hours=35.1) is None
    secret = people.sign_in(email=EMAIL, password=PASSWORD, now=NOW)
    assert [bool(who(secret, hours=11 * n)) for n in range(1, 17)] == [True] * 15 + [False]


def test_a_disabled_user_is_out_at_once_by_every_door(cast: Cast) -> None:
    user = add_user(password=PASSWORD)
    secret = people.sign_in(email=EMAIL, password=PASSWORD, now=NOW)
    link = people.sign_in_link(email=EMAIL, by=OPERATOR, now=NOW)
    _id, token = people.add_token(user=user, name="script", may_write=True, days=30, by=OPERATOR, now=NOW)
    people.disable_user(user=user, by=OPERATOR, now=NOW)
    assert who(secret) is None
    assert people.who_holds(token=token, now=NOW) is None
    attempts: tuple[Callable[[], object], ...] = (
        lambda: people.sign_in(email=EMAIL, password=PASSWORD, now=NOW),
        lambda: people.sign_in_by_link(secret=link, now=NOW),
    )
    for attempt in attempts:
        with pytest.raises(CannotSignIn):
            attempt()
    with pytest.raises(NotFound):
        people.sign_in_link(email=EMAIL, by=OPERATOR, now=NOW)


def test_a_token_is_shown_once_expires_and_is_revoked(cast: Cast) -> None:
    user = add_user()
    token, secret = people.add_token(user=user, name="script", may_write=False, days=30, by=OPERATOR, now=NOW)
    actor = people.who_holds(token=secret, now=NOW)
    assert actor is not None
    assert not actor.may_write
    assert people.who_holds(token=secret, now=NOW + timedelta(days=30)) is None
    people.revoke_token(token=token, by=OPERATOR, now=NOW)
    assert people.who_holds(token=secret, now=NOW) is None
    assert secret not in repr(people.tokens(by=OPERATOR))
    for days in (0, 366):
        with pytest.raises(Malformed):
            people.add_token(user=user, name="script", may_write=False, days=days, by=OPERATOR, now=NOW)


def test_roles_add_up_and_a_therapist_is_one(cast: Cast) -> None:
    add_user(roles=[Role.THERAPIST, Role.MANAGER], therapist=cast.ada)
    actor = who(people.sign_in_by_link(secret=people.sign_in_link(email=EMAIL, by=OPERATOR, now=NOW), now=NOW))
    assert actor is not None
    assert (actor.roles, actor.therapist) == (frozenset({Role.THERAPIST, Role.MANAGER}), cast.ada)


# --- setting up


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"email": "no address"}, Malformed),
        ({"email": "a@b@c"}, Malformed),
        ({"roles": []}, Malformed),
        ({"password": "too short"}, Malformed),
        ({"name": "  "}, Malformed),
        ({"name": "two\nlines"}, Malformed),
        ({"therapist": "nobody"}, NotFound),
        ({"email": "TAKEN@clinic.example"}, CannotAdd),
    ],
)
def test_what_makes_no_user(cast: Cast, given: dict[str, Any], refusal: type[Exception]) -> None:
    add_user(email="taken@clinic.example")
    with pytest.raises(refusal):
        add_user(**given)
    assert len(people.users(by=OPERATOR)) == 1


def test_names_are_taken_once(cast: Cast) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: people.add_site(name=" Quay", zone_name="UTC", country=None, region=None, by=OPERATOR, now=NOW),
        lambda: people.add_room(name="Room 1 ", site=cast.site, by=OPERATOR, now=NOW),
        lambda: people.add_therapist(name="Therapist Ada", site=cast.site, by=OPERATOR, now=NOW),
    )
    for act in acts:
        with pytest.raises(CannotAdd):
            act()
    with pytest.raises(UnknownZone):
        people.add_site(name="Far", zone_name="Mars/Olympus", country=None, region=None, by=OPERATOR, now=NOW)


def test_working_hours_are_replaced_as_a_whole(cast: Cast) -> None:
    saturday = people.WorkingHours(site=cast.site, day=Weekday.SA, begins=time(9), ends=time(12))
    people.set_working_hours(therapist=cast.ada, hours=[saturday], by=cast.manager, now=NOW)
    ada, ben = people.therapists(by=cast.desk)
    assert (ada.hours, len(ben.hours)) == ((saturday,), 5)
    backwards = people.WorkingHours(site=cast.site, day=Weekday.SA, begins=time(12), ends=time(12))
    with pytest.raises(Malformed):
        people.set_working_hours(therapist=cast.ada, hours=[backwards], by=cast.manager, now=NOW)
    assert people.therapists(by=cast.desk)[0].hours == (saturday,)


def test_one_chooses_ones_own_language_and_takes_it_back(cast: Cast) -> None:
    add_user(password=PASSWORD)
    secret = people.sign_in(email=EMAIL, password=PASSWORD, now=NOW)
    for locale in ("de_AT", "en_US", None):
        mine = who(secret)
        assert mine is not None
        people.set_locale(locale=locale, by=mine, now=NOW)
        assert (changed := who(secret)) is not None and changed.locale == locale


def test_only_a_language_that_is_spoken_and_only_for_oneself(cast: Cast) -> None:
    add_user(password=PASSWORD)
    mine = who(people.sign_in(email=EMAIL, password=PASSWORD, now=NOW))
    assert mine is not None
    for unknown in ("fr_FR", "de", "", "de-AT"):
        with pytest.raises(UnknownLocale) as refused:
            people.set_locale(locale=unknown, by=mine, now=NOW)
        assert refused.value.where == "locale" and "de_AT" in str(refused.value)
    with pytest.raises(Forbidden):
        people.set_locale(locale="de_AT", by=OPERATOR, now=NOW)


def test_who_may_set_up_what(cast: Cast) -> None:
    user = add_user()
    for_managers: tuple[Callable[[Actor], object], ...] = (
        lambda by: people.add_site(name="B", zone_name="UTC", country=None, region=None, by=by, now=NOW),
        lambda by: people.add_room(name="Room 9", site=cast.site, by=by, now=NOW),
        lambda by: people.add_therapist(name="Therapist Cem", site=cast.site, by=by, now=NOW),
        lambda by: people.set_working_hours(therapist=cast.ada, hours=[], by=by, now=NOW),
    )
    for_admins: tuple[Callable[[Actor], object], ...] = (
        lambda by: people.add_user(name="B", email="b@clinic.example", roles=[Role.ADMIN], by=by, now=NOW),
        lambda by: people.add_token(user=user, name="b", may_write=True, days=1, by=by, now=NOW),
        lambda by: people.sign_in_link(email=EMAIL, by=by, now=NOW),
        lambda by: people.users(by=by),
        lambda by: people.tokens(by=by),
        lambda by: people.disable_user(user=user, by=by, now=NOW),
    )
    for acts, allowed in ((for_managers, cast.manager), (for_admins, cast.admin)):
        for act in acts:
            for refused in (cast.desk, cast.as_ada, cast.reader, *([cast.manager] if acts is for_admins else [])):
                with pytest.raises(Forbidden):
                    act(refused)
            act(allowed)
