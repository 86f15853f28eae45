"""The day at the desk: what is still to be marked, who comes today, and who is away."""

from datetime import date, timedelta

from flask import g, render_template

from service.domain.access import CLINICAL, allows
from service.domain.hours import midnight
from service.usecases import absences, appointments
from service.usecases.absences import AbsenceView
from service.web import fields, frame
from service.web.front_desk.desk import pages

LONGEST_LIST = 40


@pages.get("/today")
@allows(CLINICAL)
def today() -> str:
    where = frame.here()
    day = fields.day_asked("date", where.today)
    site = where.site.id if where.site else None
    hours = appointments.board(since=day, until=day + timedelta(days=1), site=site, by=g.actor)
    unmarked = [one for one in appointments.unmarked(by=g.actor, now=g.now) if one.starts.date() < where.today]
    unmarked.sort(key=lambda one: (-one.starts.date().toordinal(), one.starts))
    return render_template(
        "today.html",
        day=day,
        hours=sorted(hours, key=lambda one: (one.starts, one.therapist_name)),
        unmarked=unmarked[:LONGEST_LIST],
        more_unmarked=max(0, len(unmarked) - LONGEST_LIST),
        away=away_on(day),
        back="/today" if day == where.today else f"/today?date={day}",
    )


def away_on(day: date) -> list[AbsenceView]:
    """Leave, closures and holidays that concern the site at hand on that day."""
    site = frame.here().site
    found = absences.between(since=midnight(day), until=midnight(day + timedelta(days=1)), by=g.actor)
    return [one for one in found if site is None or one.site in {None, site.id}]
