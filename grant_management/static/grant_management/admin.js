// Additions to the admin's pages: copy and print buttons, keys, suggestions, progress. Every page
// works without this script.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  copyButtons();
  printButtons();
  keys();
  suggestions();
  progress();
});

function copyButtons() {
  // Absent where the page is not a secure context (plain HTTP): the buttons then stay hidden.
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "✓";
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
}

function printButtons() {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

function keys() {
  let current = -1;
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.querySelector("a"));
    if ((event.key === "j" || event.key === "k") && rows.length) {
      const step = event.key === "j" ? 1 : -1;
      current = Math.min(Math.max(current + step, 0), rows.length - 1);
      rows[current].querySelector("a").focus();
    } else if (event.key === "?") {
      document.getElementById("gm-keys").showModal();
    }
  });
}

function suggestions() {
  for (const box of document.querySelectorAll("[data-suggest]")) {
    const form = box.form;
    const list = document.createElement("datalist");
    list.id = `${box.id}_suggestions`;
    box.after(list);
    box.setAttribute("list", list.id);
    box.addEventListener("input", async () => {
      const service = form.elements.service ? form.elements.service.value : "";
      const response = await post(form, form.dataset.suggestUrl, { service, q: box.value });
      if (!response.ok) return;
      const found = await response.json();
      list.replaceChildren(...found.values.map((value) => new Option(value, value)));
    });
  }
}

// Sends what was typed: in a URL it would be in logs.
function post(form, url, values) {
  const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  return fetch(url, { method: "POST", headers, body: new URLSearchParams(values) });
}

function progress() {
  const place = document.querySelector("[data-progress]");
  if (!place) return;
  const part = (name) => place.querySelector(`[data-is=${name}]`);
  const ask = async () => {
    const response = await fetch(place.dataset.progress);
    if (!response.ok) return;
    const now = await response.json();
    // The server draws the buttons for a status, so a new status needs a new page.
    if (now.status !== place.dataset.status) { location.reload(); return; }
    for (const name of ["said", "pace"]) part(name).textContent = now[name];
    if (now.most !== null) Object.assign(place.querySelector("progress"), { max: now.most, value: now.filled });
    if (now.status !== "done") setTimeout(ask, 1000);
  };
  ask();
}
