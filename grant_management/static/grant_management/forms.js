// What a typed time is in UTC, and whether the first call arrived. Every page works without it.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  utcBeside();
  awaitCall();
});

function utcBeside() {
  const zone = document.querySelector("[data-utc-url]");
  for (const place of document.querySelectorAll("[data-utc]")) {
    const box = place.previousElementSibling;
    let timer;
    box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(async () => {
        const asked = box.value;
        const response = await post(box.form, zone.dataset.utcUrl, { at: asked });
        if (response.ok && asked === box.value) place.textContent = (await response.json()).utc;
      }, 250);
    });
  }
}

function awaitCall() {
  const place = document.querySelector("[data-awaits]");
  if (!place) return;
  const ask = async () => {
    const response = await fetch(place.dataset.awaits);
    if (!response.ok) return;
    // The server draws the next step, so a call that arrived needs a new page.
    if ((await response.json()).arrived) location.reload();
    else setTimeout(ask, 2000);
  };
  setTimeout(ask, 2000);
}
