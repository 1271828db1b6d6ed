// Additions to the navigation, which works without them: "/" goes to the search box, a menu that
// opens above its button takes the focus, and a group that is open closes by Escape and by a click
// beside it.
"use strict";

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  const box = document.getElementById("gm-search");
  if (event.key === "/" && box && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
  } else if (event.key === "Escape") {
    const open = document.querySelector("#gm-navigation details[open]");
    if (open && open.contains(document.activeElement)) open.querySelector("summary").focus();
    closeGroups(null);
  }
});

document.addEventListener("click", (event) => closeGroups(event.target));

document.getElementById("gm-navigation").addEventListener("toggle", (event) => {
  if (event.target.popover && event.newState === "open") event.target.querySelector("a").focus();
});

function closeGroups(except) {
  for (const group of document.querySelectorAll("#gm-navigation details[open]")) {
    if (!except || !group.contains(except)) group.open = false;
  }
}
