// Keys, dialogs and small comforts of every page. All of it only shortens ways: each page works without.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");

  const typing = (element) => element.closest("input:not([type=checkbox],[type=radio],[type=submit]), select, textarea, [contenteditable]");
  const visible = (element) => element.checkVisibility ? element.checkVisibility() : element.offsetParent !== null;
  const openDialog = () => [...document.querySelectorAll("dialog[open]")].pop();

  const press = (element) => {
    if (element.matches("input, select, textarea")) {
      element.focus();
      if (element.select) element.select();
    } else element.click();
  };

  // --- dialogs

  const close = (dialog) => dialog && dialog.close();

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
    if (event.target.closest("[data-closes]")) close(event.target.closest("dialog"));
    if (event.target.tagName === "DIALOG") close(event.target);
    for (const menu of document.querySelectorAll("details[data-menu][open]"))
      if (!menu.contains(event.target) || opener) menu.open = false;
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const dialog = document.getElementById("dialog");
    if (event.detail.target.id !== "dialog-body" || !dialog) return;
    if (!dialog.open) dialog.showModal();
    const first = event.detail.target.querySelector("[autofocus]") || event.detail.target.querySelector("h2, h1");
    if (first) {
      if (first.matches("h1, h2")) first.tabIndex = -1;
      first.focus();
    }
  });

  // A form that was refused comes back with what is in the way; everything else that was refused is said below.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (![409, 422].includes(event.detail.xhr.status)) return;
    const takes = ["dialog-body", "dates"].includes(event.detail.target.id);
    event.detail.shouldSwap = takes;
    event.detail.isError = !takes;
  });

  // Looking ahead begins once the form says enough; before, it would only complain.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.detail.elt;
    if (!part.matches("[data-once-complete]")) return;
    const fields = [...part.querySelectorAll("input, select")];
    if (!fields.every((field) => field.validity.valid)) event.preventDefault();
  });

  // The line of an hour was drawn anew: whoever was on it still is.
  document.addEventListener("htmx:load", (event) => {
    const row = event.detail.elt;
    if (row.matches && row.matches("li[data-row]") && [document.body, null].includes(document.activeElement)) row.focus();
  });

  // An hour that is offered fills the form, so that what was typed beside it stays.
  document.addEventListener("click", (event) => {
    const offer = event.target.closest("[data-fill]");
    const form = offer && document.getElementById(offer.dataset.fill);
    if (!form) return;
    event.preventDefault();
    form.elements.day.value = offer.dataset.day;
    form.elements.at.value = offer.dataset.at;
    form.elements.at.dispatchEvent(new Event("change", { bubbles: true }));
    form.elements.day.focus();
  });

  // --- what went wrong on the way

  const alarm = (what, said) => {
    const place = document.getElementById("alarm");
    if (!place) return;
    place.textContent = said || place.dataset[what];
    place.hidden = false;
    setTimeout(() => { place.hidden = true; }, 8000);
  };
  document.addEventListener("htmx:sendError", () => alarm("unanswered"));
  document.addEventListener("htmx:responseError", (event) => {
    const found = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html").querySelector("article.error p");
    alarm("failed", found && found.textContent);
  });

  // --- keys

  const hotkeys = () => [...document.querySelectorAll("[data-hotkey]")].filter((one) => visible(one) || one.closest("details, dialog"));
  let pending = "";
  let forget;

  const rowKey = (event) => {
    const scope = openDialog() || document.activeElement.closest("[data-row]");
    const element = scope && scope.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (element) press(element);
    return Boolean(element);
  };

  const step = (event) => {
    const row = document.activeElement.closest("[data-row]");
    if (!row || openDialog() || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return false;
    if (event.key === "Enter") {
      if (document.activeElement !== row) return false;
      const link = row.querySelector("[data-open]");
      if (link) link.click();
      return Boolean(link);
    }
    const rows = [...document.querySelectorAll("[data-row]")].filter(visible);
    const next = rows[rows.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) next.focus();
    return Boolean(next);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") {
      const found = document.getElementById("found");
      if (found) found.replaceChildren();
      for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
      return;
    }
    if (typing(event.target)) {
      if (event.key === "ArrowDown" && event.target.closest(".search")) {
        const first = document.querySelector("#found a");
        if (first) { first.focus(); event.preventDefault(); }
      }
      return;
    }
    if (event.target.closest("#found") && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      const links = [...document.querySelectorAll("#found a")];
      const next = links[links.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
      (next || document.querySelector(".search input[type=search]")).focus();
      event.preventDefault();
      return;
    }
    if (step(event)) { event.preventDefault(); return; }
    const keys = pending ? `${pending} ${event.key}` : event.key;
    clearTimeout(forget);
    pending = "";
    if (keys.length === 1 && rowKey(event)) { event.preventDefault(); return; }
    if (openDialog()) return;
    const all = hotkeys();
    const element = all.find((one) => one.dataset.hotkey === keys);
    if (element) { press(element); event.preventDefault(); return; }
    if (all.some((one) => one.dataset.hotkey.startsWith(`${keys} `))) {
      pending = keys;
      forget = setTimeout(() => { pending = ""; }, 1500);
      event.preventDefault();
    }
  });

  // --- forms

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-submit-on-change]");
    if (form) form.requestSubmit();
  });

  // Of one date only what belongs to the choice is asked for.
  document.addEventListener("change", (event) => {
    const line = event.target.closest(".date-line");
    if (!line || !event.target.name.startsWith("do.")) return;
    for (const field of line.querySelectorAll("[data-for]")) field.toggleAttribute("data-idle", field.dataset.for !== event.target.value);
  });

  // A second press of a button must not send a form twice while the first is on its way.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) event.preventDefault();
    if (form.matches("[hx-post]")) return;
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
