// Lists and charts: what takes long says so, and the bars of a chart are one stop of the Tab key.
// Every page works without this script.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form")) tellOfWork(form);
  for (const chart of document.querySelectorAll("[data-chart]")) makeOneStop(chart);
});

// What takes longer than half a second shows that it is being worked on. A download leaves the page
// as it is: a cookie that comes with the file tells that it has begun.
function tellOfWork(form) {
  form.addEventListener("submit", (event) => {
    const isFile = event.submitter !== null && event.submitter.matches("[data-download]");
    const place = form.querySelector(isFile ? "[data-working=file]" : "[data-working=page]");
    if (!place) return;
    const shown = setTimeout(() => { place.hidden = false; }, 500);
    const end = () => { clearTimeout(shown); place.hidden = true; };
    window.addEventListener("pageshow", end, { once: true });
    if (isFile) untilItCame(end);
  });
}

function untilItCame(end) {
  const before = lastFile();
  const look = setInterval(() => {
    if (lastFile() !== before) { clearInterval(look); end(); }
  }, 250);
}

function lastFile() {
  return document.cookie.split("; ").find((one) => one.startsWith("grant_management_file="));
}

function makeOneStop(chart) {
  const bars = [...chart.querySelectorAll("svg a")];
  const said = chart.querySelector("output");
  if (!bars.length) return;
  const go = (to) => {
    for (const bar of bars) bar.setAttribute("tabindex", bar === to ? "0" : "-1");
    to.focus();
  };
  bars.forEach((bar, place) => {
    bar.setAttribute("tabindex", place === bars.length - 1 ? "0" : "-1");
    const say = () => { said.textContent = bar.getAttribute("aria-label"); };
    bar.addEventListener("mouseenter", say);
    bar.addEventListener("focus", say);
    bar.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: bars.length - 1 };
      const to = bars[steps[event.key]];
      if (to) { event.preventDefault(); go(to); }
    });
  });
}
