"""Who may do what, as a table: one row for each route and method. A route without a row fails the matrix test.

A row says who is let in, and from whom it is hidden (404 instead of 403, since they may not know that it exists); how
the address is filled in, and what a sensible request carries. `Own` objects belong to Therapist A.

To add a route: add its line under its room. To add a room: add its dict to ROWS.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

DESK, OWN, OTHER, MANAGER, ADMIN = "front desk", "therapist own", "therapist other", "manager", "admin"
ROLES = (DESK, OWN, OTHER, MANAGER, ADMIN)

Sent = Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]
"""What a request carries: as it is, or made from the world's ids."""


@dataclass(frozen=True, kw_only=True)
class Row:
    let_in: frozenset[str]
    hidden_from: frozenset[str] = frozenset()
    is_public: bool = False
    """No sign-in: whoever knows the address is let in."""
    path: Mapping[str, str] | None = None
    """Names in the address → attribute of the world that fills them in."""
    json: Sent | None = None
    form: Sent | None = None
    query: Sent | None = None

    def at(self, **path: str) -> "Row":
        return replace(self, path=path)

    def sends(self, json: Sent) -> "Row":
        return replace(self, json=json)

    def posts(self, form: Sent) -> "Row":
        return replace(self, form=form)

    def asks(self, query: Sent) -> "Row":
        return replace(self, query=query)


def for_(*let_in: str, hidden_from: tuple[str, ...] = ()) -> Row:
    return Row(let_in=frozenset(let_in), hidden_from=frozenset(hidden_from))


PUBLIC = Row(let_in=frozenset(ROLES), is_public=True)
EVERYBODY = for_(*ROLES)
CLINICAL = for_(DESK, OWN, OTHER, MANAGER)
OF_COURSE = for_(DESK, OWN, MANAGER, hidden_from=(OTHER,))
"""About a course of Therapist A: nobody else's therapist hears that it exists."""
OWN_LEAVE = for_(DESK, OWN, MANAGER)
BOOKING = for_(DESK, MANAGER)
ALERTS = for_(OWN, OTHER, MANAGER)
TOLD = for_(OWN, OTHER, MANAGER, ADMIN)
OF_ALERT = for_(OWN, MANAGER, hidden_from=(OTHER,))
OF_FEED = for_(OWN, MANAGER, hidden_from=(DESK, OTHER))
"""The calendar of Therapist A, on somebody's phone."""
OF_PLACE = for_(DESK, MANAGER, hidden_from=(OWN, OTHER))
"""The calendar of a room, or a client's own."""
MANAGING = for_(MANAGER)
SETTING_UP = for_(MANAGER, ADMIN)
ADMINISTERING = for_(ADMIN)

Rows = Mapping[str, Row | tuple[Row, ...]]

