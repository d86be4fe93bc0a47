/* Who was where: the map takes a click or a box for the form, and shows the answer again.
   Everything it does can be typed, too. */

import { L, colour, makeMap } from "./map.js";

const form = document.getElementById("asked");
const box = document.getElementById("map");
const map = makeMap(box);
const wanted = L.layerGroup().addTo(map);
const found = L.layerGroup().addTo(map);
const EDGES = ["west", "south", "east", "north"];

const field = (name) => form.elements.namedItem(name);
const areaStyle = () => ({ color: colour("--warning"), weight: 2, fillOpacity: 0.08, interactive: false });
const dotStyle = (isPointed) => ({
  radius: isPointed ? 9 : 6, weight: 2, color: colour("--track"),
  fillColor: isPointed ? colour("--track") : colour("--surface"), fillOpacity: 1,
});

function say(words) {
  document.getElementById("chosen").textContent = words;
}

/* --- What is asked for --------------------------------------------------------------- */

function choosePoint({ lat, lng }) {
  for (const edge of EDGES) field(edge).value = "";
  field("site").value = "";
  field("place").value = `${lat.toFixed(5)}, ${lng.toFixed(5)}`;
  wanted.clearLayers();
  L.circle([lat, lng], { radius: Number(field("radius_m").value) || 500, ...areaStyle() }).addTo(wanted);
  say(form.dataset.pointChosen);
}

function chooseBox(bounds) {
  field("place").value = "";
  field("site").value = "";
  const edges = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  EDGES.forEach((edge, index) => { field(edge).value = edges[index].toFixed(5); });
  form.querySelector("details").open = true;
  wanted.clearLayers();
  L.rectangle(bounds, areaStyle()).addTo(wanted);
  say(form.dataset.boxChosen);
}

/* --- Drawing a box: press the button, then drag from corner to corner ------------------- */

const button = document.getElementById("draw");
let corner = null;
let isDrawing = false;

function setDrawing(isOn) {
  isDrawing = isOn;
  corner = null;
  button.setAttribute("aria-pressed", String(isOn));
  box.classList.toggle("drawing", isOn);
  if (isOn) {
    map.dragging.disable();
    say(form.dataset.drawing);
  } else {
    map.dragging.enable();
  }
}

function placeOf(event) {
  return map.mouseEventToLatLng(event);
}

button.addEventListener("click", () => setDrawing(!isDrawing));
box.addEventListener("pointerdown", (event) => {
  if (!isDrawing || event.target.closest(".leaflet-control")) return;
  corner = placeOf(event);
  box.setPointerCapture(event.pointerId);
});
box.addEventListener("pointermove", (event) => {
  if (!corner) return;
  wanted.clearLayers();
  L.rectangle(L.latLngBounds(corner, placeOf(event)), areaStyle()).addTo(wanted);
});
box.addEventListener("pointerup", (event) => {
  if (!corner) return;
  const bounds = L.latLngBounds(corner, placeOf(event));
  const [from, to] = [bounds.getNorthWest(), bounds.getSouthEast()].map((place) => map.latLngToContainerPoint(place));
  setDrawing(false);
  // The click that ends the drag is not one that chooses a point.
  box.addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true });
  if (Math.abs(to.x - from.x) > 4 && Math.abs(to.y - from.y) > 4) chooseBox(bounds);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isDrawing) setDrawing(false);
});
map.on("click", ({ latlng }) => { if (!isDrawing) choosePoint(latlng.wrap()); });

/* --- Names while typing ------------------------------------------------------------------ */

const names = document.getElementById("places");
let asking = 0;

async function suggest(text) {
  const answer = await fetch(`${form.dataset.placesUrl}?${new URLSearchParams({ q: text })}`);
  if (!answer.ok || text !== field("place").value) return;
  const { places } = await answer.json();
  names.replaceChildren(...places.map((name) => {
    const option = document.createElement("option");
    option.value = name;
    return option;
  }));
}

field("place").addEventListener("input", ({ target }) => {
  field("site").value = "";
  clearTimeout(asking);
  if (target.value.trim().length > 1) asking = setTimeout(suggest, 200, target.value);
});

/* --- What was found ---------------------------------------------------------------------- */

const dots = new Map();
const json = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

function point(key, isPointed) {
  document.getElementById(key)?.classList.toggle("pointed", isPointed);
  for (const dot of dots.get(key) ?? []) {
    dot.setStyle(dotStyle(isPointed));
    if (isPointed) dot.bringToFront();
  }
}

function showVisit({ key, name, points }) {
  dots.set(key, points.map(([latitude, longitude, time]) => {
    const dot = L.circleMarker([latitude, longitude], dotStyle(false)).addTo(found);
    dot.bindTooltip(`${name} ${time}`);
    dot.on("mouseover", () => point(key, true));
    dot.on("mouseout", () => point(key, false));
    dot.on("click", (event) => {
      L.DomEvent.stop(event);
      document.getElementById(key).focus();
    });
    return dot;
  }));
}

function showArea(area) {
  const shape = "radius_m" in area
    ? L.circle([area.latitude, area.longitude], { radius: area.radius_m, ...areaStyle() })
    : L.rectangle([[area.south, area.west], [area.north, area.east]], areaStyle());
  shape.addTo(wanted);
  map.fitBounds(shape.getBounds(), { padding: [30, 30], maxZoom: 15 });
}

const area = json("area");
if (area) {
  showArea(area);
  json("visits").forEach(showVisit);
}
const table = document.getElementById("visits-table");
for (const [type, isIn] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
  table?.addEventListener(type, ({ target }) => {
    const row = target.closest("tr[id]");
    if (row) point(row.id, isIn);
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const shape of wanted.getLayers()) shape.setStyle(areaStyle());
  for (const dot of found.getLayers()) dot.setStyle(dotStyle(false));
});
button.hidden = false;
