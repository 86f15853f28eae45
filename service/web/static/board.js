// The board as a grid. The page's own list says the same and can do the same; this draws it, lets people drag, and
// keeps two desks in step.
(() => {
  "use strict";
  const board = document.getElementById("board");
  const narrow = window.matchMedia("(max-width: 40rem)").matches;
  if (!board || narrow || !window.EventCalendar) return;
  const facts = board.dataset;
  const columns = JSON.parse(facts.columns);
  const signs = JSON.parse(facts.signs);
  const began = performance.now();
  const startedAt = new Date(facts.now).getTime();
  let dragging = false;
  let dragged = false;
  let version = `"${facts.version}"`;

  const two = (number) => String(number).padStart(2, "0");
  const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}`;
  const told = new Intl.DateTimeFormat(facts.locale, { hour: "2-digit", minute: "2-digit" });
  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    element.className = name;
    if (text) element.textContent = text;
    return element;
  };
  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", signs[name]);
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `/static/icons.svg#${name}`);
    svg.append(use);
    return svg;
  };

  // --- what is drawn

  const draw = ({ event }) => {
    if (event.display === "background") return { domNodes: [make("span", "band", event.title)] };
    const more = event.extendedProps;
    const button = make("button", "hour-button");
    const words = [`${told.format(event.start)} ${more.name || event.title}`, more.word, more.with, ...more.notes];
    button.type = "button";
    button.dataset.hour = event.id;
    button.title = words.join(", ");
    button.setAttribute("aria-label", button.title);
    const line = make("span", "line");
    line.append(make("b", "initials", event.title), make("span", "name", more.name));
    const icons = make("span", "signs");
    icons.append(make("span", `sign ${more.state}`, more.sign));
    icons.append(icon(more.standing ? "standing" : "single"));
    if (more.video) icons.append(icon("video"));
    if (event.classNames.includes("is-moved")) icons.append(icon("moved"));
    if (more.untold) icons.append(icon("untold"));
    if (event.classNames.includes("is-at-risk")) icons.append(icon("warning"));
    const head = make("span", "first");
    head.append(make("span", "at", told.format(event.start)), icons);
    button.append(head, line, make("span", "with", more.with));
    return { domNodes: [button] };
  };

  // The library calls its grid a table, which it is not: its cells are empty and its hours lie above them.
  const plain = () => {
    for (const part of board.querySelectorAll("div, nav, section, article, time, h2, h3, h4")) {
      for (const { name } of [...part.attributes]) if (name === "role" || name.startsWith("aria-")) part.removeAttribute(name);
    }
  };

  // On the site's wall, whatever zone this browser is in.
  const now = () => new Date(startedAt + performance.now() - began);
  const nowLine = () => ({
    id: "now", start: now(), end: new Date(now().getTime() + 60000), display: "background", title: "",
    resourceIds: columns.map((one) => one.id), classNames: ["is-now"], extendedProps: {},
  });

  // The working day fills the window, as long as a session's two lines of text find room.
  board.hidden = false;
  const halfHours = (parseInt(facts.ends, 10) - parseInt(facts.begins, 10)) * 2;
  const slotHeight = Math.max(24, Math.floor((board.clientHeight - 40) / halfHours));

  const calendar = EventCalendar.create(board, {
    view: facts.view === "week" ? "timeGridWeek" : "resourceTimeGridDay",
    date: facts.date,
    firstDay: 1,
    hiddenDays: JSON.parse(facts.hidden),
    resources: columns,
    slotMinTime: facts.begins,
    slotMaxTime: facts.ends,
    slotDuration: "00:30",
    snapDuration: "00:15",
    slotHeight,
    height: "100%",
    columnWidth: "minmax(5rem, 1fr)",
    slotLabelInterval: "01:00",
    slotLabelFormat: { hour: "2-digit", minute: "2-digit" },
    dayHeaderFormat: { weekday: "short", day: "numeric", month: "short" },
    locale: facts.locale,
    allDaySlot: false,
    slotEventOverlap: false,
    headerToolbar: { start: "", center: "", end: "" },
    editable: true,
    eventDurationEditable: false,
    eventStartEditable: true,
    eventDragMinDistance: 6,
    eventLongPressDelay: 500,
    highlightedDates: [],
    eventContent: draw,
    eventAllUpdated: plain,
    eventDragStart: () => { dragging = true; dragged = true; },
    eventDragStop: () => { dragging = false; },
    eventDrop: ({ event, newResource, revert }) => {
      const wish = new URLSearchParams({ day: day(event.start), at: clock(event.start) });
      if (newResource && facts.by === "therapist") wish.set("therapist", newResource.id);
      if (newResource && facts.by === "room") wish.set("room", newResource.id === "none" ? "video" : newResource.id);
      // Nothing is moved before it is confirmed: when the dialog goes away, the hour is back where it was.
      document.getElementById("dialog").addEventListener("close", revert, { once: true });
      open(`/appointments/${event.id}/move`, wish);
    },
    dateClick: ({ date, resource }) => {
      if (!facts.books) return;
      const wish = new URLSearchParams({ day: day(date), at: clock(date) });
      if (resource) wish.set(facts.by, resource.id === "none" ? "video" : resource.id);
      location.assign(`/agree?${wish}`);
    },
  });

  const open = (path, wish = new URLSearchParams()) => {
    wish.set("back", facts.back);
    htmx.ajax("GET", `${path}?${wish}`, { target: "#dialog-body", swap: "innerHTML" });
  };

  const load = async () => {
    const response = await fetch(facts.events, { headers: { Accept: "application/json" } });
    if (response.redirected) location.reload();
    if (!response.ok || dragging) return;
    const focused = document.activeElement.closest("[data-hour]");
    calendar.setOption("events", [...(await response.json()), nowLine()]);
    if (focused) requestAnimationFrame(() => select(focused.dataset.hour));
  };

  // --- two desks in step

  const listen = async () => {
    if (document.hidden || dragging) return;
    try {
      const response = await fetch("/board/version", { cache: "no-store", headers: { "If-None-Match": version } });
      if (response.redirected) location.reload();
      const found = response.headers.get("ETag");
      if (response.status === 204 && found && found !== version) {
        version = found;
        await load();
      }
    } catch { /* the next look, in five seconds, may reach the server */ }
  };
  setInterval(listen, 5000);
  setInterval(() => { if (!dragging) load().catch(() => {}); }, 60000);
  document.addEventListener("visibilitychange", listen);

  // --- mouse and keys

  board.addEventListener("pointerdown", () => { dragged = false; }, true);
  board.addEventListener("click", (press) => {
    const button = press.target.closest("[data-hour]");
    if (button && !dragged) open(`/appointments/${button.dataset.hour}`);
  });

  const select = (hour) => {
    const element = board.querySelector(`[data-hour="${CSS.escape(hour)}"]`);
    if (element) element.focus();
  };

  const middle = (element) => {
    const box = element.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  };

  const neighbour = (from, key) => {
    const at = middle(from);
    const ahead = {
      ArrowDown: (to) => Math.abs(to.x - at.x) < 20 && to.y - at.y,
      ArrowUp: (to) => Math.abs(to.x - at.x) < 20 && at.y - to.y,
      ArrowRight: (to) => to.x - at.x > 20 && (to.x - at.x) * 3 + Math.abs(to.y - at.y),
      ArrowLeft: (to) => at.x - to.x > 20 && (at.x - to.x) * 3 + Math.abs(to.y - at.y),
    }[key];
    const others = [...board.querySelectorAll("[data-hour]")].filter((one) => one !== from);
    const ranked = others.map((one) => [ahead(middle(one)), one]).filter(([far]) => far > 0);
    return ranked.sort((a, b) => a[0] - b[0]).map(([, one]) => one)[0];
  };

  const marks = { a: "arrived", h: "held", l: "late", x: "no_show" };
  const mark = (event, key) => {
    // What is over did not begin just now: the hour's own page asks when it did.
    if (!event.extendedProps.markable || (key !== "h" && key !== "x" && event.extendedProps.over)) {
      open(`/appointments/${event.id}`);
      return;
    }
    const form = document.getElementById("mark");
    form.action = `/appointments/${event.id}/mark`;
    form.elements.mark.value = marks[key];
    form.submit();
  };

  board.addEventListener("keydown", (press) => {
    const element = press.target.closest("[data-hour]");
    if (!element || press.ctrlKey || press.metaKey || press.altKey) return;
    const event = calendar.getEventById(element.dataset.hour);
    if (!event) return;
    const { key } = press;
    if (key.startsWith("Arrow")) {
      const next = neighbour(element, key);
      if (next) next.focus();
    } else if (key === "m") open(`/appointments/${event.id}/move`);
    else if (key === "c") open(`/appointments/${event.id}/cancel`);
    else if (key in marks) mark(event, key);
    else return;
    press.preventDefault();
    press.stopPropagation();
  });

  // --- begin

  plain();
  document.getElementById("list").open = false;
  load().catch(() => { document.getElementById("list").open = true; });
})();
