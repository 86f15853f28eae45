// A mark that the clinic's server did not hear is kept in this browser and sent once it answers. Of the hour it keeps
// the address, the mark and when the key was pressed: nothing that says who came.
(() => {
  "use strict";
  const KEPT = "samehour.marks";
  const AGAIN_AFTER = 5000;
  const bar = document.getElementById("kept");
  if (!bar) return;
  const reader = bar.dataset.reader;
  let waits;

  // --- what is kept, oldest first; of one hour the last mark alone

  const all = () => {
    try { return JSON.parse(localStorage.getItem(KEPT)) || []; } catch { return []; }
  };
  const write = (marks) => localStorage.setItem(KEPT, JSON.stringify(marks));
  const mine = (mark) => mark.reader === reader;
  const drop = (mark) => write(all().filter((one) => one.path !== mark.path || one.pressed_at !== mark.pressed_at));
  const keep = (mark) => write([...all().filter((one) => one.path !== mark.path || !mine(one)), mark]);
  const refuse = (mark, why) => write(all().map((one) => one.path === mark.path && mine(one) ? { ...one, refused: why } : one));

  // --- what the person sees

  const rowOf = (mark) => document.getElementById(`hour-${mark.path.split("/")[2]}`);
  const says = (template, values) => template.replace(/\{(\w+)\}/g, (_whole, name) => values[name]);

  const show = () => {
    const marks = all();
    const waiting = marks.filter((one) => mine(one) && !one.refused);
    const others = marks.filter((one) => !mine(one)).length;
    for (const chip of document.querySelectorAll(".kept-here")) chip.remove();
    for (const mark of waiting) rowOf(mark)?.querySelector(".state").append(chipOf(mark));
    const texts = [];
    if (waiting.length) texts.push(says(waiting.length === 1 ? bar.dataset.one : bar.dataset.many, { n: waiting.length }));
    if (others) texts.push(says(others === 1 ? bar.dataset.oneOfOthers : bar.dataset.manyOfOthers, { n: others }));
    bar.querySelector("p").textContent = texts.join(" ");
    bar.querySelector("p").hidden = !texts.length;
    const list = bar.querySelector("ul");
    list.replaceChildren(...marks.filter((one) => mine(one) && one.refused).map(refusal));
    list.hidden = !list.children.length;
    bar.hidden = !texts.length && list.hidden;
  };

  const chipOf = (mark) => {
    const chip = document.createElement("span");
    chip.classList.add("chip", "kept-here");
    chip.textContent = says(bar.dataset.here, { mark: mark.said });
    return chip;
  };

  const refusal = (mark) => {
    const line = document.createElement("li");
    const hour = document.createElement("a");
    const done = document.createElement("button");
    hour.href = mark.path.split("/").slice(0, 3).join("/");
    hour.textContent = says(bar.dataset.refused, { mark: mark.said, hour: mark.hour });
    done.type = "button";
    done.className = "quiet";
    done.textContent = bar.dataset.seen;
    done.addEventListener("click", () => { drop(mark); show(); });
    line.append(hour, ` ${mark.refused} `, done);
    return line;
  };

  // --- sending

  const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];

  const send = async (mark) => {
    const answer = await fetch(mark.path, {
      method: "POST",
      redirect: "manual",
      headers: { "HX-Request": "true", "X-CSRF-Token": token(), "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams([...mark.fields, ["row", "yes"], ["pressed_at", mark.pressed_at]]),
    });
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return false;
    if (answer.status === 429 || answer.status >= 500) return false;
    const page = await answer.text();
    if (answer.ok) {
      drop(mark);
      const row = rowOf(mark);
      if (row) htmx.swap(row, page, { swapStyle: "outerHTML" }, { contextElement: row, eventInfo: { target: row } });
    } else {
      refuse(mark, reasonIn(page));
    }
    return true;
  };

  const reasonIn = (page) => {
    const found = new DOMParser().parseFromString(page, "text/html").querySelector(".problem p, article.error p");
    found?.querySelector("strong")?.remove(); // the kind of refusal: the sentence after it says all
    return found ? found.textContent.trim() : "";
  };

  const alone = (work) => navigator.locks ? navigator.locks.request(KEPT, { ifAvailable: true }, (lock) => lock && work()) : work();

  const sendAll = async () => {
    clearTimeout(waits);
    // Two windows of one browser share what is kept: only one of them sends.
    await alone(async () => {
      for (const mark of all().filter((one) => mine(one) && !one.refused)) {
        let isHeard = false;
        try { isHeard = await send(mark); } catch { /* it still does not answer */ }
        if (!isHeard) break;
      }
    });
    show();
    if (all().some((one) => mine(one) && !one.refused)) waits = setTimeout(sendAll, AGAIN_AFTER);
  };

  // --- keeping

  const keepForm = (form, fields) => {
    const row = form.closest("[data-said]") || form;
    const mark = fields.find(([name]) => name === "mark");
    const button = form.querySelector(mark ? `[name=mark][value="${CSS.escape(mark[1])}"]` : "button");
    keep({
      reader,
      path: form.getAttribute("action"),
      fields: fields.filter(([name]) => ["mark", "began", "ended", "late_by"].includes(name)),
      pressed_at: new Date().toISOString(),
      said: button.textContent.trim(),
      hour: row.dataset.said || "",
    });
    show();
    waits = setTimeout(sendAll, AGAIN_AFTER);
  };

  document.addEventListener("htmx:sendError", (event) => {
    const form = event.detail.elt;
    if (!form.matches("form[data-keeps]")) return;
    event.stopImmediatePropagation(); // that nothing was changed would be wrong: it will be
    keepForm(form, [...event.detail.requestConfig.parameters.entries()]);
  }, true);

  // A form of a whole page: without the network its page would be lost with what it says.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (navigator.onLine || !form.matches("form[data-keeps]:not([hx-post])")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    keepForm(form, [...new FormData(form, event.submitter).entries()]);
    form.closest("dialog")?.close();
  }, true);

  window.addEventListener("online", sendAll);
  window.addEventListener("storage", (event) => { if (event.key === KEPT) show(); });
  sendAll();
})();
