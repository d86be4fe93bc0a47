/* The fleet's map shows what the table says, and asks for the table anew every 15 seconds. */

import { makeMap, pin } from "./map.js";
import { keepFresh } from "./refresh.js";

const table = document.getElementById("fleet");
const stale = document.getElementById("stale");
const map = makeMap(document.getElementById("map"));
const markers = new Map();
let isPlaced = false;

const rows = () => [...table.querySelectorAll("tr[data-driver]")];

const rowOf = (driver) => table.querySelector(`tr[data-driver="${driver}"]`);

function point(driver, isPointed) {
  rowOf(driver)?.classList.toggle("pointed", isPointed);
  markers.get(driver)?.marker.getElement()?.classList.toggle("pointed", isPointed);
}

function addMarker(row, latitude, longitude) {
  const { driver, name, state } = row.dataset;
  const marker = pin(latitude, longitude, name, state).addTo(map);
  marker.on("click keypress", (event) => {
    if (event.type === "click" || event.originalEvent.key === "Enter") {
      location.href = rowOf(driver).querySelector("a").href;
    }
  });
  marker.on("mouseover", () => point(driver, true));
  marker.on("mouseout", () => point(driver, false));
  return marker;
}

function showFleet() {
  const seen = new Set();
  for (const row of rows()) {
    const { driver, state } = row.dataset;
    const place = [Number(row.dataset.latitude), Number(row.dataset.longitude)];
    seen.add(driver);
    const known = markers.get(driver);
    if (known && known.state === state) {
      known.marker.setLatLng(place);
    } else {
      known?.marker.remove();
      markers.set(driver, { state, marker: addMarker(row, ...place) });
    }
  }
  for (const [driver, { marker }] of markers) {
    if (!seen.has(driver)) {
      marker.remove();
      markers.delete(driver);
    }
  }
  if (!isPlaced && seen.size) {
    // Once: afterwards the map stays where the person has moved it.
    map.fitBounds([...markers.values()].map(({ marker }) => marker.getLatLng()), { paddingTopLeft: [75, 50], paddingBottomRight: [75, 30], maxZoom: 11 });
    isPlaced = true;
  }
}

for (const [type, isPointed] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
  table.addEventListener(type, ({ target }) => {
    const row = target.closest("tr[data-driver]");
    if (row) point(row.dataset.driver, isPointed);
  });
}
keepFresh(table, stale, showFleet);
showFleet();