API: Rows = {
    "GET document.openapi": PUBLIC,
    "GET document.docs": PUBLIC,
    "GET document.script": PUBLIC,
    # sites, rooms, therapists
    "GET api_sites.list_sites": EVERYBODY,
    "POST api_sites.add_site": SETTING_UP.sends({"name": "Hill", "zone": "Europe/Vienna"}),
    "GET api_rooms.list_rooms": EVERYBODY,
    "POST api_rooms.add_room": SETTING_UP.sends(lambda w: {"name": "Room 3", "site": w.site}),
    "GET api_therapists.listed": EVERYBODY,
    "POST api_therapists.add": SETTING_UP.sends(lambda w: {"name": "Therapist C", "site": w.site}),
    "PUT api_therapists.set_working_hours": SETTING_UP.at(therapist="therapist").sends(
        lambda w: {"hours": [{"site": w.site, "day": "MO", "begins": "09:00", "ends": "17:00"}]}
    ),
    "GET api_therapists.free_and_busy": OF_COURSE.at(therapist="therapist"),
    "GET api_therapists.free_hours": OF_COURSE.at(therapist="therapist"),
    # clients
    "GET api_clients.listed": CLINICAL,
    "POST api_clients.search": CLINICAL.sends({"query": "Client"}),
    "POST api_clients.add": BOOKING.sends({"name": "Client New"}),
    "GET api_clients.show": OF_COURSE.at(client="client"),
    "PATCH api_clients.change": BOOKING.at(client="client").sends({"phone": "000"}),
    # courses
    "GET api_courses.listed": CLINICAL,
    "POST api_courses.open_course": BOOKING.sends(lambda w: {"clients": [w.client], "therapist": w.therapist}),
    "GET api_courses.show": OF_COURSE.at(course="course"),
    "GET api_courses.list_alerts": OF_ALERT.at(course="course"),
    "GET api_courses.list_standings": OF_COURSE.at(course="course"),
    "POST api_courses.end": OF_COURSE.at(course="course").sends(lambda w: {"on": w.day(30), "ending": "planned"}),
    "POST api_courses.pause": OF_COURSE.at(course="course").sends(
        lambda w: {"since": w.day(30), "until": w.day(44), "keeps_hour": True}
    ),
    "POST api_courses.resume": OF_COURSE.at(course="resting").sends(lambda w: {"on": w.day(70)}),
    # standings
    "GET api_standings.show": OF_COURSE.at(standing="standing"),
    "POST api_standings.preview": (
        OF_COURSE.sends(lambda w: {"course": w.course, "proposal": w.proposal()}),
        OF_COURSE.sends(lambda w: {"client": w.client, "proposal": w.proposal()}),
    ),
    "POST api_standings.agree": (
        OF_COURSE.sends(lambda w: {"course": w.course, "proposal": w.proposal()}),
        OF_COURSE.sends(lambda w: {"client": w.client, "proposal": w.proposal()}),
        for_(DESK, MANAGER, hidden_from=(OWN, OTHER)).sends(lambda w: {"client": w.newcomer, "proposal": w.proposal()}),
    ),
    "POST api_standings.change": OF_COURSE.at(standing="standing").sends(
        lambda w: {"since": w.day(14), "asked_by": "client", "reason": "work", "proposal": w.proposal(since=14)}
    ),
    "POST api_standings.end": OF_COURSE.at(standing="standing").sends(lambda w: {"on": w.day(14), "reason": "work"}),
    # appointments
    "GET api_appointments.listed": CLINICAL.asks(lambda w: {"since": w.day(-7), "until": w.day(60)}),
    "GET api_appointments.version": CLINICAL,
    "GET api_appointments.unmarked": CLINICAL,
    "POST api_appointments.book": OF_COURSE.sends(
        lambda w: {"course": w.course, "starts": w.free, "therapist": w.therapist, "room": w.room}
    ),
    "GET api_appointments.show": OF_COURSE.at(appointment="hour"),
    "POST api_appointments.preview_move": OF_COURSE.at(appointment="hour").sends(lambda w: {"starts": w.free}),
    "POST api_appointments.move": OF_COURSE.at(appointment="hour").sends(
        lambda w: {"starts": w.free, "asked_by": "client", "reason": "work"}
    ),
    "POST api_appointments.move_back": OF_COURSE.at(appointment="moved"),
    "POST api_appointments.cancel": OF_COURSE.at(appointment="hour").sends({"asked_by": "client", "reason": "illness"}),
    "POST api_appointments.uncancel": OF_COURSE.at(appointment="cancelled"),
    "POST api_appointments.mark": OF_COURSE.at(appointment="over").sends({"mark": "held"}),
    "POST api_appointments.tell": OF_COURSE.at(appointment="cancelled"),
    # absences
    "GET api_absences.between": CLINICAL.asks(lambda w: {"since": w.day(0) + "T00:00", "until": w.day(90) + "T00:00"}),
    "POST api_absences.add": OWN_LEAVE.sends(
        lambda w: {
            "kind": "leave",
            "therapist": w.therapist,
            "since": w.day(100) + "T00:00",
            "until": w.day(107) + "T00:00",
        }
    ),
    "POST api_absences.add_public_holidays": BOOKING.sends(lambda w: {"site": w.site, "year": 2026}),
    "GET api_absences.touched": CLINICAL.at(absence="leave"),
    "POST api_absences.withdraw": OWN_LEAVE.at(absence="leave"),
    "POST api_absences.tell": OF_COURSE.at(absence="leave").sends(lambda w: {"course": w.course}),
    "POST api_absences.release": OWN_LEAVE.at(absence="leave").sends({}),
    # alerts
    "GET api_alerts.listed": ALERTS,
    "GET api_alerts.show": OF_ALERT.at(alert="alert"),
    "POST api_alerts.acknowledge": OF_ALERT.at(alert="alert"),
    "POST api_alerts.snooze": OF_ALERT.at(alert="alert").sends(
        lambda w: {"until": w.day(7) + "T06:00:00Z", "reason": "a reason"}
    ),
    "POST api_alerts.agree": OF_ALERT.at(alert="alert").sends({"reason": "a reason"}),
    "POST api_alerts.reopen": OF_ALERT.at(alert="alert"),
    "POST api_alerts.judge": OF_ALERT.at(alert="alert").sends({"verdict": "useful"}),
    # rules, and exceptions from them
    "GET api_overrides.listed": (ALERTS, OF_ALERT.asks(lambda w: {"course": w.course})),
    "POST api_overrides.agree": (
        OF_ALERT.sends(
            lambda w: {"course": w.course, "values": {"gap_watch": 2.0}, "reason": "a reason", "until": w.day(30)}
        ),
        MANAGING.sends(lambda w: {"values": {"churn": "off"}, "reason": "a reason", "until": w.day(30)}),
    ),
    "POST api_overrides.lift": OF_ALERT.at(override="override"),
    "GET api_rules.listed": CLINICAL,
    "GET api_rules.usefulness": MANAGING,
    "POST api_rules.ask_what_if": MANAGING.sends({"values": {"gap_watch": 2.0}}),
    # people
    "GET api_users.me": EVERYBODY,
    "POST api_users.set_locale": EVERYBODY.sends({"locale": "de_AT"}),
    "GET api_me.show": EVERYBODY,
    "PUT api_me.prefer": EVERYBODY.sends({"is_pushed": False, "digest_days": ["MO"]}),
    "GET api_me.deputies": EVERYBODY,
    "GET api_me.show_chat": TOLD,
    "PUT api_me.tell_by_chat": TOLD.sends({"address": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"}),
    "POST api_me.try_chat": TOLD,
    "DELETE api_me.tell_by_chat_no_more": TOLD,
    "GET api_users.list_users": ADMINISTERING,
    "POST api_users.add_user": ADMINISTERING.sends(
        {"name": "New One", "email": "new@clinic.example", "roles": ["manager"]}
    ),
    "POST api_users.disable_user": ADMINISTERING.at(user="user"),
    "GET api_tokens.list_tokens": ADMINISTERING,
    "POST api_tokens.add_token": ADMINISTERING.sends(lambda w: {"user": w.user, "name": "a program", "days": 30}),
    "POST api_tokens.revoke_token": ADMINISTERING.at(token="token"),
    # messages
    "GET api_messages.listed": SETTING_UP,
    "POST api_messages.retry": SETTING_UP.at(message="message"),
    "POST api_messages.drop": ADMINISTERING.at(message="message"),
    # webhooks
    "GET api_webhooks.listed": SETTING_UP,
    "POST api_webhooks.create": SETTING_UP.sends({"name": "Books", "url": "https://example.com/hook"}),
    "GET api_webhooks.show": SETTING_UP.at(webhook="webhook"),
    "PATCH api_webhooks.change": SETTING_UP.at(webhook="webhook").sends({"name": "Books"}),
    "DELETE api_webhooks.remove": SETTING_UP.at(webhook="webhook"),
    "POST api_webhooks.pause": SETTING_UP.at(webhook="webhook"),
    "POST api_webhooks.resume": SETTING_UP.at(webhook="webhook"),
    "POST api_webhooks.rotate": SETTING_UP.at(webhook="webhook").sends({"overlap_hours": 1}),
    "POST api_webhooks.test": SETTING_UP.at(webhook="webhook"),
    "GET api_webhooks.deliveries": SETTING_UP.at(webhook="webhook"),
    "POST api_webhooks.replay": SETTING_UP.at(webhook="webhook", message="ping"),
    # outside calendars
    "GET api_outside-calendars.listed": ALERTS,
    "POST api_outside-calendars.create": OF_ALERT.sends(
        lambda w: {"name": "Work", "url": "https://example.com/work.ics", "therapist": w.therapist}
    ),
    "GET api_outside-calendars.busy": CLINICAL.asks(
        {"since": "2026-03-16T00:00", "until": "2026-03-20T00:00", "zone": "Europe/Berlin"}
    ),
    "PATCH api_outside-calendars.rename": OF_ALERT.at(calendar="outside").sends({"name": "Family"}),
    "DELETE api_outside-calendars.remove": OF_ALERT.at(calendar="outside"),
    "POST api_outside-calendars.read_now": OF_ALERT.at(calendar="outside"),
    # feeds
    "GET api_feeds.listed": CLINICAL,
    "POST api_feeds.create": (
        OF_ALERT.sends(lambda w: {"name": "Tablet", "therapist": w.therapist}),
        BOOKING.sends(lambda w: {"name": "Door", "room": w.room}),
        MANAGING.sends(lambda w: {"name": "Wall", "site": w.site}),
        BOOKING.sends(lambda w: {"name": "Phone", "client": w.client}),
    ),
    "GET api_feeds.offer": CLINICAL,
    "PUT api_feeds.set_offer": MANAGING.sends({"is_on": True}),
    "GET api_feeds.show": (
        OF_FEED.at(feed="feed"),
        OF_PLACE.at(feed="feed_of_room"),
        OF_PLACE.at(feed="feed_of_client"),
    ),
    "PATCH api_feeds.change": (
        OF_FEED.at(feed="feed").sends({"privacy": "busy"}),
        OF_PLACE.at(feed="feed_of_client").sends({"privacy": "busy"}),
    ),
    "POST api_feeds.rotate": (OF_FEED.at(feed="feed"), OF_PLACE.at(feed="feed_of_room").sends({"overlap_hours": 1})),
    "POST api_feeds.revoke": (OF_FEED.at(feed="feed"), OF_PLACE.at(feed="feed_of_client")),
    # what needs no clinic
    "POST api_assess.assess": EVERYBODY.sends(lambda w: w.course_file),
}

PAGES: Rows = {
    # signing in and out
    "GET sign_in.ask": PUBLIC,
    "POST sign_in.enter": PUBLIC.posts(lambda w: {"email": w.email, "password": w.password}),
    "GET sign_in.ask_by_link": PUBLIC.at(secret="link"),
    "POST sign_in.enter_by_link": PUBLIC.at(secret="link"),
    "POST sign_in.leave": EVERYBODY,
    "GET sign_in.start": EVERYBODY,
    "POST sign_in.choose_site": EVERYBODY.posts(lambda w: {"site": w.site}),
    "GET me.show": EVERYBODY,
    "POST me.prefer": EVERYBODY.posts(
        {
            "push_from": "act",
            "pushes_a_day": "2",
            "quiet_since": "20:00",
            "quiet_until": "07:00",
            "digest_at": "07:30",
            "digest_days": "MO",
        }
    ),
    "POST me.choose_language": EVERYBODY.posts({"locale": "de_DE"}),
    "POST me.tell_by_chat": TOLD.posts({"chat": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"}),
    "POST me.try_chat": TOLD,
    "POST me.tell_by_chat_no_more": TOLD,
    # messages that are stuck
    "GET messages.show": SETTING_UP,
    "POST messages.retry_dead": SETTING_UP,
    "POST messages.retry": SETTING_UP.at(message="message"),
    "POST messages.drop": ADMINISTERING.at(message="message"),
    # the day, the board
    "GET front_desk.today": CLINICAL,
    "GET front_desk.board": CLINICAL.asks({"view": "week"}),
    "GET front_desk.board_events": (
        CLINICAL.asks(lambda w: {"view": "week", "date": w.day(7)}),
        CLINICAL.asks(lambda w: {"view": "week", "date": w.day(7), "only": w.therapist}),
        CLINICAL.asks(lambda w: {"view": "week", "date": w.day(7), "by": "room", "only": w.room}),
    ),
    "GET front_desk.board_version": CLINICAL,
    # single hours
    "GET front_desk.hour": OF_COURSE.at(appointment="hour"),
    "POST front_desk.mark_hour": OF_COURSE.at(appointment="over").posts({"mark": "held"}),
    "POST front_desk.unmark_hour": OF_COURSE.at(appointment="over"),
    "GET front_desk.move_form": OF_COURSE.at(appointment="hour"),
    "POST front_desk.move_hour": OF_COURSE.at(appointment="hour").posts(
        lambda w: {"day": w.day(9), "at": "16:00", "asked_by": "client", "reason": "work", "told": "yes"}
    ),
    "POST front_desk.move_hour_back": OF_COURSE.at(appointment="moved"),
    "GET front_desk.cancel_form": OF_COURSE.at(appointment="hour"),
    "POST front_desk.cancel_hour": OF_COURSE.at(appointment="hour").posts({"asked_by": "client", "reason": "illness"}),
    "POST front_desk.uncancel_hour": OF_COURSE.at(appointment="cancelled"),
    "POST front_desk.tell_hour": OF_COURSE.at(appointment="cancelled"),
    # agreeing
    "GET front_desk.agree": (
        CLINICAL,
        OF_COURSE.asks(lambda w: {"course": w.course}),
        OF_COURSE.asks(lambda w: {"client": w.client}),
    ),
    "POST front_desk.agree_hour": (
        OF_COURSE.posts(lambda w: {**w.wish, "course": w.course}),
        OF_COURSE.posts(lambda w: {**w.wish, "course": w.course, "step": "agree"}),
    ),
    "GET front_desk.change_form": OF_COURSE.at(standing="standing"),
    "POST front_desk.change_standing": OF_COURSE.at(standing="standing").posts(
        lambda w: {**w.wish, "since": w.day(14), "asked_by": "client", "reason": "work", "step": "agree"}
    ),
    "GET front_desk.end_form": OF_COURSE.at(standing="standing"),
    "POST front_desk.end_standing": OF_COURSE.at(standing="standing").posts(
        lambda w: {"since": w.day(14), "reason": "agreed"}
    ),
    # clients
    "GET front_desk.client_list": CLINICAL,
    "POST front_desk.client_search": CLINICAL.posts({"q": "Client"}),
    "POST front_desk.client_suggest": CLINICAL.posts({"q": "Client"}),
    "GET front_desk.client_form": BOOKING,
    "POST front_desk.client_add": BOOKING.posts({"name": "Client New"}),
    "GET front_desk.client_page": OF_COURSE.at(client="client"),
    "POST front_desk.client_change": BOOKING.at(client="client").posts({"name": "Client First"}),
    # who is away
    "GET front_desk.away": CLINICAL,
    "POST front_desk.away_add": OWN_LEAVE.posts(
        lambda w: {"kind": "leave", "who": f"therapist:{w.therapist}", "since": w.day(100), "until": w.day(107)}
    ),
    "POST front_desk.away_holidays": BOOKING.posts(lambda w: {"site": w.site, "year": "2026"}),
    "GET front_desk.away_one": CLINICAL.at(absence="leave"),
    "POST front_desk.away_tell": OF_COURSE.at(absence="leave").posts(lambda w: {"course": w.course}),
    "POST front_desk.away_release": OWN_LEAVE.at(absence="leave"),
    "POST front_desk.away_withdraw": OWN_LEAVE.at(absence="leave"),
    # courses
    "GET courses.listing": CLINICAL,
    "GET courses.show": OF_COURSE.at(course="course"),
    "GET courses.strip": OF_COURSE.at(course="course"),
    "POST courses.pause": OF_COURSE.at(course="course").posts(
        lambda w: {"since": w.day(30), "until": w.day(44), "keeps_hour": "yes"}
    ),
    "POST courses.resume": OF_COURSE.at(course="resting").posts(lambda w: {"on": w.day(70)}),
    "POST courses.end": OF_COURSE.at(course="course").posts(lambda w: {"on": w.day(30), "ending": "planned"}),
    # alerts
    "GET alerts.listing": ALERTS,
    "POST alerts.acknowledge": OF_ALERT.at(alert="alert"),
    "POST alerts.snooze": OF_ALERT.at(alert="alert").posts(lambda w: {"until": w.day(7), "reason": "a reason"}),
    "POST alerts.agree": OF_ALERT.at(alert="alert").posts({"reason": "a reason"}),
    "POST alerts.reopen": OF_ALERT.at(alert="alert"),
    "POST alerts.judge": OF_ALERT.at(alert="alert").posts({"verdict": "useful"}),
    # rules, and exceptions from them
    "GET rules.show": CLINICAL,
    "POST rules.ask_what_if": MANAGING.posts({"gap_watch": "2.0"}),
    "POST rules.agree": (
        OF_ALERT.posts(
            lambda w: {"course": w.course, "what": "gap_watch", "value": "2", "reason": "a reason", "until": w.day(30)}
        ),
        MANAGING.posts(lambda w: {"churn_any": "4", "reason": "a reason", "until": w.day(30)}),
    ),
    "POST rules.lift": OF_ALERT.at(override="override"),
    # calendars
    "GET calendars.show": CLINICAL,
    "GET calendars.ask": (
        CLINICAL,
        OF_ALERT.asks(lambda w: {"whose": f"therapist:{w.therapist}"}),
        BOOKING.asks(lambda w: {"whose": f"room:{w.room}"}),
        MANAGING.asks(lambda w: {"whose": f"site:{w.site}"}),
        BOOKING.asks(lambda w: {"whose": f"client:{w.client}"}),
    ),
    "POST calendars.create": (
        OF_ALERT.posts(lambda w: {"name": "Tablet", "whose": f"therapist:{w.therapist}", "privacy": "busy"}),
        BOOKING.posts(lambda w: {"name": "Door", "whose": f"room:{w.room}", "privacy": "busy"}),
        BOOKING.posts(lambda w: {"name": "Phone", "whose": f"client:{w.client}", "privacy": "busy"}),
    ),
    "GET calendars.look": (OF_FEED.at(feed="feed"), OF_PLACE.at(feed="feed_of_client")),
    "POST calendars.change": OF_FEED.at(feed="feed").posts({"name": "Tablet", "privacy": "busy"}),
    "POST calendars.offer": MANAGING.posts({"is_on": "yes"}),
    "GET outside.show": ALERTS,
    "POST outside.create": OF_ALERT.posts(
        lambda w: {"name": "Work", "url": "webcal://example.com/work.ics", "therapist": w.therapist}
    ),
    "POST outside.rename": OF_ALERT.at(calendar="outside").posts({"name": "Family"}),
    "POST outside.read_now": OF_ALERT.at(calendar="outside"),
    "POST outside.remove": OF_ALERT.at(calendar="outside"),
    "POST calendars.rotate": OF_FEED.at(feed="feed").posts({"overlap": "6"}),
    "POST calendars.revoke": OF_FEED.at(feed="feed"),
    # mail to clients
    "GET client_mail.show": MANAGING,
    "POST client_mail.choose": MANAGING.posts({"hours_before": "48", "clinic": "Clinic"}),
    "GET client_mail.show_text": MANAGING.at(kind="mail_kind", language="mail_language"),
    "POST client_mail.write": MANAGING.at(kind="mail_kind", language="mail_language").posts(
        {"text": "On {date}, {time}."}
    ),
    # webhooks
    "GET webhooks.show": SETTING_UP,
    "POST webhooks.create": SETTING_UP.posts(
        {"name": "Books", "url": "https://example.com/hook", "events": "absence.added"}
    ),
    "GET webhooks.show_one": SETTING_UP.at(webhook="webhook"),
    "POST webhooks.change": SETTING_UP.at(webhook="webhook").posts(
        {"name": "Books", "url": "https://example.com/hook", "events": "absence.added"}
    ),
    "POST webhooks.pause": SETTING_UP.at(webhook="webhook"),
    "POST webhooks.resume": SETTING_UP.at(webhook="webhook"),
    "POST webhooks.rotate": SETTING_UP.at(webhook="webhook").posts({"overlap_hours": "1"}),
    "POST webhooks.test": SETTING_UP.at(webhook="webhook"),
    "POST webhooks.remove": SETTING_UP.at(webhook="webhook"),
    "POST webhooks.replay": SETTING_UP.at(webhook="webhook", message="ping"),
    # setting up
    "GET people.show": SETTING_UP,
    "POST people.add_site": SETTING_UP.posts({"name": "Hill", "zone": "Europe/Vienna"}),
    "POST people.add_room": SETTING_UP.posts(lambda w: {"name": "Room 3", "site": w.site}),
    "POST people.add_therapist": SETTING_UP.posts(lambda w: {"name": "Therapist C", "site": w.site}),
    "POST people.set_hours": SETTING_UP.at(therapist="therapist").posts(
        lambda w: {"site": w.site, "begins-MO": "09:00", "ends-MO": "17:00"}
    ),
    "POST people.add_user": ADMINISTERING.posts({"name": "New One", "email": "new@clinic.example", "roles": "manager"}),
    "POST people.sign_in_link": ADMINISTERING.at(user="user"),
    "POST people.disable_user": ADMINISTERING.at(user="user"),
    "POST people.add_token": ADMINISTERING.posts(lambda w: {"user": w.user, "name": "a program", "days": "30"}),
    "POST people.revoke_token": ADMINISTERING.at(token="token"),
}

FEEDS: Rows = {
    "GET feed": PUBLIC.at(secret="secret"),
}

MACHINES: Rows = {
    "GET healthz": PUBLIC,
    "GET readyz": PUBLIC,
    "GET metrics": PUBLIC,
}

ROWS: Rows = {**API, **PAGES, **FEEDS, **MACHINES}
