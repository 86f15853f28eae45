// What ical.js makes of a calendar, as Thunderbird asks it: zones as the calendar describes them, a series with its
// exceptions, and of each occurrence its beginning, its end and what it is called.
import ICAL from "ical.js";

const LONGEST_MOVE = 366 * 86400; // seconds: an exception may lie so far from its slot

export function parsed(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
  return calendar;
}

export function occurrences(calendar, since, until) {
  const events = calendar.getAllSubcomponents("vevent");
  const exceptions = events.filter((event) => event.hasProperty("recurrence-id"));
  const found = [];
  for (const component of events.filter((event) => !event.hasProperty("recurrence-id"))) {
    const event = new ICAL.Event(component, { strictExceptions: true, exceptions: [] });
    for (const exception of exceptions) {
      if (exception.getFirstPropertyValue("uid") === event.uid) event.relateException(exception);
    }
    if (event.isRecurring()) found.push(...series(event, until));
    else found.push({ starts: event.startDate, ends: event.endDate, item: event });
  }
  const shown = found.filter(({ item }) => item.component.getFirstPropertyValue("status") !== "CANCELLED");
  return shown.filter(({ starts }) => seconds(starts) >= since && seconds(starts) < until);
}

function* series(event, until) {
  const iterator = event.iterator();
  for (let slot = iterator.next(); slot && seconds(slot) < until + LONGEST_MOVE; slot = iterator.next()) {
    const { startDate, endDate, item } = event.getOccurrenceDetails(slot);
    yield { starts: startDate, ends: endDate, item };
  }
}

export function written(time) {
  if (time.isDate) return time.toString();
  return new Date(time.toUnixTime() * 1000).toISOString().replace(".000Z", "Z");
}

function seconds(time) {
  return time.isDate ? Date.UTC(time.year, time.month - 1, time.day) / 1000 : time.toUnixTime();
}
