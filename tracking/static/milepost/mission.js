/* A mission's page: its map beside its timeline, keys to walk through the rows, and all of it
   anew while the mission is under way. */

import { keepFresh } from "./refresh.js";
import { shortcuts } from "./shortcuts.js";
import { trackMap } from "./track_map.js";

const now = document.getElementById("now");
const beside = document.querySelector(".beside");

/** Driver and time at a moment on the line, as the clocks of the page's zone show it. */
function said(at, { kind }) {
  const people = JSON.parse(document.getElementById("people").textContent);
  const driver = people.find(([from, to]) => from <= at && (to === null || at < to))?.[2] ?? beside.dataset.nobody;
  const time = new Intl.DateTimeFormat(document.documentElement.lang, {
    timeZone: beside.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).format(at * 1000);
  const what = kind === "missing" ? `, ${beside.dataset.noStretch}` : "";
  return `${time} ${driver}${what}`;
}

// Without anything recorded there is no map yet; the first news loads the page again.
const shown = document.getElementById("map") ? trackMap({ said }) : { draw: () => location.reload() };

function swapped() {
  if (document.querySelector("#timeline tr") || document.getElementById("map")) shown.draw();
}

/** The row so many places after the one that has the focus; from nowhere, the first. */
function go(by) {
  const rows = [...document.querySelectorAll("#timeline tr[data-from]")];
  if (!rows.length) return false;
  const here = rows.indexOf(document.activeElement?.closest("#timeline tr[data-from]"));
  const row = rows[here < 0 ? 0 : Math.min(Math.max(here + by, 0), rows.length - 1)];
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  return true;
}

if (beside) {
  shortcuts({
    j: { run: () => go(1), label: beside.dataset.next },
    k: { run: () => go(-1), label: beside.dataset.previous },
  });
}
keepFresh(now, document.getElementById("stale"), swapped, () => now.querySelector("[data-refreshed]") !== null);
