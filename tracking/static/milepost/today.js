/* The board of the day: rows and trucks that point at each other, keys from row to row, and news
   every 15 seconds that takes nobody's place away. */

import { keepCounting, serverNow } from "./ages.js";
import { makeMap } from "./map.js";
import { keepFresh } from "./refresh.js";
import { shortcuts } from "./shortcuts.js";
import { truckMarkers } from "./truck_markers.js";

const board = document.getElementById("board");
const map = makeMap(document.getElementById("map"));
const markers = truckMarkers(map, { pointed: pointRowsOf, chosen: goToRowOf });
const count = keepCounting(board);
let selected = null;
// Where on the screen a row was before news came in.
let anchor = null;

const rows = () => [...board.querySelectorAll("tr[data-mission]")];

const rowsOf = (truck) => rows().filter((row) => row.dataset.truck === truck);

function pointRowsOf(truck) {
  for (const row of rows()) row.classList.toggle("pointed", truck !== null && row.dataset.truck === truck);
  if (truck === null) mark();
}

/** A truck without a mission on this page has a day of its own to show. */
function goToRowOf(truck) {
  const [row] = rowsOf(truck);
  if (row) select(row, true);
  else location.href = trucks().find(({ id }) => id === truck).url;
}

const trucks = () => JSON.parse(document.getElementById("trucks").textContent);

function drawTrucks() {
  const now = serverNow();
  markers.update(trucks().map((truck) => ({ ...truck, age_s: Math.max(0, (now - truck.at) / 1000) })));
}

const current = () => (selected ? document.getElementById(selected) : null);

/** The selected row looks selected, and so does its truck. */
function mark() {
  for (const row of board.querySelectorAll("tr[aria-current]")) row.removeAttribute("aria-current");
  current()?.setAttribute("aria-current", "true");
}

function select(row, takesFocus) {
  selected = row.id;
  mark();
  markers.focus(row.dataset.truck ?? null);
  if (takesFocus) {
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
}

function step(by) {
  const all = rows();
  const at = all.indexOf(current());
  const row = at < 0 ? all[by > 0 ? 0 : all.length - 1] : all[at + by];
  if (!row) return false;
  select(row, true);
  return true;
}

function open() {
  const link = current()?.querySelector("a");
  if (!link) return false;
  location.href = link.href;
  return true;
}

function focusOn(selector) {
  const element = document.querySelector(selector);
  element?.focus();
  element?.select?.();
  return element !== null;
}

const words = board.dataset;
shortcuts({
  j: { run: () => step(1), label: words.next },
  ArrowDown: { run: () => step(1), label: words.next },
  k: { run: () => step(-1), label: words.previous },
  ArrowUp: { run: () => step(-1), label: words.previous },
  Enter: { run: open, label: words.open },
  "/": { run: () => focusOn("#q"), label: words.search },
  f: { run: () => focusOn("#filters a"), label: words.filters },
});

board.addEventListener("focusin", ({ target }) => {
  const row = target.closest("tr[data-mission]");
  if (row && row.id !== selected) select(row, false);
});
board.addEventListener("click", ({ target }) => {
  const row = target.closest("tr[data-mission]");
  if (row && !target.closest("a")) select(row, true);
});
for (const [type, isIn] of [["mouseover", true], ["mouseout", false]]) {
  board.addEventListener(type, ({ target }) => {
    const row = target.closest("tr[data-mission]");
    if (row) markers.point(isIn ? row.dataset.truck ?? null : current()?.dataset.truck ?? null);
  });
}

/** The selected row if it can be seen, else the first that can. */
function rowInView() {
  const isInView = (row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  const row = current();
  return row && isInView(row) ? row : rows().find(isInView);
}

board.addEventListener("htmx:beforeSwap", () => {
  const row = rowInView();
  // At the top of the page nothing is to be held: there the worst is looked at.
  anchor = row && scrollY > 0 ? { id: row.id, top: row.getBoundingClientRect().top } : null;
});

function swapped() {
  count();
  drawTrucks();
  mark();
  markers.point(current()?.dataset.truck ?? null);
  const row = anchor && document.getElementById(anchor.id);
  if (row) scrollBy({ top: row.getBoundingClientRect().top - anchor.top, behavior: "instant" });
}

keepFresh(board, document.getElementById("stale"), swapped);
drawTrucks();
