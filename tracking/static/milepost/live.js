/* The live page: the fleet's table and its map, kept fresh together, and narrowed by a search. */

import { keepCounting, serverNow } from "./ages.js";
import { liveSource } from "./live_source.js";
import { liveTable } from "./live_table.js";
import { makeMap } from "./map.js";
import { truckMarkers } from "./truck_markers.js";

const TYPING_MS = 300;
const box = document.getElementById("fleet");
const freshness = document.getElementById("freshness");
const seek = document.getElementById("seek");
const { url: tableUrl, stream: streamUrl } = box.dataset;

const table = liveTable(box);
const markers = truckMarkers(makeMap(document.getElementById("map")), { pointed: pointRow, chosen: goToRow });
const countAges = keepCounting(box);

function truckOf({ dataset }) {
  return {
    id: dataset.driver,
    label: dataset.name,
    latitude: Number(dataset.latitude),
    longitude: Number(dataset.longitude),
    heading_deg: "heading" in dataset ? Number(dataset.heading) : null,
    age_s: (serverNow() - Number(dataset.at)) / 1000,
    state: dataset.state,
  };
}

function draw() {
  countAges();
  markers.update(table.rows().map(truckOf));
}

function pointRow(driver) {
  for (const row of box.querySelectorAll("tr.pointed")) row.classList.remove("pointed");
  if (driver) table.rowOf(driver)?.classList.add("pointed");
}

function goToRow(driver) {
  const row = table.rowOf(driver);
  row?.scrollIntoView({ block: "nearest" });
  row?.querySelector("a")?.focus({ preventScroll: true });
}

function driverAt(target) {
  return target.closest?.("tr[data-driver]")?.dataset.driver ?? null;
}

box.addEventListener("mouseover", ({ target }) => { markers.point(driverAt(target)); pointRow(driverAt(target)); });
box.addEventListener("mouseleave", () => { markers.point(null); pointRow(null); });
box.addEventListener("focusin", ({ target }) => { markers.focus(driverAt(target)); pointRow(driverAt(target)); });
box.addEventListener("focusout", () => { markers.focus(null); pointRow(null); });
box.addEventListener("click", ({ target }) => {
  if (!target.closest("a") && driverAt(target)) {
    markers.focus(driverAt(target));
    pointRow(driverAt(target));
  }
});
box.addEventListener("swapped", draw);

const withSearch = (url) => (seek.q.value.trim() ? `${url}?${new URLSearchParams({ q: seek.q.value.trim() })}` : url);

const source = liveSource({
  url: () => withSearch(streamUrl),
  refresh: async () => (await table.refresh()) !== false,
  fresh(state) {
    if (freshness.dataset.state !== state) {
      freshness.dataset.state = state;
      freshness.textContent = freshness.dataset[state];
    }
  },
  told(kind, data) {
    if (kind === "versions" && !table.isSame(data)) table.refresh();
    if (kind !== "rows") return;
    if (!table.patch(data)) table.refresh();
    draw();
  },
});

let typing = 0;
let sought = seek.q.value.trim();

async function search() {
  clearTimeout(typing);
  if (seek.q.value.trim() === sought) return;
  sought = seek.q.value.trim();
  history.replaceState(null, "", withSearch(location.pathname));
  if (await table.ask(withSearch(tableUrl))) {
    markers.fit();
    source.restart();
  }
}

seek.addEventListener("submit", (event) => { event.preventDefault(); search(); });
seek.q.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, TYPING_MS); });
// The table's own address has no search yet when the page was opened with one.
box.dataset.url = withSearch(tableUrl);
draw();
