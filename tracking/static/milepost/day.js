/* A day: its map beside its timeline, its bar above both, and the days around it by single keys. */

import { shortcuts } from "./shortcuts.js";

const rowOf = (part) => document.getElementById(part.dataset.row);
const partsOf = (row) => document.querySelectorAll(`.day-bars [data-row="${row.id}"]`);

/** A part of the bar and its row point at each other; the row shows itself on the map. */
function tieBars(bars) {
  for (const type of ["mouseover", "mouseout"]) {
    bars.addEventListener(type, ({ target }) => {
      const part = target.closest("[data-row]");
      if (part) rowOf(part)?.dispatchEvent(new MouseEvent(type, { bubbles: true }));
    });
  }
  bars.addEventListener("click", ({ target }) => {
    const part = target.closest("[data-row]");
    const row = part && rowOf(part);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "center" });
  });
  for (const [type, isIn] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(type, ({ target }) => {
      const row = target.closest?.("#timeline tr[data-from]");
      for (const part of row ? partsOf(row) : []) part.classList.toggle("pointed", isIn);
      // After the map's own listener, which points at nothing then.
      if (row && type === "mouseout") setTimeout(backToFocus);
    });
  }
}

/** When the mouse leaves a row, the one with the focus is pointed at again. */
function backToFocus() {
  const row = document.activeElement?.closest("#timeline tr[data-from]");
  row?.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
}

/** Links with a key of their own: the day before and after, the month, the replay. */
function tieKeys() {
  const links = [...document.querySelectorAll("a[data-key]")];
  shortcuts(Object.fromEntries(links.map((link) => [
    link.dataset.key, { run: () => link.click(), label: link.dataset.meaning },
  ])));
}

tieKeys();
const bars = document.querySelector("svg.day-bars:not(.key)");
if (bars) tieBars(bars);
if (document.getElementById("track")) {
  const { trackMap } = await import("./track_map.js");
  trackMap();
}
